import { child, childrenOf, formatXml, type XmlElement } from "../../src/cib/index.ts";
import { schedule } from "../../src/scheduler/index.ts";
import { withoutInstance } from "../../src/terms/index.ts";
import { serviceOf } from "./agents.ts";
import type { Host } from "./host.ts";
import type { World } from "./world.ts";

/** Nothing was done for so long, and nothing is left to do. */
const QUIET_MS = 2500;
const LOOK_EVERY_MS = 500;
/** A transient attribute that says in which boot of its node it was set. */
export const BOOT = "boot";

/** Whether all is done: no message under way, no agent but monitors, and no leader has anything to decide. */
export function restless(world: World): string | undefined {
  const { order, clock, watch } = world;
  if (clock.now < watch.seenAt) return "something may not have been seen yet";
  if (clock.now - watch.lastActivity < QUIET_MS) return "something was done just now";
  if (!order.settled) return "the ring is being formed";
  if (order.underWay > 0) return "messages are under way";
  if (world.power.pending > 0) return "the power switch is slow";
  for (const host of world.hosts) {
    if (!host.powered && world.mended && host.kind !== "guest") return `${host.name} is off`;
    if (!host.powered) continue;
    // A monitor that hangs has nothing to say about its service.
    for (const { call, endsAt } of host.agents)
      if (!call.recurring || endsAt > clock.now + QUIET_MS)
        return `${call.action} ${call.rsc} on ${host.name}`;
    if (!world.enabled.get(host.name)) continue;
    if (!host.executor?.idle) return `the executor of ${host.name} is not idle`;
    if (host.kind !== "node") continue;
    const manager = world.daemon(host)?.manager;
    if (!manager?.alive || manager.view.phase !== "synced")
      return `the manager of ${host.name} takes no part`;
    if (manager.hangs) return `the manager of ${host.name} hangs`;
    if (manager.view.idle === false) return `the leader ${host.name} has something to do`;
    if (!manager.fencingIdle) return `${host.name} waits for a fence device`;
  }
  return undefined;
}

/** Lets time pass until all is done, at most so long. */
export function untilRest(world: World, withinMs: number): void {
  const end = world.clock.now + withinMs;
  for (;;) {
    world.run(LOOK_EVERY_MS);
    const why = restless(world);
    if (why === undefined) break;
    if (world.clock.now >= end) world.watch.broken("rest", `no rest within ${withinMs / 1000} s: ${why}`);
  }
  checkRest(world);
}

/** At rest all have the same state, and it is what is. */
export function checkRest(world: World): void {
  const synced = world.synced();
  const parts = Map.groupBy(synced, ({ view }) => view.membership?.ringId.sequence);
  for (const [, managers] of parts) {
    const texts = new Map(managers.map((manager) => [formatXml(manager.view.cib), manager.name]));
    if (texts.size > 1) world.watch.broken("same-state", difference([...texts.keys()]));
  }
  for (const manager of synced) {
    const boots = manager.controller.attributeValues(BOOT);
    for (const { name, powered, bootId } of world.nodes) {
      const known = boots.get(name);
      if (powered && known !== undefined && known !== bootId)
        world.watch.broken("memory", `an attribute of ${name} is of ${known}, but it is ${bootId}`);
    }
  }
  const leader = synced.find(({ view }) => view.idle !== undefined && view.membership?.quorate);
  if (leader) checkBelief(world, leader.view.cib);
}

/** The leader's word for where everything is, against what is. */
function checkBelief(world: World, cib: Parameters<typeof schedule>[0]["cib"]): void {
  const now = Math.floor(world.clock.wall);
  // With the reasons it says where the parts of bundles are, too.
  const { actions, assigned = [], summary } = schedule({ cib, now, explain: true });
  const left = actions.filter(({ kind, unmet }) => kind !== "pseudo" && (unmet?.length ?? 0) === 0);
  if (left.length > 0) return;
  // What is to run somewhere, and waits for what cannot be.
  const waiting = [
    /^\s*Start\s+(\S+)\s+\(\s*(\S+)\s*\)/,
    /^\s*Stop\s+(\S+)\s+\(\s*(?:\S+\s+)?(\S+)\s*\)\s+due to unrunnable/,
  ];
  const starts = summary.flatMap((line) => waiting.map((pattern) => pattern.exec(line)));
  const wished = new Set(starts.map((found) => `${withoutInstance(found?.[1] ?? "")} ${found?.[2]}`));
  const believed = assigned
    .map(({ rsc, node, role }) => ({ rsc: withoutInstance(rsc), node, role }))
    .filter(({ rsc, node }) => !world.plan.silent.includes(rsc) && !wished.has(`${rsc} ${node}`))
    .map(({ rsc, node, role }) => `${rsc} ${role === "Promoted" ? "promoted" : "started"} on ${node}`);
  const real = world.hosts.flatMap((host) => servicesOf(host));
  const wrong = symmetric(believed, real);
  if (wrong.length > 0) world.watch.broken("belief", wrong.join("; "));
  checkMonitors(world, cib);
}

/** What the cluster believes to be looked at again and again is, and nothing else. */
function checkMonitors(world: World, cib: XmlElement): void {
  const believed = childrenOf(child(cib, "status"), "node_state").flatMap((state) =>
    childrenOf(child(child(state, "lrm"), "lrm_resources"), "lrm_resource")
      .filter(
        ({ attributes }) => attributes.get("class") !== "stonith" && attributes.get("type") !== "remote",
      )
      .flatMap((rsc) =>
        rsc.children
          .filter(({ attributes }) => !attributes.get("id")?.endsWith("_last_failure_0"))
          .filter(({ attributes }) => attributes.get("interval") !== "0")
          .map(({ attributes }) => `${attributes.get("id")} on ${state.attributes.get("uname")}`),
      ),
  );
  const up = world.hosts.filter(({ powered, executor }) => powered && executor?.alive);
  const real = up.flatMap(({ name, executor }) =>
    (executor?.snapshot().recurring ?? []).map(
      ({ rsc, action, intervalMs }) => `${rsc.id}_${action}_${intervalMs} on ${name}`,
    ),
  );
  const here = believed.filter((text) => up.some(({ name }) => text.endsWith(` on ${name}`)));
  const wrong = symmetric(here, real);
  if (wrong.length > 0) world.watch.broken("monitors", wrong.join("; "));
}

const servicesOf = (host: Host): string[] =>
  [...host.services].map(
    ([instance, role]) => `${withoutInstance(serviceOf(instance))} ${role} on ${host.name}`,
  );

function symmetric(believed: readonly string[], real: readonly string[]): string[] {
  const have = new Set(real);
  const think = new Set(believed);
  return [
    ...believed.filter((text) => !have.has(text)).map((text) => `believed, not so: ${text}`),
    ...real.filter((text) => !think.has(text)).map((text) => `not believed: ${text}`),
  ];
}

/** Elements in which two texts differ. */
function difference([one = "", other = ""]: readonly string[]): string {
  const elements = (text: string) => text.replace(/ num_updates="\d+"/, "").split(/(?<=>)\s*(?=<)/);
  const left = new Set(elements(one));
  const right = new Set(elements(other));
  const only = (these: ReadonlySet<string>, those: ReadonlySet<string>) =>
    [...these].filter((line) => !those.has(line)).slice(0, 4);
  const shown = [...only(left, right), "/", ...only(right, left)].join(" ");
  return shown === "/" ? "the order, or only the count of updates" : shown;
}
