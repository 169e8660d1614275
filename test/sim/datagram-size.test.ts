import { expect, setDefaultTimeout, test } from "bun:test";
import { CALM, SimCluster } from "./cluster.ts";

// Virtual time, but real work: a busy machine may need longer.
setDefaultTimeout(60_000);

/** IPv6 and UDP. */
const HEADERS = 48;

for (const netmtu of [600, 1500, 9000]) {
  test(`datagrams fill netmtu = ${netmtu} and go no further`, () => {
    const sim = new SimCluster({
      seed: 1,
      nodes: 3,
      links: 1,
      mode: "passive",
      tokenMs: 1000,
      constants: { netmtu },
      network: CALM,
      traffic: { meanMs: 300, burst: 1, maxBytes: 100, large: 0.5, largeBytes: 40_000 },
      realCipher: true,
    });
    sim.startAll();
    sim.run(6000);
    // What node 3 lacks when its ring ends is carried into the next one.
    sim.cut([3], true);
    sim.run(5000);
    sim.cut([3], false);
    sim.run(5000);
    sim.settle();
    expect(sim.network.longest + HEADERS).toBeLessThanOrEqual(netmtu);
    // A message leaves room for the header of one that carries it into a new ring.
    expect(sim.network.longest + HEADERS).toBeGreaterThan(netmtu - 40);
  });
}
