import { parseInteger, type XmlElement } from "../cib/index.ts";
import { currentDigests } from "./digests.ts";
import { historyInterval } from "./failcount.ts";
import { compareOperations } from "./history-order.ts";
import type { Cluster, DigestResult, Node, Resource } from "./model.ts";
import { unpackerOf } from "./unpacker.ts";

/** Digests of an operation, and which one it is. */
export interface ShownDigests {
  readonly task: string;
  readonly intervalMs: number;
  readonly digests: DigestResult;
}

/**
 * Digests of the parameters that a resource would have on a node now (crm_resource(8), `--digests`): of the operation in
 * the node's history that tells most, else of its start. `overrides` counts before what is configured;
 * `CRM_meta_interval` in it is the interval.
 */
export function shownDigests(
  cluster: Cluster,
  rsc: Resource,
  node: Node,
  overrides: ReadonlyMap<string, string> = new Map(),
): ShownDigests {
  const entry = historyOf(cluster, rsc, node).reduce<XmlElement | undefined>(
    (best, candidate) => (best === undefined || tellsMore(candidate, best) ? candidate : best),
    undefined,
  );
  const task = entry?.attributes.get("operation") ?? "start";
  const interval = parseInteger(overrides.get("CRM_meta_interval"));
  const intervalMs = interval ?? (entry ? historyInterval(entry.attributes.get("interval")) : 0);
  const digests = currentDigests(unpackerOf(cluster), rsc, task, intervalMs, node, entry, overrides);
  return { task, intervalMs, digests };
}

function historyOf({ cib }: Cluster, rsc: Resource, node: Node): XmlElement[] {
  const inside = (items: readonly XmlElement[], name: string) =>
    items.flatMap(({ children }) => children.filter((item) => item.name === name));
  const states = inside(inside([cib], "status"), "node_state");
  const own = states.filter(({ attributes }) => attributes.get("uname") === node.name);
  return inside(inside(own, "lrm"), "lrm_resources")
    .flatMap(({ children }) => children)
    .filter(({ attributes }) => attributes.get("id") === rsc.historyId || attributes.get("id") === rsc.id)
    .flatMap(({ children }) => children);
}

const effective = new Set(["monitor", "start", "promote", "migrate_from"]);

/** Whether an entry of a history says more about the parameters that are in use than another one. */
function tellsMore(entry: XmlElement, best: XmlElement): boolean {
  const isRecurring = ({ attributes }: XmlElement) => historyInterval(attributes.get("interval")) !== 0;
  const isEffective = (one: XmlElement) =>
    !isRecurring(one) && effective.has(one.attributes.get("operation") ?? "");
  const isFailure = ({ attributes }: XmlElement) =>
    attributes.get("id")?.endsWith("_last_failure_0") ?? false;
  const hasDigest = ({ attributes }: XmlElement) => attributes.has("op-restart-digest");
  if (isEffective(best)) {
    if (!isEffective(entry)) return false;
  } else if (isRecurring(best) && !isEffective(entry) && !isRecurring(entry)) return false;
  if (!isFailure(best) && isFailure(entry)) return false;
  if (hasDigest(best) && !hasDigest(entry)) return false;
  return compareOperations(best, entry, true) <= 0;
}
