import { child, childrenOf, parseScore, plainValues, unpackNvpairs } from "../../cib/index.ts";
import type { Cluster, FailedOp, Node } from "../../scheduler/index.ts";
import { isMaskedProbe } from "./cluster-view.ts";
import type { OperationEntry } from "./operations.ts";

/** Node attributes that are the cluster's own book-keeping: displays leave them out. */
const hiddenAttributes = /^(?:fail-count-|last-failure-|shutdown|terminate|standby|#)/;

/** An attribute of a node; `expected` where it tells how many hosts are reached, times the resource's multiplier. */
export interface ShownAttribute {
  readonly name: string;
  readonly value: string;
  readonly expected?: number;
}

/** Attributes of a node that displays show, sorted by name. */
export function shownAttributes(cluster: Cluster, node: Node): ShownAttribute[] {
  const expected = expectedConnectivity(cluster, node);
  return [...node.attributes]
    .filter(([name]) => !hiddenAttributes.test(name))
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([name, value]) => {
      const wanted = expected.get(name.toLowerCase());
      return wanted === undefined ? { name, value } : { name, value, expected: wanted };
    });
}

/** What the ping resources on a node write into which attribute when all is well. The first of several counts. */
function expectedConnectivity(cluster: Cluster, node: Node): Map<string, number> {
  const expected = new Map<string, number>();
  for (const rsc of node.running) {
    if (!/^pingd?$/i.test(rsc.type)) continue;
    const params = plainValues(unpackNvpairs([rsc.xml], "instance_attributes", { now: cluster.now }));
    const hosts = params.get("host_list")?.split(" ").length ?? 0;
    const multiplier = Number(params.get("multiplier") ?? 1);
    const name = (params.get("name") ?? "pingd").toLowerCase();
    if (!expected.has(name)) expected.set(name, hosts * (Number.isNaN(multiplier) ? 1 : multiplier));
  }
  return expected;
}

/** `Connectivity is lost` and the like; empty when all is well. */
export function connectivityRemark(value: string, expected: number | undefined): string {
  if (expected === undefined) return "";
  const reached = Number.parseInt(value, 10) || 0;
  if (reached <= 0) return "Connectivity is lost";
  return reached < expected ? `Connectivity is degraded (Expected=${expected})` : "";
}

/** Operations that "Operations" shows: no notifications, no probes that found nothing, nothing pending. */
export const shownOperations = (operations: readonly OperationEntry[]): OperationEntry[] =>
  operations.filter(({ task, intervalMs, rc, status }) => {
    if (task === "notify" || status === -1) return false;
    return !(task === "monitor" && intervalMs === 0 && rc === 7);
  });

/** Failed operations that count: not probes that only found out that the software is not there. */
export function shownFailures(cluster: Cluster, only?: ReadonlySet<string>): FailedOp[] {
  return cluster.failedOps.filter(({ node, xml }) => !isMaskedProbe(xml) && (!only || only.has(node.name)));
}

/** Location constraints that keep a resource off a node; `prefix` limits them to ids that begin so. */
export interface Ban {
  readonly id: string;
  readonly rsc: string;
  readonly node: string;
  readonly score: number;
  readonly promotedOnly: boolean;
}

/** Negative location constraints between one resource and one node. */
export function bansOf(cluster: Cluster, prefix = ""): Ban[] {
  const constraints = childrenOf(child(child(cluster.cib, "configuration"), "constraints"), "rsc_location");
  return constraints.flatMap(({ attributes }) => {
    const id = attributes.get("id") ?? "";
    const node = attributes.get("node");
    const score = parseScore(attributes.get("score")) ?? 0;
    if (node === undefined || score >= 0 || !id.startsWith(prefix)) return [];
    const rsc = attributes.get("rsc") ?? attributes.get("rsc-pattern") ?? "";
    const role = attributes.get("role")?.toLowerCase();
    return [{ id, rsc, node, score, promotedOnly: role === "promoted" || role === "master" }];
  });
}
