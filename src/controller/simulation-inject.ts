import { child, childrenOf, element, type XmlElement } from "../cib/index.ts";
import type { AgentResource, OperationResult } from "../executor/index.ts";
import { type EpochSeconds, OpStatus, type ResourceId } from "../terms/index.ts";
import type { InjectedFailure } from "./simulation.ts";
import { countConfigurationChange, SimulatedStatus } from "./simulation-status.ts";

/** Changes to a cluster that a rehearsal shall assume. */
export interface Injections {
  readonly nodesUp: readonly string[];
  readonly nodesDown: readonly string[];
  readonly nodesFailed: readonly string[];
  /** Results that the history shall contain, `RSC_TASK_INTERVALMS@NODE=RC`. */
  readonly results: readonly string[];
  readonly quorum?: string;
  readonly watchdog?: string;
  readonly ticketsGranted: readonly string[];
  readonly ticketsRevoked: readonly string[];
  readonly ticketsStandby: readonly string[];
  readonly ticketsActivated: readonly string[];
  /** `NODE-OR-RESOURCE:NAME=VALUE`. */
  readonly utilization: readonly string[];
}

/** No changes. */
export const noInjections: Injections = {
  nodesUp: [],
  nodesDown: [],
  nodesFailed: [],
  results: [],
  ticketsGranted: [],
  ticketsRevoked: [],
  ticketsStandby: [],
  ticketsActivated: [],
  utilization: [],
};

/** Whether there is anything to change. */
export const hasInjections = (injections: Injections): boolean =>
  Object.values(injections).some((part) => part !== undefined && part.length > 0);

/** Takes `RSC_TASK_INTERVALMS@NODE=RC` apart; `undefined` when it is not of that form. */
export function parseOperationSpec(
  text: string,
): (InjectedFailure & { task: string; intervalMs: number }) | undefined {
  const match =
    /^((.+)_(migrate_to|migrate_from)_(\d+))@([^=]+)=(\d+)$/.exec(text.trim()) ??
    /^((.+)_([^_@]+)_(\d+))@([^=]+)=(\d+)$/.exec(text.trim());
  if (!match) return undefined;
  const [, operation = "", rsc = "", task = "", interval = "", node = "", rc = ""] = match;
  return { operation, rsc, task, intervalMs: Number(interval), node, rc: Number(rc) };
}

/** Agent of a configured resource, by which a history entry is written. */
export type FindAgent = (rsc: string) => Omit<AgentResource, "id"> | undefined;

/** A change that was made. */
export type InjectedChange =
  | { readonly type: "quorum" | "watchdog"; readonly value: string }
  | { readonly type: "node"; readonly action: "Online" | "Offline" | "Failing"; readonly node: string }
  | {
      readonly type: "ticket";
      readonly action: "Granting" | "Revoking" | "Standby" | "Activating";
      readonly ticket: string;
    }
  | { readonly type: "utilization" | "result"; readonly spec: string }
  | {
      readonly type: "attribute";
      readonly nodeId: string;
      readonly name: string;
      readonly value: string;
    };

/** What became of the changes. */
export interface Injected {
  readonly changes: readonly InjectedChange[];
  /** What could not be done, and why. */
  readonly problems: readonly string[];
}

/** Applies the changes to `cib`, whose status, `crm_config` and attributes are changed in place. */
export function inject(
  cib: XmlElement,
  injections: Injections,
  agentOf: FindAgent,
  now: EpochSeconds,
): Injected {
  const changes: InjectedChange[] = [];
  const problems: string[] = [];
  const status = new SimulatedStatus(cib);
  if (injections.quorum !== undefined) {
    changes.push({ type: "quorum", value: injections.quorum });
    cib.attributes.set("have-quorum", injections.quorum);
  }
  if (injections.watchdog !== undefined) {
    changes.push({ type: "watchdog", value: injections.watchdog });
    setProperty(cib, "have-watchdog", injections.watchdog);
  }
  const owner = (node: string) => ({ node, id: undefined });
  for (const node of injections.nodesUp) {
    changes.push({ type: "node", action: "Online", node });
    ensureNode(cib, node);
    status.setUp(owner(node), true);
  }
  for (const node of injections.nodesDown) {
    changes.push({ type: "node", action: "Offline", node });
    status.fenced(node, undefined);
  }
  for (const node of injections.nodesFailed) {
    changes.push({ type: "node", action: "Failing", node });
    status.setLost(owner(node));
  }
  changes.push(...injectTickets(cib, injections));
  for (const spec of injections.utilization) {
    changes.push({ type: "utilization", spec });
    if (!setUtilization(cib, spec)) problems.push(`Nothing of that name has utilization: ${spec}`);
  }
  for (const spec of injections.results) {
    changes.push({ type: "result", spec });
    const counted = injectResult(status, spec, agentOf, now);
    if (typeof counted === "string") problems.push(counted);
    else changes.push(...counted);
  }
  return { changes, problems };
}

type TicketChange = Extract<InjectedChange, { type: "ticket" }>;

function injectTickets(cib: XmlElement, injections: Injections): TicketChange[] {
  const changes: TicketChange[] = [];
  const set = (tickets: readonly string[], action: TicketChange["action"], name: string, value: string) => {
    for (const ticket of tickets) {
      changes.push({ type: "ticket", action, ticket });
      ticketState(cib, ticket).attributes.set(name, value);
    }
  };
  set(injections.ticketsGranted, "Granting", "granted", "true");
  set(injections.ticketsRevoked, "Revoking", "granted", "false");
  set(injections.ticketsStandby, "Standby", "standby", "true");
  set(injections.ticketsActivated, "Activating", "standby", "false");
  return changes;
}

/** Answers what is counted, or what is wrong. */
function injectResult(
  status: SimulatedStatus,
  spec: string,
  agentOf: FindAgent,
  now: EpochSeconds,
): InjectedChange[] | string {
  const parsed = parseOperationSpec(spec);
  if (!parsed) return `Invalid operation: ${spec}`;
  const agent = agentOf(parsed.rsc);
  if (!agent) return `Invalid resource name: ${parsed.rsc}`;
  const owner = { node: parsed.node, id: undefined };
  const counted = status.countFailure(owner, parsed.rsc, parsed, parsed.rc, now);
  const callId = status.nextCallId(owner, parsed.rsc);
  const transitionKey = `${callId}:-1:0:xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx`;
  const result: OperationResult = {
    callId,
    rsc: { ...agent, id: parsed.rsc as ResourceId },
    action: parsed.task,
    intervalMs: parsed.intervalMs,
    transitionKey,
    rc: parsed.rc,
    status: OpStatus.DONE,
    exitReason: parsed.rc === 0 ? "" : "Simulated action result",
    stdout: "",
    execMs: 0,
    queueMs: 0,
    lastRun: now,
    lastChange: now,
    params: {},
  };
  status.record(owner, result, false);
  return counted.map(([name, value]) => ({ type: "attribute", nodeId: status.idOf(owner), name, value }));
}

/** The child of that name, made where it is missing. */
function ensureChild(
  parent: XmlElement,
  name: string,
  attributes: Readonly<Record<string, string>> = {},
): XmlElement {
  const known = child(parent, name);
  if (known) return known;
  const made = element(name, attributes);
  parent.children.push(made);
  return made;
}

/** A node that is not configured yet joins under its name. */
function ensureNode(cib: XmlElement, uname: string): void {
  const nodes = ensureChild(ensureChild(cib, "configuration"), "nodes");
  const known = nodes.children.some(({ attributes }) => attributes.get("uname") === uname);
  if (known) return;
  nodes.children.push(element("node", { id: uname, uname }));
  countConfigurationChange(cib);
}

function ticketState(cib: XmlElement, id: string): XmlElement {
  const tickets = ensureChild(ensureChild(cib, "status"), "tickets");
  const known = tickets.children.find(({ attributes }) => attributes.get("id") === id);
  if (known) return known;
  const made = element("ticket_state", { id });
  tickets.children.push(made);
  return made;
}

function setProperty(cib: XmlElement, name: string, value: string): void {
  const config = ensureChild(ensureChild(cib, "configuration"), "crm_config");
  const set = ensureChild(config, "cluster_property_set", { id: "cib-bootstrap-options" });
  setPair(set, name, value);
}

function setPair(set: XmlElement, name: string, value: string): void {
  const known = set.children.find(({ attributes }) => attributes.get("name") === name);
  if (known) known.attributes.set("value", value);
  else
    set.children.push(element("nvpair", { id: `${set.attributes.get("id") ?? "set"}-${name}`, name, value }));
}

function setUtilization(cib: XmlElement, spec: string): boolean {
  const match = /^(.+):([^:=]+)=(.*)$/.exec(spec);
  const configuration = child(cib, "configuration");
  if (!match || !configuration) return false;
  const [, target = "", name = "", value = ""] = match;
  const nodes = childrenOf(child(configuration, "nodes"), "node");
  const found =
    nodes.find(({ attributes }) => attributes.get("uname") === target) ??
    findById(child(configuration, "resources"), target);
  if (!found) return false;
  setPair(ensureChild(found, "utilization", { id: `${target}-utilization` }), name, value);
  return true;
}

function findById(parent: XmlElement | undefined, id: string): XmlElement | undefined {
  for (const candidate of parent?.children ?? []) {
    const found = candidate.attributes.get("id") === id ? candidate : findById(candidate, id);
    if (found) return found;
  }
  return undefined;
}
