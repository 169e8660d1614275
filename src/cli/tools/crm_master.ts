import { runAs } from "./crm_attribute.ts";

/** crm_master(8): promotion score of the agent's own resource; the older name of `crm_attribute --promotion`. */
export function run(words: readonly string[]): Promise<number> {
  const at = words.findIndex((word) => /^(?:-r|--resource(?:-id)?(?:=[\s\S]*)?)$/.test(word));
  if (at < 0) return runAs("crm_master", ["--promotion", ...words]);
  // It names the resource by -r, which crm_attribute takes with --promotion.
  const [option = ""] = words.slice(at);
  const equals = option.indexOf("=");
  const rsc = equals < 0 ? words[at + 1] : option.slice(equals + 1);
  const rest = words.filter((_, i) => i !== at && (equals >= 0 || i !== at + 1));
  return runAs("crm_master", [`--promotion=${rsc ?? ""}`, ...rest]);
}
