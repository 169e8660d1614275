import type { ControllerEvent, Remembered } from "../../src/controller/index.ts";
import type { JournalRecord, Operation, SavedState } from "../../src/executor/index.ts";
import type { AgentOutcome, KeptRun, LeftRun } from "../../src/fencer/index.ts";
import type { NodeName } from "../../src/terms/index.ts";
import type { AgentCall, AgentPlan } from "./agents.ts";
import type { ExecutorProcess } from "./executor-process.ts";
import type { World } from "./world.ts";

/** A manager of a machine that is not busy takes so long to begin. */
export const MANAGER_BOOT_MS = [50, 300] as const;

/** What a service is on a host. */
export type Role = "started" | "promoted";

/** Files of the run directory, which a reboot empties. */
interface RunFiles {
  executor?: SavedState | "damaged";
  journal: JournalRecord[];
  /** Last sign of life of an executor, virtual time. */
  alive?: number;
  /** The node has left in order since. */
  left?: boolean;
  /** Agents of fencing that were told to act, by name. */
  fencing?: Map<string, KeptFencing>;
  manager?: {
    readonly instance: string;
    readonly memory: Remembered;
    readonly operations: readonly Operation[];
  };
}

/** An agent of fencing, which outlives the manager that runs it. */
export class KeptFencing {
  private outcome: AgentOutcome | undefined;
  private readonly waiting: ((outcome: AgentOutcome) => void)[] = [];

  constructor(readonly run: KeptRun) {}

  get goesOn(): boolean {
    return this.outcome === undefined;
  }

  end(outcome: AgentOutcome): void {
    this.outcome = outcome;
    for (const tell of this.waiting.splice(0)) tell(outcome);
  }

  whenOver(tell: (outcome: AgentOutcome) => void): void {
    if (this.outcome) tell(this.outcome);
    else this.waiting.push(tell);
  }
}

/** Files that outlive a reboot. */
interface DiskFiles {
  bootFile?: string;
  cib?: string;
}

/** One run of an agent. It outlives the executor that started it. */
export interface AgentProcess {
  readonly call: AgentCall;
  /** When it ends by itself, virtual time. */
  readonly endsAt: number;
  /** Nobody waits for it any more when it is not set. */
  ended: ((code: number | "killed") => void) | undefined;
  kill(): void;
}

/** A machine: its services live here and outlive all processes of ours, but not the machine. */
export class Host {
  powered = false;
  /** Part of the network that it is in. */
  part = 0;
  readonly services = new Map<string, Role>();
  readonly agents = new Set<AgentProcess>();
  run: RunFiles = { journal: [] };
  readonly disk: DiskFiles = {};
  /** How long a manager takes until it can be talked to. */
  managerBootMs: readonly [number, number] = MANAGER_BOOT_MS;
  /** Of its executor, while one lives. */
  executor: ExecutorProcess | undefined;
  /** Host that a guest runs on. */
  carrier: Host | undefined;
  /** The resource that it runs in, there. */
  container = "";
  /** What agents' tools want to say to a manager, in order, each until it is given up. */
  readonly wishes: { readonly event: ControllerEvent; readonly until: number }[] = [];
  /** How far its wall clock is ahead of the others', seconds. */
  clockAhead = 0;
  private boots = 0;

  constructor(
    readonly world: World,
    readonly name: NodeName,
    readonly kind: "node" | "remote" | "guest",
    /** How well it likes to be promoted. */
    readonly score: number,
  ) {}

  get bootId(): string {
    return `boot-${this.name}-${this.boots}`;
  }

  /** Keeps a run of a fence agent for whoever comes after its manager. */
  keepFencing(run: KeptRun): KeptFencing {
    const { op, device, target } = run.order;
    const before = [...(this.run.fencing?.values() ?? [])].find(
      (one) => one.goesOn && one.run.order.op === op && one.run.order.device === device,
    );
    if (before) this.world.watch.broken("fencing", `${this.name} fences ${target} twice for ${op}`);
    const kept = new KeptFencing(run);
    this.run.fencing ??= new Map();
    this.run.fencing.set(`left ${this.world.nextId()}`, kept);
    return kept;
  }

  /** What managers before have begun. */
  leftFencing(): LeftRun[] {
    return [...(this.run.fencing ?? [])].map(([run, kept]) => ({ ...kept.run, run }));
  }

  /** A request has ended: what was kept of it goes. */
  forgetFencing(op: string): void {
    for (const [name, { run }] of this.run.fencing ?? [])
      if (run.order.op === op) this.run.fencing?.delete(name);
  }

  /** What its wall clock shows, seconds. */
  get wall(): number {
    return this.world.clock.wall + this.clockAhead;
  }

  /** Power comes: an empty machine. */
  on(): void {
    this.powered = true;
    this.boots++;
    this.run = { journal: [] };
    this.world.trace(`${this.name} boots (${this.boots})`);
  }

  /** Power goes: all that runs is gone at once. */
  off(): void {
    if (!this.powered) return;
    this.powered = false;
    for (const agent of [...this.agents]) {
      agent.ended = undefined;
      agent.kill();
    }
    this.agents.clear();
    this.wishes.length = 0;
    for (const instance of [...this.services.keys()]) this.become(instance, undefined);
    this.world.trace(`${this.name} is off`);
  }

  /** A service changes its state; `undefined`: it does not run. */
  become(instance: string, role: Role | undefined): void {
    if (this.services.get(instance) === role) return;
    if (role === undefined) this.services.delete(instance);
    else this.services.set(instance, role);
    this.world.trace(`  ${instance} on ${this.name} is ${role ?? "stopped"}`);
    this.world.watch.serviceChanged(this, instance);
  }

  /** Whether the network leads from here to there. */
  reaches(other: Host): boolean {
    const at = (host: Host) => (host.carrier ? host.carrier.part : host.part);
    return this.powered && other.powered && at(this) === at(other);
  }

  /** Starts an agent; `ended` is told how it ended. */
  start(call: AgentCall, plan: AgentPlan, ended: (code: number | "killed") => void): AgentProcess {
    const { clock } = this.world;
    let code = plan.code;
    const cancels = [
      clock.after(plan.actsAfterMs, () => {
        code = plan.act() ?? code;
      }),
      clock.after(plan.takesMs, () => end(code)),
    ];
    const end = (how: number | "killed") => {
      if (!this.agents.delete(agent)) return;
      for (const cancel of cancels) cancel();
      agent.ended?.(how);
    };
    const agent: AgentProcess = { call, endsAt: clock.now + plan.takesMs, ended, kill: () => end("killed") };
    this.agents.add(agent);
    return agent;
  }
}
