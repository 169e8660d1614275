import type { XmlElement } from "../cib/index.ts";
import { INFINITY } from "../terms/index.ts";
import { unpackConstraints } from "./constraints.ts";
import type { SchedulerInput } from "./face.ts";
import type { Node, Resource } from "./model.ts";
import { applyExclusiveDiscovery, applyLocations } from "./node-criteria.ts";
import { unpackCluster } from "./unpack.ts";
import { unpackerOf } from "./unpacker.ts";
import "./variants.ts";

/**
 * The nodes that the configuration lets each primitive run on, by its id: what location constraints, rules and
 * `symmetric-cluster` leave, whether the nodes are there or not, and whatever has failed on them. Fence devices and
 * connections run on cluster nodes only.
 * @throws HactlError for a configuration that cannot be read
 */
export function possibleNodes({
  cib,
  now,
  utcOffset,
}: SchedulerInput): ReadonlyMap<string, readonly string[]> {
  const cluster = unpackCluster(withoutHistory(cib), now, undefined, utcOffset);
  unpackConstraints(unpackerOf(cluster));
  applyLocations(cluster);
  for (const node of cluster.nodes)
    for (const rsc of cluster.resources) applyExclusiveDiscovery(cluster, rsc, node);
  const nodes = new Map<string, readonly string[]>();
  const visit = (rsc: Resource, excluded: ReadonlySet<Node>) => {
    const places = [...rsc.allowed.values()];
    const without = new Set([
      ...excluded,
      ...places.filter(({ score }) => score <= -INFINITY).map(({ node }) => node),
    ]);
    for (const part of rsc.children) visit(part, without);
    if (!rsc.isPrimitive) return;
    const local = rsc.isRemoteConnection || rsc.isFenceDevice;
    const possible = places.map(({ node }) => node).filter((node) => !without.has(node));
    nodes.set(
      rsc.configId,
      possible.filter(({ remoteRsc }) => !(local && remoteRsc)).map(({ name }) => name),
    );
  };
  for (const rsc of cluster.resources) visit(rsc, new Set());
  return nodes;
}

/** What has failed keeps a resource away until somebody has mended it. */
function withoutHistory(cib: XmlElement): XmlElement {
  const bare = (state: XmlElement) => ({
    ...state,
    children: state.children.filter(({ name }) => name !== "lrm"),
  });
  return {
    ...cib,
    children: cib.children.map((item) =>
      item.name === "status" ? { ...item, children: item.children.map(bare) } : item,
    ),
  };
}
