import { sameTree } from "./edit-tree.ts";
import { parseBoolean } from "./values.ts";
import { writtenProperties } from "./verify-options.ts";
import { child, childrenOf, cloneElement, element, type XmlElement } from "./xml.ts";

/** What somebody has written of a node that is not so, or is not to be written there. */
export interface Untrue {
  /** `in_ccm of node n1` */
  readonly what: string;
  /**
   * Who says that instead: of who is there the ring and the managers; of transient attributes the managers, who are asked to
   * set them; of what runs the executors; of a node's name the node list.
   */
  readonly by: "ring" | "managers" | "executors" | "nodelist";
}

/**
 * Keeps the members of a running cluster in its CIB, whatever was put in its place: the cluster knows them itself. Whoever
 * takes part keeps his `<node_state>`; who is there, and whether he has left in order, is told by the ring and by
 * managers alone, as its transient attributes are, and what was done there and seen by its executor: of that something may be
 * taken away, which is asked anew then, but nothing written; whoever takes part, or is expected to (and so has to be fenced first), has his
 * entry in `<nodes>`, under the id and the name by which the ring knows him. Remote nodes exist by their resources.
 * @param before the CIB before the change
 * @param draft the CIB after it, which is corrected
 * @returns what was said of nodes and is not so
 */
export function keepMembers(before: XmlElement, draft: XmlElement): readonly Untrue[] {
  const configuration = sectionOf(draft, "configuration");
  const status = sectionOf(draft, "status");
  const known = childrenOf(child(before, "status"), "node_state");
  const present = childrenOf(status, "node_state");
  const untrue: Untrue[] = [];
  for (const state of known) {
    const kept = present.find((one) => idOf(one) === idOf(state));
    const isDoubtful = doubtful(state, before);
    if (isDoubtful && (kept === undefined || keepPart("lrm", state, kept)))
      untrue.push({ what: `what may still run on node ${nameOf(state)}`, by: "ring" });
    if (kept === undefined && (isDoubtful || (isMember(state) && takesPart(state))))
      status.children.push(cloneElement(state));
  }
  untrue.push(...keepPresence(known, status));
  for (const state of memberStates(draft)) {
    const id = idOf(state);
    const uname = state.attributes.get("uname");
    if (id === undefined || uname === undefined || state.attributes.get("expected") !== "member") continue;
    const nodes = sectionOf(configuration, "nodes");
    const called = nameIn(nodes, id);
    if (called !== undefined && called !== uname && nameIn(nodesOf(before), id) === uname)
      untrue.push({ what: `the name of node ${uname}`, by: "nodelist" });
    ensureNode(nodes, id, uname);
  }
  return untrue;
}

/** What of a `<node_state>` says who it is of and whether that one is there. */
const presence = ["uname", "remote_node", "in_ccm", "crmd", "join", "expected", "node_fenced"] as const;

/** A state that is not known yet says nothing of that, and is none at all of somebody who has one. */
function keepPresence(known: readonly XmlElement[], status: XmlElement): Untrue[] {
  const untrue: Untrue[] = [];
  const states = new Map(known.map((state) => [idOf(state), state] as const));
  const names = new Set(known.map(({ attributes }) => attributes.get("uname")));
  status.children = status.children.filter((item) => {
    const name = item.attributes.get("uname");
    if (item.name !== "node_state" || states.has(idOf(item)) || !names.has(name)) return true;
    untrue.push({ what: `a second state of node ${name}`, by: "ring" });
    return false;
  });
  for (const state of childrenOf(status, "node_state")) {
    const before = states.get(idOf(state));
    const was = before?.attributes;
    const node = nameOf(before ?? state);
    for (const resource of keepHistory(before, state))
      untrue.push({ what: `what was done ${resource}on node ${node}`, by: "executors" });
    if (keepPart("transient_attributes", before, state))
      untrue.push({ what: `transient attributes of node ${node}`, by: "managers" });
    for (const name of presence) {
      const said = state.attributes.get(name);
      const value = was === undefined && name === "uname" ? said : was?.get(name);
      if (said !== undefined && said !== value) untrue.push({ what: `${name} of node ${node}`, by: "ring" });
      if (value === undefined) state.attributes.delete(name);
      else state.attributes.set(name, value);
    }
  }
  return untrue;
}

/**
 * Whether a node has gone, is not known to be off, and may still run something: what is known of it is all that keeps that from
 * being started elsewhere. Without fencing nobody will find out.
 */
function doubtful(state: XmlElement, cib: XmlElement): boolean {
  const { attributes } = state;
  if (takesPart(state) || attributes.get("in_ccm") === "true" || attributes.get("expected") === "down")
    return false;
  if (Number(attributes.get("node_fenced") ?? 0) > 0 || !isFencing(cib)) return false;
  return childrenOf(child(child(state, "lrm"), "lrm_resources"), "lrm_resource").some(mayRun);
}

const isFencing = (cib: XmlElement): boolean =>
  parseBoolean(writtenProperties(child(cib, "configuration") ?? cib).get("fencing-enabled")) !== false;

/** Whether the last that was done with a resource, or seen of it, leaves it possible that it runs. */
function mayRun(resource: XmlElement): boolean {
  const call = ({ attributes }: XmlElement) => Number(attributes.get("call-id") ?? 0);
  const [last] = childrenOf(resource, "lrm_rsc_op")
    .filter(({ attributes }) => Number(attributes.get("interval") ?? 0) === 0)
    .sort((a, b) => call(b) - call(a));
  if (last === undefined) return false;
  const { operation, "rc-code": rc } = Object.fromEntries(last.attributes);
  if (operation === "monitor") return !["5", "7"].includes(rc ?? "");
  return operation !== "stop" || rc !== "0";
}

/**
 * Leaves of a state's history what was there before and still is.
 * @returns the resources of which something else was written (`with web `), where it is one's
 */
function keepHistory(before: XmlElement | undefined, state: XmlElement): ReadonlySet<string> {
  const was = child(before, "lrm");
  const written = new Set<string>();
  let kept = was === undefined;
  state.children = state.children.flatMap((is) => {
    if (is.name !== "lrm") return [is];
    const nothing = element("lrm", Object.fromEntries(is.attributes));
    const left = remaining(was ?? nothing, is, (resource) =>
      written.add(resource ? `with ${resource} ` : ""),
    );
    const isSecond = kept;
    kept = true;
    return isSecond ? [] : [left];
  });
  return written;
}

/**
 * What of an element there was before and still is, as it was before. `written` is told of each that was not so, with the
 * resource that it is of.
 */
function remaining(
  was: XmlElement,
  is: XmlElement,
  written: (resource: string | undefined) => void,
  resource?: string,
): XmlElement {
  if (sameTree(was, is)) return was;
  const key = (item: XmlElement) => `${item.name} ${idOf(item)}`;
  const resourceOf = (item: XmlElement) => (item.name === "lrm_resource" ? idOf(item) : resource);
  if (!sameTree({ ...was, children: [] }, { ...is, children: [] })) written(resource);
  const found = new Map(is.children.map((item) => [key(item), item]));
  const known = new Set(was.children.map(key));
  const seen = new Set<string>();
  for (const item of is.children) {
    if (!known.has(key(item)) || seen.has(key(item))) written(resourceOf(item));
    seen.add(key(item));
  }
  const children = was.children.flatMap((item) => {
    const now = found.get(key(item));
    return now === undefined ? [] : [remaining(item, now, written, resourceOf(item))];
  });
  return { ...was, children };
}

/** Whether a part of a state was another one; it is as before afterwards. */
function keepPart(name: string, before: XmlElement | undefined, state: XmlElement): boolean {
  const part = (of: XmlElement | undefined) => childrenOf(of, name);
  const [was, are] = [part(before), part(state)];
  if (was.length === are.length && was.every((item, index) => sameTree(item, are[index]))) return false;
  const others = state.children.filter((item) => item.name !== name);
  state.children = [...others, ...was.map(cloneElement)];
  return true;
}

const idOf = ({ attributes }: XmlElement) => attributes.get("id");

const nameOf = (state: XmlElement): string => state.attributes.get("uname") ?? idOf(state) ?? "";

const isMember = ({ attributes }: XmlElement): boolean => attributes.get("remote_node") !== "true";

const memberStates = (cib: XmlElement): XmlElement[] =>
  childrenOf(child(cib, "status"), "node_state").filter(isMember);

const takesPart = ({ attributes }: XmlElement) =>
  attributes.get("in_ccm") === "true" && attributes.get("crmd") === "online";

function sectionOf(parent: XmlElement, name: string): XmlElement {
  const present = child(parent, name);
  if (present) return present;
  const fresh = element(name);
  parent.children.push(fresh);
  return fresh;
}

const nodesOf = (cib: XmlElement): XmlElement | undefined => child(child(cib, "configuration"), "nodes");

/** What the entry of an id calls its node. */
const nameIn = (nodes: XmlElement | undefined, id: string): string | undefined =>
  childrenOf(nodes, "node")
    .find((node) => idOf(node) === id)
    ?.attributes.get("uname");

function ensureNode(nodes: XmlElement, id: string, uname: string): void {
  const named = nodes.children.find(({ attributes }) => attributes.get("uname") === uname);
  const present = named ?? nodes.children.find((node) => idOf(node) === id);
  if (present === undefined) nodes.children.push(element("node", { id, uname }));
  else {
    present.attributes.set("id", id);
    present.attributes.set("uname", uname);
  }
}
