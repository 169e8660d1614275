import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import type { AttributeUpdate } from "../attributes/index.ts";
import {
  applyOperations,
  formatXml,
  knownNodes,
  noSuchNode,
  Rights,
  refuseTooLong,
  upgradeCib,
} from "../cib/index.ts";
import {
  CLOCK_ATTRIBUTE,
  Controller,
  type ControllerEffect,
  type ControllerEvent,
  type ExecutorHistory,
  emptyCib,
  type Membership,
  notInCluster,
  REPETITION_ATTRIBUTE,
  type StatusReply,
} from "../controller/index.ts";
import { type ExecutorEvent, readAgent } from "../executor/index.ts";
import type { FenceResult, FenceTestRow } from "../fencer/index.ts";
import {
  Accounts,
  atMost,
  connectFrames,
  type FrameConnection,
  type Log,
  leaveRealtime,
  monotonicMs,
  parentPid,
  wallMs,
  wallSeconds,
} from "../platform/index.ts";
import { ExecutorClient, localExecutor } from "../remote/index.ts";
import {
  CrmExit,
  HactlError,
  type Millis,
  nodeName,
  PACEMAKER_VERSION,
  type ResourceId,
  resourceId,
} from "../terms/index.ts";
import {
  checkReadable,
  permit,
  shownTo,
  type VisibleNames,
  visibleDevices,
  visibleFencing,
  visibleNames,
  visibleResult,
  visibleStatus,
  visibleTest,
  visibleValues,
} from "./access.ts";
import { accessRules } from "./access-rules.ts";
import {
  type AdminRequest,
  adminSocketPath,
  executorSocketPath,
  type NodeReply,
  ringSocketPath,
} from "./admin-protocol.ts";
import { AdminServer } from "./admin-server.ts";
import { AgentQuestions } from "./agent-questions.ts";
import { AgentSurvey, isConnected, presenceOf } from "./agent-survey.ts";
import { AlertAgents } from "./alert-agents.ts";
import { checkNodesOf, checkValuesOf, heldForUnknown } from "./attribute-nodes.ts";
import { type Caller, saidBy } from "./caller.ts";
import { CibKeeper, type KeptCib } from "./cib-keeper.ts";
import { CibStore, withNumbers } from "./cib-store.ts";
import { DiskAnswer } from "./disk-answer.ts";
import { EventHistory, eventHistoryFile } from "./event-history.ts";
import { agentEnvironment } from "./executor-environment.ts";
import { agentHostOptions } from "./executor-mode.ts";
import { fenceAgentFacts } from "./fence-agents.ts";
import { FenceDeviceOperations } from "./fence-device-operations.ts";
import { FenceRuns } from "./fence-runs.ts";
import { Fencing } from "./fencing.ts";
import { executorSettings, THROTTLE_ATTRIBUTE, throttledNodes, throttleRequest } from "./host-load.ts";
import { checkOwnAttributes, checkOwnPart } from "./host-room.ts";
import { describeInForce, setupInForce } from "./in-force.ts";
import { keptNotices } from "./kdump-seen.ts";
import { KdumpWatch, kdumpListenOn } from "./kdump-watch.ts";
import { leftMarkPath } from "./left-mark.ts";
import { ManagerMemory } from "./manager-memory.ts";
import { ManagerTimers } from "./manager-timers.ts";
import { nodeReply } from "./node-reply.ts";
import { PendingReplies } from "./pending-replies.ts";
import { Planner } from "./planner.ts";
import { RefusalLog } from "./refusal-log.ts";
import { RemoteConnections } from "./remote-connections.ts";
import { RemoteWatch } from "./remote-watch.ts";
import {
  decodeDelivery,
  FromRing,
  fromJson,
  type RingMembership,
  type RingProcessStatus,
  type RingReply,
  type RingRequest,
  ToRing,
  toJson,
} from "./ring-link.ts";
import { RunDirectory } from "./run-directory.ts";
import { logSettings, type NodeSetup, readKey, readRemoteKey } from "./setup.ts";
import { DISK_ATTRIBUTE, diskRequest, StateDisk, type StateDiskHost, unwritable } from "./state-disk.ts";
import { runningFenceDevices, statusReply } from "./status-reply.ts";
import { TransitionArchive } from "./transition-archive.ts";

type Registered = Extract<ExecutorEvent, { type: "registered" }>;

/** How long the end of this process waits for the disk. */
const lastWriteMs: Millis = 1_000;
/** Alert agents that still run when the daemon ends are waited for no longer: the ring gives its manager 2 s. */
const alertPatienceMs: Millis = 1000;
/** How long a change may take to come round: longer than any change of the membership. */
const askPatienceMs: Millis = 60_000;
/** The ring answers everything at once but a change of the key, for which it waits 20 s at most. */
const ringPatienceMs: Millis = 60_000;

/**
 * The manager process: joins the controller and the fencer to the ring, the executors, the disk and the admin
 * socket. It may die at any time: the ring starts it again, and it takes part again with what the others tell it.
 */
export class Manager {
  readonly #controller: Controller;
  readonly #fencing: Fencing;
  #kdump: KdumpWatch | undefined;
  readonly #executor: ExecutorClient;
  readonly #remotes: RemoteConnections;
  readonly #remoteWatch: RemoteWatch;
  readonly #fenceDevices: FenceDeviceOperations;
  readonly #keeper: CibKeeper;
  readonly #history: EventHistory;
  readonly #archive: TransitionArchive;
  readonly #memory: ManagerMemory;
  readonly #disk: StateDisk;
  readonly #runDirectory: RunDirectory;
  readonly #timers: ManagerTimers;
  readonly #asked = new PendingReplies<string>();
  readonly #ringAsked = new PendingReplies<number>();
  readonly #agentQuestions: AgentQuestions;
  readonly #survey: AgentSurvey;
  readonly #queue: ControllerEvent[] = [];
  readonly #startedAt = wallSeconds();
  #executorSettings = executorSettings(() => undefined);
  readonly #refusals = new RefusalLog((text) => this.log.part("IPC", false).notice("REFUSED", text));
  readonly #alerts: AlertAgents;
  readonly #planner: Planner;
  #requests = 0;
  #stepping = false;
  #executorSeen = false;
  /** What the executor told last. */
  #registered: Registered | undefined;
  #firstRegistered: (event: Registered) => void = () => {};
  #ring: FrameConnection | undefined;
  #admin: AdminServer | undefined;
  #end: (code: number) => void = () => {};

  constructor(
    private setup: NodeSetup,
    private readonly version: string,
    private readonly log: Log,
  ) {
    const { config, self } = setup;
    const { stateDir, runDir } = config.system;
    const cibLog = log.part("CIB", false);
    const schedulerLog = log.part("SCHEDULER", false);
    const store = new CibStore(stateDir, cibLog);
    this.#keeper = new CibKeeper(
      (text, origin) => store.save(text, origin),
      () => this.#toKeep(),
      cibLog,
    );
    const historyFile = eventHistoryFile(stateDir);
    const diskAnswer = new DiskAnswer(`${historyFile}-asks`);
    const diskHost: StateDiskHost = {
      failed: () => this.#keeper.problem ?? this.#runDirectory.problem ?? this.#memory.problem,
      waitedMs: () => Math.max(this.#keeper.waitedMs, diskAnswer.silentMs),
      joined: () => this.#controller.view().phase === "synced",
      known: () => this.#controller.attributeValues(DISK_ATTRIBUTE).get(self.name),
      tell: (problem) => this.#step(diskRequest(self.name, problem)),
    };
    this.#disk = new StateDisk(stateDir, diskHost, undefined, [runDir]);
    this.#history = new EventHistory(historyFile, log, diskAnswer);
    this.#archive = new TransitionArchive(join(stateDir, "transitions"), schedulerLog);
    this.#timers = new ManagerTimers((timer) => this.#step({ type: "timer", timer }));
    this.#memory = new ManagerMemory(runDir, log);
    const parent = parentPid();
    this.#runDirectory = new RunDirectory(runDir, {
      log,
      cares: () => parentPid() === parent,
      sockets: () => (this.#admin ? [this.#admin.socket] : []),
      files: () => this.#memory.keep(),
    });
    const stored = store.load();
    this.#controller = new Controller({
      self: self.id,
      selfName: self.name,
      nodes: config.nodes.map(({ id, name }) => ({ id, name })),
      incarnation: randomBytes(8).toString("hex"),
      daemonIsNew: this.#memory.daemonIsNew,
      traits: {
        version: `${PACEMAKER_VERSION}-hactl-${version}`,
        ...(config.totem.clusterName === "" ? {} : { clusterName: config.totem.clusterName }),
      },
      ...(this.#memory.remembered ? { remembered: this.#memory.remembered } : {}),
      cib: stored?.cib ? withNumbers(upgradeCib(stored.cib).root) : emptyCib(),
      ...(stored?.fallback && { fallback: stored.fallback }),
      losses: [...(stored?.losses ?? []), ...(stored?.lost ? [{ node: self.name, ...stored.lost }] : [])],
    });
    const directories = {
      agents: config.system.fencePath,
      plugins: config.system.stonithPluginPath.map((path) => join(path, "external")),
      glue: ["/usr/share/cluster-glue"],
      secrets: config.system.secretsDir,
    };
    this.#fencing = new Fencing({
      self: self.name,
      detectionMs: config.totem.effective.tokenMs + config.totem.effective.consensusMs,
      directories,
      runs: new FenceRuns(runDir, log.part("FENCER", false)),
      broadcast: (body) => this.#step({ type: "fencer-send", body }),
      onResult: (result, told) => {
        // What a message tells, the controller has taken from that: in its place of the order, on every member.
        if (!told) this.#step({ type: "fence-result", result });
      },
      log: (level, text) => log.part("FENCER")[level]("FENCER", text),
    });
    this.#kdump = this.#kdumpWatch();
    this.#fenceDevices = new FenceDeviceOperations(
      directories,
      (result) => this.#step({ type: "result", node: self.name, result }),
      (text) => log.part("FENCER").notice("FENCER", text),
    );
    this.#executor = new ExecutorClient({
      connect: localExecutor(executorSocketPath(runDir)),
      client: `manager of ${self.name}`,
      onEvent: (event) => this.#fromExecutor(event),
      onState: (state) => {
        if (!state.up && this.#executorSeen)
          log.part("EXECUTOR", false).warning("EXECUTOR", `the executor is not there: ${state.reason}`);
      },
    });
    const remoteKey = () => readRemoteKey(config.remote.keyFile);
    this.#remoteWatch = new RemoteWatch({
      key: remoteKey,
      answers: (node) => this.#step({ type: "remote-answers", node }),
    });
    this.#remotes = new RemoteConnections({
      self: self.name,
      log: log.part("REMOTE", false),
      key: remoteKey,
      step: (event) => this.#step(event),
      tool: (request, caller) => this.#answerTo(request, caller),
      metadata: (requestId, xml, error, absent) =>
        this.#agentQuestions.answered(requestId, xml, error, absent),
    });
    this.#agentQuestions = new AgentQuestions({
      send: (node, request) =>
        node === self.name ? this.#executor.send(request) : this.#remotes.ask(node, request),
      told: (node, agent, traits) =>
        this.#step({ type: "agent-told", node, agent, ...(traits ? { traits } : {}) }),
    });
    this.#survey = new AgentSurvey({
      ask: (request, asked) => this.#step({ type: "agents-question", request, asked }),
      answer: (request, node, told) => this.#step({ type: "agents-answer", request, node, told }),
      look: (node, agent) =>
        agent.class === "stonith"
          ? fenceAgentFacts(agent.type, directories)
          : this.#agentQuestions.facts(node, agent),
      presence: (node) => presenceOf(node, this.#controller.view(), this.setup.config.nodes),
      now: monotonicMs,
      prefix: `${self.name}/${process.pid}/${wallMs()}`,
    });
    this.#alerts = new AlertAgents({
      log: log.part("ALERTS"),
      env: environmentOfAlerts(setup),
    });
    this.#planner = new Planner((answer) => this.#step({ type: "planned", ...answer }), schedulerLog);
    this.#configureAlerts();
    this.#configureExecutors();
    // That something was lost is not forgotten at the next start.
    if (stored?.lost) this.#keeper.changed();
  }

  /** Runs until the ring ends. Settles with the exit code. */
  async run(): Promise<number> {
    const ended = new Promise<number>((resolve) => {
      this.#end = resolve;
    });
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => this.#end(CrmExit.OK));
    this.#begin().catch((error: unknown) => {
      if (!(error instanceof HactlError)) throw error;
      // The ring starts it again; what is in the way is told by whoever mends it.
      this.log.error(error.code.replaceAll("_", "-"), error.message);
      this.#end(error.exit);
    });
    const code = await ended;
    await Promise.all([
      atMost(
        this.#keeper.stored().catch(() => {}),
        lastWriteMs,
      ),
      this.#alerts.drain(alertPatienceMs),
    ]);
    this.#keeper.close();
    this.#disk.close();
    this.#runDirectory.close();
    this.#admin?.close();
    this.#timers.close();
    this.#planner.close();
    this.#executor.close();
    this.#remotes.close();
    this.#remoteWatch.close();
    this.#fencing.close();
    this.#agentQuestions.close();
    this.#survey.close();
    await this.#kdump?.close();
    this.#fenceDevices.close();
    this.#history.close();
    return code;
  }

  /**
   * A manager takes part only when it can tell what runs on its node: first its executor has to be there, and the
   * connections to remote hosts that the manager before it had.
   */
  async #begin(): Promise<void> {
    const { runDir, group } = this.setup.config.system;
    const registered = new Promise<Registered>((resolve) => {
      this.#firstRegistered = resolve;
    });
    this.#executor.start();
    const first = await registered;
    const goesOn = first.complete || !this.#memory.daemonIsNew;
    if (goesOn) this.#fenceDevices.resume(this.#memory.operations, this.#memory.remembered?.results ?? []);
    const remotes = goesOn ? await this.#remotes.resume(this.#memory.operations) : [];
    // It may have been started again meanwhile.
    const history = historyOf(this.#registered ?? first);
    this.#step({ type: "executor-up", history, again: false, remotes });
    this.#executorSeen = true;
    try {
      this.#ring = await connectFrames(ringSocketPath(runDir), {
        frame: (_connection, type, body) => this.#fromRing(type, body),
        // Without the ring nothing may be decided here.
        close: () => this.#end(CrmExit.DISCONNECT),
      });
    } catch (error) {
      const { parent } = this.setup.arguments;
      if (parent === undefined || parentPid() === parent) throw error;
      this.log.notice("RING-GONE", "the ring that has started this manager is gone already: it ends");
      return this.#end(CrmExit.DISCONNECT);
    }
    this.#admin = new AdminServer(
      adminSocketPath(runDir),
      group,
      (request, caller) => this.#answerTo(request, caller),
      this.log.part("IPC", false),
      new Accounts(),
    );
    this.#openAdmin(this.#admin);
    this.#disk.start();
    void this.#kdump?.start();
  }

  /** The cluster goes on where nobody on this node can ask it anything. */
  #openAdmin(admin: AdminServer): void {
    try {
      admin.open();
    } catch (error) {
      this.log.error(
        "ADMIN-SOCKET",
        `no command can reach this node: ${error instanceof Error ? error.message : error}`,
      );
    }
    this.#runDirectory.start();
  }

  // ── controller ───────────────────────────────────────────────────────────────────────────────────────────

  /** Events that effects cause wait until the effects before them are carried out. */
  #step(event: ControllerEvent): void {
    this.#queue.push(event);
    if (this.#stepping) return;
    this.#stepping = true;
    try {
      for (let next = this.#queue.shift(); next; next = this.#queue.shift()) {
        const effects = this.#controller.step(next, monotonicMs(), wallMs() / 1000);
        for (const effect of effects) this.#carryOut(effect);
      }
    } finally {
      this.#stepping = false;
    }
    this.#admin?.changed();
  }

  #carryOut(effect: ControllerEffect): void {
    switch (effect.type) {
      case "broadcast":
        this.#ring?.send(ToRing.SEND, effect.payload);
        return;
      case "execute":
        if (effect.on === this.setup.self.name)
          this.#executor.send({ type: "execute", operation: effect.operation });
        else this.#remotes.execute(effect.on, effect.operation);
        return;
      case "ask-agent":
        return this.#agentQuestions.ask(effect.on, effect.agent);
      case "agents-asked":
        return this.#survey.asked(effect.request, effect.asked);
      case "agents-told":
        return this.#survey.told(effect.request, effect.node, effect.told);
      case "cancel":
        return this.#cancel(effect);
      case "forget":
        return this.#forget(effect.on, effect.rsc);
      case "look-again":
        if (effect.on === this.setup.self.name) this.#executor.send({ type: "look-again", rsc: effect.rsc });
        else this.#remotes.lookAgain(effect.on, effect.rsc);
        return;
      case "connection":
        return this.#remotes.connection(effect.operation);
      case "remote-at":
        return this.#remotes.located(effect.node, effect.address);
      case "watch-remotes":
        return this.#remoteWatch.watch(effect.remotes);
      case "fence-device":
        return this.#fenceDevices.run(effect.operation);
      case "fence":
        return this.#fencing.request(effect.request);
      case "fencer-deliver":
        return this.#fencing.message(this.#controller.nameOf(effect.from), effect.body);
      case "fencer-membership":
        this.#fencing.membership(effect.membership);
        return this.#configureFencing();
      case "fencer-alive":
        return this.#fencing.alive(effect.node);
      case "persist":
        return this.#persist();
      case "set-timer":
        return this.#timers.set(effect.timer, effect.afterMs);
      case "cancel-timer":
        return this.#timers.cancel(effect.timer);
      case "reply":
        return this.#reply(effect);
      case "plan":
        return this.#planner.ask(effect);
      case "plan-dropped":
        return this.#planner.drop();
      case "transition":
        return this.#archive.add(effect.id, effect.input, effect.triggers);
      case "transition-over":
        return;
      case "remember":
        return this.#memory.save(effect.memory, [
          ...this.#fenceDevices.operations(),
          ...this.#remotes.operations(),
        ]);
      case "probed":
        if (effect.on === this.setup.self.name) this.#executor.send({ type: "probed" });
        else this.#remotes.probed(effect.on);
        return;
      case "refused":
        this.log.critical(effect.error.code.replaceAll("_", "-"), effect.error.message);
        this.#ring?.send(ToRing.REFUSED, new TextEncoder().encode(effect.error.message));
        return;
      case "restart":
        this.log.critical("RESTART", `${effect.reason}: this manager starts anew`);
        return this.#end(CrmExit.SOFTWARE);
      case "leave":
        this.#memory.forget();
        this.#ring?.send(ToRing.LEAVE, new Uint8Array());
        return;
      case "self-fenced":
        return this.#selfFenced(effect.reaction);
      case "alert":
        return this.#alerts.event(effect.event);
      case "event": {
        const { level, id, text, node, rsc } = effect.event;
        this.log.part("CONTROLLER", false)[level](id, text);
        this.#history.add({ at: wallMs(), level, event: id, node: node ?? null, rsc: rsc ?? null, text });
        return;
      }
    }
  }

  #cancel({ on, rsc, action, intervalMs }: Extract<ControllerEffect, { type: "cancel" }>): void {
    this.#fenceDevices.cancel(rsc, action, intervalMs);
    if (on === this.setup.self.name) this.#executor.send({ type: "cancel", rsc, action, intervalMs });
    else this.#remotes.cancel(on, rsc, action, intervalMs);
    this.#remotes.cancelConnection(rsc, intervalMs);
  }

  #forget(on: string, rsc: ResourceId): void {
    this.#fenceDevices.forget(rsc);
    if (on === this.setup.self.name) this.#executor.send({ type: "forget", rsc });
    else this.#remotes.forget(nodeName(on), rsc);
  }

  #reply({ request, value, error }: Extract<ControllerEffect, { type: "reply" }>): void {
    if (error) this.#asked.reject(request, error);
    else this.#asked.resolve(request, value);
  }

  #persist(): void {
    this.#configureFencing();
    this.#configureExecutors();
    this.#configureAlerts();
    this.#keeper.changed();
  }

  #toKeep(): KeptCib {
    const { cib, fallback, losses } = this.#controller.view();
    return {
      text: formatXml({ ...cib, children: cib.children.filter(({ name }) => name !== "status") }),
      origin: { fallback, losses },
    };
  }

  #configureFencing(): void {
    const { cib } = this.#controller.view();
    const configuration = cib.children.find(({ name }) => name === "configuration");
    if (!configuration) return;
    this.#fencing.configure(configuration, runningFenceDevices(cib));
    this.#kdump?.configure(configuration);
  }

  #configureAlerts(): void {
    const { cib } = this.#controller.view();
    this.#alerts.configure(cib.children.find(({ name }) => name === "configuration"));
  }

  /** Executors follow the properties that concern them as soon as they change. */
  #configureExecutors(): void {
    const settings = executorSettings((name) => this.#controller.property(name));
    if (isDeepStrictEqual(settings, this.#executorSettings)) return;
    this.#executorSettings = settings;
    this.#executor.send(settings);
    this.#remotes.configure(settings);
  }

  /** Hears the crash kernels of the other nodes, at all their addresses; unless it is not to, or has no key to know them by. */
  #kdumpWatch(): KdumpWatch | undefined {
    const { config, self } = this.setup;
    const clusterKey = config.kdump.listen ? this.#clusterKey() : undefined;
    if (!clusterKey) return undefined;
    const log = this.log.part("KDUMP", false);
    const addressesOf = (node: typeof self) => [...node.addresses.values()];
    const listenOn = kdumpListenOn(addressesOf(self));
    return new KdumpWatch({
      nodes: config.nodes.map((node) => ({ name: node.name, addresses: addressesOf(node) })),
      port: config.kdump.port,
      ...(listenOn ? { listenOn } : {}),
      clusterKey,
      acceptPlain: config.kdump.plain,
      newest: keptNotices(config.system.runDir, log),
      onNotice: (node, signed) => this.#fencing.kdumpNotice(node, signed),
      log: (level, text) => log[level]("KDUMP", text),
    });
  }

  /** The ring has it in memory: that the file is gone or damaged must not keep the manager from coming back. */
  #clusterKey(): Uint8Array | undefined {
    try {
      return readKey(this.setup.config.totem.keyFile);
    } catch (error) {
      this.log.part("KDUMP", false).error("KDUMP", `the notices of crash kernels are not heard: ${error}`);
      return undefined;
    }
  }

  #selfFenced(reaction: "stop" | "panic"): void {
    this.log.critical("SELF-FENCED", `the others have fenced this node although it runs: ${reaction}`);
    this.#ring?.send(ToRing.STOP_NOW, new TextEncoder().encode(reaction));
  }

  // ── ring and executor ────────────────────────────────────────────────────────────────────────────────────

  #fromRing(type: number, body: Uint8Array): void {
    switch (type) {
      case FromRing.MEMBERSHIP: {
        const membership: Membership = fromJson<RingMembership>(body);
        return this.#step({ type: "membership", membership });
      }
      case FromRing.DELIVER: {
        const { from, payload } = decodeDelivery(body);
        return this.#step({ type: "message", from, payload });
      }
      case FromRing.REPLY: {
        const { id, value, error } = fromJson<RingReply>(body);
        if (error === undefined) return this.#ringAsked.resolve(id, value);
        return this.#ringAsked.reject(
          id,
          new HactlError({ code: "RING_REQUEST", what: error, exit: CrmExit.CONFIG }),
        );
      }
      case FromRing.DRAIN:
        return this.#step({ type: "shutdown-request" });
      case FromRing.RELOADED:
        return this.#reload(new TextDecoder().decode(body));
    }
  }

  /** The ring has taken over a changed file or key: nodes, their addresses and the key are taken over, too. */
  #reload(inForce: string): void {
    try {
      this.setup = setupInForce(this.setup.arguments, inForce);
    } catch (error) {
      // It was right when the ring read it; the next reload will tell.
      this.log.warning("RELOAD", `the configuration could not be read again: ${error}`);
      return;
    }
    const { config } = this.setup;
    this.log.adopt(logSettings(config));
    this.log.debug("RELOADED", "goes by the configuration that was read again");
    this.#tellExecutor();
    this.#alerts.takeEnvironment(environmentOfAlerts(this.setup));
    this.#step({ type: "nodes", nodes: config.nodes.map(({ id, name }) => ({ id, name })) });
    const before = this.#kdump;
    this.#kdump = this.#kdumpWatch();
    this.#configureFencing();
    void Promise.resolve(before?.close()).then(() => this.#kdump?.start());
  }

  /** The executor of this node goes by the same file as the other processes; it may have missed what came into force. */
  #tellExecutor(): void {
    this.#executor.send({ ...this.#executorSettings, inForce: describeInForce(this.setup, this.setup) });
  }

  #askRing<T>(request: RingRequest): Promise<T> {
    const id = ++this.#requests;
    const answer = this.#ringAsked.wait(id, `"${request.type}" of the ring`, ringPatienceMs);
    this.#ring?.send(ToRing.REQUEST, toJson({ id, request }));
    return answer as Promise<T>;
  }

  #fromExecutor(event: ExecutorEvent): void {
    const { name } = this.setup.self;
    switch (event.type) {
      case "registered": {
        this.#tellExecutor();
        this.#registered = event;
        if (this.#executorSeen) this.#step({ type: "executor-up", history: historyOf(event), again: true });
        else this.#firstRegistered(event);
        return;
      }
      case "result":
        return this.#step({ type: "result", node: name, result: event.result });
      case "metadata":
        return this.#agentQuestions.answered(event.requestId, event.xml, event.error, event.absent);
      case "cancelled":
      case "list":
      case "pong":
      case "tool":
      case "shutdown-request":
        return;
      case "load":
        return this.#step(throttleRequest(name, event));
    }
  }

  // ── administrators ───────────────────────────────────────────────────────────────────────────────────────

  async #answerTo(request: AdminRequest, caller: Caller): Promise<unknown> {
    try {
      return await this.#answer(request, caller);
    } catch (error) {
      this.#refusals.note(error, request, caller);
      throw error;
    }
  }

  async #answer(request: AdminRequest, caller: Caller): Promise<unknown> {
    const { cib, live } = this.#controller.view();
    const rights = Rights.of(cib, caller.askers, wallSeconds());
    // The rules that this node kept may be older than those of the cluster.
    if (!live && caller.askers.length > 0 && accessRules[request.type].rule === "change")
      throw notInCluster();
    permit(request, caller, cib, rights);
    const names = () => rights && visibleNames(rights.look(cib).visible, rights.seesAll(cib));
    switch (request.type) {
      case "status":
        return this.#status(caller);
      case "cib":
        if (!live) throw notInCluster();
        return formatXml(shownTo(caller, rights === undefined ? cib : rights.see(cib)));
      case "cib-apply": {
        const { operations } = request;
        // What is not permitted does not keep the others busy; they decide alike when it comes round.
        if (rights) {
          const as = { live: true, askers: caller.askers, now: wallSeconds() };
          checkOwnPart(caller, cib, applyOperations(cib, operations, as).cib);
        } else refuseTooLong(cib, operations);
        return this.#ask((id) => ({
          type: "cib-request",
          request: id,
          operations,
          user: caller.name,
          client: request.client || "unknown",
          askers: caller.askers,
        }));
      }
      case "attributes-update":
        checkOwnAttributes(caller, request.updates, this.#controller);
        checkValuesOf(request.updates);
        if (live && !request.keepsUnknown) checkNodesOf(request.updates, cib, this.setup.config.nodes);
        return this.#setAttributes(
          live ? heldForUnknown(request.updates, cib, this.setup.config.nodes) : request.updates,
        );
      case "attributes-query":
        if (live && rights) checkReadable(request, cib, rights);
        return this.#values(request.name, rights);
      case "attributes-names":
        return this.#controller
          .attributeNames()
          .filter((name) => Object.keys(this.#values(name, rights)).length > 0);
      case "fail": {
        const [rsc, node] = [resourceId(request.rsc), nodeName(request.node)];
        return this.#ask((id) => ({ type: "fail-request", request: id, rsc, node }));
      }
      case "forget": {
        const { rsc, node, failuresOnly, failed } = request;
        return this.#ask((id) => ({
          type: "forget-request",
          request: id,
          failuresOnly,
          ...(failed && { failed }),
          ...(rsc === undefined ? {} : { rsc: resourceId(rsc) }),
          ...(node === undefined ? {} : { node: nodeName(node) }),
        }));
      }
      case "node":
        return this.#nodeReply(names(), rights?.hiddenSections(cib) ?? []);
      case "ring-status":
        return this.#askRing<RingProcessStatus>({ type: "status" });
      case "expected-votes":
        return this.#askRing({ type: "expected-votes", votes: request.votes });
      case "node-votes":
        return this.#askRing({ type: "node-votes", node: request.node, votes: request.votes });
      case "reload":
        return this.#askRing({ type: "reload", force: request.force });
      case "rekey":
        return this.#askRing({ type: "rekey", brought: request.brought });
      case "shutdown":
        // The ring drains: it knows then that the end is wanted.
        if (this.#ring) this.#ring.send(ToRing.DRAIN, new Uint8Array());
        else process.kill(process.ppid, "SIGTERM");
        return true;
      case "wait-idle":
        return this.#ask((id) => ({ type: "idle-request", request: id }), request.timeoutMs);
      case "watch":
        return true;
      case "history":
        return this.#history.recent(request.since ?? 0, Math.min(Math.floor(request.limit ?? 1000), 100_000));
      case "metadata":
        return this.#metadata(request);
      case "agents":
        if (!live) throw notInCluster();
        return this.#survey.ask(request.asked);
      case "fence.request":
      case "fence.confirm": {
        if (request.type === "fence.confirm") this.#refuseConfirmed(request.target, names());
        const result = await this.#fencing.handle({ ...request, client: saidBy(caller, request.client) });
        const seen = names();
        return seen ? visibleResult(result as FenceResult, seen) : result;
      }
      case "fence.history": {
        const history = this.#fencing.history();
        const seen = names();
        return seen ? visibleFencing(history, seen) : history;
      }
      case "fence.forget":
        return await this.#fencing.handle({ ...request, client: saidBy(caller, request.client) });
      case "fence.test": {
        const rows = await this.#fencing.handle(request);
        const seen = names();
        return seen ? visibleTest(rows as readonly FenceTestRow[], seen) : rows;
      }
      case "fence.register":
      case "fence.deregister":
      case "fence.register-level":
      case "fence.deregister-level":
        if (!live) throw notInCluster();
        return await this.#fencing.handle({ ...request, client: saidBy(caller, request.client) });
      case "fence.ask":
        return await this.#fencing.handle(request);
      case "fence.devices": {
        const devices = this.#fencing.devices();
        return rights ? visibleDevices(devices, cib, rights) : devices;
      }
    }
  }

  #values(name: string, rights: Rights | undefined): Readonly<Record<string, string>> {
    const { cib, live } = this.#controller.view();
    if (!live) throw notInCluster();
    const values = this.#controller.attributeValues(name);
    return Object.fromEntries(rights ? visibleValues(values, name, cib, rights) : values);
  }

  /** @returns nodes that nobody knows, for which a value is kept */
  async #setAttributes(updates: readonly AttributeUpdate[]): Promise<{ readonly kept: readonly string[] }> {
    await this.#ask((id) => ({ type: "attribute-request", request: id, updates }));
    return { kept: updates.flatMap(({ node, value, held }) => (held && value !== undefined ? [node] : [])) };
  }

  #ask(event: (id: string) => ControllerEvent, patienceMs = askPatienceMs): Promise<unknown> {
    if (this.#controller.view().phase === "waiting") throw notInCluster();
    const id = `${this.setup.self.name}/${process.pid}/${++this.#requests}`;
    const asked = event(id);
    const answer = this.#asked.wait(id, asked.type, patienceMs);
    this.#step(asked);
    return this.#whenStored(answer, asked.type === "cib-request");
  }

  /** Nobody is told of a change before it is on this node's disk; whoever made it hears also that it is not. */
  async #whenStored(answer: Promise<unknown>, own: boolean): Promise<unknown> {
    const value = await answer;
    const stored = this.#keeper.stored();
    await (own ? stored : stored.catch(() => {}));
    return value;
  }

  #metadata(request: Extract<AdminRequest, { type: "metadata" }>): Promise<unknown> {
    const { class: standard, provider, agent } = request;
    const rsc = readAgent(
      { class: standard, type: agent, ...(provider === undefined ? {} : { provider }) },
      "request",
    );
    // What is made up for scripts and units, which have none, is told only of those that are there.
    return this.#agentQuestions.metadata(this.setup.self.name, rsc, undefined, true);
  }

  async #status(caller: Caller): Promise<StatusReply> {
    const ring = await this.#askRing<RingProcessStatus>({ type: "status" });
    const view = this.#controller.view();
    const rights = Rights.of(view.cib, caller.askers, wallSeconds());
    const seen = rights?.see(view.cib);
    const reply = statusReply({
      setup: this.setup,
      view: { ...view, cib: shownTo(caller, seen ?? view.cib) },
      ring: { ...ring, warnings: [...ring.warnings, ...this.#ownWarnings()] },
      alerts: this.#alerts.warnings(),
      clocks: this.#controller.attributeValues(CLOCK_ATTRIBUTE),
      fencing: this.#fencing.history(),
      repetition: [...this.#controller.attributeValues(REPETITION_ATTRIBUTE).values()],
      throttle: throttledNodes(this.#controller.attributeValues(THROTTLE_ATTRIBUTE)),
      version: this.version,
      startedAt: this.#startedAt,
      now: wallSeconds(),
      disks: unwritable(
        this.#controller.attributeValues(DISK_ATTRIBUTE),
        this.setup.self.name,
        this.#disk.problem ?? ring.stateProblem,
      ),
    });
    if (!rights) return reply;
    const names = visibleNames(seen, rights.seesAll(view.cib));
    return visibleStatus(reply, names, rights.hiddenSections(view.cib));
  }

  /** What is wrong with this process and those that it asks. */
  #ownWarnings(): string[] {
    const { fileTrouble } = this.log;
    return [
      ...this.#planner.warnings(),
      ...this.#floods(),
      ...(fileTrouble === undefined ? [] : [fileTrouble]),
    ];
  }

  /** Who asks more than this node answers. */
  #floods(): string[] {
    return [...this.#remotes.warnings(), ...(this.#admin?.warnings() ?? [])];
  }

  /**
   * Nobody can answer for it that a node is down that is heard at this moment: what it runs would start a second time. And
   * by a name that no node has, nothing goes on of what waits for the answer.
   */
  #refuseConfirmed(target: string, seen: VisibleNames | undefined): void {
    const { cib } = this.#controller.view();
    const known = knownNodes(cib);
    const named = [...known, ...this.setup.config.nodes.map(({ name }) => name)];
    if (!named.includes(nodeName(target)))
      throw noSuchNode(target, new Set(named.filter((name) => !seen || seen.nodes.has(name))));
    const runs = this.#nodeReply(undefined, []).members.some(
      ({ name, state }) => name === target && state === "member",
    );
    if (!runs && !isConnected(cib, nodeName(target))) return;
    throw new HactlError({
      code: "NODE_RUNS",
      what: `node ${target} takes part in the cluster at this moment: it is not down`,
      cure: `cut its power, or fence it with 'hactl fence ${target}'; confirm when 'hactl status' does not show it online any more`,
      exit: CrmExit.UNSAFE,
    });
  }

  #nodeReply(names: VisibleNames | undefined, hiddenSections: readonly string[]): NodeReply {
    const { self, config } = this.setup;
    return nodeReply({
      self,
      nodes: config.nodes,
      view: this.#controller.view(),
      pid: process.ppid,
      leftMark: leftMarkPath(config.system.runDir),
      visible: names?.nodes,
      hiddenSections,
    });
  }
}

/** What alert agents find in their environment. */
function environmentOfAlerts({ config, arguments: { configPath } }: NodeSetup): Record<string, string> {
  const { runDir } = config.system;
  return agentEnvironment({
    ...agentHostOptions(config, configPath),
    toolsDir: join(runDir, "tools"),
    rscTmp: join(runDir, "rsctmp"),
    socket: adminSocketPath(runDir),
  });
}

function historyOf(registered: Registered): ExecutorHistory {
  const { results, running, interrupted, remembered, bootId, complete } = registered;
  return { results, running, interrupted, remembered, bootId, complete };
}

/** The manager process of a cluster node. @returns the exit code */
export async function runManager(setup: NodeSetup, version: string, log: Log): Promise<number> {
  leaveRealtime();
  return new Manager(setup, version, log).run();
}
