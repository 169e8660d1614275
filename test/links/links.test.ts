import { describe, expect, test } from "bun:test";
import { type NodeId, nodeId } from "../../src/terms/index.ts";
import { type LinkMode, Links, type LinksEffect, type LinksOptions } from "../../src/totem/index.ts";
import { canonicalAddress } from "../../src/totem/links-address.ts";
import { decodePing, decodePong, encodePing, encodePong } from "../../src/totem/links-wire.ts";
import { Seal } from "../../src/totem/seal.ts";
import { clusterKey } from "../../src/totem/seal-key.ts";

const key = clusterKey(Buffer.alloc(64, 3));
const addressOf = (node: number, link: number) => `192.168.${link}.${node}`;

function optionsFor(nodes: number, links: number, mode: LinkMode, block = true): LinksOptions {
  return {
    mode,
    links: Array.from({ length: links }, (_, number) => ({
      number,
      priority: number === 1 ? 5 : 1,
      pingIntervalMs: 250,
      pingTimeoutMs: 500,
      pongCount: 2,
      pingPrecision: 2048,
    })),
    nodes: Array.from({ length: nodes }, (_, at) => ({
      node: nodeId(at + 1),
      addresses: Array.from({ length: links }, (_, link) => ({
        link,
        address: addressOf(at + 1, link),
        port: 5405 + link,
      })),
    })),
    blockUnlistedIps: block,
    reachLagMs: 1000,
  };
}

/** Nodes joined by a wire without delay. */
class Bench {
  readonly links = new Map<number, Links>();
  readonly seals = new Map<number, Seal>();
  readonly received: string[] = [];
  readonly sent: { from: number; effect: Extract<LinksEffect, { type: "send" }> }[] = [];
  readonly cut = new Set<string>();
  private readonly due = new Map<number, number>();
  private readonly flying: (() => void)[] = [];
  private landing = false;
  now = 0;
  /** Timers that fired. */
  wakes = 0;

  constructor(nodes: number, count: number, mode: LinkMode = "passive", block = true) {
    for (let id = 1; id <= nodes; id++) this.start(id, id, optionsFor(nodes, count, mode, block));
  }

  start(id: number, salt: number, options: LinksOptions): void {
    const peers = options.nodes.map(({ node }) => node);
    const seal = new Seal({ self: nodeId(id), peers, salt: Buffer.alloc(8, salt), key });
    const links = new Links(nodeId(id), seal, options, this.now);
    this.seals.set(id, seal);
    this.links.set(id, links);
    this.carry(id, links.start(this.now));
  }

  carry(from: number, effects: readonly LinksEffect[]): void {
    for (const effect of effects) {
      if (effect.type === "set-timer") this.due.set(from, this.now + effect.afterMs);
      if (effect.type === "receive") {
        this.received.push(`${effect.from}>${from} ${Buffer.from(effect.data).toString()}`);
      }
      if (effect.type !== "send") continue;
      this.sent.push({ from, effect });
      if (this.cut.has(`${effect.link} ${from} ${effect.to}`)) continue;
      this.flying.push(() => this.arrive(from, effect.link, effect.to, effect.data));
    }
    if (this.landing) return;
    // One after the other: a node's answer starts only when all effects of the step before were carried out.
    this.landing = true;
    for (let next = this.flying.shift(); next; next = this.flying.shift()) next();
    this.landing = false;
  }

  arrive(from: number, link: number, to: number, data: Uint8Array): void {
    const node = this.links.get(to);
    if (node) this.carry(to, node.datagram(link, addressOf(from, link), data, this.now));
  }

  run(ms: number): void {
    const end = this.now + ms;
    for (;;) {
      const [next] = [...this.due].sort((a, b) => a[1] - b[1]);
      if (!next || next[1] > end) break;
      this.now = Math.max(this.now, next[1]);
      this.due.delete(next[0]);
      this.wakes++;
      this.carry(next[0], this.at(next[0]).timer(this.now));
    }
    this.now = end;
  }

  at(id: number): Links {
    const links = this.links.get(id);
    if (!links) throw new Error(`no node ${id}`);
    return links;
  }

  send(from: number, to: NodeId | "all", text: string): number[] {
    this.sent.length = 0;
    this.carry(from, this.at(from).transmit(to, Buffer.from(text), this.now));
    return this.sent.map(({ effect }) => effect.link);
  }

  drops(id: number): Record<string, number> {
    const all = Object.entries(this.at(id).status().counters);
    return Object.fromEntries(
      all.filter(([name]) => name.startsWith("drop:")).map(([n, c]) => [n.slice(5), c]),
    );
  }

  cutLink(link: number, a: number, b: number, both = true): void {
    this.cut.add(`${link} ${a} ${b}`);
    if (both) this.cut.add(`${link} ${b} ${a}`);
  }
}

describe("link_mode", () => {
  test("passive takes the link with the highest priority, and the next when that is down", () => {
    const bench = new Bench(2, 3);
    bench.run(1000);
    expect(bench.send(1, nodeId(2), "a")).toEqual([1]);
    bench.cutLink(1, 1, 2);
    bench.run(2000);
    expect(bench.send(1, nodeId(2), "b")).toEqual([0]);
    expect(bench.received).toEqual(["1>2 a", "1>2 b"]);
    bench.cut.clear();
    bench.run(2000);
    expect(bench.send(1, nodeId(2), "c")).toEqual([1]);
  });

  test("passive leaves a silent link before its timeout is over", () => {
    const bench = new Bench(2, 2);
    bench.run(1000);
    bench.cutLink(1, 1, 2);
    bench.run(480);
    expect(
      bench
        .at(1)
        .status()
        .links.every(({ up }) => up),
    ).toBe(true);
    expect(bench.send(1, nodeId(2), "a")).toEqual([0]);
  });

  test("active takes all links, and the message arrives once", () => {
    const bench = new Bench(2, 3, "active");
    bench.run(1000);
    expect(bench.send(1, nodeId(2), "a").sort()).toEqual([0, 1, 2]);
    expect(bench.received).toEqual(["1>2 a"]);
    expect(bench.drops(2).replay).toBe(2);
  });

  test("rr takes the links in turn", () => {
    const bench = new Bench(2, 3, "rr");
    bench.run(1000);
    const used = [1, 2, 3].flatMap(() => bench.send(1, nodeId(2), "a"));
    expect(used.sort()).toEqual([0, 1, 2]);
  });

  test("eight links: any one of them is enough", () => {
    for (const mode of ["passive", "active", "rr"] as const) {
      const bench = new Bench(2, 8, mode);
      bench.run(1000);
      expect(
        bench
          .at(1)
          .status()
          .links.map(({ up }) => up),
      ).toEqual(new Array(8).fill(true));
      for (let link = 0; link < 7; link++) bench.cutLink(link, 1, 2);
      bench.run(2000);
      expect(bench.send(1, nodeId(2), "a")).toEqual([7]);
      expect(bench.received).toEqual(["1>2 a"]);
    }
  });

  test("what goes to all is encrypted once", () => {
    const bench = new Bench(4, 1);
    bench.run(1000);
    bench.send(1, "all", "x");
    expect(bench.sent.map(({ effect }) => Number(effect.to))).toEqual([2, 3, 4]);
    expect(new Set(bench.sent.map(({ effect }) => effect.data)).size).toBe(1);
  });
});

describe("liveness", () => {
  test("a link comes up after pong_count answers and goes down after ping_timeout", () => {
    const bench = new Bench(2, 1);
    expect(bench.at(1).status().links[0]).toMatchObject({ up: false });
    bench.run(100);
    expect(bench.at(1).status().links[0]).toMatchObject({ up: true, downs: 0 });
    bench.cutLink(0, 1, 2);
    bench.run(400);
    expect(bench.at(1).status().links[0]?.up).toBe(true);
    bench.run(600);
    expect(bench.at(1).status().links[0]).toMatchObject({ up: false, downs: 1 });
    expect(bench.at(2).status().links[0]).toMatchObject({ up: false, downs: 1 });
  });

  test("a link that carries one way only is down on both sides", () => {
    const bench = new Bench(2, 1);
    bench.run(1000);
    bench.cutLink(0, 1, 2, false);
    bench.run(2100);
    expect(bench.at(1).status().hears.get(nodeId(1))).toEqual([]);
    expect(bench.at(2).status().hears.get(nodeId(2))).toEqual([]);
    bench.send(2, nodeId(1), "nobody listens");
    expect(bench.sent).toEqual([]);
  });

  test("pings of both sides and of all links go together, so that a quiet node wakes once an interval", () => {
    const bench = new Bench(2, 3);
    bench.run(1000);
    bench.wakes = 0;
    const pings = () => [1, 2].map((id) => bench.at(id).status().counters.pings ?? 0);
    const before = pings();
    bench.run(10_000);
    expect(pings().map((count, at) => count - (before[at] ?? 0))).toEqual([120, 120]);
    expect(bench.wakes).toBeLessThanOrEqual(40);
  });

  test("a node counts as heard for the lag after its last link went down", () => {
    const bench = new Bench(2, 1);
    bench.run(1000);
    bench.cutLink(0, 1, 2);
    bench.run(1100);
    expect(bench.at(1).status().links[0]?.up).toBe(false);
    expect(bench.at(1).status().hears.get(nodeId(1))).toEqual([nodeId(2)]);
    bench.run(1000);
    expect(bench.at(1).status().hears.get(nodeId(1))).toEqual([]);
  });

  test("each node tells whom it hears", () => {
    const bench = new Bench(3, 1);
    bench.run(1000);
    bench.cutLink(0, 1, 2);
    bench.run(3000);
    const hears = bench.at(3).status().hears;
    expect([...hears].map(([node, list]) => `${node}: ${list}`)).toEqual(["3: 1,2", "1: 3", "2: 3"]);
  });

  test("a link that fails again and again has to hold longer each time", () => {
    const bench = new Bench(2, 1);
    bench.run(1000);
    const upAfter: number[] = [];
    for (let round = 0; round < 4; round++) {
      bench.cutLink(0, 1, 2);
      bench.run(1000);
      bench.cut.clear();
      const mended = bench.now;
      while (!bench.at(1).status().links[0]?.up) bench.run(50);
      upAfter.push(bench.now - mended);
    }
    expect(upAfter[0]).toBeLessThan(500);
    expect(upAfter[3]).toBeGreaterThan(2500);
  });
});

describe("what is dropped, is counted", () => {
  const bench = new Bench(3, 2);
  bench.run(1000);
  const node = bench.at(2);
  const at = (link: number, from: string, data: Uint8Array) => {
    const before = bench.drops(2);
    const effects = node.datagram(link, from, data, bench.now);
    expect(effects.filter(({ type }) => type === "receive")).toEqual([]);
    const after = bench.drops(2);
    return Object.keys(after).filter((name) => after[name] !== before[name]);
  };
  const fresh = (from: number, to: NodeId | "all" = nodeId(2)) => {
    const effects = bench.at(from).transmit(to, Buffer.from("hello"), bench.now);
    const send = effects.find((effect) => effect.type === "send");
    if (send?.type !== "send") throw new Error("nothing was sent");
    return send.data;
  };

  test("unlisted address", () => {
    expect(at(0, "192.168.0.99", fresh(1))).toEqual(["unlisted-address"]);
  });
  test("another node's address", () => {
    expect(at(0, addressOf(3, 0), fresh(1))).toEqual(["wrong-address"]);
  });
  test("an address of another link", () => {
    expect(at(0, addressOf(1, 1), fresh(1))).toEqual(["unlisted-address"]);
  });
  test("too short, foreign, forged", () => {
    expect(at(0, addressOf(1, 0), Buffer.alloc(10))).toEqual(["short"]);
    expect(at(0, addressOf(1, 0), Buffer.alloc(100))).toEqual(["foreign"]);
    const forged = Buffer.from(fresh(1));
    forged[30] = (forged[30] ?? 0) ^ 1;
    expect(at(0, addressOf(1, 0), forged)).toEqual(["bad-tag"]);
  });
  test("a datagram for somebody else", () => {
    expect(at(0, addressOf(1, 0), fresh(1, nodeId(3)))).toEqual(["misdirected"]);
  });
  test("a datagram twice", () => {
    const data = fresh(1);
    node.datagram(0, addressOf(1, 0), data, bench.now);
    expect(at(1, addressOf(1, 1), data)).toEqual(["replay"]);
  });
  test("an earlier incarnation, also when its datagram is sent again much later", () => {
    const old = fresh(1);
    bench.start(1, 77, optionsFor(3, 2, "passive"));
    bench.run(1000);
    expect(bench.send(1, nodeId(2), "again")).toHaveLength(1);
    expect(bench.received.at(-1)).toBe("1>2 again");
    expect(at(0, addressOf(1, 0), old)).toEqual(["unproven"]);
    bench.run(1000);
    expect(bench.send(1, nodeId(2), "still")).toHaveLength(1);
    expect(bench.received.at(-1)).toBe("1>2 still");
  });
  test("of another version, of this node itself, of a node that is not listed, with another key", () => {
    const from1 = addressOf(1, 0);
    const newer = Buffer.from(fresh(1));
    newer[2] = 9;
    expect(at(0, from1, newer)).toEqual(["version"]);
    const own = bench.seals.get(2)?.seal(Buffer.from([1, 255, 0, 0, 0, 0]), Buffer.from("echo"));
    expect(at(0, from1, own ?? new Uint8Array())).toEqual(["own"]);
    const seal = (self: number, secret = key) =>
      new Seal({ self: nodeId(self), peers: [nodeId(2)], salt: Buffer.alloc(8, 5), key: secret });
    const head = Buffer.from([1, 255, 0, 0, 0, 0]);
    expect(at(0, from1, seal(9).seal(head, Buffer.from("x")))).toEqual(["unknown-sender"]);
    const other = clusterKey(Buffer.alloc(64, 4));
    expect(at(0, from1, seal(1, other).seal(head, Buffer.from("x")))).toEqual(["unknown-key"]);
  });
  test("over a link that the sender does not have", () => {
    const lonely = new Bench(2, 2, "passive", false);
    lonely.run(1000);
    const options = optionsFor(2, 2, "passive", false);
    const nodes = options.nodes.map((entry) => ({ ...entry, addresses: entry.addresses.slice(0, 1) }));
    lonely.carry(2, lonely.at(2).reconfigure({ ...options, nodes }, lonely.now));
    const [effect] = lonely.at(1).transmit(nodeId(2), Buffer.from("x"), lonely.now);
    if (effect?.type !== "send") throw new Error("nothing was sent");
    lonely.at(2).datagram(1, addressOf(1, 1), effect.data, lonely.now);
    expect(lonely.drops(2)["unknown-link"]).toBe(1);
  });
  test("an answer to a ping that was never sent, and one to an earlier start of this node", () => {
    const seal = bench.seals.get(1);
    const own = bench.seals.get(2);
    if (!seal || !own) throw new Error("no seal");
    const pong = (high: number) => {
      const head = Buffer.from([3, 0, 0, 0, 0, 2]);
      return seal.seal(
        head,
        encodePong({ incarnation: { high, low: own.incarnation.low }, counter: 2 ** 40 }),
      );
    };
    expect(at(0, addressOf(1, 0), pong(own.incarnation.high + 1))).toEqual(["stale-pong"]);
    // Of a peer that has proved itself a late answer is nothing to complain about.
    expect(at(0, addressOf(1, 0), pong(own.incarnation.high))).toEqual([]);
  });
  test("a message of a node that is not heard both ways", () => {
    const oneWay = new Bench(2, 1);
    oneWay.run(1000);
    oneWay.cutLink(0, 2, 1, false);
    oneWay.run(1400);
    const [effect] = oneWay.at(1).transmit(nodeId(2), Buffer.from("x"), oneWay.now);
    oneWay.run(800);
    if (effect?.type === "send") oneWay.at(2).datagram(0, addressOf(1, 0), effect.data, oneWay.now);
    expect(oneWay.drops(2).unreachable).toBe(1);
    expect(oneWay.received).toEqual([]);
  });
  test("garbage inside the seal", () => {
    const seal = bench.seals.get(1);
    if (!seal) throw new Error("no seal");
    expect(at(0, addressOf(1, 0), seal.seal(Buffer.from([1, 2]), new Uint8Array(0)))).toEqual(["malformed"]);
    const unknown = Buffer.from([99, 0, 0, 0, 0, 0]);
    expect(at(0, addressOf(1, 0), seal.seal(unknown, new Uint8Array(0)))).toEqual(["malformed"]);
    const ping = Buffer.from([2, 0, 0, 0, 0, 2]);
    expect(at(0, addressOf(1, 0), seal.seal(ping, Buffer.from([0, 9, 1])))).toEqual(["malformed"]);
  });
});

test("with block_unlisted_ips off, the seal alone decides", () => {
  const bench = new Bench(2, 1, "passive", false);
  bench.run(1000);
  const effects = bench.at(1).transmit(nodeId(2), Buffer.from("hello"), bench.now);
  for (const effect of effects) {
    if (effect.type === "send") bench.carry(2, bench.at(2).datagram(0, "10.9.8.7", effect.data, bench.now));
  }
  expect(bench.received).toEqual(["1>2 hello"]);
});

test("a node that is taken out and put in again is forgotten and met anew", () => {
  const bench = new Bench(3, 1);
  bench.run(1000);
  bench.carry(1, bench.at(1).reconfigure(optionsFor(2, 1, "passive"), bench.now));
  expect(bench.at(1).status().hears.get(nodeId(1))).toEqual([nodeId(2)]);
  expect(bench.send(1, nodeId(3), "x")).toEqual([]);
  bench.carry(1, bench.at(1).reconfigure(optionsFor(3, 1, "passive"), bench.now));
  bench.run(1000);
  expect(bench.at(1).status().hears.get(nodeId(1))).toEqual([nodeId(2), nodeId(3)]);
});

describe("addresses", () => {
  for (const [given, canonical] of [
    ["10.0.0.1", "10.0.0.1"],
    ["::ffff:10.0.0.1", "10.0.0.1"],
    ["::FFFF:a00:1", "10.0.0.1"],
    ["fe80::1%eth0", "fe80:0:0:0:0:0:0:1"],
    ["FE80:0::0001", "fe80:0:0:0:0:0:0:1"],
    ["2001:db8::", "2001:db8:0:0:0:0:0:0"],
    ["::", "0:0:0:0:0:0:0:0"],
    ["1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"],
    ["1::2::3", "1::2::3"],
    ["1:2:3", "1:2:3"],
    ["host:name", "host:name"],
  ] as const) {
    test(`${given} is ${canonical}`, () => expect(canonicalAddress(given)).toBe(canonical));
  }
});

describe("bodies", () => {
  test("are read as they were written", () => {
    const pong = { incarnation: { high: 0xfedcba98, low: 1 }, counter: 2 ** 47 + 5 };
    expect(decodePong(encodePong(pong))).toEqual(pong);
    expect(decodePing(encodePing([]))).toEqual([]);
    expect(decodePing(encodePing([nodeId(1), nodeId(0xffffffff)]))).toEqual([nodeId(1), nodeId(0xffffffff)]);
  });
  test("of any other length are refused", () => {
    const ping = encodePing([nodeId(1), nodeId(2)]);
    for (let length = 0; length < ping.length; length++)
      expect(decodePing(ping.subarray(0, length))).toBeUndefined();
    const pong = encodePong({ incarnation: { high: 1, low: 2 }, counter: 3 });
    for (let length = 0; length < pong.length; length++)
      expect(decodePong(pong.subarray(0, length))).toBeUndefined();
  });
});
