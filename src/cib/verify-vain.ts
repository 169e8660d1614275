import { HactlError, nearest } from "../terms/index.ts";
import { compilePattern, type Pattern } from "./pattern.ts";
import { type CibProblem, problemAt } from "./references.ts";
import { resourceKinds } from "./resource-kinds.ts";
import { parseInteger, parseScore } from "./values.ts";
import { child, childrenOf, type XmlElement } from "./xml.ts";

/** What is well-formed and has no case: clones that may have no instance, constraints that exclude each other. */
export function findVainProblems(configuration: XmlElement): CibProblem[] {
  return [
    ...emptyClones(child(configuration, "resources")),
    ...contradictions(childrenOf(child(configuration, "constraints"), "rsc_colocation")),
    ...nodeWords(configuration),
    ...childrenOf(child(configuration, "constraints"), "rsc_location").flatMap((one) =>
      patternProblems(one, configuration),
    ),
    ...missingContainers(child(configuration, "resources")),
    ...unusedUtilization(configuration),
    ...childrenOf(child(configuration, "nodes"), "node").flatMap(contradictingValues),
  ];
}

/**
 * A node that has an attribute twice, with different values and without a rule that decides: which of them counts depends
 * on scores and ids of the sets, and tools that show one show the other.
 */
function contradictingValues(node: XmlElement): CibProblem[] {
  const first = new Map<string, string>();
  return childrenOf(node, "instance_attributes")
    .filter((set) => childrenOf(set, "rule").length === 0)
    .flatMap((set) =>
      childrenOf(set, "nvpair").flatMap((pair) => {
        const { name, value } = Object.fromEntries(pair.attributes);
        if (name === undefined || value === undefined) return [];
        const other = first.get(name);
        first.set(name, other ?? value);
        if (other === undefined || other === value) return [];
        const text = `node "${node.attributes.get("uname") ?? idOf(node)}" has ${name}="${other}" and ${name}="${value}": only one of them counts`;
        return [problemAt(pair, "warning", "IN_VAIN", text, "remove one")];
      }),
    );
}

const idOf = ({ attributes }: XmlElement) => attributes.get("id") ?? "";

/** What resources need counts only by a placement strategy that looks at it. */
function unusedUtilization(configuration: XmlElement): CibProblem[] {
  const strategies = childrenOf(child(configuration, "crm_config"), "cluster_property_set")
    .flatMap((set) => childrenOf(set, "nvpair"))
    .filter(({ attributes }) => attributes.get("name") === "placement-strategy");
  // One that is given counts by its value and its rules: by some of them it is not the default.
  if (strategies.some(({ attributes }) => attributes.get("value") !== "default")) return [];
  const [needing] = needs(child(configuration, "resources"));
  if (needing === undefined) return [];
  const text = `resource "${idOf(needing)}" has utilization, which does not count: placement-strategy is default`;
  return [
    problemAt(
      needing,
      "warning",
      "IN_VAIN",
      text,
      "set placement-strategy=utilization, balanced or minimal, or remove the utilization",
    ),
  ];
}

const needs = (parent: XmlElement | undefined): XmlElement[] =>
  (parent?.children ?? []).flatMap((item) =>
    resourceKinds.has(item.name)
      ? [
          ...(childrenOf(item, "utilization").some(({ children }) => children.length > 0) ? [item] : []),
          ...needs(item),
        ]
      : [],
  );

function emptyClones(resources: XmlElement | undefined): CibProblem[] {
  const clones = [...childrenOf(resources, "clone"), ...childrenOf(resources, "master")];
  const pairs = clones.flatMap((clone) =>
    childrenOf(clone, "meta_attributes")
      .flatMap((set) => childrenOf(set, "nvpair"))
      .map((pair) => ({ clone, pair, name: pair.attributes.get("name") ?? "" })),
  );
  return pairs
    .filter(({ name }) => name === "clone-max" || name === "clone-node-max")
    .filter(({ pair }) => parseInteger(pair.attributes.get("value")) === 0)
    .map(({ clone, pair, name }) => {
      const text = `with ${name}=0 no instance of clone "${idOf(clone)}" runs anywhere`;
      return problemAt(
        pair,
        "warning",
        "IN_VAIN",
        text,
        "write 1 or more, or stop it with target-role=Stopped",
      );
    });
}

const parts = ["rsc", "with-rsc", "rsc-role", "with-rsc-role", "node-attribute"] as const;

/** Together and apart at any cost: then what depends runs nowhere. */
function contradictions(colocations: readonly XmlElement[]): CibProblem[] {
  const together = new Map<string, XmlElement>();
  const keyOf = ({ attributes }: XmlElement) => parts.map((name) => attributes.get(name) ?? "").join(" ");
  const scored = (wanted: number) =>
    colocations.filter(
      (one) =>
        one.attributes.has("rsc") &&
        !one.children.some(({ name }) => name === "rule") &&
        parseScore(one.attributes.get("score")) === wanted,
    );
  for (const one of scored(1_000_000)) together.set(keyOf(one), one);
  return scored(-1_000_000).flatMap((apart) => {
    const other = together.get(keyOf(apart));
    if (!other) return [];
    const text = `colocations "${idOf(other)}" and "${idOf(apart)}" want "${apart.attributes.get("rsc")}" with "${apart.attributes.get("with-rsc")}" and never with it: it runs nowhere`;
    return [problemAt(apart, "warning", "CONTRADICTION", text, "remove one of them")];
  });
}

/** A pattern that is none, or that no resource of the cluster's own list matches: nothing is placed by it. */
function patternProblems(location: XmlElement, configuration: XmlElement): CibProblem[] {
  const text = location.attributes.get("rsc-pattern");
  if (text === undefined) return [];
  const inverted = text.startsWith("!");
  const tell = (level: CibProblem["level"], code: string, what: string, cure: string) => [
    problemAt(location, level, code, `constraint "${idOf(location)}" is for nothing: ${what}`, cure),
  ];
  if (text === "" || text === "!") {
    const whom = inverted ? "no resource" : "every resource";
    const what = `rsc-pattern="${text}" of constraint "${idOf(location)}" is empty: it is for ${whom}`;
    return [
      problemAt(location, "warning", "EMPTY_PATTERN", what, 'write rsc-pattern=".*" where all are meant'),
    ];
  }
  let pattern: Pattern;
  try {
    pattern = compilePattern(inverted ? text.slice(1) : text);
  } catch (error) {
    if (!(error instanceof HactlError)) throw error;
    // One that is too large is told as that.
    if (error.code === "PATTERN_LIMIT") return [];
    return tell("error", error.code, `"${text}": ${error.what}`, "correct the regular expression");
  }
  const names = (child(configuration, "resources")?.children ?? [])
    .filter(({ name }) => resourceKinds.has(name))
    .map(idOf);
  if (names.some((name) => (pattern.match(name) !== null) !== inverted)) return [];
  const cure = "correct it, or remove the constraint; members of groups and clones go by the name of these";
  return tell("warning", "IN_VAIN", `its pattern "${text}" matches no resource`, cure);
}

/** A container that is not there watches nothing, and is not started anew. */
function missingContainers(resources: XmlElement | undefined): CibProblem[] {
  const names = new Set<string>();
  const pairs: XmlElement[] = [];
  const visit = (parent: XmlElement) => {
    for (const item of parent.children) {
      if (!resourceKinds.has(item.name)) continue;
      names.add(idOf(item));
      const sets = childrenOf(item, "meta_attributes").flatMap((set) => childrenOf(set, "nvpair"));
      pairs.push(...sets.filter(({ attributes }) => attributes.get("name") === "container"));
      visit(item);
    }
  };
  if (resources) visit(resources);
  return pairs
    .filter(({ attributes }) => !names.has(attributes.get("value") ?? ""))
    .map((pair) => {
      const text = `container="${pair.attributes.get("value")}" names no resource: nothing is contained`;
      return problemAt(
        pair,
        "error",
        "NO_CONTAINER",
        text,
        "name the resource that contains it, or remove this",
      );
    });
}

/** What the cluster itself tells of every node. */
const builtIn = ["#uname", "#id", "#kind", "#cluster-name", "#site-name", "#is_dc", "#ra-version", "#role"];

/** Names with a `#` that are near one of the cluster's: of what no node has, a rule knows nothing. */
function nodeWords(source: XmlElement): CibProblem[] {
  const name = source.name === "expression" ? (source.attributes.get("attribute") ?? "") : "";
  const near = name.startsWith("#") && !builtIn.includes(name) ? nearest(name, builtIn) : undefined;
  const inner = source.children.flatMap(nodeWords);
  if (near === undefined) return inner;
  const text = `the expression "${idOf(source)}" asks for "${name}", which the cluster sets on no node`;
  return [problemAt(source, "warning", "UNKNOWN_ATTRIBUTE", text, `did you mean "${near}"?`), ...inner];
}
