import { hungAfterMs } from "../../src/daemon/children.ts";
import type { NodeId } from "../../src/terms/index.ts";
import { ExecutorProcess } from "./executor-process.ts";
import type { Host } from "./host.ts";
import { ManagerProcess } from "./manager-process.ts";
import { RingProcess } from "./ring-process.ts";
import type { World } from "./world.ts";

/** A process that lived so long is started again at once when it dies. */
const STEADY_MS = 2000;
const LONGEST_PAUSE_MS = 2000;

/** Keeps one process of a daemon alive, as the ring's `Child` does. */
class Keeper {
  private pauseMs = 0;
  private startedAt = 0;
  private cancel: (() => void) | undefined;

  constructor(
    private readonly world: World,
    private readonly bootMs: () => readonly [number, number],
    private readonly make: () => void,
  ) {}

  start(): void {
    this.startedAt = this.world.clock.now;
    const [low, high] = this.bootMs();
    this.cancel = this.world.clock.after(this.world.random.between(low, high), this.make);
  }

  died(): void {
    const lived = this.world.clock.now - this.startedAt;
    this.pauseMs = lived >= STEADY_MS ? 0 : Math.min(LONGEST_PAUSE_MS, Math.max(100, this.pauseMs * 2));
    this.cancel = this.world.clock.after(this.pauseMs, () => this.start());
  }

  stop(): void {
    this.cancel?.();
  }
}

/** One run of the daemon on a cluster node: its ring, and the manager and executor that the ring keeps alive. */
export class Daemon {
  alive = true;
  /** It has said goodbye to the others, and its processes are being ended. */
  ending = false;
  /** Somebody has asked it to leave. */
  private asked = false;
  readonly instance: string;
  readonly ring: RingProcess;
  manager: ManagerProcess | undefined;
  private readonly world: World;
  private readonly managers: Keeper;
  private readonly executors: Keeper;
  /** Of the manager that connected last. */
  incarnation: number;

  constructor(
    readonly host: Host,
    readonly id: NodeId,
  ) {
    const { world } = host;
    this.world = world;
    this.instance = `d${world.nextId()}`;
    this.incarnation = world.random.between(1, 2 ** 30);
    this.ring = new RingProcess({
      id,
      order: world.order,
      part: host.part,
      quorate: (members, seenAll) => world.quorate(members, seenAll),
      isAll: (members) => members.length === world.nodes.length,
      tell: (event) => {
        const to = this.manager;
        // The line to the manager keeps the order; both are on one machine.
        world.clock.after(0.1, () => {
          if (to?.alive && to === this.manager) to.fromRing(event);
        });
      },
    });
    this.executors = new Keeper(
      world,
      () => [30, 150],
      () => this.startExecutor(),
    );
    this.managers = new Keeper(
      world,
      () => host.managerBootMs,
      () => this.startManager(),
    );
    this.executors.start();
    this.managers.start();
  }

  get executor(): ExecutorProcess | undefined {
    const { executor } = this.host;
    return executor?.alive ? executor : undefined;
  }

  /** The manager has connected to the ring. */
  managerReady(manager: ManagerProcess): void {
    if (!this.alive || manager !== this.manager) return;
    this.ring.manager(++this.incarnation);
  }

  /** What a manager says to all passes through the ring process. */
  say(payload: Uint8Array): void {
    const { incarnation } = this;
    this.world.clock.after(0.1, () => {
      // What it wrote before it died is still read.
      if (this.alive && incarnation === this.incarnation) this.ring.say(payload);
    });
  }

  killManager(): void {
    const { manager } = this;
    if (!manager?.alive) return;
    manager.kill();
    this.manager = undefined;
    if (!this.alive) return;
    this.world.clock.after(0.2 + this.world.random.unit() * 2, () => {
      if (!this.alive || this.manager?.alive) return;
      this.ring.manager(0);
    });
    this.managers.died();
  }

  /** The manager hangs; if it does so for as long as the ring waits for signs of life, it is ended and started again. */
  hangManager(ms: number): void {
    const { manager, world } = this;
    if (!manager?.alive || manager.hangs || manager.view.phase !== "synced") return;
    manager.hang();
    world.clock.after(ms, () => {
      if (ms < hungAfterMs) manager.goOn();
      else if (this.manager === manager) this.killManager();
    });
  }

  killExecutor(): void {
    const { executor } = this;
    if (!executor) return;
    executor.kill();
    if (this.alive) this.executors.died();
  }

  /** All three die at once; whether it is started again is the host's business. */
  kill(): void {
    if (!this.alive) return;
    this.alive = false;
    this.managers.stop();
    this.executors.stop();
    this.killManager();
    this.killExecutor();
    this.world.order.die(this.ring.port);
    this.world.trace(`daemon of ${this.host.name} dies`);
  }

  /** It ends by itself and is not started again. */
  end(): void {
    this.kill();
    this.world.ended(this.host, this);
  }

  /** Nothing of the cluster runs here: it says goodbye. */
  leave(): void {
    if (!this.asked) this.world.watch.broken("leave", `${this.host.name} leaves, and nobody has asked it to`);
    this.world.clock.after(0.1, () => {
      if (!this.alive) return;
      this.alive = false;
      this.ending = true;
      this.world.order.leave(this.ring.port);
      this.world.trace(`${this.host.name} leaves`);
      this.managers.stop();
      this.executors.stop();
      this.world.clock.after(100, () => {
        this.killManager();
        this.executor?.stop(false);
        this.ending = false;
        this.world.ended(this.host, this);
      });
    });
  }

  /** An administrator asks it to leave. */
  drain(): void {
    this.asked = true;
    this.manager?.step({ type: "shutdown-request" });
  }

  private startManager(): void {
    this.manager = new ManagerProcess(this);
  }

  private startExecutor(): void {
    if (this.host.executor?.alive) throw new Error(`${this.host.name} has two executors`);
    new ExecutorProcess(this.host, this.instance).start();
  }
}
