import { cpSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type ClusterOptions, SceneCluster } from "./cluster.ts";
import { Random } from "./random.ts";
import type { Shape } from "./resources.ts";
import { defaultShape, type Scenario } from "./scenario.ts";
import { Stage } from "./stage.ts";
import { Violation } from "./violation.ts";

export interface RunnerOptions {
  /** Directory for what is left of repetitions that did not hold. */
  readonly keep: string;
  readonly nodes?: number;
  readonly variant?: Shape["variant"];
}

/** How a repetition ended. */
export interface Outcome {
  readonly scenario: string;
  readonly seed: number;
  readonly held: boolean;
  readonly seconds: number;
  readonly violations: readonly string[];
  readonly notes: readonly string[];
  /** Where its logs are, when it did not hold. */
  readonly kept?: string;
}

/** Plays scenarios one after the other; those that need the same kind of cluster share one while it is sound. */
export class Runner {
  #cluster: SceneCluster | undefined;

  constructor(private readonly options: RunnerOptions) {}

  async close(): Promise<void> {
    await this.#cluster?.destroy();
    this.#cluster = undefined;
  }

  /** Plays a scenario once. */
  async play(scenario: Scenario, seed: number): Promise<Outcome> {
    const begun = performance.now();
    const violations: string[] = [];
    let stage: Stage | undefined;
    try {
      const cluster = await this.#clusterFor(scenario, seed);
      stage = new Stage(cluster, new Random(seed), seed);
      await scenario.play(stage);
      await stage.atRest();
    } catch (error) {
      // A fault of the scenario itself is one, too: it was not held.
      violations.push(error instanceof Violation ? error.message : `the scenario failed: ${trace(error)}`);
    }
    violations.push(...(stage?.violations() ?? []));
    const seconds = Math.round((performance.now() - begun) / 100) / 10;
    const held = violations.length === 0;
    const kept = held ? undefined : await this.#keep(scenario, seed, violations);
    if (!held || scenario.own) await this.close();
    return {
      scenario: scenario.name,
      seed,
      held,
      seconds,
      violations,
      notes: stage?.notes ?? [],
      ...(kept === undefined ? {} : { kept }),
    };
  }

  /** A cluster at rest of the kind that a scenario needs: the last one where it is of that kind. */
  async #clusterFor(scenario: Scenario, seed: number): Promise<SceneCluster> {
    const { nodes, variant } = this.options;
    const shape: Shape = {
      ...defaultShape,
      ...(nodes === undefined ? {} : { nodes }),
      ...(variant === undefined ? {} : { variant }),
      ...(variant === "remote" ? { remotes: 1 } : {}),
      ...scenario.shape,
    };
    const { own } = scenario;
    if (own) {
      await this.close();
      const options: ClusterOptions = typeof own === "function" ? own(seed) : own;
      this.#cluster = await SceneCluster.make(shape, options);
      return this.#cluster;
    }
    const old = this.#cluster;
    if (old && JSON.stringify(old.shape) === JSON.stringify(shape)) {
      old.forgetStarts();
      return old;
    }
    await this.close();
    this.#cluster = await SceneCluster.make(shape);
    await this.#furnish(this.#cluster);
    return this.#cluster;
  }

  /** All members up, with the resources of the scenarios. */
  async #furnish(cluster: SceneCluster): Promise<void> {
    await cluster.start(...cluster.members, ...cluster.mix.servingHosts);
    await cluster.until("there is a leader", 60_000, async () => {
      const status = await cluster.status(cluster.anyone());
      return status?.membership?.leader === undefined ? "none" : undefined;
    });
    await cluster.load(cluster.mix.crm);
    await new Stage(cluster, new Random(0), 0).atRest();
  }

  async #keep(scenario: Scenario, seed: number, violations: readonly string[]): Promise<string | undefined> {
    const cluster = this.#cluster;
    if (!cluster) return undefined;
    const directory = join(this.options.keep, `${scenario.name}-${seed}`);
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, "violations"), `${violations.join("\n")}\n`);
    writeFileSync(
      join(directory, "power"),
      cluster.power.switched.map(({ at, action, node }) => `${at} ${action} ${node}\n`).join(""),
    );
    cpSync(cluster.journal.path, join(directory, "journal"));
    for (const name of cluster.members) {
      // With its status, which is on no disk.
      const cib = await cluster.ask<string>(name, { type: "cib" });
      if (cib !== undefined) writeFileSync(join(directory, `${name}.live.xml`), cib);
    }
    for (const [name, { disk }] of cluster.machines.all)
      for (const file of ["log/hactl.log", "output", "boot.log", "hactl.toml", "state/cib.xml"])
        if (existsSync(join(disk, file)))
          cpSync(join(disk, file), join(directory, `${name}.${file.replace(/^.*\//, "")}`));
    return directory;
  }
}

const trace = (error: unknown): string =>
  error instanceof Error ? (error.stack ?? error.message).slice(0, 1_000) : String(error);
