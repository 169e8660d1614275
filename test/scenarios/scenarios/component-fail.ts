import type { Part } from "../cluster.ts";
import type { Scenario } from "../scenario.ts";
import type { Stage } from "../stage.ts";
import { Violation } from "../violation.ts";
import { nodeAt, type Place, places, placeWords } from "./places.ts";

/** Processes that die at the same moment. */
type Victims = readonly (readonly [node: string, part: Part])[];

/** What the daemon says of a process that it lost is no fault. */
const ownWords = [/PROCESS-DIED/, /MANAGER-LOST/];
/** On a busy machine a ring may take longer to start again than the others wait for it. */
const ringWords = [...ownWords, /NODE-LOST/];
const wordsOf = (victims: Victims) => (victims.some(([, part]) => part === "ring") ? ringWords : ownWords);

/** Kills processes: the services must not notice, and everybody is back afterwards. */
async function kill(stage: Stage, victims: Victims): Promise<void> {
  stage.allowed.errors.push(...wordsOf(victims));
  stage.note(
    `${victims.map(([node, part]) => `${part} of ${node}`).join(", ")}; leader ${await stage.leader()}`,
  );
  const place = stage.here();
  await killOnce(stage, victims);
  await stage.atRest();
  unnoticed(stage, place, victims);
}

/**
 * The services have not noticed. Only of a ring that came back after the others had lost the node, as it may on a busy machine,
 * the node may be fenced, and its services move.
 */
function unnoticed(stage: Stage, place: ReturnType<Stage["here"]>, victims: Victims): void {
  const late = victims
    .filter(
      ([node, part]) => part === "ring" && stage.logLines(new RegExp(`node ${node} is lost`)).length > 0,
    )
    .map(([node]) => node)
    .filter((node) => stage.offs(node) === 1);
  for (const node of late) {
    stage.allowed.fencing.add(node);
    stage.note(`${node} was lost before its ring was back, and fenced`);
  }
  if (late.length === 0) stage.noActionsSince(place, "although the services had nothing to do with it");
}

/** Kills processes and waits until they run again. */
async function killOnce({ cluster }: Stage, victims: Victims): Promise<void> {
  const before = victims.map(([node, part]) => cluster.pidOf(node, part));
  const pids = new Map<string, number[]>();
  victims.forEach(([node, part], i) => {
    const pid = before[i];
    if (pid === undefined) throw new Violation(`no ${part} runs on ${node}`);
    // The ring at last, and all with one command: its death ends the others.
    pids.set(node, part === "ring" ? [...(pids.get(node) ?? []), pid] : [pid, ...(pids.get(node) ?? [])]);
  });
  for (const [node, numbers] of pids) cluster.machine(node).kill(numbers);
  await cluster.until("the killed processes run again", 60_000, () => {
    const missing = victims.filter(([node, part], i) => {
      const pid = cluster.pidOf(node, part);
      return pid === undefined || pid === before[i];
    });
    return missing.length === 0 ? undefined : missing.map(([node, part]) => `${part} of ${node}`).join(", ");
  });
}

/** The same process dies again as soon as it is back, before it has told anybody what it knows. */
async function killTwice(stage: Stage, part: Part): Promise<void> {
  const victims: Victims = [[stage.oneOf([stage.promoted(), await stage.leader()]), part]];
  stage.allowed.errors.push(...wordsOf(victims));
  stage.note(`${part} of ${victims[0]?.[0]}; leader ${await stage.leader()}`);
  const place = stage.here();
  await killOnce(stage, victims);
  await Bun.sleep(stage.random.between(0, 1_000));
  await killOnce(stage, victims);
  await stage.atRest();
  unnoticed(stage, place, victims);
}

/** Tickets have been granted, which only the cluster's status tells: they are granted still when all managers have died. */
async function tickets(stage: Stage): Promise<void> {
  const { cluster } = stage;
  const parts = stage.oneOf<readonly Part[]>([["manager"], ["ring", "manager", "executor"]]);
  await cluster.must(cluster.anyone(), "crm_ticket --ticket site --grant --force");
  await cluster.load(
    "rsc_ticket t1 site: dbs:Promoted loss-policy=demote\nrsc_ticket t2 site: wanderer loss-policy=stop\n",
  );
  await stage.atRest();
  await kill(stage, everywhere(stage, ...parts));
  await cluster.must(cluster.anyone(), "hactl configure delete --force t1 t2");
  await stage.atRest();
}

/** Longer than anybody waits for a node that is away, and than fencing takes. */
const fencedByThenMs = 35_000;

/** A node was stopped, and the managers of all others die: nobody who is left may take it for lost. */
async function othersOfStopped(stage: Stage): Promise<void> {
  const { cluster } = stage;
  const name = stage.random.pick(cluster.members);
  await cluster.stop(name);
  await stage.atRest();
  const others = cluster.members.filter((other) => other !== name);
  const place = stage.here();
  await kill(
    stage,
    others.map((node) => [node, "manager"]),
  );
  await Bun.sleep(fencedByThenMs);
  await stage.atRest();
  stage.noActionsSince(place, "although only managers died");
  await cluster.start(name);
  await stage.atRest();
}

const everywhere = ({ cluster }: Stage, ...parts: readonly Part[]): Victims =>
  cluster.members.flatMap((node) => parts.map((part) => [node, part] as const));

const single = (part: Part, place: Place): Scenario => ({
  name: `ComponentFail-${part}-${place.name}`,
  title: `the ${part} process dies on a node: ${placeWords(place)}`,
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
    everywhere(stage, "manager"),
  ),
  together("all-managers+executors", "the managers and executors of all nodes die at once", async (stage) =>
    everywhere(stage, "manager", "executor"),
  ),
  together("all-rings", "the ring processes of all nodes die at once", async (stage) =>
    everywhere(stage, "ring"),
  ),
  together("all-processes", "all processes of the daemons of all nodes die at once", async (stage) =>
    everywhere(stage, "ring", "manager", "executor"),
  ),
  {
    name: "ComponentFail-tickets",
    title: "the managers, or all processes, of all nodes die: tickets stay granted",
    cases: 2,
    play: tickets,
  },
  {
    name: "ComponentFail-all-but-stopped",
    title: "a node is stopped, and the managers of all others die: it is not fenced",
    play: othersOfStopped,
  },
  {
    name: "ComponentFail-other-of-two",
    title: "one of two nodes is stopped, and the manager of the other dies: it is not fenced",
    shape: { nodes: 2 },
    play: othersOfStopped,
  },
  ...(["manager", "ring"] as const).map(
    (part): Scenario => ({
      name: `ComponentFail-only-${part}`,
      title: `the ${part} process of the only node dies`,
      shape: { nodes: 1 },
      play: (stage) => kill(stage, everywhere(stage, part)),
    }),
  ),
  {
    name: "ComponentFail-only-processes",
    title: "all processes of the only node's daemon die",
    shape: { nodes: 1 },
    play: (stage) => kill(stage, everywhere(stage, "ring", "manager", "executor")),
  },
  ...(["manager", "executor", "ring"] as const).map(
    (part): Scenario => ({
      name: `ComponentFailTwice-${part}`,
      title: `the ${part} process dies, and again as soon as it is back`,
      cases: 2,
      play: (stage) => killTwice(stage, part),
    }),
  ),
];
