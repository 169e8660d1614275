import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { chmodSync, copyFileSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { executable } from "../harness/local-cluster.ts";
import { Story } from "../harness/story.ts";

/** Bad input to a running cluster: a clear error or a counted drop, and the cluster is as it was before. */

let story: Story;
/** The configuration as it was loaded. */
let shown: string;

beforeAll(async () => {
  story = await Story.running({ nodes: 3 });
  await story.load(`property stonith-enabled=true
${story.power}
primitive fine ocf:pacemaker:Dummy op monitor interval=1s
location here fine 50: node1`);
  await story.idle();
  shown = await story.configuration();
}, 60_000);

afterAll(() => story?.close());

/** Nothing has changed, nobody was moved, fenced or lost. */
async function asBefore(since: number): Promise<void> {
  await story.membersAre(3);
  await story.idle();
  expect(story.where("fine")).toEqual(["node1"]);
  expect(await story.configuration()).toBe(shown);
  const upset = (await story.events(since)).filter((event) =>
    /^(?:NODE-LOST|PLAN|FENC|MEMBERSHIP)/.test(event),
  );
  expect(upset).toEqual([]);
}

/** Starts a daemon with a changed copy of node3's configuration; it must end by itself. */
async function daemon(
  change: (toml: string) => string,
  node = "node3",
): Promise<{ code: number; said: string }> {
  const config = join(story.directory, "changed.toml");
  const original = readFileSync(story.nodes.configOf("node3"), "utf8");
  const toml = change(original);
  if (toml === original) throw new Error("nothing was changed");
  writeFileSync(config, toml);
  // Directories of its own, or the running daemon's lock would be what it stumbles over.
  const other = toml.replaceAll(`${story.directory}/node3/`, `${story.directory}/other-`);
  writeFileSync(config, other);
  const child = Bun.spawn([executable, "start", "--node", node], {
    env: { ...process.env, HACTL_CONFIG: config, NO_COLOR: "1" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const timer = setTimeout(() => child.kill(), 10_000);
  const [code, out, err] = await Promise.all([
    child.exited,
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  clearTimeout(timer);
  return { code, said: out + err };
}

describe("a daemon does not start with", () => {
  const mistakes: readonly (readonly [
    what: string,
    change: (toml: string) => string,
    said: readonly RegExp[],
  ])[] = [
    [
      "an unknown option",
      (toml) => toml.replace('cluster_name = "local"', 'cluster_nam = "local"'),
      [/changed\.toml:2/, /cluster_nam\b/, /did you mean|cluster_name/i],
    ],
    [
      "a value of the wrong type",
      (toml) => toml.replace("token = 600", 'token = "fast"'),
      [/changed\.toml:3/, /token/],
    ],
    ["a file that is not TOML", (toml) => toml.replace("[quorum]", "[quorum"), [/changed\.toml:\d+/]],
    [
      "two nodes with the same id",
      (toml) => toml.replace("nodeid = 2", "nodeid = 1"),
      [/changed\.toml:\d+/, /nodeid|id 1/],
    ],
    [
      "an address that is not of this machine",
      (toml) => toml.replace("127.0.0.3", "192.0.2.3"),
      [/192\.0\.2\.3/],
    ],
    [
      "a missing key",
      (toml) => toml.replace(/keyfile = ".*"/, 'keyfile = "/nonexistent/authkey"'),
      [/nonexistent\/authkey/, /keygen/],
    ],
  ];
  test.each(mistakes)(
    "%s",
    async (_what, change, said) => {
      const since = Date.now();
      const ended = await daemon(change);
      for (const pattern of said) expect(ended.said).toMatch(pattern);
      expect(ended.code).toBeGreaterThan(0);
      expect(ended.code).toBeLessThan(128);
      await asBefore(since);
    },
    20_000,
  );

  test("a key that others can read", async () => {
    const since = Date.now();
    const key = join(story.directory, "open-key");
    copyFileSync(join(story.directory, "authkey"), key);
    chmodSync(key, 0o644);
    const ended = await daemon((toml) => toml.replace(/keyfile = ".*"/, `keyfile = ${JSON.stringify(key)}`));
    expect(ended.said).toContain(key);
    expect(ended.said).toMatch(/chmod|0?400|0?600/);
    expect(ended.code).toBeGreaterThan(0);
    await asBefore(since);
  }, 20_000);

  test("a port that is in use", async () => {
    const since = Date.now();
    // The running node3 has it.
    const ended = await daemon((toml) => `${toml}\n`);
    expect(ended.said).toMatch(/127\.0\.0\.3/);
    expect(ended.said).toMatch(/in use/);
    expect(ended.code).toBeGreaterThan(0);
    expect(ended.code).toBeLessThan(128);
    await asBefore(since);
  }, 20_000);
});

describe("a configuration is refused", () => {
  test("with every mistake of crm text, each with its line", async () => {
    const since = Date.now();
    const { code, stderr } = await story.refused(
      "lines.crm",
      "primitive good ocf:pacemaker:Dummy\nprimitve wrong ocf:pacemaker:Dummy\n\nlocaton l good 10: node1\n",
    );
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/lines\.crm:2/);
    expect(stderr).toMatch(/lines\.crm:4/);
    expect(stderr).toContain("primitive");
    await asBefore(since);
  });

  test("as XML that is cut off", async () => {
    const since = Date.now();
    const xml = await story.must("node1", "configure", "show", "xml");
    const { code, stderr } = await story.refused("cut.xml", xml.slice(0, xml.length / 2), "replace");
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/cut\.xml/);
    expect(stderr).toMatch(/\d+/);
    await asBefore(since);
  });

  test("that refers to what is not there", async () => {
    const since = Date.now();
    const text = await story.refused("refers.crm", "colocation together inf: fine absent\n");
    expect(text.code).not.toBe(0);
    expect(text.stderr).toContain("absent");
    const xml = (await story.must("node1", "configure", "show", "xml")).replace('rsc="fine"', 'rsc="absent"');
    expect(xml).toContain('rsc="absent"');
    const whole = await story.refused("refers.xml", xml, "replace");
    expect(whole.code).not.toBe(0);
    expect(whole.stderr).toContain("absent");
    await asBefore(since);
  });

  test("that is not text at all, empty, or not there", async () => {
    const since = Date.now();
    expect((await story.refused("random.crm", randomBytes(20_000))).code).not.toBe(0);
    expect((await story.refused("random.xml", randomBytes(20_000), "replace")).code).not.toBe(0);
    const { code, stderr } = await story.hactl("node1", "configure", "load", "update", "/nonexistent.crm");
    expect(code).not.toBe(0);
    expect(stderr).toContain("/nonexistent.crm");
    await asBefore(since);
  });
});

describe("on the cluster's port", () => {
  const port = () =>
    Number(/mcastport = (\d+)/.exec(readFileSync(story.nodes.configOf("node1"), "utf8"))?.[1]);

  /** Sends so that it is no flood, which would be left to the kernel (test/links/flood.test.ts). */
  const slowly = async (send: (i: number) => void): Promise<void> => {
    for (let i = 0; i < 500; i++) {
      send(i);
      if (i % 50 === 49) await Bun.sleep(100);
    }
  };

  test("packets of strangers are dropped and counted", async () => {
    const since = Date.now();
    const before = await story.drops("node1");
    const socket = await Bun.udpSocket({ hostname: "127.0.0.9" });
    await slowly((i) => {
      for (const node of [1, 2, 3]) socket.send(randomBytes(i * 3), port(), `127.0.0.${node}`);
    });
    await story.until("they are counted", 5000, async () => {
      const { "unlisted-address": now = 0 } = await story.drops("node1");
      return now - (before["unlisted-address"] ?? 0) > 100 ? true : undefined;
    });
    socket.close();
    await asBefore(since);
  }, 20_000);

  test("garbage from a listed address is dropped and counted", async () => {
    const since = Date.now();
    const before = await story.drops("node1");
    const socket = await Bun.udpSocket({ hostname: "127.0.0.2" });
    await slowly((i) => socket.send(randomBytes(i * 3), port(), "127.0.0.1"));
    await story.until("they are counted", 5000, async () => {
      const now = await story.drops("node1");
      const sum = (counters: Readonly<Record<string, number>>) =>
        Object.values(counters).reduce((total, count) => total + count, 0);
      return sum(now) - sum(before) > 100 ? true : undefined;
    });
    socket.close();
    await asBefore(since);
  }, 20_000);
});

test("a node with another key is not let in: its packets are dropped and counted on both sides", async () => {
  const toml = story.nodes.configOf("node3");
  const right = readFileSync(toml, "utf8");
  await story.must("node3", "stop", "--timeout", "30");
  const key = join(story.directory, "wrong-key");
  writeFileSync(key, randomBytes(256));
  chmodSync(key, 0o400);
  const since = Date.now();
  const before = await story.drops("node1");
  writeFileSync(toml, right.replace(/keyfile = ".*"/, `keyfile = ${JSON.stringify(key)}`));
  story.nodes.start("node3");
  const counted = await story.until("its packets are counted", 15_000, async () => {
    const now = await story.drops("node1");
    return Object.entries(now).find(
      ([why, count]) => /auth|key|seal/.test(why) && count - (before[why] ?? 0) > 3,
    );
  });
  expect(counted[0].length).toBeGreaterThan(0);
  await story.membersAre(2, "node1");
  expect(story.where("fine")).toEqual(["node1"]);
  expect(await story.events(since)).not.toContainEqual(expect.stringMatching(/FENC|PLAN/));
  story.nodes.kill("node3");
  writeFileSync(toml, right);
  rmSync(key);
  story.nodes.start("node3");
  await story.membersAre(3, "node1");
  expect(await story.configuration("node3")).toBe(shown);
}, 60_000);

test("a second daemon in the background is not taken for one that started; its own last words are told", async () => {
  const since = Date.now();
  const { code, stdout, stderr } = await story.nodes.hactl("node3", "start", "--daemon", "--node", "node3");
  expect(stdout).toBe("");
  expect(stderr).toContain("uses this directory");
  expect(code).toBe(1);
  await asBefore(since);
});
