import type { Part } from "../cluster.ts";
import type { Scenario } from "../scenario.ts";
import type { Stage } from "../stage.ts";

/** Where a process dies: with or without the leader, with or without the promoted instance and its group. */
interface Place {
  readonly name: string;
  readonly leader: boolean;
  readonly promoted: boolean;
}
const places: readonly Place[] = [
  { name: "leader-promoted", leader: true, promoted: true },
  { name: "promoted", leader: false, promoted: true },
  { name: "leader", leader: true, promoted: false },
  { name: "other", leader: false, promoted: false },
];

/** Processes that die at the same moment. */
type Victims = readonly (readonly [node: string, part: Part])[];

/** What the daemon says of a process that it lost is no fault. */
const ownWords = [/PROCESS-DIED/, /MANAGER-LOST/];

/** A node with the wanted part in the cluster; the promoted instance is moved to make one when there is none. */
async function nodeAt(stage: Stage, { leader, promoted }: Place): Promise<string> {
  const { cluster } = stage;
  const dc = await stage.leader();
  if ((stage.promoted() === dc) !== (leader === promoted)) {
    const home = leader === promoted ? dc : cluster.anyone([dc]);
    await cluster.load(`location here dbs role=Promoted inf: ${home}`);
    await cluster.until(`the promoted instance is on ${home}`, 60_000, () =>
      cluster.promoted().join() === home ? undefined : `it is on ${cluster.promoted().join() || "no node"}`,
    );
    await cluster.must(home, "hactl configure delete --force here");
    await stage.atRest();
  }
  const holder = stage.promoted();
  const node = cluster.members.find((name) => (name === dc) === leader && (name === holder) === promoted);
  if (node === undefined) throw new Error("three nodes have a place of each kind");
  return node;
}

/** Kills processes: the services must not notice, and everybody is back afterwards. */
async function kill(stage: Stage, victims: Victims): Promise<void> {
  const { cluster } = stage;
  stage.allowed.errors.push(...ownWords);
  stage.note(
    `${victims.map(([node, part]) => `${part} of ${node}`).join(", ")}; leader ${await stage.leader()}`,
  );
  const place = stage.here();
  const before = victims.map(([node, part]) => cluster.pidOf(node, part));
  for (const [node, part] of victims) cluster.kill(node, part);
  await cluster.until("the killed processes run again", 60_000, () => {
    const missing = victims.filter(([node, part], i) => {
      const pid = cluster.pidOf(node, part);
      return pid === undefined || pid === before[i];
    });
    return missing.length === 0 ? undefined : missing.map(([node, part]) => `${part} of ${node}`).join(", ");
  });
  await stage.atRest();
  stage.noActionsSince(place, "although the services had nothing to do with it");
}

const single = (part: Part, place: Place): Scenario => ({
  name: `ComponentFail-${part}-${place.name}`,
  title: `the ${part} process dies on a node: ${place.leader ? "the leader" : "not the leader"}, ${
    place.promoted ? "with" : "without"
  } the promoted instance`,
  play: async (stage) => kill(stage, [[await nodeAt(stage, place), part]]),
});

const together = (name: string, title: string, victims: (stage: Stage) => Promise<Victims>): Scenario => ({
  name: `ComponentFail-${name}`,
  title,
  cases: 2,
  play: async (stage) => kill(stage, await victims(stage)),
});

export const componentFail: readonly Scenario[] = [
  ...(["manager", "executor", "ring"] as const).flatMap((part) => places.map((place) => single(part, place))),
  together("manager+executor", "manager and executor of one node die at once", async (stage) => {
    const node = stage.oneOf([stage.promoted(), stage.random.pick(stage.cluster.members)]);
    return [
      [node, "manager"],
      [node, "executor"],
    ];
  }),
  together("two-managers", "the managers of two nodes die at once", async (stage) => {
    const first = stage.oneOf([stage.promoted(), await stage.leader()]);
    const second = stage.random.pick(stage.cluster.members.filter((name) => name !== first));
    return [
      [first, "manager"],
      [second, "manager"],
    ];
  }),
  together("all-managers", "the managers of all nodes die at once", async (stage) =>
    stage.cluster.members.map((node) => [node, "manager"] as const),
  ),
];
