import { type CibProblem, problemAt } from "./references.ts";
import { child, type XmlElement } from "./xml.ts";

/** Names that schemas have had, from before 1.0 to 4.x. */
const schemas = /^(?:none|transitional-0\.6|pacemaker-(?:next|0\.[67]|[1-4]\.\d+))$/;

/** By these a cluster tells which of two configurations is newer. */
const versions = ["admin_epoch", "epoch", "num_updates"] as const;

/** What is wrong with the outermost element of a whole CIB, which only a file can lack: its version, schema and content. */
export function findHeadProblems(cib: XmlElement): CibProblem[] {
  const problems: CibProblem[] = [];
  const wrong = (code: string, text: string, cure: string) =>
    problems.push(problemAt(cib, "error", code, text, cure));
  const schema = cib.attributes.get("validate-with");
  if (schema !== undefined && !schemas.test(schema)) {
    const text = `validate-with="${schema}" of <cib> names no schema that is known`;
    wrong("UNKNOWN_SCHEMA", text, 'write validate-with="pacemaker-3.9"');
  }
  if (schema !== undefined && schema !== "none")
    for (const name of versions) {
      const value = cib.attributes.get(name);
      const cure = `write ${name}="0"`;
      if (value === undefined) wrong("MISSING_ATTRIBUTE", `<cib> lacks the attribute "${name}"`, cure);
      else if (!/^\d+$/.test(value))
        wrong("BAD_VALUE", `${name}="${value}" of <cib> is no whole number`, cure);
    }
  if (child(cib, "configuration") === undefined) {
    const cure = "give the whole CIB, as cibadmin --query prints it";
    wrong("NO_CONFIGURATION", "there is no <configuration> in it", cure);
  }
  return problems;
}
