import type { CibOperation, Pair, XmlElement } from "../../cib/index.ts";
import type { NodeReply } from "../../daemon/index.ts";
import { nearest } from "../../terms/index.ts";
import type { CibSession } from "../cib-session.ts";
import { noSuch } from "./connection.ts";

/** Where an attribute is kept for good (or, in a file, also for the time of a node's run). */
export type AttributeScope = "crm_config" | "nodes" | "status" | "rsc_defaults" | "op_defaults" | "tickets";

export interface AttributePlace {
  readonly scope: AttributeScope;
  readonly node?: string | undefined;
  /** Id of the block, when it matters. */
  readonly set?: string | undefined;
  /** Id of the pair, when it matters. */
  readonly id?: string | undefined;
  readonly utilization?: boolean;
}

interface Holder {
  /** The `<node>` or section that has the blocks. */
  readonly holder: XmlElement | undefined;
  /** Its opening alone, for a change; absent for the sections themselves. */
  readonly owner: XmlElement | undefined;
  readonly blockName: string;
  readonly defaultSet: string;
}

const section = (cib: XmlElement, ...path: readonly string[]): XmlElement | undefined =>
  path.reduce<XmlElement | undefined>((at, name) => at?.children.find((child) => child.name === name), cib);

const bare = ({ name, attributes }: XmlElement): XmlElement => ({
  name,
  attributes: new Map(attributes),
  children: [],
});

/** Finds who holds a place's attributes. @throws HactlError NO_SUCH_OBJECT for an unknown node */
async function holderOf(session: CibSession, place: AttributePlace): Promise<Holder> {
  const cib = await session.cib();
  const { scope } = place;
  const blockName = place.utilization
    ? "utilization"
    : scope === "crm_config"
      ? "cluster_property_set"
      : scope === "nodes" || scope === "status"
        ? "instance_attributes"
        : "meta_attributes";
  if (scope === "nodes" || scope === "status") {
    const node = await nodeEntry(session, place.node ?? "");
    const id = node.attributes.get("id") ?? "";
    const suffix = place.utilization ? "-utilization" : "";
    if (scope === "nodes")
      return { holder: node, owner: bare(node), blockName, defaultSet: `nodes-${id}${suffix}` };
    const state = section(cib, "status")?.children.find((child) => child.attributes.get("id") === id);
    return {
      holder: state && section(state, "transient_attributes"),
      owner: undefined,
      blockName,
      defaultSet: `status-${id}${suffix}`,
    };
  }
  if (scope === "tickets") return { holder: undefined, owner: undefined, blockName, defaultSet: "" };
  const holder = section(cib, "configuration", scope);
  const { isPlainSet } = await import("../../cib/index.ts");
  const usual = `${scope}-options`;
  // Defaults go where there are some: two sets of them would be hard to tell apart.
  const sets = (holder?.children ?? []).filter((block) => block.name === blockName && isPlainSet(block));
  const defaultSet =
    scope === "crm_config"
      ? "cib-bootstrap-options"
      : ((sets.find((block) => block.attributes.get("id") === usual) ?? sets[0])?.attributes.get("id") ??
        usual);
  return { holder, owner: undefined, blockName, defaultSet };
}

/** The `<node>` of a name: one that is not in the CIB yet is made up if the cluster or a resource knows it. */
async function nodeEntry(session: CibSession, name: string): Promise<XmlElement> {
  const cib = await session.cib();
  const nodes = section(cib, "configuration", "nodes")?.children ?? [];
  const entry = nodes.find(({ attributes }) => attributes.get("uname") === name);
  if (entry) return entry;
  const made = (attributes: [string, string][]): XmlElement => ({
    name: "node",
    attributes: new Map(attributes),
    children: [],
  });
  const { knownNodes } = await import("../../cib/index.ts");
  const members = session.isLive
    ? (await (await session.daemon()).request<NodeReply>({ type: "node" })).members
    : [];
  const member = members.find((candidate) => candidate.name === name);
  if (member)
    return made([
      ["id", String(member.id)],
      ["uname", name],
    ]);
  const state = section(cib, "status")?.children.find(({ attributes }) => attributes.get("uname") === name);
  const known = knownNodes(cib);
  if (known.has(name) && (state === undefined || state.attributes.get("remote_node") === "true")) {
    return made([
      ["id", name],
      ["type", "remote"],
      ["uname", name],
    ]);
  }
  // A node that is gone from the configuration has its state yet, under the id that it had.
  if (state)
    return made([
      ["id", state.attributes.get("id") ?? name],
      ["uname", name],
    ]);
  throw noSuch(`Could not map name=${name} to a UUID`, nearest(name, known));
}

/** Names of the guest nodes that resources define. */
export function guestNames(at: XmlElement | undefined): string[] {
  if (!at) return [];
  const isGuest = at.name === "nvpair" && at.attributes.get("name") === "remote-node";
  return isGuest ? [at.attributes.get("value") ?? ""] : at.children.flatMap(guestNames);
}

/** Names of the remote and guest nodes that resources define. */
export function remoteNames(at: XmlElement | undefined): string[] {
  if (!at) return [];
  const own =
    at.name === "primitive" &&
    at.attributes.get("provider") === "pacemaker" &&
    at.attributes.get("type") === "remote"
      ? [at.attributes.get("id") ?? ""]
      : at.name === "nvpair" && at.attributes.get("name") === "remote-node"
        ? [at.attributes.get("value") ?? ""]
        : [];
  return [...own, ...at.children.flatMap(remoteNames)];
}

/** Pairs of a place whose names match, in document order. */
export async function findPairs(
  session: CibSession,
  place: AttributePlace,
  matches: (name: string) => boolean,
): Promise<Pair[]> {
  const { holder, blockName } = await holderOf(session, place);
  const { pairsIn } = await import("../../cib/index.ts");
  return pairsIn(holder, blockName, { set: place.set, pair: place.id }).filter(({ name }) => matches(name));
}

/**
 * Sets a pair; `next` makes the new value of the old one. Answers with the operations to apply.
 * @throws AmbiguousPair when several have the name, and neither set nor id says which one is meant
 */
export async function setPair(
  session: CibSession,
  place: AttributePlace,
  name: string,
  next: (old: string | undefined) => string,
): Promise<CibOperation[]> {
  const { asId, element, formatXml, isSameMeta, isSameProperty, onlyPair } = await import(
    "../../cib/index.ts"
  );
  const { owner, blockName, defaultSet } = await holderOf(session, place);
  // Another name of the same option is no second one.
  const isSame = (other: string): boolean => {
    if (place.scope === "crm_config") return isSameProperty(other, name);
    return place.scope === "rsc_defaults" ? isSameMeta(other, name) : other === name;
  };
  const old = onlyPair(name, await findPairs(session, place, isSame));
  const setId = old?.setId ?? place.set ?? defaultSet;
  const id = old?.id ?? place.id ?? `${setId}-${asId(name)}`;
  const block = element(blockName, { id: setId }, [element("nvpair", { id, name, value: next(old?.value) })]);
  const xml = owner ? { ...owner, children: [block] } : await enclosed(session, place, block);
  return [{ op: "modify", xml: formatXml(xml, -1), scope: place.scope, create: true }];
}

/** A transient attribute of a file's status lies deeper. */
async function enclosed(session: CibSession, place: AttributePlace, block: XmlElement): Promise<XmlElement> {
  if (place.scope !== "status") return block;
  const { element } = await import("../../cib/index.ts");
  const node = await nodeEntry(session, place.node ?? "");
  const id = node.attributes.get("id") ?? "";
  const transient = element("transient_attributes", { id }, [block]);
  return element("node_state", { id, uname: place.node }, [transient]);
}

/** `NAME++` and `NAME+=N`, also written with the word `value`, count on the value that is there. */
export function countedValue(name: string, value: string, old: string | undefined): string {
  const sum = [name, "value"].flatMap((word) => {
    if (value === `${word}++`) return [1];
    const added = value.startsWith(`${word}+=`) ? Number(value.slice(word.length + 2)) : Number.NaN;
    return Number.isInteger(added) ? [added] : [];
  })[0];
  if (sum === undefined) return value;
  return String((Number.parseInt(old ?? "0", 10) || 0) + sum);
}

/** Names of the nodes that the status knows something of. */
export const nodesWithState = (cib: XmlElement): string[] =>
  (section(cib, "status")?.children ?? []).flatMap(({ attributes }) => attributes.get("uname") ?? []);
