import { describe, expect, test } from "bun:test";
import { type NodeId, nodeId } from "../../src/terms/index.ts";
import { Links, type LinksOptions, type SealCipher, strangerText } from "../../src/totem/index.ts";
import { Seal } from "../../src/totem/seal.ts";
import { AES_256_GCM } from "../../src/totem/seal-cipher.ts";
import { clusterKey } from "../../src/totem/seal-key.ts";

const right = Buffer.alloc(64, 3);
const addressOf = (node: number) => `192.168.0.${node}`;

const optionsFor = (nodes: readonly number[], block: boolean): LinksOptions => ({
  mode: "passive",
  links: [
    { number: 0, priority: 1, pingIntervalMs: 250, pingTimeoutMs: 500, pongCount: 2, pingPrecision: 2048 },
  ],
  nodes: nodes.map((node) => ({
    node: nodeId(node),
    addresses: [{ link: 0, address: addressOf(node), port: 5405 }],
  })),
  blockUnlistedIps: block,
  reachLagMs: 1000,
});

interface Host {
  readonly address: string;
  readonly links: Links;
  due: number;
}

interface Wanted {
  readonly address?: string;
  readonly key?: Uint8Array;
  readonly nodes?: readonly number[];
  readonly block?: boolean;
  readonly cipher?: SealCipher;
}

/** Hosts on one network, each with its own idea of the cluster; datagrams arrive at once. */
class Net {
  readonly hosts: Host[] = [];
  readonly said: string[] = [];
  /** The last datagram of each host. */
  readonly recorded = new Map<string, Uint8Array>();
  now = 0;
  private starts = 0;

  add(node: number, wanted: Wanted = {}): Host {
    const { address = addressOf(node), key = right, nodes = [1, 2, 3], block = true, cipher } = wanted;
    const options = optionsFor(nodes, block);
    const seal = new Seal({
      self: nodeId(node),
      peers: options.nodes.map((one) => one.node),
      salt: Buffer.alloc(8, ++this.starts),
      key: clusterKey(key),
      ...(cipher && { cipher }),
    });
    const links = new Links(nodeId(node), seal, options, this.now);
    const host = { address, links, due: this.now };
    this.hosts.push(host);
    return host;
  }

  remove(host: Host): void {
    this.hosts.splice(this.hosts.indexOf(host), 1);
  }

  /** One datagram to a host, as if it came from an address. */
  send(to: Host, address: string, data: Uint8Array): void {
    this.carry(to, to.links.datagram(0, address, data, this.now));
  }

  run(ms: number, often?: () => void): void {
    for (const end = this.now + ms; this.now < end; this.now += 10) {
      for (const host of [...this.hosts]) {
        if (host.due > this.now) continue;
        host.due = Number.POSITIVE_INFINITY;
        this.carry(host, host.links.timer(this.now));
      }
      often?.();
    }
  }

  /** What a host names now, as its status shows it. */
  named(host: Host): string[] {
    return host.links.status().strangers.map((stranger) => strangerText(stranger));
  }

  private carry(from: Host, effects: ReturnType<Links["timer"]>): void {
    for (const effect of effects) {
      if (effect.type === "set-timer") from.due = this.now + effect.afterMs;
      if (effect.type === "log" && effect.level === "warning" && effect.text.includes("ignored"))
        this.said.push(`${from.address}: ${effect.text}`);
      if (effect.type !== "send") continue;
      this.recorded.set(from.address, effect.data);
      for (const to of this.hosts.filter(({ address }) => address === effect.address))
        this.send(to, from.address, effect.data);
    }
  }
}

const up = (host: Host, node: number): boolean =>
  host.links.status().links.some((link) => link.node === (node as NodeId) && link.up);

describe("a host that is ignored is named, once, in the log and as long as it is there in the status", () => {
  for (const block of [true, false])
    test(`the number of a listed node at another address (block_unlisted_ips ${block})`, () => {
      const net = new Net();
      const one = net.add(1, { block });
      net.add(2, { block });
      const claimant = net.add(3, { address: "192.168.0.99", block });
      const text =
        "a host at 192.168.0.99 (link 0) has the cluster's key and claims to be node 3, which the node list has at another address: it is ignored";
      net.run(1000);
      expect(net.said).toEqual([]);
      net.run(300_000);
      expect(net.said.sort()).toEqual([`192.168.0.1: ${text}`, `192.168.0.2: ${text}`]);
      expect(net.named(one)).toEqual([text]);
      expect([up(one, 2), up(one, 3)]).toEqual([true, false]);
      net.remove(claimant);
      net.run(11_000);
      expect(net.named(one)).toEqual([]);
      net.run(60_000);
      net.add(3, { address: "192.168.0.99", block });
      net.run(20_000);
      expect(net.said).toHaveLength(4);
    });

  test("the own number of the node that hears it, and a number that is not in its list", () => {
    const net = new Net();
    const one = net.add(1);
    net.add(1, { address: "192.168.0.98" });
    net.add(9, { address: "192.168.0.97", nodes: [1, 9] });
    let before: Uint8Array | undefined;
    // Its list has another node at the address of the one that has its number.
    net.run(20_000, () => {
      const data = net.recorded.get("192.168.0.98");
      if (data && data !== before) net.send(one, "192.168.0.98", data);
      before = data;
    });
    expect(net.named(one).sort()).toEqual([
      "a host at 192.168.0.97 (link 0) has the cluster's key and is node 9, which is not in the node list of this node: it is ignored",
      "a host at 192.168.0.98 (link 0) has the cluster's key and claims to be this node: it is ignored",
    ]);
    expect(net.said).toHaveLength(2);
  });

  test("another number for itself on one node: both sides say it", () => {
    const net = new Net();
    const one = net.add(1, { nodes: [1, 2] });
    const nine = net.add(9, { address: addressOf(2), nodes: [1, 9] });
    net.run(120_000);
    expect(net.named(one)).toEqual([
      "a host at 192.168.0.2 (link 0) has the cluster's key and is node 9, which is not in the node list of this node: it is ignored",
    ]);
    expect(net.named(nine)).toEqual([
      "a host at 192.168.0.1 (link 0) has the cluster's key, is node 1, and takes this host for another node than it is, since the node lists differ: it is ignored",
    ]);
    expect(net.said).toHaveLength(2);
  });

  test("another key on one node: both sides say it", () => {
    const net = new Net();
    const one = net.add(1);
    net.add(2);
    const three = net.add(3, { key: Buffer.alloc(64, 4) });
    net.run(120_000);
    const text = (node: number) =>
      `node ${node} at ${addressOf(node)} (link 0) uses another key or cluster_name: it is ignored`;
    expect(net.named(one)).toEqual([text(3)]);
    expect(net.named(three).sort()).toEqual([text(1), text(2)]);
    expect(net.said).toHaveLength(4);
  });

  test("several at once, each", () => {
    const net = new Net();
    const nodes = [1, 2, 3, 4, 5, 6, 7, 8];
    const one = net.add(1, { nodes });
    for (const node of nodes.slice(1)) net.add(node, { nodes, key: Buffer.alloc(64, 4) });
    net.run(60_000);
    expect(net.named(one)).toHaveLength(7);
    expect(net.said.filter((line) => line.startsWith("192.168.0.1:"))).toHaveLength(7);
  });

  test("what changes is said again, but not at any speed", () => {
    const net = new Net();
    net.add(1, { nodes: [1, 3] });
    const host = net.hosts[0];
    if (!host) throw new Error("no host");
    const junk = Buffer.alloc(60, 1);
    const version = Buffer.from(junk);
    version.writeUInt16BE(0xc17e, 0);
    version[2] = 9;
    const phase = (ms: number, data: Uint8Array) => net.run(ms, () => net.send(host, addressOf(3), data));
    phase(5000, junk);
    expect(net.said).toHaveLength(1);
    phase(5000, version);
    phase(5000, junk);
    expect(net.said).toHaveLength(1);
    phase(70_000, version);
    expect(net.said).toHaveLength(2);
    expect(net.said[0]).toContain("sends what is not of hactl");
    expect(net.said[1]).toContain("speaks another version of the ring's protocol");
  });
});

describe("nothing is said of", () => {
  test("a difference that is over after a moment", () => {
    const net = new Net();
    net.add(1);
    net.add(2);
    const three = net.add(3, { key: Buffer.alloc(64, 4) });
    net.run(1500);
    net.remove(three);
    net.add(3);
    net.run(60_000);
    expect(net.said).toEqual([]);
  });

  test("what comes in the name of a node that is heard well", () => {
    const net = new Net();
    const one = net.add(1);
    net.add(2);
    net.run(2000);
    net.run(60_000, () => net.send(one, addressOf(2), Buffer.alloc(60, 1)));
    expect([net.said, net.named(one), up(one, 2)]).toEqual([[], [], true]);
  });

  test("a recording that is played again from elsewhere", () => {
    const net = new Net();
    const one = net.add(1);
    net.add(2);
    net.run(2000);
    const recording = net.recorded.get(addressOf(2));
    if (!recording) throw new Error("nothing was sent");
    net.run(60_000, () => net.send(one, "192.168.0.99", recording));
    expect([net.said, net.named(one)]).toEqual([[], []]);
  });

  test("a flood of forgeries, and hardly one of them costs a decryption", () => {
    let opened = 0;
    const cipher: SealCipher = {
      seal: AES_256_GCM.seal,
      open: (key, nonce, datagram, header) => {
        opened++;
        return AES_256_GCM.open(key, nonce, datagram, header);
      },
    };
    const net = new Net();
    const one = net.add(1, { cipher });
    const forged = Buffer.alloc(200, 7);
    forged.writeUInt16BE(0xc17e, 0);
    forged.writeUInt16BE(0x0200, 2);
    forged.writeUInt16BE(clusterKey(right).id, 4);
    forged.writeUInt32BE(3, 6);
    let sent = 0;
    net.run(10_000, () => {
      for (let at = 0; at < 20; at++) {
        forged.writeUIntBE(++sent, 18, 6);
        net.send(one, `10.${sent >> 16}.${(sent >> 8) & 255}.${sent & 255}`, forged);
      }
    });
    expect(sent).toBe(20_000);
    expect(opened).toBe(0);
    expect([net.said, net.named(one)]).toEqual([[], []]);
  });
});
