import type { Scenario } from "../scenario.ts";
import type { Stage } from "../stage.ts";

/** The network falls apart; the part with quorum, if there is one, takes over what the others ran. */
async function split(stage: Stage, parts: readonly (readonly string[])[]): Promise<void> {
  const { cluster } = stage;
  const { network } = cluster.machines;
  const major = parts.find((part) => part.length * 2 > cluster.members.length);
  const minor = cluster.members.filter((name) => !major?.includes(name));
  stage.note(
    `${parts.map((part) => part.join("+")).join(" | ")}; leader ${await stage.leader()}, promoted ${stage.promoted()}`,
  );
  if (major) for (const name of minor) stage.allowed.fencing.add(name);
  // Each part says of the others that they are lost.
  stage.allowed.errors.push(/NODE-LOST/);
  // Remote hosts stay with those that go on: else they would be lost, too.
  network.partition(...parts.map((part) => (part === major ? [...part, ...cluster.remotes] : part)));
  if (major) {
    await stage.until(`${major} fences ${minor}`, () => minor.every((name) => stage.offs(name) > 0));
    await stage.until(`${major} runs everything`, () =>
      cluster.mix.singles.every((rsc) => {
        const nodes = cluster.nodesOf(rsc);
        return nodes.length === 1 && nodes.every((node) => major.includes(node));
      }),
    );
  }
  await stage.until("nothing runs without quorum", () =>
    minor.every((name) => ![...cluster.placement().values()].some((nodes) => nodes.has(name))),
  );
  for (const name of minor) {
    const status = await cluster.status(name);
    stage.check(!status?.membership?.quorate, `${name} has quorum in a part without`);
  }
  const fenced = stage.fenced().length;
  network.heal();
  await stage.atRest();
  stage.check(stage.fenced().length === fenced, "fenced again when the network was whole");
}

/** It is whole again while the majority is about to act. */
async function shortSplit(stage: Stage): Promise<void> {
  const { cluster, random } = stage;
  const [alone = "", ...others] = random.shuffled(cluster.members);
  const ms = Math.round(random.between(300, 5_500));
  stage.note(`${alone} for ${ms} ms; leader ${await stage.leader()}, promoted ${stage.promoted()}`);
  stage.allowed.fencing.add(alone);
  stage.allowed.errors.push(/NODE-LOST/);
  cluster.machines.network.partition([alone], others);
  await Bun.sleep(ms);
  cluster.machines.network.heal();
  await stage.atRest();
  stage.check(stage.offs(alone) <= 1, `${alone} was switched off ${stage.offs(alone)} times`);
}

/** Parts as they come; there may be none with quorum. */
async function randomSplit(stage: Stage): Promise<void> {
  const { cluster, random } = stage;
  const parts: string[][] = Array.from({ length: cluster.members.length }, () => []);
  for (const name of cluster.members) parts[random.below(parts.length)]?.push(name);
  const made = parts.filter((part) => part.length > 0);
  await split(stage, made.length > 1 ? made : [cluster.members.slice(0, 2), cluster.members.slice(2)]);
}

/** A node hears nothing on its only link, or nothing of one other node, and is heard by all. */
async function oneWay(stage: Stage): Promise<void> {
  const { cluster, random } = stage;
  const [deaf = "", ...others] = random.shuffled(cluster.members);
  const unheard = stage.oneOf([others, others.slice(0, 1)]);
  stage.note(
    `${deaf} does not hear ${unheard}; leader ${await stage.leader()}, promoted ${stage.promoted()}`,
  );
  for (const name of [deaf, ...unheard]) stage.allowed.fencing.add(name);
  stage.allowed.errors.push(/NODE-LOST/);
  cluster.machines.network.deafen(deaf, unheard);
  await stage.until("somebody is fenced for it", () => stage.fenced().length > 0);
  await stage.until("the others serve", () =>
    cluster.mix.singles.every((rsc) => cluster.nodesOf(rsc).length === 1),
  );
  stage.note(`fenced: ${stage.fenced().map(({ node }) => node)}`);
  if (cluster.machine(deaf).on) cluster.machines.network.hear(deaf);
}

/** One of two links carries one way only: the status says so, and nothing else happens. */
async function oneWayOfTwo(stage: Stage): Promise<void> {
  const { cluster, random } = stage;
  const deaf = random.pick(cluster.members);
  const link = 1;
  stage.note(`${deaf} on link ${link}`);
  const place = stage.here();
  const others = cluster.members.filter((name) => name !== deaf);
  stage.allowed.verdicts.push(/link \d+ to/);
  cluster.machines.network.deafen(deaf, others, link);
  const shown = async (up: boolean) => {
    const links = (await cluster.status(deaf))?.membership?.links ?? [];
    const here = links.filter((one) => one.link === link);
    return here.length > 0 && here.every((one) => one.up === up);
  };
  await stage.until("the status shows that the link is down", () => shown(false));
  await stage.atRest();
  cluster.machines.network.hear(deaf);
  await stage.until("the status shows that the link is up", () => shown(true));
  stage.allowed.verdicts.length = 0;
  await stage.atRest();
  stage.noActionsSince(place, "although the other link worked");
  noNewRing(stage);
}

function noNewRing(stage: Stage): void {
  const rings = stage.logLines(/\[RING\]/);
  stage.check(rings.length === 0, `the ring changed although a link worked: ${rings[0]}`);
}

/** A link goes and comes and goes. */
async function flap(stage: Stage, link: number, pauseMs: number): Promise<string> {
  const { cluster, random } = stage;
  const name = random.pick(cluster.members);
  for (let round = 0; round < 8; round++) {
    // It may be without power just now: then there is no cable.
    if (cluster.machine(name).on) cluster.machines.network.cable(name, round % 2 === 1, link);
    await Bun.sleep(pauseMs);
  }
  if (cluster.machine(name).on) cluster.machines.network.cable(name, true, link);
  return name;
}

/** A node boots while its cable is out, or before its interface has its address: it waits, says so, and joins then. */
async function unplugged(stage: Stage): Promise<void> {
  const { cluster, random } = stage;
  const { network } = cluster.machines;
  const name = random.pick(cluster.members);
  const what = stage.oneOf(["cable", "address"]);
  stage.note(`${name}, no ${what}`);
  await cluster.stop(name);
  await stage.atRest();
  const address = `${network.address(cluster.machine(name).number)}/24 dev eth0`;
  if (what === "cable") network.cable(name, false);
  else await cluster.must(name, `ip address del ${address}`);
  const from = cluster.outputOf(name).length;
  await cluster.start(name);
  await stage.until("the daemon runs or has given up", async () => {
    const alone = (await cluster.status(name))?.membership?.members.length === 1;
    return alone || /ended with|it stays down/.test(cluster.outputOf(name).slice(from));
  });
  const said = cluster.outputOf(name).slice(from);
  stage.check(said === "", `hactl did not wait for the network: ${said.slice(0, 300)}`);
  if (what === "cable") network.cable(name, true);
  else {
    const { stdout } = await cluster.run(name, "hactl status");
    stage.check(/it is waited for/.test(stdout), `hactl status does not tell that an address is waited for`);
    stage.check(
      stage.logLines(/it is waited for/, [name]).length === 1,
      "the log does not tell once that an address is waited for",
    );
    await cluster.must(name, `ip address add ${address}`);
  }
}

export const network: readonly Scenario[] = [
  {
    name: "SplitBrain3",
    title: "one of three is cut off: the others fence it and take over",
    cases: 3,
    play: async (stage) => {
      const alone = stage.oneOf([
        stage.promoted(),
        await stage.leader(),
        stage.random.pick(stage.cluster.members),
      ]);
      await split(stage, [[alone], stage.cluster.members.filter((name) => name !== alone)]);
    },
  },
  {
    name: "SplitBrain3-short",
    title: "the network is whole again within seconds",
    cases: 3,
    play: shortSplit,
  },
  {
    name: "SplitBrain5",
    title: "two of five are cut off",
    shape: { nodes: 5 },
    play: async (stage) => {
      const names = stage.random.shuffled(stage.cluster.members);
      await split(stage, [names.slice(0, 2), names.slice(2)]);
    },
  },
  {
    name: "SplitBrain5-random",
    title: "five fall apart at random, also into parts without quorum",
    shape: { nodes: 5 },
    play: randomSplit,
  },
  { name: "OneWayLoss", title: "a node does not hear others that hear it", cases: 2, play: oneWay },
  {
    name: "OneWayLoss-link",
    title: "one of two links carries one way only: nothing happens",
    shape: { links: 2 },
    play: oneWayOfTwo,
  },
  {
    name: "FlappingLink",
    title: "one of two links goes and comes: nothing happens",
    shape: { links: 2 },
    play: async (stage) => {
      const place = stage.here();
      stage.note(await flap(stage, 1, 1_500));
      await stage.atRest();
      stage.noActionsSince(place, "although the other link worked");
      noNewRing(stage);
    },
  },
  {
    name: "StartUnplugged",
    title: "a node starts while its cable is out or its address is not there yet, and joins later",
    cases: 2,
    play: unplugged,
  },
  {
    name: "FlappingLink-only",
    title: "the only link of a node goes and comes: all is well in the end",
    play: async (stage) => {
      stage.allowed.errors.push(/NODE-LOST/);
      for (const name of stage.cluster.members) stage.allowed.fencing.add(name);
      const name = await flap(stage, 0, 3_000);
      await stage.atRest();
      stage.note(`${name}, fenced: ${stage.fenced().map(({ node }) => node)}`);
      stage.check(
        stage.fenced().every(({ node }) => node === name),
        "a node whose link worked was fenced",
      );
    },
  },
];
