import type { AttributeUpdate } from "../attributes/index.ts";
import { child, childrenOf, formatXml, type XmlElement } from "../cib/index.ts";
import { CrmExit, HactlError, type NodeName, nodeName } from "../terms/index.ts";
import type { Caller } from "./caller.ts";

/** Transient attributes that a remote host may have by its own doing. */
const MOST_ATTRIBUTES = 1000;
/** Characters of their names and values together. */
const MOST_CHARACTERS = 256 * 1024;
/** Characters of its own part of the configuration. */
const MOST_NODE_CHARACTERS = 64 * 1024;

/** What is known of the attributes of all nodes. */
export interface KnownAttributes {
  attributeNames(): readonly string[];
  attributeValues(name: string): ReadonlyMap<NodeName, string>;
}

/**
 * Refuses what would have a remote host take more room in the memory of the cluster than its attributes can need. Nothing
 * is refused to anybody else.
 * @throws HactlError TOO_MUCH
 */
export function checkOwnAttributes(
  caller: Caller,
  updates: readonly AttributeUpdate[],
  known: KnownAttributes,
): void {
  const host = hostOf(caller);
  if (host === undefined) return;
  const own = new Map<string, number>();
  for (const name of known.attributeNames()) {
    const value = known.attributeValues(name).get(host);
    if (value !== undefined) own.set(name, name.length + value.length);
  }
  const before = own.size;
  for (const { node, name, value } of updates)
    if (node === host && value !== undefined) own.set(name, name.length + value.length);
  const characters = [...own.values()].reduce((sum, one) => sum + one, 0);
  if (own.size > before && own.size > MOST_ATTRIBUTES) throw tooMuch(`${MOST_ATTRIBUTES} attributes`, host);
  if (characters > MOST_CHARACTERS) throw tooMuch(`${MOST_CHARACTERS} characters in attributes`, host);
}

/**
 * The same for its part of the configuration, which is on the disks of all. What makes it smaller is not refused.
 * @throws HactlError TOO_MUCH
 */
export function checkOwnPart(caller: Caller, before: XmlElement, after: XmlElement): void {
  const host = hostOf(caller);
  if (host === undefined) return;
  const characters = ownPart(after, host);
  if (characters > MOST_NODE_CHARACTERS && characters > ownPart(before, host))
    throw tooMuch(`${MOST_NODE_CHARACTERS} characters in its part of the configuration`, host);
}

const hostOf = ({ askers }: Caller) => {
  const host = askers.find((asker) => asker.host === true);
  return host && nodeName(host.user);
};

function ownPart(cib: XmlElement, host: NodeName): number {
  const nodes = child(child(cib, "configuration"), "nodes");
  return childrenOf(nodes, "node")
    .filter(({ attributes }) => attributes.get("uname") === host || attributes.get("id") === host)
    .reduce((sum, node) => sum + formatXml(node).length, 0);
}

const tooMuch = (most: string, host: NodeName) =>
  new HactlError({
    code: "TOO_MUCH",
    what: `a remote node may have ${most}, and ${host} wants more`,
    cure: "What belongs to a service is kept by that service; remove attributes that are of no use",
    exit: CrmExit.UNSAFE,
  });
