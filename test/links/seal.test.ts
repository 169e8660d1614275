import { describe, expect, test } from "bun:test";
import { nodeId } from "../../src/terms/index.ts";
import { Seal } from "../../src/totem/seal.ts";
import { clusterKey } from "../../src/totem/seal-key.ts";
import { ReplayWindow } from "../../src/totem/seal-window.ts";

const key = clusterKey(Buffer.alloc(128, 7));
const otherKey = clusterKey(Buffer.alloc(128, 8));
const [one, two, three] = [nodeId(1), nodeId(2), nodeId(3)];
const text = (value: string) => Buffer.from(value);
const none = new Uint8Array(0);

function pair(senderKey = key) {
  const sender = new Seal({ self: one, peers: [two], salt: Buffer.alloc(8, 1), key: senderKey });
  const receiver = new Seal({ self: two, peers: [one, three], salt: Buffer.alloc(8, 2), key });
  return { sender, receiver };
}
function proven() {
  const { sender, receiver } = pair();
  receiver.prove(one, sender.incarnation, 0);
  return { sender, receiver };
}

describe("the seal", () => {
  test("opens what a proven peer sealed, once", () => {
    const { sender, receiver } = proven();
    const sealed = sender.seal(text("he"), text("llo"));
    const opened = receiver.open(sealed);
    expect(opened).toMatchObject({ from: one, counter: 1, proven: true });
    expect(typeof opened === "string" ? opened : Buffer.from(opened.body).toString()).toBe("hello");
    expect(receiver.open(sealed)).toBe("replay");
  });

  test("hides the body", () => {
    const { sender } = pair();
    expect(Buffer.from(sender.seal(text("plain secret"), none)).includes("secret")).toBe(false);
  });

  test("drops every datagram with a changed bit, and then still takes the right one", () => {
    const { sender, receiver } = proven();
    const sealed = sender.seal(text("token"), none);
    const drops = new Set<string>();
    for (let bit = 0; bit < sealed.length * 8; bit++) {
      const forged = Buffer.from(sealed);
      forged[bit >> 3] = (forged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const opened = receiver.open(forged);
      expect(typeof opened).toBe("string");
      drops.add(String(opened));
    }
    expect([...drops].sort()).toEqual([
      "bad-tag",
      "foreign",
      "replay",
      "unknown-key",
      "unknown-sender",
      "version",
    ]);
    expect(receiver.open(sealed)).toMatchObject({ from: one });
  });

  test("drops every truncation", () => {
    const { sender, receiver } = proven();
    const sealed = sender.seal(text("a body"), none);
    for (let length = 0; length < sealed.length; length++) {
      expect(receiver.open(sealed.subarray(0, length))).toBe(length < 40 ? "short" : "bad-tag");
    }
  });

  test("drops another cluster's datagrams, its own, and those of nodes that are not listed", () => {
    const { receiver } = proven();
    expect(pair(otherKey).receiver.open(pair(otherKey).sender.seal(text("x"), none))).toBe("unknown-key");
    expect(receiver.open(receiver.seal(text("x"), none))).toBe("own");
    const stranger = new Seal({ self: nodeId(9), peers: [two], salt: Buffer.alloc(8, 3), key });
    expect(receiver.open(stranger.seal(text("x"), none))).toBe("unknown-sender");
  });

  test("a sender can't speak for another", () => {
    const { sender, receiver } = proven();
    const forged = Buffer.from(sender.seal(text("x"), none));
    forged.writeUInt32BE(three, 6);
    expect(receiver.open(forged)).toBe("bad-tag");
  });

  test("never uses a nonce twice, not even for equal bodies or after a restart", () => {
    const nonces = new Set<string>();
    for (const salt of [1, 2, 3]) {
      const sender = new Seal({ self: one, peers: [two], salt: Buffer.alloc(8, salt), key });
      for (let n = 0; n < 100; n++) {
        nonces.add(Buffer.from(sender.seal(text("same"), none)).toString("hex", 4, 24));
      }
    }
    expect(nonces.size).toBe(300);
  });

  test("an earlier incarnation is not believed any more once a later one proved itself", () => {
    const { sender, receiver } = proven();
    const early = sender.seal(text("early"), none);
    const again = new Seal({ self: one, peers: [two], salt: Buffer.alloc(8, 9), key });
    const unproven = receiver.open(again.seal(text("pong"), none));
    expect(unproven).toMatchObject({ proven: false });
    if (typeof unproven !== "string") receiver.prove(one, unproven.incarnation, unproven.counter);
    expect(receiver.open(again.seal(text("new"), none))).toMatchObject({ proven: true });
    expect(receiver.open(early)).toMatchObject({ proven: false });
    expect(receiver.provenIncarnation(one)).toEqual(again.incarnation);
  });

  test("what an incarnation sealed before its proof is not accepted after it", () => {
    const { sender, receiver } = pair();
    const before = sender.seal(text("old token"), none);
    const pong = sender.seal(text("pong"), none);
    const opened = receiver.open(pong);
    if (typeof opened === "string") throw new Error(opened);
    receiver.prove(one, opened.incarnation, opened.counter);
    expect(receiver.open(before)).toBe("replay");
    expect(receiver.open(pong)).toBe("replay");
  });

  test("two keys are accepted while the key changes, and the old one not longer", () => {
    const { sender, receiver } = proven();
    receiver.setKeys(key, [otherKey]);
    expect(receiver.open(sender.seal(text("old key"), none))).toMatchObject({ proven: true });
    sender.setKeys(otherKey, [key]);
    expect(receiver.open(sender.seal(text("new key"), none))).toMatchObject({ proven: true });
    receiver.setKeys(otherKey, []);
    expect(receiver.open(sender.seal(text("new key"), none))).toMatchObject({ proven: true });
    sender.setKeys(key, [otherKey]);
    expect(receiver.open(sender.seal(text("old key"), none))).toBe("unknown-key");
  });

  test("refuses a key that is too short or too long", () => {
    expect(() => clusterKey(Buffer.alloc(31))).toThrow(/31 bytes/);
    expect(() => clusterKey(Buffer.alloc(4097))).toThrow(/4097 bytes/);
    expect(clusterKey(Buffer.alloc(32)).id).toBeGreaterThanOrEqual(0);
    expect(clusterKey(Buffer.alloc(4096)).id).toBeGreaterThanOrEqual(0);
  });
});

describe("the replay window", () => {
  /** The rule without tricks: a set of everything marked. */
  class Slow {
    readonly marked = new Set<number>();
    highest: number;
    constructor(readonly floor: number) {
      this.highest = floor;
    }
    isFresh(counter: number) {
      return counter > this.floor && counter > this.highest - 4096 && !this.marked.has(counter);
    }
    mark(counter: number) {
      this.marked.add(counter);
      this.highest = Math.max(this.highest, counter);
    }
  }

  test("agrees with the plain rule on jumbled, repeated and far jumping counters", () => {
    let seed = 12345;
    const random = (limit: number) => {
      seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
      return Math.floor((seed / 2 ** 32) * limit);
    };
    for (const floor of [0, 4095, 1_000_000]) {
      const fast = new ReplayWindow(floor);
      const slow = new Slow(floor);
      let base = floor;
      for (let step = 0; step < 20_000; step++) {
        base += random(100) === 0 ? random(9000) : random(3);
        const counter = Math.max(0, base - random(random(10) === 0 ? 6000 : 40));
        expect(fast.isFresh(counter)).toBe(slow.isFresh(counter));
        if (slow.isFresh(counter)) {
          fast.mark(counter);
          slow.mark(counter);
        }
      }
    }
  });
});
