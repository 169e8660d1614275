import { child, childrenOf, formatXml, type XmlElement } from "../../src/cib/index.ts";
import { nodeName } from "../../src/terms/index.ts";
import { Random } from "../sim/random.ts";
import { configurationNames } from "./configurations.ts";
import type { Host } from "./host.ts";
import { makeExtra, removeExtras } from "./people.ts";
import { untilRest } from "./rest.ts";
import { type LivesOptions, type LivesResult, resultOf, startedWorld } from "./scenario.ts";
import { MONITOR_MS, type World } from "./world.ts";

const REST_MS = 240_000;

/** So long after a death somebody might still act upon it: when nodes were waited for in vain, and after that. */
const LATE_MS = 45_000;

type Deed = (world: World, random: Random) => void;

const running = (world: World): Host[] => world.nodes.filter((host) => world.daemon(host));

/** Daemons die and are back; not the last one of two nodes, which would wait for the other one then. */
function killDaemons(world: World, random: Random, most: number, meanwhile?: (host: Host) => void): void {
  const up = running(world);
  if (up.length === 1 && world.nodes.length === 2) return;
  for (const host of random.shuffle(up).slice(0, most))
    world.killDaemon(host, random.between(100, 500), () => meanwhile?.(host));
}

function leave(world: World, host: Host): void {
  world.enabled.set(host.name, false);
  world.daemon(host)?.drain();
}

const setNode = (world: World, random: Random, name: string, value: string): void => {
  const node = random.pick(world.plan.nodes);
  world.configure(`node ${node.id}: ${node.name} attributes ${name}=${value}`);
};

/** Two services of a host die, and are recovered. */
function failTwo(world: World, host: Host): void {
  for (const instance of [...host.services.keys()].slice(0, 2)) world.serviceDies(host, instance);
  world.run(60_000);
}

const busy = (world: World, random: Random): Host =>
  random.pick(world.hosts.filter(({ services }) => services.size > 0));

/** What has come over a cluster before it rests: not all of it is, or runs, as in the beginning. */
const pasts: Readonly<Record<string, Deed>> = {
  "a node is on standby": (world, random) => setNode(world, random, "standby", "on"),
  "a node is on standby until it reboots": (world, random) => {
    const updates = [{ node: random.pick(world.nodes).name, name: "standby", value: "on" }];
    world.request((request) => ({ type: "attribute-request", request, updates }));
  },
  maintenance: (world) => void world.configure("property maintenance-mode=true"),
  "a node is in maintenance": (world, random) => setNode(world, random, "maintenance", "true"),
  "a node has left": (world, random) => leave(world, random.pick(world.nodes)),
  "all have left but one": (world, random) => {
    for (const host of random.shuffle(world.nodes).slice(1)) leave(world, host);
  },
  "a remote host was fenced and is off": (world, random) => {
    const far = world.hosts.filter(({ kind }) => kind === "remote");
    if (far.length === 0) return;
    const host = random.pick(far);
    world.enabled.set(host.name, false);
    world.crash(host);
    world.run(120_000);
  },
  "services failed": (world, random) => failTwo(world, busy(world, random)),
  "a clock is wrong": (world, random) => {
    random.pick(world.hosts).clockAhead += random.pick([3600, -3600, 20, -20]);
    world.run(30_000);
  },
  "services failed while a clock was wrong": (world, random) => {
    const host = busy(world, random);
    host.clockAhead += random.pick([3600, -3600]);
    failTwo(world, host);
    host.clockAhead = 0;
  },
  "without quorum all goes on": (world, random) => {
    world.configure("property no-quorum-policy=freeze");
    world.run(2000);
    if (world.nodes.length < 3) return;
    for (const host of random.shuffle(world.nodes).slice(0, 2)) {
      leave(world, host);
      world.run(20_000);
    }
  },
  "everything has left a node and come back": (world, random) => {
    const node = random.pick(world.plan.nodes);
    for (const value of ["on", "off"]) {
      world.configure(`node ${node.id}: ${node.name} attributes standby=${value}`);
      world.run(40_000);
    }
  },
  "nothing runs anywhere without being told so": (world) =>
    void world.configure("property symmetric-cluster=false"),
  "nobody fences": (world) => void world.configure("property stonith-enabled=false"),
  "what was removed runs on": (world) => {
    world.configure("property stop-orphan-resources=false");
    makeExtra(world);
    world.run(10_000);
    removeExtras(world);
  },
  "all nodes have rebooted": (world) => reboot(world, world.nodes),
  "a node was fenced": (world, random) => reboot(world, [random.pick(world.nodes)]),
};

function reboot(world: World, hosts: readonly Host[]): void {
  for (const host of hosts) world.crash(host);
  world.run(20_000);
  for (const host of hosts) world.hostOn(host);
  world.run(60_000);
}

/** Deaths after which nothing has to be done, since all are back before anybody misses them and know what runs. */
const deaths: Readonly<Record<string, Deed>> = {
  "one manager": (world, random) => world.daemon(random.pick(running(world)))?.killManager(),
  "the leader's manager": (world) => {
    const [leader] = world.leaders();
    running(world)
      .map((host) => world.daemon(host))
      .find((daemon) => daemon?.manager === leader)
      ?.killManager();
  },
  "two managers": (world, random) => {
    for (const host of random.shuffle(running(world)).slice(0, 2)) world.daemon(host)?.killManager();
  },
  "all managers": (world) => {
    for (const host of running(world)) world.daemon(host)?.killManager();
  },
  "a hanging manager": (world, random) =>
    world.daemon(random.pick(running(world)))?.hangManager(random.between(50, 11_500)),
  "an executor": (world, random) => world.daemon(random.pick(running(world)))?.killExecutor(),
  "a manager and its executor": (world, random) => {
    const daemon = world.daemon(random.pick(running(world)));
    daemon?.killExecutor();
    daemon?.killManager();
  },
  "a manager, and its executor later": (world, random) => {
    const daemon = world.daemon(random.pick(running(world)));
    daemon?.killManager();
    world.clock.after(random.between(1, 400), () => daemon?.killExecutor());
  },
  "a daemon": (world, random) => killDaemons(world, random, 1),
  "two daemons": (world, random) => killDaemons(world, random, 2),
  "all daemons": (world, random) => killDaemons(world, random, Number.POSITIVE_INFINITY),
  "a daemon, and its memory is lost": (world, random) =>
    killDaemons(world, random, 1, (host) => forget(world, host)),
  "a remote host's daemon": (world, random) => killFar(world, random),
  "a remote host's daemon, and its memory is lost": (world, random) =>
    killFar(world, random, (host) => forget(world, host)),
};

/** The run directory is as after a boot, but the host has not booted. What nobody else knows stays. */
function forget(world: World, host: Host): void {
  host.run.journal = [];
  delete host.run.executor;
  if (running(world).length > 0) delete host.run.manager;
}

function killFar(world: World, random: Random, meanwhile?: (host: Host) => void): void {
  const far = world.hosts.filter(({ kind, executor }) => kind !== "node" && executor?.alive);
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
  if (choice.chance(0.7)) {
    const [what, come] = choice.pick(Object.entries(pasts));
    world.trace(`FAULT ${what}`);
    come(world, choice);
    world.watch.unseenFor(MONITOR_MS);
    untilRest(world, REST_MS);
  }
  for (let round = choice.between(1, 3); round > 0; round--) {
    const [name, kill] = choice.pick(Object.entries(deaths));
    const before = { deeds: world.watch.deeds.length, fencings: world.watch.fencings.length };
    const told = remembered(world);
    world.trace(`FAULT ${name} dies at rest`);
    kill(world, choice);
    world.watch.unseenFor(LATE_MS);
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

/** The transient attributes of all nodes, as text, but for failures that time alone ends. */
function remembered(world: World): string {
  const manager = world.reachable();
  if (!manager) return "nothing";
  const ends = expiring(child(manager.view.cib, "configuration"));
  const written = childrenOf(child(manager.view.cib, "status"), "node_state").flatMap((state) => {
    const values = attributesOf(child(state, "transient_attributes")).filter((one) => !ends(one));
    return values.length === 0 ? [] : [`${state.attributes.get("uname")}: ${values.sort().join(" ")}`];
  });
  const hidden = [...manager.controller.attributeValues("secret")].map(([node, value]) => `${node}=${value}`);
  return [...written.sort(), ...hidden.sort()].join("; ");
}

const attributesOf = (xml: XmlElement | undefined): string[] =>
  childrenOf(child(xml, "instance_attributes"), "nvpair").map((pair) =>
    formatXml(pair, -1).replace(/^.*name="([^"]*)" value="([^"]*)".*$/, "$1=$2"),
  );

/** Whether a fail count, or its time, is of a resource with a failure-timeout. */
function expiring(configuration: XmlElement | undefined): (attribute: string) => boolean {
  const ids = new Set<string>();
  const visit = (xml: XmlElement, primitive?: string) => {
    const id = xml.name === "primitive" ? xml.attributes.get("id") : primitive;
    if (xml.attributes.get("name") === "failure-timeout" && id !== undefined) ids.add(id);
    for (const item of xml.children) visit(item, id);
  };
  if (configuration) visit(configuration);
  return (attribute) => ids.has(/^(?:fail-count|last-failure)-([^#:]+)/.exec(attribute)?.[1] ?? "");
}
