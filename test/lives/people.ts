import type { Random } from "../sim/random.ts";
import type { Host } from "./host.ts";
import { MONITOR_MS, type World } from "./world.ts";

/*
 * What administrators do that the cluster does not expect of them.
 */

/**
 * Somebody moves, or stops, one of the services by hand: only while no daemon of a node watches, and only what no agent
 * is at.
 */
export function moveByHand(world: World, random: Random): void {
  const { nodes, hosts } = world;
  const powered = nodes.filter((host) => host.powered);
  if (powered.some(({ executor }) => executor?.alive)) return;
  const isBusy = (instance: string) =>
    hosts.some(({ agents }) => [...agents].some(({ call }) => call.instance === instance));
  const carries = (host: Host, instance: string) =>
    hosts.some(({ carrier, container }) => carrier === host && container === instance);
  const running = powered.flatMap((host) =>
    [...host.services.keys()]
      .filter((instance) => !isBusy(instance) && !carries(host, instance))
      .map((instance) => ({ host, instance })),
  );
  if (running.length === 0) return;
  const { host, instance } = random.pick(running);
  const others = powered.filter((other) => other !== host && other.services.get(instance) !== "promoted");
  move(world, instance, host, others.length > 0 && random.chance(0.8) ? random.pick(others) : undefined);
}

/** A service goes to another host as it is, or nowhere. */
function move(world: World, instance: string, from: Host, to: Host | undefined): void {
  const role = from.services.get(instance);
  if (role === undefined) return;
  world.trace(`by hand: ${instance} goes from ${from.name} to ${to?.name ?? "nowhere"}`);
  world.watch.unseenFor(MONITOR_MS);
  // An instance of a clone gives its role away, and stays.
  from.become(instance, to?.services.has(instance) ? "started" : undefined);
  to?.become(instance, role);
}

/** Somebody makes one more resource. Undefined: nobody could be asked. */
export function makeExtra(world: World): string | undefined {
  const id = `extra${world.extras.size + 1}`;
  world.extras.add(id);
  const text = `primitive ${id} ocf:test:Dummy op monitor interval=10s timeout=20s`;
  return world.configure(text) ? id : undefined;
}

/** The resources that were made are removed from the configuration, whatever runs (`--force`). */
export function removeExtras(world: World): void {
  const xml = [...world.extras].map((id) => `<primitive id="${id}"/>`);
  if (xml.length > 0) world.change(xml.map((one) => ({ op: "delete", scope: "resources", xml: one })));
}
