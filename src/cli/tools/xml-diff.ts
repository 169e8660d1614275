import { element, isComment, type XmlElement } from "../../cib/index.ts";

/** How two documents are compared. */
export interface DiffOptions {
  /** Whether the versions of `<cib>` count, and are told. */
  readonly versions: boolean;
  /** Whether another order of attributes is a difference (crm_diff(8) without `--cib`). */
  readonly attributeOrder?: boolean;
  /** Whether another order of elements is one; it is unless this is false. */
  readonly elementOrder?: boolean;
}

/**
 * The difference of two documents as a `<diff>` of format 2: what to do to the old one, in an order in which it can
 * be done – removals, then changes of attributes, new elements and moves. Nothing when they are the same. Comments count
 * where they were kept: one is the same only with the same words at the same place.
 */
export function xmlDiff(old: XmlElement, given: XmlElement, options: DiffOptions): XmlElement | undefined {
  const fresh = options.versions ? given : withVersionsOf(old, given);
  const { removed, changed } = compare(old, fresh, `/${step(old)}`, options);
  const changes = [...removed, ...changed];
  if (changes.length === 0) return undefined;
  const version = (name: string, { attributes }: XmlElement) =>
    element(
      name,
      Object.fromEntries(versionNames.map((part) => [part, attributes.get(part) ?? "0"] as const)),
    );
  const head = options.versions
    ? [element("version", {}, [version("source", old), version("target", fresh)])]
    : [];
  return element("diff", { format: "2" }, [...head, ...changes]);
}

const versionNames = ["admin_epoch", "epoch", "num_updates"] as const;

/** The same document as if its version were that of another. */
function withVersionsOf(old: XmlElement, fresh: XmlElement): XmlElement {
  if (old.name !== "cib" || fresh.name !== "cib") return fresh;
  const attributes = new Map(fresh.attributes);
  for (const name of versionNames) {
    const value = old.attributes.get(name);
    if (value === undefined) attributes.delete(name);
    else attributes.set(name, value);
  }
  return { ...fresh, attributes };
}

/** One step of a path that finds an element among its siblings. */
function step(item: XmlElement): string {
  if (isComment(item)) return "comment";
  const id = item.attributes.get("id");
  return id === undefined || item.name === "cib" ? item.name : `${item.name}[@id='${id}']`;
}

/** What has to be done to an element and to what is in it. */
interface Changes {
  readonly removed: readonly XmlElement[];
  /** Of the element itself first, then in the order of the new document. */
  readonly changed: readonly XmlElement[];
}

function compare(old: XmlElement, fresh: XmlElement, path: string, options: DiffOptions): Changes {
  const partners = pairUp(old.children, fresh.children);
  const oldPlaces = new Places(old.children);
  const freshPlaces = new Places(fresh.children);
  const removed: XmlElement[] = [];
  const inner = new Map<XmlElement, Changes>();
  for (const was of old.children) {
    const is = partners.get(was);
    const where = `${path}/${step(was)}`;
    if (is === undefined) {
      const position = isComment(was) ? oldPlaces.of(was) : undefined;
      removed.push(element("change", { operation: "delete", path: where, position }));
      oldPlaces.leaveOut(was);
    } else if (!isComment(was)) {
      const changes = compare(was, is, where, options);
      removed.push(...changes.removed);
      inner.set(is, changes);
    }
  }
  const changed = attributeChange(old, fresh, path, options);
  const olds = new Map([...partners].map(([was, is]) => [is, was]));
  for (const [position, is] of fresh.children.entries()) {
    const was = olds.get(is);
    if (was === undefined) {
      freshPlaces.leaveOut(is);
      changed.push(element("change", { operation: "create", path, position }, [is]));
      continue;
    }
    changed.push(...(inner.get(is)?.changed ?? []));
    const [from, to] = [oldPlaces.of(was), freshPlaces.of(is)];
    if (from === to || options.elementOrder === false) continue;
    // What stands behind is counted without what has moved: on the side where it stood further back.
    if (from > to) oldPlaces.leaveOut(was);
    else freshPlaces.leaveOut(is);
    changed.push(element("change", { operation: "move", path: `${path}/${step(is)}`, position }));
  }
  return { removed, changed };
}

/** Places among siblings, without those that are left out. */
class Places {
  readonly #index: ReadonlyMap<XmlElement, number>;
  readonly #out: number[] = [];

  constructor(siblings: readonly XmlElement[]) {
    this.#index = new Map(siblings.map((item, at) => [item, at]));
  }

  leaveOut(item: XmlElement): void {
    this.#out.push(this.#index.get(item) ?? 0);
  }

  of(item: XmlElement): number {
    const at = this.#index.get(item) ?? 0;
    return at - this.#out.filter((other) => other < at).length;
  }
}

/** Children that are the same in both documents: by name and id, a comment by its words and place. */
function pairUp(old: readonly XmlElement[], fresh: readonly XmlElement[]): Map<XmlElement, XmlElement> {
  const key = (item: XmlElement, at: number) =>
    isComment(item) ? `#${at} ${item.text}` : `${item.name} ${item.attributes.get("id") ?? ""}`;
  const waiting = Map.groupBy(fresh.entries(), ([at, item]) => key(item, at));
  const partners = new Map<XmlElement, XmlElement>();
  for (const [at, was] of old.entries()) {
    const found = waiting.get(key(was, at))?.shift()?.[1];
    if (found) partners.set(was, found);
  }
  return partners;
}

function attributeChange(
  old: XmlElement,
  fresh: XmlElement,
  path: string,
  options: DiffOptions,
): XmlElement[] {
  const moved = options.attributeOrder ? movedAttributes(old, fresh) : new Set<string>();
  const set = [...fresh.attributes]
    .filter(([name, value]) => old.attributes.get(name) !== value || moved.has(name))
    .map(([name, value]) => element("change-attr", { name, operation: "set", value }));
  const unset = [...old.attributes.keys()]
    .filter((name) => !fresh.attributes.has(name))
    .map((name) => element("change-attr", { name, operation: "unset" }));
  if (set.length + unset.length === 0) return [];
  const result = element(fresh.name, Object.fromEntries(fresh.attributes));
  return [
    element("change", { operation: "modify", path }, [
      element("change-list", {}, [...set, ...unset]),
      element("change-result", {}, [result]),
    ]),
  ];
}

/** Attributes with the same value that stand at another place. */
function movedAttributes(old: XmlElement, fresh: XmlElement): ReadonlySet<string> {
  const [before, after] = [[...old.attributes.keys()], [...fresh.attributes.keys()]];
  const [outBefore, outAfter] = [new Set<string>(), new Set<string>()];
  const place = (names: readonly string[], out: ReadonlySet<string>, name: string) =>
    names.slice(0, names.indexOf(name)).filter((other) => !out.has(other)).length;
  const moved = new Set<string>();
  for (const name of before) {
    if (old.attributes.get(name) !== fresh.attributes.get(name)) continue;
    const [from, to] = [place(before, outBefore, name), place(after, outAfter, name)];
    if (from === to) continue;
    moved.add(name);
    (from > to ? outBefore : outAfter).add(name);
  }
  return moved;
}
