import { nearest } from "../terms/index.ts";
import { type CibProblem, problemAt } from "./references.ts";
import { elementRules } from "./schema.ts";
import type { XmlElement } from "./xml.ts";

/** Elements and attributes that a configuration in canonical form cannot have, and those that it lacks. */
export function findStructureProblems(configuration: XmlElement): CibProblem[] {
  const problems: CibProblem[] = [];
  const visit = (source: XmlElement) => {
    problems.push(...checkAttributes(source));
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
  return [...missing, ...unknown, ...checkForm(source, what)];
}

/** What a rule of names cannot say. */
function checkForm(source: XmlElement, what: string): CibProblem[] {
  const { attributes, children } = source;
  const has = (name: string) => attributes.has(name);
  const wrong = (text: string, cure: string) => [
    problemAt(source, "error", "WRONG_FORM", `${what} ${text}`, cure),
  ];
  switch (source.name) {
    case "primitive":
      if (!has("template") && (!has("class") || !has("type")))
        return wrong("has neither class and type nor a template", 'add class="…" and type="…"');
      return attributes.get("class") === "ocf" && !has("provider")
        ? wrong("is of class ocf but has no provider", 'add provider="heartbeat"')
        : [];
    case "group":
      return children.some(({ name }) => name === "primitive")
        ? []
        : wrong("is empty", "put a primitive in, or remove it");
    case "clone":
    case "master": {
      const held = children.filter(({ name }) => name === "primitive" || name === "group").length;
      return held === 1 ? [] : wrong(`holds ${held} resources`, "a clone holds one primitive or one group");
    }
    case "rsc_location": {
      const targets =
        Number(has("rsc")) +
        Number(has("rsc-pattern")) +
        Number(children.some(({ name }) => name === "resource_set"));
      if (targets !== 1)
        return wrong("must name its resources in one way", "give rsc, rsc-pattern or resource sets");
      const ruled = children.some(({ name }) => name === "rule");
      return ruled || has("node") ? [] : wrong("names no node and has no rule", 'add node="…" and score="…"');
    }
    case "rsc_colocation":
      return inPairOrSets(source, "rsc", "with-rsc")
        ? []
        : wrong("lacks a resource", "give rsc and with-rsc, or resource sets");
    case "rsc_order":
      return inPairOrSets(source, "first", "then")
        ? []
        : wrong("lacks a resource", "give first and then, or resource sets");
    case "rsc_ticket":
      return inPairOrSets(source, "rsc") ? [] : wrong("lacks a resource", "give rsc, or resource sets");
    case "rule":
      return has("id-ref") || children.length > 0
        ? []
        : wrong("has no condition", "add an expression, or remove the rule");
    case "fencing-level":
      return has("target") || has("target-pattern") || (has("target-attribute") && has("target-value"))
        ? []
        : wrong("has no target", "give target, target-pattern, or target-attribute and target-value");
    default:
      return [];
  }
}

function inPairOrSets({ attributes, children }: XmlElement, ...names: readonly string[]): boolean {
  return children.some(({ name }) => name === "resource_set") || names.every((name) => attributes.has(name));
}
