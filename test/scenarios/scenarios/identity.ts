import { randomBytes } from "node:crypto";
import { attributesOf } from "../cib-look.ts";
import { type ClusterOptions, commonConfig, type ListedNode } from "../cluster.ts";
import type { Scenario } from "../scenario.ts";
import type { Stage } from "../stage.ts";

/** How the third node gets its new name. */
const ways = ["all at once", "one by one"] as const;

/** A node keeps its number and its disk and has another name in hactl.toml. */
async function renamed(stage: Stage): Promise<void> {
  const { cluster } = stage;
  const way = stage.oneOf(ways);
  stage.note(way);
  await cluster.start(...cluster.members);
  await stage.until("there is a leader", async () => (await cluster.leader()) !== undefined);
  await cluster.load(cluster.mix.crm);
  await stage.atRest();
  const [name = ""] = cluster.members.slice(-1);
  await cluster.stop(...(way === "all at once" ? cluster.members : [name]));
  // The list of the fence device has the old name still, and that is told.
  stage.allowed.verdicts.push(new RegExp(`^no device can fence ${name}x`));
  cluster.rename(name, `${name}x`);
  cluster.writeConfiguration();
  if (way === "one by one") {
    for (const other of cluster.members.filter((member) => member !== name)) {
      const { code, stderr } = await cluster.run(other, "hactl reload");
      if (code === 0) continue;
      // A reload that refuses a new name says so: then everybody has to restart.
      stage.note(`reload on ${other} gave ${code}: ${stderr.trim().slice(0, 120)}`);
      await cluster.stop(other);
      await cluster.start(other);
      await stage.atRest();
    }
    await cluster.start(name);
  } else await cluster.start(...cluster.members);
  await stage.atRest();
  const cib = await stage.cib();
  const ids = attributesOf(cib, "//nodes/node", "id");
  stage.check(new Set(ids).size === ids.length, `two nodes have one number: ${ids}`);
  const names = attributesOf(cib, "//nodes/node", "uname");
  stage.check(!names.includes(name), `the old name is still a node: ${names}`);
}

/** Names that a node sees in its ring, by itself. */
async function seenBy(stage: Stage, machine: string): Promise<string[] | undefined> {
  const status = await stage.cluster.status(machine);
  return status?.membership?.members.map(({ name }) => String(name)).sort();
}

/** Waits until machines see each other and nobody else, and that it stays so. */
async function are(stage: Stage, machines: readonly string[], what: string): Promise<void> {
  const wanted = [...machines].sort().join();
  const holds = async () => {
    for (const machine of machines) if ((await seenBy(stage, machine))?.join() !== wanted) return false;
    return true;
  };
  await stage.until(`${what}: ${machines} see each other alone`, holds);
  for (let look = 0; look < 10; look++) {
    await Bun.sleep(300);
    stage.check(await holds(), `${what}: ${machines} no longer see each other alone`);
  }
}

const listed = (names: readonly string[], ids?: readonly number[]): ListedNode[] =>
  names.map((name, i) => ({
    name,
    id: ids?.[i] ?? i + 1,
    addresses: [`10.77.0.${name.slice(1)}`],
  }));

const duplicates = ["unlisted", "listed as another", "twice in its list"] as const;

/** Node 4 believes that it is number 3, which is another one. */
function duplicateOptions(turn: number): ClusterOptions {
  const how = duplicates[turn % duplicates.length];
  const open = turn % 2 === 0 ? ["block_unlisted_ips = false"] : [];
  const three = ["n1", "n2", "n3"];
  const common = listed(how === "listed as another" ? [...three, "n4"] : three);
  const own =
    how === "twice in its list"
      ? listed([...three, "n4"], [1, 2, 3, 3])
      : listed(["n1", "n2", "n4"], [1, 2, 3]);
  return { config: (node) => commonConfig(node === "n4" ? own : common, "scene", open) };
}

async function duplicateId(stage: Stage): Promise<void> {
  const { cluster } = stage;
  stage.note(stage.oneOf(duplicates));
  const three = cluster.members.slice(0, 3);
  await cluster.start(...three);
  await are(stage, three, "before the fourth");
  await cluster.start("n4");
  await stage.until(
    "the fourth runs or is refused",
    async () => /ended with 78/.test(cluster.outputOf("n4")) || (await cluster.status("n4")) !== undefined,
  );
  await are(stage, three, "beside the fourth");
  const rings = stage.logLines(/\[RING\]/, three).length;
  stage.check(
    rings <= 12,
    `the ring of the three changed ${rings} times beside a node with a number of theirs`,
  );
  await cluster.stop("n3");
  const rest = ["n1", "n2"];
  await are(stage, rest, "while n3 is stopped");
  await cluster.start("n3");
  await are(stage, three, "after n3 has started again");
  await finish(stage, three);
}

const differences = ["names", "keys", "both"] as const;

/** Two clusters on one network, each with the other's hosts in its list, unlisted addresses let in. */
function twoClustersOptions(turn: number): ClusterOptions {
  const how = differences[turn % differences.length];
  const first = listed(["n1", "n2", "n3"]);
  const second = listed(["n3", "n4", "n1"]);
  const keys = [randomBytes(256), randomBytes(256)];
  const isFirst = (node: string) => node === "n1" || node === "n2";
  return {
    config: (node) => {
      const name = how === "keys" || isFirst(node) ? "one" : "two";
      return commonConfig(isFirst(node) ? first : second, name, ["block_unlisted_ips = false"]);
    },
    key: (node) => (how === "names" ? undefined : keys[isFirst(node) ? 0 : 1]),
  };
}

async function twoClusters(stage: Stage): Promise<void> {
  const { cluster } = stage;
  stage.note(`different: ${stage.oneOf(differences)}`);
  const pairs = [
    ["n1", "n2"],
    ["n3", "n4"],
  ] as const;
  await cluster.start(...cluster.members);
  for (const pair of pairs) await are(stage, pair, "beside the other cluster");
  await cluster.must("n1", "crm_attribute -t crm_config -n scene-one -v 1");
  stage.check(
    !(await cluster.must("n3", "cibadmin -Q -l")).includes("scene-one"),
    "a change came to the other cluster",
  );
  const rings = stage.logLines(/\[RING\]/).length;
  for (const pair of pairs) await are(stage, pair, "later");
  stage.check(stage.logLines(/\[RING\]/).length === rings, "rings change beside the other cluster");
  const lines = stage.logLines(/\]: warning: /).length;
  stage.check(lines < 60, `${lines} warnings because of the other cluster`);
  await cluster.stop("n2", "n4");
  await cluster.start("n2", "n4");
  for (const pair of pairs) await are(stage, pair, "after a restart");
  await finish(stage, cluster.members);
}

/** These clusters run nothing, and are no cluster of all members: they are stopped, and nothing may be left. */
async function finish(stage: Stage, names: readonly string[]): Promise<void> {
  const { cluster } = stage;
  await cluster.stop(...names);
  for (const name of cluster.members) cluster.expected.delete(name);
  const left = cluster.members.filter(
    (name) => !names.includes(name) && cluster.pidOf(name, "ring") !== undefined,
  );
  if (left.length > 0) await cluster.stop(...left);
}

export const identity: readonly Scenario[] = [
  { name: "RenamedNode", title: "a node has another name in hactl.toml", cases: 2, own: {}, play: renamed },
  {
    name: "DuplicateId",
    title: "a host claims the number of a node",
    shape: { nodes: 4 },
    cases: 3,
    own: duplicateOptions,
    play: duplicateId,
  },
  {
    name: "TwoClusters",
    title: "two clusters on one network",
    shape: { nodes: 4 },
    cases: 3,
    own: twoClustersOptions,
    play: twoClusters,
  },
];
