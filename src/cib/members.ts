import { child, childrenOf, cloneElement, element, type XmlElement } from "./xml.ts";

/**
 * Keeps the members of a running cluster in its CIB, whatever was put in its place: the cluster knows them itself. Whoever
 * takes part keeps his `<node_state>`; whoever takes part, or is expected to (and so has to be fenced first), has his
 * entry in `<nodes>`, under the id and the name by which the ring knows him. Remote nodes exist by their resources.
 * @param before the CIB before the change
 * @param draft the CIB after it, which is corrected
 */
export function keepMembers(before: XmlElement, draft: XmlElement): void {
  const configuration = sectionOf(draft, "configuration");
  const status = sectionOf(draft, "status");
  for (const state of memberStates(before).filter(takesPart))
    if (!childrenOf(status, "node_state").some((one) => idOf(one) === idOf(state)))
      status.children.push(cloneElement(state));
  for (const state of memberStates(draft)) {
    const id = idOf(state);
    const uname = state.attributes.get("uname");
    if (id !== undefined && uname !== undefined && state.attributes.get("expected") === "member")
      ensureNode(sectionOf(configuration, "nodes"), id, uname);
  }
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
