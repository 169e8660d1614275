import { nodeName } from "../../src/terms/index.ts";
import { Random } from "../sim/random.ts";
import { configurationNames, configurations, worldPlan } from "./configurations.ts";
import { Faults } from "./faults.ts";
import type { Host } from "./host.ts";
import { untilRest } from "./rest.ts";
import { checkConfigured, type LivesOptions, type LivesResult, resultOf } from "./scenario.ts";
import { World } from "./world.ts";

/*
 * A death after every single effect: the same story again and again, in which a process of a node dies right after its
 * n-th effect since the story began, and is started again at once.
 */

/** Whose effects are counted, and what dies. */
const victims = ["manager", "executor", "daemon", "both", "managers"] as const;
type Victim = (typeof victims)[number];

/** What happens in the meantime, by name. */
const stories: Readonly<Record<string, (world: World, random: Random, victim: Host) => void>> = {
  standby: (world, _random, victim) => {
    const node = world.plan.nodes.find(({ name }) => name === victim.name);
    world.configure(`node ${node?.id}: ${victim.name} attributes standby=on`);
    world.clock.after(6000, () => world.configure(`node ${node?.id}: ${victim.name} attributes standby=off`));
  },
  crash: (world, random, victim) => {
    const other = world.nodes.filter((host) => host !== victim);
    if (other.length === 0) return;
    const host = random.pick(other);
    world.crash(host);
    world.clock.after(8000, () => world.hostOn(host));
  },
  refresh: (world) => {
    world.request((request) => ({ type: "forget-request", request, failuresOnly: false }));
  },
  move: (world, random) => {
    const rsc = random.pick(world.plan.expectations.single);
    const on = world.hosts.find(({ services }) => services.has(rsc));
    if (!on) return;
    world.configure(`location ban-${rsc} ${rsc} -inf: ${on.name}`);
    world.clock.after(6000, () =>
      world.change([{ op: "delete", scope: "constraints", xml: `<rsc_location id="ban-${rsc}"/>` }]),
    );
  },
  /** The leader leaves while what it has given out is under way. */
  leader: (world, random) => {
    const leader = world.leaders()[0];
    const host = world.nodes.find((node) => world.daemon(node)?.manager === leader);
    const updates = [{ node: random.pick(world.nodes).name, name: "master-db", value: "90" }];
    world.request((request) => ({ type: "attribute-request", request, updates }));
    world.request((request) => ({ type: "forget-request", request, failuresOnly: false }));
    if (!host) return;
    world.clock.after(random.between(50, 1500), () => world.daemon(host)?.drain());
    const again = () => {
      if (world.daemon(host)) world.clock.after(500, again);
      else world.startDaemon(host);
    };
    world.clock.after(4000, again);
  },
  leave: (world, _random, victim) => {
    world.daemon(victim)?.drain();
    const again = () => {
      if (world.daemon(victim)) world.clock.after(500, again);
      else world.startDaemon(victim);
    };
    world.clock.after(4000, again);
  },
  service: (world, random, victim) => {
    const running = [...victim.services.keys()];
    if (running.length === 0) return;
    world.watch.unseenFor(12_000);
    victim.become(random.pick(running), undefined);
  },
  scores: (world, random) => {
    const { name } = random.pick(world.nodes);
    const updates = [{ node: nodeName(name), name: "master-db", value: "90" }];
    world.request((request) => ({ type: "attribute-request", request, updates }));
  },
  forgotten: (world, random, victim) => {
    world.killDaemon(victim, random.between(100, 400), () => {
      delete victim.run.executor;
      victim.run.journal = [];
    });
  },
  start: () => undefined,
};

const REST_MS = 240_000;

/** What a seed stands for. */
export interface Story {
  readonly seed: number;
  readonly configuration: string;
  readonly story: string;
  readonly victim: Victim;
  readonly nodes: number;
}

export function storyOf(seed: number): Story {
  const choice = new Random(seed, 4);
  const configuration = choice.pick(configurationNames);
  const story = choice.pick(Object.keys(stories));
  const victim = choice.pick(victims);
  return { seed, configuration, story, victim, nodes: 0 };
}

/** Runs a seed's story with a death after the n-th effect; without one when it is 0. Says how many effects there were. */
export function runDeath(
  { seed, trace }: LivesOptions,
  effect: number,
): LivesResult & { readonly effects: number } {
  const { configuration, story, victim } = storyOf(seed);
  const choice = new Random(seed, 5);
  const world = new World(worldPlan(configuration, seed, new Random(seed, 1), trace));
  for (const host of world.hosts) if (host.kind !== "guest") world.hostOn(host);
  if (story !== "start") untilRest(world, REST_MS);
  const host = choice.pick(world.nodes);
  let effects = 0;
  world.trace(`STORY ${story}; the ${victim} of ${host.name} dies after effect ${effect}`);
  world.onEffect = (process, what) => {
    const daemon = world.daemon(host);
    const ofManager = process === daemon?.manager;
    const ofExecutor = process === daemon?.executor;
    if (
      !(victim === "manager" || victim === "managers"
        ? ofManager
        : victim === "executor"
          ? ofExecutor
          : ofManager || ofExecutor)
    )
      return;
    effects++;
    if (effects !== effect) return;
    world.trace(`DEATH after effect ${effect}, ${what()} of the ${process.name}`);
    if (victim === "manager" || victim === "both") daemon?.killManager();
    if (victim === "managers") for (const node of world.nodes) world.daemon(node)?.killManager();
    if (victim === "executor" || victim === "both") daemon?.killExecutor();
    if (victim === "daemon") world.killDaemon(host, choice.between(100, 400));
  };
  stories[story]?.(world, choice, host);
  world.run(10_000);
  world.onEffect = undefined;
  const faults = new Faults(world, configurations[configuration]?.clones ?? new Map());
  faults.end();
  untilRest(world, REST_MS);
  faults.restore();
  untilRest(world, REST_MS);
  checkConfigured(world, configuration);
  return { ...resultOf(world, seed, configuration), effects };
}

/** Runs a seed's story with a death after every `stride`-th effect; throws the first Violation. */
export function runDeaths(
  options: LivesOptions,
  stride = 1,
): { readonly runs: number; readonly results: LivesResult[] } {
  const whole = runDeath(options, 0);
  const results: LivesResult[] = [whole];
  for (let effect = 1 + (options.seed % stride); effect <= whole.effects; effect += stride) {
    try {
      results.push(runDeath(options, effect));
    } catch (error) {
      if (error instanceof Error) error.message = `${error.message} [effect ${effect}]`;
      throw error;
    }
  }
  return { runs: results.length, results };
}
