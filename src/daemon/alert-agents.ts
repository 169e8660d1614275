import {
  type AlertEffect,
  type AlertEvent,
  type AlertOutcome,
  type AlertRun,
  Alerts,
  type AlertTime,
} from "../alerts/index.ts";
import type { XmlElement } from "../cib/index.ts";
import { Accounts, atMost, type EndedProcess, type Log, startProcess, wallMs } from "../platform/index.ts";
import { lastWords, type Millis } from "../terms/index.ts";

/** User that alert agents run as. */
const USER = "hacluster";
/** After SIGTERM an agent has so long before it is killed. */
const KILL_AFTER_MS: Millis = 1000;
const LONGEST_TIMER_MS: Millis = 2 ** 31 - 1;
const KEEP_BYTES = 4096;
/** Longest line of an agent that the log repeats. */
const LONGEST_SAYING = 200;

export interface AlertAgentsOptions {
  readonly log: Log;
  /** Environment that all agents have. */
  readonly env: Readonly<Record<string, string>>;
}

/**
 * Runs alert agents: beside everything else, as user hacluster, each within its time. An agent that fails disturbs nobody; the
 * log and the status of this node say so.
 */
export class AlertAgents {
  readonly #alerts = new Alerts();
  readonly #accounts = new Accounts();
  #env: Readonly<Record<string, string>>;
  #closing = false;
  /** Whether it was said that alerts fail here. */
  #saidDefect = false;
  #idle: () => void = () => {};

  constructor(private readonly options: AlertAgentsOptions) {
    this.#env = options.env;
  }

  /** Agents that begin from now on have this environment. */
  takeEnvironment(env: Readonly<Record<string, string>>): void {
    this.#env = env;
  }

  /** The CIB's configuration is now this. */
  configure(configuration: XmlElement | undefined): void {
    this.#guarded(() => this.#alerts.configure(configuration, wallMs() / 1000));
  }

  /** Something has happened. Whatever an alert makes of it, it goes no further than here. */
  event(event: AlertEvent): void {
    this.#guarded(() => this.#carryOut(this.#alerts.event(event, alertTime(wallMs()))));
  }

  warnings(): string[] {
    return this.#alerts.warnings();
  }

  /** Waits a little for what is under way. What is not done then goes on alone, without its time limit. */
  async drain(patienceMs: Millis): Promise<void> {
    if (this.#alerts.open > 0) {
      const idle = new Promise<void>((resolve) => {
        this.#idle = resolve;
      });
      await atMost(idle, patienceMs);
    }
    this.#closing = true;
  }

  /** Alerts are for people: the cluster goes on without them. */
  #guarded(act: () => void): void {
    try {
      act();
    } catch (error) {
      if (this.#saidDefect) return;
      this.#saidDefect = true;
      const text = `an event could not be told to alert agents, which is a defect of hactl and is said once: ${error}`;
      this.options.log.warning("ALERT-DEFECT", text);
    }
  }

  #carryOut(effects: readonly AlertEffect[]): void {
    for (const effect of effects) {
      if (effect.type === "log") this.options.log[effect.level](effect.id, effect.text);
      else void this.#run(effect.run);
    }
  }

  async #run(run: AlertRun): Promise<void> {
    const outcome = await this.#call(run).catch(
      (error): AlertOutcome => ({ kind: "failed", why: String(error) }),
    );
    if (this.#closing) return;
    this.#guarded(() => this.#carryOut(this.#alerts.ended(run, outcome)));
    if (this.#alerts.open === 0) this.#idle();
  }

  async #call(run: AlertRun): Promise<AlertOutcome> {
    const words = await this.#command(run.path);
    if (words === undefined) return { kind: "failed", why: `there is no user ${USER} on this node` };
    const [program = "", ...args] = words;
    const started = startProcess({
      candidates: [program],
      args,
      env: { ...this.#env, USER, LOGNAME: USER, ...run.env },
      keepBytes: KEEP_BYTES,
    });
    if (!("pid" in started)) return outcomeOf(started);
    let late = false;
    let kill: ReturnType<typeof setTimeout> | undefined;
    const timer = setTimeout(
      () => {
        late = true;
        started.signal("TERM");
        kill = setTimeout(() => started.killRest(false), KILL_AFTER_MS);
      },
      Math.min(run.timeoutMs, LONGEST_TIMER_MS),
    );
    const ended = await started.ended;
    clearTimeout(timer);
    clearTimeout(kill);
    if (!late) return outcomeOf(ended);
    started.killRest(false);
    return { kind: "late" };
  }

  /** How an agent is started as the user that it shall be: root becomes it, others can only stay who they are. */
  async #command(path: string): Promise<string[] | undefined> {
    if (process.getuid?.() !== 0) return [path];
    const account = await this.#accounts.user(USER);
    if (!account) return undefined;
    const { uid, gid } = account;
    return ["setpriv", `--reuid=${uid}`, `--regid=${gid}`, "--init-groups", "--", path];
  }
}

function outcomeOf(ended: EndedProcess): AlertOutcome {
  switch (ended.kind) {
    case "exited":
      return { kind: "exited", code: ended.code, said: saying(ended.stderr) || saying(ended.stdout) };
    case "signalled":
      return { kind: "signalled", signal: ended.signal };
    case "missing":
      return { kind: "failed", why: `there is no ${ended.searched.join(" ")}` };
    case "refused":
      return { kind: "failed", why: `${ended.path}: ${ended.why}` };
    case "no-room":
      return { kind: "failed", why: ended.message };
  }
}

/** What an agent said last, without what could play tricks on a terminal. */
function saying(text: string): string {
  const plain = text.replace(/[^\n\p{L}\p{M}\p{N}\p{P}\p{S}\p{Zs}]/gu, "?");
  return lastWords(plain, LONGEST_SAYING);
}

const zones = new Intl.DateTimeFormat("en", { timeZoneName: "short" });

/** A moment with the clock of this place. */
function alertTime(ms: number): AlertTime {
  const date = new Date(ms);
  const zone = zones.formatToParts(date).find(({ type }) => type === "timeZoneName")?.value;
  return { epoch: ms / 1000, offsetMinutes: -date.getTimezoneOffset(), zone: zone ?? "UTC" };
}
