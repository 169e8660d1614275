import { existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "../../harness/network.ts";
import type { Scenario } from "../scenario.ts";
import type { Stage } from "../stage.ts";

/** A library before the C library's shifts the wall clock of one node's processes; the machine's is not touched. */
const file = "/run/disk/clock";
let library: string | undefined;

function build(): string {
  const made = join(mkdtempSync(join(tmpdir(), "hactl-clock-")), "clock.so");
  run("cc", "-shared", "-fPIC", "-O1", "-o", made, join(import.meta.dir, "..", "clock-shim.c"));
  return made;
}

/** Steps of one node's clock in seconds, one after the other. */
const journeys = [
  [3_600, 0],
  [-3_600, 0],
  [3_600, -3_600],
] as const;

function step(stage: Stage, node: string, seconds: number): void {
  const shift = Buffer.alloc(8);
  shift.writeBigInt64LE(BigInt(seconds));
  const path = join(stage.cluster.machine(node).disk, "clock");
  // In place: the processes have it mapped.
  writeFileSync(path, shift, { flag: existsSync(path) ? "r+" : "w" });
}

async function clockStep(stage: Stage): Promise<void> {
  const { cluster, random } = stage;
  for (const name of cluster.members) step(stage, name, 0);
  await cluster.start(...cluster.members);
  await stage.until("there is a leader", async () => (await cluster.leader()) !== undefined);
  await cluster.load(cluster.mix.crm);
  await stage.atRest();
  const leader = await stage.leader();
  const name = random.pick([leader, cluster.anyone([leader])]);
  const manager = cluster.pidOf(name, "manager");
  const maps = readFileSync(cluster.machine(name).path(`/proc/${manager}/maps`), "utf8");
  if (!maps.includes("clock.so")) throw new Error("the manager does not use the library");
  const journey = stage.oneOf(journeys);
  stage.note(`${name} of leader ${leader}: ${journey.join(", ")} s`);
  for (const seconds of journey) {
    const place = stage.here();
    step(stage, name, seconds);
    // Two rounds of monitors see the new time.
    await Bun.sleep(12_000);
    await stage.atRest();
    stage.noActionsSince(place, `because a clock stepped to ${seconds} s`);
    for (const node of [name, cluster.anyone([name])]) await failAndRecover(stage, node);
    await fromHereAndBack(stage);
  }
}

/** A failure on a node is noticed and recovered. */
async function failAndRecover(stage: Stage, node: string): Promise<void> {
  const { cluster } = stage;
  const [rsc = ""] = cluster.mix.singles.filter((single) => single === `own-${node}`);
  stage.allowed.failures.add(rsc);
  const before = await stage.failCount(rsc, node);
  cluster.breakResource(rsc, node);
  await stage.until(
    `the failure of ${rsc} is counted`,
    async () => (await stage.failCount(rsc, node)) > before,
  );
  await stage.until(`${rsc} is recovered`, () => cluster.nodesOf(rsc).length === 1);
  await cluster.must(cluster.anyone(), "crm_resource --cleanup");
  stage.allowed.failures.clear();
  await stage.atRest();
}

async function fromHereAndBack(stage: Stage): Promise<void> {
  const { cluster } = stage;
  const name = stage.promoted();
  await cluster.must(cluster.anyone(), `hactl node standby ${name}`);
  await stage.until("the services have left", () => !cluster.nodesOf("scene-server").includes(name));
  await stage.atRest();
  await cluster.must(cluster.anyone(), `hactl node online ${name}`);
  await stage.atRest();
}

export const clock: readonly Scenario[] = [
  {
    name: "ClockStep",
    title: "the wall clock of a node steps by an hour",
    cases: 3,
    own: () => {
      library ??= build();
      const env = { LD_PRELOAD: library, SCENE_CLOCK: file };
      return { env: () => env };
    },
    play: clockStep,
  },
];
