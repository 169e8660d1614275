import { indexById } from "./nvpairs.ts";
import { type CibProblem, problemAt } from "./references.ts";
import { constraintNames } from "./resource-kinds.ts";
import { elementRules } from "./schema.ts";
import { child, childrenOf, type XmlElement } from "./xml.ts";

/** What the schema takes although nothing stands behind it: empty words, references to another kind, templates of nobody. */
export function findHollowProblems(configuration: XmlElement): CibProblem[] {
  const index = indexById(configuration);
  const derived = new Set<string>();
  const problems: CibProblem[] = [];
  const visit = (source: XmlElement) => {
    const template = source.name === "primitive" ? source.attributes.get("template") : undefined;
    if (template !== undefined) derived.add(template);
    problems.push(...emptyAttributes(source), ...withoutValue(source), ...otherKind(source, index));
    source.children.forEach(visit);
  };
  visit(configuration);
  const constraints = child(configuration, "constraints")?.children ?? [];
  return [...problems, ...constraints.flatMap((item) => unusedTemplates(item, index, derived))];
}

/** Required attributes that say nothing when they are empty; what ids, numbers and words can be is told elsewhere. */
const filled: ReadonlySet<string> = new Set([
  "path",
  "image",
  "ticket",
  "attribute",
  "uname",
  "type",
  "name",
  "target-dir",
]);

function emptyAttributes(source: XmlElement): CibProblem[] {
  const id = source.attributes.get("id");
  const what = `<${source.name}>${id === undefined ? "" : ` "${id}"`}`;
  const needed = source.name === "nvpair" ? ["name"] : (elementRules[source.name]?.required ?? []);
  return needed
    .filter((name) => filled.has(name) && source.attributes.get(name) === "")
    .map((name) => {
      const text = `the attribute "${name}" of ${what} is empty`;
      return problemAt(source, "error", "MISSING_ATTRIBUTE", text, `write ${name}="…"`);
    });
}

/** The schema takes a pair without a value: it sets nothing, and what holds is the default. */
function withoutValue(source: XmlElement): CibProblem[] {
  const { attributes } = source;
  const name = attributes.get("name");
  if (source.name !== "nvpair" || name === undefined || attributes.has("value") || attributes.has("id-ref"))
    return [];
  const text = `"${name}" (<nvpair> "${attributes.get("id")}") has no value: it is not in force`;
  return [problemAt(source, "warning", "NO_VALUE", text, 'write value="…", or remove it')];
}

/** Operations are those of another resource where they refer to its operations, and none where to anything else. */
function otherKind(source: XmlElement, index: ReadonlyMap<string, XmlElement>): CibProblem[] {
  const reference = source.name === "operations" ? source.attributes.get("id-ref") : undefined;
  const target = reference === undefined ? undefined : index.get(reference);
  if (target === undefined || target.name === source.name) return [];
  const text = `<operations> refers to "${reference}", which is a <${target.name}>`;
  const cure = "name the id of an <operations>, or remove the reference";
  return [problemAt(source, "error", "DANGLING_REFERENCE", text, cure)];
}

/** A template stands for the resources that are made of it; where there are none, the constraint is about nothing. */
function unusedTemplates(
  constraint: XmlElement,
  index: ReadonlyMap<string, XmlElement>,
  derived: ReadonlySet<string>,
): CibProblem[] {
  const sets = childrenOf(constraint, "resource_set");
  const named = [
    ...constraintNames.map((name) => constraint.attributes.get(name)),
    ...sets.flatMap((set) => childrenOf(set, "resource_ref").map(({ attributes }) => attributes.get("id"))),
  ].filter((id) => id !== undefined);
  const unused = named.filter((id) => index.get(id)?.name === "template" && !derived.has(id));
  return [...new Set(unused)].map((id) => {
    const text = `constraint "${constraint.attributes.get("id")}" names template "${id}", which no resource is made of: the constraint is ignored`;
    const cure = "name a resource, or make one of the template";
    return problemAt(constraint, "error", "UNUSED_TEMPLATE", text, cure);
  });
}
