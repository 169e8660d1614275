import type { Part } from "../cluster.ts";
import type { Scenario } from "../scenario.ts";
import type { Stage } from "../stage.ts";
import { Violation } from "../violation.ts";
import { nodeAt, type Place, places, placeWords } from "./places.ts";

/** What the ring says of a process that hangs, and the others of its node. */
const ownWords = [/PROCESS-HUNG/, /PROCESS-DIED/, /MANAGER-LOST/];
/** Longer than a process may be silent. */
const longPauseMs = 25_000;
const parts: readonly Part[] = ["ring", "manager", "executor"];

const why = "although the services had nothing to do with it";

/** A process stands still, and never goes on by itself: it is replaced, and the services do not notice. */
async function hang(stage: Stage, victims: readonly (readonly [node: string, part: Part])[]): Promise<void> {
  const { cluster } = stage;
  stage.allowed.errors.push(...ownWords);
  stage.note(
    `${victims.map(([node, part]) => `${part} of ${node}`).join(", ")}; leader ${await stage.leader()}`,
  );
  const place = stage.here();
  const before = victims.map(([node, part]) => cluster.pidOf(node, part));
  for (const [node, part] of victims) cluster.kill(node, part, "SIGSTOP");
  await cluster.until("what hangs is replaced", 90_000, () => {
    const same = victims.filter(([node, part], i) => {
      const pid = cluster.pidOf(node, part);
      return pid === undefined || pid === before[i];
    });
    return same.length === 0 ? undefined : same.map(([node, part]) => `${part} of ${node}`).join(", ");
  });
  await stage.atRest();
  stage.noActionsSince(place, why);
  const told = stage.logLines(/PROCESS-HUNG/).length;
  stage.check(told === victims.length, `${victims.length} processes hung, and ${told} times the log says so`);
}

/** Services are asked for while the process that would start them hangs: they come when it is replaced. */
async function wantedMeanwhile(stage: Stage, part: Part): Promise<void> {
  const { cluster } = stage;
  const rsc = "wanderer";
  const [node] = cluster.nodesOf(rsc);
  if (node === undefined) throw new Violation(`${rsc} runs nowhere`);
  stage.note(`${part} of ${node} while ${rsc} is to move from it; leader ${await stage.leader()}`);
  stage.allowed.errors.push(...ownWords);
  cluster.kill(node, part, "SIGSTOP");
  const other = cluster.anyone([node]);
  await cluster.run(other, `hactl resource move ${rsc} ${other}`);
  await cluster.until(`${rsc} runs on ${other} only`, 90_000, () =>
    cluster.nodesOf(rsc).join() === other
      ? undefined
      : `it runs on ${cluster.nodesOf(rsc).join() || "no node"}`,
  );
  await cluster.must(other, `hactl resource clear ${rsc}`);
}

/** The ring stands still, and so for the others the node: it is fenced, and does nothing until then. */
async function hangRing(stage: Stage, node: string): Promise<void> {
  const { cluster } = stage;
  stage.note(`ring of ${node}; leader ${await stage.leader()}`);
  stage.allowed.fencing.add(node);
  const place = stage.here();
  cluster.kill(node, "ring", "SIGSTOP");
  await stage.until(`${node} is fenced`, () => stage.offs(node) > 0);
  const boot = stage.actionsSince(place).filter((entry) => entry.node === node);
  stage.check(boot.length === 0, `${node} did something while its ring hung: ${boot[0]?.action}`);
  await stage.atRest();
}

/** All processes of the daemon stand still, as in a paused virtual machine, and go on: none of them hangs. */
async function paused(stage: Stage): Promise<void> {
  const { cluster } = stage;
  const [node] = cluster.members;
  if (node === undefined) throw new Error("a cluster has a node");
  const pids = () => parts.map((part) => cluster.pidOf(node, part) ?? 0);
  const place = stage.here();
  const before = pids();
  const machine = cluster.machine(node);
  machine.kill(before, "SIGSTOP");
  await Bun.sleep(longPauseMs);
  machine.kill(stage.random.shuffled(before), "SIGCONT");
  await Bun.sleep(longPauseMs / 2);
  stage.check(pids().join() === before.join(), "a process was replaced although the whole node stood still");
  await stage.atRest();
  stage.noActionsSince(place, why);
}

const single = (part: "manager" | "executor", place: Place): Scenario => ({
  name: `ComponentHang-${part}-${place.name}`,
  title: `the ${part} process hangs on a node: ${placeWords(place)}`,
  play: async (stage) => hang(stage, [[await nodeAt(stage, place), part]]),
});

export const componentHang: readonly Scenario[] = [
  ...(["manager", "executor"] as const).flatMap((part) => places.map((place) => single(part, place))),
  ...places.map(
    (place): Scenario => ({
      name: `ComponentHang-ring-${place.name}`,
      title: `the ring process hangs on a node: ${placeWords(place)}`,
      play: async (stage) => hangRing(stage, await nodeAt(stage, place)),
    }),
  ),
  {
    name: "ComponentHang-both",
    title: "manager and executor of one node hang at once",
    cases: 2,
    play: async (stage) => {
      const node = stage.oneOf([stage.promoted(), await stage.leader()]);
      await hang(stage, [
        [node, "manager"],
        [node, "executor"],
      ]);
    },
  },
  {
    name: "ComponentHang-all-managers",
    title: "the managers of all nodes hang at once",
    play: (stage) =>
      hang(
        stage,
        stage.cluster.members.map((node) => [node, "manager"] as const),
      ),
  },
  ...(["manager", "executor"] as const).map(
    (part): Scenario => ({
      name: `ComponentHang-${part}-wanted`,
      title: `the ${part} process hangs on a node from which a service is to move`,
      play: (stage) => wantedMeanwhile(stage, part),
    }),
  ),
  {
    name: "ComponentHang-only-paused",
    title: "the only node stands still for longer than a process may, and goes on",
    shape: { nodes: 1 },
    play: paused,
  },
];
