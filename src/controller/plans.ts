import { decisionCostMs, formatXml } from "../cib/index.ts";
import { EffortSpent, type SchedulerInput, schedule, type Transition } from "../scheduler/index.ts";
import type { EpochSeconds, Millis } from "../terms/index.ts";
import type { ClusterState } from "./cluster-state.ts";
import type { ControllerEffect, PlanAnswer } from "./face.ts";
import { type UnseenPlace, withoutHistories } from "./unseen.ts";

/** A decision that is expected to take longer is computed by another process, so that this one goes on listening. */
const usualDecideHereMs: Millis = 500;
/** So many steps along colocations are made here: chains of them take long where nobody would guess it. */
const mostEffortHere = 500_000;
/** After so many answers in a row that came too late, those that take less than `hurriedMs` are computed here for a while. */
const mostOutdated = 3;
const hurriedMs: Millis = 5_000;
const hurriedForSeconds = 30;
/** Pause after a decision that could not be computed, unless the configuration changes. */
const planAgainMs: Millis = 60_000;

/** What is asked of the scheduler: the present state, or what it would do without knowing of some places. */
export interface Question {
  readonly input: SchedulerInput;
  readonly looks?: { readonly decided: Transition; readonly open: readonly UnseenPlace[] };
}

/** What came of a question that another process was asked. */
export type Planned =
  | { readonly kind: "decided"; readonly question: Question; readonly decision: Transition }
  /** Something has happened since it was asked. */
  | { readonly kind: "outdated" }
  | { readonly kind: "failed"; readonly question: Question; readonly why: string };

interface Asked {
  readonly id: number;
  readonly question: Question;
  /** The whole CIB as it was: an answer counts only as long as it still is. */
  readonly cib: string;
  readonly configuration: string;
}

/**
 * Puts the leader's questions to the scheduler: here, or, where the answer takes long, through another process (effect
 * `plan`). At most one is open.
 */
export class Plans {
  #ids = 0;
  #asked: Asked | undefined;
  /** Answers in a row during which something has happened: where that never ends nothing would ever be decided. */
  #outdated = { times: 0, last: 0 };
  /** A decision about this configuration took more steps than are made here. */
  #laborious: string | undefined;
  /** With this configuration nothing could be computed; it is not tried again before. */
  #failed: { readonly configuration: string; readonly until: Millis } | undefined;

  constructor(
    private readonly state: ClusterState,
    private readonly emit: (effect: ControllerEffect) => void,
    private readonly decideHereMs: Millis = usualDecideHereMs,
  ) {}

  /** An answer is waited for. */
  get open(): boolean {
    return this.#asked !== undefined;
  }

  /**
   * Whether to ask now. Not while an answer is waited for: it will say whether it still holds, and only a change of the
   * configuration may spare the wait. Nor soon after one that could not be given: the `schedule` timer is set for then.
   */
  mayAsk(now: Millis): boolean {
    const configuration = this.#configuration();
    if (this.#asked?.configuration === configuration) return false;
    this.drop();
    const failed = this.#failed;
    if (failed?.configuration === configuration && now < failed.until) {
      this.emit({ type: "set-timer", timer: "schedule", afterMs: failed.until - now });
      return false;
    }
    this.#failed = undefined;
    return true;
  }

  /** The decision; undefined where another process is asked for it. @throws whatever the scheduler throws */
  ask(question: Question): Transition | undefined {
    const { input, looks } = question;
    const cib = looks ? withoutHistories(input.cib, looks.open) : input.cib;
    const decided = this.#isForHere(input.now) ? this.#decideHere({ ...input, cib }) : undefined;
    if (decided) return decided;
    const asked = formatXml(cib, -1);
    const present = looks ? formatXml(input.cib, -1) : asked;
    const id = ++this.#ids;
    this.#asked = { id, question, cib: present, configuration: this.#configuration() };
    this.emit({ type: "plan", id, cib: asked, now: input.now });
    return undefined;
  }

  #isForHere(now: EpochSeconds): boolean {
    if (this.#laborious === this.#configuration()) return false;
    const costMs = decisionCostMs(this.state.configuration);
    return costMs <= this.decideHereMs || (costMs <= hurriedMs && this.#isStarved(now));
  }

  /** Undefined: it takes more steps than anybody would wait for here. */
  #decideHere(input: SchedulerInput): Transition | undefined {
    try {
      return schedule({ ...input, effort: mostEffortHere });
    } catch (error) {
      if (!(error instanceof EffortSpent)) throw error;
      this.#laborious = this.#configuration();
      return undefined;
    }
  }

  #isStarved(now: EpochSeconds): boolean {
    const { last } = this.#outdated;
    if (Math.abs(now - last) > hurriedForSeconds) this.#outdated = { times: 0, last: 0 };
    return this.#outdated.times >= mostOutdated;
  }

  /** The open question does not matter any more. */
  drop(): void {
    if (!this.#asked) return;
    this.#asked = undefined;
    this.emit({ type: "plan-dropped" });
  }

  /** What an answer means; undefined when nobody waits for it. */
  take({ id, decision, error }: PlanAnswer, now: Millis): Planned | undefined {
    const asked = this.#asked;
    if (asked?.id !== id) return undefined;
    this.#asked = undefined;
    const { question } = asked;
    if (!decision) {
      this.#failed = { configuration: asked.configuration, until: now + planAgainMs };
      return { kind: "failed", question, why: error ?? "no answer" };
    }
    if (formatXml(this.state.cib, -1) !== asked.cib) {
      this.#outdated = { times: this.#outdated.times + 1, last: question.input.now };
      return { kind: "outdated" };
    }
    this.#outdated = { times: 0, last: 0 };
    return { kind: "decided", question, decision };
  }

  /** Changes with the configuration, and not with what happens. */
  #configuration(): string {
    const [adminEpoch, epoch] = this.state.version();
    return `${adminEpoch}.${epoch}`;
  }
}
