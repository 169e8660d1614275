import { afterAll, beforeAll, expect, test } from "bun:test";
import { RingCluster } from "../harness/ring-cluster.ts";

/** Sixteen real ring processes in network namespaces. Needs root. */
const tokenMs = 1000 + 14 * 100;
const consensusMs = tokenMs * 1.2;
let ring: RingCluster;
let formedMs = 0;

beforeAll(async () => {
  ring = await RingCluster.make({
    nodes: 16,
    wire: true,
    totem: ["token_coefficient = 100"],
    system: ["sched_rr = true"],
  });
  await ring.startAll();
  const begun = performance.now();
  formedMs = (await ring.ring(ring.names, 30_000)) - begun;
}, 60_000);
afterAll(async () => ring.close(), 30_000);

test("sixteen nodes that run form one ring in less than three seconds", () => {
  console.log(`16 nodes: one ring ${formedMs.toFixed(0)} ms after the last process was there`);
  expect(formedMs).toBeLessThan(3_000);
});

test("the others form a ring after token, consensus and half a second when one dies", async () => {
  const begun = performance.now();
  await ring.kill("node7");
  const rest = ring.names.filter((name) => name !== "node7");
  const took = (await ring.ring(rest, 30_000)) - begun;
  console.log(`15 of 16 nodes: ring after ${took.toFixed(0)} ms, token ${tokenMs}, consensus ${consensusMs}`);
  await ring.startAll(["node7"]);
  await ring.ring(ring.names, 30_000);
  expect(took).toBeLessThan(tokenMs + consensusMs + 500);
}, 60_000);

test("two halves form rings of their own without quorum, and one ring when the network is whole again", async () => {
  const half = [1, 2, 3, 4, 5, 6, 7, 8];
  await ring.wire.partition(half);
  const low = ring.names.slice(0, 8);
  const high = ring.names.slice(8);
  await Promise.all([ring.ring(low, 30_000), ring.ring(high, 30_000)]);
  for (const name of ring.names) expect(ring.client(name).memberships.at(-1)?.membership.quorate).toBe(false);
  const begun = performance.now();
  await ring.wire.heal();
  const took = (await ring.ring(ring.names, 30_000)) - begun;
  console.log(`8 + 8 nodes: one ring ${took.toFixed(0)} ms after the network was whole`);
  expect(took).toBeLessThan(tokenMs + consensusMs);
  expect(ring.client("node1").memberships.at(-1)?.membership.quorate).toBe(true);
}, 60_000);
