import type { SceneCluster } from "../cluster.ts";
import type { Scenario } from "../scenario.ts";
import type { Stage } from "../stage.ts";

/** When the leader dies: as soon as the loss is seen, while the switch is asked, or when it has switched and not said so. */
const moments = ["early", "while it runs", "at its end"] as const;

/** The devices act from one node. */
async function deviceAt(stage: Stage, node: string): Promise<void> {
  const { cluster } = stage;
  await cluster.load(`location power-here power inf: ${node}`);
  await stage.until(`the fence device is on ${node}`, async () => {
    const { stdout } = await cluster.run(cluster.anyone(), "crm_resource --locate -Q -r power");
    return stdout.trim() === node;
  });
  await stage.atRest();
}

/** Whether the switch has been asked about a node since a place in its list. */
const askedSince = ({ power }: SceneCluster, place: number, node: string): boolean =>
  power.switched.slice(place).some((one) => one.node === node);

/**
 * A node is lost; the leader asks for its fencing, and dies. The device acts from the leader's node, or from another one.
 * Whatever was begun is brought to its end, and nobody begins it anew whose predecessor's agent lives.
 */
async function leaderDies(stage: Stage, part: "manager" | "ring" | "host"): Promise<void> {
  const { cluster, random } = stage;
  const moment = moments[stage.turn % moments.length] ?? "early";
  const own = stage.turn % (2 * moments.length) < moments.length;
  const leader = await stage.leader();
  const target = random.pick(cluster.members.filter((name) => name !== leader));
  const other = random.pick(cluster.members.filter((name) => name !== leader && name !== target));
  await deviceAt(stage, own ? leader : other);
  stage.note(`${part} of leader ${leader}, ${moment}; ${target} is fenced by ${own ? "the leader" : other}`);
  stage.allowed.fencing.add(target);
  stage.allowed.errors.push(/PROCESS-DIED/, /MANAGER-LOST/);
  if (part === "host") stage.allowed.fencing.add(leader);
  const usual = cluster.power.slowness;
  cluster.power.slowness =
    moment === "at its end" ? { beforeMs: 0, afterMs: 3_000 } : { beforeMs: 3_000, afterMs: 0 };
  try {
    const place = cluster.power.switched.length;
    await cluster.crash(target);
    if (moment === "early")
      await stage.until("the leader has seen the loss", () =>
        stage.logLines(/NODE-LOST/, [leader]).some((line) => line.includes(`node ${target} `)),
      );
    else await stage.until("the switch is asked", () => askedSince(cluster, place, target));
    await Bun.sleep(random.between(0, moment === "early" ? 300 : 2_000));
    if (part === "host") await cluster.crash(leader);
    else cluster.kill(leader, part, "SIGKILL");
    await stage.until(`${target} is fenced`, () => stage.offs(target) > 0);
    await stage.until(`${target} is back`, () => cluster.expected.has(target));
  } finally {
    cluster.power.slowness = usual;
  }
  await stage.atRest();
  // An agent that died with its host may have switched: then it is done once more.
  const most = part === "host" ? 2 : 1;
  stage.check(stage.offs(target) <= most, `${target} was switched off ${stage.offs(target)} times`);
  await cluster.must(cluster.anyone(), "hactl configure delete --force power-here");
  await stage.atRest();
}

const scenario = (part: "manager" | "ring" | "host", cases: number): Scenario => ({
  name: `FenceLeaderDies-${part}`,
  title: `the leader's ${part} dies while it fences another node`,
  ...(part === "host" ? { shape: { nodes: 5 } } : {}),
  cases,
  play: (stage) => leaderDies(stage, part),
});

export const fencing: readonly Scenario[] = [
  scenario("manager", 6),
  scenario("ring", 6),
  scenario("host", 6),
];
