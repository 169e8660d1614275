import { childrenOf, parseIntervalMs, parseScore, type XmlElement } from "../cib/index.ts";
import type { EpochSeconds } from "../terms/index.ts";
import { addScores, withoutInstance } from "../terms/index.ts";
import type { Cluster, FailRecord, Node, Resource } from "./model.ts";
import { operationsOf, opKey } from "./operations.ts";
import type { Unpacker } from "./unpacker.ts";

const pattern = /^(fail-count|last-failure)-(.+?)(?::(\d+))?(?:#([^#]+_\d+))?$/;

/** The node's failure records by resource name without instance number. */
function records(node: Node): Map<string, FailRecord[]> {
  if (node.failIndex) return node.failIndex;
  const index = new Map<string, FailRecord[]>();
  for (const [name, value] of node.attributes) {
    const match = pattern.exec(name);
    if (!match) continue;
    const [, kind, rsc = "", instance, op] = match;
    const record: FailRecord = { kind: kind === "fail-count" ? "count" : "time", instance, op, value };
    const list = index.get(rsc);
    if (list) list.push(record);
    else index.set(rsc, [record]);
  }
  node.failIndex = index;
  return index;
}

export interface FailCount {
  readonly count: number;
  readonly lastFailure: EpochSeconds;
}

const none: FailCount = { count: 0, lastFailure: 0 };

/**
 * Failures of a resource on a node, summed over operations. Anonymous instances count what is recorded for any
 * number. `effective`: an expired count is none. `fillers`: what a container carries counts for it.
 */
export function failCount(
  unpacker: Unpacker,
  node: Node,
  rsc: Resource,
  mode: { readonly effective?: boolean; readonly fillers?: boolean } = {},
  failedOp?: XmlElement,
): FailCount {
  const { cluster } = unpacker;
  let { count, lastFailure } = ownCount(node, rsc);
  if (count > 0 && rsc.failureTimeoutMs > 0 && failureBlocks(unpacker, node, rsc, failedOp)) {
    // A failure that blocks the resource must be looked at by somebody; it does not expire.
    cluster.warn(`Ignoring failure timeout for ${rsc.id} because it conflicts with on-fail=block`, rsc.id);
    rsc.failureTimeoutMs = 0;
  }
  if (mode.effective && count > 0 && lastFailure > 0 && rsc.failureTimeoutMs > 0)
    if (cluster.now > lastFailure + rsc.failureTimeoutMs / 1000) count = 0;
  const bundled = rsc.replica !== undefined;
  if (mode.fillers && rsc.fillers.length > 0 && !bundled) {
    for (const filler of rsc.fillers) {
      const inside = failCount(unpacker, node, filler, { effective: mode.effective ?? false });
      count = addScores(count, inside.count);
      lastFailure = Math.max(lastFailure, inside.lastFailure);
    }
  }
  return { count, lastFailure };
}

function ownCount(node: Node, rsc: Resource): FailCount {
  const index = records(node);
  if (index.size === 0) return none;
  const name = rsc.historyId || rsc.configId || rsc.id;
  const base = withoutInstance(name);
  const own = index.get(base);
  if (!own) return none;
  const wanted = rsc.unique
    ? (rsc.instance ?? (/:(\d+)$/.exec(rsc.id)?.[1] as string | undefined))
    : undefined;
  let count = 0;
  let lastFailure = 0;
  for (const record of own) {
    if (rsc.unique && record.instance !== (wanted === undefined ? undefined : String(wanted))) continue;
    if (record.kind === "count") count = addScores(count, parseScore(record.value) ?? 0);
    else lastFailure = Math.max(lastFailure, Number.parseInt(record.value, 10) || 0);
  }
  return { count, lastFailure };
}

/** Whether the failure that is recorded is one of an operation with on-fail=block. */
function failureBlocks(
  unpacker: Unpacker,
  node: Node,
  rsc: Resource,
  failedOp: XmlElement | undefined,
): boolean {
  const blocking = operationsOf(unpacker, rsc).filter(
    (op) => op.xml.attributes.get("on-fail")?.toLowerCase() === "block",
  );
  if (blocking.length === 0) return false;
  const candidates = failedOp ? [failedOp] : historyOf(node, rsc);
  const name = rsc.historyId || rsc.configId;
  return candidates.some((xml) =>
    blocking.some((op) => {
      if (xml.attributes.get("operation") !== op.name) return false;
      const interval = xml.attributes.get("interval") ?? "0";
      if (historyInterval(interval) !== op.intervalMs) return false;
      const id = xml.attributes.get("id") ?? "";
      if ([rsc.id, name].some((base) => id === `${base}_last_failure_0`)) return true;
      if (![rsc.id, name].some((base) => id === opKey(base, op.name, op.intervalMs))) return false;
      return expectedResult(xml) !== Number(xml.attributes.get("rc-code"));
    }),
  );
}

/** Interval of a history entry: milliseconds. */
export const historyInterval = (text: string | undefined): number => {
  if (text === undefined) return 0;
  if (/^\d+$/.test(text)) return Number(text);
  return parseIntervalMs(text) ?? 0;
};

/** Exit code that a history entry should have had: third part of its transition key. */
export function expectedResult(xml: XmlElement): number | undefined {
  const key = xml.attributes.get("transition-key") ?? xml.attributes.get("transition-magic")?.split(";")[1];
  const part = key?.split(":")[2];
  if (part === undefined) return undefined;
  const value = Number.parseInt(part, 10);
  return Number.isNaN(value) ? undefined : value;
}

const histories = new WeakMap<Node, Map<string, XmlElement>>();

/** Remembers the `lrm_resource` elements of a node. */
export function rememberHistory(node: Node, resources: ReadonlyMap<string, XmlElement>): void {
  const known = histories.get(node) ?? new Map<string, XmlElement>();
  for (const [id, xml] of resources) known.set(id, xml);
  histories.set(node, known);
}

/** All that the history of a node has: `lrm_resource` elements by id. */
export const historyEntries = (node: Node): ReadonlyMap<string, XmlElement> =>
  histories.get(node) ?? new Map();

/** The operations that the history of a node has for a resource. */
export function historyOf(node: Node, rsc: Resource | string): readonly XmlElement[] {
  const known = histories.get(node);
  if (!known) return [];
  const ids = typeof rsc === "string" ? [rsc] : [rsc.historyId, rsc.id, rsc.configId];
  for (const id of ids) {
    const entry = id === "" ? undefined : known.get(id);
    if (entry) return childrenOf(entry, "lrm_rsc_op");
  }
  return [];
}

/** Whether the history of a node has anything of a resource, except results that were never learnt. */
export function unknownOnNode(node: Node | undefined, rscId: string): boolean {
  if (!node) return true;
  return historyOf(node, rscId).every((op) => op.attributes.get("rc-code") === "193");
}

/** Threshold state of a resource on a node, for display and for bans. */
export function thresholdReached(unpacker: Unpacker, cluster: Cluster, rsc: Resource, node: Node): boolean {
  void cluster;
  // Who does not care about failures does not care about their number either.
  if (rsc.migrationThreshold === 0 || rsc.failureIgnored) return false;
  const { count } = failCount(unpacker, node, rsc, { effective: true, fillers: true });
  return count > 0 && count >= rsc.migrationThreshold;
}
