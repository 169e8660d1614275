import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { LocalCluster } from "../harness/local-cluster.ts";

/** A real cluster of three daemons on this machine, without root, and what happens to it. */

let cluster: LocalCluster;
let beat: string;

beforeAll(async () => {
  cluster = await LocalCluster.make({ nodes: 3, tokenMs: 600 });
  beat = join(cluster.directory, "beat");
  cluster.startAll();
  await membersAre(3);
  await load(`
property stonith-enabled=true
rsc_defaults resource-stickiness=100
primitive power stonith:fence_hactl_demo params pid_dir="${join(cluster.directory, "pids")}"
primitive service ocf:hactl:Service params file="${beat}" op monitor interval=1s
primitive other ocf:pacemaker:Dummy op monitor interval=1s
location here service 50: node1
`);
  await served("node1");
}, 60_000);

afterAll(() => cluster?.destroy());

async function load(text: string, mode = "update"): Promise<void> {
  const file = join(cluster.directory, "load.crm");
  writeFileSync(file, text);
  const { code, stderr } = await cluster.hactl("node2", "configure", "load", mode, file);
  if (code !== 0) throw new Error(stderr);
}

async function membersAre(count: number, through = "node2"): Promise<void> {
  await cluster.until(`${count} nodes take part`, 30_000, async () => {
    const { code, stdout } = await cluster.hactl(through, "node", "show", "--json");
    if (code !== 0) return undefined;
    const { members } = JSON.parse(stdout) as { members: { state: string }[] };
    return members.filter(({ state }) => state === "member").length === count ? true : undefined;
  });
}

function server(): string | undefined {
  if (!existsSync(beat)) return undefined;
  const [node, , seconds] = readFileSync(beat, "utf8").trim().split(" ");
  return Date.now() / 1000 - Number(seconds) < 1 ? node : undefined;
}

const served = (node: string | undefined, ms = 30_000) =>
  cluster.until(node === undefined ? "somebody serves" : `${node} serves`, ms, () => {
    const now = server();
    return now !== undefined && (node === undefined || now === node) ? now : undefined;
  });

const idle = () => cluster.hactl("node2", "wait", "--timeout", "60");

interface Row {
  readonly event: string;
  readonly text: string;
  readonly at: number;
}

/** What the nodes that run tell of it. */
async function eventsSince(since: number): Promise<Row[]> {
  const told = await Promise.all(
    cluster.names.map((name) => cluster.hactl(name, "history", "--json", "--limit", "1000")),
  );
  return told
    .flatMap(({ code, stdout }) => (code === 0 ? (JSON.parse(stdout) as Row[]) : []))
    .filter(({ at }) => at >= since)
    .sort((a, b) => a.at - b.at);
}

describe("a cluster of three", () => {
  test("shows its status with the verdict first", async () => {
    await idle();
    const { code, stdout } = await cluster.hactl("node3", "status");
    expect(code).toBe(0);
    expect(stdout.split("\n")[0]).toContain("NORMAL");
    expect(stdout).toContain("node1");
  });

  test("survives the death of every manager and executor without touching a service", async () => {
    const before = Number(readFileSync(beat, "utf8").split(" ")[1]);
    const since = Date.now();
    for (const mode of ["manager", "executor"] as const) {
      for (const name of cluster.names) {
        const pid = cluster.process(name, mode);
        if (pid === undefined) throw new Error(`${name} has no ${mode}`);
        process.kill(pid, "SIGKILL");
        await cluster.until(`${mode} of ${name} is back`, 5000, () => {
          const now = cluster.process(name, mode);
          return now !== undefined && now !== pid ? true : undefined;
        });
        await membersAre(3, name === "node2" ? "node3" : "node2");
      }
    }
    await idle();
    expect(server()).toBe("node1");
    const plans = (await eventsSince(since)).filter(
      ({ event, text }) => event === "PLAN" && /Start|Stop|Restart|Recover|Move|Fence/.test(text),
    );
    // Fence devices are the manager's own and are registered anew with it.
    expect(plans.map(({ text }) => text).filter((text) => !/^Start power /.test(text))).toEqual([]);
    // The beats' counter begins at 0 when the service starts: it must have gone on.
    expect(Number(readFileSync(beat, "utf8").split(" ")[1])).toBeGreaterThan(before);
    expect(existsSync(`${beat}.conflict`)).toBe(false);
  }, 60_000);

  test("starts a service that died again", async () => {
    await idle();
    const since = Date.now();
    const serving = () => cluster.servicesOf("node1");
    const pids = serving();
    expect(pids).toHaveLength(1);
    for (const pid of pids) process.kill(pid, "SIGKILL");
    await cluster.until("another process serves", 10_000, () => {
      const now = serving();
      return now.length > 0 && now.every((pid) => !pids.includes(pid)) ? true : undefined;
    });
    await served(undefined);
    await idle();
    const events = await eventsSince(since);
    expect(events.some(({ event, text }) => event === "PLAN" && text.includes("Recover service"))).toBe(true);
  }, 30_000);

  test("moves services away from a node in standby", async () => {
    const from = await served(undefined);
    await cluster.hactl("node2", "node", "standby", from, "--wait");
    const to = await served(undefined);
    expect(to).not.toBe(from);
    await cluster.hactl("node2", "node", "online", from, "--wait");
    await idle();
    expect(server()).toBe(to);
    expect(existsSync(`${beat}.conflict`)).toBe(false);
  }, 30_000);

  test("refuses a configuration with mistakes, names their lines, and stays as it was", async () => {
    const before = (await cluster.hactl("node2", "configure", "show")).stdout;
    const file = join(cluster.directory, "bad.crm");
    writeFileSync(
      file,
      "primitive fine ocf:pacemaker:Dummy\nprimitve wrong ocf:pacemaker:Dummy\nlocaton l fine 10: node1\n",
    );
    const { code, stderr } = await cluster.hactl("node2", "configure", "load", "update", file);
    expect(code).not.toBe(0);
    expect(stderr).toContain("bad.crm:2");
    expect(stderr).toContain("primitive");
    expect(stderr).toContain("bad.crm:3");
    expect((await cluster.hactl("node2", "configure", "show")).stdout).toBe(before);
  });

  test("fails over when a node dies, fences it first, and takes it back with its configuration", async () => {
    const dead = await served(undefined);
    const since = Date.now();
    const through = cluster.names.find((name) => name !== dead) ?? "";
    cluster.kill(dead);
    const heir = await cluster.until("another serves", 30_000, () => {
      const now = server();
      return now !== undefined && now !== dead ? now : undefined;
    });
    const events = (await eventsSince(since)).map(({ event }) => event);
    expect(events.indexOf("NODE-FENCED")).toBeGreaterThan(events.indexOf("NODE-LOST"));
    cluster.start(dead);
    await membersAre(3, through);
    await cluster.hactl(through, "wait", "--timeout", "60");
    expect(server()).toBe(heir);
    expect(existsSync(`${beat}.conflict`)).toBe(false);
    expect((await cluster.hactl(dead, "configure", "show")).stdout).toContain("primitive service");
  }, 60_000);

  test("stops everything without quorum, and goes on when the nodes are back", async () => {
    const serving = await served(undefined);
    const others = cluster.names.filter((name) => name !== serving);
    for (const name of others) cluster.kill(name);
    await cluster.until("the service is stopped", 30_000, () => (server() === undefined ? true : undefined));
    await cluster.boot(others, () => membersAre(3, serving));
    await served(undefined, 40_000);
    expect(existsSync(`${beat}.conflict`)).toBe(false);
  }, 90_000);

  test("keeps the configuration over a full restart", async () => {
    await Promise.all(cluster.names.map((name) => cluster.hactl(name, "stop", "--timeout", "60")));
    await cluster.until("all daemons have ended", 20_000, () =>
      cluster.names.every((name) => cluster.processesOf(name).length === 0) ? true : undefined,
    );
    rmSync(beat, { force: true });
    cluster.startAll();
    await membersAre(3);
    await served(undefined);
    const { stdout } = await cluster.hactl("node3", "configure", "show");
    expect(stdout).toContain("primitive service");
  }, 90_000);
});
