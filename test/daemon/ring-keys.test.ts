import { describe, expect, test } from "bun:test";
import { KeyChange, type KeyEffect, type KeyMessage, keyDigest } from "../../src/daemon/ring-core-keys.ts";
import { decodeRingMessage, encodeRingMessage } from "../../src/daemon/ring-core-wire.ts";
import { type NodeId, nodeId } from "../../src/terms/index.ts";

const oldKey = new Uint8Array(64).fill(1);
const newKey = new Uint8Array(64).fill(2);
const otherKey = new Uint8Array(64).fill(3);
const name = (key: Uint8Array) => (key[0] === 1 ? "old" : key[0] === 2 ? "new" : "other");

interface Node {
  readonly id: NodeId;
  change: KeyChange;
  /** Keys that it seals with and accepts. */
  seals: string;
  accepts: string[];
  readonly disk: { key: Uint8Array; next: Uint8Array | undefined };
  /** What its disk has been asked for. */
  writes: Extract<KeyEffect, { type: "store" | "adopt" }>[];
  changedWith: readonly NodeId[] | undefined;
}

/** Nodes on a bus that delivers in one order to all members; the test decides when a disk has written. */
class Bus {
  readonly nodes: Node[];
  members: Node[];
  #queue: { from: Node; message: KeyMessage }[] = [];

  constructor(count: number) {
    this.nodes = Array.from({ length: count }, (_, i) => ({
      id: nodeId(i + 1),
      change: new KeyChange(oldKey),
      seals: "old",
      accepts: ["old"],
      disk: { key: oldKey, next: undefined },
      writes: [],
      changedWith: undefined,
    }));
    this.members = this.nodes;
  }

  carryOut(node: Node, effects: readonly KeyEffect[]): void {
    for (const effect of effects) {
      switch (effect.type) {
        case "send":
          // What is sent goes over the wire as it is.
          this.#queue.push({
            from: node,
            message: decodeRingMessage(encodeRingMessage(effect.message)) as KeyMessage,
          });
          break;
        case "use":
          node.seals = name(effect.key);
          node.accepts = [effect.key, ...effect.alsoAccept].map(name);
          break;
        case "store":
        case "adopt":
          node.writes.push(effect);
          break;
        case "changed":
          node.changedWith = effect.nodes;
      }
    }
  }

  /** Delivers what was sent; all members of a ring accept each other's datagrams at any moment. */
  run(steps = Number.POSITIVE_INFINITY): void {
    for (let step = 0; step < steps; step++) {
      const next = this.#queue.shift();
      if (!next) return;
      if (!this.members.includes(next.from)) continue;
      for (const node of this.members) {
        expect(node.accepts).toContain(next.from.seals);
        const members = this.members.map(({ id }) => id);
        this.carryOut(node, node.change.deliver(next.from.id, next.message, members));
      }
    }
  }

  write(node: Node): void {
    for (const { type, key, digest } of node.writes.splice(0)) {
      if (type === "store") {
        node.disk.next = key;
        this.carryOut(node, node.change.stored(digest));
      } else {
        node.disk.key = key;
        node.disk.next = undefined;
        this.carryOut(node, node.change.adopted(digest));
      }
    }
  }

  finish(): void {
    for (let round = 0; round < 10; round++) {
      this.run();
      for (const node of this.members) this.write(node);
    }
  }

  /** A new configuration of these nodes: each says what it has to say. */
  form(members: Node[]): void {
    this.#queue = [];
    this.members = members;
    for (const node of members) this.carryOut(node, node.change.restart());
  }

  restart(node: Node): void {
    node.change = new KeyChange(node.disk.key, node.disk.next);
    node.writes = [];
    node.seals = name(node.disk.key);
    node.accepts = [name(node.disk.key), ...node.change.alsoAccept.map(name)];
  }
}

const propose = (bus: Bus, key = newKey) => {
  const [first] = bus.members;
  if (first) bus.carryOut(first, [{ type: "send", message: { kind: "key-new", key } }]);
};
const at = (bus: Bus, index: number): Node => {
  const node = bus.nodes[index];
  if (!node) throw new Error(`no node ${index}`);
  return node;
};

describe("a change of the cluster's key", () => {
  test("ends with all members on the new key alone", () => {
    const bus = new Bus(3);
    propose(bus);
    bus.finish();
    for (const node of bus.nodes) {
      expect([node.seals, node.accepts, name(node.disk.key)]).toEqual(["new", ["new"], "new"]);
      expect(node.changedWith).toEqual([nodeId(1), nodeId(2), nodeId(3)]);
      expect(node.change.changingTo).toBeUndefined();
    }
  });

  test("may follow another at once, though one member has not heard the end of that", () => {
    const bus = new Bus(2);
    const [first, second] = [at(bus, 0), at(bus, 1)];
    const ids = [first.id, second.id];
    propose(bus);
    for (let step = 0; step < 2; step++) {
      bus.run();
      for (const node of bus.nodes) bus.write(node);
    }
    // What both say last reaches only the first, which is then told to change the key again.
    const last: KeyMessage = { kind: "key-switched", digest: keyDigest(newKey) };
    for (const id of ids) bus.carryOut(first, first.change.deliver(id, last, ids));
    expect(first.change.changingTo).toBeUndefined();
    bus.carryOut(first, first.change.deliver(first.id, { kind: "key-new", key: otherKey }, ids));
    bus.write(first);
    expect([first.change.changingTo, second.change.changingTo]).toEqual([otherKey, newKey].map(keyDigest));
    bus.form(bus.nodes);
    bus.finish();
    for (const node of bus.nodes)
      expect([node.seals, node.accepts, name(node.disk.key)]).toEqual(["other", ["other"], "other"]);
  });

  test("that follows is begun anew when who asked for it has given it up", () => {
    const change = new KeyChange(oldKey);
    const [me, other] = [nodeId(1), nodeId(2)];
    const members = [me, other];
    const hear = (from: NodeId, message: KeyMessage) => change.deliver(from, message, members);
    const digest = keyDigest(newKey);
    hear(me, { kind: "key-new", key: newKey });
    change.stored(digest);
    for (const id of members) hear(id, { kind: "key-ready", digest });
    change.adopted(digest);
    expect(hear(other, { kind: "key-new", key: otherKey })).toEqual([]);
    hear(me, { kind: "key-switched", digest });
    const effects = hear(other, { kind: "key-switched", digest });
    expect(effects).toContainEqual({ type: "send", message: { kind: "key-new", key: otherKey } });
    expect(change.changingTo).toBe(keyDigest(otherKey));
  });

  test("nobody sends with the new key while one disk has not written it", () => {
    const bus = new Bus(3);
    propose(bus);
    bus.run();
    bus.write(at(bus, 0));
    bus.write(at(bus, 1));
    bus.run();
    expect(bus.nodes.map(({ seals }) => seals)).toEqual(["old", "old", "old"]);
    expect(at(bus, 0).change.missing(bus.nodes.map(({ id }) => id))).toEqual([nodeId(3)]);
    bus.finish();
    expect(bus.nodes.map(({ seals }) => seals)).toEqual(["new", "new", "new"]);
  });

  test("the old key is accepted as long as one member has not adopted the new one", () => {
    const bus = new Bus(2);
    propose(bus);
    bus.run();
    bus.write(at(bus, 0));
    bus.write(at(bus, 1));
    bus.run();
    bus.write(at(bus, 0));
    bus.run();
    expect(at(bus, 0).accepts).toEqual(["new", "old"]);
    bus.finish();
    expect(at(bus, 0).accepts).toEqual(["new"]);
  });

  test("a node that was cut off with the stored key follows when it hears the new one", () => {
    const bus = new Bus(3);
    propose(bus);
    bus.run();
    for (const node of bus.nodes) bus.write(node);
    bus.form([at(bus, 0), at(bus, 1)]);
    bus.finish();
    const late = at(bus, 2);
    bus.restart(late);
    expect([late.seals, late.accepts]).toEqual(["old", ["old", "new"]]);
    expect(late.change.waits).toBe(true);
    bus.carryOut(late, late.change.heardNew());
    bus.form(bus.nodes);
    bus.finish();
    expect([late.seals, late.accepts, name(late.disk.key)]).toEqual(["new", ["new"], "new"]);
    expect(at(bus, 0).accepts).toEqual(["new"]);
  });

  test("goes on in a new configuration, also with a member that has not heard of it", () => {
    const bus = new Bus(3);
    bus.form([at(bus, 0), at(bus, 1)]);
    propose(bus);
    bus.run();
    bus.write(at(bus, 0));
    bus.form(bus.nodes);
    bus.finish();
    expect(bus.nodes.map(({ seals, accepts }) => [seals, ...accepts])).toEqual(
      Array.from({ length: 3 }, () => ["new", "new"]),
    );
  });

  test("two changes that meet end with one key", () => {
    const bus = new Bus(2);
    for (const [index, key] of [
      [0, newKey],
      [1, otherKey],
    ] as const) {
      bus.form([at(bus, index)]);
      propose(bus, key);
      bus.run();
    }
    bus.form(bus.nodes);
    bus.finish();
    const winner = [newKey, otherKey].sort((a, b) => (keyDigest(a) < keyDigest(b) ? 1 : -1))[0];
    expect(bus.nodes.map(({ seals }) => seals)).toEqual(
      Array.from({ length: 2 }, () => name(winner ?? oldKey)),
    );
    expect(at(bus, 0).accepts).toEqual(at(bus, 1).accepts);
  });

  test("a digest does not contain the key", () => {
    expect(keyDigest(newKey)).toMatch(/^[0-9a-f]{16}$/);
    expect(keyDigest(newKey)).not.toBe(keyDigest(otherKey));
  });
});
