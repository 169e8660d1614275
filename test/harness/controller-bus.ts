import { type CibOperation, child, formatXml, loadCrm, type XmlElement } from "../../src/cib/index.ts";
import {
  Controller,
  type ControllerEffect,
  type ControllerEvent,
  type ExecutorHistory,
  emptyCib,
  type Membership,
  type Remembered,
} from "../../src/controller/index.ts";
import type { Operation, OperationResult } from "../../src/executor/index.ts";
import type { FenceRequest, FenceResult } from "../../src/fencer/index.ts";
import { type NodeId, type NodeName, nodeId, nodeName, OcfExit, OpStatus } from "../../src/terms/index.ts";

/** What an agent of the test answers: an exit code, or nothing for never. */
export type Agent = (node: NodeName, operation: Operation) => number | "silent";

/** One node: its controller and what its executor runs. */
interface TestNode {
  readonly id: NodeId;
  name: NodeName;
  controller: Controller;
  incarnation: number;
  /** Services that run, by resource id: they survive the manager. */
  readonly running: Map<string, "started" | "promoted">;
  /** Of all operations since the boot. */
  answers: OperationResult[];
  up: boolean;
  managerUp: boolean;
  /** Boot of the host; what its manager remembers of it; whether its executor can tell all that runs. */
  boot: number;
  memory: Remembered | undefined;
  complete: boolean;
  /** Last membership that its manager has seen together with the others. */
  companions: Set<NodeId>;
}

interface Timer {
  readonly at: number;
  readonly node: TestNode;
  readonly name: string;
  readonly incarnation: number;
}

const start = Date.UTC(2026, 0, 1) / 1000;

/**
 * Whole controllers on virtual time, joined by a bus that delivers every message to all members in the same order, as
 * the ring promises. Agents are functions of the test, fencing is as asked for; everything is deterministic.
 */
export class ControllerBus {
  readonly nodes: TestNode[];
  readonly fenced: FenceRequest[] = [];
  readonly log: string[] = [];
  /** Nodes that found that they cannot take part. */
  readonly refused: number[] = [];
  /** Every operation given to an executor. */
  executed: { readonly node: NodeName; readonly operation: Operation; readonly at: number }[] = [];
  readonly replies = new Map<string, { readonly value?: unknown; readonly error?: Error }>();
  agent: Agent = () => OcfExit.OK;
  /** Outcome of the next fencing; `undefined`: none comes. */
  fencing: (request: FenceRequest) => boolean | undefined = () => true;
  quorate = true;
  now = 0;
  #ring = 0;
  #serial = 0;
  #timers: Timer[] = [];
  #queue: { readonly from: TestNode; readonly payload: Uint8Array }[] = [];
  #soon: { readonly at: number; readonly run: () => void }[] = [];
  #members: TestNode[] = [];
  #requests = 0;

  constructor(count: number, cib?: () => XmlElement) {
    const configured = Array.from({ length: count }, (_, i) => ({
      id: nodeId(i + 1),
      name: nodeName(`n${i + 1}`),
    }));
    this.nodes = configured.map(({ id, name }) => ({
      id,
      name,
      controller: this.#controller(id, name, configured, cib?.() ?? emptyCib()),
      incarnation: 1,
      running: new Map(),
      answers: [],
      up: false,
      managerUp: false,
      boot: 1,
      memory: undefined,
      complete: true,
      companions: new Set([id]),
    }));
  }

  #configured() {
    return this.nodes.map(({ id, name }) => ({ id, name }));
  }

  #controller(
    self: NodeId,
    selfName: NodeName,
    nodes: { id: NodeId; name: NodeName }[],
    cib: XmlElement,
    memory?: Remembered,
    daemonIsNew = true,
  ): Controller {
    return new Controller({
      self,
      selfName,
      nodes,
      incarnation: `i${self}-${this.now}`,
      cib,
      daemonIsNew,
      ...(memory ? { remembered: memory } : {}),
    });
  }

  node(name: string): TestNode {
    const found = this.nodes.find((node) => node.name === name);
    if (!found) throw new Error(`no node ${name}`);
    return found;
  }

  /** Boots nodes: nothing runs there, and they find each other. */
  boot(...nodes: (string | TestNode)[]): void {
    for (const which of nodes) {
      const node = typeof which === "string" ? this.node(which) : which;
      node.up = true;
      node.running.clear();
      node.boot++;
      node.answers = [];
      node.memory = undefined;
      node.complete = true;
      this.#startManager(node, true);
    }
    this.#form(this.nodes.filter(({ up }) => up));
  }

  #startManager(node: TestNode, daemonIsNew: boolean): void {
    node.managerUp = true;
    node.incarnation++;
    node.companions = new Set();
    if (this.now > 0 || node.incarnation > 2) {
      const cib = node.controller.view().cib;
      const stored = { ...cib, children: cib.children.filter(({ name }) => name !== "status") };
      node.controller = this.#controller(
        node.id,
        node.name,
        this.#configured(),
        structuredClone(stored),
        structuredClone(node.memory),
        daemonIsNew,
      );
    }
    this.#step(node, { type: "executor-up", history: this.#history(node), again: false });
  }

  /** What the executor of a node tells: nothing when its state was lost. */
  #history(node: TestNode): ExecutorHistory {
    const results = node.complete ? this.#results(node) : [];
    return { results, running: [], bootId: `boot-${node.name}-${node.boot}`, complete: node.complete };
  }

  /** The last answer of each operation since the boot, as an executor keeps them. */
  #results(node: TestNode): OperationResult[] {
    const kept = new Map<string, OperationResult>();
    for (const result of node.answers) {
      const { rsc, action, intervalMs } = result;
      if (["start", "stop", "promote", "demote"].includes(action))
        for (const [key, other] of kept)
          if (other.rsc.id === rsc.id && other.intervalMs > 0) kept.delete(key);
      kept.set(`${rsc.id} ${action} ${intervalMs}`, result);
    }
    return [...kept.values()];
  }

  /** Power fails: everything on the node is gone at once. */
  crash(name: string): void {
    const node = this.node(name);
    node.up = false;
    node.managerUp = false;
    node.running.clear();
    this.#form(this.#members.filter((member) => member !== node));
  }

  /** The manager process dies; ring, executor and services stay. */
  killManager(name: string): void {
    const node = this.node(name);
    node.managerUp = false;
    this.#announce();
  }

  restartManager(name: string): void {
    this.#startManager(this.node(name), false);
    this.#announce();
  }

  /**
   * The daemon dies and is started again before anybody misses it: one membership in which the node has left and joined.
   * `complete`: its new executor knows what runs.
   */
  restartDaemon(name: string, complete = true): void {
    const node = this.node(name);
    node.complete = complete;
    this.#startManager(node, true);
    this.#form(this.#members);
  }

  /** All managers die at the same moment, and come back one after the other. */
  restartAllManagers(): void {
    const members = this.#members.filter(({ managerUp }) => managerUp);
    for (const node of members) node.managerUp = false;
    this.#announce();
    for (const node of members) {
      this.#startManager(node, false);
      this.#announce();
    }
  }

  /** Cuts the network into parts; the nodes not named stay together. */
  partition(...part: string[]): void {
    this.#form(this.#members.filter(({ name }) => part.includes(name)));
  }

  #form(members: TestNode[]): void {
    this.#ring += 4;
    this.#serial = 0;
    this.#members = members;
    this.#announce();
  }

  /** A membership, the same for all at this point of the order. */
  #announce(): void {
    this.#drain();
    this.#serial++;
    const members = this.#members;
    const participants = members.filter(({ managerUp }) => managerUp);
    for (const node of participants) {
      const membership: Membership = {
        ringId: { representative: members[0]?.id ?? nodeId(1), sequence: this.#ring },
        serial: this.#serial,
        members: members.map(({ id }) => id),
        participants: participants.map(({ id, incarnation }) => ({ nodeId: id, incarnation })),
        cameWithMe: participants.filter(({ id }) => node.companions.has(id)).map(({ id }) => id),
        quorate: this.quorate,
      };
      this.#step(node, { type: "membership", membership });
    }
    const all = new Set(participants.map(({ id }) => id));
    for (const node of participants) node.companions = new Set(all);
    this.#drain();
  }

  /** Loads crm text through one node, as an administrator would. */
  configure(text: string, through = "n1"): void {
    const node = this.node(through);
    const xml = formatXml(loadCrm(text, child(node.controller.view().cib, "configuration"), "update"), -1);
    this.apply([{ op: "replace", scope: "configuration", xml }], through);
  }

  apply(operations: readonly CibOperation[], through = "n1"): void {
    const request = `r${++this.#requests}`;
    this.step(through, {
      type: "cib-request",
      request,
      operations,
      user: "root",
      client: "test",
      askers: [],
    });
    const reply = this.replies.get(request);
    if (reply?.error) throw reply.error;
  }

  /** Gives an event to a node's controller and delivers what follows. */
  step(name: string, event: ControllerEvent): void {
    this.#step(this.node(name), event);
    this.#drain();
  }

  /** Lets time pass: timers fire, agents answer. */
  run(ms: number): void {
    const end = this.now + ms;
    for (;;) {
      const timer = this.#timers.toSorted((a, b) => a.at - b.at)[0];
      const soon = this.#soon.toSorted((a, b) => a.at - b.at)[0];
      const at = Math.min(timer?.at ?? Number.POSITIVE_INFINITY, soon?.at ?? Number.POSITIVE_INFINITY);
      if (at > end) break;
      this.now = at;
      if (soon && soon.at === at) {
        this.#soon.splice(this.#soon.indexOf(soon), 1);
        soon.run();
      } else if (timer) {
        this.#timers.splice(this.#timers.indexOf(timer), 1);
        if (timer.node.managerUp && timer.incarnation === timer.node.incarnation) {
          this.#step(timer.node, { type: "timer", timer: timer.name as never });
        }
      }
      this.#drain();
    }
    this.now = end;
  }

  /** Where a resource is promoted, by node name. */
  promoted(rsc: string): NodeName[] {
    return this.nodes.filter(({ running }) => running.get(rsc) === "promoted").map(({ name }) => name);
  }

  /** Gives a node that is down another name in the node lists of all. */
  rename(name: string, to: string): void {
    this.node(name).name = nodeName(to);
  }

  /** Where a resource runs, by node name. */
  where(rsc: string): NodeName[] {
    return this.nodes.filter(({ running }) => running.has(rsc)).map(({ name }) => name);
  }

  /** The nodes whose manager leads. */
  leaders(): (NodeName | undefined)[] {
    return [
      ...new Set(
        this.#members.filter(({ managerUp }) => managerUp).map(({ controller }) => controller.view().leader),
      ),
    ];
  }

  /** The CIB of every participant as text: they have to be equal. */
  cibs(): string[] {
    return [
      ...new Set(
        this.#members
          .filter(({ managerUp }) => managerUp)
          .map(({ controller }) => formatXml(controller.view().cib)),
      ),
    ];
  }

  #drain(): void {
    for (let next = this.#queue.shift(); next; next = this.#queue.shift()) {
      const { from, payload } = next;
      if (!this.#members.includes(from)) continue;
      for (const node of this.#members) {
        if (node.managerUp) this.#step(node, { type: "message", from: from.id, payload });
      }
    }
  }

  #step(node: TestNode, event: ControllerEvent): void {
    for (const effect of node.controller.step(event, this.now, start + this.now / 1000))
      this.#carryOut(node, effect);
  }

  #carryOut(node: TestNode, effect: ControllerEffect): void {
    switch (effect.type) {
      case "broadcast":
        this.#queue.push({ from: node, payload: effect.payload });
        return;
      case "set-timer":
        this.#timers = this.#timers.filter((timer) => timer.node !== node || timer.name !== effect.timer);
        this.#timers.push({
          at: this.now + effect.afterMs,
          node,
          name: effect.timer,
          incarnation: node.incarnation,
        });
        return;
      case "cancel-timer":
        this.#timers = this.#timers.filter((timer) => timer.node !== node || timer.name !== effect.timer);
        return;
      case "execute":
      case "connection":
      case "fence-device":
        return this.#execute(node, effect.operation);
      case "fence":
        return this.#fence(effect.request);
      case "reply":
        this.replies.set(effect.request, effect);
        return;
      case "event":
        this.log.push(`${node.name} ${effect.event.id} ${effect.event.text}`);
        return;
      case "refused":
        this.refused.push(node.id);
        node.up = false;
        node.managerUp = false;
        this.#soon.push({
          at: this.now,
          run: () => this.#form(this.#members.filter((member) => member !== node)),
        });
        return;
      case "remember":
        node.memory = effect.memory;
        return;
      case "probed":
        this.node(effect.on).complete = true;
        return;
      case "leave":
        node.up = false;
        node.managerUp = false;
        this.#soon.push({
          at: this.now + 1,
          run: () => this.#form(this.#members.filter((member) => member !== node)),
        });
        return;
    }
  }

  #execute(node: TestNode, operation: Operation): void {
    this.executed.push({ node: node.name, operation, at: this.now });
    const { rsc, action, intervalMs } = operation;
    let rc = this.agent(node.name, operation);
    if (rc === "silent") return;
    if (action === "monitor") rc = this.#monitor(node, rsc.id, rc);
    if (rc === OcfExit.OK) {
      if (action === "start" || action === "demote" || action === "migrate_from")
        node.running.set(rsc.id, "started");
      if (action === "promote") node.running.set(rsc.id, "promoted");
      if (action === "stop") node.running.delete(rsc.id);
    }
    const result = this.#result(operation, rc);
    this.#soon.push({ at: this.now + (intervalMs > 0 ? 2 : 5), run: () => this.#answer(node, result) });
  }

  #monitor(node: TestNode, rsc: string, rc: number): number {
    if (rc !== OcfExit.OK) return rc;
    const state = node.running.get(rsc);
    if (state === undefined) return OcfExit.NOT_RUNNING;
    return state === "promoted" ? OcfExit.RUNNING_PROMOTED : OcfExit.OK;
  }

  #answer(node: TestNode, result: OperationResult): void {
    if (!node.up) return;
    node.answers.push(result);
    if (node.managerUp) this.#step(node, { type: "result", node: node.name, result });
  }

  #result(operation: Operation, rc: number): OperationResult {
    const { callId, rsc, action, intervalMs, transitionKey, params } = operation;
    const at = start + this.now / 1000;
    return {
      callId,
      rsc,
      action,
      intervalMs,
      transitionKey,
      params,
      rc,
      status:
        rc === OcfExit.OK || rc === OcfExit.NOT_RUNNING || rc === OcfExit.RUNNING_PROMOTED
          ? OpStatus.DONE
          : OpStatus.ERROR,
      exitReason: rc === OcfExit.OK ? "" : `rc ${rc}`,
      stdout: "",
      execMs: 5,
      queueMs: 0,
      lastRun: at,
      lastChange: at,
    };
  }

  /** A recurring monitor notices something: its answer is now this. */
  fail(name: string, rsc: string, rc: number): void {
    const node = this.node(name);
    const recurring = this.executed.findLast(({ node: on, operation }) => {
      return (
        on === node.name &&
        operation.rsc.id === rsc &&
        operation.action === "monitor" &&
        operation.intervalMs > 0
      );
    });
    if (!recurring) throw new Error(`${rsc} has no monitor on ${name}`);
    if (rc === OcfExit.NOT_RUNNING) node.running.delete(rsc);
    this.#step(node, { type: "result", node: node.name, result: this.#result(recurring.operation, rc) });
    this.#drain();
  }

  #fence(request: FenceRequest): void {
    this.fenced.push(request);
    const ok = this.fencing(request);
    if (ok === undefined) return;
    this.#soon.push({
      at: this.now + 100,
      run: () => {
        const target = this.nodes.find(({ name }) => name === request.target);
        if (ok && target?.up) this.crash(target.name);
        const result: FenceResult = {
          id: request.id,
          target: request.target,
          action: request.action,
          ok,
          executor: request.origin,
          devices: ["device"],
          reason: ok ? "" : "the device does not answer",
          client: request.client,
          origin: request.origin,
          completedAt: start + this.now / 1000,
          deed: ok ? "off" : "none",
          failures: ok ? 0 : this.fenced.filter((other) => other.target === request.target).length,
          exhausted: false,
        };
        for (const node of this.#members)
          if (node.managerUp) this.#step(node, { type: "fence-result", result });
      },
    });
  }
}
