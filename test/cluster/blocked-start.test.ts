import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { executable, LocalCluster } from "../harness/local-cluster.ts";

setDefaultTimeout(120_000);

/** A daemon is started while something is in the place of what it needs. */

let cluster: LocalCluster;
const run = () => join(cluster.directory, "node1", "run");

beforeAll(async () => {
  cluster = await LocalCluster.make({ nodes: 1 });
});
afterAll(() => cluster?.destroy());

/** Starts it beside what is in its run directory. */
const started = () =>
  Bun.spawn([executable, "start", "--node", "node1"], {
    env: { ...process.env, HACTL_CONFIG: cluster.configOf("node1") },
    stdio: ["ignore", "ignore", "pipe"],
  });

test("directories in the place of its sockets keep no daemon from starting, and are put aside", async () => {
  for (const name of ["admin", "ring", "executor"])
    mkdirSync(join(run(), `${name}.sock`, "x"), { recursive: true });
  const daemon = started();
  await cluster.joined();
  expect((await cluster.hactl("node1", "stop")).code).toBe(0);
  expect(await daemon.exited).toBe(0);
  expect(existsSync(join(run(), "ring.sock.found", "x"))).toBe(true);
});

test("nothing is put aside where a file is configured for its directory", async () => {
  rmSync(run(), { recursive: true, force: true });
  writeFileSync(run(), "somebody's");
  const daemon = started();
  expect(await daemon.exited).toBe(78);
  expect(await new Response(daemon.stderr).text()).toContain("is not a directory");
  expect(readFileSync(run(), "utf8")).toBe("somebody's");
});

test("what cannot be made ends it with the reason", async () => {
  rmSync(run(), { recursive: true, force: true });
  writeFileSync(run(), "");
  const config = cluster.configOf("node1");
  const text = readFileSync(config, "utf8");
  writeFileSync(config, text.replace(/^run_dir = .*$/m, `run_dir = "${run()}/deeper"`));
  const daemon = started();
  expect(await daemon.exited).not.toBe(0);
  expect(await new Response(daemon.stderr).text()).toContain(`${run()}/deeper`);
});
