import { child, childrenOf, element, type XmlElement } from "../cib/index.ts";
import { type AgentResource, readAnyResource } from "../executor/index.ts";
import { type EpochSeconds, type NodeName, nodeName, read, resourceId } from "../terms/index.ts";
import type { Undo } from "./undo.ts";

/** Attribute of a resource's history: since when it waits for the node. */
const lockName = "shutdown-lock";

interface ResourceIndex {
  readonly xml: XmlElement;
  readonly ops: Map<string, XmlElement>;
}

interface NodeIndex {
  readonly state: XmlElement;
  readonly resources: Map<string, ResourceIndex>;
}

/**
 * The entries of an index as they stand in the document: all members have them in that order, while that of the index
 * depends on how this member came by them.
 */
const inPlace = ({ xml, ops }: ResourceIndex): XmlElement[] =>
  xml.children.filter((op) => ops.get(op.attributes.get("id") ?? "") === op);

/**
 * The `<status>` section with an index over it, so that a result or an attribute costs the same in a large
 * cluster as in a small one.
 */
export class StatusSection {
  readonly xml: XmlElement;
  readonly #nodes = new Map<string, NodeIndex>();
  /** What `#pairsOf` has found, and in which list. */
  readonly #pairs = new WeakMap<
    XmlElement,
    { readonly list: XmlElement[]; readonly length: number; readonly pairs: Map<string, XmlElement> }
  >();

  /**
   * Takes over the `<status>` element of a `<cib>`; makes one when there is none. Everything that changes is told to
   * `undo` before; after it was taken back, this index does not fit any more.
   */
  constructor(
    cib: XmlElement,
    private readonly undo?: Undo,
  ) {
    let status = child(cib, "status");
    if (!status) {
      status = element("status");
      undo?.touch(cib);
      cib.children.push(status);
    }
    this.xml = status;
    for (const state of childrenOf(status, "node_state")) {
      const id = state.attributes.get("id");
      if (id !== undefined) this.#nodes.set(id, indexNode(state));
    }
  }

  /** Ids of the nodes that have an entry. */
  nodeIds(): string[] {
    return [...this.#nodes.keys()];
  }

  /** Whether a node has an entry. */
  has(id: string): boolean {
    return this.#nodes.has(id);
  }

  /** An attribute of a node's `<node_state>`. */
  nodeState(id: string, name: string): string | undefined {
    return this.#nodes.get(id)?.state.attributes.get(name);
  }

  /** How a node that has a state is called. */
  nameOf(id: string): NodeName {
    return nodeName(this.nodeState(id, "uname") ?? id);
  }

  /** Sets attributes of a node's `<node_state>`, which is made when there is none, and its name, which may be new. */
  setNodeState(id: string, uname: string, attributes: Readonly<Record<string, string>>): void {
    const { state } = this.#node(id, uname);
    state.attributes.set("uname", uname);
    this.undo?.touch(state);
    for (const [name, value] of Object.entries(attributes)) state.attributes.set(name, value);
  }

  /** Takes one attribute of a node's entry away. */
  unsetNodeState(id: string, attribute: string): void {
    const index = this.#nodes.get(id);
    if (!index) return;
    this.undo?.touch(index.state);
    index.state.attributes.delete(attribute);
  }

  /** Removes a node's entry altogether. */
  removeNode(id: string): void {
    const index = this.#nodes.get(id);
    if (!index) return;
    this.#nodes.delete(id);
    this.undo?.touch(this.xml);
    this.xml.children = this.xml.children.filter((candidate) => candidate !== index.state);
  }

  /**
   * Takes one history entry for the one with its id, and puts it before the others: of entries that call number and
   * second do not tell apart, such as a monitor's success and its failure, the one that is written first is the newer.
   * `keepPlaces`: in the place of the old one, and a new one behind the others, as crm_simulate does.
   */
  recordOp(node: string, uname: string, rsc: AgentResource, entry: XmlElement, keepPlaces = false): void {
    const index = this.#node(node, uname);
    let resource = index.resources.get(rsc.id);
    if (!resource) resource = this.#addResource(index, rsc);
    else {
      this.undo?.touch(resource.xml);
      // The definition may have changed since the first entry.
      resource.xml.attributes.set("class", rsc.class);
      resource.xml.attributes.set("type", rsc.type);
      if (rsc.provider === undefined) resource.xml.attributes.delete("provider");
      else resource.xml.attributes.set("provider", rsc.provider);
    }
    const id = entry.attributes.get("id") ?? "";
    const old = resource.ops.get(id);
    const { xml, ops } = resource;
    const others = xml.children.filter((other) => other !== old);
    const place = !keepPlaces ? 0 : old ? xml.children.indexOf(old) : others.length;
    xml.children = others.toSpliced(place, 0, entry);
    ops.set(id, entry);
  }

  #addResource(index: NodeIndex, rsc: AgentResource): ResourceIndex {
    const xml = element("lrm_resource", {
      id: rsc.id,
      class: rsc.class,
      provider: rsc.provider,
      type: rsc.type,
    });
    const resource = { xml, ops: new Map() };
    index.resources.set(rsc.id, resource);
    this.#lrmResources(index.state).children.push(xml);
    return resource;
  }

  /** A history entry by its id. */
  op(node: string, rsc: string, id: string): XmlElement | undefined {
    return this.#nodes.get(node)?.resources.get(rsc)?.ops.get(id);
  }

  /** What a node's history says which agent a resource has, if that can be one. */
  agentOf(node: string, rsc: string): AgentResource | undefined {
    const attributes = this.#nodes.get(node)?.resources.get(rsc)?.xml.attributes;
    const [standard, type] = [attributes?.get("class"), attributes?.get("type")];
    if (standard === undefined || type === undefined) return undefined;
    const provider = attributes?.get("provider");
    const agent = {
      id: resourceId(rsc),
      class: standard as AgentResource["class"],
      type,
      ...(provider === undefined ? {} : { provider }),
    };
    return read.accepts(readAnyResource, agent) ? agent : undefined;
  }

  /** All history entries of a resource on a node, in their order in the document. */
  ops(node: string, rsc: string): XmlElement[] {
    const resource = this.#nodes.get(node)?.resources.get(rsc);
    return resource ? inPlace(resource) : [];
  }

  /** Those history entries of a node that match, with the resources that they are of. */
  entries(
    node: string,
    matches: (op: XmlElement) => boolean,
  ): { readonly rsc: AgentResource; readonly op: XmlElement }[] {
    return [...(this.#nodes.get(node)?.resources ?? [])].flatMap(([id, { xml, ops }]) => {
      const provider = xml.attributes.get("provider");
      const rsc: AgentResource = {
        id: resourceId(id),
        class: (xml.attributes.get("class") ?? "ocf") as AgentResource["class"],
        ...(provider === undefined ? {} : { provider }),
        type: xml.attributes.get("type") ?? "",
      };
      return inPlace({ xml, ops })
        .filter(matches)
        .map((op) => ({ rsc, op }));
    });
  }

  /** Ids of the resources that a node has a history of. */
  resourcesOn(node: string): string[] {
    return [...(this.#nodes.get(node)?.resources.keys() ?? [])];
  }

  /** Whether a node has a history of a resource. */
  knows(node: string, rsc: string): boolean {
    return this.#nodes.get(node)?.resources.has(rsc) ?? false;
  }

  /** Removes those history entries of a resource that match; says whether there were any. */
  removeOps(node: string, rsc: string, matches: (op: XmlElement) => boolean): boolean {
    const resource = this.#nodes.get(node)?.resources.get(rsc);
    if (!resource) return false;
    const before = resource.ops.size;
    for (const [id, op] of resource.ops) if (matches(op)) resource.ops.delete(id);
    if (resource.ops.size === before) return false;
    const kept = new Set(resource.ops.values());
    this.undo?.touch(resource.xml);
    resource.xml.children = resource.xml.children.filter((op) => kept.has(op));
    return true;
  }

  /** Forgets a resource's history on a node; says whether there was one. */
  removeResource(node: string, rsc: string): boolean {
    const index = this.#nodes.get(node);
    const resource = index?.resources.get(rsc);
    if (!index || !resource) return false;
    index.resources.delete(rsc);
    const list = this.#lrmResources(index.state);
    list.children = list.children.filter((candidate) => candidate !== resource.xml);
    return true;
  }

  /** Forgets a node's whole operation history; but for the locks (`lock`) where these are kept. */
  clearHistory(node: string, keepsLocks = false): void {
    const index = this.#nodes.get(node);
    if (!index) return;
    const locked = [...index.resources].filter(([, { xml }]) => keepsLocks && xml.attributes.has(lockName));
    index.resources.clear();
    for (const [rsc, { xml }] of locked)
      index.resources.set(rsc, { xml: { ...xml, children: [] }, ops: new Map() });
    this.#lrmResources(index.state).children = [...index.resources.values()].map(({ xml }) => xml);
  }

  /** A resource waits for a node that was shut down (shutdown-lock). */
  lock(node: string, uname: string, rsc: AgentResource, since: EpochSeconds): void {
    const index = this.#node(node, uname);
    const { xml } = index.resources.get(rsc.id) ?? this.#addResource(index, rsc);
    this.undo?.touch(xml);
    xml.attributes.set(lockName, String(since));
  }

  /** It does no more. */
  unlock(node: string, rsc: string): void {
    const xml = this.#nodes.get(node)?.resources.get(rsc)?.xml;
    if (!xml?.attributes.has(lockName)) return;
    this.undo?.touch(xml);
    xml.attributes.delete(lockName);
  }

  /** The resources that wait for a node, and since when. */
  locksOn(node: string): { readonly rsc: AgentResource; readonly since: EpochSeconds }[] {
    return [...(this.#nodes.get(node)?.resources ?? [])].flatMap(([id, { xml }]) => {
      const since = Number(xml.attributes.get(lockName));
      if (!(since > 0)) return [];
      const rsc = this.agentOf(node, id);
      return rsc ? [{ rsc, since }] : [];
    });
  }

  /** Sets or deletes (`undefined`) a transient attribute; says whether that changed anything. */
  setAttribute(
    node: string,
    uname: string,
    name: string,
    value: string | undefined,
    set: "attributes" | "utilization" = "attributes",
  ): boolean {
    if (value === undefined && !this.#nodes.has(node)) return false;
    const { state } = this.#node(node, uname);
    const block = value === undefined ? transientBlock(state, set) : this.#transientBlock(state, node, set);
    if (!block) return false;
    const pairs = this.#pairsOf(block);
    const old = pairs.get(name);
    if (value === undefined) {
      if (!old) return false;
      this.undo?.touch(block);
      block.children.splice(block.children.indexOf(old), 1);
      this.#pairs.set(block, { list: block.children, length: block.children.length, pairs });
      pairs.delete(name);
      if (block.children.length !== pairs.size) this.#pairs.delete(block);
      return true;
    }
    if (old?.attributes.get("value") === value) return false;
    if (old) {
      this.undo?.touch(old);
      old.attributes.set("value", value);
    } else {
      this.undo?.touch(block);
      const pair = element("nvpair", { id: `${block.attributes.get("id")}-${xmlId(name)}`, name, value });
      block.children.push(pair);
      pairs.set(name, pair);
      this.#pairs.set(block, { list: block.children, length: block.children.length, pairs });
    }
    return true;
  }

  /** A transient attribute's value as the CIB has it. */
  attribute(node: string, name: string): string | undefined {
    const state = this.#nodes.get(node)?.state;
    const block = state && transientBlock(state, "attributes");
    return block && this.#pairsOf(block).get(name)?.attributes.get("value");
  }

  /** The pairs of a block by name, the first of each. Made anew when somebody else has changed the block. */
  #pairsOf(block: XmlElement): Map<string, XmlElement> {
    const known = this.#pairs.get(block);
    if (known && known.list === block.children && known.length === block.children.length) return known.pairs;
    const pairs = new Map<string, XmlElement>();
    for (const pair of block.children) {
      const name = pair.attributes.get("name");
      if (name !== undefined && !pairs.has(name)) pairs.set(name, pair);
    }
    this.#pairs.set(block, { list: block.children, length: block.children.length, pairs });
    return pairs;
  }

  /** Forgets a node's transient attributes. */
  clearAttributes(node: string): void {
    const state = this.#nodes.get(node)?.state;
    if (!state) return;
    this.undo?.touch(state);
    state.children = state.children.filter(({ name }) => name !== "transient_attributes");
  }

  #node(id: string, uname: string): NodeIndex {
    let index = this.#nodes.get(id);
    if (!index) {
      const state = element("node_state", { id, uname });
      this.undo?.touch(this.xml);
      this.xml.children.push(state);
      index = { state, resources: new Map() };
      this.#nodes.set(id, index);
    }
    return index;
  }

  /** The list of a node's resources, about to be changed. */
  #lrmResources(state: XmlElement): XmlElement {
    const lrm = this.#childOf(state, element("lrm", { id: state.attributes.get("id") }));
    const list = this.#childOf(lrm, element("lrm_resources"));
    this.undo?.touch(list);
    return list;
  }

  #transientBlock(state: XmlElement, node: string, set: "attributes" | "utilization"): XmlElement {
    const transient = this.#childOf(state, element("transient_attributes", { id: node }));
    const id = set === "attributes" ? `status-${node}` : `status-${node}-utilization`;
    return this.#childOf(transient, element(blockName(set), { id }));
  }

  /** The child of that name, or this one. */
  #childOf(parent: XmlElement, fresh: XmlElement): XmlElement {
    const present = child(parent, fresh.name);
    if (present) return present;
    this.undo?.touch(parent);
    parent.children.push(fresh);
    return fresh;
  }
}

/** A text as it may stand in an XML id (NCName): other characters become dots. */
function xmlId(text: string): string {
  return text.replace(/[^A-Za-z0-9._-]/g, ".");
}

function indexNode(state: XmlElement): NodeIndex {
  const resources: NodeIndex["resources"] = new Map();
  for (const xml of child(child(state, "lrm"), "lrm_resources")?.children ?? []) {
    const ops = new Map(xml.children.map((op) => [op.attributes.get("id") ?? "", op]));
    resources.set(xml.attributes.get("id") ?? "", { xml, ops });
  }
  return { state, resources };
}

function transientBlock(state: XmlElement, set: "attributes" | "utilization"): XmlElement | undefined {
  return child(child(state, "transient_attributes"), blockName(set));
}

const blockName = (set: "attributes" | "utilization") =>
  set === "attributes" ? "instance_attributes" : "utilization";
