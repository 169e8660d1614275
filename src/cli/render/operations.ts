import { child, childrenOf, parseInteger, type XmlElement } from "../../cib/index.ts";
import { type Cluster, type Node, oldestFirst, type Resource } from "../../scheduler/index.ts";
import { withoutInstance } from "../../terms/index.ts";
import { operationOf, printableId } from "./cluster-view.ts";

/** One entry of a node's operation history. */
export interface OperationEntry {
  readonly xml: XmlElement;
  readonly call: number;
  readonly rsc: string;
  readonly task: string;
  readonly intervalMs: number;
  readonly rc: number;
  readonly status: number;
  readonly exitReason: string;
  /** Seconds since the epoch; 0 when not recorded. */
  readonly changed: number;
  readonly execMs: number;
  readonly queueMs: number;
}

const number = (xml: XmlElement, name: string): number | undefined => parseInteger(xml.attributes.get(name));

/** Takes a `lrm_rsc_op` apart. */
export function readOperation(xml: XmlElement): OperationEntry {
  const key = operationOf(xml);
  const magic = /^(-?\d+):(-?\d+);/.exec(xml.attributes.get("transition-magic") ?? "");
  return {
    xml,
    call: number(xml, "call-id") ?? 0,
    rsc: key?.rsc ?? "",
    task: xml.attributes.get("operation") ?? key?.task ?? "",
    intervalMs: number(xml, "interval") ?? key?.intervalMs ?? 0,
    rc: number(xml, "rc-code") ?? Number(magic?.[2] ?? 0),
    status: number(xml, "op-status") ?? Number(magic?.[1] ?? 0),
    exitReason: xml.attributes.get("exit-reason") ?? "",
    changed: number(xml, "last-rc-change") ?? 0,
    execMs: number(xml, "exec-time") ?? 0,
    queueMs: number(xml, "queue-time") ?? 0,
  };
}

/** History of one resource on one node. */
export interface ResourceHistory {
  readonly id: string;
  readonly rsc: Resource | undefined;
  readonly operations: readonly OperationEntry[];
}

/** What the members' histories say, in the order of the status section. Nodes that are off have no say. */
export function histories(cluster: Cluster): { node: Node; resources: ResourceHistory[] }[] {
  return childrenOf(child(cluster.cib, "status"), "node_state").flatMap((state) => {
    const node =
      cluster.nodeById.get(state.attributes.get("id") ?? "") ??
      cluster.nodeByName.get(state.attributes.get("uname") ?? "");
    if (!node?.online) return [];
    const list = childrenOf(child(child(state, "lrm"), "lrm_resources"), "lrm_resource");
    return [{ node, resources: list.map((xml) => readHistory(cluster, node, xml)) }];
  });
}

function readHistory(cluster: Cluster, node: Node, xml: XmlElement): ResourceHistory {
  const id = xml.attributes.get("id") ?? "";
  const operations = oldestFirst(childrenOf(xml, "lrm_rsc_op")).map(readOperation);
  return { id, rsc: findByHistory(cluster, node, id), operations };
}

/** The resource that a history name means: of several instances of a clone, the one on that node. */
export function findByHistory(cluster: Cluster, node: Node, id: string): Resource | undefined {
  const direct = cluster.resourceById.get(id);
  if (direct) return direct;
  const plain = withoutInstance(id);
  let first: Resource | undefined;
  for (const rsc of cluster.resourceById.values()) {
    if (!rsc.isPrimitive || (printableId(rsc) !== id && rsc.configId !== plain)) continue;
    if (rsc.runningOn.includes(node)) return rsc;
    first ??= rsc;
  }
  return first;
}

/** Failures of a resource on a node, as the fail-count attributes count them. */
export interface FailCount {
  /** `Number.POSITIVE_INFINITY` for INFINITY. */
  readonly count: number;
  /** Last failure, seconds since the epoch; 0 when not recorded. */
  readonly last: number;
}

/** Sum over the operations of a resource (`fail-count-RSC#OP_INTERVALMS`, or the older `fail-count-RSC`). */
export function failCount(node: Node, rsc: string): FailCount {
  const plain = withoutInstance(rsc);
  let count = 0;
  let last = 0;
  for (const [name, value] of node.attributes) {
    const match = /^(fail-count|last-failure)-(.+?)(?:#.*)?$/.exec(name);
    if (!match || (match[2] !== rsc && withoutInstance(match[2] ?? "") !== plain)) continue;
    if (match[1] === "last-failure") last = Math.max(last, Number(value) || 0);
    else count += /^\+?INFINITY$/i.test(value) ? Number.POSITIVE_INFINITY : (parseInteger(value) ?? 0);
  }
  return { count, last };
}

/** `INFINITY` or the number. */
export const formatCount = (count: number): string => (count >= 1_000_000 ? "INFINITY" : String(count));
