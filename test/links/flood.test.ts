import { describe, expect, test } from "bun:test";
import { nodeId } from "../../src/terms/index.ts";
import { Links, type LinksEffect, type LinksOptions } from "../../src/totem/index.ts";
import { Seal } from "../../src/totem/seal.ts";
import { clusterKey } from "../../src/totem/seal-key.ts";

const [key, next] = [3, 4].map((byte) => clusterKey(Buffer.alloc(64, byte))) as [
  ReturnType<typeof clusterKey>,
  ReturnType<typeof clusterKey>,
];
const [one, two] = [nodeId(1), nodeId(2)];
const options: LinksOptions = {
  mode: "passive",
  links: [
    { number: 0, priority: 1, pingIntervalMs: 250, pingTimeoutMs: 500, pongCount: 2, pingPrecision: 2048 },
  ],
  nodes: [one, two].map((node) => ({
    node,
    addresses: [{ link: 0, address: `192.0.2.${node}`, port: 5405 }],
  })),
  blockUnlistedIps: true,
  reachLagMs: 1000,
};

/** One node and what it asks for besides pings, with the time of it. */
class Node {
  readonly seal = new Seal({ self: one, peers: [two], salt: Buffer.alloc(8, 1), key });
  readonly links = new Links(one, this.seal, options, 0);
  readonly asked: string[] = [];
  now = 0;
  #due = 0;

  take(effects: readonly LinksEffect[]): void {
    for (const effect of effects) {
      if (effect.type === "set-timer") this.#due = this.now + effect.afterMs;
      if (effect.type === "refuse-unstamped")
        this.asked.push(effect.keys ? `refuse but ${effect.keys.map(({ id }) => id).join(" ")}` : "take all");
      if (effect.type === "log") this.asked.push(effect.text.split(" ").slice(0, 3).join(" "));
    }
  }

  /** `perSecond` forged datagrams come, as long as the kernel is not asked to refuse them. */
  run(ms: number, perSecond: number, address = "192.0.2.2"): void {
    const forged = Buffer.alloc(60, 5);
    for (const end = this.now + ms; this.now < end; this.now += 10) {
      if (this.now >= this.#due) this.take(this.links.timer(this.now));
      for (let at = 0; at < perSecond / 100; at++) {
        if (this.asked.findLast((text) => !text.startsWith("a flood"))?.startsWith("refuse")) break;
        this.take(this.links.datagram(0, address, forged, this.now));
      }
    }
  }

  /** What was asked for since the last time. */
  since(): string[] {
    return this.asked.splice(0);
  }
}

describe("a flood of datagrams without the key", () => {
  for (const address of ["192.0.2.2", "192.0.2.99"])
    test(`is left to the kernel, said once, looked for again, and over at some time (from ${address})`, () => {
      const node = new Node();
      node.run(1000, 0);
      expect(node.since()).toEqual([]);
      node.run(9000, 10_000, address);
      expect(node.asked).toEqual([`refuse but ${key.id}`, "a flood of"]);
      node.run(2000, 10_000, address);
      // It was let through for a moment.
      expect(node.since()).toEqual([
        `refuse but ${key.id}`,
        "a flood of",
        "take all",
        `refuse but ${key.id}`,
      ]);
      node.asked.push(`refuse but ${key.id}`);
      node.run(60_000, 0);
      expect(node.since().slice(1)).toEqual(["take all", "the flood of"]);
      node.run(60_000, 0);
      expect(node.since()).toEqual([]);
    });

  test("is none when they are few, and nothing that has the key belongs to one", () => {
    const node = new Node();
    const other = new Seal({ self: two, peers: [one], salt: Buffer.alloc(8, 2), key });
    node.run(10_000, 1000);
    const recording = other.seal(Buffer.from([1, 0, 0, 0, 0, 1]), Buffer.from("x"));
    for (let at = 0; at < 1000; at++) node.take(node.links.datagram(0, "192.0.2.2", recording, node.now));
    expect(node.since().filter((text) => text.startsWith("refuse"))).toEqual([]);
  });

  test("is refused by the keys that are accepted now", () => {
    const node = new Node();
    node.take(node.links.keysChanged());
    expect(node.since()).toEqual([]);
    node.run(1000, 10_000);
    node.since();
    node.seal.setKeys(next, [key]);
    node.take(node.links.keysChanged());
    expect(node.since()).toEqual([`refuse but ${next.id} ${key.id}`]);
  });
});
