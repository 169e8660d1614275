import { CrmExit, HactlError } from "../terms/index.ts";
import type { CibOperation } from "./operations.ts";
import { isSameMeta } from "./options/lookup.ts";
import { element, formatXml, type XmlElement } from "./xml.ts";

/** A `<nvpair>` with the set that it is in. */
export interface Pair {
  readonly id: string;
  readonly name: string;
  readonly value: string;
  readonly setId: string;
}

/** What narrows down which pair of a name is meant. */
export interface PairIds {
  readonly set?: string | undefined;
  readonly pair?: string | undefined;
}

const idOf = ({ attributes }: XmlElement): string => attributes.get("id") ?? "";

/** Pairs in the sets of one kind that an element has itself, in document order. */
export function pairsIn(holder: XmlElement | undefined, kind: string, ids: PairIds = {}): Pair[] {
  return (holder?.children ?? [])
    .filter((set) => set.name === kind && (ids.set === undefined || idOf(set) === ids.set))
    .flatMap((set) =>
      set.children
        .filter(({ name }) => name === "nvpair")
        .map((pair) => ({
          id: idOf(pair),
          name: pair.attributes.get("name") ?? "",
          value: pair.attributes.get("value") ?? "",
          setId: idOf(set),
        })),
    )
    .filter(({ id }) => ids.pair === undefined || id === ids.pair);
}

/** Several pairs have the name (two sets, rules), and nothing says which one is meant. */
export class AmbiguousPair extends HactlError {
  readonly pairName: string;
  readonly matches: readonly Pair[];

  constructor(name: string, matches: readonly Pair[]) {
    const list = matches.map(({ id, value }) => `${id} (${value})`).join(", ");
    super({
      code: "MULTIPLE",
      what: `${name} is set in ${matches.length} places: ${list}`,
      cure: "say which one by its id, or the id of its set",
      exit: CrmExit.MULTIPLE,
    });
    this.pairName = name;
    this.matches = matches;
  }
}

/** The one pair that is meant, if there is any. @throws AmbiguousPair when there are several */
export function onlyPair(name: string, matches: readonly Pair[]): Pair | undefined {
  if (matches.length > 1) throw new AmbiguousPair(name, matches);
  return matches[0];
}

/** A set that holds whatever the time and the node: no rule, and no reference to another. */
export const isPlainSet = ({ attributes, children }: XmlElement): boolean =>
  !attributes.has("id-ref") && !children.some(({ name }) => name === "rule");

/** What an id may be made of; Pacemaker puts dots for `#` and `:`. */
export const asId = (text: string): string => text.replace(/[#:]/g, ".").replace(/[^A-Za-z0-9._-]/g, "_");

/** A pair that is set, with the ids that it gets. */
export interface PairChange {
  readonly operation: CibOperation;
  readonly id: string;
  readonly setId: string;
  readonly isNew: boolean;
}

/**
 * How to set a pair of a resource: the one that there is, else a new one in the set that is named or has the usual id.
 * @throws AmbiguousPair when several have the name
 */
export function setResourcePair(
  resource: XmlElement,
  kind: string,
  name: string,
  value: string,
  ids: PairIds = {},
): PairChange {
  // Another name of the same meta attribute is no second one.
  const isSame = (other: string) => (kind === "meta_attributes" ? isSameMeta(other, name) : other === name);
  const matches = pairsIn(resource, kind, ids).filter((pair) => isSame(pair.name));
  const old = onlyPair(name, matches);
  const setId = old?.setId ?? ids.set ?? `${idOf(resource)}-${kind}`;
  const id = old?.id ?? ids.pair ?? `${setId}-${asId(name)}`;
  const set = element(kind, { id: setId }, [element("nvpair", { id, name, value })]);
  const xml = formatXml(element(resource.name, { id: idOf(resource) }, [set]), -1);
  return {
    operation: { op: "modify", xml, scope: "resources", create: true },
    id,
    setId,
    isNew: old === undefined,
  };
}

/** How to remove pairs. */
export const removePairs = (pairs: readonly { readonly id: string }[]): CibOperation[] =>
  pairs.map(({ id }) => ({ op: "delete", xpath: `//nvpair[@id='${id}']` }));
