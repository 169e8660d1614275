import { nearest } from "../terms/index.ts";
import { type CibProblem, problemAt } from "./references.ts";
import { child, type XmlElement } from "./xml.ts";

/** Names that schemas have had, from before 1.0 to 4.x. */
const schemas = /^(?:none|transitional-0\.6|pacemaker-(?:next|0\.[67]|[1-4]\.\d+))$/;

/** Whether a schema of this name is known. */
export const isSchemaName = (schema: string): boolean => schemas.test(schema);

/** Schemas before 1.0 have other rules for the document as a whole. */
const isOld = (schema: string) => /^(?:transitional|pacemaker-0)/.test(schema);

/** By these a cluster tells which of two configurations is newer. */
const versions = ["admin_epoch", "epoch", "num_updates"] as const;

/** What a schema has at the outermost element. What is unknown there is refused. */
const known: readonly string[] = [
  ...versions,
  "validate-with",
  "crm_feature_set",
  "remote-tls-port",
  "remote-clear-port",
  "have-quorum",
  "dc-uuid",
  "cib-last-written",
  "no-quorum-panic",
  "update-origin",
  "update-client",
  "update-user",
  "execution-date",
];

/** The attributes of a `<cib>` that its schema does not have. */
export function unknownHead(cib: XmlElement): string[] {
  const named = cib.attributes.get("validate-with") ?? "none";
  if (named === "none" || isOld(named)) return [];
  return [...cib.attributes.keys()].filter((name) => !known.includes(name) && !/^(?:xmlns|xsi)\b/.test(name));
}

const unknownAttributes = (cib: XmlElement): CibProblem[] =>
  unknownHead(cib).map((name) => {
    const near = nearest(name, known);
    const cure = near === undefined ? "remove it" : `did you mean "${near}"?`;
    return problemAt(cib, "error", "UNKNOWN_ATTRIBUTE", `<cib> has an unknown attribute "${name}"`, cure);
  });

/** What is wrong with the outermost element of a whole CIB, which only a file can lack: its version, schema and content. */
export function findHeadProblems(cib: XmlElement): CibProblem[] {
  const problems: CibProblem[] = unknownAttributes(cib);
  const wrong = (code: string, text: string, cure: string) =>
    problems.push(problemAt(cib, "error", code, text, cure));
  const schema = cib.attributes.get("validate-with");
  if (schema !== undefined && !isSchemaName(schema)) {
    const text = `validate-with="${schema}" of <cib> names no schema that is known`;
    wrong("UNKNOWN_SCHEMA", text, 'write validate-with="pacemaker-3.9"');
  }
  if (schema !== undefined && schema !== "none")
    for (const name of versions) {
      const value = cib.attributes.get(name);
      const cure = `write ${name}="0"`;
      if (value === undefined) wrong("MISSING_ATTRIBUTE", `<cib> lacks the attribute "${name}"`, cure);
      else if (!/^\s*\+?\d+\s*$/.test(value))
        wrong("BAD_VALUE", `${name}="${value}" of <cib> is no whole number`, cure);
    }
  const configuration = child(cib, "configuration");
  // A schema that is named counts as it is; without one the sections that are missing are made.
  if (schema !== undefined && schema !== "none" && configuration !== undefined && !isOld(schema))
    for (const name of ["crm_config", "nodes", "resources", "constraints"])
      if (child(configuration, name) === undefined)
        wrong("MISSING_ELEMENT", `<configuration> lacks <${name}>`, `write <${name}/>`);
  if (cib.children.filter(({ name }) => name === "configuration").length > 1)
    wrong("WRONG_FORM", "<cib> has two <configuration>", "leave one of them out");
  if (configuration === undefined) {
    const cure = "give the whole CIB, as cibadmin --query prints it";
    wrong("NO_CONFIGURATION", "there is no <configuration> in it", cure);
  }
  return problems;
}
