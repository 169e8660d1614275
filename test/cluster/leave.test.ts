import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { LocalCluster } from "../harness/local-cluster.ts";

setDefaultTimeout(120_000);

/** A daemon is asked to end while its manager is not there: it waits for it, and leaves in order all the same. */

let cluster: LocalCluster;
const last = "node3";

beforeAll(async () => {
  cluster = await LocalCluster.make({ nodes: 3 });
  cluster.startAll();
  await cluster.joined();
}, 60_000);
afterAll(() => cluster?.destroy());

/** The manager's process, as the log of the node names the newest one. */
const managerOf = (name: string): number =>
  Number([...cluster.logOf(name).matchAll(/manager runs as process (\d+)/g)].at(-1)?.[1] ?? 0);

const gone = () =>
  cluster.until(`${last} has ended`, 60_000, () =>
    cluster.processesOf(last).length === 0 ? true : undefined,
  );

/** Starts it, until so long after its manager has been started. */
async function startedFor(delayMs: number): Promise<void> {
  const manager = managerOf(last);
  cluster.start(last);
  await cluster.until("the manager runs", 30_000, () => (managerOf(last) !== manager ? true : undefined));
  await Bun.sleep(delayMs);
}

/** What the others have said of its going since they had said so much. */
const told = (before: readonly number[]): string[] =>
  ["node1", "node2"].map((name, index) =>
    [
      ...cluster
        .logOf(name)
        .slice(before[index])
        .matchAll(/\[(NODE-L(?:EFT|OST))\]/g),
    ]
      .map(([, id]) => id ?? "")
      .join(),
  );
const said = () => ["node1", "node2"].map((name) => cluster.logOf(name).length);

test("after the manager's death", async () => {
  const before = said();
  process.kill(managerOf(last), "SIGKILL");
  process.kill(cluster.pidOf(last), "SIGTERM");
  await gone();
  expect(told(before)).toEqual(["NODE-LEFT", "NODE-LEFT"]);
});

test("at any moment of its start", async () => {
  for (const delayMs of [0, 100, 400]) {
    const before = said();
    await startedFor(delayMs);
    process.kill(cluster.pidOf(last), "SIGTERM");
    await gone();
    expect(told(before).join()).not.toContain("NODE-LOST");
  }
});

test("at once when it is told so twice, whatever it is about to do", async () => {
  for (const delayMs of [0, 0, 50, 200]) {
    await startedFor(delayMs);
    process.kill(cluster.pidOf(last), "SIGTERM");
    await Bun.sleep(10);
    process.kill(cluster.pidOf(last), "SIGTERM");
    await gone();
  }
});

test("also when the manager dies that an administrator has asked", async () => {
  const before = said();
  await startedFor(0);
  await cluster.joined();
  process.kill(managerOf(last), "SIGSTOP");
  const stop = cluster.hactl(last, "stop");
  await Bun.sleep(500);
  process.kill(managerOf(last), "SIGKILL");
  expect(await stop).toMatchObject({ code: 0 });
  await gone();
  expect(told(before).join()).not.toContain("NODE-LOST");
});

test("as slowly as its services go, however often an administrator asks for it", async () => {
  cluster.start(last);
  await cluster.joined();
  const slow = `property stonith-enabled=false
primitive slow ocf:pacemaker:Dummy params op_sleep=6 op stop timeout=60s op start timeout=60s
location there slow inf: ${last}`;
  const file = join(cluster.directory, "slow.crm");
  writeFileSync(file, slow);
  expect(await cluster.hactl("node1", "configure", "load", "replace", file)).toMatchObject({ code: 0 });
  await cluster.until("it runs", 30_000, async () =>
    /Started +node3/.test((await cluster.hactl("node1", "status")).stdout) ? true : undefined,
  );
  const before = said();
  expect(await cluster.hactl(last, "stop", "--timeout", "1")).toMatchObject({ code: 124 });
  expect(await cluster.hactl(last, "stop", "--timeout", "1")).toMatchObject({ code: 124 });
  // The supervisor joins the wait, too.
  process.kill(cluster.pidOf(last), "SIGTERM");
  await gone();
  expect(told(before)).toEqual(["NODE-LEFT", "NODE-LEFT"]);
  expect(cluster.logOf(last)).toContain("[DRAIN]");
});

test("and whoever waits for it hears when it was ended before its services had gone", async () => {
  cluster.start(last);
  await cluster.until("it runs", 30_000, async () =>
    /Started +node3/.test((await cluster.hactl("node1", "status")).stdout) ? true : undefined,
  );
  const logged = cluster.logOf(last).length;
  const stop = cluster.hactl(last, "stop");
  await cluster.until("it is draining", 10_000, () =>
    cluster.logOf(last).slice(logged).includes("[DRAIN]") ? true : undefined,
  );
  process.kill(cluster.pidOf(last), "SIGTERM");
  await Bun.sleep(100);
  process.kill(cluster.pidOf(last), "SIGTERM");
  expect(await stop).toMatchObject({
    code: 113,
    stderr: expect.stringContaining("has ended without leaving the cluster in order"),
  });
});
