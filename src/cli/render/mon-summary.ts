import { parseBoolean } from "../../cib/index.ts";
import type { Cluster, Node } from "../../scheduler/index.ts";
import { lookup } from "../../terms/index.ts";
import { instanceCounts, isExpectedUp } from "./cluster-view.ts";
import { formatCtime } from "./dates.ts";
import type { StatusInput } from "./input.ts";

/** Facts of a report's head. */
export interface MonSummary {
  readonly stack: string;
  /** State of the local daemon; absent when a file is shown. */
  readonly state: "running" | undefined;
  readonly dc: Node | undefined;
  readonly dcName: string | undefined;
  readonly version: string | undefined;
  /** Members of different feature sets. */
  readonly mixed: boolean;
  readonly quorate: boolean;
  readonly lastUpdated: string;
  readonly lastChanged: string | undefined;
  readonly lastChangeUser: string | undefined;
  readonly lastChangeClient: string | undefined;
  readonly lastChangeOrigin: string | undefined;
  readonly nodes: number;
  readonly instances: ReturnType<typeof instanceCounts>;
}

const property = (cluster: Cluster, name: string): string | undefined => {
  const value = cluster.properties.get(name);
  return value === "" ? undefined : value;
};

/** Gathers the head of a report from the CIB and, for a running cluster, from the ring. */
export function monSummary(input: StatusInput, cluster: Cluster): MonSummary {
  const { attributes } = input.cib;
  const dcId = attributes.get("dc-uuid");
  const leader = input.membership?.leader;
  const dc =
    (leader === undefined ? undefined : cluster.nodeByName.get(leader)) ??
    (input.membership || dcId === undefined ? undefined : cluster.nodeById.get(dcId));
  const written = attributes.get("cib-last-written");
  return {
    stack: property(cluster, "cluster-infrastructure") ?? (input.membership ? "corosync" : "unknown"),
    state: input.membership ? "running" : undefined,
    dc,
    dcName: dc?.name ?? leader,
    version: property(cluster, "dc-version") ?? (input.membership ? input.version : undefined),
    mixed: new Set(cluster.nodes.flatMap((node) => featureSetOf(node) ?? [])).size > 1,
    quorate: input.membership?.quorate ?? parseBoolean(attributes.get("have-quorum")) ?? false,
    lastUpdated: formatCtime(input.now),
    lastChanged: written === undefined ? undefined : asCtime(written),
    lastChangeUser: attributes.get("update-user"),
    lastChangeClient: attributes.get("update-client"),
    lastChangeOrigin: attributes.get("update-origin"),
    nodes: cluster.nodes.length,
    instances: instanceCounts(cluster),
  };
}

/**
 * The feature set of a member that is up, as it tells it itself; those of before 3.15.1 do not. Remote and guest nodes
 * have none.
 */
export function featureSetOf(node: Node): string | undefined {
  if (!node.online || !isExpectedUp(node) || node.isRemoteOrGuest) return undefined;
  return node.featureSet ?? "<3.15.1";
}

/** Other spellings of a date (RFC 1123, ISO 8601) in the one that scripts expect. */
function asCtime(text: string): string {
  if (!/GMT$|^\d{4}-/.test(text)) return text;
  const time = Date.parse(text);
  return Number.isNaN(time) ? text : formatCtime(time / 1000);
}

/** `Sat Nov 21 10:00:00 2026 by root via cibadmin on node1` */
export function lastChangeText(summary: MonSummary): string {
  const { lastChangeUser: user, lastChangeClient: client, lastChangeOrigin: origin } = summary;
  return [
    summary.lastChanged ?? "",
    ...(user ? [`by ${user}`] : []),
    ...(client ? [`via ${client}`] : []),
    ...(origin ? [`on ${origin}`] : []),
  ].join(" ");
}

const policies: Readonly<Record<string, string>> = lookup({
  freeze: "Freeze resources",
  stop: "Stop ALL resources",
  demote: "Demote promotable resources and stop all other resources",
  ignore: "Ignore",
  fence: "Fence nodes in partition",
});

/** The cluster options that reports mention, as sentences. */
export function optionLines(cluster: Cluster): string[] {
  const { options } = cluster;
  return [
    `Fencing of failed nodes ${options.fencingEnabled ? "enabled" : "disabled"}`,
    `Cluster is ${options.symmetric ? "symmetric" : "asymmetric"}`,
    `No quorum policy: ${policies[options.noQuorumPolicy] ?? options.noQuorumPolicy}`,
  ];
}

/** `7 resource instances configured (1 DISABLED, 2 BLOCKED from further action due to failure)` */
export function instanceText({ instances }: MonSummary): string {
  const { total, disabled, blocked } = instances;
  const remarks = [
    ...(disabled > 0 ? [`${disabled} DISABLED`] : []),
    ...(blocked > 0 ? [`${blocked} BLOCKED from further action due to failure`] : []),
  ];
  const count = `${total} resource instance${total === 1 ? "" : "s"} configured`;
  return remarks.length > 0 ? `${count} (${remarks.join(", ")})` : count;
}
