import { CrmExit, HactlError } from "../terms/index.ts";
import { connectionsToMembers, type MemberConnection, memberConnectionProblem } from "./connection-names.ts";
import { findLimitProblems } from "./limits.ts";
import { findOldForms } from "./old-forms.ts";
import { type CibProblem, findReferenceProblems } from "./references.ts";
import { findSchemaValueProblems } from "./schema-values.ts";
import { findStructureProblems } from "./structure.ts";
import { upgradeCib } from "./upgrade/upgrade.ts";
import { findHeadProblems, isSchemaName } from "./verify-head.ts";
import { child, type XmlElement } from "./xml.ts";

/**
 * Throws for all that the schema does not allow: an unknown element, attribute or value, an id that stands
 * twice, a reference to nothing. `configuration`: in the canonical schema. `file`: where it was read.
 * @param before what is wrong in that already is passed over
 */
export function checkForm(configuration: XmlElement, file?: string, before?: XmlElement): void {
  const key = ({ code, id, text }: CibProblem) => `${code} ${id ?? ""} ${text}`;
  const known = new Set(before && formErrors(before).map(key));
  refuseAll(
    formErrors(configuration).filter((problem) => !known.has(key(problem))),
    file,
  );
}

/**
 * Throws for connections that would be taken for members of the cluster, but for those that are there already: they keep nobody
 * from changing something else.
 */
export function refuseMemberConnections(configuration: XmlElement | undefined, before?: XmlElement): void {
  const key = ({ source, text }: MemberConnection) => `${source.attributes.get("id")} ${text}`;
  const known = new Set(connectionsToMembers(before).map(key));
  const fresh = connectionsToMembers(configuration).filter((connection) => !known.has(key(connection)));
  refuseAll(fresh.map(memberConnectionProblem));
}

const formErrors = (configuration: XmlElement): CibProblem[] =>
  [
    ...findStructureProblems(configuration),
    ...findReferenceProblems(configuration),
    ...findSchemaValueProblems(configuration),
    ...findLimitProblems(configuration),
  ].filter(({ level }) => level === "error");

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
  refuseAll(
    findHeadProblems(cib).filter(({ level }) => level === "error"),
    file,
  );
  refuseOldForms(cib, file);
  const upgraded = child(upgradeCib(cib).root, "configuration");
  if (upgraded !== undefined) checkForm(upgraded, file);
}

/** @throws HactlError OLD_FORM where something is written as a schema before the one that is named had it, exit code CONFIG */
export function refuseOldForms(cib: XmlElement, file?: string): void {
  refuseAll(findOldForms(cib), file);
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

/** So many mistakes are told at once. */
const toldAtOnce = 10;

/** Throws for all that is wrong at once, in one line: the code and the place are those of the first. */
function refuseAll(problems: readonly CibProblem[], file?: string): void {
  const [first, ...others] = problems;
  if (first === undefined) return;
  const { code, id, line } = first;
  const told = [first, ...others.slice(0, toldAtOnce - 1)];
  const untold = problems.length - told.length;
  const cured = told.map(({ text, cure }) => (cure === undefined ? text : `${text} (${cure})`));
  throw new HactlError({
    code,
    what:
      others.length === 0 ? first.text : [...cured, ...(untold > 0 ? [`and ${untold} more`] : [])].join("; "),
    where: {
      ...(file === undefined ? {} : { file }),
      ...(line === undefined ? {} : { line }),
      ...(id === undefined ? {} : { id }),
    },
    exit: CrmExit.CONFIG,
    ...(others.length > 0 || first.cure === undefined ? {} : { cure: first.cure }),
  });
}
