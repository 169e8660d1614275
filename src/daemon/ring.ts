import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { configChanges } from "../config/index.ts";
import {
  enterRealtime,
  type FrameConnection,
  type Log,
  lockFile,
  lockMemory,
  monotonicMs,
  openWatchdog,
  readLimited,
  releaseStartupCode,
  serveFrames,
  serviceManager,
  unlockMemory,
  type Watchdog,
  wallMs,
  writeDurably,
} from "../platform/index.ts";
import { CrmExit, HactlError, type Millis, type NodeId } from "../terms/index.ts";
import { ringSocketPath } from "./admin-protocol.ts";
import { Child, ownCommand } from "./children.ts";
import { RingCore } from "./ring-core.ts";
import type { RingCoreChange, RingEffect, RingEvent, RingTimer } from "./ring-core-face.ts";
import { keyDigest } from "./ring-core-keys.ts";
import { KeyFiles } from "./ring-key-files.ts";
import { Lateness } from "./ring-lateness.ts";
import {
  decodeRingRequest,
  encodeDelivery,
  FromRing,
  type RekeyReply,
  type ReloadReply,
  type RingProcessStatus,
  type RingReply,
  ToRing,
  toJson,
} from "./ring-link.ts";
import { RingSockets } from "./ring-sockets.ts";
import { parseRingState, type RingState, RingStateKeeper } from "./ring-state.ts";
import { loadNode, type NodeSetup, ringOptions } from "./setup.ts";

/** An administrator's change of the key that has not come to its end. */
interface Rekeying {
  readonly digest: string;
  readonly timer: ReturnType<typeof setTimeout>;
  readonly reply: (rest: Omit<RingReply, "id">) => void;
}

/** A configuration that was read and is not in force yet. */
interface Proposal {
  readonly change: RingCoreChange;
  readonly setup: NodeSetup;
  readonly inForce: () => void;
}

/** Bytes of the manager's messages that may wait for the token before the manager has to wait. */
const backlogHigh = 8 * 1024 * 1024;
const backlogLow = 2 * 1024 * 1024;
/** Bytes of a new key (corosync-keygen(8) makes so many). */
const rekeyBytes = 256;
/** How long an administrator waits for all members to have the new key. */
const rekeyPatienceMs: Millis = 20_000;
/** How long a reload waits for the others before it says for whom it waits. */
const reloadPatienceMs: Millis = 2_000;
/** When the start is over, and the memory that only it needed can be given back. */
const startedMs: Millis = 10_000;
/** Time for the allocator to return what a collection has freed: it can't while memory is locked. */
const trimMs: Millis = 500;
/** After the goodbye, time for it to leave the machine. */
const goodbyeMs: Millis = 100;

/**
 * The ring process: joins the pure ring core to sockets, clock and disk, keeps the manager and the executor alive,
 * and pets the watchdog. It parses no XML and plans nothing, since a token may not wait.
 */
export class RingProcess {
  readonly #core: RingCore;
  readonly #sockets = new RingSockets(
    (link, address, data) => this.#step({ type: "datagram", link, address, data }),
    // An unreachable peer is what the links' pings find out; each datagram would be a line of log.
    (link, error) => this.log.debug("UDP", error.message, { link }),
  );
  readonly #timers = new Map<RingTimer, ReturnType<typeof setTimeout>>();
  readonly #service = serviceManager();
  readonly #children: readonly Child[];
  readonly #startedAt = wallMs();
  /** What needs a restart to change is still as it was then. */
  readonly #startedWith: NodeSetup;
  readonly #lateness = new Lateness();
  readonly #keyFiles: KeyFiles;
  #manager: FrameConnection | undefined;
  /** Of the manager that connected last; begins anywhere, so that no earlier run of this ring had the same. */
  #incarnation = Math.floor(randomBytes(6).readUIntBE(0, 6) / 2);
  #paused = false;
  readonly #startState: RingState;
  readonly #state: RingStateKeeper;
  #writing: Promise<void> = Promise.resolve();
  #watchdog: Watchdog | undefined;
  #realtime = "off";
  #memory = "off";
  #warnings: string[] = [];
  #rekeying: Rekeying | undefined;
  /** Configurations that were read and are not in force yet, oldest first. */
  #proposals: Proposal[] = [];
  #ending = false;
  #end: (code: number) => void = () => {};

  /** `children`: what it keeps alive; manager and executor unless said otherwise. */
  constructor(
    private setup: NodeSetup,
    private readonly log: Log,
    children?: readonly Child[],
  ) {
    this.#startedWith = setup;
    this.#keyFiles = new KeyFiles(setup.config.totem.keyFile);
    const nextKey = this.#keyFiles.next();
    const options = { ...ringOptions(setup, this.#keyFiles.current()), ...(nextKey && { nextKey }) };
    this.#core = new RingCore(options, randomBytes(8), monotonicMs());
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
      ...(node === undefined ? [] : ["--node", node]),
    ];
    this.#children = children ?? [
      new Child("executor", words("executor"), log),
      new Child("manager", words("manager"), log),
    ];
  }

  /** Runs until the node has left the cluster, or must not go on. Settles with the exit code. */
  async run(): Promise<number> {
    const { system } = this.setup.config;
    const lock = lockFile(join(system.stateDir, "lock"));
    this.#askForPriority();
    await this.#sockets.prepare(this.setup);
    this.#sockets.use(this.setup);
    const server = serveFrames(
      ringSocketPath(system.runDir),
      {
        frame: (connection, type, body) => this.#fromManager(connection, type, body),
        open: (connection) => this.#managerUp(connection),
        close: (connection) => this.#managerDown(connection),
      },
      { mode: 0o600 },
    );
    this.#armWatchdog();
    setTimeout(() => this.#trimMemory(), startedMs).unref();
    this.#step({ type: "start", ...this.#startState });
    for (const child of this.#children) child.start();
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => this.#drain());
    process.on("SIGHUP", () => void this.#reload());
    const code = await new Promise<number>((resolve) => {
      this.#end = resolve;
    });
    this.#service.stopping();
    await Promise.all(this.#children.map((child) => child.stop()));
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#sockets.close();
    server.close();
    await this.#writing;
    if (code === CrmExit.OK) this.#watchdog?.disarm();
    else this.#watchdog?.abandon();
    lock.release();
    return code;
  }

  // ── the core ─────────────────────────────────────────────────────────────────────────────────────────────

  #step(event: RingEvent): void {
    for (const effect of this.#core.step(event, monotonicMs())) this.#carryOut(effect);
  }

  #carryOut(effect: RingEffect): void {
    switch (effect.type) {
      case "send":
        return this.#sockets.send(effect.link, effect.data, effect.port, effect.address);
      case "set-timer":
        return this.#setTimer(effect.timer, effect.afterMs);
      case "cancel-timer":
        clearTimeout(this.#timers.get(effect.timer));
        this.#timers.delete(effect.timer);
        return;
      case "persist":
        return this.#state.change({ ringSequence: effect.ringSequence }, () =>
          this.#step({ type: "persisted", ringSequence: effect.ringSequence }),
        );
      case "persist-expected-votes":
        return this.#state.change({ expectedVotes: effect.expectedVotes, lastQuorate: effect.lastQuorate });
      case "reconfigured":
        return this.#reconfigured(effect.change);
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
      case "key-changed":
        return this.#keyChanged(effect.digest, effect.nodes);
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
        return this.log.notice("RING", `ring of nodes ${members.join(" ")}`, {
          joined: joined.join(" ") || undefined,
          left: left.join(" ") || undefined,
        });
      }
      case "quorum":
        return this.log.notice("QUORUM", effect.state.reason, {
          votes: effect.state.votes,
          needed: effect.state.needed,
        });
      case "log":
        return this.log.part(effect.subsystem)[effect.level]("RING-LOG", effect.text);
    }
  }

  #setTimer(timer: RingTimer, afterMs: Millis): void {
    clearTimeout(this.#timers.get(timer));
    const due = monotonicMs() + afterMs;
    this.#timers.set(
      timer,
      setTimeout(() => {
        this.#timers.delete(timer);
        this.#lateness.note(monotonicMs() - due);
        this.#step({ type: "timer", timer });
      }, afterMs),
    );
  }

  // ── sockets, disk, machine ───────────────────────────────────────────────────────────────────────────────

  get #statePath(): string {
    return join(this.setup.config.system.stateDir, "ring.json");
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
      () => done(true),
      (error) => {
        // Without its number on disk the node must not form a ring: it stays where it is and says why.
        this.log.critical("RING-STATE", `the ring's state cannot be written: ${error}`, {
          file: this.#statePath,
        });
        done(false);
      },
    );
  }

  /** Writes a key file; as long as that fails the change of the key waits for this node. */
  #keepKey(write: () => Promise<void>, done: () => void): void {
    this.#writing = this.#writing.then(write).then(done, (error) => {
      const file = this.setup.config.totem.keyFile;
      this.log.error("KEY-FILE", `the new key cannot be written: ${error}; tried again`, { file });
      setTimeout(() => this.#keepKey(write, done), 1000);
    });
  }

  #askForPriority(): void {
    const { system } = this.setup.config;
    if (system.realtime) {
      const granted = enterRealtime(system.realtimePriority);
      this.#realtime = granted.ok ? `SCHED_RR ${system.realtimePriority}` : `refused: ${granted.reason}`;
      if (!granted.ok)
        this.#warn(`no real-time priority: ${granted.reason}; on a busy machine the token may come late`);
    }
    if (system.lockMemory) {
      const granted = lockMemory();
      this.#memory = granted.ok ? "locked" : `refused: ${granted.reason}`;
      if (!granted.ok) this.#warn(`memory is not locked: ${granted.reason}; swapping may delay the token`);
    }
  }

  /** Gives back what only the start needed, before it stays locked for as long as the ring runs. */
  #trimMemory(): void {
    unlockMemory();
    Bun.gc(true);
    setTimeout(() => {
      releaseStartupCode();
      if (this.#memory === "locked") lockMemory();
    }, trimMs).unref();
  }

  #warn(text: string): void {
    this.#warnings.push(text);
    this.log.warning("MACHINE", text);
  }

  #armWatchdog(): void {
    const { watchdogDevice, watchdogTimeoutMs } = this.setup.config.system;
    const aliveMs = this.#service.aliveEveryMs;
    if (aliveMs !== undefined) setInterval(() => this.#service.alive(), aliveMs);
    if (watchdogDevice === undefined) return;
    this.#watchdog = openWatchdog(watchdogDevice, Math.max(1, Math.round(watchdogTimeoutMs / 1000)));
    setInterval(() => this.#watchdog?.pet(), Math.min(1000, watchdogTimeoutMs / 4));
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
  }

  #managerDown(connection: FrameConnection): void {
    if (connection !== this.#manager) return;
    this.#manager = undefined;
    if (!this.#ending) this.#step({ type: "manager-down" });
  }

  #fromManager(connection: FrameConnection, type: number, body: Uint8Array): void {
    if (connection !== this.#manager) return;
    switch (type) {
      case ToRing.SEND:
        this.#step({ type: "manager-send", payload: body });
        return this.#holdBack(connection);
      case ToRing.REQUEST:
        return this.#request(connection, body);
      case ToRing.LEAVE:
        return this.#leave();
      case ToRing.STOP_NOW:
        this.log.critical("SELF-FENCED", "this node was fenced by the others: it ends at once");
        return this.#end(CrmExit.FATAL);
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
    const { id, request } = asked;
    const reply = (rest: Omit<RingReply, "id">) => connection.send(FromRing.REPLY, toJson({ id, ...rest }));
    if (!request) {
      reply({ error: "the ring knows no such request" });
      return;
    }
    switch (request.type) {
      case "status":
        reply({ value: this.status() });
        return;
      case "rekey":
        return this.#rekey(reply);
      case "expected-votes":
        this.#step({ type: "set-expected-votes", votes: request.votes });
        reply({ value: this.status() });
        return;
      case "reload": {
        void this.#reload().then((result) =>
          reply(typeof result === "string" ? { error: result } : { value: result }),
        );
        return;
      }
    }
  }

  /** Gives the cluster a new key; answers when all members use it, or says for whom it waits. */
  #rekey(reply: (rest: Omit<RingReply, "id">) => void): void {
    const { settled, quorum, keyChange } = this.#core.status();
    if (this.#rekeying || keyChange) return reply({ error: "a change of the key is under way already" });
    if (!settled) return reply({ error: "the membership is changing just now: try again" });
    // Two parts of a cluster with keys of their own would never hear each other again.
    if (!quorum.quorate) return reply({ error: "the cluster has no quorum: the key is not changed" });
    const key = randomBytes(rekeyBytes);
    const timer = setTimeout(() => {
      this.#rekeying = undefined;
      const waitsFor = this.#core.status().keyChange?.waitsFor.map((id) => this.#nameOf(id));
      const whom = waitsFor?.length ? waitsFor.join(", ") : "the ring";
      reply({
        error: `the new key waits for ${whom} (see the log there); until then both keys are accepted`,
      });
    }, rekeyPatienceMs);
    this.#rekeying = { digest: keyDigest(key), timer, reply };
    this.#step({ type: "rekey", key });
  }

  #keyChanged(digest: string, members: readonly NodeId[]): void {
    const names = (ids: readonly NodeId[]) => ids.map((id) => this.#nameOf(id));
    const { nodes } = this.setup.config;
    const absent = names(nodes.map(({ id }) => id).filter((id) => !members.includes(id)));
    this.log.notice("KEY-CHANGED", "all members use the new key; the old one is not accepted any more", {
      digest,
      absent: absent.join(" ") || undefined,
    });
    this.#manager?.send(FromRing.RELOADED, new Uint8Array());
    if (this.#rekeying?.digest !== digest) return;
    clearTimeout(this.#rekeying.timer);
    const value: RekeyReply = {
      digest,
      nodes: names(members),
      absent,
      keyFile: this.setup.config.totem.keyFile,
    };
    this.#rekeying.reply({ value });
    this.#rekeying = undefined;
  }

  #nameOf(id: NodeId): string {
    return this.setup.config.nodes.find((node) => node.id === id)?.name ?? `node ${id}`;
  }

  /** Facts about this process for `hactl ring status`. */
  status(): RingProcessStatus {
    return {
      core: this.#core.status(),
      names: Object.fromEntries(this.setup.config.nodes.map(({ id, name }) => [id, name])),
      votes: Object.fromEntries(this.setup.config.nodes.map(({ id, votes }) => [id, votes])),
      addresses: Object.fromEntries(this.setup.self.addresses),
      monotonicNow: monotonicMs(),
      realtime: this.#realtime,
      memory: this.#memory,
      warnings: this.#warnings,
      startedAt: this.#startedAt,
      lateness: this.#lateness.summary(),
      children: this.#children.map(({ name, pid, restarts }) => ({ name, pid, restarts })),
    };
  }

  /**
   * Reads hactl.toml again. A mistake changes nothing; what concerns the whole ring is in force on all members at one
   * point of the messages' order, as soon as all have read the same. Answers what is wrong, or what follows.
   */
  async #reload(): Promise<string | ReloadReply> {
    try {
      const next = loadNode(this.setup.arguments);
      // Who applies the change first may send to the new addresses at once.
      await this.#sockets.prepare(next);
      const named = (changes: ReturnType<typeof configChanges>) =>
        changes.map(({ table, option }) => (option === "" ? table : `${table}.${option}`));
      const applied = configChanges(this.setup.config, next.config).filter(({ reload }) => reload);
      const restart = configChanges(this.#startedWith.config, next.config).filter(({ reload }) => !reload);
      const { self: _self, key: _key, ...change } = ringOptions(next, this.#keyFiles.current());
      const inForce = new Promise<void>((resolve) => {
        this.#proposals.push({ change, setup: next, inForce: resolve });
      });
      this.#step({ type: "reconfigure", change });
      this.log.notice("RELOADED", "the configuration was read again", {
        restart: named(restart).join(" ") || undefined,
      });
      await Promise.race([inForce, Bun.sleep(reloadPatienceMs)]);
      const waitsFor = this.#core.status().changeWaitsFor.map((id) => this.#nameOf(id));
      return { applied: named(applied), restart: named(restart), waitsFor };
    } catch (error) {
      if (!(error instanceof HactlError)) throw error;
      this.log.error("RELOAD", `the configuration is wrong, nothing was changed: ${error.message}`);
      return error.message;
    }
  }

  #reconfigured(change: RingCoreChange): void {
    const at = this.#proposals.findIndex((proposal) => proposal.change === change);
    const proposal = this.#proposals[at];
    if (!proposal) return;
    // What was read before can't come into force any more.
    for (const { inForce } of this.#proposals.splice(0, at + 1)) inForce();
    this.setup = proposal.setup;
    if (this.#proposals.length === 0) this.#sockets.use(proposal.setup);
    this.#manager?.send(FromRing.RELOADED, new Uint8Array());
  }

  // ── the end ──────────────────────────────────────────────────────────────────────────────────────────────

  /** First the services go, then the node. A second signal does not wait for them. */
  #drain(): void {
    if (this.#ending || !this.#manager) {
      this.log.warning(
        "LEAVE-UNDRAINED",
        "ending without moving the services away: the others will fence this node",
      );
      return this.#end(CrmExit.OK);
    }
    this.#ending = true;
    this.log.notice("DRAIN", "this node leaves the cluster; its services are stopped or moved first");
    this.#service.stopping();
    this.#manager.send(FromRing.DRAIN, new Uint8Array());
  }

  #leave(): void {
    this.#ending = true;
    this.#step({ type: "leave" });
    setTimeout(() => this.#end(CrmExit.OK), goodbyeMs);
  }
}
