import { Random } from "../sim/random.ts";
import { grantTicket, needsTicket } from "./administration.ts";
import { serviceOf } from "./agents.ts";
import { configurationNames, configurations, worldPlan } from "./configurations.ts";
import { Faults } from "./faults.ts";
import { BOOT, untilRest } from "./rest.ts";
import { World } from "./world.ts";

/** What a run consisted of. */
export interface LivesResult {
  readonly seed: number;
  readonly configuration: string;
  readonly nodes: number;
  readonly virtualMs: number;
  readonly transitions: number;
  readonly memberships: number;
  readonly deeds: number;
  readonly fencings: number;
}

export interface LivesOptions {
  readonly seed: number;
  /** Instead of the one that the seed stands for. */
  readonly configuration?: string;
  /** Mostly this fault; of random lives. */
  readonly fault?: string;
  readonly trace?: (text: string) => void;
}

/** Time until all is done: after a start, after the last fault, after what people set right. */
const START_MS = 120_000;
const MEND_MS = 300_000;
const RESTORE_MS = 180_000;

/** A cluster is started and rests. */
export function startedWorld(configuration: string, { seed, trace }: LivesOptions): World {
  const world = new World(worldPlan(configuration, seed, new Random(seed, 1), trace));
  for (const host of world.hosts) if (host.kind !== "guest") world.hostOn(host);
  untilRest(world, START_MS);
  if (needsTicket(world)) {
    grantTicket(world, true);
    untilRest(world, START_MS);
  }
  checkConfigured(world, configuration);
  const updates = world.nodes.map(({ name, bootId }) => ({ node: name, name: BOOT, value: bootId }));
  world.request((request) => ({ type: "attribute-request", request, updates }));
  world.run(100);
  return world;
}

/** What the run of a seed came to. */
export function resultOf(world: World, seed: number, configuration: string): LivesResult {
  const { transitions, memberships, deeds, fencings } = world.watch;
  return {
    seed,
    configuration,
    nodes: world.nodes.length,
    virtualMs: world.clock.now,
    transitions,
    memberships,
    deeds: deeds.length,
    fencings: fencings.length,
  };
}

/** Runs what a seed stands for; throws a Violation when a promise is broken. */
export function runLives(options: LivesOptions): LivesResult {
  const { seed } = options;
  const choice = new Random(seed, 2);
  const chosen = choice.pick(configurationNames);
  const configuration = options.configuration ?? chosen;
  const world = startedWorld(configuration, options);
  const faults = new Faults(world, configurations[configuration]?.clones ?? new Map(), options.fault);
  const count = choice.pick([1, 2, 3, 4, 6, 8, 12]);
  const spell = choice.pick([200, 1000, 4000, 12_000]);
  for (let n = 0; n < count; n++) {
    faults.disturb();
    world.run(choice.chance(0.3) ? choice.between(0, 50) : choice.between(0, spell));
  }
  world.run(choice.between(0, 20_000));
  faults.end();
  untilRest(world, MEND_MS);
  faults.restore();
  untilRest(world, RESTORE_MS);
  checkConfigured(world, configuration);
  return resultOf(world, seed, configuration);
}

/** Everything runs where the configuration wants it. */
export function checkConfigured(world: World, name: string): void {
  const { single, promoted, together, withPromoted } = world.plan.expectations;
  const everywhere = configurations[name]?.everywhere ?? [];
  const where = (instance: string) => world.hosts.filter(({ services }) => services.has(instance));
  const promotedOn = (instance: string) =>
    where(instance).filter(({ services }) => services.get(instance) === "promoted");
  const wrong: string[] = [];
  for (const host of world.hosts)
    for (const instance of host.services.keys())
      if (instance !== serviceOf(instance)) wrong.push(`${instance} is left on ${host.name}`);
  for (const instance of single)
    if (where(instance).length !== 1) wrong.push(`${instance} is active on ${where(instance).length} hosts`);
  const hosts = world.hosts.filter(({ kind }) => kind !== "guest");
  for (const instance of world.extras)
    if (where(instance).length > 0) wrong.push(`${instance} was removed and is active`);
  for (const instance of everywhere)
    if (where(instance).length !== hosts.length)
      wrong.push(`${instance} is active on ${where(instance).length} hosts`);
  for (const [instance, most] of Object.entries(promoted)) {
    const count = promotedOn(instance).length;
    if (count !== Math.min(most, hosts.length)) wrong.push(`${instance} is promoted on ${count} hosts`);
  }
  for (const group of together)
    if (new Set(group.map((instance) => where(instance)[0])).size !== 1)
      wrong.push(`${group.join(" and ")} are not together`);
  for (const [instance, base] of withPromoted) {
    const [host] = where(instance);
    if (host && !promotedOn(base).includes(host)) wrong.push(`${instance} is not where ${base} is promoted`);
  }
  if (wrong.length > 0) world.watch.broken("configured", wrong.join("; "));
}
