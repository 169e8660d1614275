import { type CibProblem, problemAt } from "./references.ts";
import { findSchemaValueProblems } from "./schema-values.ts";
import { findStructureProblems } from "./structure.ts";
import { upgradeCib } from "./upgrade/upgrade.ts";
import { child, childrenOf, type XmlElement } from "./xml.ts";

/** Schemas from this one on have today's form, but for names that have an alias. */
const presentForm = /^pacemaker-(?:[3-9]|\d\d)\./;
/** Roles had other names until 3.7, which hold on. */
const olderRole = /="(?:Master|Slave)"/;

/**
 * What earlier schemas allowed and the one that a CIB names does not, as pairs outside of their set: it would be understood,
 * but whoever wrote it names a schema by which Pacemaker refuses it. What is wrong in any schema is not among them.
 */
export function findOldForms(cib: XmlElement): CibProblem[] {
  const schema = cib.attributes.get("validate-with") ?? "";
  const written = child(cib, "configuration");
  if (!presentForm.test(schema) || written === undefined) return [];
  const asWritten = problemsOf(written).filter(({ text }) => !olderRole.test(text));
  if (asWritten.length === 0) return [];
  const upgraded = child(upgradeCib(cib).root, "configuration") ?? written;
  const inAnyForm = new Set(problemsOf(upgraded).map(({ text }) => text));
  return asWritten
    .filter(({ text }) => !inAnyForm.has(text))
    .map(({ cure, ...problem }) => ({
      ...problem,
      code: "OLD_FORM",
      text: `${problem.text}: the schema ${schema} does not allow it`,
      cure: `${cure ?? "write it in the form of today"}; what an old schema allowed is brought up to date where validate-with names that one`,
    }));
}

const problemsOf = (configuration: XmlElement): CibProblem[] => [
  ...findStructureProblems(configuration),
  ...findSchemaValueProblems(configuration),
  ...findRequiringOperations(configuration),
];

/** What has to be before a service starts was said at its operations once; the schema has shut it out there since 3.0. */
function findRequiringOperations(configuration: XmlElement): CibProblem[] {
  const problems: CibProblem[] = [];
  const visit = (source: XmlElement) => {
    if (source.name === "op") problems.push(...requiringOf(source));
    for (const item of source.children) visit(item);
  };
  visit(configuration);
  return problems;
}

function requiringOf(operation: XmlElement): CibProblem[] {
  return childrenOf(operation, "meta_attributes")
    .flatMap((block) => childrenOf(block, "nvpair"))
    .filter(({ attributes }) => attributes.get("name") === "requires")
    .map((pair) => {
      const value = pair.attributes.get("value");
      const text = `requires="${value}" stands at operation "${operation.attributes.get("id")}"`;
      return problemAt(
        pair,
        "error",
        "OLD_FORM",
        text,
        `write requires=${value} among the resource's meta attributes`,
      );
    });
}
