/** What [logging] says is in force after a reload in all processes of a node, and agents are told of it. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { LocalCluster } from "../harness/local-cluster.ts";

let cluster: LocalCluster;

beforeAll(async () => {
  cluster = await LocalCluster.make({ nodes: 2, tokenMs: 600 });
  cluster.startAll();
  await cluster.joined();
}, 60_000);

afterAll(() => cluster?.destroy());

const elsewhere = () => join(cluster.directory, "node1", "elsewhere.log");
const read = (path: string) => (existsSync(path) ? readFileSync(path, "utf8") : "");
const pids = () =>
  new Map(
    ["hactl", "hactl-manager", "hactl-executor"].map((tag) => [
      tag,
      new RegExp(` ${tag}\\[(\\d+)\\]`).exec(cluster.logOf("node1"))?.[1],
    ]),
  );

/** Gives node1 another [logging], and answers what its reload says. */
async function reload(
  change: (text: string) => string,
): Promise<{ applied: string[]; restart: string[]; waitsFor: string[] }> {
  const file = cluster.configOf("node1");
  writeFileSync(file, change(readFileSync(file, "utf8")));
  const { code, stdout, stderr } = await cluster.hactl("node1", "reload", "--json");
  expect([code, stderr]).toEqual([0, ""]);
  return JSON.parse(stdout);
}

test("levels and files follow at once, on this node alone", async () => {
  expect([...pids().values()].every((pid) => pid !== undefined)).toBe(true);
  const before = pids();
  const reply = await reload((text) =>
    text
      .replace("[logging]\n", `[logging]\ndebug = "trace"\nlogfile = ${JSON.stringify(elsewhere())}\n`)
      .replace(/^logfile = .*\/log"$/m, ""),
  );
  expect([...reply.applied].sort()).toEqual(["logging.debug", "logging.logfile"]);
  expect([reply.restart, reply.waitsFor]).toEqual([[], []]);
  const log = await cluster.until("all processes log there", 20_000, async () => {
    const text = read(elsewhere());
    return [...before].every(([tag, pid]) => text.includes(` ${tag}[${pid}]: `)) ? text : undefined;
  });
  // The same processes, and what nobody asked for before.
  expect(log).toMatch(/: (?:debug|trace): /);
  expect(cluster.logOf("node2")).not.toMatch(/: (?:debug|trace): /);
}, 60_000);

test("agents that begin from then on are told of the file", async () => {
  const told = join(cluster.directory, "told");
  await cluster.hactl("node1", "property", "stonith-enabled=false");
  const { code } = await cluster.hactl(
    "node1",
    "configure",
    "primitive",
    "b",
    "ocf:pacemaker:Dummy",
    "params",
    `envfile=${told}`,
  );
  expect(code).toBe(0);
  await cluster.hactl("node1", "wait", "--timeout", "30");
  expect(read(told)).toContain(`HA_logfile=${elsewhere()}`);
}, 60_000);

test("nothing is written any more where it is switched off", async () => {
  await reload((text) => text.replace("to_logfile = true", "to_logfile = false"));
  await Bun.sleep(500);
  const before = read(elsewhere()).length;
  await cluster.hactl("node1", "property", "batch-limit=7");
  await cluster.hactl("node1", "wait", "--timeout", "30");
  expect(read(elsewhere()).length).toBe(before);
}, 60_000);

test("a file that cannot be written is told with its path and what to do, and the services go on", async () => {
  const file = cluster.configOf("node1");
  const before = readFileSync(file, "utf8");
  const pipe = join(cluster.directory, "node1", "pipe");
  expect(Bun.spawnSync(["mkfifo", pipe]).success).toBe(true);
  for (const [path, why] of [
    [cluster.directory, "is a directory"],
    [pipe, "is a pipe or a device"],
    [join(cluster.directory, "no", "log"), "is in no directory that is there"],
    ["/dev/full", undefined],
  ] as const) {
    const lines = before.split("\n").filter((line) => !/^(?:to_)?logfile = /.test(line));
    writeFileSync(
      file,
      lines
        .join("\n")
        .replace("[logging]\n", `[logging]\nto_logfile = true\nlogfile = ${JSON.stringify(path)}\n`),
    );
    const { code, stderr } = await cluster.hactl("node1", "reload");
    const checked = await cluster.hactl("node1", "config", "check", file);
    expect([code, checked.code]).toEqual([0, 0]);
    // What a device takes is known when something is written to it.
    if (why !== undefined) {
      expect(stderr).toContain(`warning: logfile ${path} ${why}`);
      expect(checked.stdout).toContain(`logfile ${path} ${why}`);
    }
    expect((await cluster.hactl("node1", "node", "standby", "node2")).code).toBe(0);
    expect((await cluster.hactl("node1", "node", "online", "node2")).code).toBe(0);
    const { stdout } = await cluster.hactl("node1", "status");
    expect(stdout.replaceAll(/\s+/g, " ")).toContain(`nothing is written to the log file ${path}: `);
  }
  writeFileSync(file, before);
  expect((await cluster.hactl("node1", "reload")).code).toBe(0);
  expect((await cluster.hactl("node1", "status")).stdout).not.toContain("nothing is written");
  // Nor does it keep the node from ending, and from starting again.
  expect((await cluster.hactl("node1", "stop", "--timeout", "30")).code).toBe(0);
  cluster.start("node1");
  await cluster.joined();
}, 60_000);
