import { child, childrenOf, element, type XmlElement } from "../cib/index.ts";
import { type NodeName, nodeName } from "../terms/index.ts";
import type { Undo } from "./undo.ts";

/** The entries of `<nodes>`. */
export function nodesEntries(configuration: XmlElement | undefined): XmlElement[] {
  return childrenOf(child(configuration, "nodes"), "node");
}

/**
 * Sees to it that `<nodes>` has exactly one entry with a ring's id, under the name by which the node calls itself: the id
 * tells who a node is, so an entry with another name is renamed. Another ring's id that had this name until now gets the
 * one that is free by that: two nodes of one name are none that anybody could ask. Says whether the configuration changed,
 * what the name was before, and the id of the other one.
 */
export function placeNode(
  configuration: XmlElement | undefined,
  id: string,
  uname: NodeName,
  undo: Undo,
): { readonly changed: boolean; readonly before?: NodeName; readonly exchanged?: string } {
  const nodes = child(configuration, "nodes");
  if (!nodes) return { changed: false };
  const same = nodesEntries(configuration).filter((node) => node.attributes.get("id") === id);
  const known = same.find((node) => node.attributes.get("uname") === uname) ?? same[0];
  undo.touch(nodes);
  if (known) {
    undo.touch(known);
    const before = known.attributes.get("uname");
    nodes.children = nodes.children.filter((node) => node === known || !same.includes(node));
    known.attributes.set("uname", uname);
    const wasRemote = known.attributes.get("type") === "remote" && known.attributes.delete("type");
    if (before === uname || before === undefined) return { changed: same.length > 1 || wasRemote };
    const other = nodesEntries(configuration).find(
      (node) =>
        node !== known &&
        node.attributes.get("uname") === uname &&
        /^\d+$/.test(node.attributes.get("id") ?? ""),
    );
    if (!other) return { changed: true, before: nodeName(before) };
    undo.touch(other);
    other.attributes.set("uname", before);
    return { changed: true, before: nodeName(before), exchanged: other.attributes.get("id") ?? "" };
  }
  // Loaded from text before the node was seen: the ring's id is the one that counts.
  const named = nodesEntries(configuration).find((node) => node.attributes.get("uname") === uname);
  if (named) {
    undo.touch(named);
    named.attributes.set("id", id);
    // It was noted of a remote node of that name: who is in the ring is a member.
    if (named.attributes.get("type") === "remote") named.attributes.delete("type");
  } else nodes.children.push(element("node", { id, uname }));
  return { changed: true };
}

/** Ids of the constraints that name a node. */
export function constraintsNaming(configuration: XmlElement | undefined, uname: string): string[] {
  const names = (xml: XmlElement): boolean =>
    xml.attributes.get("node") === uname ||
    (xml.attributes.get("attribute") === "#uname" && xml.attributes.get("value") === uname) ||
    xml.children.some(names);
  return (child(configuration, "constraints")?.children ?? [])
    .filter(names)
    .map((xml) => xml.attributes.get("id") ?? xml.name);
}
