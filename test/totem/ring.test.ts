import { describe, expect, test } from "bun:test";
import { Network } from "./network.ts";

describe("a ring", () => {
  test("of two nodes forms and orders messages", () => {
    const network = new Network(2);
    network.startAll();
    expect(network.until(() => network.whole(), 3000)).toBe(true);
    for (let index = 0; index < 100; index++) network.send((index % 2) + 1, `m${index}`);
    network.run(1000);
    expect(network.texts(1)).toHaveLength(100);
    expect(network.texts(2)).toEqual(network.texts(1));
  });

  test("of one node delivers its own messages at once", () => {
    const network = new Network(1);
    network.start(1);
    network.run(10);
    network.send(1, "alone");
    expect(network.texts(1)).toEqual(["alone"]);
  });

  test("of sixteen nodes forms in under 3 s and forms again after a crash", () => {
    const network = new Network(16);
    network.startAll();
    expect(network.until(() => network.whole(), 3000)).toBe(true);
    network.crash(7);
    expect(network.until(() => network.whole(), 1000 + 1200 + 500)).toBe(true);
    network.send(3, "after");
    network.run(500);
    expect(network.texts(16)).toEqual(["after"]);
  });

  test("survives 20 % loss without a change of membership", () => {
    const network = new Network(3, 7);
    network.startAll();
    network.until(() => network.whole(), 3000);
    const rings = network.machine(1).ring.status().counters.rings;
    network.faults.loss = 0.2;
    for (let index = 0; index < 300; index++) network.send((index % 3) + 1, `m${index}`);
    network.run(60_000);
    expect(network.texts(1)).toHaveLength(300);
    expect(network.texts(2)).toEqual(network.texts(1));
    expect(network.texts(3)).toEqual(network.texts(1));
    expect(network.machine(1).ring.status().counters.rings).toBe(rings);
  });

  test("carries messages of several megabytes", () => {
    const network = new Network(2);
    network.startAll();
    network.until(() => network.whole(), 3000);
    const large = new Uint8Array(3_000_000).map((_, index) => index % 251);
    network.send(1, large);
    network.run(5000);
    const seen = network.machine(2).seen.find((effect) => effect.type === "deliver");
    expect(seen?.type === "deliver" && Bun.hash(seen.payload)).toBe(Bun.hash(large));
  });

  test("merges with another after a partition", () => {
    const network = new Network(4);
    network.split([1, 2], [3, 4]);
    network.startAll();
    network.run(3000);
    expect(network.rings()).toEqual(["1: 1 2", "2: 1 2", "3: 3 4", "4: 3 4"]);
    network.heal();
    expect(network.until(() => network.whole(), 1500)).toBe(true);
  });
});
