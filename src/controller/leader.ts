import { parseIntervalMs, type XmlElement } from "../cib/index.ts";
import { changesActive, isUnwatched, type Operation, type OperationResult } from "../executor/index.ts";
import type { FenceAction, FenceResult } from "../fencer/index.ts";
import type { GraphAction, RemoteHost, SchedulerInput, Transition } from "../scheduler/index.ts";
import {
  defectLine,
  type EpochSeconds,
  HactlError,
  type Millis,
  type NodeName,
  nodeName,
  OcfExit,
  resourceId,
} from "../terms/index.ts";
import type { ClusterState } from "./cluster-state.ts";
import { decidedAgent } from "./decided-agent.ts";
import type {
  ClusterEvent,
  ControllerEffect,
  ControllerTimer,
  ControllerView,
  Membership,
  PlanAnswer,
} from "./face.ts";
import { endsActive, isFailure, isPending, isRecorded, keepsLock, unansweredResult } from "./history.ts";
import { isConnection } from "./local-history.ts";
import { endedByDates } from "./management-ends.ts";
import { readDispatch } from "./message-parse.ts";
import type { ClusterMessage, Dispatch, ExecutorHistory, RemoteHistory } from "./messages.ts";
import { activates, isProbe, letsGo, reaches, resourceFamilies } from "./one-owner.ts";
import { type ClusterTraits, missingProperties, propertiesRequest } from "./own-properties.ts";
import { Plans, type Question } from "./plans.ts";
import { RepetitionGuard } from "./repetition.ts";
import { waitsForReturn } from "./returning-remotes.ts";
import type { StatusWarning } from "./status-input.ts";
import { TransitionRun } from "./transition-run.ts";
import { Inherited } from "./under-way.ts";
import type { UnseenPlace } from "./unseen.ts";

/** Changes that come together are decided upon together. */
const gatherMs = 10;
/** Most reasons of a decision that are told; one is enough to decide. */
const MOST_TRIGGERS = 100;
/** Pause before fencing that failed is tried again, so that a broken device is not asked in a tight loop. */
const fencingRetryMs = 2_000;
const longestFencingRetryMs = 30_000;
/** Pause after a mistake of ours, so that the same one is not made in a tight loop. */
const recoveryMs = 2_000;
/** Pause before the cluster is told once more that an operation was not answered. */
const unansweredAgainMs = 10_000;
/** Pause before something is tried again whose agent could not be executed. */
const stuckAgainMs = 30_000;
const clusterDelayMs = 60_000;
const dcDeadtimeMs = 20_000;
const recheckMs = 15 * 60_000;
/** So far back a new leader looks for what the clock has ended: whoever led before may not have come to it. */
const beforeLeadingS = recheckMs / 1000;
/**
 * How long a node whose ring is there may be without a manager. It is started again at once when it dies, but waits for its
 * executor, which, when it hangs, is found out and started anew after ten seconds.
 */
export const managerGraceMs: Millis = 15_000;
/** So often in a row it is decided anew only because the same things are still to be looked for. */
const MOST_LOOKS = 3;
/** Private attribute of the leader that tells what it does again and again. */
export const REPETITION_ATTRIBUTE = "#repeats";

export interface LeaderInit {
  readonly state: ClusterState;
  readonly selfName: NodeName;
  readonly incarnation: string;
  /** Names the present membership. */
  readonly membership: () => string;
  readonly send: (message: ClusterMessage) => void;
  readonly emit: (effect: ControllerEffect) => void;
  /** What the leader writes of its cluster; nothing where it is not told. */
  readonly traits?: ClusterTraits | undefined;
  /** Decisions that are expected to take longer are computed elsewhere (`plan`). */
  readonly decideHereMs?: Millis | undefined;
}

/**
 * What the leader (DC) does beyond the others: asks the scheduler, gives out actions, watches over the transition.
 * Nothing that it knows is only here: another node starts from the same state.
 */
export class Leader {
  readonly #init: LeaderInit;
  #active = false;
  #run: TransitionRun | undefined;
  #runs = 0;
  /** What was given out of the transition under way, by action. */
  readonly #given = new Map<number, Dispatch>();
  /** Of what has been given out in this transition, by transition key. */
  #callIds = new Map<string, number>();
  #triggers: string[] = [];
  #scheduled = false;
  /** Until when a node whose fencing has failed is not fenced again; all else is decided and done meanwhile. */
  readonly #fencingPauses = new Map<string, Millis>();
  /** Why nothing may be decided now. */
  /** Since when nothing is given out that could not be executed, by node and resource. */
  readonly #stuckSince = new Map<string, Millis>();
  /** When it is decided anew though nothing happens. */
  #recheckDue: Millis = Number.POSITIVE_INFINITY;
  #waitingForNodes = false;
  #waitingForManagers = false;
  /** Set once this cluster has been decided upon, or the wait for unseen nodes is over. */
  #seenStartup = false;
  readonly #inherited = new Inherited();
  #online = new Set<NodeName>();
  readonly #guard = new RepetitionGuard();
  #repeating = false;
  /** What was to be looked for last, and how often in a row. */
  #looksFor = { what: "", asked: 0 };
  /** Remote hosts that are asked whether they are back. */
  #watched: readonly RemoteHost[] = [];
  /** Why the scheduler could not decide. */
  #undecided: string | undefined;
  #quorate = false;
  /** The configuration in which the cluster's own properties were looked at last. */
  #correctedAt = "";
  /** Up to when the dates of rules have been looked at, as long as this node leads. */
  #datesSeenAt: EpochSeconds | undefined;
  readonly #plans: Plans;

  constructor(init: LeaderInit) {
    this.#init = init;
    this.#plans = new Plans(init.state, init.emit, init.decideHereMs);
  }

  /** Nothing under way, nothing to decide. */
  get idle(): boolean {
    return (
      this.#active &&
      !this.#run &&
      !this.#plans.open &&
      !this.#scheduled &&
      !this.#waitingForNodes &&
      !this.#waitingForManagers &&
      this.#inherited.size === 0 &&
      this.#undecided === undefined
    );
  }

  /** What people have to know. */
  warnings(): StatusWarning[] {
    return this.#undecided === undefined
      ? []
      : [{ code: "NO-DECISION", text: `nothing can be decided: ${this.#undecided}` }];
  }

  transitionView(): ControllerView["transition"] {
    const run = this.#run;
    if (!run) return undefined;
    const { total, done } = run.progress();
    return { id: run.id, total, done, flying: run.flying().map(({ key }) => key), aborted: run.abortReason };
  }

  /** This node leads from now on, or still does after a change of the membership. */
  begin(membership: Membership, missingManagers: ReadonlySet<NodeName>, now: Millis, wall: number): void {
    this.#active = true;
    const { state } = this.#init;
    this.#online = new Set(membership.participants.map(({ nodeId }) => state.nameOf(nodeId)));
    this.#quorate = membership.quorate;
    this.#correctedAt = "";
    this.#datesSeenAt = undefined;
    this.#waitingForManagers = missingManagers.size > 0;
    this.#waitForUnseen(membership);
    this.#dropLost();
    this.changed("the membership changed");
    this.advance(now, wall);
  }

  /** The membership is being settled: start nothing. What is under way goes on. */
  pause(reason: string): void {
    this.#active = false;
    this.#scheduled = false;
    this.#triggers = [];
    this.#inherited.clear();
    this.#plans.drop();
    this.#run?.abort(reason);
    this.#watchRemotes([]);
  }

  /** Missing managers are back or given up. */
  unblock(missingManagers: ReadonlySet<NodeName>): void {
    this.#waitingForManagers = missingManagers.size > 0;
    this.changed("the managers are settled");
  }

  /** A node is gone: it answers nothing any more. */
  nodeLost(node: NodeName): void {
    this.#run?.loseNode(node);
  }

  /** Something has changed that the running decision did not expect. */
  changed(reason: string): void {
    if (!this.#active) return;
    this.#run?.abort(reason);
    this.#noteTrigger(reason);
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#init.emit({ type: "set-timer", timer: "schedule", afterMs: gatherMs });
  }

  /** The configuration has changed, or the status: a fencing that has failed may go well now. */
  configurationChanged(): void {
    this.#fencingPauses.clear();
    this.changed("the configuration changed");
  }

  /** What is under way goes on; when it is over, a new decision is taken. */
  #decideAgain(reason: string): void {
    if (this.#active && !this.#triggers.includes(reason)) this.#triggers.push(reason);
  }

  /** A mistake of ours came between: the actions with these keys have not been done; it is decided anew after a while. */
  recover(reason: string, keys: readonly string[]): void {
    if (!this.#active) return;
    // What was to be asked in that step has not been.
    this.#plans.drop();
    this.refused(keys, reason);
    this.#run?.abort(reason);
    this.#again(reason, recoveryMs);
  }

  /**
   * An executor has been replaced: what it has done meanwhile is done, and what it does not know of has not been done.
   * With its manager (`remotes`), so have been the connections to the remote nodes that it speaks for. What was given out
   * since, with a call id above `seen`, the new one has been asked to do.
   */
  executorReplaced(
    node: NodeName,
    history: ExecutorHistory,
    seen: number,
    remotes?: readonly RemoteHistory[],
  ): void {
    const run = this.#run;
    if (!run) return;
    const histories = [history, ...(remotes ?? []).map((remote) => remote.history)];
    const concerns = (action: GraphAction) =>
      (remotes && action.router !== undefined ? action.router : action.node) === node;
    const running = new Set(
      histories.flatMap((known) => known.running.map(({ transitionKey }) => transitionKey)),
    );
    const results = new Map(
      histories.flatMap((known) => known.results.map((result) => [result.transitionKey, result] as const)),
    );
    for (const action of run.flying()) {
      if (action.kind !== "rsc" || !concerns(action)) continue;
      if ((this.#callIds.get(run.keyOf(action)) ?? 0) > seen) continue;
      const result = results.get(run.keyOf(action));
      if (result) this.resulted(action.node ?? node, result);
      else if (!running.has(run.keyOf(action))) run.fail(action, `the executor on ${node} was restarted`);
    }
  }

  /** An executor was told to forget a resource: with it its recurring operations, whose first result nobody tells. */
  forgotten(node: NodeName, rsc: string): void {
    const run = this.#run;
    for (const action of run?.flying() ?? []) {
      if (action.intervalMs === 0 || action.node !== node || action.rsc?.id !== rsc) continue;
      // What is not delivered yet comes after that.
      const callId = run ? this.#callIds.get(run.keyOf(action)) : undefined;
      if (callId !== undefined && callId <= this.#init.state.heardCallId(node))
        run?.fail(action, `${rsc} was cleaned up on ${node}`);
    }
  }

  /** Actions that were given out and that nobody carries out. */
  refused(keys: readonly string[], reason: string): void {
    for (const key of keys) {
      const action = this.#run?.flyingByKey(key);
      if (action) this.#run?.fail(action, reason);
    }
  }

  /** A result has been applied to the state. */
  resulted(node: NodeName, result: OperationResult): void {
    const failed = isFailure(result);
    if (failed && result.intervalMs > 0 && isConnection(result.rsc))
      this.#run?.loseRemote(nodeName(result.rsc.id));
    const action = this.#run?.flyingByKey(result.transitionKey);
    if (!action || !this.#run) {
      if (failed || isRecorded(result.action)) this.#unexpected(node, result, failed);
      return;
    }
    if (!failed || action.task === "notify") {
      this.#run.succeed(action);
      // What is placed with it waits for the same node.
      if (action.lockedSince !== undefined && !keepsLock(result))
        this.changed(`${result.rsc.id} waits for ${node} no more`);
      if (action.lone) this.changed(`${node} is left out no more for ${result.rsc.id}`);
      return;
    }
    const reason = `${action.key} on ${node} ${describe(result)}`;
    this.#run.fail(action, reason);
    const probe = action.task === "monitor" && action.intervalMs === 0;
    if (!probe) this.#event("warning", "ACTION-FAILED", reason, node, result.rsc.id);
    if (!action.canFail || probe) this.changed(reason);
  }

  /** All members have recorded what is supposed of an operation that was not answered. */
  unanswered(node: NodeName, result: OperationResult): void {
    if (this.#run?.flyingByKey(result.transitionKey) || this.#inherited.has(result.transitionKey))
      this.resulted(node, result);
  }

  /** A result that no running transition waits for: mostly of a recurring monitor. */
  #unexpected(node: NodeName, result: OperationResult, failed: boolean): void {
    const what = `${result.rsc.id}_${result.action}_${result.intervalMs} on ${node} ${describe(result)}`;
    if (failed && result.intervalMs > 0 && this.#active)
      this.#event("warning", "ACTION-FAILED", what, node, result.rsc.id);
    this.changed(what);
  }

  /** An action that consists of a message has been delivered. */
  completed(transitionKey: string): void {
    const action = this.#run?.flyingByKey(transitionKey);
    if (action) this.#run?.succeed(action);
  }

  /** `rejoined`: it was ordered before the target came back, and is no proof for what was decided since. */
  fenced(result: FenceResult, rejoined: boolean, now: Millis, wall: number): void {
    const earlier = rejoined && this.#run?.abortReason === undefined;
    const flying = earlier
      ? undefined
      : this.#run?.flying().find(({ task, node }) => task === "stonith" && node === result.target);
    if (result.ok) {
      this.#fencingPauses.delete(result.target);
      const fenced = `${result.target} was fenced`;
      if (flying) this.#run?.succeed(flying);
      else this.changed(fenced);
      // The failure of its connection may expire from now on: when, the next decision finds out.
      if (flying && !this.#init.state.isClusterNode(result.target)) this.#decideAgain(fenced);
    } else if (flying) {
      this.#run?.fail(flying, `fencing of ${result.target} failed`);
      this.#retryFencing(result, now);
    }
    this.advance(now, wall);
  }

  timer(timer: ControllerTimer, now: Millis, wall: number): void {
    if (timer === "schedule") {
      this.#scheduled = false;
      // Of one that was ended while nothing of it was under way nothing comes that would tell that it is over.
      if (this.#run) this.advance(now, wall);
      else this.#decide(now, wall);
    } else if (timer === "recheck") {
      this.changed("the recheck interval is over");
    } else if (timer === "startup") {
      if (!this.#waitingForNodes) return;
      this.#waitingForNodes = false;
      this.#seenStartup = true;
      this.changed("the wait for nodes that were not seen is over");
    } else if (timer === "transition") {
      this.#overdue(now, wall);
      this.#overdueInherited(now, wall);
      this.advance(now, wall);
    }
  }

  /** Gives out what may start, and notes when the transition is over. */
  advance(now: Millis, wall: number): void {
    const run = this.#run;
    if (!run) return;
    if (this.#active) this.#dispatch(run, now, wall);
    if (!run.over) return this.#armTransitionTimer(this.#nextLook(run, now), now);
    this.#run = undefined;
    this.#init.emit({ type: "cancel-timer", timer: "transition" });
    const { done, total, failed } = run.progress();
    const outcome = outcomeOf(run);
    this.#init.emit({ type: "transition-over", id: run.id, outcome });
    this.#event(
      "info",
      "TRANSITION-OVER",
      `transition ${run.id}: ${done} of ${total} actions done, ${failed} failed; ${outcome}`,
    );
    if (run.complete) this.#repeatsNoMore();
    // Not after a decision that nothing came of: then they cannot be looked for.
    if (run.complete && total > 0 && this.#mayStillLook())
      this.#decideAgain("what is only remembered is to be looked for");
    // Only then is it known that its host is not connected, and may have to be watched.
    if (run.complete && run.transition.actions.some(letsGo))
      this.#decideAgain("the connection to a remote node was let go");
    if (this.#triggers.length > 0 && !this.#scheduled) this.#decide(now, wall);
  }

  // ── deciding ─────────────────────────────────────────────────────────────────────────────────────────────

  #decide(now: Millis, wall: number): void {
    if (!this.#mayDecide(now)) return;
    if (!this.#plans.mayAsk(now)) return;
    if (this.#describes(wall)) return this.#again("the cluster's own properties were written", gatherMs);
    const input = { cib: this.#init.state.cib, now: Math.floor(wall) };
    try {
      if (this.#takesBack(input.now)) return this.#again("the clock has ended maintenance", gatherMs);
    } catch (error) {
      return this.#undecidable(input, defectLine(error));
    }
    this.#runs++;
    this.#ask({ input }, now, wall);
  }

  /**
   * Writes what programs and rules look for in the properties, before what would be decided without; says whether it did.
   * That a watchdog fences is never decided by. A copy that may be older than another one is to stay older, and
   * what a part without quorum writes would compete with the others' changes.
   */
  #describes(wall: number): boolean {
    const { state, traits, selfName, send } = this.#init;
    if (!traits || !this.#quorate || state.fallback !== undefined || state.losses.length > 0) return false;
    const [adminEpoch, epoch] = state.version();
    const at = `${adminEpoch}.${epoch}`;
    // Asked for once: what the members refuse would be refused again.
    if (at === this.#correctedAt) return false;
    this.#correctedAt = at;
    const operation = missingProperties(state.configuration, traits);
    if (!operation) return false;
    const request = propertiesRequest(selfName);
    send({
      type: "cib",
      request,
      operations: [operation],
      user: "hacluster",
      client: "crmd",
      askers: [],
      at: wall,
    });
    return true;
  }

  /**
   * Has looked for what the cluster leaves alone no longer since the last decision, by rules with dates, before anything is
   * decided about it: somebody may have moved it by hand. Says whether it did.
   */
  #takesBack(wall: EpochSeconds): boolean {
    const since = this.#datesSeenAt ?? wall - beforeLeadingS;
    this.#datesSeenAt = wall;
    const families = endedByDates(this.#init.state.configuration, since, wall);
    if (families === undefined) return false;
    this.#init.send({ type: "managed-again", ...(families === "all" ? {} : { resources: [...families] }) });
    return true;
  }

  #mayDecide(now: Millis): boolean {
    if (!this.#active || this.#waitingForNodes || this.#waitingForManagers) return false;
    // What is under way is let finish: its outcome is part of what is decided upon.
    return !this.#run && !this.#waitsForInherited(now);
  }

  /** Asks the scheduler. A mistake of ours there must not end the cluster's leaders one after the other. */
  #ask(question: Question, now: Millis, wall: number): void {
    let decision: Transition | undefined;
    try {
      decision = this.#plans.ask(question);
    } catch (error) {
      return this.#undecidable(question.input, defectLine(error));
    }
    if (decision) this.#answered(question, decision, now, wall);
  }

  /** What was asked of another process is answered. */
  planned(answer: PlanAnswer, now: Millis, wall: number): void {
    const planned = this.#plans.take(answer, now);
    if (planned?.kind === "failed") this.#undecidable(planned.question.input, planned.why);
    if (!planned || !this.#mayDecide(now)) return;
    if (planned.kind === "decided") this.#answered(planned.question, planned.decision, now, wall);
    else this.#decide(now, wall);
  }

  #undecidable(input: SchedulerInput, why: string): void {
    this.#undecided = `the scheduler fails on the present configuration: ${why}`;
    this.#event("error", "NO-DECISION", this.#undecided);
    this.#init.emit({ type: "transition", id: this.#runs, input, triggers: this.#triggers });
  }

  #answered({ input, looks }: Question, answer: Transition, now: Millis, wall: number): void {
    if (looks) return this.#begin(input, withLooks(looks.decided, answer, looks.open), now, wall);
    const open = this.#toLookFor(answer);
    if (open.length === 0) this.#begin(input, answer, now, wall);
    else this.#ask({ input, looks: { decided: answer, open } }, now, wall);
  }

  /** Begins to carry out what was decided. */
  #begin(input: SchedulerInput, decision: Transition, now: Millis, wall: number): void {
    const { state } = this.#init;
    const run = this.#runOf(input, decision);
    if (!run) return;
    this.#seenStartup = true;
    this.#watchRemotes((decision.unconnected ?? []).filter(({ node }) => waitsForReturn(state, node)));
    if (this.#repeats(decision, now)) return;
    const triggers = this.#triggers;
    this.#triggers = [];
    this.#init.emit({ type: "transition", id: this.#runs, input, decision, triggers });
    this.#armRecheck(decision.recheckAt, now, wall);
    this.#noteProbed(decision);
    this.#run = run;
    this.#given.clear();
    this.#callIds.clear();
    if (decision.actions.length > 0) {
      this.#event(
        "notice",
        "TRANSITION",
        `transition ${run.id}: ${decision.actions.length} actions, because ${triggers.join("; ")}`,
      );
      for (const line of decision.summary) this.#event("notice", "PLAN", line.trim().replace(/\s+/g, " "));
    }
    this.advance(now, wall);
  }

  /**
   * What the leader before this one has given out is let finish, too: until its result is known, what comes after it must
   * not begin.
   */
  #waitsForInherited(now: Millis): boolean {
    const delayMs = this.#propertyMs(["cluster-delay"], clusterDelayMs);
    const fresh = this.#inherited.take(this.#init.state.underWay, now, delayMs);
    const what = fresh.map(({ node, operation }) => `${operation.action} of ${operation.rsc.id} on ${node}`);
    if (what.length > 0)
      this.#event("info", "WAIT-FOR-ACTIONS", `waiting for what is under way already: ${what.join(", ")}`);
    this.#armTransitionTimer(this.#inherited.next, now);
    return this.#inherited.size > 0;
  }

  #overdueInherited(now: Millis, wall: number): void {
    for (const { node, operation } of this.#inherited.overdue(
      this.#init.state.underWay,
      now,
      unansweredAgainMs,
    )) {
      const what = `${operation.action} of ${operation.rsc.id} on ${node} was not answered in time`;
      this.#event("error", "ACTION-LOST", what, node);
      this.#init.send({ type: "unanswered", node, result: unansweredResult(operation, wall) });
    }
    this.#armTransitionTimer(this.#inherited.next, now);
  }

  /** A transition has achieved what it was made for. */
  #repeatsNoMore(): void {
    if (!this.#repeating) return;
    this.#repeating = false;
    const update = { node: this.#init.selfName, name: REPETITION_ATTRIBUTE, value: undefined, private: true };
    this.#init.send({ type: "attributes", updates: [update] });
  }

  /** The same as before, once more: it is put off a little, and everybody may see why. */
  #repeats(decision: Transition, now: Millis): boolean {
    const repetition = this.#guard.ask(decision, now);
    const { selfName, send, emit } = this.#init;
    if (!repetition) return false;
    const { times, withinMs, waitMs, actions } = repetition;
    const shown =
      actions.length > 3
        ? `${actions.slice(0, 3).join(", ")} and ${actions.length - 3} more`
        : actions.join(", ");
    const text = `the same was done ${times === 1 ? "once" : `${times} times`} in ${Math.ceil(withinMs / 1000)} s and is slowed down: ${shown}`;
    if (!this.#repeating) this.#event("warning", "TRANSITION-REPEATS", text);
    this.#repeating = true;
    send({
      type: "attributes",
      updates: [{ node: selfName, name: REPETITION_ATTRIBUTE, value: text, private: true }],
    });
    this.#scheduled = true;
    emit({ type: "set-timer", timer: "schedule", afterMs: Math.ceil(waitMs) });
    return true;
  }

  /** Nothing is left to be looked for on a node: its executor may answer for all that runs there. */
  #noteProbed(decision: Transition): void {
    const open = new Set(decision.actions.filter(isProbe).map(({ node }) => node));
    const unclean = new Set(decision.fencing.map(({ node }) => node));
    const nodes = [...this.#init.state.untold.keys()].filter(
      (node) => this.#isOnline(node) && !open.has(node) && !unclean.has(node),
    );
    if (nodes.length > 0) this.#init.send({ type: "probed", nodes });
  }

  /** The leader asks remote hosts that nothing but the past keeps away whether they are back. */
  #watchRemotes(remotes: readonly RemoteHost[]): void {
    if (JSON.stringify(remotes) === JSON.stringify(this.#watched)) return;
    this.#watched = remotes;
    this.#init.emit({ type: "watch-remotes", remotes });
  }

  #isOnline(node: NodeName): boolean {
    const { state } = this.#init;
    return this.#online.has(node) || state.status.nodeState(node, "in_ccm") === "true";
  }

  #runOf(input: SchedulerInput, decision: Transition): TransitionRun | undefined {
    try {
      const { state } = this.#init;
      const guests = new Set(state.guests.values());
      const run = new TransitionRun(this.#runs, this.#init.incarnation, decision, {
        untold: state.untold,
        unheard: (remote) => state.isUnheard(remote, guests.has(remote)),
        guestIn: (rsc) => state.guests.get(rsc),
        wasFound: (rsc) => state.wasFound(rsc),
        familyOf: resourceFamilies(state.configuration),
      });
      this.#undecided = undefined;
      return run;
    } catch (error) {
      this.#undecidable(input, defectLine(error));
      return undefined;
    }
  }

  /**
   * That a resource is not active somewhere may be only what a daemon remembered that died: somebody may have started it
   * there meanwhile. Before it is activated elsewhere it is looked for there, with the probes that would be made if nothing
   * were known; or the monitor is waited for that goes on there (`#held`). When nothing else is to be done all of them are
   * looked for: a second one that was started by hand would run on unseen.
   */
  #toLookFor(decided: Transition): readonly UnseenPlace[] {
    const { state } = this.#init;
    if (!state.remembersAnything) return [];
    const familyOf = resourceFamilies(state.configuration);
    const needed = decided.actions.flatMap((action) => this.#unseenBefore(action, familyOf));
    const idle = decided.actions.length === 0 ? this.#unseenInactive() : [];
    return [...needed.filter(({ watched }) => !watched), ...idle];
  }

  /** Which actions have to wait: for a monitor that tells what is only remembered, or for the next try of a fencing. */
  #held(now: Millis): (action: GraphAction) => boolean {
    const { state } = this.#init;
    const pauses = (action: GraphAction) => this.#pauseOf(action, now) !== undefined;
    if (!state.remembersAnything) return pauses;
    const familyOf = resourceFamilies(state.configuration);
    return (action) => pauses(action) || this.#unseenBefore(action, familyOf).some(({ watched }) => watched);
  }

  /** Until when a fencing waits since the last one of its target has failed. */
  #pauseOf({ task, node }: GraphAction, now: Millis): Millis | undefined {
    const until = task === "stonith" && node !== undefined ? this.#fencingPauses.get(node) : undefined;
    return until !== undefined && until > now ? until : undefined;
  }

  /** When a transition has to be looked at though nothing is answered. */
  #nextLook(run: TransitionRun, now: Millis): Millis | undefined {
    const pauses = run.waiting().map((action) => this.#pauseOf(action, now));
    const times = [run.nextDeadline(), ...pauses].filter((time) => time !== undefined);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  /**
   * Whether there is something to look for when nothing else is to be done. What is always to be done again, and lets
   * nobody look, must not make the leader decide for ever.
   */
  #mayStillLook(): boolean {
    const places = this.#unseenInactive();
    const what = places.map(({ node, rsc }) => `${rsc} ${node}`).join("\n");
    this.#looksFor =
      what === this.#looksFor.what ? { what, asked: this.#looksFor.asked + 1 } : { what, asked: 1 };
    return places.length > 0 && this.#looksFor.asked <= MOST_LOOKS;
  }

  #unseenInactive(): readonly UnseenPlace[] {
    const { state } = this.#init;
    return state.unseenInactive().filter(({ watched, node }) => !watched && this.#isOnline(node));
  }

  #unseenBefore(action: GraphAction, familyOf: (rsc: string) => string): readonly UnseenPlace[] {
    if (!activates(action)) return [];
    const activation = {
      node: action.node,
      rsc: action.rsc?.id ?? "",
      promotes: action.task === "promote",
    };
    return this.#init.state.unseenBefore(activation, familyOf).filter(({ node }) => this.#isOnline(node));
  }

  #armRecheck(recheckAt: number | undefined, now: Millis, wall: number): void {
    const interval = this.#propertyMs(["cluster-recheck-interval"], recheckMs);
    const until = recheckAt === undefined ? interval : Math.max(1000, (recheckAt - wall) * 1000 + 100);
    const afterMs = interval === 0 ? until : Math.min(interval, until);
    this.#recheckDue = Number.POSITIVE_INFINITY;
    if (afterMs > 0) this.#recheckAfter(afterMs, now);
  }

  #recheckAfter(afterMs: Millis, now: Millis): void {
    this.#recheckDue = now + afterMs;
    this.#init.emit({ type: "set-timer", timer: "recheck", afterMs });
  }

  /**
   * After a cold start, nodes that have not been seen may only be late. Deciding without them would move their
   * services or fence them, so they are given `dc-deadtime` (a manager whose ring is there at least its grace); once all
   * are there nothing is waited for.
   */
  #waitForUnseen(membership: Membership): void {
    if (this.#seenStartup) return;
    const { state } = this.#init;
    const present = new Set(membership.participants.map(({ nodeId }) => String(nodeId)));
    const unseen = state.clusterNodes().filter(({ id }) => {
      return !present.has(id) && state.status.nodeState(id, "crmd") === undefined;
    });
    const was = this.#waitingForNodes;
    this.#waitingForNodes = unseen.length > 0;
    if (!this.#waitingForNodes || was) return;
    const deadtimeMs = this.#propertyMs(["dc-deadtime"], dcDeadtimeMs);
    // Managers of which only the ring is there are about to come, perhaps after the death of all.
    const members = new Set(membership.members.map(String));
    const coming = unseen.some(({ id }) => members.has(id));
    const afterMs = coming ? Math.max(deadtimeMs, managerGraceMs) : deadtimeMs;
    const names = unseen.map(({ name }) => name).join(" ");
    this.#event(
      "notice",
      "WAIT-FOR-NODES",
      `waiting up to ${afterMs / 1000} s for ${names} before anything is decided`,
    );
    this.#init.emit({ type: "set-timer", timer: "startup", afterMs });
  }

  // ── the transition under way ─────────────────────────────────────────────────────────────────────────────

  #dispatch(run: TransitionRun, now: Millis, wall: number): void {
    const dispatches: Dispatch[] = [];
    const taken = run.take(now, run.transition.batchLimit, this.#held(now));
    const callIds = new Map<NodeName, number>();
    for (const planned of taken) {
      const action = this.#routed(run, planned);
      if (action.maintenance)
        this.#init.send({
          type: "maintenance",
          changes: action.maintenance,
          completes: run.keyOf(action),
        });
      else if (action.kind === "crm" || action.task === "probe_again") this.#carryOut(run, action, wall);
      else if (!this.#withheld(run, action, now))
        dispatches.push(...this.#checked(run, action, this.#toDispatch(run, action, callIds)));
    }
    if (dispatches.length > 0)
      this.#init.send({
        type: "actions",
        transition: run.uuid,
        membership: this.#init.membership(),
        dispatches,
        at: wall,
      });
  }

  /**
   * An action on a remote node, by who is connected to it. The decision names the node to which a connection that is half
   * moved was to come: when that ends there (all leave, say), nobody will ever be connected from it.
   */
  #routed(run: TransitionRun, action: GraphAction): GraphAction {
    const { kind, node, router } = action;
    if (kind !== "rsc" || node === undefined || router === undefined) return action;
    const { state } = this.#init;
    const opsOf = (from: NodeName) => state.status.ops(state.idOf(from), node);
    const isConnected = (from: NodeName) => endsActive(opsOf(from));
    if (isConnected(router) || opsOf(router).some(isPending)) return action;
    const [connected, ...others] = [...this.#online].filter(isConnected);
    return connected === undefined || others.length > 0 ? action : run.reroute(action, connected);
  }

  /** Whether a cluster node takes no part: its manager was given up, and it is about to be fenced. */
  #isAbsent(node: NodeName | undefined): boolean {
    return node !== undefined && !this.#online.has(node) && this.#init.state.isClusterNode(node);
  }

  /**
   * Why an action is not given out: nobody would carry it out, as it is to be done through a node that takes no part, as in
   * a guest that it hosts; or on a remote node, through nobody, or through a node that is not connected to it by what is
   * known of the connection. Or it would make something active that may run in a guest of which nobody has heard.
   */
  #obstacle(action: GraphAction): string | undefined {
    const { kind, task, node, router, rsc } = action;
    const { state } = this.#init;
    const by = router ?? node;
    if (this.#isAbsent(by)) return `${by} takes no part`;
    const mayBeInside = rsc !== undefined && rsc.class !== "stonith" && activates(action) && !reaches(action);
    const guest = mayBeInside ? state.unheardGuestOf(rsc.id) : undefined;
    if (guest !== undefined && guest !== node)
      return `${rsc?.id} may run in ${guest}, which nobody is connected to, or has looked into since its daemon is back`;
    if (kind !== "rsc" || task === "cancel" || node === undefined || state.isClusterNode(node))
      return undefined;
    if (router === undefined) return `nobody is connected to ${node}`;
    if (endsActive(state.status.ops(state.idOf(router), node))) return undefined;
    return `${router} is not connected to ${node}`;
  }

  /**
   * Why nothing can be done to a service where it runs: its agent cannot be executed. A stop that fails costs the node its power,
   * and what fails before is followed by a stop.
   * Where no monitor finds out that it can be executed again, it is tried once more after a time.
   */
  #stuck({ task, node, rsc }: GraphAction, now: Millis): string | undefined {
    if (!changesActive.has(task) || node === undefined || rsc === undefined) return undefined;
    const { state } = this.#init;
    const call = ({ attributes }: XmlElement) => Number(attributes.get("call-id") ?? 0);
    const [last] = state.status.ops(state.idOf(node), rsc.id).toSorted((a, b) => call(b) - call(a));
    const reason = last?.attributes.get("exit-reason") ?? "";
    const place = `${node} ${rsc.id}`;
    if (last && isUnwatched(reason)) {
      if ((last.attributes.get("interval") ?? "0") !== "0") return reason;
      const since = this.#stuckSince.get(place) ?? now;
      this.#stuckSince.set(place, since);
      const againMs = since + stuckAgainMs - now;
      if (againMs > 0) {
        this.#recheckAfter(Math.min(againMs, this.#recheckDue - now), now);
        return reason;
      }
    }
    this.#stuckSince.delete(place);
    return undefined;
  }

  /** Says so of an action that something is in the way of: the obstacle's end is waited for, not an answer. */
  #withheld(run: TransitionRun, action: GraphAction, now: Millis): boolean {
    const stuck = this.#stuck(action, now);
    const obstacle = stuck ?? this.#obstacle(action);
    if (obstacle === undefined) return false;
    const reason = `${action.key} cannot be given out: ${obstacle}`;
    this.#event("warning", "ACTION-WITHHELD", reason, action.node);
    run.withhold(action);
    // That it can be executed again its monitor will tell, or the next try.
    if (stuck === undefined) this.#again(reason, recoveryMs);
    return true;
  }

  /** What the members would refuse is not sent: it would take everything that is given out with it. */
  #checked(run: TransitionRun, action: GraphAction, dispatch: Dispatch): Dispatch[] {
    try {
      return [readDispatch(dispatch, action.key.slice(0, 200))];
    } catch (error) {
      if (!(error instanceof HactlError)) throw error;
      const reason = `${action.key.slice(0, 200)} cannot be given out: ${error.what}`;
      this.#event("error", "ACTION-REFUSED", reason, action.node);
      run.fail(action, reason);
      return [];
    }
  }

  #toDispatch(run: TransitionRun, action: GraphAction, callIds: Map<NodeName, number>): Dispatch {
    const node = action.node ?? this.#init.selfName;
    const callId = callIds.get(node) ?? this.#init.state.nextCallId(node);
    callIds.set(node, callId + 1);
    this.#init.state.reserveCallId(node, callId);
    this.#callIds.set(run.keyOf(action), callId);
    const operation: Operation = {
      callId,
      rsc: this.#agentFor(action, node),
      action: action.task,
      intervalMs: action.intervalMs,
      timeoutMs: action.timeoutMs,
      startDelayMs: action.startDelayMs,
      params: action.params,
      transitionKey: run.keyOf(action),
    };
    const { lockedSince } = action;
    const dispatch = {
      node,
      executor: action.router ?? node,
      operation,
      ...(lockedSince === undefined ? {} : { lockedSince }),
    };
    this.#given.set(action.id, dispatch);
    return dispatch;
  }

  /**
   * What ends a service is done by the agent that the node's history names, also where another one is configured by now,
   * and whatever is done with one that runs goes to the instance that runs there.
   */
  #agentFor(action: GraphAction, node: NodeName): Operation["rsc"] {
    const { rsc, task, intervalMs } = action;
    const { state } = this.#init;
    const looks = task === "monitor" && intervalMs === 0;
    const plain = resourceId(rsc?.id ?? "");
    // Only instances without number have a long name besides.
    const longId = looks ? undefined : rsc?.longId;
    const id = longId === undefined ? plain : state.idInUse(node, plain, longId);
    const known = task === "stop" || task === "demote" ? state.agentOf(node, id) : undefined;
    return known ?? decidedAgent(action, id);
  }

  #carryOut(run: TransitionRun, action: GraphAction, wall: number): void {
    const completes = run.keyOf(action);
    const node = action.node ?? this.#init.selfName;
    switch (action.task) {
      case "stonith":
        return this.#fence(run, action, node);
      case "do_shutdown":
        return this.#init.send({ type: "release", node, completes });
      case "clear_failcount": {
        const rsc = action.rsc?.longId ?? action.rsc?.id ?? "";
        const id = action.rsc?.id ?? rsc;
        const names = this.#init.state.attributes.names().filter((name) => {
          return name.startsWith(`fail-count-${id}#`) || name.startsWith(`last-failure-${id}#`);
        });
        const updates = names.map((name) => ({ node, name, value: undefined }));
        const forgetFailure = { node, rsc: id };
        return this.#init.send({ type: "attributes", updates, completes, forgetFailure });
      }
      case "probe_again": {
        // Nothing has to be done for it but to say so: the next decision asks about every resource.
        const updates = [{ node, name: "probe_complete", value: undefined }];
        return this.#init.send({ type: "attributes", updates, completes });
      }
      case "lrm_delete":
        return this.#init.send({
          type: "forget",
          rsc: resourceId(action.rsc?.id ?? ""),
          node,
          failuresOnly: false,
          at: wall,
          completes,
        });
      default:
        this.#event(
          "warning",
          "ACTION-UNKNOWN",
          `the decision names an action that is not known: ${action.key}`,
        );
        run.succeed(action);
    }
  }

  #fence(run: TransitionRun, action: GraphAction, target: NodeName): void {
    const wanted = action.params.CRM_meta_stonith_action ?? action.params.stonith_action ?? "reboot";
    const kind: FenceAction =
      wanted === "on" ? "on" : wanted === "off" || wanted === "poweroff" ? "off" : "reboot";
    const cause =
      run.transition.fencing.find(({ node }) => node === target)?.reason ?? "the cluster's decision";
    const delay = Number.parseInt(action.params.CRM_meta_priority_fencing_delay ?? "0", 10) || 0;
    this.#event("warning", "FENCING", `fencing ${target} (${kind}): ${cause}`, target);
    this.#init.emit({
      type: "fence",
      request: {
        id: `${run.uuid}-${run.id}-${action.id}`,
        target,
        action: kind,
        timeoutMs: action.timeoutMs > 0 ? action.timeoutMs : run.transition.stonithTimeoutMs,
        delayMs: delay * 1000,
        origin: this.#init.selfName,
        client: "controller",
        reason: cause,
      },
    });
  }

  /**
   * The next try waits; whatever else there is to do does not. After stonith-max-attempts failures in a row nothing is tried
   * until the next recheck or event.
   */
  #retryFencing({ target, failures, exhausted }: FenceResult, now: Millis): void {
    if (exhausted) {
      const text =
        `fencing ${target} has failed ${failures} times; it is tried again at the next recheck. Its resources stay ` +
        `where they were until ${target} is known to be off: repair the device, or confirm with 'hactl fence confirm ${target}'`;
      this.#event("error", "FENCING-GIVEN-UP", text, target);
      return;
    }
    this.#fencingPauses.set(target, now + fencingRetryAfter(failures));
    this.#decideAgain("fencing failed");
  }

  #noteTrigger(reason: string): void {
    if (this.#triggers.length < MOST_TRIGGERS && !this.#triggers.includes(reason))
      this.#triggers.push(reason);
  }

  /** Decides again after a time. */
  #again(reason: string, afterMs: Millis): void {
    this.#noteTrigger(reason);
    this.#scheduled = true;
    this.#init.emit({ type: "set-timer", timer: "schedule", afterMs });
  }

  /** Membership changes may have come while this node did not lead: nodes that are gone do not answer. */
  #dropLost(): void {
    const run = this.#run;
    if (!run) return;
    const state = this.#init.state;
    const cluster = new Set(state.clusterNodes().map(({ name }) => name));
    for (const action of run.flying()) {
      const node = nodeName(action.router ?? action.node ?? "");
      if (cluster.has(node) && !this.#online.has(node)) run.loseNode(node);
    }
  }

  /**
   * What was not answered may have failed. For an operation all members record that, and when they have, it has failed
   * for this transition, too: what is decided next has to follow from it.
   */
  #overdue(now: Millis, wall: number): void {
    const run = this.#run;
    if (!run) return;
    for (const action of run.overdue(now)) {
      const reason = `${action.key} on ${action.node ?? "the cluster"} did not answer in time`;
      this.#event("error", "ACTION-LOST", reason, action.node);
      const given = this.#given.get(action.id);
      if (given && isRecorded(action.task)) {
        // Said again if a change of the membership swallows it.
        run.postpone(action, now + unansweredAgainMs);
        const result = unansweredResult(given.operation, wall);
        this.#init.send({ type: "unanswered", node: given.node, result });
        continue;
      }
      run.fail(action, reason);
      this.changed(reason);
    }
  }

  #armTransitionTimer(next: Millis | undefined, now: Millis): void {
    if (next !== undefined)
      this.#init.emit({ type: "set-timer", timer: "transition", afterMs: Math.max(1, next - now) });
  }

  #propertyMs(names: readonly string[], fallback: Millis): Millis {
    return parseIntervalMs(this.#init.state.property(...names)) ?? fallback;
  }

  #event(level: ClusterEvent["level"], id: string, text: string, node?: NodeName, rsc?: string): void {
    const event = {
      level,
      id,
      text,
      ...(node === undefined ? {} : { node }),
      ...(rsc === undefined ? {} : { rsc }),
    };
    this.#init.emit({ type: "event", event });
  }
}

/**
 * A decision with the probes of some places, taken from the one that would be made if nothing were known of them. A remote
 * node whose connection the decision makes, or moves, is asked when that is done: before, nobody could ask it.
 */
function withLooks(decided: Transition, asIfUnknown: Transition, open: readonly UnseenPlace[]): Transition {
  const first = Math.max(0, ...decided.actions.map(({ id }) => id)) + 1;
  const reaching = Map.groupBy(decided.actions.filter(reaches), ({ rsc }) => rsc?.id ?? "");
  const looks = asIfUnknown.actions
    .filter(isProbe)
    .flatMap((action) => {
      const place = open.find(({ node, rsc }) => node === action.node && rsc === action.rsc?.id);
      return place ? [{ ...action, expectedRc: place.active ? OcfExit.OK : OcfExit.NOT_RUNNING }] : [];
    })
    .map((action, i) => ({
      ...action,
      id: first + i,
      inputs: (reaching.get(action.node ?? "") ?? []).map(({ id }) => id),
    }));
  return { ...decided, actions: [...decided.actions, ...looks] };
}

/**
 * How long after so many failures in a row a fencing is tried again: soon at first, then ever later. A device may do what
 * it is told and say that it did not: whoever asks it without pause never lets the target boot.
 */
const fencingRetryAfter = (failures: number): Millis =>
  Math.min(longestFencingRetryMs, fencingRetryMs * 2 ** Math.max(0, failures - 1));

function outcomeOf(run: TransitionRun): string {
  if (run.abortReason !== undefined) return `aborted: ${run.abortReason}`;
  return run.complete ? "complete" : "ended early: the rest waits for what cannot run";
}

function describe(result: OperationResult): string {
  const reason = result.exitReason === "" ? "" : ` (${result.exitReason})`;
  return `ended with rc=${result.rc}, status=${result.status}${reason}`;
}
