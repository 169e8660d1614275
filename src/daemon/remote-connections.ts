import { parseInteger } from "../cib/index.ts";
import type { ControllerEvent, ExecutorHistory, RemoteAddress, RemoteHistory } from "../controller/index.ts";
import type { ExecutorEvent, ExecutorRequest, Operation } from "../executor/index.ts";
import {
  LONGEST_TIMER_MS,
  type Log,
  monotonicMs,
  TurnedAway,
  wallMs,
  wallSeconds,
} from "../platform/index.ts";
import { ExecutorClient, type RemoteKey, remoteExecutor } from "../remote/index.ts";
import {
  HactlError,
  type Millis,
  type NodeName,
  nodeName,
  OcfExit,
  OpStatus,
  type ResourceId,
} from "../terms/index.ts";
import { readAdminRequest } from "./admin-parse.ts";
import { type AdminRequest, type NodeReply, wireError } from "./admin-protocol.ts";
import { type Caller, remoteCaller } from "./caller.ts";
import { ConnectionGap, RECONNECT_MS } from "./connection-gap.ts";
import { GivenOperations } from "./given-operations.ts";
import { type ExecutorSettings, throttleRequest } from "./host-load.ts";
import { resultOf } from "./operation-result.ts";
import { AddressTurns, addressText, type LeftAddress } from "./remote-addresses.ts";
import { RemoteAllowances } from "./remote-allowances.ts";
import { workOfEvent, workOfRequest } from "./work.ts";

export interface RemoteConnectionsOptions {
  readonly self: NodeName;
  readonly log: Log;
  /** Read at each connection, so a new key needs no restart. */
  readonly key: () => RemoteKey;
  readonly step: (event: ControllerEvent) => void;
  /** Answers a request that a tool on a remote host makes. */
  readonly tool: (request: AdminRequest, caller: Caller) => Promise<unknown>;
  /** A remote executor has answered a question for the meta-data of an agent (`ask`). */
  readonly metadata: (
    requestId: number,
    xml: string,
    error: string | undefined,
    absent: boolean | undefined,
  ) => void;
}

/** A connection that the manager before this one had is tried for so long before this one takes part. */
const RESUME_MS: Millis = 4000;
/** For one attempt to make a connection again that broke: a host that is there answers at once. */
const ATTEMPT_MS: Millis = 1500;
/** A host that says nothing for so long has its connection broken; then it has `RECONNECT_MS` to answer to another one. */
const SILENCE_MS: Millis = 5000;

/**
 * A host that says too much is not heard for so long at a time. Signs of life are behind what it says: one that is only
 * busy has to be heard well before anybody takes it for dead.
 */
const LONGEST_HOLD_MS: Millis = 1000;

interface Connection {
  readonly client: ExecutorClient;
  /** The start that made it. */
  readonly start: Operation;
  /** Where it goes. */
  address: RemoteAddress;
  /** What people have to know of that. */
  remark: string | undefined;
  /** The host has answered: the cluster has been told that it is there. */
  known: boolean;
  /** Another node takes the connection over: losing it is no failure. */
  handingOver: boolean;
  /** Recurring monitor of the connection, with what it said last. */
  monitor:
    | { readonly operation: Operation; timer: ReturnType<typeof setTimeout> | undefined; ok: boolean }
    | undefined;
  /** Operations sent and not answered. */
  readonly flying: Map<number, Operation>;
  readonly given: GivenOperations;
  /** Set while it is broken and tried again. */
  gap: ConnectionGap | undefined;
  patience: ReturnType<typeof setTimeout> | undefined;
}

const isConnection = (rsc: Operation["rsc"]): boolean =>
  rsc.provider === "pacemaker" && rsc.type === "remote";

/** Where a connection resource says that its remote host is (ocf:pacemaker:remote; remote-addr of a guest). */
const hostOf = ({ rsc, params }: Operation): string => params.server ?? params.addr ?? rsc.id;

/**
 * Connections of this node to remote hosts. Each is a resource of the cluster (`ocf:pacemaker:remote`, or implied by
 * a guest's `remote-node`): its start connects, its monitor asks for a sign of life, its stop lets go.
 */
export class RemoteConnections {
  readonly #connections = new Map<NodeName, Connection>();
  /** Where hosts were whose connection was let go while all was well with it. */
  readonly #left = new Map<NodeName, LeftAddress>();
  /** Where hosts are, or were, that any node is or was connected to. */
  readonly #located = new Map<NodeName, LeftAddress>();
  /** Who waits for what runs behind a connection that is being made again. */
  readonly #resuming = new Map<NodeName, (history: ExecutorHistory) => void>();
  readonly #notGiven: TurnedAway;
  readonly #allowances: RemoteAllowances;
  #settings: ExecutorSettings | undefined;

  constructor(private readonly options: RemoteConnectionsOptions) {
    const say = (what: string, name: string) =>
      options.log.warning(
        "REMOTE-NOT-ASKED",
        `remote node ${name} told the result of ${what}, which it was not given: ignored`,
      );
    this.#notGiven = new TurnedAway(say, monotonicMs);
    this.#allowances = new RemoteAllowances(options.log, monotonicMs);
  }

  /** Carries out an operation of a connection resource. */
  connection(operation: Operation): void {
    const name = nodeName(operation.rsc.id);
    const begun = monotonicMs();
    const answer = (rc: OcfExit, status: OpStatus = OpStatus.DONE, reason = "") =>
      this.#answer(operation, rc, status, reason, begun);
    switch (operation.action) {
      case "start":
      case "migrate_from":
        return this.#connect(name, operation, answer);
      case "stop":
        this.#disconnect(name);
        return answer(OcfExit.OK);
      case "migrate_to": {
        const connection = this.#connections.get(name);
        if (connection) connection.handingOver = true;
        return answer(OcfExit.OK);
      }
      case "monitor":
        if (operation.intervalMs > 0) return this.#watch(name, operation);
        return this.#whenSettled(name, (up) => answer(up ? OcfExit.OK : OcfExit.NOT_RUNNING));
      default:
        return answer(OcfExit.OK);
    }
  }

  /** Starts and monitors of the connections that are there, for a manager that goes on after this one. */
  operations(): Operation[] {
    return [...this.#connections.values()].flatMap(({ start, monitor }) =>
      monitor ? [start, monitor.operation] : [start],
    );
  }

  /**
   * Makes again the connections that the manager before this one had, and tells what runs behind them. One that cannot be
   * made in time is lost, as it would have been had that manager lived.
   */
  async resume(operations: readonly Operation[]): Promise<RemoteHistory[]> {
    const starts = operations.filter(
      ({ rsc, action }) => isConnection(rsc) && (action === "start" || action === "migrate_from"),
    );
    const remotes = await Promise.all(
      starts.map(async (start): Promise<RemoteHistory[]> => {
        const name = nodeName(start.rsc.id);
        const monitor = operations.find(
          ({ rsc, intervalMs }) => isConnection(rsc) && rsc.id === start.rsc.id && intervalMs > 0,
        );
        const history = await this.#resume(name, start, monitor);
        const address = this.#connections.get(name)?.address;
        return history ? [{ node: name, history, ...(address && { address }) }] : [];
      }),
    );
    return remotes.flat();
  }

  #resume(
    name: NodeName,
    start: Operation,
    monitor: Operation | undefined,
  ): Promise<ExecutorHistory | undefined> {
    return new Promise((resolve) => {
      const answer = (rc: OcfExit, _status?: OpStatus, reason?: string) => {
        const connection = this.#connections.get(name);
        if (monitor && connection) {
          connection.monitor = { operation: monitor, timer: undefined, ok: true };
          if (rc === OcfExit.OK) this.#lookAgain(connection);
        } else if (monitor && rc !== OcfExit.OK) {
          this.#answer(monitor, OcfExit.GENERIC, OpStatus.ERROR, reason ?? "no connection", monotonicMs());
        }
        if (rc === OcfExit.OK) return;
        this.#resuming.delete(name);
        resolve(undefined);
      };
      this.#resuming.set(name, resolve);
      this.#connect(name, { ...start, timeoutMs: RESUME_MS }, answer);
    });
  }

  /** Some node is connected to a remote node there; or, without an address, none is any more. */
  located(name: NodeName, address: RemoteAddress | undefined): void {
    const known = this.#located.get(name);
    if (address) this.#located.set(name, { address });
    else if (known && known.at === undefined) this.#located.set(name, { ...known, at: monotonicMs() });
  }

  /** The cluster has looked for all that may run on a remote node. */
  probed(on: NodeName): void {
    this.#tell(on, { type: "probed" });
  }

  /** Runs an operation on a remote node. */
  execute(on: NodeName, operation: Operation): void {
    const connection = this.#connections.get(on);
    if (connection?.client.send({ type: "execute", operation })) {
      connection.given.sent(operation);
      if (operation.intervalMs === 0) connection.flying.set(operation.callId, operation);
      return;
    }
    if (connection?.gap) return connection.gap.ask(operation);
    this.#notConnected(on, operation);
  }

  cancel(on: NodeName, rsc: ResourceId, action: string, intervalMs: Millis): void {
    this.#tell(on, { type: "cancel", rsc, action, intervalMs });
  }

  forget(on: NodeName, rsc: ResourceId): void {
    this.#tell(on, { type: "forget", rsc });
  }

  lookAgain(on: NodeName, rsc: ResourceId): void {
    this.#tell(on, { type: "look-again", rsc });
  }

  /** Asks an executor for what nobody waits for long; false when it is not connected. */
  ask(on: NodeName, request: ExecutorRequest): boolean {
    return this.#connections.get(on)?.client.send(request) ?? false;
  }

  /** What people have to know. */
  warnings(): string[] {
    const elsewhere = [...this.#connections.values()].flatMap(({ remark }) => remark ?? []);
    return [...this.#allowances.warnings(), ...elsewhere];
  }

  /** Notes what a host has cost. One that has had its share is not heard until it has come back. */
  #charge(name: NodeName, client: ExecutorClient | undefined, workMs: Millis, bytes = 0): void {
    const waitMs = this.#allowances.charge(name, workMs, bytes);
    if (waitMs > 0) client?.hold(Math.min(waitMs, LONGEST_HOLD_MS));
  }

  #tell(on: NodeName, request: ExecutorRequest): void {
    const connection = this.#connections.get(on);
    if (connection && !connection.client.send(request)) connection.gap?.tell(request);
  }

  /** Says whether a connection is there, when that is known. */
  #whenSettled(name: NodeName, say: (up: boolean) => void): void {
    const connection = this.#connections.get(name);
    if (connection?.gap) connection.gap.whenOver(say);
    else say(connection?.client.up === true);
  }

  /** Tells all remote hosts, and those that connect later, what the cluster's properties say to executors. */
  configure(settings: ExecutorSettings): void {
    this.#settings = settings;
    for (const { client } of this.#connections.values()) client.send(settings);
  }

  /** Ends the recurring monitor of a connection resource. */
  cancelConnection(rsc: ResourceId, intervalMs: Millis): void {
    const connection = this.#connections.get(nodeName(rsc));
    if (connection?.monitor?.operation.intervalMs === intervalMs) stopMonitor(connection);
  }

  close(): void {
    const all = [...this.#connections.values()];
    // What is let go on purpose is not lost.
    this.#connections.clear();
    for (const connection of all) {
      stopMonitor(connection);
      clearTimeout(connection.patience);
      connection.client.close();
    }
  }

  #connect(
    name: NodeName,
    operation: Operation,
    answer: (rc: OcfExit, status?: OpStatus, reason?: string) => void,
  ): void {
    const before = this.#connections.get(name);
    if (before?.client.up) return answer(OcfExit.OK);
    if (before) this.#giveUp(name, before);
    const host = hostOf(operation);
    const begun = monotonicMs();
    let reason = "no answer";
    let waiting = true;
    const done = (rc: OcfExit, status?: OpStatus, why?: string) => {
      if (!waiting) return;
      waiting = false;
      clearTimeout(timer);
      answer(rc, status, why);
    };
    const patienceMs = Math.min(operation.timeoutMs, LONGEST_TIMER_MS);
    const timer = setTimeout(() => {
      // Another start may have taken its place.
      if (this.#connections.get(name)?.start === operation) this.#disconnect(name);
      done(OcfExit.GENERIC, OpStatus.TIMEOUT, `remote host ${host} cannot be reached: ${reason}`);
    }, patienceMs);
    const port = parseInteger(operation.params.port ?? "3121");
    if (port === undefined || port < 1 || port > 65_535)
      return done(OcfExit.CONFIGURED, OpStatus.DONE, `port=${operation.params.port} is no port of TCP`);
    const configured = { host, port };
    // A guest is where the node is that it was moved to: where it was, another one may be.
    const located = operation.params.addr === undefined ? this.#located.get(name) : undefined;
    const turns = new AddressTurns(configured, this.#left.get(name) ?? located, begun);
    this.#left.delete(name);
    this.#located.delete(name);
    let reach: (address: RemoteAddress, timeoutMs: Millis) => ReturnType<typeof remoteExecutor>;
    try {
      const key = this.options.key();
      reach = (address, timeoutMs) => remoteExecutor({ ...address, node: name, key, timeoutMs });
      reach(configured, patienceMs);
    } catch (error) {
      if (!(error instanceof HactlError)) throw error;
      // Another node may have the key, or a better one.
      return done(OcfExit.INSTALLED, OpStatus.ERROR, `${error.what} (${error.cure ?? "see the log"})`);
    }
    const given = new GivenOperations();
    const client: ExecutorClient = new ExecutorClient({
      connect: () => {
        const connection = this.#connections.get(name);
        if (!waiting && connection?.client === client) return reach(connection.address, ATTEMPT_MS)();
        const address = turns.next(monotonicMs());
        if (connection?.client === client) connection.address = address;
        return reach(address, turns.hasOther ? ATTEMPT_MS : patienceMs)();
      },
      silenceMs: SILENCE_MS,
      client: `manager of ${this.options.self}`,
      onBytes: (count) => this.#charge(name, client, 0, count),
      onEvent: (event) => {
        this.#charge(
          name,
          client,
          workOfEvent(event, (result) => given.answers(result)),
        );
        if (event.type === "registered" && waiting) this.#tellAddress(name, configured);
        this.#event(name, event);
        if (event.type === "registered") done(OcfExit.OK);
      },
      onState: (state) => {
        if (state.up) return;
        reason = state.reason;
        if (!waiting) this.#broken(name, client, reason);
      },
    });
    this.#connections.set(name, {
      client,
      start: operation,
      address: configured,
      remark: undefined,
      known: false,
      handingOver: false,
      monitor: undefined,
      flying: new Map(),
      given,
      gap: undefined,
      patience: undefined,
    });
    client.start();
  }

  /** A host that is not where its configuration says is kept where it is, and that is told. */
  #tellAddress(name: NodeName, configured: RemoteAddress): void {
    const connection = this.#connections.get(name);
    if (!connection || connection.address === configured) return;
    const [here, there] = [addressText(configured), addressText(connection.address)];
    connection.remark =
      `remote node ${name} does not answer at ${here}, where it is by its configuration: it stays connected at ${there}, ` +
      `where it was before. Correct server or port of ${name}, or 'hactl resource restart ${name}' when it answers there`;
    this.options.log.warning("REMOTE-ADDRESS", connection.remark);
  }

  #disconnect(name: NodeName): void {
    const connection = this.#connections.get(name);
    if (!connection) return;
    this.#connections.delete(name);
    stopMonitor(connection);
    const { client, known, handingOver, address } = connection;
    if (client.up && known && !handingOver) this.#left.set(name, { address, at: monotonicMs() });
    clearTimeout(connection.patience);
    connection.gap?.over(false);
    connection.gap = undefined;
    if (client.up && !handingOver) client.send({ type: "shutdown-ack" });
    if (known && !handingOver) this.options.step({ type: "remote-down", node: name });
    client.close();
  }

  /**
   * The host, its daemon, or the way to it, has gone: that is no reason yet to fence it. A daemon that is started again
   * takes up what it left, and the client tries to reach it.
   */
  #broken(name: NodeName, client: ExecutorClient, reason: string): void {
    const connection = this.#connections.get(name);
    if (connection?.client !== client || connection.gap) return;
    if (connection.handingOver) return client.close();
    const gap = new ConnectionGap(reason);
    connection.gap = gap;
    connection.patience = setTimeout(() => this.#giveUp(name, connection), RECONNECT_MS);
    const text = `the connection to remote node ${name} is broken and is tried again for ${RECONNECT_MS / 1000} s: ${reason}`;
    this.options.log.warning("REMOTE-BROKEN", text);
  }

  /** A connection that broke is lost: whoever waits is told, and the monitor fails without waiting. */
  #giveUp(name: NodeName, connection: Connection): void {
    const { client, gap, flying } = connection;
    connection.gap = undefined;
    clearTimeout(connection.patience);
    client.close();
    if (!gap) return;
    gap.over(false);
    if (connection.handingOver) return;
    this.options.log.error("REMOTE-LOST", `the connection to remote node ${name} is lost: ${gap.reason}`);
    const asked = new Set([...flying.values(), ...gap.operations]);
    flying.clear();
    for (const operation of asked) this.#notConnected(name, operation);
    this.#monitored(
      connection,
      false,
      `the connection to the remote host is lost: ${gap.reason}`,
      monotonicMs(),
    );
  }

  /**
   * The host answers again, and tells what it knows. That takes the place of what was asked of it before: what it does not
   * tell of was not done.
   */
  #mended(name: NodeName, connection: Connection, gap: ConnectionGap, history: ExecutorHistory): void {
    connection.gap = undefined;
    clearTimeout(connection.patience);
    const running = new Set(history.running.map(({ callId }) => callId));
    for (const callId of [...connection.flying.keys()])
      if (!running.has(callId)) connection.flying.delete(callId);
    for (const request of gap.requests) connection.client.send(request);
    const known = history.complete ? "it knows what runs there" : "what runs there is looked for";
    this.options.log.notice("REMOTE-MENDED", `remote node ${name} answers again: ${known}`);
    const { address } = connection;
    this.options.step({ type: "remote-up", node: name, history: gap.corrected(history), address });
    gap.over(true);
  }

  #event(name: NodeName, event: ExecutorEvent): void {
    const connection = this.#connections.get(name);
    switch (event.type) {
      case "registered":
        if (connection) connection.known = true;
        for (const operation of [...event.running, ...event.recurring, ...event.interrupted])
          connection?.given.add(operation);
        if (this.#settings) connection?.client.send(this.#settings);
        return this.#registered(name, event);
      case "result":
        if (connection?.given.take(event.result) !== true)
          return this.#notGiven.note(name, ofResult(event.result));
        connection.flying.delete(event.result.callId);
        return this.options.step({ type: "result", node: name, result: event.result });
      case "tool":
        return void this.#tool(name, event);
      case "shutdown-request":
        // Its resources go first; the stop of the connection then lets it end.
        return this.options.step({
          type: "attribute-request",
          request: "",
          updates: [{ node: name, name: "shutdown", value: String(wallSeconds()) }],
        });
      case "metadata":
        return this.options.metadata(event.requestId, event.xml, event.error, event.absent);
      case "cancelled":
      case "list":
      case "pong":
        return;
      case "load":
        return this.options.step(throttleRequest(name, event));
    }
  }

  #registered(name: NodeName, event: Extract<ExecutorEvent, { type: "registered" }>): void {
    const { results, running, interrupted, remembered, bootId, complete } = event;
    const history: ExecutorHistory = { results, running, interrupted, remembered, bootId, complete };
    const connection = this.#connections.get(name);
    if (connection?.gap) return this.#mended(name, connection, connection.gap, history);
    const resuming = this.#resuming.get(name);
    this.#resuming.delete(name);
    if (resuming) return resuming(history);
    const address = connection?.address;
    this.options.step({ type: "remote-up", node: name, history, ...(address && { address }) });
  }

  async #tool(
    name: NodeName,
    { requestId, request, user }: Extract<ExecutorEvent, { type: "tool" }>,
  ): Promise<void> {
    const { client } = this.#connections.get(name) ?? {};
    let reply: unknown;
    try {
      const asked = readAdminRequest(request, "request");
      this.#charge(name, client, workOfRequest(asked));
      const changes = asked.type === "attributes-update" || asked.type === "cib-apply";
      const value = await this.#allowances.asked(name, changes, () =>
        this.options.tool(asked, remoteCaller(name, user)),
      );
      if (typeof value === "string") this.#charge(name, client, 0, value.length);
      // "Who am I?" is about the remote host, not about the node that speaks for it.
      reply = { value: asked.type === "node" ? { ...(value as NodeReply), name } : value };
    } catch (error) {
      if (!(error instanceof HactlError))
        this.options.log.error("REMOTE-TOOL", `a request of ${name} could not be answered: ${error}`);
      reply = { error: wireError(error) };
    }
    const answer = (what: unknown) =>
      this.#connections.get(name)?.client.send({ type: "tool-reply", requestId, reply: what });
    try {
      answer(reply);
    } catch (error) {
      // An answer may be longer than a message can be.
      answer({ error: wireError(error) });
    }
  }

  // ── the monitor of a connection ──────────────────────────────────────────────────────────────────────────

  #watch(name: NodeName, operation: Operation): void {
    const connection = this.#connections.get(name);
    if (!connection) {
      return this.#answer(
        operation,
        OcfExit.NOT_RUNNING,
        OpStatus.DONE,
        "there is no connection",
        monotonicMs(),
      );
    }
    stopMonitor(connection);
    connection.monitor = { operation, timer: undefined, ok: false };
    void this.#look(connection, true);
  }

  async #look(connection: Connection, first: boolean): Promise<void> {
    const monitor = connection.monitor;
    if (!monitor) return;
    const begun = monotonicMs();
    const alive = await connection.client.ping(Math.min(monitor.operation.timeoutMs, LONGEST_TIMER_MS));
    if (connection.monitor !== monitor || connection.handingOver) return;
    // Whether a host is there whose connection has just broken is known when that is over.
    if (!alive && connection.gap)
      return connection.gap.whenOver((up) => up && void this.#look(connection, first));
    if (first && alive) {
      monitor.ok = true;
      this.#answer(monitor.operation, OcfExit.OK, OpStatus.DONE, "", begun);
    } else {
      this.#monitored(connection, alive, "the remote host does not answer", begun);
    }
    if (alive) this.#lookAgain(connection);
  }

  #lookAgain(connection: Connection): void {
    const { monitor } = connection;
    if (!monitor) return;
    const afterMs = Math.min(monitor.operation.intervalMs, LONGEST_TIMER_MS);
    monitor.timer = setTimeout(() => void this.#look(connection, false), afterMs);
  }

  #monitored(connection: Connection, alive: boolean, reason: string, begun: Millis): void {
    const { monitor } = connection;
    if (!monitor || (alive && monitor.ok)) return;
    monitor.ok = alive;
    if (alive) return this.#answer(monitor.operation, OcfExit.OK, OpStatus.DONE, "", begun);
    stopMonitor(connection);
    this.#answer(monitor.operation, OcfExit.GENERIC, OpStatus.ERROR, reason, begun);
  }

  #notConnected(on: NodeName, operation: Operation): void {
    const reason = `no connection to ${on}`;
    const result = resultOf(operation, OcfExit.GENERIC, OpStatus.NOT_CONNECTED, reason, wallMs(), 0);
    this.options.step({ type: "result", node: on, result });
  }

  #answer(operation: Operation, rc: OcfExit, status: OpStatus, reason: string, begun: Millis): void {
    const execMs = monotonicMs() - begun;
    const result = resultOf(operation, rc, status, reason, wallMs() - execMs, execMs);
    this.options.step({ type: "result", node: this.options.self, result });
  }
}

const ofResult = ({ rsc, action, intervalMs }: Pick<Operation, "rsc" | "action" | "intervalMs">) =>
  `${action} of ${rsc.id}${intervalMs > 0 ? ` every ${intervalMs} ms` : ""}`;

function stopMonitor(connection: Connection): void {
  clearTimeout(connection.monitor?.timer);
  connection.monitor = undefined;
}
