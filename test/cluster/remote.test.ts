import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { executable, freePort } from "../harness/local-cluster.ts";
import { Story } from "../harness/story.ts";

/** A cluster of two and a host that only executes: `hactl remote`, a real process on an address of its own. */

const address = "127.0.0.9";
const port = freePort();
let story: Story;
let config: string;
let remote: Bun.Subprocess | undefined;

beforeAll(async () => {
  story = await Story.running({ nodes: 2, quorum: ["two_node = true"] });
  for (const part of ["state", "run"]) mkdirSync(join(story.directory, "far", part), { recursive: true });
  config = join(story.directory, "far", "hactl.toml");
  const toml = readFileSync(story.nodes.configOf("node1"), "utf8");
  writeFileSync(config, toml.replaceAll(`${story.directory}/node1/`, `${story.directory}/far/`));
  writeFileSync(join(story.directory, "pids", "far.pid"), `environ HACTL_CONFIG=${config}\n`);
  writeFileSync(
    join(story.directory, "pids", "far.off"),
    `#!/bin/sh\nrm -rf ${story.directory}/far/run/rsctmp\n`,
    {
      mode: 0o755,
    },
  );
  const words = ["--remote", "--node", "far", "--from", story.nodes.remoteKey, "-k", ownKey()];
  await story.must("node1", "keygen", ...words);
  startRemote();
}, 60_000);

afterAll(() => {
  remote?.kill("SIGKILL");
  story?.close();
});

/** The key that is good for this host alone, and tells it who it is. */
const ownKey = () => join(story.directory, "far", "authkey");

function startRemote(): void {
  const key = ownKey();
  const words = ["remote", "--listen", address, "--port", String(port), "--keyfile", key];
  remote = Bun.spawn([executable, ...words], {
    env: { ...process.env, HACTL_CONFIG: config },
    stdio: ["ignore", "ignore", Bun.file(join(story.directory, "far", "stderr"))],
  });
}

const state = (rsc: string) => join(story.directory, "far", "run", "rsctmp", `Dummy-${rsc}.state`);
const isFar = (rsc: string) => existsSync(state(rsc));

const far = (rsc: string, ms = 20_000) =>
  story.until(`${rsc} runs on the remote host`, ms, () => (isFar(rsc) ? true : undefined));

describe("a remote host", () => {
  test("runs resources of the cluster", async () => {
    await story.load(`property stonith-enabled=true
${story.power} pcmk_host_list="node1 node2 far" pcmk_host_check=static-list
primitive far ocf:pacemaker:remote params server=${address} port=${port} reconnect_interval=1s op monitor interval=1s timeout=15s
primitive Remote-rsc1 ocf:pacemaker:Dummy op monitor interval=500ms
primitive Host-rsc1 ocf:pacemaker:Dummy op monitor interval=5s
location loc1 Remote-rsc1 rule 200: #uname eq far
location loc2 Host-rsc1 rule 200: #uname eq node1
location loc3 far 100: node1`);
    await far("Remote-rsc1");
    await story.idle();
    expect(story.where("Host-rsc1")).toEqual(["node1"]);
    expect(story.where("Remote-rsc1")).toEqual([]);
    const { stdout } = await story.hactl("node2", "status");
    expect(stdout).toContain("far");
  }, 40_000);

  test("is not taken for off on somebody's word while it is connected", async () => {
    const { code, stderr } = await story.hactl("node1", "fence", "confirm", "far", "--yes");
    expect([code, stderr]).toEqual([107, expect.stringContaining("far takes part in the cluster")]);
  });

  test("has its tools refused what the cluster does not understand", async () => {
    const words = ["attrd_updater", "-n", "standby", "-U", "maybe"];
    const { code, stderr } = await story.hactl("far", ...words);
    expect([code, stderr]).toEqual([
      78,
      expect.stringMatching(/standby="maybe" is not valid[\s\S]*write true or false/),
    ]);
  });

  test("logs by what its configuration says when it is told to read it again", async () => {
    const log = join(story.directory, "far", "reloaded.log");
    const text = readFileSync(config, "utf8");
    writeFileSync(config, text.replace(/^logfile = .*$/m, `logfile = ${JSON.stringify(log)}`));
    remote?.kill("SIGHUP");
    await story.until("it logs there", 10_000, () =>
      existsSync(log) && readFileSync(log, "utf8").includes("[RELOADED]") ? true : undefined,
    );
    // A mistake changes nothing, and ends nothing.
    writeFileSync(config, "[logging\n");
    remote?.kill("SIGHUP");
    await story.until("it tells the mistake there", 10_000, () =>
      readFileSync(log, "utf8").includes("nothing was changed") ? true : undefined,
    );
    writeFileSync(config, text);
    expect(isFar("Remote-rsc1")).toBe(true);
  }, 40_000);

  test("asks the agents there what they can take over, and reloads it", async () => {
    const born = () => statSync(state("Remote-rsc1")).ino;
    const before = born();
    await story.until("the agent has said what it can", 20_000, async () =>
      (await story.must("node1", "cibadmin", "--query")).match(
        /<lrm_resource id="Remote-rsc1"[\s\S]*?op-restart-digest=/,
      )
        ? true
        : undefined,
    );
    await story.load("primitive Remote-rsc1 ocf:pacemaker:Dummy params fake=2 op monitor interval=500ms");
    await story.idle();
    expect(born()).toBe(before);
    const done = await Promise.all(["node1", "node2"].map((name) => story.must(name, "history", "--json")));
    expect(done.join("")).toContain("Reload Remote-rsc1");
  }, 40_000);

  test("has a failed resource recovered there", async () => {
    const since = Date.now();
    rmSync(state("Remote-rsc1"));
    await far("Remote-rsc1");
    await story.idle();
    expect((await story.plans(since)).join("\n")).toMatch(/Recover Remote-rsc1/);
    expect(isFar("Remote-rsc1")).toBe(true);
  }, 30_000);

  test("goes on when its connection moves to another node", async () => {
    const since = Date.now();
    await story.must("node2", "node", "standby", "node1", "--wait");
    expect(isFar("Remote-rsc1")).toBe(true);
    expect((await story.plans(since)).join("\n")).not.toMatch(/(?:Stop|Move|Recover|Restart) Remote-rsc1/);
    await story.must("node2", "node", "online", "node1", "--wait");
    expect(isFar("Remote-rsc1")).toBe(true);
    expect(await story.events(since)).not.toContainEqual(expect.stringMatching(/FENC/));
  }, 30_000);

  test("is kept where it is when its address is changed to a wrong one, and that is told", async () => {
    const since = Date.now();
    const server = (value: string) =>
      story.must("node1", "crm_resource", "-r", "far", "-p", "server", "-v", value);
    const remark = "it stays connected at";
    await server("127.0.0.10");
    await story.until("the node that is connected tells it", 30_000, async () =>
      (await story.must("node1", "status")).includes(remark) ? true : undefined,
    );
    expect(isFar("Remote-rsc1")).toBe(true);
    await story.idle();
    // The other node has never been connected.
    await story.must("node1", "crm_resource", "-M", "-r", "far", "-N", "node2");
    await story.until("the other node tells it", 30_000, async () =>
      (await story.must("node2", "status")).includes(remark) ? true : undefined,
    );
    await story.idle();
    expect(isFar("Remote-rsc1")).toBe(true);
    await story.must("node1", "crm_resource", "--clear", "-r", "far");
    await story.until("it is back", 30_000, async () =>
      (await story.must("node1", "crm_resource", "-W", "-r", "far")).includes("node1") ? true : undefined,
    );
    await story.idle();
    expect(isFar("Remote-rsc1")).toBe(true);
    await server(address);
    await story.until("it is where it is configured to be", 30_000, async () =>
      (await story.must("node1", "status")).includes(remark) ? undefined : true,
    );
    await story.idle();
    expect(isFar("Remote-rsc1")).toBe(true);
    expect(await story.events(since)).not.toContainEqual(expect.stringMatching(/FENC/));
  }, 90_000);

  test("is fenced when its process dies, its resource runs on; and it is taken back", async () => {
    const since = Date.now();
    remote?.kill("SIGKILL");
    await story.event(/^NODE-FENCED node far/, since);
    await story.until("the resource runs on a member", 20_000, () =>
      story.where("Remote-rsc1").length === 1 && !isFar("Remote-rsc1") ? true : undefined,
    );
    startRemote();
    await far("Remote-rsc1", 40_000);
    await story.idle();
    expect(story.where("Remote-rsc1")).toEqual([]);
  }, 90_000);

  test("is drained at SIGTERM", async () => {
    const since = Date.now();
    remote?.kill("SIGTERM");
    const ended = await Promise.race([remote?.exited, Bun.sleep(20_000).then(() => -1)]);
    expect(ended).toBe(0);
    await story.idle();
    expect(isFar("Remote-rsc1")).toBe(false);
    expect(story.where("Remote-rsc1")).toHaveLength(1);
    expect(await story.events(since)).not.toContainEqual(expect.stringMatching(/FENC/));
  }, 40_000);

  test("is forgotten when its connection resource is deleted", async () => {
    const cib = () => story.must("node1", "cibadmin", "--query");
    expect(await cib()).toMatch(/<node_state id="far"/);
    await story.must("node1", "configure", "delete", "--force", "loc1", "loc3", "far");
    await story.until("nothing is left of it", 20_000, async () =>
      /"far"/.test(await cib()) ? undefined : true,
    );
    expect((await story.hactl("node1", "crm_node", "--force", "--remove", "far")).code).toBe(0);
    expect((await story.hactl("node1", "node", "remove", "far")).code).toBe(105);
  }, 40_000);
});
