import {
  type CibOperation,
  type CibVersion,
  child,
  formatXml,
  loadCrm,
  parseAgentDescription,
  parseXml,
  type XmlElement,
} from "../../src/cib/index.ts";
import {
  type AskedAgents,
  Controller,
  type ControllerEffect,
  type ControllerEvent,
  type ExecutorHistory,
  emptyCib,
  type Loss,
  type Membership,
  type PlanAnswer,
  parameterTraits,
  type Remembered,
  type ToldAgent,
} from "../../src/controller/index.ts";
import { encodeMessage, membershipKey } from "../../src/controller/messages.ts";
import type { ClusterTraits } from "../../src/controller/own-properties.ts";
import { type Operation, type OperationResult, UNWATCHED } from "../../src/executor/index.ts";
import { withParameters } from "../../src/executor/results.ts";
import type { FenceRequest, FenceResult, FencerMessage } from "../../src/fencer/index.ts";
import { schedule } from "../../src/scheduler/index.ts";
import {
  type NodeId,
  type NodeName,
  nodeId,
  nodeName,
  OcfExit,
  OpStatus,
  type ResourceId,
} from "../../src/terms/index.ts";

/** What an agent of the test answers: an exit code, nothing for never, or that it cannot be executed. */
export type Agent = (node: NodeName, operation: Operation) => number | "silent" | "unbegun";

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
  /** What its agents are at, since they never end. */
  endless: Operation[];
  /** What its executor says while its next manager has not heard of it. */
  early: OperationResult[];
  /** How far its clock is ahead of the right time, in seconds. */
  clockAhead: number;
  up: boolean;
  managerUp: boolean;
  /** Remote hosts that it asks whether they are back: node, host and port. */
  watched: readonly string[];
  /** Boot of the host; what its manager remembers of it; whether its executor can tell all that runs. */
  boot: number;
  memory: Remembered | undefined;
  complete: boolean;
  /** What its executor has of a daemon before: resources that nothing has been seen of, and what may run. */
  remembered: Set<ResourceId>;
  interrupted: readonly Operation[];
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
  /** Whom each node's fencer was told to be there, in order. */
  readonly fencers: { readonly node: NodeName; readonly members: readonly NodeName[] }[] = [];
  /** Nodes that found that they cannot take part. */
  readonly refused: number[] = [];
  /** Managers that said that they cannot go on. */
  readonly restarts: string[] = [];
  /** Every operation given to an executor. */
  executed: { readonly node: NodeName; readonly operation: Operation; readonly at: number }[] = [];
  /** What executors were told to look at again, with where: RESOURCE NODE. */
  readonly lookedAgain: string[] = [];
  /** Operations on remote hosts that were given to a node without a connection to them. */
  readonly unreached: string[] = [];
  /** What runs on remote hosts, by the names of their nodes. */
  readonly remotes = new Map<NodeName, Map<string, "started" | "promoted">>();
  readonly replies = new Map<string, { readonly value?: unknown; readonly error?: Error }>();
  agent: Agent = () => OcfExit.OK;
  /** The meta-data that an agent prints; nothing: it cannot be asked. */
  metadata: (node: NodeName, type: string) => string | undefined = () => undefined;
  /** How long an agent takes to print it. */
  metadataMs = 3;
  /** Agents that were asked for their meta-data: `NODE TYPE`. */
  readonly described: string[] = [];
  /** What each manager has heard of agents: `NODE of REQUEST: NODE ANSWER`. */
  readonly told: string[] = [];
  /** Outcome of the next fencing; `undefined`: none comes. */
  fencing: (request: FenceRequest) => boolean | undefined = () => true;
  /** What comes of a decision that is computed elsewhere, after how long; undefined: no answer. */
  planner: (cib: XmlElement, now: number) => Omit<PlanAnswer, "id"> | undefined = (cib, now) => ({
    decision: schedule({ cib, now }),
  });
  planMs = 50;
  /** Nodes that asked for one, or dropped one, in order. */
  readonly planned: string[] = [];
  quorate = true;
  /** A node's configuration has changed and is to be written. */
  onPersist: (name: string) => void = () => {};
  now = 0;
  #ring = 0;
  #serial = 0;
  #timers: Timer[] = [];
  #early: { readonly from: TestNode; readonly payload: (membership: string) => Uint8Array }[] = [];
  #queue: { readonly from: TestNode; readonly payload: Uint8Array }[] = [];
  #soon: { readonly at: number; readonly run: () => void }[] = [];
  #members: TestNode[] = [];
  #requests = 0;

  /** How long it takes until the ring of a node that may leave has gone. */
  leaveMs = 0;

  /** `cib`: what each node finds on its disk; `fallback`: the version that it was built on where something was lost, `losses`: what. */
  constructor(
    count: number,
    cib?: (name: string) => XmlElement,
    fallback?: (name: string) => CibVersion | undefined,
    private readonly decideHereMs?: number,
    losses?: (name: string) => readonly Loss[],
    private readonly traits?: (name: string) => ClusterTraits,
  ) {
    const configured = Array.from({ length: count }, (_, i) => ({
      id: nodeId(i + 1),
      name: nodeName(`n${i + 1}`),
    }));
    this.nodes = configured.map(({ id, name }) => ({
      id,
      name,
      controller: this.#controller(
        id,
        name,
        configured,
        cib?.(name) ?? emptyCib(),
        undefined,
        true,
        fallback?.(name),
        losses?.(name),
      ),
      incarnation: 1,
      running: new Map(),
      answers: [],
      endless: [],
      early: [],
      clockAhead: 0,
      up: false,
      managerUp: false,
      watched: [],
      boot: 1,
      memory: undefined,
      complete: true,
      remembered: new Set(),
      interrupted: [],
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
    fallback?: CibVersion,
    losses?: readonly Loss[],
  ): Controller {
    return new Controller({
      self,
      selfName,
      nodes,
      incarnation: `i${self}-${this.now}`,
      cib,
      daemonIsNew,
      ...(memory ? { remembered: memory } : {}),
      ...(fallback && { fallback }),
      ...(losses && { losses }),
      ...(this.traits && { traits: this.traits(selfName) }),
      ...(this.decideHereMs === undefined ? {} : { decideHereMs: this.decideHereMs }),
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
      node.endless = [];
      node.memory = undefined;
      node.complete = true;
      node.remembered.clear();
      node.interrupted = [];
      this.#startManager(node, true);
    }
    this.#form(this.nodes.filter(({ up }) => up));
  }

  #startManager(node: TestNode, daemonIsNew: boolean, tellsAll = node.complete): void {
    node.managerUp = true;
    node.watched = [];
    node.incarnation++;
    node.companions = new Set();
    for (const other of this.nodes) other.companions.delete(node.id);
    if (this.now > 0 || node.incarnation > 2) {
      const { cib, fallback, losses } = node.controller.view();
      const stored = { ...cib, children: cib.children.filter(({ name }) => name !== "status") };
      node.controller = this.#controller(
        node.id,
        node.name,
        this.#configured(),
        structuredClone(stored),
        structuredClone(node.memory),
        daemonIsNew,
        fallback,
        losses,
      );
    }
    // Its executor goes on, and may have something to say before its manager has heard all of its history.
    const history = this.#history(node, tellsAll);
    for (const result of node.early.splice(0)) this.#step(node, { type: "result", node: node.name, result });
    this.#step(node, { type: "executor-up", history, again: false });
  }

  /** What the executor of a node tells: nothing when its state was lost. */
  #history(node: TestNode, tellsAll: boolean): ExecutorHistory {
    const results = tellsAll ? this.#results(node) : [];
    return {
      results,
      running: tellsAll ? node.endless : [],
      interrupted: node.interrupted,
      remembered: [...node.remembered],
      bootId: `boot-${node.name}-${node.boot}`,
      complete: node.complete,
    };
  }

  /** The last answer of each operation since the boot, as an executor keeps them. */
  #results({ answers }: { readonly answers: readonly OperationResult[] }): OperationResult[] {
    const kept = new Map<string, OperationResult>();
    for (const result of answers) {
      const { rsc, action, intervalMs } = result;
      if (["start", "stop", "promote", "demote"].includes(action))
        for (const [key, other] of kept)
          if (other.rsc.id === rsc.id && other.intervalMs > 0) kept.delete(key);
      kept.set(`${rsc.id} ${action} ${intervalMs}`, result);
    }
    return [...kept.values()];
  }

  /** The answer to the last operation that brought a resource into its state. */
  #registered(name: NodeName, id: string, state: "started" | "promoted"): OperationResult {
    const last = this.executed.findLast(({ node: on, operation }) => {
      return (
        on === name &&
        operation.rsc.id === id &&
        operation.action === (state === "promoted" ? "promote" : "start")
      );
    });
    if (!last) throw new Error(`${id} runs on ${name} but was never started`);
    return this.#result(last.operation, 0);
  }

  /** Power fails: everything on the node is gone at once. */
  crash(name: string): void {
    const node = this.node(name);
    node.up = false;
    node.managerUp = false;
    node.running.clear();
    for (const [remote, by] of this.#reached) if (by === node) this.#reached.delete(remote);
    this.#form(this.#members.filter((member) => member !== node));
  }

  /** The manager process dies; ring, executor and services stay. */
  killManager(name: string): void {
    const node = this.node(name);
    node.managerUp = false;
    this.#announce();
  }

  /** `meanwhile`: what managers hear while it joins. */
  restartManager(
    name: string,
    ...meanwhile: readonly (readonly [name: string, event: ControllerEvent])[]
  ): void {
    this.#startManager(this.node(name), false);
    this.#announce(true, () => {
      for (const [node, event] of meanwhile) this.#step(this.node(node), event);
    });
  }

  /**
   * The daemon dies and is started again before anybody misses it: one membership in which the node has left and joined.
   * `complete`: its new executor knows what runs; `interrupted`: what may run of which it knows nothing.
   */
  restartDaemon(name: string, complete = true, interrupted: readonly Operation[] = []): void {
    this.#startDaemon(this.node(name), complete, interrupted);
    this.#form(this.#members);
  }

  /** The daemon of a remote host is started again, and its services run on: what it tells is what its executor kept. */
  restartRemoteDaemon(name: NodeName): void {
    const node = this.#reached.get(name);
    if (!node) throw new Error(`nobody is connected to ${name}`);
    const results = this.#results({ answers: this.#remoteAnswers.filter(({ on }) => on === name) });
    const remembered = [...new Set(results.map(({ rsc }) => rsc.id))];
    const history = {
      results,
      running: [],
      interrupted: [],
      remembered,
      bootId: `boot-${name}`,
      complete: true,
    };
    this.#step(node, { type: "remote-up", node: name, history });
    this.#drain();
  }

  /** All daemons die, `meanwhile` something happens, and they are started again before long. */
  restartAllDaemons(meanwhile: () => void, complete: (name: NodeName) => boolean = () => true): void {
    const members = this.#members;
    meanwhile();
    for (const node of members) this.#startDaemon(node, complete(node.name), []);
    this.#form(members);
  }

  #startDaemon(node: TestNode, complete: boolean, interrupted: readonly Operation[]): void {
    node.complete = complete && interrupted.length === 0;
    // Who remembers nothing does not know of connections to make again.
    for (const [remote, by] of complete ? [] : [...this.#reached])
      if (by === node) {
        this.#reached.delete(remote);
        node.running.delete(remote);
      }
    node.interrupted = interrupted;
    const lost = new Set(interrupted.map(({ rsc }) => rsc.id));
    node.answers = complete ? node.answers.filter(({ rsc }) => !lost.has(rsc.id)) : [];
    const kept = this.#results(node);
    node.remembered = new Set(kept.map(({ rsc }) => rsc.id));
    this.#startManager(node, true, complete);
    // Monitors go on at once.
    for (const known of kept.filter(({ intervalMs }) => intervalMs > 0))
      this.#soon.push({ at: this.now + 20, run: () => this.#monitorAgain(node, known) });
  }

  #monitorAgain(node: TestNode, known: OperationResult): void {
    if (!node.answers.includes(known)) return;
    const rc = monitored(node.running.get(known.rsc.id));
    this.#answer(node, node.name, { ...known, rc, status: OpStatus.DONE });
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

  /** Cuts the network, or mends it: the nodes that are named are together, and of the others nothing is heard. */
  partition(...part: string[]): void {
    this.#form(this.nodes.filter(({ name, up }) => up && part.includes(name)));
  }

  /** A daemon is restarted, and the others miss it first; what they say of that comes too late for it to be heard. */
  restartMissedDaemon(name: string): void {
    const members = this.#members;
    this.#startManager(this.node(name), true);
    this.#form(
      members.filter((member) => member !== this.node(name)),
      false,
    );
    this.#queue.length = 0;
    this.#form(members);
  }

  #form(members: TestNode[], heard = true): void {
    this.#ring += 4;
    this.#serial = 0;
    this.#members = members;
    this.#announce(heard);
  }

  /** A membership, the same for all at this point of the order. */
  #announce(heard = true, meanwhile: () => void = () => {}): void {
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
    meanwhile();
    // What was on its way when the membership began comes before all that is said in it.
    const key = membershipKey({
      ringId: { representative: members[0]?.id ?? nodeId(1), sequence: this.#ring },
      serial: this.#serial,
      participants: participants.map(({ id, incarnation }) => ({ nodeId: id, incarnation })),
    });
    const early = this.#early.splice(0).map(({ from, payload }) => ({ from, payload: payload(key) }));
    this.#queue.unshift(...early);
    const all = new Set(participants.map(({ id }) => id));
    for (const node of participants) node.companions = new Set(all);
    if (heard) this.#drain();
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

  /** A member says something of its own in the ring's order, whatever it is. */
  say(name: string, payload: Uint8Array): void {
    this.#queue.push({ from: this.node(name), payload });
    this.#drain();
  }

  /** The same as the first thing that is delivered in the next membership, made with that membership's name. */
  sayEarly(name: string, payload: (membership: string) => Uint8Array): void {
    this.#early.push({ from: this.node(name), payload });
  }

  /** Gives an event to a node's controller and delivers what follows. */
  step(name: string, event: ControllerEvent): void {
    const node = this.node(name);
    if (event.type === "result" && event.node === node.name)
      node.endless = node.endless.filter(({ callId }) => callId !== event.result.callId);
    this.#step(this.node(name), event);
    this.#drain();
  }

  /** Gives events to controllers before anything that follows from them is delivered; that is then in their order. */
  together(...events: readonly (readonly [name: string, event: ControllerEvent])[]): void {
    for (const [name, event] of events) this.#step(this.node(name), event);
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
    const here = this.nodes.map(({ name, running }) => ({ name, running }));
    const there = [...this.remotes].map(([name, running]) => ({ name, running }));
    return [...here, ...there].filter(({ running }) => running.has(rsc)).map(({ name }) => name);
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
    for (const effect of node.controller.step(event, this.now, this.#wall(node)))
      this.#carryOut(node, effect);
  }

  /** Tells which of the agents that were asked for are on a node. */
  #tellAgents(node: TestNode, request: string, { node: on, agents }: AskedAgents): void {
    if (!node.managerUp) return;
    const told = agents.map(({ type }, index): ToldAgent => {
      const xml = this.metadata(on, type);
      return xml === undefined
        ? { index, facts: { kind: "absent", reason: "not there" } }
        : { index, facts: { kind: "described", description: parseAgentDescription(xml) } };
    });
    this.#step(node, { type: "agents-answer", request, node: on, told });
  }

  /** The time of day, in seconds since 1970. */
  get wallSeconds(): number {
    return this.#wall();
  }

  #wall(node?: TestNode): number {
    return start + this.now / 1000 + (node?.clockAhead ?? 0);
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
      case "plan": {
        this.planned.push(`${node.name} asks`);
        const { id, cib, now } = effect;
        const answer = this.planner(parseXml(cib), now);
        const { incarnation } = node;
        const run = () => {
          if (node.managerUp && node.incarnation === incarnation)
            this.#step(node, { type: "planned", id, ...answer });
        };
        if (answer) this.#soon.push({ at: this.now + this.planMs, run });
        return;
      }
      case "plan-dropped":
        this.planned.push(`${node.name} drops`);
        return;
      case "cancel-timer":
        this.#timers = this.#timers.filter((timer) => timer.node !== node || timer.name !== effect.timer);
        return;
      case "ask-agent": {
        const { on, agent } = effect;
        this.described.push(`${on} ${agent.type}`);
        const xml = this.metadata(on, agent.type);
        const traits = xml === undefined ? undefined : parameterTraits(xml);
        const told = { type: "agent-told", node: on, agent, ...(traits ? { traits } : {}) } as const;
        const { incarnation } = node;
        const run = () => {
          if (node.managerUp && node.incarnation === incarnation) this.#step(node, told);
        };
        this.#soon.push({ at: this.now + this.metadataMs, run });
        return;
      }
      case "agents-asked": {
        const { request, asked } = effect;
        this.#soon.push({
          at: this.now + this.metadataMs,
          run: () => this.#tellAgents(node, request, asked),
        });
        return;
      }
      case "agents-told":
        this.told.push(`${node.name} of ${effect.request}: ${effect.node} ${JSON.stringify(effect.told)}`);
        return;
      case "execute":
        return this.#execute(node, effect.operation, effect.on);
      case "connection":
      case "fence-device":
        return this.#execute(node, effect.operation, node.name);
      case "watch-remotes":
        node.watched = effect.remotes.map(({ node: remote, host, port }) => `${remote} ${host}:${port}`);
        return;
      case "fence":
        return this.#fence(effect.request);
      case "fencer-membership":
        this.fencers.push({ node: node.name, members: effect.membership.members });
        return;
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
      case "probed": {
        // A remote host's executor keeps nothing here.
        const host = this.nodes.find(({ name }) => name === effect.on);
        if (host) host.complete = true;
        return;
      }
      case "forget": {
        const host = this.nodes.find(({ name }) => name === effect.on);
        if (!host) return;
        host.answers = host.answers.filter(({ rsc }) => rsc.id !== effect.rsc);
        host.remembered.delete(effect.rsc);
        return;
      }
      case "look-again":
        this.lookedAgain.push(`${effect.rsc} ${effect.on}`);
        return;
      case "persist":
        return this.onPersist(node.name);
      case "restart":
        this.restarts.push(`${node.name}: ${effect.reason}`);
        return;
      case "self-fenced":
        this.#soon.push({ at: this.now + 1, run: () => this.crash(node.name) });
        return;
      case "leave": {
        const gone = () => {
          node.up = false;
          node.managerUp = false;
        };
        if (this.leaveMs === 0) gone();
        this.#soon.push({
          at: this.now + 1 + this.leaveMs,
          run: () => {
            gone();
            this.#form(this.#members.filter((member) => member !== node));
          },
        });
        return;
      }
    }
  }

  /** With which parameters services were started, by node and resource. */
  readonly #startedWith = new Map<string, Operation["params"]>();

  #execute(node: TestNode, asked: Operation, on: NodeName): void {
    const { rsc, action, intervalMs } = asked;
    const service = `${on} ${rsc.id}`;
    const started = action === "demote" ? this.#startedWith.get(service) : undefined;
    const operation = started ? withParameters(asked, started) : asked;
    this.executed.push({ node: on, operation, at: this.now });
    if (["start", "migrate_from", "reload", "reload-agent"].includes(action))
      this.#startedWith.set(service, operation.params);
    if (on !== node.name && this.#reached.get(on) !== node) {
      this.unreached.push(`${action} ${rsc.id} ${on} by ${node.name}`);
      const refused = { ...this.#result(operation, OcfExit.GENERIC), status: OpStatus.NOT_CONNECTED };
      this.#soon.push({ at: this.now + 1, run: () => this.#answer(node, on, refused) });
      return;
    }
    const running = on === node.name ? node.running : this.#remote(on);
    let rc = this.agent(on, operation);
    if (rc === "silent") {
      if (on === node.name && intervalMs === 0) node.endless.push(operation);
      return;
    }
    if (rc === "unbegun") {
      // Where a migration was to come it may be, whatever its agent said.
      const comes = this.executed.findLast(
        ({ node: there, operation: { rsc: one, action: before } }) =>
          there === on && one.id === rsc.id && !["monitor", "stop"].includes(before),
      );
      const arrives = comes?.operation.action === "migrate_from" ? "started" : undefined;
      const refused = this.#unbegun(operation, running.get(rsc.id) ?? arrives);
      this.#soon.push({ at: this.now + 2, run: () => this.#answer(node, on, refused) });
      return;
    }
    if (action === "monitor" && rc === OcfExit.OK) rc = monitored(running.get(rsc.id));
    if (rc === OcfExit.OK) {
      if (action === "start" || action === "demote" || action === "migrate_from")
        running.set(rsc.id, "started");
      if (action === "promote") running.set(rsc.id, "promoted");
      if (action === "stop") running.delete(rsc.id);
    }
    // What is told of it takes its time; it is gone at once.
    const letGo = rsc.type === "remote" && action === "stop" && rc === OcfExit.OK;
    const wasReached = letGo && this.#reached.delete(nodeName(rsc.id));
    const result = this.#result(operation, rc, on === node.name ? node : undefined);
    const connected = rsc.type === "remote" && rc === OcfExit.OK && intervalMs === 0;
    this.#soon.push({
      at: this.now + (intervalMs > 0 ? 2 : 5),
      run: () => {
        if (connected) this.#connected(node, nodeName(rsc.id), action, wasReached);
        this.#answer(node, on, result);
      },
    });
  }

  /** What an executor says of what it could not execute: of what runs that nobody can tell more. */
  #unbegun(operation: Operation, state: "started" | "promoted" | undefined): OperationResult {
    const { action } = operation;
    const result = this.#result(operation, OcfExit.INSTALLED);
    const why = "/ra/A is not executable: chmod 755 it";
    if (state === undefined && action === "stop") return this.#result(operation, OcfExit.OK);
    if (state === undefined || action === "start" || action === "migrate_from")
      return { ...result, status: OpStatus.NOT_INSTALLED, exitReason: why };
    const exitReason = `${UNWATCHED}: ${why}`;
    if (action !== "monitor") return { ...result, status: OpStatus.NOT_INSTALLED, exitReason };
    const degraded = state === "promoted" ? OcfExit.DEGRADED_PROMOTED : OcfExit.DEGRADED;
    return { ...result, rc: degraded, status: OpStatus.DONE, exitReason };
  }

  /** Remote nodes to which somebody has a connection, with who. */
  readonly #reached = new Map<NodeName, TestNode>();
  /** What was answered on remote hosts. */
  readonly #remoteAnswers: (OperationResult & { readonly on: NodeName })[] = [];

  #remote(name: NodeName): Map<string, "started" | "promoted"> {
    const running = this.remotes.get(name) ?? new Map();
    this.remotes.set(name, running);
    return running;
  }

  /** A connection to a remote host was made, or let go. */
  #connected(node: TestNode, remote: NodeName, action: string, wasReached: boolean): void {
    if (!node.managerUp) return;
    // Of one that never came about there is nothing to tell.
    if (action === "stop" && wasReached) this.#step(node, { type: "remote-down", node: remote });
    if (action !== "start" && action !== "migrate_from") return;
    this.#reached.set(remote, node);
    const results = [...this.#remote(remote)].map(([id, state]) => this.#registered(remote, id, state));
    const history = {
      results,
      running: [],
      interrupted: [],
      remembered: [],
      bootId: `boot-${remote}`,
      complete: true,
    };
    this.#step(node, { type: "remote-up", node: remote, history });
  }

  #answer(node: TestNode, on: NodeName, result: OperationResult): void {
    if (!node.up) return;
    if (on === node.name) {
      node.answers.push(result);
      node.remembered.delete(result.rsc.id);
      node.interrupted = node.interrupted.filter(({ rsc }) => rsc.id !== result.rsc.id);
    } else if (result.status !== OpStatus.NOT_CONNECTED) this.#remoteAnswers.push({ ...result, on });
    if (node.managerUp) this.#step(node, { type: "result", node: on, result });
  }

  #result(operation: Operation, rc: number, by?: TestNode): OperationResult {
    const { callId, rsc, action, intervalMs, transitionKey, params } = operation;
    const at = this.#wall(by);
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

  /** A recurring monitor notices something: its answer is now this. `through`: who is connected, to a remote node. */
  fail(name: string, rsc: string, rc: number | "unbegun", through = name): void {
    const node = this.node(through);
    const failing = nodeName(name);
    const recurring = this.executed.findLast(({ node: on, operation }) => {
      return (
        on === failing &&
        operation.rsc.id === rsc &&
        operation.action === "monitor" &&
        operation.intervalMs > 0
      );
    });
    if (!recurring) throw new Error(`${rsc} has no monitor on ${name}`);
    const local = failing === node.name;
    const running = local ? node.running : this.#remote(failing);
    if (rc === OcfExit.NOT_RUNNING) running.delete(rsc);
    const result =
      rc === "unbegun"
        ? this.#unbegun(recurring.operation, running.get(rsc))
        : this.#result(recurring.operation, rc, local ? node : undefined);
    if (local) node.answers.push(result);
    this.#step(node, { type: "result", node: failing, result });
    this.#drain();
  }

  #fence(request: FenceRequest): void {
    this.fenced.push(request);
    const { id: op, target, action, origin, timeoutMs, delayMs } = request;
    const order = { op, attempt: 1, level: 0, device: "device", target, action, executor: origin } as const;
    this.#sayOfFencing(origin, {
      type: "execute",
      order: { ...order, phase: "main", timeoutMs, delayMs },
    });
    const ok = this.fencing(request);
    if (ok !== undefined) this.#endFencing(request, ok);
  }

  /**
   * The outcome of a fencing, asked for as the `index`th, of which none came so far. `before`: what it did to the target
   * it did long ago.
   */
  answerFencing(index: number, before = false): void {
    const request = this.fenced[index];
    if (request) this.#endFencing(request, this.fencing(request) === true, before);
  }

  /** The same as the first thing that is delivered in the next membership, before its members know each other. */
  answerFencingEarly(index: number): void {
    const request = this.fenced[index];
    const from = this.#members.find(({ managerUp }) => managerUp);
    if (!request || !from) throw new Error("nobody is there, or nothing was fenced");
    const body = { type: "done", op: request.id, result: this.#outcome(request, true) };
    this.#early.push({ from, payload: () => encodeMessage({ type: "fencer", body }) });
  }

  /** A person answers for it that a node is down. */
  confirmFencing(target: NodeName, on: NodeName): void {
    const at = this.#wall();
    this.#sayOfFencing(on, { type: "confirm", id: `confirm ${target} ${at}`, target, client: "test", at });
    this.#drain();
  }

  /** A message of the fencers: it is delivered to all, whatever they know of the request. */
  #sayOfFencing(origin: NodeName, body: FencerMessage): void {
    this.#step(this.node(origin), { type: "fencer-send", body });
  }

  #outcome(request: FenceRequest, ok: boolean): FenceResult {
    const { id, target, action, client, origin } = request;
    return {
      id,
      target,
      action,
      ok,
      executor: origin,
      devices: ["device"],
      reason: ok ? "" : "the device does not answer",
      client,
      origin,
      completedAt: this.#wall(),
      deed: ok ? "off" : "none",
      failures: ok ? 0 : this.fenced.filter((other) => other.target === target).length,
      exhausted: false,
    };
  }

  #endFencing(request: FenceRequest, ok: boolean, before = false): void {
    this.#soon.push({
      at: this.now + 100,
      run: () => {
        const target = this.nodes.find(({ name }) => name === request.target);
        if (ok && !before && target?.up) this.crash(target.name);
        if (ok) this.remotes.get(request.target)?.clear();
        const result = this.#outcome(request, ok);
        const speaker = this.#members.find(({ managerUp }) => managerUp)?.name ?? request.origin;
        this.#sayOfFencing(speaker, { type: "done", op: request.id, result });
      },
    });
  }
}

/** What a monitor answers that finds a service like this. */
function monitored(state: "started" | "promoted" | undefined): OcfExit {
  if (state === undefined) return OcfExit.NOT_RUNNING;
  return state === "promoted" ? OcfExit.RUNNING_PROMOTED : OcfExit.OK;
}
