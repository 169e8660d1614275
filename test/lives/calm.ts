import { child, childrenOf, formatXml, type XmlElement } from "../../src/cib/index.ts";
import { nodeName } from "../../src/terms/index.ts";
import { Random } from "../sim/random.ts";
import { configurationNames } from "./configurations.ts";
import type { Host } from "./host.ts";
import { untilRest } from "./rest.ts";
import { type LivesOptions, type LivesResult, resultOf, startedWorld } from "./scenario.ts";
import type { World } from "./world.ts";

const REST_MS = 90_000;

/** Deaths after which nothing has to be done, since all are back before anybody misses them and know what runs. */
const deaths: Readonly<Record<string, (world: World, random: Random) => void>> = {
  "one manager": (world, random) => world.daemon(random.pick(world.nodes))?.killManager(),
  "two managers": (world, random) => {
    for (const host of random.shuffle(world.nodes).slice(0, 2)) world.daemon(host)?.killManager();
  },
  "all managers": (world) => {
    for (const host of world.nodes) world.daemon(host)?.killManager();
  },
  "an executor": (world, random) => world.daemon(random.pick(world.nodes))?.killExecutor(),
  "a manager and its executor": (world, random) => {
    const daemon = world.daemon(random.pick(world.nodes));
    daemon?.killExecutor();
    daemon?.killManager();
  },
  "a manager, and its executor later": (world, random) => {
    const daemon = world.daemon(random.pick(world.nodes));
    daemon?.killManager();
    world.clock.after(random.between(1, 400), () => daemon?.killExecutor());
  },
  "a daemon": (world, random) => world.killDaemon(random.pick(world.nodes), random.between(100, 500)),
  "two daemons": (world, random) => {
    for (const host of random.shuffle(world.nodes).slice(0, 2))
      world.killDaemon(host, random.between(100, 500));
  },
  "a daemon, and its memory is lost": (world, random) => {
    const host = random.pick(world.nodes);
    world.killDaemon(host, random.between(100, 500), () => forget(world, host));
  },
  "a remote host's daemon": (world, random) => killFar(world, random),
  "a remote host's daemon, and its memory is lost": (world, random) =>
    killFar(world, random, (host) => forget(world, host)),
};

/** The run directory is as after a boot, but the host has not booted. The attributes of a single node nobody else knows. */
function forget(world: World, host: Host): void {
  host.run.journal = [];
  delete host.run.executor;
  if (world.nodes.length > 1) delete host.run.manager;
}

function killFar(world: World, random: Random, meanwhile?: (host: Host) => void): void {
  const far = world.hosts.filter(({ kind, powered }) => kind !== "node" && powered);
  if (far.length === 0) return;
  const host = random.pick(far);
  world.killDaemon(host, random.between(100, 500), () => meanwhile?.(host));
}

/** Runs a seed of kills at rest; throws a Violation when an agent has to do more than look, or anything is forgotten. */
export function runCalm(options: LivesOptions): LivesResult {
  const { seed } = options;
  const choice = new Random(seed, 3);
  const chosen = choice.pick(configurationNames);
  const configuration = options.configuration ?? chosen;
  const world = startedWorld(configuration, options);
  note(world);
  untilRest(world, REST_MS);
  for (let round = choice.between(1, 3); round > 0; round--) {
    const [name, kill] = choice.pick(Object.entries(deaths));
    const before = { deeds: world.watch.deeds.length, fencings: world.watch.fencings.length };
    const told = remembered(world);
    world.trace(`FAULT ${name} dies at rest`);
    kill(world, choice);
    world.watch.unseenFor(12_000);
    untilRest(world, REST_MS);
    const deeds = world.watch.deeds.slice(before.deeds);
    if (deeds.length > 0)
      world.watch.broken("calm", `${name} died, and ${deeds.map(said).join(", ")} was done`);
    if (world.watch.fencings.length > before.fencings)
      world.watch.broken("calm", `${name} died, and ${world.watch.fencings.at(-1)?.target} was fenced`);
    const now = remembered(world);
    if (now !== told) world.watch.broken("memory", `${name} died, and ${told} became ${now}`);
  }
  return resultOf(world, seed, configuration);
}

const said = ({ call, host }: World["watch"]["deeds"][number]): string =>
  `${call.action} of ${call.instance} on ${host.name}`;

/** Attributes of all kinds. */
function note(world: World): void {
  for (const { name } of world.nodes) {
    const node = nodeName(name);
    const updates = [
      { node, name: "place", value: `at-${name}` },
      { node, name: "secret", value: "yes", private: true },
      { node, name: "fail-count-app#monitor_10000", value: "2" },
      { node, name: "last-failure-app#monitor_10000", value: "1767225600" },
    ];
    world.request((request) => ({ type: "attribute-request", request, updates }));
  }
}

/** The transient attributes of all nodes, as text. */
function remembered(world: World): string {
  const manager = world.reachable();
  if (!manager) return "nothing";
  const written = childrenOf(child(manager.view.cib, "status"), "node_state").map((state) => {
    const values = attributesOf(child(state, "transient_attributes"));
    return `${state.attributes.get("uname")}: ${values.sort().join(" ")}`;
  });
  const hidden = [...manager.controller.attributeValues("secret")].map(([node, value]) => `${node}=${value}`);
  return [...written.sort(), ...hidden.sort()].join("; ");
}

const attributesOf = (xml: XmlElement | undefined): string[] =>
  childrenOf(child(xml, "instance_attributes"), "nvpair").map((pair) =>
    formatXml(pair, -1).replace(/^.*name="([^"]*)" value="([^"]*)".*$/, "$1=$2"),
  );
