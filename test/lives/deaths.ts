import { nodeName } from "../../src/terms/index.ts";
import { Random } from "../sim/random.ts";
import { movable } from "./administration.ts";
import { configurationNames, configurations, worldPlan } from "./configurations.ts";
import { Faults } from "./faults.ts";
import type { Host } from "./host.ts";
import { makeExtra, moveByHand, removeExtras } from "./people.ts";
import { LOST_REMOTE_MS } from "./power.ts";
import { untilRest } from "./rest.ts";
import { checkConfigured, type LivesOptions, type LivesResult, resultOf } from "./scenario.ts";
import { World } from "./world.ts";

/*
 * A death after every single effect: the same story again and again, in which processes die right after the n-th effect
 * of one of them since the story began, and are started again at once.
 */

/** What dies at once, on a host and beside it; the effects of which processes of that host are counted. */
interface Death {
  readonly of: "manager" | "executor" | "both";
  readonly strike: (world: World, host: Host, random: Random) => void;
}

/** A daemon is back before anybody misses it; a machine is not. */
const restart = (world: World, host: Host, random: Random) =>
  world.killDaemon(host, random.between(100, 400));
const reboot = (world: World, host: Host, random: Random) => {
  world.crash(host);
  world.watch.unseenFor(LOST_REMOTE_MS);
  if (host.kind !== "guest") world.clock.after(random.between(1000, 6000), () => world.hostOn(host));
};
const killManager = (world: World, host: Host) => world.daemon(host)?.killManager();
const killExecutor = (world: World, host: Host) => {
  if (host.kind === "node") world.daemon(host)?.killExecutor();
  else host.executor?.kill();
};
const another = (world: World, host: Host, random: Random): Host[] => {
  const others = world.nodes.filter((node) => node !== host && world.daemon(node));
  return others.length === 0 ? [] : [random.pick(others)];
};

/** Deaths of processes of a cluster node, by name. */
const deaths = {
  manager: { of: "manager", strike: killManager },
  "all managers": {
    of: "manager",
    strike: (world) => {
      for (const node of world.nodes) killManager(world, node);
    },
  },
  "two managers": {
    of: "manager",
    strike: (world, host, random) => {
      for (const node of [host, ...another(world, host, random)]) killManager(world, node);
    },
  },
  executor: { of: "executor", strike: killExecutor },
  "manager and executor": {
    of: "both",
    strike: (world, host) => {
      killManager(world, host);
      killExecutor(world, host);
    },
  },
  "executor and another's manager": {
    of: "both",
    strike: (world, host, random) => {
      killExecutor(world, host);
      for (const node of another(world, host, random)) killManager(world, node);
    },
  },
  daemon: { of: "both", strike: restart },
  "two daemons": {
    of: "both",
    strike: (world, host, random) => {
      for (const node of [host, ...another(world, host, random)]) restart(world, node, random);
    },
  },
  "all daemons": {
    of: "both",
    strike: (world, _host, random) => {
      for (const node of world.nodes) restart(world, node, random);
    },
  },
  host: { of: "both", strike: reboot },
} as const satisfies Readonly<Record<string, Death>>;

/** Those of a remote host or guest. */
const farDeaths = {
  daemon: { of: "executor", strike: restart },
  "daemon and a manager": {
    of: "executor",
    strike: (world, host, random) => {
      restart(world, host, random);
      for (const node of another(world, host, random)) killManager(world, node);
    },
  },
  host: { of: "executor", strike: reboot },
} as const satisfies Readonly<Record<string, Death>>;

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
    const rsc = random.pick(movable(world));
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
    world.serviceDies(victim, random.pick(running));
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
  /** A resource is made, and removed while agents are at it. */
  removed: (world, random) => {
    makeExtra(world);
    world.clock.after(random.between(20, 3000), () => removeExtras(world));
  },
  "by hand": (world, random) => {
    for (const node of world.nodes) world.killDaemon(node, random.between(400, 3000));
    world.clock.after(200, () => moveByHand(world, random));
  },
  /** A manager hangs until it is replaced. */
  hang: (world, random, victim) => world.daemon(victim)?.hangManager(random.between(10_000, 11_500)),
  start: () => undefined,
};

const REST_MS = 240_000;

/** What a seed stands for. */
export interface Story {
  readonly seed: number;
  readonly configuration: string;
  readonly story: string;
  /** Whose death: that of the leader, of any node, or of a remote host or guest. */
  readonly whose: "leader" | "node" | "remote";
  readonly death: string;
}

export function storyOf({ seed, configuration: wanted }: LivesOptions): Story {
  const choice = new Random(seed, 4);
  const chosen = choice.pick(configurationNames);
  const configuration = wanted ?? chosen;
  const story = choice.pick(Object.keys(stories));
  const { remotes = [], guests = [] } = configurations[configuration] ?? {};
  const far = remotes.length + guests.length > 0 && choice.chance(0.4);
  const whose = far ? "remote" : choice.pick(["leader", "node"] as const);
  const death = choice.pick(Object.keys(far ? farDeaths : deaths));
  return { seed, configuration, story, whose, death };
}

/** Runs a seed's story with a death after the n-th effect; without one when it is 0. Says how many effects there were. */
export function runDeath(options: LivesOptions, effect: number): LivesResult & { readonly effects: number } {
  const { seed, trace } = options;
  const { configuration, story, whose, death } = storyOf(options);
  const choice = new Random(seed, 5);
  const world = new World(worldPlan(configuration, seed, new Random(seed, 1), trace));
  for (const host of world.hosts) if (host.kind !== "guest") world.hostOn(host);
  if (story !== "start") untilRest(world, REST_MS);
  const node = choice.pick(world.nodes);
  const leader = world.nodes.find((one) => world.leaders()[0] === world.daemon(one)?.manager);
  const far = world.hosts.filter(({ kind }) => kind !== "node");
  const host = whose === "remote" ? choice.pick(far) : whose === "leader" ? (leader ?? node) : node;
  const kinds: Readonly<Record<string, Death>> = whose === "remote" ? farDeaths : deaths;
  const { of, strike } = kinds[death] ?? deaths.daemon;
  let effects = 0;
  world.trace(`STORY ${story}; ${death} of ${host.name} (${whose}) dies after effect ${effect}`);
  world.onEffect = (process, what) => {
    const ofManager = of !== "executor" && process === world.daemon(host)?.manager;
    const ofExecutor = of !== "manager" && process === host.executor;
    if (!ofManager && !ofExecutor) return;
    effects++;
    if (effects !== effect) return;
    world.trace(`DEATH after effect ${effect}, ${what()} of the ${process.name}`);
    strike(world, host, choice);
  };
  stories[story]?.(world, choice, node);
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
