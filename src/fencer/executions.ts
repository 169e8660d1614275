import { parseBoolean } from "../cib/index.ts";
import type { Millis, NodeName } from "../terms/index.ts";
import { agentAction, agentRun, agentWords, complaint, deedOf, seconds, type Wanted } from "./agent-run.ts";
import type { FenceDevice } from "./device.ts";
import { type FenceConfiguration, hostCheck, listedStatically, parseHostOutput, portOf } from "./devices.ts";
import type { AgentOutcome, ExecuteAnswer, ExecuteOrder, FenceDeed, FencerEffect, LeftRun } from "./face.ts";
import { type AgentMetadata, pluginMetadata } from "./metadata.ts";
import { actionLimit, actionTimeout, actionTries } from "./parameters.ts";
import { endsLife, targetIsBack } from "./plan.ts";

type Stage = "delay" | "queue" | "metadata" | "check" | "run" | "verify";

/** One order that this node carries out. */
interface Execution {
  readonly order: ExecuteOrder;
  readonly device: FenceDevice;
  /** When it must have ended. */
  deadline: Millis;
  stage: Stage;
  triesLeft: number;
  deed: FenceDeed;
  /** The agent was told to act at least once, or its wait is over. */
  acted: boolean;
  run?: string;
  runTimeoutMs: Millis;
}

/** What lists said lately, by device. */
interface Listed {
  readonly names: ReadonlySet<string>;
  readonly at: Millis;
}

/** A list is asked again after this time. */
const listAgeMs = 60_000;
/** Answers that are remembered, for a leader that asks again. */
const rememberedAnswers = 100;

/** Carries out the orders for this node: waits, asks whether the device can, runs it, tries again, looks after it. */
export class Executions {
  private readonly active = new Map<string, Execution>();
  private readonly runs = new Map<string, Execution>();
  private readonly lists = new Map<string, Listed>();
  /** What was answered last, by order. */
  private readonly answered = new Map<string, ExecuteAnswer>();
  private left: readonly LeftRun[];
  /** Nodes that have been there since this manager was started. */
  private readonly back = new Set<NodeName>();
  /** The ring in which the fencer hears and speaks. */
  ring = "";
  private counter = 0;

  constructor(
    private readonly self: NodeName,
    private readonly graceMs: Millis,
    private readonly metadataOf: (agent: string) => AgentMetadata | null | undefined,
    private readonly emit: (effect: FencerEffect) => void,
    private readonly answer: (answer: ExecuteAnswer) => void,
    left: readonly LeftRun[],
  ) {
    this.left = left;
  }

  /** Devices may have changed: what lists said is void. */
  configured(): void {
    this.lists.clear();
  }

  /** An order that comes once more is carried out once: what is under way goes on, what has ended is told again. */
  start(order: ExecuteOrder, configuration: FenceConfiguration, now: Millis): void {
    if (this.active.has(key(order))) return;
    const before = this.answered.get(key(order));
    if (before) return this.answer(before);
    const device = configuration.devices.get(order.device);
    if (!device) {
      this.answer({
        ...named(order),
        ok: false,
        ran: false,
        deed: "none",
        reason: `${this.self} does not know this device`,
      });
      return;
    }
    const execution: Execution = {
      order,
      device,
      deadline: now + order.delayMs + order.timeoutMs,
      stage: "delay",
      triesLeft: actionTries(device.params, order.action),
      deed: "none",
      acted: device.kind === "kdump",
      runTimeoutMs: 0,
    };
    this.active.set(key(order), execution);
    this.emit({
      type: "set-timer",
      timer: `exec:${key(order)}`,
      afterMs: order.delayMs + order.timeoutMs + (device.kind === "kdump" ? 0 : this.graceMs),
    });
    if (device.kind === "kdump") return;
    const left = this.take(order);
    if (left) this.resume(execution, left);
    else if (order.delayMs > 0)
      this.emit({ type: "set-timer", timer: `delay:${key(order)}`, afterMs: order.delayMs });
    else this.queue(execution, now);
  }

  /**
   * What the manager before this one has begun for an order: that very order, or one like it in a ring that is the same
   * since, so that the target cannot have come back in between. Of the tries of an order only the last can go on.
   */
  private take(order: ExecuteOrder): LeftRun | undefined {
    const like = ({ order: other, ring }: LeftRun) =>
      ring === this.ring &&
      ring !== "" &&
      !this.back.has(order.target) &&
      [other.device, other.target, other.action, other.phase].join() ===
        [order.device, order.target, order.action, order.phase].join();
    const found = this.left.findLast((one) => key(one.order) === key(order)) ?? this.left.findLast(like);
    if (found) this.left = this.left.filter((one) => key(one.order) !== key(found.order));
    return found;
  }

  private resume(execution: Execution, { run, deed, triesLeft }: LeftRun): void {
    execution.stage = "run";
    execution.acted = true;
    execution.deed = deed;
    execution.triesLeft = triesLeft;
    execution.run = run;
    execution.runTimeoutMs = execution.order.timeoutMs;
    this.runs.set(run, execution);
    const { order, device } = execution;
    const text = `${device.id}: the ${order.action} of ${order.target} that the manager before this one has begun is waited for`;
    this.emit({ type: "log", level: "notice", text });
    this.emit({ type: "resume-run", run });
  }

  /**
   * A node is there: what was done to it before is no answer to who asks from now on, and what has not reached its device
   * yet is not begun any more.
   */
  outlived(node: NodeName, now: Millis): void {
    this.back.add(node);
    for (const execution of [...this.active.values()]) {
      if (execution.order.target === node && endsLife(execution.order) && !execution.acted)
        this.finish(execution, false, targetIsBack, now);
    }
  }

  /** Forgets what is begun from now on: its agent was never run. */
  savepoint(): () => void {
    const [active, runs, left] = [new Set(this.active.keys()), new Set(this.runs.keys()), this.left];
    return () => {
      this.left = left;
      for (const one of [...this.active.keys()]) if (!active.has(one)) this.active.delete(one);
      for (const one of [...this.runs.keys()]) if (!runs.has(one)) this.runs.delete(one);
    };
  }

  /** The request has ended: what has not begun must not begin any more. */
  cancel(op: string, now: Millis): void {
    for (const execution of [...this.active.values()])
      if (execution.order.op === op && execution.run === undefined) this.drop(execution, now);
    this.emit({ type: "forget-runs", op });
  }

  timer(name: string, now: Millis): boolean {
    const [kind, id] = split(name);
    const execution = this.active.get(id);
    if (kind === "delay") {
      if (execution?.stage === "delay") this.queue(execution, now);
      return true;
    }
    if (kind !== "exec") return false;
    if (execution) {
      const { device, order } = execution;
      const reason =
        device.kind === "kdump"
          ? `no kdump notice of ${order.target} within ${seconds(order.timeoutMs)}`
          : `no end within ${seconds(order.timeoutMs)}`;
      this.finish(execution, false, reason, now);
    }
    return true;
  }

  /** Metadata came: go on with what waited for it. */
  metadata(agent: string, now: Millis): void {
    for (const execution of [...this.active.values()])
      if (execution.stage === "metadata" && execution.device.agent === agent) this.check(execution, now);
  }

  /** Takes the outcome of a run; false when it is not one of these. */
  result(run: string, outcome: AgentOutcome, now: Millis): boolean {
    const execution = this.runs.get(run);
    if (!execution) return false;
    this.runs.delete(run);
    delete execution.run;
    if (this.active.get(key(execution.order)) !== execution) return true;
    const wrong = complaint(outcome, execution.runTimeoutMs);
    if (execution.stage === "check") this.checked(execution, outcome, wrong, now);
    else if (execution.stage === "verify") this.verified(execution, outcome, wrong, now);
    else this.ran(execution, wrong, outcome.timedOut, now);
    return true;
  }

  private queue(execution: Execution, now: Millis): void {
    execution.stage = "queue";
    const busy = [...this.active.values()].filter(
      (one) => one.device.id === execution.device.id && one.stage !== "delay" && one.stage !== "queue",
    );
    if (busy.length < actionLimit(execution.device.params)) this.check(execution, now);
  }

  private check(execution: Execution, now: Millis): void {
    const { device, order } = execution;
    if (execution.stage === "queue") execution.deadline = now + order.timeoutMs;
    execution.stage = "metadata";
    const metadata = device.kind === "external" ? pluginMetadata : this.metadataOf(device.agent);
    if (metadata === undefined) {
      this.emit({ type: "fetch-metadata", agent: device.agent });
      return;
    }
    if (metadata === null) {
      this.finish(
        execution,
        false,
        `${device.agent} is not installed on ${this.self} or has no metadata`,
        now,
      );
      return;
    }
    execution.stage = "check";
    const way = hostCheck(device, metadata.actions);
    const cached = this.lists.get(device.id);
    if (way === "static-list") {
      if (listedStatically(device, order.target)) this.run(execution, metadata, now);
      else this.finish(execution, false, `pcmk_host_list does not name ${order.target}`, now);
    } else if (way === "none") this.run(execution, metadata, now);
    else if (way === "status") this.begin(execution, "status", metadata, now);
    else if (cached && now - cached.at < listAgeMs) this.listed(execution, cached.names, now);
    else this.begin(execution, "list", metadata, now);
  }

  private checked(execution: Execution, outcome: AgentOutcome, wrong: string, now: Millis): void {
    const metadata = this.usable(execution);
    if (hostCheck(execution.device, metadata.actions) === "status") {
      const known = outcome.exit === 0 || outcome.exit === 2;
      if (known && !outcome.timedOut && outcome.error === undefined) this.run(execution, metadata, now);
      else this.finish(execution, false, `its status is not known: ${wrong}`, now);
    } else if (wrong !== "") this.finish(execution, false, `its list of nodes cannot be read: ${wrong}`, now);
    else {
      const names = parseHostOutput(outcome.stdout);
      this.lists.set(execution.device.id, { names, at: now });
      this.listed(execution, names, now);
    }
  }

  private listed(execution: Execution, names: ReadonlySet<string>, now: Millis): void {
    const { device, order } = execution;
    const known =
      names.has(order.target.toLowerCase()) || names.has(portOf(device, order.target).toLowerCase());
    if (known) this.run(execution, this.usable(execution), now);
    else this.finish(execution, false, `its list does not name ${order.target}`, now);
  }

  private run(execution: Execution, metadata: AgentMetadata, now: Millis): void {
    execution.stage = "run";
    this.begin(execution, execution.order.action, metadata, now);
  }

  private begin(execution: Execution, wanted: Wanted, metadata: AgentMetadata, now: Millis): void {
    const { device, order } = execution;
    const chosen = agentAction(device, wanted, metadata);
    const left = execution.deadline - now;
    const bad = [...device.params].find(([, value]) => /[\r\n]/.test(value));
    if ("refused" in chosen || bad || left <= 0) {
      const reason =
        "refused" in chosen ? chosen.refused : bad ? `${bad[0]} has more than one line` : "no time left";
      this.finish(execution, false, reason, now);
      return;
    }
    if (wanted === order.action) execution.acted = true;
    if (wanted === order.action) execution.deed = deedOf(chosen.action);
    const aimed = wanted === "list" ? undefined : order.target;
    const looks = wanted === "list" || wanted === "status";
    const timeoutMs = looks ? Math.min(left, actionTimeout(device.params, wanted, left)) : left;
    const id = `${this.self}/${++this.counter}`;
    const plain = agentRun(id, device, chosen.action, aimed, metadata, timeoutMs);
    const { deed, triesLeft } = execution;
    const run =
      wanted === order.action ? { ...plain, kept: { order, deed, triesLeft, ring: this.ring } } : plain;
    execution.run = run.run;
    execution.runTimeoutMs = timeoutMs;
    this.runs.set(run.run, execution);
    this.emit({ type: "run-agent", run });
  }

  private ran(execution: Execution, wrong: string, timedOut: boolean, now: Millis): void {
    const { device, order } = execution;
    const metadata = this.usable(execution);
    if (wrong === "") {
      const verify = parseBoolean(device.params.get("hactl_verify_off")) === true && execution.deed === "off";
      if (!verify) this.finish(execution, true, "", now);
      else {
        execution.stage = "verify";
        this.begin(execution, "status", metadata, now);
      }
      return;
    }
    execution.triesLeft--;
    // A run that timed out has used the time of all tries.
    if (execution.triesLeft <= 0 || timedOut || now >= execution.deadline) {
      this.finish(execution, false, wrong, now);
      return;
    }
    this.emit({
      type: "log",
      level: "warning",
      text: `${device.id}: ${order.action} of ${order.target} failed (${wrong}); tried again, ${seconds(execution.deadline - now)} left`,
    });
    this.run(execution, metadata, now);
  }

  private verified(execution: Execution, outcome: AgentOutcome, wrong: string, now: Millis): void {
    if (outcome.exit === 2 && !outcome.timedOut && outcome.error === undefined)
      this.finish(execution, true, "", now);
    else {
      const seen = wrong === "" ? "it is still on" : `status: ${wrong || agentWords(outcome.stdout)}`;
      this.finish(execution, false, `${execution.order.action} was reported as done, but ${seen}`, now);
    }
  }

  private usable(execution: Execution): AgentMetadata {
    const { device } = execution;
    if (device.kind === "external") return pluginMetadata;
    return (
      this.metadataOf(device.agent) ?? {
        actions: [],
        hostArgument: "none",
        onTarget: false,
        automatic: false,
      }
    );
  }

  private finish(execution: Execution, ok: boolean, reason: string, now: Millis): void {
    this.drop(execution, now);
    const answer = {
      ...named(execution.order),
      ok,
      ran: execution.acted,
      deed: ok ? execution.deed : "none",
      reason,
    } as const;
    this.answered.set(key(execution.order), answer);
    const [oldest] = this.answered.keys();
    if (this.answered.size > rememberedAnswers && oldest !== undefined) this.answered.delete(oldest);
    this.answer(answer);
  }

  private drop(execution: Execution, now: Millis): void {
    this.active.delete(key(execution.order));
    this.emit({ type: "cancel-timer", timer: `exec:${key(execution.order)}` });
    if (execution.stage === "delay")
      this.emit({ type: "cancel-timer", timer: `delay:${key(execution.order)}` });
    const next = [...this.active.values()].find(
      (one) => one.stage === "queue" && one.device.id === execution.device.id,
    );
    if (next) this.queue(next, now);
  }
}

const key = (order: ExecuteOrder) => `${order.op}#${order.attempt}`;
const named = (order: ExecuteOrder) => ({
  op: order.op,
  attempt: order.attempt,
  device: order.device,
});

/** A timer's name as kind and rest. */
export function split(name: string): readonly [string, string] {
  const colon = name.indexOf(":");
  return [name.slice(0, colon), name.slice(colon + 1)];
}
