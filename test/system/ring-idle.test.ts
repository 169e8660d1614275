import { afterEach, expect, test } from "bun:test";
import { RingCluster, usage } from "../harness/ring-cluster.ts";

/** What an idle ring costs. Needs root, for locked memory and real-time priority. */
let ring: RingCluster | undefined;
afterEach(() => ring?.close());

test("the ring process stays below 60 MB, all of it locked, when the start is over", async () => {
  ring = await RingCluster.make({ nodes: 2, system: ["sched_rr = true", "lock_memory = true"] });
  await ring.startAll();
  await ring.ring(ring.names, 20_000);
  const began = usage(ring.pid("node1")).rssMb;
  const trimmed = () =>
    ring?.names.every((name) => usage(ring?.pid(name) ?? 0).rssMb < began - 4) || undefined;
  await ring.nodes.until("memory of the start given back", 20_000, trimmed);
  await Bun.sleep(1_000);
  for (const name of ring.names) {
    const { memory, warnings } = await ring.client(name).status();
    expect({ memory, warnings }).toEqual({ memory: "locked", warnings: [] });
    expect(usage(ring.pid(name)).rssMb).toBeLessThan(60);
  }
}, 60_000);
