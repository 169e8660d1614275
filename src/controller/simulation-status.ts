import { child, childrenOf, parseBoolean, parseInteger, type XmlElement } from "../cib/index.ts";
import type { OperationResult } from "../executor/index.ts";
import type { GraphAction, MaintenanceChange } from "../scheduler/index.ts";
import { type EpochSeconds, withoutInstance } from "../terms/index.ts";
import { historyEntry, historyIds, isFailure } from "./history.ts";
import { StatusSection } from "./status.ts";

/** Whose history a result belongs to: the node's name, and the id for an entry that must be made. */
export interface HistoryOwner {
  readonly node: string;
  readonly id: string | undefined;
}

/** Who wrote what a rehearsal leaves in a status, as crm_simulate has it: nobody takes it for what happened. */
const rehearsal = "crm_simulate";

/** Counts a change of a rehearsed cluster's configuration, as if it came alone. */
export function countConfigurationChange({ attributes }: XmlElement): void {
  attributes.set("epoch", String((parseInteger(attributes.get("epoch")) ?? 0) + 1));
  attributes.set("num_updates", "0");
}

/** The status section of a rehearsal: nodes are found by name, as injections and actions name them. */
export class SimulatedStatus {
  readonly #cib: XmlElement;
  readonly #section: StatusSection;
  readonly #ids = new Map<string, string>();
  /** Resource names in the histories, as they were before the rehearsal. */
  readonly #historyNames = new Set<string>();
  /** Time of the newest result in the histories. */
  #newest: EpochSeconds = 0;

  constructor(cib: XmlElement) {
    this.#cib = cib;
    this.#section = new StatusSection(cib);
    for (const state of childrenOf(this.#section.xml, "node_state")) {
      const id = state.attributes.get("id");
      const uname = state.attributes.get("uname") ?? this.#configuredName(id);
      if (id === undefined || uname === undefined) continue;
      this.#ids.set(uname, id);
      for (const rsc of this.#section.resourcesOn(id)) this.#noteHistory(rsc, this.#section.ops(id, rsc));
    }
  }

  #noteHistory(rsc: string, operations: readonly XmlElement[]): void {
    if (operations.length > 0) this.#historyNames.add(rsc);
    for (const { attributes } of operations) {
      this.#newest = Math.max(this.#newest, parseInteger(attributes.get("last-rc-change")) ?? 0);
    }
  }

  /**
   * Time to give to results: `now`, but after all that is known already. A CIB may have been kept with an earlier time
   * than its histories have, and what is rehearsed comes after what happened.
   */
  timeOfResults(now: EpochSeconds): EpochSeconds {
    return Math.max(now, this.#newest + 1);
  }

  #configuredName(id: string | undefined): string | undefined {
    const node = this.#configuredNodes().find(({ attributes }) => attributes.get("id") === id);
    return node?.attributes.get("uname");
  }

  #configuredNodes(): XmlElement[] {
    return childrenOf(child(child(this.#cib, "configuration"), "nodes"), "node");
  }

  /** Id of a node's `<node_state>`; the configured one, or the name, where there is none yet. */
  idOf(owner: HistoryOwner): string {
    const known = this.#ids.get(owner.node);
    if (known !== undefined) return known;
    const configured = this.#configuredNodes().find(
      ({ attributes }) => attributes.get("uname") === owner.node,
    );
    const id = owner.id ?? configured?.attributes.get("id") ?? owner.node;
    this.#ids.set(owner.node, id);
    return id;
  }

  /** Sets a node up or down, as its coming and going would. */
  setUp(owner: HistoryOwner, up: boolean): void {
    const state = up
      ? { in_ccm: "true", crmd: "online", join: "member", expected: "member" }
      : { in_ccm: "false", crmd: "offline", join: "down", expected: "down" };
    this.#setState(owner, state);
  }

  #setState(owner: HistoryOwner, state: Readonly<Record<string, string>>): void {
    const id = this.idOf(owner);
    this.#ensureState(id);
    const before = new Map(this.#stateOf(id)?.attributes);
    this.#section.setNodeState(id, owner.node, { ...state, "crm-debug-origin": rehearsal });
    const after = this.#stateOf(id)?.attributes ?? before;
    if ([...after].some(([name, value]) => before.get(name) !== value)) this.#count();
  }

  #stateOf(id: string): XmlElement | undefined {
    return childrenOf(this.#section.xml, "node_state").find(({ attributes }) => attributes.get("id") === id);
  }

  /** A node that has no entry yet gets it by a change of its own. */
  #ensureState(id: string): void {
    if (this.#stateOf(id) === undefined) this.#count();
  }

  /** Counts a change of the status. */
  #count(): void {
    const { attributes } = this.#cib;
    attributes.set("num_updates", String((parseInteger(attributes.get("num_updates")) ?? 0) + 1));
  }

  /** A member lost without warning: gone, but expected to be there. */
  setLost(owner: HistoryOwner): void {
    const state = { in_ccm: "false", join: "member", expected: "member" };
    this.#setState(owner, state);
  }

  /** Sets a transient attribute of a node. */
  setAttribute(owner: HistoryOwner, name: string, value: string): void {
    this.#section.setAttribute(this.idOf(owner), owner.node, name, value);
  }

  /** The node has been fenced: off, its history and transient attributes gone. */
  fenced(node: string, nodeId: string | undefined): void {
    const owner = { node, id: nodeId };
    const id = this.idOf(owner);
    this.setUp(owner, false);
    for (const part of ["lrm", "transient_attributes"])
      if (child(this.#stateOf(id), part) !== undefined) this.#count();
    this.#section.clearHistory(id);
    this.#section.clearAttributes(id);
  }

  /** Forgets the history of a resource on a node. */
  forgetResource(owner: HistoryOwner, rsc: string): void {
    this.#section.removeResource(this.idOf(owner), rsc);
  }

  /** Forgets everything about a node. */
  forget(node: string): void {
    const id = this.#ids.get(node);
    if (id === undefined) return;
    this.#section.removeNode(id);
    this.#ids.delete(node);
  }

  /** Name under which a history of the resource exists, or will be made. */
  historyName(owner: HistoryOwner, rsc: string, longId: string | undefined): string {
    const known = this.#section.resourcesOn(this.idOf(owner));
    return longId !== undefined && !known.includes(rsc) && known.includes(longId) ? longId : rsc;
  }

  /**
   * Name under which crm_simulate lists an action: an instance of an anonymous clone has its number as long as no
   * history has been written under the name without.
   */
  shownName(rsc: string, longId: string | undefined): string {
    return longId === undefined || this.#historyNames.has(rsc) ? rsc : longId;
  }

  /** Call id for the next result. */
  nextCallId(owner: HistoryOwner, rsc: string): number {
    const ids = this.#section
      .ops(this.idOf(owner), rsc)
      .map((op) => parseInteger(op.attributes.get("call-id")) ?? 0);
    return Math.max(0, ...ids) + 1;
  }

  /** Remote and guest nodes learn that they are in maintenance, or not any more. */
  maintenance(changes: readonly MaintenanceChange[]): void {
    for (const { node, nodeId, inMaintenance } of changes) {
      const id = this.idOf({ node, id: nodeId });
      this.#section.setNodeState(id, node, { node_in_maintenance: inMaintenance ? "1" : "0" });
    }
  }

  /**
   * Writes a result as the controller would. Without `digested` the parameters that it was carried out with are not
   * known, so that they cannot have changed since.
   */
  record(owner: HistoryOwner, result: OperationResult, digested = true): void {
    const id = this.idOf(owner);
    this.#ensureState(id);
    this.#count();
    // Older releases kept an operation under an id of its own: the new result takes its place all the same.
    this.#section.removeOps(
      id,
      result.rsc.id,
      ({ attributes }) =>
        attributes.get("operation") === result.action &&
        Number(attributes.get("interval") ?? 0) === result.intervalMs &&
        !isLastFailure(attributes.get("id")),
    );
    // The failure comes before the state that it left behind.
    const entries = historyIds(result.rsc.id, result.action, result.intervalMs, isFailure(result)).reverse();
    for (const name of entries) {
      const entry = historyEntry(name, owner.node, result, rehearsal);
      if (!digested) entry.attributes.delete("op-digest");
      this.#section.recordOp(id, owner.node, result.rsc, entry, true);
    }
  }

  /** A recurring operation has been cancelled: its entry goes. */
  cancel(owner: HistoryOwner, rsc: string, params: GraphAction["params"], intervalMs: number): void {
    const task = params.CRM_meta_operation ?? "monitor";
    const interval = parseInteger(params.CRM_meta_interval) ?? intervalMs;
    this.#section.removeOps(this.idOf(owner), rsc, ({ attributes }) => {
      const same =
        attributes.get("operation") === task && Number(attributes.get("interval") ?? 0) === interval;
      // What a failed recurring operation left behind stays until somebody cleans up.
      return same && !isLastFailure(attributes.get("id"));
    });
  }

  /** Forgets the fail counts of a resource on a node. Its last failure stays in sight, as crm_simulate leaves it. */
  clearFailures(node: string, rsc: string, params: GraphAction["params"]): void {
    const id = this.#ids.get(node);
    if (id === undefined) return;
    const operation = params.CRM_meta_operation;
    for (const name of this.#attributeNames(id)) {
      const match = /^(?:fail-count|last-failure)-([^#]+)(?:#(.*))?$/.exec(name);
      if (!match || withoutInstance(match[1] ?? "") !== withoutInstance(rsc)) continue;
      if (operation !== undefined && match[2] !== undefined && !match[2].startsWith(`${operation}_`))
        continue;
      this.#section.setAttribute(id, node, name, undefined);
    }
  }

  #attributeNames(id: string): string[] {
    const state = childrenOf(this.#section.xml, "node_state").find(
      ({ attributes }) => attributes.get("id") === id,
    );
    const blocks = childrenOf(child(state, "transient_attributes"), "instance_attributes");
    return blocks.flatMap((block) => block.children.map(({ attributes }) => attributes.get("name") ?? ""));
  }

  /** Counts a failure as the controller would, of a resource as the rehearsal names it; answers the attributes that it set. */
  countFailure(
    owner: HistoryOwner,
    rsc: string,
    operation: Pick<GraphAction, "task" | "intervalMs">,
    rc: number,
    now: EpochSeconds,
  ): [string, string][] {
    const { task, intervalMs } = operation;
    // That it does not run is what a probe, or a change of its state, may well find.
    if (rc === 0 || (rc === 7 && intervalMs === 0)) return [];
    const suffix = `${rsc}#${task}_${intervalMs}`;
    const id = this.idOf(owner);
    const before = parseInteger(this.#section.attribute(id, `fail-count-${suffix}`)) ?? 0;
    const fatal = task === "stop" || (task === "start" && this.#startFailureIsFatal());
    const counted: [string, string][] = [
      [`fail-count-${suffix}`, fatal ? "INFINITY" : String(before + 1)],
      [`last-failure-${suffix}`, String(Math.floor(now))],
    ];
    for (const [name, value] of counted) this.#section.setAttribute(id, owner.node, name, value);
    return counted;
  }

  #startFailureIsFatal(): boolean {
    const sets = childrenOf(child(child(this.#cib, "configuration"), "crm_config"), "cluster_property_set");
    const set = sets
      .flatMap(({ children }) => children)
      .find((pair) => pair.attributes.get("name") === "start-failure-is-fatal");
    return parseBoolean(set?.attributes.get("value")) ?? true;
  }
}

const isLastFailure = (id: string | undefined): boolean => id?.endsWith("_last_failure_0") ?? false;

/** A copy of a `<cib>` whose status may be changed; the configuration is shared. */
export function copyForSimulation(cib: XmlElement): XmlElement {
  return {
    ...cib,
    attributes: new Map(cib.attributes),
    children: cib.children.map((part) => (part.name === "status" ? copyElement(part) : part)),
  };
}

/** A deep copy of an element. */
export function copyElement(source: XmlElement): XmlElement {
  return { ...source, attributes: new Map(source.attributes), children: source.children.map(copyElement) };
}
