import { element, type XmlElement } from "../../cib/index.ts";

/**
 * The difference of two documents as a `<diff>` of format 2: what to do to the old one, in an order in which it can
 * be done – removals, then changes of attributes, new elements and moves. Nothing when they are the same.
 */
export function xmlDiff(old: XmlElement, fresh: XmlElement, versions: boolean): XmlElement | undefined {
  const removed: XmlElement[] = [];
  const changed: XmlElement[] = [];
  compare(old, fresh, `/${step(old)}`, removed, changed, versions);
  const changes = [...removed, ...changed];
  if (changes.length === 0) return undefined;
  const version = (name: string, { attributes }: XmlElement) =>
    element(name, {
      admin_epoch: attributes.get("admin_epoch") ?? "0",
      epoch: attributes.get("epoch") ?? "0",
      num_updates: attributes.get("num_updates") ?? "0",
    });
  const head = versions ? [element("version", {}, [version("source", old), version("target", fresh)])] : [];
  return element("diff", { format: "2" }, [...head, ...changes]);
}

const versionNames = new Set(["admin_epoch", "epoch", "num_updates"]);

/** One step of a path that finds an element among its siblings. */
function step({ name, attributes }: XmlElement): string {
  const id = attributes.get("id");
  return id === undefined || name === "cib" ? name : `${name}[@id='${id}']`;
}

const isSame = (a: XmlElement, b: XmlElement) =>
  a.name === b.name && a.attributes.get("id") === b.attributes.get("id");

function compare(
  old: XmlElement,
  fresh: XmlElement,
  path: string,
  removed: XmlElement[],
  changed: XmlElement[],
  versions: boolean,
): void {
  const attributes = attributeChanges(old, fresh, versions);
  if (attributes.length > 0) {
    const result = element(fresh.name, Object.fromEntries(fresh.attributes));
    changed.push(
      element("change", { operation: "modify", path }, [
        element("change-list", {}, attributes),
        element("change-result", {}, [result]),
      ]),
    );
  }
  const rest = [...old.children];
  const kept: { readonly was: XmlElement; readonly is: XmlElement; readonly position: number }[] = [];
  const created: { readonly is: XmlElement; readonly position: number }[] = [];
  fresh.children.forEach((is, position) => {
    const at = rest.findIndex((candidate) => isSame(candidate, is));
    const was = at < 0 ? undefined : rest.splice(at, 1)[0];
    if (was) kept.push({ was, is, position });
    else created.push({ is, position });
  });
  for (const gone of rest)
    removed.push(element("change", { operation: "delete", path: `${path}/${step(gone)}` }));
  for (const { was, is } of kept) compare(was, is, `${path}/${step(was)}`, removed, changed, versions);
  for (const { is, position } of created)
    changed.push(element("change", { operation: "create", path, position }, [is]));
  for (const { is, position } of moved(old.children, kept))
    changed.push(element("change", { operation: "move", path: `${path}/${step(is)}`, position }));
}

/** Children that stand in another order than before. */
function moved<T extends { readonly was: XmlElement; readonly is: XmlElement; readonly position: number }>(
  before: readonly XmlElement[],
  kept: readonly T[],
): T[] {
  let last = -1;
  return kept.filter(({ was }) => {
    const at = before.indexOf(was);
    if (at < last) return true;
    last = at;
    return false;
  });
}

function attributeChanges(old: XmlElement, fresh: XmlElement, versions: boolean): XmlElement[] {
  const counts = (name: string) => versions || old.name !== "cib" || !versionNames.has(name);
  const set = [...fresh.attributes]
    .filter(([name, value]) => counts(name) && old.attributes.get(name) !== value)
    .map(([name, value]) => element("change-attr", { name, operation: "set", value }));
  const unset = [...old.attributes.keys()]
    .filter((name) => counts(name) && !fresh.attributes.has(name))
    .map((name) => element("change-attr", { name, operation: "unset" }));
  return [...set, ...unset];
}
