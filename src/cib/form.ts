import { CrmExit, HactlError } from "../terms/index.ts";
import { findLimitProblems } from "./limits.ts";
import { type CibProblem, findReferenceProblems } from "./references.ts";
import { findStructureProblems } from "./structure.ts";
import { upgradeCib } from "./upgrade/upgrade.ts";
import { child, type XmlElement } from "./xml.ts";

/**
 * Throws for the first thing that the schema does not allow: an unknown element or attribute, an id that stands twice,
 * a reference to nothing. `configuration`: in the canonical schema. `file`: where it was read.
 */
export function checkForm(configuration: XmlElement, file?: string): void {
  const problems = [
    ...findStructureProblems(configuration),
    ...findReferenceProblems(configuration),
    ...findLimitProblems(configuration),
  ];
  const errors = problems.filter(({ level }) => level === "error");
  const [first] = errors;
  if (first !== undefined) throw errorOf(first, errors.length - 1, file);
}

/**
 * Refuses a whole CIB that its schema does not allow, as Pacemaker's tools do: they look only where the CIB names a
 * schema (`validate-with`), and `none` is none.
 * @throws HactlError with the problem's code and place, exit code CONFIG.
 */
export function refuseInvalid(cib: XmlElement, file?: string): void {
  const schema = cib.attributes.get("validate-with");
  const configuration = child(cib, "configuration");
  if (schema === undefined || schema === "none" || configuration === undefined) return;
  const upgraded = child(upgradeCib(cib).root, "configuration");
  if (upgraded !== undefined) checkForm(upgraded, file);
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
