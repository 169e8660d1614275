import { CrmExit, HactlError } from "../terms/index.ts";
import { findLimitProblems } from "./limits.ts";
import { type CibProblem, findReferenceProblems } from "./references.ts";
import { findSchemaValueProblems } from "./schema-values.ts";
import { findStructureProblems } from "./structure.ts";
import { upgradeCib } from "./upgrade/upgrade.ts";
import { findHeadProblems, isSchemaName } from "./verify-head.ts";
import { child, type XmlElement } from "./xml.ts";

/**
 * Throws for the first thing that the schema does not allow: an unknown element, attribute or value, an id that stands
 * twice, a reference to nothing. `configuration`: in the canonical schema. `file`: where it was read.
 */
export function checkForm(configuration: XmlElement, file?: string): void {
  const problems = [
    ...findStructureProblems(configuration),
    ...findReferenceProblems(configuration),
    ...findSchemaValueProblems(configuration),
    ...findLimitProblems(configuration),
  ];
  const errors = problems.filter(({ level }) => level === "error");
  const [first] = errors;
  if (first !== undefined) throw errorOf(first, errors.length - 1, file);
}

/**
 * Refuses a whole CIB that its schema does not allow, as Pacemaker's tools do: it has to name one (`validate-with`), and
 * `none` is none that anything could be checked by.
 * @throws HactlError with the problem's code and place, exit code CONFIG.
 */
export function refuseInvalid(cib: XmlElement, file?: string): void {
  const schema = cib.attributes.get("validate-with");
  if (schema === "none") return;
  if (schema === undefined)
    throw new HactlError({
      code: "SCHEMA",
      what: "<cib> does not say by which schema it was written (validate-with)",
      where: file === undefined ? {} : { file },
      cure: 'write validate-with="pacemaker-3.9"',
      exit: CrmExit.CONFIG,
    });
  const [first, ...more] = findHeadProblems(cib);
  if (first !== undefined) throw errorOf(first, more.length, file);
  const upgraded = child(upgradeCib(cib).root, "configuration");
  if (upgraded !== undefined) checkForm(upgraded, file);
}

/** @throws HactlError UNKNOWN_SCHEMA where a change names a schema that nobody knows, exit code CONFIG */
export function checkSchemaName(schema: string | undefined): void {
  if (schema === undefined || isSchemaName(schema)) return;
  throw new HactlError({
    code: "UNKNOWN_SCHEMA",
    what: `validate-with="${schema}" names no schema that is known`,
    cure: 'write validate-with="pacemaker-3.9"',
    exit: CrmExit.CONFIG,
  });
}

/** A problem as the error that refuses a change. */
function errorOf({ code, text, id, line, cure }: CibProblem, more: number, file?: string): HactlError {
  return new HactlError({
    code,
    what: more === 0 ? text : `${text} (and ${more} more)`,
    where: {
      ...(file === undefined ? {} : { file }),
      ...(line === undefined ? {} : { line }),
      ...(id === undefined ? {} : { id }),
    },
    exit: CrmExit.CONFIG,
    ...(cure === undefined ? {} : { cure }),
  });
}
