import { afterEach, describe, expect, test } from "bun:test";
import { copyFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { RekeyReply } from "../../src/daemon/index.ts";
import { openUdp } from "../../src/platform/index.ts";
import { nodeId } from "../../src/terms/index.ts";
import { clusterKey, Seal } from "../../src/totem/index.ts";
import { RingCluster } from "../harness/ring-cluster.ts";

/**
 * Somebody on the ring's network: three nodes of four run, by real processes on loopback addresses, and he has the address of the
 * fourth, where their pings come.
 */
let close: () => Promise<void> | void = () => {};
afterEach(async () => {
  await close();
  close = () => {};
});

const running = ["node1", "node2", "node3"];
const address = (node: number) => `127.0.0.${node}`;
const keyOf = (ring: RingCluster, name: string) => join(ring.nodes.directory, `${name}.authkey`);
const broughtTo = (ring: RingCluster, name: string) => `${keyOf(ring, name)}.brought`;
const portOf = (ring: RingCluster) =>
  Number(/mcastport = (\d+)/.exec(readFileSync(ring.nodes.configOf("node1"), "utf8"))?.[1]);

async function ringOfThree(): Promise<RingCluster> {
  const ring = await RingCluster.make({ nodes: 4 });
  close = () => ring.close();
  for (const name of ring.names) {
    const shared = join(ring.nodes.directory, "authkey");
    copyFileSync(shared, keyOf(ring, name));
    const file = ring.nodes.configOf(name);
    const text = readFileSync(file, "utf8");
    writeFileSync(file, text.replace(JSON.stringify(shared), JSON.stringify(keyOf(ring, name))));
  }
  await ring.startAll(running);
  await ring.ring(running, 20_000);
  return ring;
}

const memberships = (ring: RingCluster) => running.map((name) => ring.client(name).memberships.length);
const keysOf = (ring: RingCluster, names = running) =>
  names.map((name) => readFileSync(keyOf(ring, name)).toString("hex"));

/** What comes to the address of the fourth node, as somebody with a copy of a key reads it. */
async function listener(ring: RingCluster) {
  const recorded: Uint8Array[] = [];
  const socket = await openUdp(address(4), portOf(ring), {
    datagram: (data) => recorded.push(data),
    error: () => {},
  });
  const readable = (key: Uint8Array) => {
    const peers = [1, 2, 3].map(nodeId);
    const seal = new Seal({
      self: nodeId(4),
      peers,
      salt: Buffer.alloc(8, 1),
      key: clusterKey(key, "local"),
    });
    // One second apart, since no more is looked at of what has not proved to be alive.
    return recorded.filter((data, at) => typeof seal.open(data, at * 1000) !== "string").length;
  };
  return { recorded, readable, close: () => socket.close() };
}

describe("a key that has leaked", () => {
  test("is of no use when the new one was brought to the nodes by hand, and nothing is interrupted", async () => {
    const ring = await ringOfThree();
    const old = readFileSync(keyOf(ring, "node1"));
    const next = crypto.getRandomValues(new Uint8Array(256));
    for (const name of ring.names) writeFileSync(broughtTo(ring, name), next, { mode: 0o400 });
    const before = memberships(ring);
    const ear = await listener(ring);
    const heard = (count: number) =>
      ring.nodes.until("pings", 10_000, () => (ear.recorded.length > count ? true : undefined));
    await heard(3);
    expect(ear.readable(old)).toBe(ear.recorded.length);
    const reply = await ring.client("node2").ask<RekeyReply>({ type: "rekey", brought: true });
    expect(reply).toMatchObject({ nodes: running, absent: ["node4"], brought: true });
    const hex = Buffer.from(next).toString("hex");
    expect(keysOf(ring)).toEqual(running.map(() => hex));
    for (const name of running) expect(existsSync(broughtTo(ring, name))).toBe(false);
    ear.recorded.length = 0;
    await heard(5);
    expect([ear.readable(old), ear.readable(next)]).toEqual([0, ear.recorded.length]);
    ear.close();
    expect(memberships(ring)).toEqual(before);
    // One that was not there has the key beside its own: it takes it when it hears the others.
    await ring.startAll(["node4"]);
    await ring.ring(ring.names, 20_000);
    await ring.nodes.until("node 4 has taken it", 10_000, () =>
      keysOf(ring, ["node4"])[0] === hex ? true : undefined,
    );
  }, 60_000);

  test("stays in use when a node has not the new one, and that node is named", async () => {
    const ring = await ringOfThree();
    const before = { keys: keysOf(ring), memberships: memberships(ring) };
    const ask = () => ring.client("node1").ask({ type: "rekey", brought: true });
    await expect(ask()).rejects.toThrow("there is no new key in");
    writeFileSync(broughtTo(ring, "node1"), Buffer.alloc(256, 1));
    await expect(ask()).rejects.toThrow("node2, node3: no new key");
    writeFileSync(broughtTo(ring, "node2"), Buffer.alloc(256, 1));
    writeFileSync(broughtTo(ring, "node3"), Buffer.alloc(256, 2));
    await expect(ask()).rejects.toThrow("node3: another key");
    copyFileSync(keyOf(ring, "node1"), broughtTo(ring, "node1"));
    await expect(ask()).rejects.toThrow("the one that the cluster uses");
    expect({ keys: keysOf(ring), memberships: memberships(ring) }).toEqual(before);
    // The other way still works, and the file that was brought counts for nothing.
    await ring.client("node1").ask({ type: "rekey" });
    expect(new Set(keysOf(ring)).size).toBe(1);
    expect(keysOf(ring)).not.toEqual(before.keys);
  }, 60_000);
});

describe("a flood of forged datagrams", () => {
  for (const kind of ["random", "known", "copied"])
    test(`costs no membership (${kind} headers)`, async () => {
      const ring = await ringOfThree();
      const before = memberships(ring);
      const sender = join(import.meta.dir, "../harness/flood-sender.ts");
      const places = [address(2), address(1), address(4)];
      const words = [kind, ...places, String(portOf(ring)), "100000", "5", "46"];
      const flood = Bun.spawn([process.execPath, sender, ...words], { stdout: "pipe", stderr: "inherit" });
      const { sent } = JSON.parse(await new Response(flood.stdout).text());
      expect(sent).toBeGreaterThan(10_000);
      const { core } = await ring.client("node1").status();
      const { counters, links } = core.links;
      expect(links.filter(({ node, downs }) => node !== 4 && downs > 0)).toEqual([]);
      expect(memberships(ring)).toEqual(before);
      // Without the key's stamp the kernel refuses them, but for those that showed that it is a flood.
      if (kind === "copied") expect(counters["drop:bad-tag"]).toBeLessThan(sent / 10);
      else {
        expect(counters.floods).toBeGreaterThan(0);
        expect(counters["drop:forged"]).toBeLessThan(sent / 2);
      }
      expect(running.map((name) => ring.client(name).members)).toEqual(["1 2 3", "1 2 3", "1 2 3"]);
    }, 60_000);
});
