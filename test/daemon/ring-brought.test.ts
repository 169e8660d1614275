import { describe, expect, test } from "bun:test";
import type { BroughtRefusal } from "../../src/daemon/ring-core-brought.ts";
import { keyProof } from "../../src/daemon/ring-core-brought.ts";
import type { RingCoreOptions } from "../../src/daemon/ring-core-face.ts";
import { KeyRing } from "../../src/daemon/ring-core-key-ring.ts";
import { decodeRingMessage, encodeRingMessage } from "../../src/daemon/ring-core-wire.ts";
import { type NodeId, nodeId } from "../../src/terms/index.ts";

const [oldKey, newKey, otherKey] = [1, 2, 3].map((byte) => new Uint8Array(64).fill(byte)) as [
  Uint8Array,
  Uint8Array,
  Uint8Array,
];
const nonce = "0123456789abcdef0123456789abcdef";
const body = Buffer.from("body");

interface Node {
  readonly id: NodeId;
  ring: KeyRing;
  key: Uint8Array;
  brought: Uint8Array | undefined;
  refusals: BroughtRefusal[];
  changedWith: readonly NodeId[] | undefined;
  /** What its disk has been asked for and has not done. */
  adopts: { readonly key: Uint8Array; readonly digest: string }[];
}

/** Nodes whose messages are delivered in one order; `wire` is all that a listener can record. */
class Bus {
  readonly nodes: Node[];
  members: Node[];
  readonly wire: Uint8Array[] = [];
  #queue: { readonly from: Node; readonly bytes: Uint8Array }[] = [];

  constructor(brought: readonly (Uint8Array | undefined)[]) {
    this.nodes = brought.map((key, at) => this.#start(nodeId(at + 1), oldKey, key, at + 1, brought.length));
    this.members = this.nodes;
  }

  #start(id: NodeId, key: Uint8Array, brought: Uint8Array | undefined, salt: number, count: number): Node {
    const nodes = Array.from({ length: count }, (_, at) => ({ node: nodeId(at + 1), addresses: [] }));
    const options = { self: id, key, links: { nodes }, ...(brought && { broughtKey: brought }) };
    const ring = new KeyRing(options as unknown as RingCoreOptions, Buffer.alloc(8, salt));
    return { id, ring, key, brought, refusals: [], changedWith: undefined, adopts: [] };
  }

  restart(at: number, brought = this.nodes[at]?.brought): void {
    const before = node(this, at);
    Object.assign(before, this.#start(before.id, before.key, brought, 50 + at, this.nodes.length));
  }

  carry(from: Node, effects: ReturnType<KeyRing["deliver"]>): void {
    for (const effect of effects) {
      if (effect.type === "send") {
        const bytes = encodeRingMessage(effect.message);
        this.wire.push(from.ring.seal.seal(bytes, new Uint8Array()), bytes);
        this.#queue.push({ from, bytes });
      }
      if (effect.type === "find-brought") this.carry(from, from.ring.found(effect.nonce, from.brought));
      if (effect.type === "brought-refused") from.refusals.push(effect.refusal);
      if (effect.type === "adopt") from.adopts.push(effect);
      if (effect.type === "changed") from.changedWith = effect.nodes;
    }
  }

  ask(at: number): void {
    this.carry(node(this, at), [{ type: "send", message: { kind: "key-asked", nonce } }]);
  }

  /** Delivers what is said. */
  run(steps = Number.POSITIVE_INFINITY): void {
    for (let step = 0; step < steps; step++) {
      const next = this.#queue.shift();
      if (!next) return;
      const message = decodeRingMessage(next.bytes);
      if (!message?.kind.startsWith("key-")) throw new Error("not a message of a key");
      for (const member of this.members)
        this.carry(
          member,
          member.ring.deliver(
            next.from.id,
            message as Parameters<KeyRing["deliver"]>[1],
            this.members.map(({ id }) => id),
          ),
        );
    }
  }

  write(): void {
    for (const member of this.members)
      for (const { key, digest } of member.adopts.splice(0)) {
        member.key = key;
        this.carry(member, member.ring.adopted(digest));
      }
  }

  finish(): void {
    for (let round = 0; round < 6; round++) {
      this.run();
      this.write();
    }
  }

  form(members: readonly number[]): void {
    this.#queue = [];
    this.members = members.map((at) => node(this, at));
    for (const member of this.members) this.carry(member, member.ring.restart());
  }

  /** The byte that the keys are filled with, and whether it opens what a node with that key seals. */
  state(): (readonly [number | undefined, boolean])[] {
    return this.nodes.map(({ key, ring }) => [key[0], opens(ring, oldKey)]);
  }
}

const node = (bus: Bus, at: number): Node => {
  const found = bus.nodes[at];
  if (!found) throw new Error(`no node ${at}`);
  return found;
};

/** Whether a node accepts what is sealed with a key. */
function opens(ring: KeyRing, key: Uint8Array): boolean {
  const self = ring.seal.self === 1 ? nodeId(2) : nodeId(1);
  const links = { nodes: [1, 2, 3].map((id) => ({ node: nodeId(id), addresses: [] })) };
  const other = new KeyRing({ self, key, links } as unknown as RingCoreOptions, Buffer.alloc(8, 99));
  return typeof ring.seal.open(other.seal.seal(body, body), 0) !== "string";
}

const untouched = [1, 1, 1].map((key) => [key, true] as const);
const switched = [2, 2, 2].map((key) => [key, false] as const);

describe("a key that was brought to all nodes", () => {
  test("is the only one afterwards, and nothing on the wire has told it", () => {
    const bus = new Bus([newKey, newKey, newKey]);
    bus.ask(1);
    bus.finish();
    expect(bus.state()).toEqual(switched);
    expect(bus.nodes.map(({ changedWith }) => changedWith)).toEqual(
      [1, 2, 3].map(() => [1, 2, 3].map(nodeId)),
    );
    for (const bytes of bus.wire) expect(Buffer.from(bytes).includes(newKey.subarray(0, 16))).toBe(false);
    // Who listens with the old key reads the question and the proofs, and nothing after them.
    const listener = new KeyRing(
      {
        self: nodeId(3),
        key: oldKey,
        links: { nodes: [1, 2].map((id) => ({ node: nodeId(id), addresses: [] })) },
      } as unknown as RingCoreOptions,
      Buffer.alloc(8, 98),
    );
    const read = bus.wire.flatMap((bytes) => {
      const opened = listener.seal.open(bytes, 0);
      return typeof opened === "string" ? [] : [decodeRingMessage(opened.body)?.kind];
    });
    expect(new Set(read)).toEqual(new Set(["key-asked", "key-proof"]));
    expect(opens(node(bus, 0).ring, newKey)).toBe(true);
  });

  test("is not used when one has none and another another one: they are named, to who asked", () => {
    const bus = new Bus([newKey, undefined, otherKey]);
    bus.ask(0);
    bus.finish();
    expect(bus.state()).toEqual(untouched);
    const [missing, differing] = [[nodeId(2)], [nodeId(3)]];
    expect(bus.nodes.map(({ refusals }) => refusals)).toEqual([
      [{ nonce, missing, differing, silent: [] }],
      [],
      [],
    ]);
  });

  test("is not used when one does not answer in time", () => {
    const bus = new Bus([newKey, newKey, newKey]);
    bus.ask(0);
    bus.run(2);
    const message = { kind: "key-dropped", nonce } as const;
    bus.members = [node(bus, 0), node(bus, 1)];
    for (const member of bus.members)
      bus.carry(member, member.ring.deliver(nodeId(1), message, [1, 2, 3].map(nodeId)));
    expect(node(bus, 0).refusals).toEqual([
      { nonce, missing: [], differing: [], silent: [nodeId(2), nodeId(3)] },
    ]);
    bus.finish();
    expect(bus.state()).toEqual(untouched);
  });

  test("is not used when the membership changes before all have answered, and is asked for anew", () => {
    const bus = new Bus([newKey, newKey, newKey]);
    bus.ask(0);
    bus.run(2);
    bus.form([0, 1]);
    bus.finish();
    expect(bus.state()).toEqual(untouched);
    expect(node(bus, 0).refusals).toHaveLength(1);
    bus.form([0, 1, 2]);
    bus.ask(2);
    bus.finish();
    expect(bus.state()).toEqual(switched);
  });

  test("that lies ready changes nothing, also not in a new membership or after a restart", () => {
    const bus = new Bus([newKey, newKey, undefined]);
    bus.restart(0);
    bus.form([0, 1, 2]);
    bus.finish();
    expect(bus.wire).toEqual([]);
    expect(bus.state()).toEqual(untouched);
    expect(node(bus, 0).ring.status([nodeId(1)])).toBeUndefined();
  });

  test("is taken by a node that was away or had not switched, when it hears it", () => {
    const bus = new Bus([newKey, newKey, newKey]);
    bus.form([0, 1]);
    bus.ask(0);
    bus.run();
    // One has it on disk when the node comes back, the other has not.
    node(bus, 1).adopts.splice(0);
    bus.write();
    bus.restart(1);
    const late = node(bus, 2);
    const sealed = node(bus, 0).ring.seal.seal(body, body);
    for (const at of [1, 2]) {
      expect(typeof node(bus, at).ring.seal.open(sealed, 0)).toBe("object");
      bus.carry(node(bus, at), node(bus, at).ring.heard());
    }
    bus.form([0, 1, 2]);
    bus.finish();
    expect(bus.state()).toEqual(switched);
    expect(late.ring.status([])).toBeUndefined();
  });

  test("is told by who has finished to those who wait to hear it", () => {
    const bus = new Bus([newKey, newKey, newKey]);
    bus.form([0, 1]);
    bus.ask(0);
    bus.finish();
    const late = node(bus, 2);
    late.ring.seal.open(node(bus, 0).ring.seal.seal(body, body), 0);
    bus.carry(late, late.ring.heard());
    bus.form([0, 1, 2]);
    bus.finish();
    expect(bus.state()).toEqual(switched);
  });

  test("gives way to one that the ring makes, and the question for it is refused", () => {
    const bus = new Bus([newKey, newKey, newKey]);
    bus.ask(0);
    bus.run(1);
    bus.members[0]?.ring.deliver(nodeId(2), { kind: "key-new", key: otherKey }, [1, 2, 3].map(nodeId));
    const effects = node(bus, 1).ring.deliver(
      nodeId(1),
      { kind: "key-new", key: otherKey },
      [1, 2, 3].map(nodeId),
    );
    expect(effects.map(({ type }) => type)).toEqual(["use", "store"]);
    expect(opens(node(bus, 1).ring, newKey)).toBe(false);
  });

  test("a proof is good for one node, one question and one key", () => {
    const all = [
      keyProof(newKey, nonce, nodeId(1)),
      keyProof(newKey, nonce, nodeId(2)),
      keyProof(otherKey, nonce, nodeId(1)),
      keyProof(newKey, nonce.replace("0", "1"), nodeId(1)),
    ];
    expect(new Set(all).size).toBe(4);
    for (const kind of ["key-asked", "key-dropped"] as const)
      expect(decodeRingMessage(encodeRingMessage({ kind, nonce: "short" }))).toBeUndefined();
    const proof = "zz".repeat(32);
    expect(decodeRingMessage(encodeRingMessage({ kind: "key-proof", nonce, proof }))).toBeUndefined();
  });
});
