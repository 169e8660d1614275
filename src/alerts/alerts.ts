import type { XmlElement } from "../cib/index.ts";
import type { EpochSeconds } from "../terms/index.ts";
import { readAlerts } from "./configuration.ts";
import { environmentOf, wants } from "./environment.ts";
import type { AlertEvent, AlertOutcome, AlertRun, AlertTime } from "./face.ts";

/** Agents that run at the same time: a burst of events does not take the node away from its services. */
const MOST_RUNNING = 16;
/** Calls that wait for their turn. What comes beyond them is dropped, and said. */
const MOST_WAITING = 2000;

export type AlertEffect =
  | { readonly type: "run"; readonly run: AlertRun }
  | {
      readonly type: "log";
      readonly level: "notice" | "warning";
      readonly id: string;
      readonly text: string;
    };

/**
 * Which alert agents are called for what, in which order, and what has become of them. It decides nothing else: whether an
 * event is for this node to tell is decided by who reports it.
 */
export class Alerts {
  #configuration: XmlElement | undefined;
  #sequence = 0;
  #running = 0;
  #waiting: AlertRun[] = [];
  #dropped = 0;
  /** Why the last call of an alert for a recipient failed. */
  readonly #failing = new Map<string, { readonly run: AlertRun; readonly why: string }>();

  /** The configuration is this from now on. */
  configure(configuration: XmlElement | undefined, now: EpochSeconds): void {
    this.#configuration = configuration;
    const known = new Set(
      readAlerts(configuration, now).map(({ id, path, recipient }) => keyOf(id, path, recipient)),
    );
    for (const key of this.#failing.keys()) if (!known.has(key)) this.#failing.delete(key);
  }

  /** Something has happened. */
  event(event: AlertEvent, time: AlertTime): AlertEffect[] {
    const effects: AlertEffect[] = [];
    // Read each time: rules may say that an alert is for some hours only.
    for (const alert of readAlerts(this.#configuration, time.epoch)) {
      if (!wants(alert, event)) continue;
      if (this.#waiting.length >= MOST_WAITING) {
        if (this.#dropped++ === 0) effects.push(this.#overflow());
        continue;
      }
      const { id, path, recipient, timeoutMs } = alert;
      const number = ++this.#sequence;
      const env = environmentOf(alert, event, time, number);
      this.#waiting.push({ number, alert: id, path, recipient, timeoutMs, env });
    }
    return [...effects, ...this.#start()];
  }

  /** A call has ended. A failure is said once, until a call succeeds again. */
  ended(run: AlertRun, outcome: AlertOutcome): AlertEffect[] {
    this.#running--;
    const effects: AlertEffect[] = [];
    const key = keyOf(run.alert, run.path, run.recipient);
    const why = reasonOf(outcome, run);
    const known = this.#failing.get(key);
    if (why === undefined) {
      if (this.#failing.delete(key))
        effects.push({ type: "log", level: "notice", id: "ALERT-WORKS", text: `${nameOf(run)} works again` });
    } else {
      this.#failing.set(key, { run, why });
      if (known?.why !== why)
        effects.push({ type: "log", level: "warning", id: "ALERT-FAILED", text: `${nameOf(run)} ${why}` });
    }
    if (this.#waiting.length === 0) this.#dropped = 0;
    return [...effects, ...this.#start()];
  }

  /** What people must know, for the status of this node. */
  warnings(): string[] {
    const failing = [...this.#failing.values()].map(({ run, why }) => `${nameOf(run)} ${why}`);
    return this.#dropped === 0
      ? failing
      : [...failing, `${this.#dropped} alerts were dropped: their agents are too slow`];
  }

  /** Calls that have not ended. */
  get open(): number {
    return this.#running + this.#waiting.length;
  }

  #start(): AlertEffect[] {
    const room = Math.max(0, MOST_RUNNING - this.#running);
    const runs = this.#waiting.splice(0, room);
    this.#running += runs.length;
    return runs.map((run) => ({ type: "run", run }));
  }

  #overflow(): AlertEffect {
    const text = `${MOST_WAITING} calls of alert agents wait; further alerts are dropped until these are done`;
    return { type: "log", level: "warning", id: "ALERTS-DROPPED", text };
  }
}

const keyOf = (id: string, path: string, recipient: string | undefined) =>
  JSON.stringify([id, path, recipient ?? null]);

const nameOf = ({ alert, path, recipient }: AlertRun) =>
  `alert ${alert} (${path}${recipient === undefined ? "" : `, for ${recipient}`})`;

function reasonOf(outcome: AlertOutcome, { timeoutMs }: AlertRun): string | undefined {
  switch (outcome.kind) {
    case "exited":
      if (outcome.code === 0) return undefined;
      return `ended with status ${outcome.code}${outcome.said === "" ? "" : `: ${outcome.said}`}`;
    case "signalled":
      return `was ended by signal ${outcome.signal}`;
    case "late":
      return `did not end within ${timeoutMs / 1000} s and was killed`;
    case "failed":
      return `cannot be run: ${outcome.why}`;
  }
}
