import { afterEach, expect, test } from "bun:test";
import { copyFileSync, existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { RekeyReply, ReloadReply } from "../../src/daemon/index.ts";
import { LocalCluster } from "../harness/local-cluster.ts";
import { RingCluster } from "../harness/ring-cluster.ts";

/** Changes of a ring that runs, by real processes on loopback addresses. */
let close: () => Promise<void> | void = () => {};
afterEach(async () => {
  await close();
  close = () => {};
});

function edit(nodes: LocalCluster, name: string, change: (text: string) => string): void {
  const file = nodes.configOf(name);
  writeFileSync(file, change(readFileSync(file, "utf8")));
}

const keyOf = (nodes: LocalCluster, name: string) => join(nodes.directory, `${name}.authkey`);

/** Each node has a key file of its own, as machines do. */
function ownKeys(nodes: LocalCluster): void {
  for (const name of nodes.names) {
    const shared = join(nodes.directory, "authkey");
    copyFileSync(shared, keyOf(nodes, name));
    edit(nodes, name, (text) => text.replace(JSON.stringify(shared), JSON.stringify(keyOf(nodes, name))));
  }
}

async function ringOf(count: number, running = count): Promise<RingCluster> {
  const ring = await RingCluster.make({ nodes: count });
  close = () => ring.close();
  ownKeys(ring.nodes);
  const names = ring.names.slice(0, running);
  await ring.startAll(names);
  await ring.ring(names, 20_000);
  return ring;
}

/** Keeps messages on their way through the ring. The answer stops it and says whether all came, in one order. */
function traffic(ring: RingCluster, names: readonly string[]): () => Promise<number> {
  const heard = names.map((name) => {
    const lines: string[] = [];
    ring.client(name).onDeliver = (from, payload) => lines.push(`${from} ${Buffer.from(payload)}`);
    return lines;
  });
  let sent = 0;
  const timer = setInterval(() => {
    for (const name of names) ring.client(name).send(Buffer.from(`${sent++}`));
  }, 5);
  return async () => {
    clearInterval(timer);
    await ring.nodes.until("all messages", 10_000, () =>
      heard.every(({ length }) => length >= sent) ? true : undefined,
    );
    for (const lines of heard) expect(lines).toEqual(heard[0] ?? []);
    expect(heard[0]?.length).toBe(sent);
    return sent;
  };
}

const memberships = (ring: RingCluster, names: readonly string[]) =>
  names.map((name) => ring.client(name).memberships.length);

test("the key changes under load without a membership change or a lost message, again and again", async () => {
  const ring = await ringOf(3);
  const before = memberships(ring, ring.names);
  const old = readFileSync(keyOf(ring.nodes, "node1"));
  const finish = traffic(ring, ring.names);
  let digest = "";
  for (const name of ring.names) {
    const reply = await ring.client(name).ask<RekeyReply>({ type: "rekey" });
    expect(reply).toMatchObject({ nodes: [...ring.names], absent: [] });
    expect(reply.digest).not.toBe(digest);
    digest = reply.digest;
  }
  expect(await finish()).toBeGreaterThan(20);
  expect(memberships(ring, ring.names)).toEqual(before);
  const keys = ring.names.map((name) => readFileSync(keyOf(ring.nodes, name)).toString("hex"));
  expect(new Set(keys).size).toBe(1);
  expect(keys[0]).not.toBe(old.toString("hex"));
  expect(statSync(keyOf(ring.nodes, "node1")).mode & 0o777).toBe(0o400);
  expect(existsSync(`${keyOf(ring.nodes, "node1")}.old`)).toBe(true);
  expect(existsSync(`${keyOf(ring.nodes, "node1")}.new`)).toBe(false);
}, 60_000);

test("who asks for a new key while another change is under way gets one of its own after it", async () => {
  const ring = await ringOf(3);
  const finish = traffic(ring, ring.names);
  const replies = await Promise.all(
    [...ring.names, ...ring.names].map((name) => ring.client(name).ask<RekeyReply>({ type: "rekey" })),
  );
  await finish();
  const digests = replies.map(({ digest }) => digest);
  expect(new Set(digests).size).toBe(digests.length);
  const [key] = ring.names.map((name) => readFileSync(keyOf(ring.nodes, name)).toString("hex"));
  for (const name of ring.names)
    expect(readFileSync(keyOf(ring.nodes, name)).toString("hex")).toBe(key ?? "");
}, 60_000);

test("a node that was away is named, stays out with the old key, and joins with the new one", async () => {
  const ring = await ringOf(3, 2);
  const pair = ["node1", "node2"];
  const reply = await ring.client("node1").ask<RekeyReply>({ type: "rekey" });
  expect(reply).toMatchObject({ nodes: pair, absent: ["node3"] });
  await ring.startAll(["node3"]);
  await ring.nodes.until("node 3 is alone", 10_000, () =>
    ring.client("node3").members === "3" ? true : undefined,
  );
  await Bun.sleep(1_000);
  expect(ring.client("node1").members).toBe("1 2");
  const { counters } = (await ring.client("node1").status()).core.links;
  expect(counters["drop:unknown-key"]).toBeGreaterThan(0);
  await ring.kill("node3");
  writeFileSync(`${keyOf(ring.nodes, "node3")}.copy`, readFileSync(reply.keyFile), { mode: 0o400 });
  edit(ring.nodes, "node3", (text) => text.replace("node3.authkey", "node3.authkey.copy"));
  await ring.startAll(["node3"]);
  await ring.ring(ring.names, 10_000);
}, 60_000);

test("a part without quorum does not change the key", async () => {
  const ring = await ringOf(3, 1);
  await expect(ring.client("node1").ask({ type: "rekey" })).rejects.toThrow("no quorum");
}, 30_000);

test("timeouts change on all nodes at once, and only when all have read the same", async () => {
  const ring = await ringOf(3);
  const before = memberships(ring, ring.names);
  const finish = traffic(ring, ring.names);
  const reload = (name: string) => {
    edit(ring.nodes, name, (text) => text.replace("token = 1000", "token = 3000"));
    return ring.client(name).ask<ReloadReply>({ type: "reload" });
  };
  expect((await reload("node1")).waitsFor).toEqual(["node2", "node3"]);
  expect((await reload("node2")).waitsFor).toEqual(["node3"]);
  expect((await reload("node3")).waitsFor).toEqual([]);
  expect((await ring.client("node1").status()).core.changeWaitsFor).toEqual([]);
  await finish();
  // The change itself is told as a membership of the same ring; nobody came or went.
  const rings = ring.client("node1").memberships.slice((before[0] ?? 1) - 1);
  expect(new Set(rings.map(({ membership }) => membership.ringId.sequence)).size).toBe(1);
}, 60_000);

test("a mistake in the file changes nothing", async () => {
  const ring = await ringOf(2);
  edit(ring.nodes, "node1", (text) => text.replace("token = 1000", "token = 'soon'"));
  await expect(ring.client("node1").ask({ type: "reload" })).rejects.toThrow("token");
  const taken = await Bun.udpSocket({ hostname: "127.0.0.1", port: 0 });
  edit(ring.nodes, "node1", (text) =>
    text.replace("token = 'soon'", "token = 1000").replace(/mcastport = \d+/, `mcastport = ${taken.port}`),
  );
  await expect(ring.client("node1").ask({ type: "reload" })).rejects.toThrow("in use");
  taken.close();
  expect((await ring.client("node1").status()).core.changeWaitsFor).toEqual([]);
  expect(ring.client("node1").members).toBe("1 2");
}, 30_000);

test("a node is added and removed, and an address changes, while the others run", async () => {
  const ring = await RingCluster.make({ nodes: 3 });
  close = () => ring.close();
  const third = (text: string) => text.slice(text.lastIndexOf("[[nodelist.node]]"), text.indexOf("[quorum]"));
  const block = third(readFileSync(ring.nodes.configOf("node1"), "utf8"));
  const pair = ["node1", "node2"];
  for (const name of pair) edit(ring.nodes, name, (text) => text.replace(block, ""));
  await ring.startAll(pair);
  await ring.ring(pair, 20_000);
  for (const name of pair) edit(ring.nodes, name, (text) => text.replace("[quorum]", `${block}[quorum]`));
  await Promise.all(pair.map((name) => ring.client(name).ask({ type: "reload" })));
  await ring.startAll(["node3"]);
  await ring.ring(ring.names, 10_000);

  for (const name of ring.names)
    edit(ring.nodes, name, (text) => text.replace('"127.0.0.2"', '"127.0.0.22"'));
  const before = memberships(ring, ring.names);
  await Promise.all(ring.names.map((name) => ring.client(name).ask({ type: "reload" })));
  await ring.nodes.until("links to the new address", 5_000, async () => {
    const { links } = (await ring.client("node1").status()).core.links;
    return links.some(({ address, up }) => address === "127.0.0.22" && up) ? true : undefined;
  });
  await Bun.sleep(1_500);
  expect(ring.client("node1").members).toBe("1 2 3");
  expect(memberships(ring, ring.names).map((count, at) => count - (before[at] ?? 0))).toEqual([1, 1, 1]);

  await ring.kill("node3");
  await ring.ring(pair, 10_000);
  for (const name of pair) edit(ring.nodes, name, (text) => text.replace(third(text), ""));
  await Promise.all(pair.map((name) => ring.client(name).ask({ type: "reload" })));
  const { names, core } = await ring.client("node1").status();
  expect(Object.values(names)).toEqual(pair);
  expect(core.links.links.map(({ node }) => Number(node))).toEqual([2]);
  expect(core.quorum.expectedVotes).toBe(2);
}, 60_000);

test("a second link comes, carries the ring by another link_mode, and goes, while messages are on their way", async () => {
  const ring = await RingCluster.make({ nodes: 3, links: 2 });
  close = () => ring.close();
  const whole = new Map(ring.names.map((name) => [name, readFileSync(ring.nodes.configOf(name), "utf8")]));
  const single = (text: string) =>
    text
      .replace(/\[\[totem\.interface\]\]\nlinknumber = 1\nmcastport = \d+\n/, "")
      .replaceAll(/ring1_addr = .*\n/g, "");
  for (const name of ring.names) edit(ring.nodes, name, single);
  await ring.startAll();
  await ring.ring(ring.names, 20_000);
  const before = memberships(ring, ring.names);
  const finish = traffic(ring, ring.names);
  const links = async () => (await ring.client("node1").status()).core.links.links;
  const reload = async (change: (text: string) => string) => {
    for (const name of ring.names) edit(ring.nodes, name, change);
    const all = ring.names.map((name) => ring.client(name).ask<ReloadReply>({ type: "reload" }));
    expect((await Promise.all(all)).at(-1)?.waitsFor).toEqual([]);
  };
  expect((await links()).map(({ link }) => link)).toEqual([0, 0]);

  for (const name of ring.names) writeFileSync(ring.nodes.configOf(name), whole.get(name) ?? "");
  await reload((text) => text.replace("[totem]\n", '[totem]\nlink_mode = "active"\n'));
  await ring.nodes.until("both links are up", 5_000, async () => {
    const all = await links();
    return all.length === 4 && all.every(({ up }) => up) ? true : undefined;
  });
  await Bun.sleep(500);
  // In active mode every datagram comes twice; the second is a replay.
  const { counters } = (await ring.client("node1").status()).core.links;
  expect(counters["drop:replay"]).toBeGreaterThan(100);

  await reload(single);
  expect((await links()).map(({ link }) => link)).toEqual([0, 0]);
  await finish();
  const rings = ring.client("node1").memberships.slice((before[0] ?? 1) - 1);
  expect(new Set(rings.map(({ membership }) => membership.ringId.sequence)).size).toBe(1);
}, 60_000);

test("hactl reload adds a node to a cluster that runs, and hactl ring rekey changes the key of all three", async () => {
  const nodes = await LocalCluster.make({ nodes: 3 });
  close = () => nodes.destroy();
  ownKeys(nodes);
  const whole = readFileSync(nodes.configOf("node1"), "utf8");
  const block = whole.slice(whole.lastIndexOf("[[nodelist.node]]"), whole.indexOf("[quorum]"));
  const pair = ["node1", "node2"];
  for (const name of pair) edit(nodes, name, (text) => text.replace(block, ""));
  const shows = (wanted: RegExp) => async () => {
    const { code, stdout } = await nodes.hactl("node1", "node", "show");
    return code === 0 && wanted.test(stdout) ? true : undefined;
  };
  for (const name of pair) nodes.start(name);
  await nodes.until("two nodes take part", 20_000, shows(/node1 online.*node2 online/s));
  for (const name of pair) edit(nodes, name, (text) => text.replace("[quorum]", `${block}[quorum]`));
  const first = await nodes.hactl("node1", "reload");
  expect(first.stderr).toContain("run 'hactl reload' on node2");
  const second = await nodes.hactl("node2", "reload");
  expect(second).toMatchObject({ code: 0 });
  expect(second.stderr).not.toContain("run 'hactl reload'");
  nodes.start("node3");
  await nodes.until("the third takes part", 20_000, shows(/node3 online/));
  const rekey = await nodes.hactl("node3", "ring", "rekey");
  expect(rekey).toMatchObject({ code: 0, stderr: expect.stringContaining("'hactl ring rekey --brought'") });
  expect(rekey.stdout).toContain("3 nodes use the new key: node1, node2, node3.");
  expect(new Set(nodes.names.map((name) => readFileSync(keyOf(nodes, name), "hex"))).size).toBe(1);
}, 90_000);
