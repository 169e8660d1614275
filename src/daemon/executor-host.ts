import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import {
  type Command,
  Executor,
  type ExecutorConfig,
  type ExecutorEffect,
  type ExecutorEvent,
  type ExecutorInput,
  type ExecutorRequest,
  type LoadSample,
  type Now,
  type ProcessOutcome,
} from "../executor/index.ts";
import {
  killLeftBehind,
  LONGEST_TIMER_MS,
  type Log,
  type MarkedProcess,
  markedProcesses,
  monotonicMs,
  processStart,
  type RunningProcess,
  SecretStore,
  startProcess,
  wallSeconds,
} from "../platform/index.ts";
import { type Millis, resourceId } from "../terms/index.ts";
import { revealEnvironment, withoutSecretsOf } from "./agent-secrets.ts";
import { listAgents } from "./executor-list.ts";
import { ExecutorMemory } from "./executor-memory.ts";

/** What a host needs beside the core's configuration. */
export interface ExecutorHostOptions {
  readonly config: ExecutorConfig;
  readonly log: Log;
  /** Where state is kept for the case that this process dies; a directory that a reboot empties. */
  readonly runDir: string;
  /** Directory of the values that `lrm://` stands for in parameters. */
  readonly secretsDir: string;
  /** File that outlives a reboot and tells that there was one. */
  readonly bootFile: string;
  /** Names the run of the daemon whose services these are: what another one had under way is not done again. */
  readonly instance: string;
  /** Whether that daemon lives: nothing is started or written any more when it has died. */
  readonly parentLives: () => boolean;
  readonly emit: (event: ExecutorEvent) => void;
  /** Goes by what the node's configuration says by now; what agents find in their environment from then on. */
  readonly inForce?: (described: string) => Readonly<Record<string, string>> | undefined;
  /** Sees to it that an agent finds what it is given. */
  readonly prepare?: () => void;
  /** Takes all that a process has said, of which a result keeps a part only. */
  readonly said?: (outcome: ProcessOutcome) => void;
}

const LOAD_EVERY_MS = 5000;
const SAVE_AFTER_MS = 100;
/** Saving takes no more than this share of the time, however much there is to save. */
const SAVE_SHARE = 0.02;
/** Events that change what a following executor has to know; silent runs of monitors do not. */
const KEPT: ReadonlySet<string> = new Set(["result", "cancelled"]);
const LEFTOVER_POLL_MS = 100;
const LEFTOVER_TIMEOUT_MS = 20_000;

/** Carries out what the executor core wants: processes, timers, state on disk, load samples. */
export class ExecutorHost {
  readonly #core: Executor;
  readonly #options: ExecutorHostOptions;
  readonly #log: Log;
  readonly #processes = new Map<number, RunningProcess>();
  readonly #forced = new Set<number>();
  readonly #timers = new Map<string, ReturnType<typeof setTimeout>>();
  readonly #markers: string;
  readonly #memory: ExecutorMemory;
  readonly #secrets: SecretStore;
  #saving: ReturnType<typeof setTimeout> | undefined;
  #saveAfter = SAVE_AFTER_MS;
  #sampling: ReturnType<typeof setInterval> | undefined;
  #polling: ReturnType<typeof setInterval> | undefined;
  #stopped = false;
  /** What the manager has said that is in force. */
  #inForce: string | undefined;

  constructor(options: ExecutorHostOptions) {
    this.#options = options;
    this.#log = options.log;
    this.#core = new Executor(options.config);
    this.#secrets = new SecretStore(options.secretsDir);
    const { runDir, bootFile, instance, log, parentLives, config } = options;
    this.#memory = new ExecutorMemory({
      runDir,
      bootFile,
      bootId: config.bootId,
      instance,
      log,
      mayWrite: parentLives,
    });
    // Several daemons may share a machine, as in a demonstration: each finds its own processes only.
    this.#markers = createHash("sha256").update(options.runDir).digest("hex").slice(0, 12);
  }

  /** Takes over what an executor before this one left, and begins to watch the load. */
  start(): void {
    const { snapshot, complete } = this.#memory.recall();
    this.#findLeftovers();
    if (snapshot) {
      this.#log.notice("EXECUTOR-RESUMED", "going on where the executor before left off", {
        recurring: snapshot.recurring.length,
        unfinished: snapshot.unfinished.length,
      });
      this.#carryOut(this.#core.restore(snapshot, now()));
    }
    if (!complete) this.#core.admitGaps();
    this.#save();
    this.#sampleLoad();
    this.#sampling = setInterval(() => {
      if (this.#memory.hasGaps) this.#save();
      else this.#memory.alive();
      this.#sampleLoad();
    }, LOAD_EVERY_MS);
  }

  /** Writes again what somebody has removed of the state. */
  keep(): void {
    if (!this.#stopped && this.#memory.isGone) this.#save();
  }

  /** Takes a request of a manager. Those that only concern a connection do nothing here. */
  request(request: ExecutorRequest): void {
    switch (request.type) {
      case "list":
        void listAgents(this.#options.config, request.class, request.provider).then((names) =>
          this.#options.emit({ type: "list", requestId: request.requestId, names }),
        );
        return;
      case "tool-reply":
      case "shutdown-ack":
        return;
      case "execute":
      case "cancel":
      case "forget":
        this.#memory.note(request);
        this.#step({ type: "request", request });
        return this.#saveSoon();
      case "configure": {
        const { inForce, ...properties } = request;
        if (inForce !== undefined) this.#comeIntoForce(inForce);
        this.#step({ type: "request", request: properties });
        return this.#saveSoon();
      }
      default:
        this.#step({ type: "request", request });
        if (request.type === "probed") this.#saveSoon();
    }
  }

  /** Whoever connects says it again: only what is new is looked at. */
  #comeIntoForce(described: string): void {
    if (described !== "" && described === this.#inForce) return;
    this.#inForce = described;
    this.takeEnvironment(this.#options.inForce?.(described));
  }

  /** Agents that begin from now on find this in their environment. */
  takeEnvironment(environment: Readonly<Record<string, string>> | undefined): void {
    if (environment) this.#step({ type: "environment", environment });
  }

  /**
   * Stops everything but the services. With `forget` nothing of the cluster runs here any more, and a following
   * executor knows it.
   */
  stop(forget: boolean): void {
    this.#stopped = true;
    for (const timer of this.#timers.values()) clearTimeout(timer);
    clearTimeout(this.#saving);
    clearInterval(this.#sampling);
    clearInterval(this.#polling);
    if (!forget) return this.#save();
    this.#memory.save({
      ...this.#core.snapshot(),
      unfinished: [],
      recurring: [],
      results: [],
      interrupted: [],
      remembered: [],
      complete: true,
    });
  }

  #step(input: ExecutorInput): void {
    if (this.#stopped) return;
    this.#carryOut(this.#core.step(input, now()));
  }

  #carryOut(effects: readonly ExecutorEffect[]): void {
    for (const effect of effects) {
      switch (effect.type) {
        case "run":
          this.#run(effect.job, effect.command, effect.label);
          break;
        case "kill":
          this.#forced.add(effect.job);
          this.#processes.get(effect.job)?.signal(effect.signal);
          break;
        case "abandon":
          this.#processes.delete(effect.job);
          break;
        case "timer":
          this.#setTimer(effect.timer, effect.at);
          break;
        case "no-timer":
          clearTimeout(this.#timers.get(effect.timer));
          this.#timers.delete(effect.timer);
          break;
        case "emit":
          if (effect.event.type === "result") this.#memory.note(effect.event);
          this.#options.emit(effect.event);
          break;
        case "log":
          this.#write(effect);
          break;
      }
    }
    if (effects.some((effect) => effect.type === "emit" && KEPT.has(effect.event.type))) this.#saveSoon();
  }

  #write(effect: ExecutorEffect & { readonly type: "log" }): void {
    const id = effect.id.replaceAll("_", "-");
    switch (effect.priority) {
      case "err":
        this.#log.error(id, effect.text);
        return;
      default:
        this.#log[effect.priority](id, effect.text);
    }
  }

  #setTimer(name: string, at: Millis): void {
    clearTimeout(this.#timers.get(name));
    const wait = Math.min(Math.max(0, Math.ceil(at - monotonicMs())), LONGEST_TIMER_MS);
    this.#timers.set(
      name,
      setTimeout(() => {
        this.#timers.delete(name);
        this.#step({ type: "timer", timer: name });
      }, wait),
    );
  }

  #run(job: number, command: Command, label: string): void {
    if (!this.#options.parentLives()) return;
    this.#options.prepare?.();
    const marker = [this.#markers, process.pid, job, command.args.at(-1) ?? "", label.split(" ")[0]].join(
      "|",
    );
    // Only the process gets to know its secrets: what is kept and told of an operation says lrm://.
    const { values: env, problems } = revealEnvironment(command, this.#secrets);
    for (const problem of problems) this.#log.error("SECRET-MISSING", `${label}: ${problem}`);
    const [problem] = command.secrets?.optional ? [] : problems;
    if (problem !== undefined) return this.#notStarted(job, { kind: "no-secret", message: problem });
    const started = startProcess({ ...command, env, marker });
    if (!("pid" in started)) return this.#notStarted(job, started);
    this.#processes.set(job, started);
    void started.ended.then((outcome) =>
      this.#ended(job, started, command, label, withoutSecretsOf(env, outcome)),
    );
  }

  /** Never from within a step: the core would be entered while it still reports. */
  #notStarted(job: number, outcome: ProcessOutcome): void {
    queueMicrotask(() => this.#step({ type: "process", job, outcome }));
  }

  #ended(
    job: number,
    process: RunningProcess,
    command: Command,
    label: string,
    outcome: ProcessOutcome,
  ): void {
    if (this.#forced.delete(job)) {
      const killed = process.killRest(command.killEscaped);
      if (killed > 0) {
        this.#log.warning("LEFT-BEHIND", `${label} left ${killed} processes behind, they were killed`);
      }
    }
    if (this.#processes.get(job) !== process) return;
    this.#processes.delete(job);
    this.#options.said?.(outcome);
    this.#step({ type: "process", job, outcome });
  }

  /** Agents of an executor that died still run: their resources wait for them, within their time limit. */
  #findLeftovers(): void {
    const left = markedProcesses(`${this.#markers}|`).filter(isAgent);
    if (left.length === 0) return;
    const deadline = new Map(left.map((agent) => [agent.pid, monotonicMs() + timeoutOf(agent)]));
    let alive = left;
    const tell = (before: readonly MarkedProcess[]) => {
      for (const rsc of new Set(before.map(resourceOf))) {
        const count = alive.filter((agent) => resourceOf(agent) === rsc).length;
        this.#step({ type: "leftovers", rsc: resourceId(rsc), count });
      }
    };
    tell(left);
    this.#log.notice("LEFTOVERS", `${left.length} agents of the executor before still run, waiting for them`);
    const starts = new Map(left.map(({ pid }) => [pid, processStart(pid)]));
    const killed = new Set<number>();
    this.#polling = setInterval(() => {
      const before = alive;
      for (const agent of alive.filter(({ pid }) => monotonicMs() > (deadline.get(pid) ?? 0))) {
        if (!killed.has(agent.pid))
          this.#log.warning("LEFTOVER-KILLED", `${resourceOf(agent)}: its agent did not end in time`);
        killed.add(agent.pid);
        killLeftBehind(agent.pid, undefined);
      }
      alive = before.filter(
        ({ pid }) => starts.get(pid) !== undefined && processStart(pid) === starts.get(pid),
      );
      if (alive.length < before.length) tell(before);
      if (alive.length === 0) clearInterval(this.#polling);
    }, LEFTOVER_POLL_MS);
  }

  #sampleLoad(): void {
    this.#step({ type: "load", sample: loadSample() });
  }

  #saveSoon(): void {
    this.#saving ??= setTimeout(() => {
      this.#saving = undefined;
      this.#save();
    }, this.#saveAfter);
  }

  #save(): void {
    const began = monotonicMs();
    this.#memory.save(this.#core.snapshot());
    this.#saveAfter = Math.max(SAVE_AFTER_MS, (monotonicMs() - began) / SAVE_SHARE);
  }
}

const now = (): Now => ({ mono: monotonicMs(), epoch: wallSeconds() });

const resourceOf = (agent: MarkedProcess) => agent.marker.split("|").slice(4).join("|");

/** The agent itself leads its session and still has the action as last argument; a service that it started has not. */
function isAgent(found: MarkedProcess): boolean {
  const action = found.marker.split("|")[3];
  return found.leader && found.args.at(-1) === action;
}

function timeoutOf(agent: MarkedProcess): Millis {
  const own = Number(agent.env.get("OCF_RESKEY_CRM_meta_timeout"));
  return own > 0 ? own : LEFTOVER_TIMEOUT_MS;
}

function loadSample(): LoadSample {
  const full = (file: string) => {
    const line = readText(`/proc/pressure/${file}`).match(/^full avg10=([\d.]+)/m);
    return line ? Number(line[1]) : undefined;
  };
  const memoryFull = full("memory");
  const ioFull = full("io");
  return {
    loadavg1: Number(readText("/proc/loadavg").split(" ")[0]) || 0,
    ...(memoryFull === undefined ? {} : { memoryFull }),
    ...(ioFull === undefined ? {} : { ioFull }),
  };
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
