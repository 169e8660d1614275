import { child, childrenOf, cloneElement, element, type XmlElement } from "./xml.ts";

/**
 * Keeps the members of a running cluster in its CIB, whatever was put in its place: the cluster knows them itself. Whoever
 * takes part keeps his `<node_state>`; who is there, and whether he has left in order, is told by the ring and by
 * managers alone; whoever takes part, or is expected to (and so has to be fenced first), has his
 * entry in `<nodes>`, under the id and the name by which the ring knows him. Remote nodes exist by their resources.
 * @param before the CIB before the change
 * @param draft the CIB after it, which is corrected
 * @returns what was said of who is there and is not so, a name each: `in_ccm of node n1`
 */
export function keepMembers(before: XmlElement, draft: XmlElement): readonly string[] {
  const configuration = sectionOf(draft, "configuration");
  const status = sectionOf(draft, "status");
  for (const state of memberStates(before).filter(takesPart))
    if (!childrenOf(status, "node_state").some((one) => idOf(one) === idOf(state)))
      status.children.push(cloneElement(state));
  const untrue = keepPresence(childrenOf(child(before, "status"), "node_state"), status);
  for (const state of memberStates(draft)) {
    const id = idOf(state);
    const uname = state.attributes.get("uname");
    if (id !== undefined && uname !== undefined && state.attributes.get("expected") === "member")
      ensureNode(sectionOf(configuration, "nodes"), id, uname);
  }
  return untrue;
}

/** What of a `<node_state>` says who it is of and whether that one is there. */
const presence = ["uname", "remote_node", "in_ccm", "crmd", "join", "expected", "node_fenced"] as const;

/** A state that is not known yet says nothing of that, and is none at all of somebody who has one. */
function keepPresence(known: readonly XmlElement[], status: XmlElement): string[] {
  const untrue: string[] = [];
  const states = new Map(known.map((state) => [idOf(state), state.attributes] as const));
  const names = new Set(known.map(({ attributes }) => attributes.get("uname")));
  status.children = status.children.filter((item) => {
    const name = item.attributes.get("uname");
    if (item.name !== "node_state" || states.has(idOf(item)) || !names.has(name)) return true;
    untrue.push(`a second state of node ${name}`);
    return false;
  });
  for (const state of childrenOf(status, "node_state")) {
    const was = states.get(idOf(state));
    for (const name of presence) {
      const said = state.attributes.get(name);
      const value = was === undefined && name === "uname" ? said : was?.get(name);
      if (said !== undefined && said !== value)
        untrue.push(`${name} of node ${was?.get("uname") ?? idOf(state) ?? ""}`);
      if (value === undefined) state.attributes.delete(name);
      else state.attributes.set(name, value);
    }
  }
  return untrue;
}

const idOf = ({ attributes }: XmlElement) => attributes.get("id");

const memberStates = (cib: XmlElement): XmlElement[] =>
  childrenOf(child(cib, "status"), "node_state").filter(
    ({ attributes }) => attributes.get("remote_node") !== "true",
  );

const takesPart = ({ attributes }: XmlElement) =>
  attributes.get("in_ccm") === "true" && attributes.get("crmd") === "online";

function sectionOf(parent: XmlElement, name: string): XmlElement {
  const present = child(parent, name);
  if (present) return present;
  const fresh = element(name);
  parent.children.push(fresh);
  return fresh;
}

function ensureNode(nodes: XmlElement, id: string, uname: string): void {
  const named = nodes.children.find(({ attributes }) => attributes.get("uname") === uname);
  const present = named ?? nodes.children.find((node) => idOf(node) === id);
  if (present === undefined) nodes.children.push(element("node", { id, uname }));
  else {
    present.attributes.set("id", id);
    present.attributes.set("uname", uname);
  }
}
