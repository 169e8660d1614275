import { randomBytes } from "node:crypto";
import { join } from "node:path";
import {
  type FrameConnection,
  type FrameHandlers,
  type FrameServer,
  type Log,
  lockFile,
  monotonicMs,
  pathProblem,
  readLimited,
  serveFrames,
  serviceManager,
  wallMs,
  writeDurably,
} from "../platform/index.ts";
import { CrmExit, HactlError, type Millis, nodeId } from "../terms/index.ts";
import { ringSocketPath, socketNames } from "./admin-protocol.ts";
import { Child, ownCommand } from "./children.ts";
import { inForceEnvironment } from "./in-force.ts";
import { markLeft } from "./left-mark.ts";
import { RingChanges } from "./ring-changes.ts";
import { RingCore } from "./ring-core.ts";
import type { RingEffect, RingEvent, RingTimer } from "./ring-core-face.ts";
import { stampFilter } from "./ring-filter.ts";
import { KeyFiles } from "./ring-key-files.ts";
import { Lateness } from "./ring-lateness.ts";
import {
  decodeRingRequest,
  encodeDelivery,
  FromRing,
  type RingProcessStatus,
  type RingReply,
  ToRing,
  toJson,
} from "./ring-link.ts";
import { RingMachine } from "./ring-machine.ts";
import { RingSockets } from "./ring-sockets.ts";
import { parseRingState, type RingState, RingStateKeeper } from "./ring-state.ts";
import { mendDirectory, mendedText, RunDirectory } from "./run-directory.ts";
import { type NodeSetup, ringOptions } from "./setup.ts";

/** Bytes of the manager's messages that may wait for the token before the manager has to wait. */
const backlogHigh = 8 * 1024 * 1024;
const backlogLow = 2 * 1024 * 1024;
/** How long, and how often, what is in the place of a socket is put aside at the start. */
const serveForMs: Millis = 5_000;
const serveAgainMs: Millis = 50;
/** Who is to leave without a manager to see to it waits so long for one. */
const managerComesMs: Millis = 60_000;
/** After the goodbye, time for it to leave the machine. */
const goodbyeMs: Millis = 100;

/**
 * The ring process: joins the pure ring core to sockets, clock and disk, keeps the manager and the executor alive,
 * and pets the watchdog. It parses no XML and plans nothing, since a token may not wait.
 */
export class RingProcess {
  readonly #core: RingCore;
  readonly #sockets = new RingSockets({
    datagram: (link, address, data) => this.#step({ type: "datagram", link, address, data }),
    // An unreachable peer is what the links' pings find out; each datagram would be a line of log.
    error: (link, error) => this.log.debug("UDP", error.message, { link }),
    long: () => this.#runDue(),
    unfiltered: (link, why) =>
      this.log.warning("FLOOD", `the kernel takes no filter (${why}): each datagram has to be looked at`, {
        link,
      }),
    came: ({ link, address }) => this.log.notice("ADDRESS", `${address} is there now`, { link }),
  });
  readonly #timers = new Map<
    RingTimer,
    { readonly handle: ReturnType<typeof setTimeout>; readonly due: Millis }
  >();
  readonly #service = serviceManager();
  readonly #children: readonly Child[];
  readonly #startedAt = wallMs();
  readonly #lateness = new Lateness();
  readonly #keyFiles: KeyFiles;
  readonly #runDirectory: RunDirectory;
  #server: FrameServer | undefined;
  #manager: FrameConnection | undefined;
  /** Of the manager that connected last; begins anywhere, so that no earlier run of this ring had the same. */
  #incarnation = Math.floor(randomBytes(6).readUIntBE(0, 6) / 2);
  #paused = false;
  readonly #startState: RingState;
  readonly #state: RingStateKeeper;
  /** Why the state could not be written the last time, as long as that lasts. */
  #stateProblem: string | undefined;
  #writing: Promise<void> = Promise.resolve();
  readonly #machine: RingMachine;
  readonly #changes: RingChanges;
  #ending = false;
  /** Signals to end that have come. */
  #signals = 0;
  #left = false;
  /** Nothing is done any more but to end. */
  #over = false;
  #end: (code: number) => void = () => {};

  /** `children`: what it keeps alive; manager and executor unless said otherwise. */
  constructor(
    setup: NodeSetup,
    private readonly log: Log,
    children?: readonly Child[],
  ) {
    this.#machine = new RingMachine(log);
    this.#keyFiles = new KeyFiles(setup.config.totem.keyFile);
    const nextKey = this.#keyFiles.next();
    const broughtKey = this.#keyFiles.brought();
    const options = {
      ...ringOptions(setup, this.#keyFiles.current()),
      ...(nextKey && { nextKey }),
      ...(broughtKey && { broughtKey }),
    };
    this.#core = new RingCore(options, randomBytes(8), monotonicMs());
    this.#changes = new RingChanges(setup, {
      core: this.#core,
      sockets: this.#sockets,
      keyFiles: this.#keyFiles,
      log,
      step: (event) => this.#step(event),
      tell: () => this.#manager?.send(FromRing.RELOADED, new TextEncoder().encode(this.#changes.described)),
    });
    this.#startState = this.#readState();
    this.#state = new RingStateKeeper(this.#startState, {
      write: (state, done) => this.#writeState(state, done),
      later: (run) => setTimeout(run, 1000),
    });
    const { configPath, node } = setup.arguments;
    const words = (mode: string) => [
      ...ownCommand(),
      "internal",
      mode,
      "--config",
      configPath,
      "--parent",
      String(process.pid),
      ...(node === undefined ? [] : ["--node", node]),
    ];
    // Whoever comes next needs its sockets at once.
    const gone = () => void this.#runDirectory.look();
    const environment = () => inForceEnvironment(this.#changes.described);
    this.#children = children ?? [
      new Child("executor", words("executor"), log, { gone, environment }),
      // The kernel may need long to end it: the others must not wait for one that says nothing.
      new Child("manager", words("manager"), log, {
        gone,
        environment,
        hung: () => this.#manager?.destroy(),
      }),
    ];
    this.#runDirectory = new RunDirectory(setup.config.system.runDir, {
      log,
      cares: () => this.#server !== undefined,
      sockets: () => (this.#server ? [this.#server] : []),
      names: socketNames,
    });
  }

  /** Runs until the node has left the cluster, or must not go on. Settles with the exit code. */
  async run(): Promise<number> {
    const { system } = this.#changes.setup.config;
    const lock = lockFile(join(system.stateDir, "lock"));
    this.#machine.askForPriority(system);
    try {
      await this.#sockets.prepare(this.#changes.setup, true);
      this.#sockets.use(this.#changes.setup);
      for (const text of this.#missingAddresses()) this.log.warning("ADDRESS", text);
      this.#server = await this.#serve(system.runDir);
    } catch (error) {
      // Open sockets would keep the process from ending, and others from starting it again.
      this.#sockets.close();
      lock.release();
      throw error;
    }
    this.#machine.arm(system, this.#service);
    this.#step({ type: "start", ...this.#startState });
    for (const child of this.#children) child.start();
    this.#runDirectory.start();
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => this.#signalled());
    process.on("SIGHUP", () => void this.#changes.reload());
    const code = await new Promise<number>((resolve) => {
      this.#end = resolve;
    });
    this.#service.stopping();
    this.#runDirectory.close();
    await Promise.all(this.#children.map((child) => child.stop()));
    this.#over = true;
    for (const { handle } of this.#timers.values()) clearTimeout(handle);
    this.#sockets.close();
    this.#server.close();
    await this.#writing;
    this.#machine.end(code === CrmExit.OK);
    lock.release();
    return code;
  }

  /**
   * The manager's way in. What is in the place of its socket is put aside, and may be put there again: it is tried for a
   * while, since a node that does not come back is lost. @throws HactlError SOCKET
   */
  async #serve(runDir: string): Promise<FrameServer> {
    const handlers: FrameHandlers = {
      frame: (connection, type, body) => this.#fromManager(connection, type, body),
      open: (connection) => this.#managerUp(connection),
      close: (connection) => this.#managerDown(connection),
    };
    for (const until = monotonicMs() + serveForMs; ; await Bun.sleep(serveAgainMs)) {
      try {
        const wrong = mendDirectory(runDir, socketNames);
        if (wrong.length > 0) this.log.warning("RUN-DIRECTORY", mendedText(wrong));
        return serveFrames(ringSocketPath(runDir), handlers, { mode: 0o600 });
      } catch (error) {
        if (monotonicMs() < until) continue;
        throw error instanceof HactlError ? error : pathProblem(ringSocketPath(runDir), error);
      }
    }
  }

  // ── the core ─────────────────────────────────────────────────────────────────────────────────────────────

  #step(event: RingEvent): void {
    // What is written last comes back as an event: the timers that it would set would keep the process.
    if (this.#over) return;
    for (const effect of this.#core.step(event, monotonicMs())) this.#carryOut(effect);
  }

  #carryOut(effect: RingEffect): void {
    switch (effect.type) {
      case "send":
        return this.#sockets.send(effect.link, effect.data, effect.port, effect.address);
      case "set-timer":
        return this.#setTimer(effect.timer, effect.afterMs);
      case "cancel-timer":
        return this.#cancelTimer(effect.timer);
      case "refuse-unstamped":
        return this.#sockets.filter(effect.keys && stampFilter(effect.keys));
      case "persist":
        return this.#state.change({ ringSequence: effect.ringSequence }, () =>
          this.#step({ type: "persisted", ringSequence: effect.ringSequence }),
        );
      case "persist-expected-votes":
        return this.#state.change({ expectedVotes: effect.expectedVotes, lastQuorate: effect.lastQuorate });
      case "reconfigured":
        return this.#changes.reconfigured(effect.change);
      case "store-key":
        return this.#keepKey(
          () => this.#keyFiles.store(effect.key),
          () => this.#step({ type: "key-stored", digest: effect.digest }),
        );
      case "adopt-key":
        return this.#keepKey(
          () => this.#keyFiles.adopt(effect.key),
          () => this.#step({ type: "key-adopted", digest: effect.digest }),
        );
      case "find-brought": {
        const { nonce } = effect;
        const found = () => this.#step({ type: "brought-found", nonce, key: this.#keyFiles.brought() });
        return queueMicrotask(found);
      }
      case "brought-refused":
        return this.#changes.broughtRefused(effect.refusal);
      case "key-changed":
        return this.#changes.keyChanged(effect.digest, effect.nodes);
      case "manager-membership":
        if (effect.incarnation !== this.#incarnation) return;
        this.#manager?.send(FromRing.MEMBERSHIP, toJson(effect.membership));
        return this.#service.ready(
          `${effect.membership.members.length} members, ${effect.membership.quorum.reason}`,
        );
      case "manager-deliver":
        if (effect.incarnation !== this.#incarnation) return;
        this.#manager?.send(FromRing.DELIVER, encodeDelivery(effect.from, effect.payload));
        return;
      case "manager-changing":
        if (effect.incarnation === this.#incarnation)
          this.#manager?.send(FromRing.CHANGING, new Uint8Array());
        return;
      case "configuration": {
        const { members, joined, left } = effect;
        return this.log.part("TOTEM", false).notice("RING", `ring of nodes ${members.join(" ")}`, {
          joined: joined.join(" ") || undefined,
          left: left.join(" ") || undefined,
        });
      }
      case "quorum":
        return this.log.part("QUORUM", false).notice("QUORUM", effect.state.reason, {
          votes: effect.state.votes,
          needed: effect.state.needed,
        });
      case "log":
        return this.log.part(effect.subsystem)[effect.level]("RING-LOG", effect.text);
    }
  }

  #setTimer(timer: RingTimer, afterMs: Millis): void {
    this.#cancelTimer(timer);
    const due = monotonicMs() + afterMs;
    const handle = setTimeout(() => this.#fire(timer, due), afterMs);
    this.#timers.set(timer, { handle, due });
  }

  #cancelTimer(timer: RingTimer): void {
    clearTimeout(this.#timers.get(timer)?.handle);
    this.#timers.delete(timer);
  }

  #fire(timer: RingTimer, due: Millis): void {
    this.#timers.delete(timer);
    this.#lateness.note(monotonicMs() - due);
    this.#step({ type: "timer", timer });
  }

  /** The event loop does not come to its timers because datagrams do not end: what is due is run from among them. */
  #runDue(): void {
    this.#machine.beat();
    const now = monotonicMs();
    for (const [timer, { handle, due }] of [...this.#timers]) {
      // What ran before it may have set it anew.
      if (due > now || this.#timers.get(timer)?.handle !== handle) continue;
      clearTimeout(handle);
      this.#fire(timer, due);
    }
  }

  // ── sockets, disk, machine ───────────────────────────────────────────────────────────────────────────────

  get #statePath(): string {
    return join(this.#changes.setup.config.system.stateDir, "ring.json");
  }

  #readState(): RingState {
    const content = readLimited(this.#statePath, 65_536);
    if (!content) return { ringSequence: 0 };
    const state = parseRingState(new TextDecoder().decode(content));
    if (state) return state;
    throw new HactlError({
      code: "RING_STATE",
      what: "the ring's state is not readable",
      where: { file: this.#statePath },
      cure: "remove the file if no other node of the cluster is running; a ring number may not be used twice",
      exit: CrmExit.DATAERR,
    });
  }

  #writeState(state: RingState, done: (written: boolean) => void): void {
    const write = () => writeDurably(this.#statePath, JSON.stringify(state), { mode: 0o600 });
    this.#writing = this.#writing.then(write).then(
      () => {
        if (this.#stateProblem !== undefined)
          this.log.notice("RING-STATE", "the ring's state can be written again");
        this.#stateProblem = undefined;
        done(true);
      },
      (error) => {
        // Without its number on disk the node must not form a ring: it stays where it is and says why.
        const why = error instanceof Error ? error.message : String(error);
        if (why !== this.#stateProblem)
          this.log.critical(
            "RING-STATE",
            `the ring's state cannot be written, and until it can this node may have to stay out of rings: ${why}`,
            { file: this.#statePath },
          );
        this.#stateProblem = why;
        done(false);
      },
    );
  }

  /** Writes a key file; as long as that fails the change of the key waits for this node. */
  #keepKey(write: () => Promise<void>, done: () => void): void {
    this.#writing = this.#writing.then(write).then(done, (error) => {
      const file = this.#changes.setup.config.totem.keyFile;
      this.log.error("KEY-FILE", `the new key cannot be written: ${error}; tried again`, { file });
      setTimeout(() => this.#keepKey(write, done), 1000);
    });
  }

  // ── the manager ──────────────────────────────────────────────────────────────────────────────────────────

  #managerUp(connection: FrameConnection): void {
    const before = this.#manager;
    this.#manager = connection;
    if (before) {
      this.#step({ type: "manager-down" });
      before.destroy();
    }
    this.#incarnation += 1;
    this.#paused = false;
    this.#step({ type: "manager-up", incarnation: this.#incarnation });
    // The one before it died while it drained the node.
    if (this.#ending && !this.#left) connection.send(FromRing.DRAIN, new Uint8Array());
  }

  #managerDown(connection: FrameConnection): void {
    if (connection !== this.#manager) return;
    this.#manager = undefined;
    if (!this.#left) this.#step({ type: "manager-down" });
  }

  #fromManager(connection: FrameConnection, type: number, body: Uint8Array): void {
    if (connection !== this.#manager) return;
    switch (type) {
      case ToRing.SEND:
        this.#step({ type: "manager-send", payload: body });
        return this.#holdBack(connection);
      case ToRing.REQUEST:
        return this.#request(connection, body);
      case ToRing.DRAIN:
        return this.#drain();
      case ToRing.LEAVE:
        return this.#leave();
      case ToRing.STOP_NOW:
        this.log.critical("SELF-FENCED", "this node was fenced by the others: it ends at once");
        return this.#end(CrmExit.FATAL);
      case ToRing.REFUSED:
        this.log.critical("REFUSED", `this node cannot take part: ${new TextDecoder().decode(body)}`);
        return this.#end(CrmExit.CONFIG);
    }
  }

  /** A manager that says more than the ring can carry has to wait. */
  #holdBack(connection: FrameConnection): void {
    if (this.#paused || this.#core.status().backlogBytes < backlogHigh) return;
    this.#paused = true;
    connection.pause();
    const look = setInterval(() => {
      if (connection.open && this.#core.status().backlogBytes > backlogLow) return;
      clearInterval(look);
      this.#paused = false;
      connection.resume();
    }, 5);
  }

  #request(connection: FrameConnection, body: Uint8Array): void {
    const asked = decodeRingRequest(body);
    if (!asked) return this.log.error("RING-REQUEST", "what the manager asks is no request");
    const { id, request, refused } = asked;
    const reply = (rest: Omit<RingReply, "id">) => connection.send(FromRing.REPLY, toJson({ id, ...rest }));
    if (!request) {
      reply({ error: `the ring does not understand the request: ${refused}` });
      return;
    }
    switch (request.type) {
      case "status":
        reply({ value: this.status() });
        return;
      case "rekey":
        return this.#changes.rekey(reply, request.brought === true);
      case "expected-votes":
        this.#step({ type: "set-expected-votes", votes: request.votes });
        reply({ value: this.status() });
        return;
      case "node-votes": {
        const node = nodeId(request.node);
        if (!this.#core.status().totem.members.includes(node))
          reply({ error: `node ${request.node} is not a member` });
        else {
          this.#step({ type: "set-votes", node, votes: request.votes });
          reply({ value: this.status() });
        }
        return;
      }
      case "reload": {
        void this.#changes
          .reload(request.force === true)
          .then((result) => reply(typeof result === "string" ? { error: result } : { value: result }));
        return;
      }
    }
  }

  /** Facts about this process for `hactl ring status`. */
  status(): RingProcessStatus {
    const core = this.#core.status();
    const configured = this.#changes.setup.config.nodes.map(({ id, votes }) => [id, votes]);
    return {
      core,
      names: Object.fromEntries(this.#changes.setup.config.nodes.map(({ id, name }) => [id, name])),
      votes: { ...Object.fromEntries(configured), ...core.votes },
      addresses: Object.fromEntries(this.#changes.setup.self.addresses),
      monotonicNow: monotonicMs(),
      realtime: this.#machine.realtime,
      memory: this.#machine.memory,
      warnings: [...this.#machine.warnings, ...this.#missingAddresses(), ...this.#ofProcesses()],
      ...(this.#stateProblem !== undefined && { stateProblem: this.#stateProblem }),
      startedAt: this.#startedAt,
      lateness: this.#lateness.summary(),
      children: this.#children.map(({ name, pid, restarts }) => ({ name, pid, restarts })),
    };
  }

  #ofProcesses(): string[] {
    return this.#children.flatMap(({ warning }) => warning ?? []);
  }

  #missingAddresses(): string[] {
    return this.#sockets.missing.map(
      ({ link, address }) =>
        `no interface of this machine has ${address} (link ${link}) yet: it is waited for; look at the cable and the ` +
        "configuration of the network",
    );
  }

  // ── the end ──────────────────────────────────────────────────────────────────────────────────────────────

  /** A second signal does not wait for the services. What an administrator has asked for is no signal. */
  #signalled(): void {
    if (this.#signals++ > 0) return this.#endUndrained();
    this.#drain();
  }

  /**
   * First the services go, then the node; to ask for it once more changes nothing. A manager that is about to come, at the
   * start or after its death, is told then.
   */
  #drain(): void {
    if (this.#ending) return;
    this.#ending = true;
    this.log.notice("DRAIN", "this node leaves the cluster; its services are stopped or moved first");
    this.#service.stopping();
    if (this.#manager) this.#manager.send(FromRing.DRAIN, new Uint8Array());
    else setTimeout(() => this.#manager || this.#endUndrained(), managerComesMs).unref();
  }

  #endUndrained(): void {
    this.log.warning(
      "LEAVE-UNDRAINED",
      "ending without moving the services away: the others will fence this node",
    );
    this.#end(CrmExit.OK);
  }

  #leave(): void {
    this.#ending = true;
    this.#left = true;
    markLeft(this.#changes.setup.config.system.runDir, process.pid);
    this.#step({ type: "leave" });
    setTimeout(() => this.#end(CrmExit.OK), goodbyeMs);
  }
}
