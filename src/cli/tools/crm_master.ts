import { runAs } from "./crm_attribute.ts";

/** crm_master(8): promotion score of the agent's own resource; the older name of `crm_attribute --promotion`. */
export function run(words: readonly string[]): Promise<number> {
  const at = words.findIndex((word) => word === "-r" || word === "--resource-id");
  if (at < 0) return runAs("crm_master", ["--promotion", ...words]);
  // It names the resource by -r, which crm_attribute takes with --promotion.
  const rest = words.filter((_, i) => i !== at && i !== at + 1);
  return runAs("crm_master", [`--promotion=${words[at + 1] ?? ""}`, ...rest]);
}
