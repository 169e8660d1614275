import { nearest } from "../terms/index.ts";
import { type CibProblem, problemAt } from "./references.ts";
import { elementRules } from "./schema.ts";
import { formProblems } from "./structure-rules.ts";
import type { XmlElement } from "./xml.ts";

/** Elements and attributes that a configuration in canonical form cannot have, and those that it lacks. */
export function findStructureProblems(configuration: XmlElement): CibProblem[] {
  const problems: CibProblem[] = [];
  const visit = (source: XmlElement) => {
    if (!isInOrder(source)) problems.push(...checkAttributes(source));
    const allowed = elementRules[source.name]?.children ?? [];
    for (const item of source.children) {
      if (allowed.includes(item.name)) visit(item);
      else problems.push(unknownElement(item, source, allowed));
    }
  };
  visit(configuration);
  return problems;
}

function unknownElement(item: XmlElement, parent: XmlElement, allowed: readonly string[]): CibProblem {
  const near = nearest(item.name, allowed);
  const where = parent.attributes.get("id");
  const text = `<${item.name}> cannot stand in <${parent.name}>${where === undefined ? "" : ` "${where}"`}`;
  const cure =
    near !== undefined
      ? `did you mean <${near}>?`
      : allowed.length === 0
        ? "nothing can stand there"
        : `only ${allowed.map((name) => `<${name}>`).join(", ")} can`;
  return problemAt(item, "error", "UNKNOWN_ELEMENT", text, cure);
}

/** What is true of nearly every element, told without making anything: a configuration may have a hundred thousand. */
function isInOrder(source: XmlElement): boolean {
  const rule = elementRules[source.name];
  if (rule === undefined) return true;
  const { attributes } = source;
  for (const name of attributes.keys())
    if (!rule.attributes.includes(name) && !name.startsWith("xmlns")) return false;
  if (!attributes.has("id-ref")) for (const name of rule.required) if (!attributes.has(name)) return false;
  return formProblems(source).length === 0;
}

function checkAttributes(source: XmlElement): CibProblem[] {
  const rule = elementRules[source.name];
  if (rule === undefined) return [];
  const named = source.attributes.get("id");
  const what = `<${source.name}>${named === undefined ? "" : ` "${named}"`}`;
  const absent = source.attributes.has("id-ref")
    ? []
    : rule.required.filter((name) => !source.attributes.has(name));
  const missing = absent.map((name) =>
    problemAt(
      source,
      "error",
      "MISSING_ATTRIBUTE",
      `${what} lacks the attribute "${name}"`,
      `add ${name}="…"`,
    ),
  );
  const unknown = [...source.attributes.keys()]
    .filter((name) => !rule.attributes.includes(name) && !name.startsWith("xmlns"))
    .map((name) => {
      const near = nearest(name, rule.attributes);
      const cure = near === undefined ? "remove it" : `did you mean "${near}"?`;
      return problemAt(
        source,
        "error",
        "UNKNOWN_ATTRIBUTE",
        `${what} has an unknown attribute "${name}"`,
        cure,
      );
    });
  // A slip in a name is told as that, not as what is then missing, too.
  const form = (unknown.length > 0 ? [] : formProblems(source)).map(({ text, cure }) =>
    problemAt(source, "error", "WRONG_FORM", `${what} ${text}`, cure),
  );
  return [...missing, ...unknown, ...form];
}
