import type { AlertEvent } from "../alerts/index.ts";
import { type AttributeEffect, AttributeTable, type AttributeUpdate } from "../attributes/index.ts";
import { child, childrenOf, element, formatXml, parseXml, type XmlElement } from "../cib/index.ts";
import type { Operation, OperationResult } from "../executor/index.ts";
import type { MaintenanceChange } from "../scheduler/index.ts";
import { type EpochSeconds, type NodeId, type NodeName, nodeName } from "../terms/index.ts";
import type { ConfiguredNode, Remembered } from "./face.ts";
import {
  endsRecurring,
  FEATURE_SET,
  historyEntry,
  historyIds,
  isFailure,
  isRecorded,
  operationKey,
  pendingResult,
} from "./history.ts";
import type { CibVersion } from "./join.ts";
import type { Dispatch, ExecutorHistory, Snapshot } from "./messages.ts";
import { nodesEntries, placeNode } from "./nodes-section.ts";
import { StatusSection } from "./status.ts";

/**
 * The state that every member has alike: CIB with status, transient attributes. It changes only
 * by messages in their order, so the same messages give the same state everywhere.
 */
export class ClusterState {
  cib: XmlElement;
  status: StatusSection;
  readonly attributes = new AttributeTable();
  #nodes: readonly ConfiguredNode[];
  /** How the participants call themselves, which the node list of another node's file may not know yet. */
  readonly #names = new Map<NodeId, NodeName>();
  /** In which boot each node was when its transient attributes were set; none for a node that was lost since. */
  readonly #boots = new Map<NodeName, string>();
  /** Attributes that were written into the status since somebody asked. */
  #written: Extract<AlertEvent, { kind: "attribute" }>[] = [];
  /** Highest call id given out or seen, per executor. */
  readonly #callIds = new Map<NodeName, number>();

  constructor(cib: XmlElement, nodes: readonly ConfiguredNode[], remembered?: Remembered) {
    this.cib = cib;
    this.#nodes = nodes;
    this.status = new StatusSection(cib);
    if (!remembered) return;
    for (const [node, boot] of remembered.boots) this.#boots.set(node, boot);
    this.attributes.restore(remembered.attributes);
    for (const { name, set, written } of remembered.attributes)
      for (const [node, value] of written) this.status.setAttribute(this.idOf(node), node, name, value, set);
  }

  /** Attributes and boots, for a manager that is started anew when no other one knows them. */
  remembered(): Omit<Remembered, "results"> {
    return { attributes: this.attributes.snapshot(), boots: [...this.#boots] };
  }

  get configuration(): XmlElement | undefined {
    return child(this.cib, "configuration");
  }

  setNodes(nodes: readonly ConfiguredNode[]): void {
    this.#nodes = nodes;
  }

  version(): CibVersion {
    const part = (name: string) => Number.parseInt(this.cib.attributes.get(name) ?? "0", 10) || 0;
    return [part("admin_epoch"), part("epoch"), part("num_updates")];
  }

  /** The status has changed. */
  touch(): void {
    this.cib.attributes.set("num_updates", String(this.version()[2] + 1));
  }

  /** The configuration has changed; the index over the status is made anew, it may have been replaced. */
  configurationChanged(): void {
    this.status = new StatusSection(this.cib);
  }

  /** Name of a cluster node by its ring id: what it says itself, then what the configuration knows. */
  nameOf(id: NodeId): NodeName {
    const announced = this.#names.get(id);
    if (announced !== undefined) return announced;
    const known = nodesEntries(this.configuration).find((node) => node.attributes.get("id") === String(id));
    const uname = known?.attributes.get("uname");
    if (uname !== undefined) return nodeName(uname);
    return this.#nodes.find((node) => node.id === id)?.name ?? nodeName(`node${id}`);
  }

  /** Id under which `<nodes>` and `<status>` keep a node. Remote nodes have their name as id. */
  idOf(name: NodeName): string {
    const known = nodesEntries(this.configuration).find((node) => node.attributes.get("uname") === name);
    return known?.attributes.get("id") ?? String(this.#nodes.find((node) => node.name === name)?.id ?? name);
  }

  /** Names of the cluster nodes that the configuration knows, remote and guest nodes not among them. */
  clusterNodes(): { readonly id: string; readonly name: NodeName }[] {
    const known = new Map(this.#nodes.map(({ id }) => [String(id), this.nameOf(id)]));
    for (const node of nodesEntries(this.configuration)) {
      const type = node.attributes.get("type");
      if (type === "remote" || type === "ping") continue;
      const id = node.attributes.get("id");
      const uname = node.attributes.get("uname");
      if (id !== undefined && uname !== undefined && !known.has(id)) known.set(id, nodeName(uname));
    }
    return [...known].map(([id, name]) => ({ id, name }));
  }

  /** A cluster property's plain value; rules are the scheduler's business. */
  property(...names: readonly string[]): string | undefined {
    for (const set of childrenOf(child(this.configuration, "crm_config"), "cluster_property_set")) {
      for (const nvpair of childrenOf(set, "nvpair")) {
        if (names.includes(nvpair.attributes.get("name") ?? "")) return nvpair.attributes.get("value");
      }
    }
    return undefined;
  }

  /** A number for the next operation of that executor. */
  nextCallId(name: NodeName): number {
    return (this.#callIds.get(name) ?? 0) + 1;
  }

  /** Marks a call id as given out. */
  reserveCallId(name: NodeName, callId: number): void {
    this.#sawCallId(name, callId);
  }

  /**
   * A participant is there, under the name by which it calls itself: entries in `<nodes>` and `<status>`. Says whether
   * the configuration changed, and how the node was called before if that was otherwise.
   */
  nodeJoined(id: NodeId, name: NodeName): { readonly changed: boolean; readonly before?: NodeName } {
    this.#names.set(id, name);
    const placed = placeNode(this.configuration, String(id), name);
    if (placed.before !== undefined) {
      this.attributes.removeNode(placed.before);
      this.#boots.delete(placed.before);
    }
    this.status.setNodeState(String(id), name, {
      in_ccm: "true",
      crmd: "online",
      join: "member",
      expected: "member",
      "crm-debug-origin": "hactl",
    });
    this.touch();
    return placed;
  }

  /** Whether what is known of a node's transient attributes is of that boot, and the node was not lost since. */
  remembersBoot(name: NodeName, boot: string): boolean {
    return this.#boots.get(name) === boot;
  }

  /** What is known of a node from here on is of that boot. */
  setBoot(name: NodeName, boot: string): void {
    this.#boots.set(name, boot);
  }

  /** Transient attributes of a node are not known: it was lost, or has been rebooted. */
  dropAttributes(id: string, name: NodeName): void {
    this.status.clearAttributes(id);
    this.attributes.removeNode(name);
    this.#boots.delete(name);
  }

  /** Drops what is remembered of cluster nodes that are not there: they will tell it themselves. */
  dropAbsentAttributes(present: ReadonlySet<string>): void {
    for (const { id, name } of this.clusterNodes())
      if (!present.has(id) && this.status.nodeState(id, "crmd") === undefined) this.dropAttributes(id, name);
  }

  /** A cluster node's ring, or its manager, is gone. `expected` stays: a node that did not say goodbye is unclean. */
  nodeLost(id: string, name: NodeName, ringThere: boolean): void {
    this.status.setNodeState(id, name, { in_ccm: String(ringThere), crmd: "offline", join: "down" });
    this.dropAttributes(id, name);
    this.touch();
  }

  /** A node may go: it is expected to be down from now on, and nothing runs there. */
  nodeReleased(name: NodeName): void {
    const id = this.idOf(name);
    this.status.setNodeState(id, name, { expected: "down", join: "down" });
    this.touch();
  }

  /** Fencing says that a node is off: it runs nothing. */
  nodeFenced(name: NodeName): void {
    const id = this.idOf(name);
    if (this.#isClusterNode(name)) {
      this.status.setNodeState(id, name, {
        in_ccm: "false",
        crmd: "offline",
        join: "down",
        expected: "down",
      });
    } else {
      this.status.setNodeState(id, name, { in_ccm: "false" });
    }
    this.status.clearHistory(id);
    this.dropAttributes(id, name);
    this.touch();
  }

  /** The connection to a remote node is up or down. Says whether that is news. */
  remoteState(name: NodeName, up: boolean): boolean {
    const news = (this.status.nodeState(name, "in_ccm") === "true") !== up;
    this.status.setNodeState(name, name, {
      remote_node: "true",
      in_ccm: String(up),
      "crm-debug-origin": "hactl",
    });
    this.touch();
    return news;
  }

  /** Remote and guest nodes have been told that they are in maintenance, or not any more. */
  maintenance(changes: readonly MaintenanceChange[]): void {
    for (const { node, nodeId, inMaintenance } of changes)
      this.status.setNodeState(nodeId, node, { node_in_maintenance: inMaintenance ? "1" : "0" });
    this.touch();
  }

  /** An operation has been given out: it is pending, and what it ends is not in the history any more. */
  dispatched(dispatch: Dispatch, at: EpochSeconds): void {
    const { node, operation } = dispatch;
    this.#sawCallId(node, operation.callId);
    const { rsc, action, intervalMs } = operation;
    const id = this.idOf(node);
    if (action === "cancel") {
      this.cancelled(node, rsc.id, operation.params.CRM_meta_operation ?? "", cancelInterval(operation));
      return;
    }
    if (!isRecorded(action) || intervalMs > 0) return;
    if (endsRecurring(action)) {
      this.status.removeOps(id, rsc.id, (op) => isRecurring(op) && !isLastFailure(op));
    }
    this.#record(node, pendingResult(operation, at));
  }

  /** A recurring operation has ended: its entry goes. */
  cancelled(node: NodeName, rsc: string, action: string, intervalMs: number): void {
    const key = operationKey(rsc, action, intervalMs);
    if (this.status.removeOps(this.idOf(node), rsc, (op) => op.attributes.get("id") === key)) this.touch();
  }

  /** Takes a result into the history; a failure counts. Returns what follows for the attributes. */
  result(node: NodeName, result: OperationResult): AttributeEffect[] {
    this.#sawCallId(node, result.callId);
    if (!isRecorded(result.action)) return [];
    if (this.#isOutdated(node, result)) return [];
    this.#record(node, result);
    if (!isFailure(result) || (result.action === "monitor" && result.intervalMs === 0)) return [];
    return this.#countFailure(node, result);
  }

  /**
   * A node's history as its executor tells it takes the place of what was known, but for last failures in the same boot:
   * an executor does not keep them.
   */
  replaceHistory(node: NodeName, history: ExecutorHistory, at: EpochSeconds): void {
    const id = this.idOf(node);
    const failures = this.remembersBoot(node, history.bootId) ? this.status.entries(id, isLastFailure) : [];
    this.status.clearHistory(id);
    this.#callIds.delete(node);
    for (const result of [...history.results].sort((a, b) => a.callId - b.callId)) {
      this.#sawCallId(node, result.callId);
      if (isRecorded(result.action)) this.#record(node, result);
    }
    for (const operation of history.running) {
      this.#sawCallId(node, operation.callId);
      if (isRecorded(operation.action)) this.#record(node, pendingResult(operation, at));
    }
    const told = new Set(this.status.resourcesOn(id));
    for (const { rsc, op } of failures)
      if (told.has(rsc.id) && !this.status.op(id, rsc.id, op.attributes.get("id") ?? ""))
        this.status.recordOp(id, node, rsc, op, true);
    this.touch();
  }

  /** Applies attribute changes; what must be written into the status is written. Dampenings are returned. */
  setAttributes(updates: readonly AttributeUpdate[]): {
    readonly written: boolean;
    readonly dampen: AttributeEffect[];
  } {
    return this.#writeAttributes(updates.flatMap((update) => this.attributes.apply(update)));
  }

  /** Attributes that were written into the status since it was asked last. */
  takeWritten(): readonly Extract<AlertEvent, { kind: "attribute" }>[] {
    const written = this.#written;
    if (written.length > 0) this.#written = [];
    return written;
  }

  /** Ends a dampening. */
  flushAttribute(name: string): boolean {
    return this.#writeAttributes(this.attributes.flush(name)).written;
  }

  /**
   * Forgets what is known of a resource (all of them) on a node (everywhere): fail counts, and the history, so that
   * it is probed again. Returns whose executors must forget it too.
   */
  forget(
    rsc: string | undefined,
    node: NodeName | undefined,
    failuresOnly: boolean,
  ): { readonly node: NodeName; readonly rsc: string }[] {
    const forgotten: { node: NodeName; rsc: string }[] = [];
    for (const id of this.status.nodeIds()) {
      const name = nodeName(this.status.nodeState(id, "uname") ?? id);
      if (node !== undefined && name !== node) continue;
      this.#clearFailCounts(name, rsc);
      for (const resource of this.status.resourcesOn(id)) {
        if (rsc !== undefined && withoutInstance(resource) !== withoutInstance(rsc)) continue;
        const failed = this.status.ops(id, resource).some(isLastFailure);
        if (failuresOnly && !failed) continue;
        this.status.removeResource(id, resource);
        forgotten.push({ node: name, rsc: resource });
      }
    }
    this.touch();
    return forgotten;
  }

  /** Drops the entry of a resource's last failure on a node: its fail count is cleared. */
  forgetFailure(node: NodeName, rsc: string): void {
    if (this.status.removeOps(this.idOf(node), rsc, isLastFailure)) this.touch();
  }

  /** Drops one resource's history on one node (a `delete` action). */
  deleteResource(node: NodeName, rsc: string): void {
    if (this.status.removeResource(this.idOf(node), rsc)) this.touch();
  }

  snapshot(): Snapshot {
    const { attributes, boots } = this.remembered();
    return { cib: formatXml(this.cib, -1), attributes, boots };
  }

  restore(snapshot: Snapshot): void {
    this.cib = parseXml(snapshot.cib);
    this.status = new StatusSection(this.cib);
    this.attributes.restore(snapshot.attributes);
    this.#boots.clear();
    for (const [node, boot] of snapshot.boots) this.#boots.set(node, boot);
    this.#callIds.clear();
    for (const id of this.status.nodeIds()) {
      const name = nodeName(this.status.nodeState(id, "uname") ?? id);
      for (const resource of this.status.resourcesOn(id)) {
        for (const op of this.status.ops(id, resource)) {
          this.#sawCallId(name, Number.parseInt(op.attributes.get("call-id") ?? "0", 10) || 0);
        }
      }
    }
  }

  #isClusterNode(name: NodeName): boolean {
    return this.clusterNodes().some((node) => node.name === name);
  }

  #sawCallId(node: NodeName, callId: number): void {
    if (callId > (this.#callIds.get(node) ?? 0)) this.#callIds.set(node, callId);
  }

  /** A late result of a recurring operation that a newer state change has ended. */
  #isOutdated(node: NodeName, result: OperationResult): boolean {
    if (result.intervalMs === 0) return false;
    const last = this.status.op(this.idOf(node), result.rsc.id, operationKey(result.rsc.id, "last", 0));
    if (!last || !endsRecurring(last.attributes.get("operation") ?? "")) return false;
    return Number(last.attributes.get("call-id") ?? 0) > result.callId;
  }

  #record(node: NodeName, result: OperationResult): void {
    const id = this.idOf(node);
    const { rsc, action, intervalMs } = result;
    for (const entryId of historyIds(rsc.id, action, intervalMs, isFailure(result))) {
      this.status.recordOp(id, node, rsc, historyEntry(entryId, node, result));
    }
    this.touch();
  }

  /** `fail-count-RSC#ACTION_INTERVAL`: a failed start (when fatal) or stop counts as INFINITY, all else as one. */
  #countFailure(node: NodeName, result: OperationResult): AttributeEffect[] {
    const { action, intervalMs } = result;
    const rsc = result.rsc.id;
    const fatal = action === "stop" || (action === "start" && this.#startFailureIsFatal());
    const name = (kind: string) => `${kind}-${rsc}#${action}_${intervalMs}`;
    const { dampen } = this.setAttributes([
      { node, name: name("fail-count"), value: fatal ? "INFINITY" : "value++" },
      { node, name: name("last-failure"), value: String(Math.floor(result.lastRun + result.execMs / 1000)) },
    ]);
    return dampen;
  }

  #startFailureIsFatal(): boolean {
    return !["false", "no", "off", "n", "0"].includes(
      (this.property("start-failure-is-fatal") ?? "true").toLowerCase(),
    );
  }

  #clearFailCounts(node: NodeName, rsc: string | undefined): void {
    const wanted = rsc === undefined ? undefined : withoutInstance(rsc);
    const updates = this.attributes.names().flatMap((name): AttributeUpdate[] => {
      const match = /^(?:fail-count|last-failure)-(.+?)(?:#.*)?$/.exec(name);
      if (!match || (wanted !== undefined && withoutInstance(match[1] ?? "") !== wanted)) return [];
      return [{ node, name, value: undefined }];
    });
    this.setAttributes(updates);
  }

  #writeAttributes(effects: readonly AttributeEffect[]): { written: boolean; dampen: AttributeEffect[] } {
    let written = false;
    for (const effect of effects) {
      if (effect.type !== "write") continue;
      const id = this.idOf(effect.node);
      if (!this.status.setAttribute(id, effect.node, effect.name, effect.value, effect.set)) continue;
      written = true;
      const { node, name, value } = effect;
      this.#written.push({ kind: "attribute", node, nodeId: /^\d+$/.test(id) ? Number(id) : 0, name, value });
    }
    if (written) this.touch();
    return { written, dampen: effects.filter(({ type }) => type === "dampen") };
  }
}

/** Interval of the recurring operation that a `cancel` names, in milliseconds. */
export function cancelInterval(operation: Operation): number {
  return Number.parseInt(operation.params.CRM_meta_interval ?? "0", 10) || 0;
}

function withoutInstance(id: string): string {
  return id.replace(/:\d+$/, "");
}

function isRecurring(op: XmlElement): boolean {
  return (op.attributes.get("interval") ?? "0") !== "0";
}

function isLastFailure(op: XmlElement): boolean {
  return op.attributes.get("id")?.endsWith("_last_failure_0") ?? false;
}

/** An empty CIB, for a node that has none. */
export function emptyCib(): XmlElement {
  return element(
    "cib",
    {
      crm_feature_set: FEATURE_SET,
      "validate-with": "pacemaker-3.9",
      admin_epoch: 0,
      epoch: 0,
      num_updates: 0,
    },
    [
      element("configuration", {}, [
        element("crm_config"),
        element("nodes"),
        element("resources"),
        element("constraints"),
      ]),
      element("status"),
    ],
  );
}
