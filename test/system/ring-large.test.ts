import { afterAll, beforeAll, expect, test } from "bun:test";
import { RingCluster } from "../harness/ring-cluster.ts";

/** Sixteen real ring processes in network namespaces. Needs root. What it takes is measured by test/bench/ring.ts. */
let ring: RingCluster;

beforeAll(async () => {
  ring = await RingCluster.make({
    nodes: 16,
    wire: true,
    totem: ["token_coefficient = 100"],
    system: ["sched_rr = true"],
  });
  await ring.startAll();
}, 60_000);
afterAll(async () => ring.close(), 30_000);

test("sixteen nodes form one ring", async () => {
  await ring.ring(ring.names, 30_000);
  for (const name of ring.names) expect(ring.client(name).memberships.at(-1)?.membership.quorate).toBe(true);
}, 60_000);

test("the others form a ring at once when one dies", async () => {
  const { memberships } = ring.client("node1");
  const before = memberships.length;
  await ring.kill("node7");
  const rest = ring.names.filter((name) => name !== "node7");
  await ring.ring(rest, 30_000);
  const sizes = memberships.slice(before).map(({ membership }) => membership.members.length);
  expect(new Set(sizes)).toEqual(new Set([15]));
  await ring.startAll(["node7"]);
  await ring.ring(ring.names, 30_000);
}, 60_000);

test("two halves form rings of their own without quorum, and one ring when the network is whole again", async () => {
  const half = [1, 2, 3, 4, 5, 6, 7, 8];
  await ring.wire.partition(half);
  const low = ring.names.slice(0, 8);
  const high = ring.names.slice(8);
  await Promise.all([ring.ring(low, 30_000), ring.ring(high, 30_000)]);
  for (const name of ring.names) expect(ring.client(name).memberships.at(-1)?.membership.quorate).toBe(false);
  await ring.wire.heal();
  await ring.ring(ring.names, 30_000);
  expect(ring.client("node1").memberships.at(-1)?.membership.quorate).toBe(true);
}, 60_000);
