import { describe, expect, test } from "bun:test";
import { nodeId } from "../../src/terms/index.ts";
import { Seal } from "../../src/totem/seal.ts";
import { AES_256_GCM, type SealCipher } from "../../src/totem/seal-cipher.ts";
import { clusterKey } from "../../src/totem/seal-key.ts";
import { stampOf } from "../../src/totem/seal-stamp.ts";
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
    const opened = receiver.open(sealed, 0);
    expect(opened).toMatchObject({ from: one, counter: 1, proven: true });
    expect(typeof opened === "string" ? opened : Buffer.from(opened.body).toString()).toBe("hello");
    expect(receiver.open(sealed, 0)).toBe("replay");
  });

  test("hides the body", () => {
    const { sender } = pair();
    expect(Buffer.from(sender.seal(text("plain secret"), none)).includes("secret")).toBe(false);
  });

  test("drops every datagram with a changed bit, and then still takes the right one", () => {
    const { sender, receiver } = proven();
    const drops = new Set<string>();
    const { length } = sender.seal(text("token"), none);
    for (let bit = 0; bit < length * 8; bit++) {
      const sealed = sender.seal(text("token"), none);
      const forged = Buffer.from(sealed);
      forged[bit >> 3] = (forged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const opened = receiver.open(forged, 0);
      expect(typeof opened).toBe("string");
      drops.add(String(opened));
      expect(receiver.open(sealed, 0)).toMatchObject({ from: one });
    }
    expect([...drops].sort()).toEqual(["bad-tag", "foreign", "forged", "unknown-key", "version"]);
  });

  test("drops every truncation", () => {
    const { sender, receiver } = proven();
    const { length: whole } = sender.seal(text("a body"), none);
    for (let length = 0; length < whole; length++) {
      const sealed = sender.seal(text("a body"), none);
      expect(receiver.open(sealed.subarray(0, length), 0)).toBe(length < 44 ? "short" : "bad-tag");
    }
  });

  test("drops another cluster's datagrams, its own, and those of nodes that are not listed", () => {
    const { receiver } = proven();
    expect(pair(otherKey).receiver.open(pair(otherKey).sender.seal(text("x"), none), 0)).toBe("unknown-key");
    expect(receiver.open(receiver.seal(text("x"), none), 0)).toBe("own");
    const stranger = new Seal({ self: nodeId(9), peers: [two], salt: Buffer.alloc(8, 3), key });
    expect(receiver.open(stranger.seal(text("x"), none), 0)).toBe("unknown-sender");
  });

  test("a sender can't speak for another", () => {
    const { sender, receiver } = proven();
    const forged = Buffer.from(sender.seal(text("x"), none));
    forged.writeUInt32BE(three, 6);
    expect(receiver.open(forged, 0)).toBe("forged");
    forged.writeUInt32BE(stampOf(key.stamp, forged), 24);
    expect(receiver.open(forged, 0)).toBe("bad-tag");
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
    const unproven = receiver.open(again.seal(text("pong"), none), 0);
    expect(unproven).toMatchObject({ proven: false });
    if (typeof unproven !== "string") receiver.prove(one, unproven.incarnation, unproven.counter);
    expect(receiver.open(again.seal(text("new"), none), 0)).toMatchObject({ proven: true });
    expect(receiver.open(early, 0)).toMatchObject({ proven: false });
    expect(receiver.provenIncarnation(one)).toEqual(again.incarnation);
  });

  test("what an incarnation sealed before its proof is not accepted after it", () => {
    const { sender, receiver } = pair();
    const before = sender.seal(text("old token"), none);
    const pong = sender.seal(text("pong"), none);
    const opened = receiver.open(pong, 0);
    if (typeof opened === "string") throw new Error(opened);
    receiver.prove(one, opened.incarnation, opened.counter);
    expect(receiver.open(before, 0)).toBe("replay");
    expect(receiver.open(pong, 0)).toBe("replay");
  });

  test("two keys are accepted while the key changes, and the old one not longer", () => {
    const { sender, receiver } = proven();
    receiver.setKeys(key, [otherKey]);
    expect(receiver.open(sender.seal(text("old key"), none), 0)).toMatchObject({ proven: true });
    sender.setKeys(otherKey, [key]);
    expect(receiver.open(sender.seal(text("new key"), none), 0)).toMatchObject({ proven: true });
    receiver.setKeys(otherKey, []);
    expect(receiver.open(sender.seal(text("new key"), none), 0)).toMatchObject({ proven: true });
    sender.setKeys(key, [otherKey]);
    expect(receiver.open(sender.seal(text("old key"), none), 0)).toBe("unknown-key");
  });

  test("clusters with one key and other names do not open each other's datagrams", () => {
    const named = (name: string) => clusterKey(Buffer.alloc(128, 7), name);
    const make = (self: typeof one, name: string) =>
      new Seal({ self, peers: [one, two], salt: Buffer.alloc(8, self), key: named(name) });
    const sealed = make(one, "east").seal(text("x"), none);
    expect(make(two, "east").open(sealed, 0)).toMatchObject({ from: one });
    expect(make(two, "west").open(sealed, 0)).toBe("unknown-key");
    // The same id, which says which key it is, proves nothing.
    const forged = Buffer.from(sealed);
    forged.writeUInt16BE(named("west").id, 4);
    expect(make(two, "west").open(forged, 0)).toBe("forged");
  });

  test("refuses a key that is too short or too long", () => {
    expect(() => clusterKey(Buffer.alloc(31))).toThrow(/31 bytes/);
    expect(() => clusterKey(Buffer.alloc(4097))).toThrow(/4097 bytes/);
    expect(clusterKey(Buffer.alloc(32)).id).toBeGreaterThanOrEqual(0);
    expect(clusterKey(Buffer.alloc(4096)).id).toBeGreaterThanOrEqual(0);
  });
});

/** Counts what the cipher is asked for. */
function counted() {
  const counts = { opened: 0 };
  const cipher: SealCipher = {
    seal: AES_256_GCM.seal,
    open: (...call) => {
      counts.opened++;
      return AES_256_GCM.open(...call);
    },
  };
  const receiver = new Seal({ self: two, peers: [one, three], salt: Buffer.alloc(8, 2), key, cipher });
  const sender = new Seal({ self: one, peers: [two], salt: Buffer.alloc(8, 1), key });
  return { counts, receiver, sender };
}

/** What somebody sends who has seen one datagram and has no key: its header, and a body of his own. */
function withOtherBody(sealed: Uint8Array, body: number): Buffer {
  const forged = Buffer.from(sealed);
  forged.writeUInt32BE(body, forged.length - 4);
  return forged;
}

describe("what a datagram may cost", () => {
  test("no forged header costs a decryption, whatever incarnation it names", () => {
    const { counts, receiver, sender } = counted();
    receiver.prove(one, sender.incarnation, 0);
    const forged = Buffer.from(sender.seal(text("body"), none));
    for (let at = 0; at < 5000; at++) {
      forged.writeUIntBE(2 + at, 18, 6);
      if (at % 2 === 0) forged.writeUInt32BE(at * 7919, 10);
      expect(receiver.open(forged, at)).toBe("forged");
      expect(receiver.isStamped(forged)).toBe(false);
    }
    expect(counts.opened).toBe(0);
    expect(receiver.open(sender.seal(text("true"), none), 0)).toMatchObject({ proven: true });
  });

  test("copies of one header with other bodies cost a few decryptions, and the next datagram is taken", () => {
    const { counts, receiver, sender } = counted();
    receiver.prove(one, sender.incarnation, 0);
    const sealed = sender.seal(text("a token for somebody else"), none);
    const drops = new Set<unknown>();
    for (let at = 0; at < 5000; at++) drops.add(receiver.open(withOtherBody(sealed, at), 0));
    expect([...drops]).toEqual(["bad-tag", "too-many"]);
    expect(counts.opened).toBeLessThan(10);
    expect(receiver.open(sender.seal(text("next"), none), 0)).toMatchObject({ proven: true });
  });

  test("recordings of earlier starts use up only their own budget, and it comes back", () => {
    const { counts, receiver } = counted();
    const recorded = [3, 11].map((salt) => {
      const earlier = new Seal({ self: one, peers: [two], salt: Buffer.alloc(8, salt), key });
      return Array.from({ length: 100 }, () => earlier.seal(text("ping"), none));
    });
    const started = new Seal({ self: one, peers: [two], salt: Buffer.alloc(8, 4), key });
    // Played in turn, so that each time it is another incarnation than the one before.
    for (let at = 0; at < 20_000; at++) receiver.open(recorded[at % 2]?.[(at >> 1) % 100] ?? none, at / 1000);
    expect(counts.opened).toBeLessThan(200);
    expect(receiver.open(started.seal(text("ping"), none), 30)).toMatchObject({ proven: false });
    const before = counts.opened;
    expect(receiver.open(recorded[0]?.[0] ?? none, 2000)).toMatchObject({ from: one });
    expect(counts.opened).toBe(before + 1);
  });

  test("a recording of an earlier start is opened once, however often it comes", () => {
    const { counts, receiver, sender } = counted();
    const sealed = sender.seal(text("ping"), none);
    expect(receiver.open(sealed, 0)).toMatchObject({ proven: false });
    for (let at = 0; at < 1000; at++) expect(receiver.open(sealed, 0)).toBe("replay");
    expect(counts.opened).toBe(1);
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
