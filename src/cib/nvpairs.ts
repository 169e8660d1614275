import type { EpochSeconds } from "../terms/index.ts";
import { evaluateRules, type RuleContext } from "./rules.ts";
import { parseScore } from "./values.ts";
import type { XmlElement } from "./xml.ts";

/** Finds an element by its id, for `id-ref`. */
export type FindById = (id: string) => XmlElement | undefined;

/** A value with where it came from, for explanations. */
export interface NvValue {
  readonly value: string;
  /** Id of the `<nvpair>`, or of its block when it has none. */
  readonly id: string | undefined;
}

export interface NvpairResult {
  readonly values: ReadonlyMap<string, NvValue>;
  /** First second at which a rule with a date can give another answer. */
  readonly nextChange?: EpochSeconds;
}

export interface NvpairOptions {
  /** Resolves `id-ref` of blocks and of nvpairs; without it, references count as absent. */
  readonly find?: FindById;
  /** Block that is looked at before all others whatever the scores (`cib-bootstrap-options`). */
  readonly alwaysFirst?: string;
}

/** Index of the elements of a document by id. The first wins when an id is not unique. */
export function indexById(root: XmlElement): ReadonlyMap<string, XmlElement> {
  const index = new Map<string, XmlElement>();
  const pending = [root];
  for (let element = pending.pop(); element !== undefined; element = pending.pop()) {
    const id = element.attributes.get("id");
    if (id !== undefined && !index.has(id)) index.set(id, element);
    for (let position = element.children.length - 1; position >= 0; position--) {
      const child = element.children[position];
      if (child) pending.push(child);
    }
  }
  return index;
}

/**
 * Values of the blocks named `setName` (`instance_attributes`, `meta_attributes`, `utilization`, `attributes`,
 * `cluster_property_set`) that are children of `parents`. Parents come in the order of precedence (a resource before
 * its template, before the defaults); in each, blocks with a higher score come first and then, as Pacemaker has it, those
 * written last.
 * A block counts when it has no rule or one that passes. The first value of a name wins; `#default` gives none
 * (Pacemaker Explained, "Rules", "Using rules to control …").
 */
export function unpackNvpairs(
  parents: readonly XmlElement[],
  setName: string,
  context: RuleContext,
  { find, alwaysFirst }: NvpairOptions = {},
): NvpairResult {
  const values = new Map<string, NvValue>();
  let nextChange: EpochSeconds | undefined;
  for (const parent of parents) {
    for (const block of sortedBlocks(parent, setName, find, alwaysFirst)) {
      const rule = evaluateRules(block, find === undefined ? context : { find, ...context });
      if (rule.nextChange !== undefined)
        nextChange = Math.min(nextChange ?? rule.nextChange, rule.nextChange);
      if (rule.passed) takeValues(block, values, find);
    }
  }
  return nextChange === undefined ? { values } : { values, nextChange };
}

/** The values alone, for readers who need neither their origin nor the time of the next change. */
export function plainValues(result: NvpairResult): Map<string, string> {
  return new Map([...result.values].map(([name, { value }]) => [name, value]));
}

function sortedBlocks(
  parent: XmlElement,
  setName: string,
  find: FindById | undefined,
  alwaysFirst: string | undefined,
): XmlElement[] {
  const blocks = parent.children
    .filter(({ name }) => name === setName)
    .map((block) => resolve(block, find))
    .filter((block) => block !== undefined);
  if (blocks.length < 2) return blocks;
  const rank = (block: XmlElement) =>
    alwaysFirst !== undefined && block.attributes.get("id") === alwaysFirst
      ? Number.POSITIVE_INFINITY
      : (parseScore(block.attributes.get("score")) ?? 0);
  const ranked = blocks.map((block) => ({ block, rank: rank(block) }));
  // Of equal ranks the one written last comes first; ∞ − ∞ would be no number.
  ranked.reverse();
  return ranked.sort((a, b) => (a.rank === b.rank ? 0 : b.rank - a.rank)).map(({ block }) => block);
}

/** The element itself, or the one that its `id-ref` names. */
function resolve(element: XmlElement, find: FindById | undefined): XmlElement | undefined {
  const reference = element.attributes.get("id-ref");
  if (reference === undefined) return element;
  const target = find?.(reference);
  return target?.name === element.name ? target : undefined;
}

function takeValues(block: XmlElement, values: Map<string, NvValue>, find: FindById | undefined): void {
  for (const child of block.children) {
    // Schemas before 1.0 have the pairs in an element of their own.
    if (child.name === "attributes") takeValues(child, values, find);
    if (child.name !== "nvpair") continue;
    const source = resolve(child, find);
    const name = child.attributes.get("name") ?? source?.attributes.get("name");
    const value = source?.attributes.get("value");
    if (name === undefined || value === undefined || value.toLowerCase() === "#default") continue;
    if (!values.has(name))
      values.set(name, { value, id: source?.attributes.get("id") ?? block.attributes.get("id") });
  }
}
