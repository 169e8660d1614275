import type { ControllerEvent, ExecutorHistory, RemoteHistory } from "../../src/controller/index.ts";
import { ConnectionGap, RECONNECT_MS } from "../../src/daemon/connection-gap.ts";
import { resultOf } from "../../src/daemon/operation-result.ts";
import type { ExecutorEvent, ExecutorRequest, Operation } from "../../src/executor/index.ts";
import { type NodeName, nodeName, OcfExit, OpStatus, type ResourceId } from "../../src/terms/index.ts";
import { Timers } from "./clock.ts";
import { ExecutorClient } from "./executor-client.ts";
import type { Host } from "./host.ts";

/** A connection that the manager before this one had is tried for so long before this one takes part. */
const RESUME_MS = 4000;
const SILENCE_MS = 5000;
const FIRST_WATCH_MS = 5000;
const LONGEST_WATCH_MS = 60_000;

type Answer = (rc: OcfExit, status?: OpStatus, reason?: string) => void;

interface Connection {
  readonly client: ExecutorClient;
  readonly start: Operation;
  handingOver: boolean;
  monitor: { readonly operation: Operation; ok: boolean } | undefined;
  readonly flying: Map<number, Operation>;
  gap: ConnectionGap | undefined;
}

const isConnection = (rsc: Operation["rsc"]): boolean =>
  rsc.provider === "pacemaker" && rsc.type === "remote";

/** Connections of a node's manager to remote hosts: what `RemoteConnections` of the daemon does, on virtual time. */
export class RemoteConnections {
  private readonly connections = new Map<NodeName, Connection>();
  private readonly resuming = new Map<NodeName, (history: ExecutorHistory) => void>();
  private watched: ReadonlySet<NodeName> = new Set();
  private readonly timers: Timers;

  constructor(
    private readonly host: Host,
    private readonly step: (event: ControllerEvent) => void,
    private readonly whenRunning: (run: () => void) => void,
  ) {
    this.timers = new Timers(host.world.clock);
  }

  connection(operation: Operation): void {
    const name = nodeName(operation.rsc.id);
    const begun = this.now;
    const answer: Answer = (rc, status = OpStatus.DONE, reason = "") =>
      this.answer(operation, rc, status, reason, begun);
    switch (operation.action) {
      case "start":
      case "migrate_from":
        return this.connect(name, operation, answer);
      case "stop":
        this.disconnect(name);
        return answer(OcfExit.OK);
      case "migrate_to": {
        const connection = this.connections.get(name);
        if (connection) connection.handingOver = true;
        return answer(OcfExit.OK);
      }
      case "monitor":
        if (operation.intervalMs > 0) return this.watch(name, operation);
        return this.whenSettled(name, (up) => answer(up ? OcfExit.OK : OcfExit.NOT_RUNNING));
      default:
        return answer(OcfExit.OK);
    }
  }

  operations(): Operation[] {
    return [...this.connections.values()].flatMap(({ start, monitor }) =>
      monitor ? [start, monitor.operation] : [start],
    );
  }

  /** Makes again the connections that the manager before this one had; then tells what runs behind them. */
  resume(operations: readonly Operation[], done: (remotes: RemoteHistory[]) => void): void {
    const starts = operations.filter(
      ({ rsc, action }) => isConnection(rsc) && (action === "start" || action === "migrate_from"),
    );
    const remotes: RemoteHistory[] = [];
    let open = starts.length;
    if (open === 0) return done([]);
    for (const start of starts) {
      const name = nodeName(start.rsc.id);
      const monitor = operations.find(
        ({ rsc, intervalMs }) => isConnection(rsc) && rsc.id === start.rsc.id && intervalMs > 0,
      );
      this.resumeOne(name, start, monitor, (history) => {
        if (history) remotes.push({ node: name, history });
        if (--open === 0) done(remotes);
      });
    }
  }

  probed(on: NodeName): void {
    this.tell(on, { type: "probed" });
  }

  execute(on: NodeName, operation: Operation): void {
    const connection = this.connections.get(on);
    if (connection?.client.send({ type: "execute", operation })) {
      if (operation.intervalMs === 0) connection.flying.set(operation.callId, operation);
      return;
    }
    if (connection?.gap) return connection.gap.ask(operation);
    this.notConnected(on, operation);
  }

  cancel(on: NodeName, rsc: ResourceId, action: string, intervalMs: number): void {
    this.tell(on, { type: "cancel", rsc, action, intervalMs });
  }

  forget(on: NodeName, rsc: ResourceId): void {
    this.tell(on, { type: "forget", rsc });
  }

  askAgain(on: NodeName, rsc: ResourceId): void {
    this.tell(on, { type: "look-again", rsc });
  }

  private tell(on: NodeName, request: ExecutorRequest): void {
    const connection = this.connections.get(on);
    if (connection && !connection.client.send(request)) connection.gap?.tell(request);
  }

  private whenSettled(name: NodeName, say: (up: boolean) => void): void {
    const connection = this.connections.get(name);
    if (connection?.gap) connection.gap.whenOver(say);
    else say(connection?.client.up === true);
  }

  cancelConnection(rsc: ResourceId, intervalMs: number): void {
    const connection = this.connections.get(nodeName(rsc));
    if (connection?.monitor?.operation.intervalMs === intervalMs) this.stopMonitor(connection);
  }

  /** Asks these hosts now and then whether they serve: what `RemoteWatch` does. */
  watchFor(names: readonly NodeName[]): void {
    for (const name of this.watched) if (!names.includes(name)) this.timers.cancel(`watch ${name}`);
    for (const name of names) if (!this.watched.has(name)) this.askLater(name, FIRST_WATCH_MS);
    this.watched = new Set(names);
  }

  private askLater(name: NodeName, waitMs: number): void {
    this.timers.set(`watch ${name}`, waitMs, () => {
      this.askLater(name, Math.min(LONGEST_WATCH_MS, waitMs * 2));
      const to = this.host.world.host(name);
      if (to.executor?.alive && this.host.reaches(to)) this.step({ type: "remote-answers", node: name });
    });
  }

  die(): void {
    this.timers.clear();
    for (const { client } of this.connections.values()) client.die();
    this.connections.clear();
  }

  private get now(): number {
    return this.host.world.clock.now;
  }

  private resumeOne(
    name: NodeName,
    start: Operation,
    monitor: Operation | undefined,
    resolve: (history: ExecutorHistory | undefined) => void,
  ): void {
    const answer: Answer = (rc, _status, reason) => {
      const connection = this.connections.get(name);
      if (monitor && connection) {
        connection.monitor = { operation: monitor, ok: true };
        if (rc === OcfExit.OK) this.lookAgain(name, connection);
      } else if (monitor && rc !== OcfExit.OK) {
        this.answer(monitor, OcfExit.GENERIC, OpStatus.ERROR, reason ?? "no connection", this.now);
      }
      if (rc === OcfExit.OK) return;
      this.resuming.delete(name);
      resolve(undefined);
    };
    this.resuming.set(name, resolve);
    this.connect(name, { ...start, timeoutMs: RESUME_MS }, answer);
  }

  private connect(name: NodeName, operation: Operation, answer: Answer): void {
    const before = this.connections.get(name);
    if (before?.client.up) return answer(OcfExit.OK);
    if (before) this.giveUp(name, before);
    let reason = "no answer";
    let waiting = true;
    const timer = `connect ${name} ${operation.callId}`;
    const done: Answer = (rc, status, why) => {
      if (!waiting) return;
      waiting = false;
      this.timers.cancel(timer);
      answer(rc, status, why);
    };
    this.timers.set(timer, operation.timeoutMs, () => {
      this.disconnect(name);
      done(OcfExit.GENERIC, OpStatus.TIMEOUT, `remote host ${name} cannot be reached: ${reason}`);
    });
    const client: ExecutorClient = new ExecutorClient({
      from: this.host,
      to: this.host.world.host(name),
      silenceMs: SILENCE_MS,
      whenRunning: this.whenRunning,
      onEvent: (event) => {
        this.event(name, event);
        if (event.type === "registered") done(OcfExit.OK);
      },
      onState: (state) => {
        if (state.up) return;
        reason = state.reason;
        if (!waiting) this.broken(name, client, reason);
      },
    });
    this.connections.set(name, {
      client,
      start: operation,
      handingOver: false,
      monitor: undefined,
      flying: new Map(),
      gap: undefined,
    });
    client.start();
  }

  private disconnect(name: NodeName): void {
    const connection = this.connections.get(name);
    if (!connection) return;
    this.connections.delete(name);
    this.stopMonitor(connection);
    const { client, handingOver } = connection;
    this.timers.cancel(`gap ${name}`);
    const broken = connection.gap !== undefined;
    connection.gap?.over(false);
    connection.gap = undefined;
    if (client.up && !handingOver) client.send({ type: "shutdown-ack" });
    if ((client.up || broken) && !handingOver) this.step({ type: "remote-down", node: name });
    client.close();
  }

  private broken(name: NodeName, client: ExecutorClient, reason: string): void {
    const connection = this.connections.get(name);
    if (connection?.client !== client || connection.gap) return;
    if (connection.handingOver) return client.close();
    connection.gap = new ConnectionGap(reason);
    this.timers.set(`gap ${name}`, RECONNECT_MS, () => this.giveUp(name, connection));
  }

  private giveUp(name: NodeName, connection: Connection): void {
    const { client, gap, flying } = connection;
    connection.gap = undefined;
    this.timers.cancel(`gap ${name}`);
    client.close();
    if (!gap) return;
    gap.over(false);
    if (connection.handingOver) return;
    const asked = new Set([...flying.values(), ...gap.operations]);
    flying.clear();
    for (const operation of asked) this.notConnected(name, operation);
    this.monitored(connection, false, `the connection to the remote host is lost: ${gap.reason}`, this.now);
  }

  private mended(name: NodeName, connection: Connection, gap: ConnectionGap, history: ExecutorHistory): void {
    connection.gap = undefined;
    this.timers.cancel(`gap ${name}`);
    const running = new Set(history.running.map(({ callId }) => callId));
    for (const callId of [...connection.flying.keys()])
      if (!running.has(callId)) connection.flying.delete(callId);
    for (const request of gap.requests) connection.client.send(request);
    this.step({ type: "remote-up", node: name, history: gap.corrected(history) });
    gap.over(true);
  }

  private event(name: NodeName, event: ExecutorEvent): void {
    const connection = this.connections.get(name);
    switch (event.type) {
      case "registered":
        return this.registered(name, event);
      case "result":
        connection?.flying.delete(event.result.callId);
        return this.step({ type: "result", node: name, result: event.result });
      case "tool":
        return this.step(event.request as ControllerEvent);
      default:
        return;
    }
  }

  private registered(name: NodeName, event: Extract<ExecutorEvent, { type: "registered" }>): void {
    const { results, running, interrupted, remembered, bootId, complete } = event;
    const history: ExecutorHistory = { results, running, interrupted, remembered, bootId, complete };
    const connection = this.connections.get(name);
    if (connection?.gap) return this.mended(name, connection, connection.gap, history);
    const resuming = this.resuming.get(name);
    this.resuming.delete(name);
    if (resuming) return resuming(history);
    this.step({ type: "remote-up", node: name, history });
  }

  private watch(name: NodeName, operation: Operation): void {
    const connection = this.connections.get(name);
    if (!connection)
      return this.answer(operation, OcfExit.NOT_RUNNING, OpStatus.DONE, "there is no connection", this.now);
    this.stopMonitor(connection);
    connection.monitor = { operation, ok: false };
    this.look(name, connection, true);
  }

  private look(name: NodeName, connection: Connection, first: boolean): void {
    const { monitor } = connection;
    if (!monitor) return;
    const begun = this.now;
    connection.client.ping(monitor.operation.timeoutMs, (alive) => {
      if (connection.monitor !== monitor || connection.handingOver) return;
      if (!alive && connection.gap)
        return connection.gap.whenOver((up) => up && this.look(name, connection, first));
      if (first && alive) {
        monitor.ok = true;
        this.answer(monitor.operation, OcfExit.OK, OpStatus.DONE, "", begun);
      } else {
        this.monitored(connection, alive, "the remote host does not answer", begun);
      }
      if (alive) this.lookAgain(name, connection);
    });
  }

  private lookAgain(name: NodeName, connection: Connection): void {
    const { monitor } = connection;
    if (!monitor) return;
    this.timers.set(`monitor ${name}`, monitor.operation.intervalMs, () =>
      this.look(name, connection, false),
    );
  }

  private monitored(connection: Connection, alive: boolean, reason: string, begun: number): void {
    const { monitor } = connection;
    if (!monitor || (alive && monitor.ok)) return;
    monitor.ok = alive;
    if (alive) return this.answer(monitor.operation, OcfExit.OK, OpStatus.DONE, "", begun);
    this.stopMonitor(connection);
    this.answer(monitor.operation, OcfExit.GENERIC, OpStatus.ERROR, reason, begun);
  }

  private stopMonitor(connection: Connection): void {
    if (connection.monitor) this.timers.cancel(`monitor ${connection.monitor.operation.rsc.id}`);
    connection.monitor = undefined;
  }

  private notConnected(on: NodeName, operation: Operation): void {
    const reason = `no connection to ${on}`;
    const status = OpStatus.NOT_CONNECTED;
    const result = resultOf(operation, OcfExit.GENERIC, status, reason, this.host.wall * 1000, 0);
    this.step({ type: "result", node: on, result });
  }

  private answer(operation: Operation, rc: OcfExit, status: OpStatus, reason: string, begun: number): void {
    const { wall, name } = this.host;
    const execMs = this.now - begun;
    const result = resultOf(operation, rc, status, reason, wall * 1000 - execMs, execMs);
    this.step({ type: "result", node: name, result });
  }
}
