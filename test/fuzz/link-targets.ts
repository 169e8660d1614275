import { RingCore, type RingCoreOptions } from "../../src/daemon/ring-core.ts";
import { nodeId } from "../../src/terms/index.ts";
import { clusterKey, Links, type LinksEffect, type LinksOptions, Seal } from "../../src/totem/index.ts";
import { totemOptionsFor } from "../sim/file.ts";
import { recordedUnits, ringMessages } from "./recorded.ts";
import { broken, type Target } from "./targets.ts";

const [one, two] = [nodeId(1), nodeId(2)];
const address = (node: number) => `192.0.2.${node}`;
const secret = Buffer.alloc(64, 3);

const linksOptions: LinksOptions = {
  mode: "passive",
  links: [
    { number: 0, priority: 1, pingIntervalMs: 250, pingTimeoutMs: 500, pongCount: 2, pingPrecision: 2048 },
  ],
  nodes: [one, two].map((node) => ({ node, addresses: [{ link: 0, address: address(node), port: 5405 }] })),
  blockUnlistedIps: true,
  reachLagMs: 1000,
};

/** The other side of a link: what it sends goes to `deliver`, which answers with what comes back. */
class Peer {
  readonly seal: Seal;
  readonly links: Links;
  now = 0;
  #due = 0;

  constructor(
    readonly deliver: (data: Uint8Array, now: number) => readonly Uint8Array[],
    salt: number,
    key = secret,
  ) {
    const salted = Buffer.alloc(8, salt);
    this.seal = new Seal({ self: one, peers: [two], salt: salted, key: clusterKey(key) });
    this.links = new Links(one, this.seal, linksOptions, 0);
    this.#carry(this.links.start(0));
  }

  advance(ms: number): void {
    for (const end = this.now + ms; this.now < end; this.now++) {
      if (this.now >= this.#due) this.#carry(this.links.timer(this.now));
    }
  }

  /** Something came from the other side. */
  receive(data: Uint8Array): void {
    this.#carry(this.links.datagram(0, address(two), data, this.now));
  }

  /** What it sends for a protocol message. */
  sealed(message: Uint8Array): Uint8Array[] {
    const effects = this.links.transmit(two, message, this.now);
    return effects.flatMap((effect) => (effect.type === "send" ? [effect.data] : []));
  }

  #carry(effects: readonly LinksEffect[]): void {
    for (const effect of effects) {
      if (effect.type === "set-timer") this.#due = this.now + effect.afterMs;
      if (effect.type !== "send") continue;
      for (const answer of this.deliver(effect.data, this.now)) this.receive(answer);
    }
  }
}

const sends = (effects: readonly { readonly type: string }[]): Uint8Array[] =>
  (effects as readonly LinksEffect[]).flatMap((effect) => (effect.type === "send" ? [effect.data] : []));

/** Nothing is accepted without the key: damaged datagrams, those of another cluster, and recordings. */
function enemy(): Target {
  const seal = new Seal({ self: two, peers: [one], salt: Buffer.alloc(8, 9), key: clusterKey(secret) });
  const links = new Links(two, seal, linksOptions, 0);
  const recorded: Uint8Array[] = [];
  const deliver = (data: Uint8Array, now: number) => {
    recorded.push(data.slice());
    return sends(links.datagram(0, address(one), data, now));
  };
  let due = 0;
  const peer = new Peer(deliver, 1);
  const run = (ms: number) => {
    for (let at = 0; at < ms; at++) {
      peer.advance(1);
      if (peer.now < due) continue;
      const effects = links.timer(peer.now);
      for (const effect of effects) if (effect.type === "set-timer") due = peer.now + effect.afterMs;
      for (const data of sends(effects)) peer.receive(data);
    }
  };
  run(1000);
  for (const unit of recordedUnits().slice(0, 100))
    for (const data of peer.sealed(unit)) deliver(data, peer.now);
  const stranger = new Seal({
    self: one,
    peers: [two],
    salt: Buffer.alloc(8, 4),
    key: clusterKey(Buffer.alloc(64, 8)),
  });
  const foreign = recordedUnits()
    .slice(0, 20)
    .map((unit) => stranger.seal(Buffer.from([1, 255, 0, 0, 0, 0]), unit));
  const before = seal.provenIncarnation(one);
  return {
    name: "links: datagrams without the key",
    samples: [...recorded, ...foreign],
    feed: (data) => {
      const effects = links.datagram(0, address(one), data, peer.now);
      // That there are many of them is all that they may show.
      const shows = (type: string) => type === "refuse-unstamped" || type === "log";
      if (!effects.every(({ type }) => shows(type)))
        broken(`caused ${effects.map(({ type }) => type).join(", ")}`, data);
      return "refused";
    },
    end: () => {
      if (seal.provenIncarnation(one) !== before) throw new Error("another incarnation is believed");
      const [fresh] = peer.sealed(Buffer.from("still here"));
      const effects = fresh ? links.datagram(0, address(one), fresh, peer.now) : [];
      if (!effects.some(({ type }) => type === "receive"))
        throw new Error("the real peer is not heard any more");
    },
  };
}

/** A peer that has the key and says nonsense: the whole ring of a node goes on. */
function brokenPeer(): Target {
  const coreOptions: RingCoreOptions = {
    self: two,
    totem: totemOptionsFor(1000),
    quorum: {
      votes: new Map([one, two].map((id) => [id, 1])),
      twoNode: false,
      waitForAll: false,
      lastManStanding: false,
      lastManStandingWindowMs: 10_000,
      autoTieBreaker: false,
      autoTieBreakerNode: "lowest",
      allowDownscale: false,
    },
    links: linksOptions,
    key: secret,
    configVersion: 1,
    agreement: [["token", "1000"]],
  };
  const core = new RingCore(coreOptions, Buffer.alloc(8, 7), 0);
  const timers = new Map<string, number>();
  const step = (event: Parameters<RingCore["step"]>[0], now: number): Uint8Array[] => {
    const out: Uint8Array[] = [];
    for (const effect of core.step(event, now)) {
      if (effect.type === "send") out.push(effect.data);
      else if (effect.type === "set-timer") timers.set(effect.timer, now + effect.afterMs);
      else if (effect.type === "cancel-timer") timers.delete(effect.timer);
      else if (effect.type === "persist")
        out.push(...step({ type: "persisted", ringSequence: effect.ringSequence }, now));
    }
    return out;
  };
  const deliver = (data: Uint8Array, now: number) =>
    step({ type: "datagram", link: 0, address: address(one), data }, now);
  const peer = new Peer(deliver, 1);
  step({ type: "start", ringSequence: 0 }, 0);
  step({ type: "manager-up", incarnation: 5 }, 0);
  const run = (ms: number) => {
    for (let at = 0; at < ms; at++) {
      peer.advance(1);
      for (const [timer, due] of timers) {
        if (due > peer.now) continue;
        timers.delete(timer);
        for (const data of step({ type: "timer", timer: timer as "links:tick" }, peer.now))
          peer.receive(data);
      }
    }
  };
  run(1000);
  const units = recordedUnits();
  let fed = 0;
  return {
    name: "ring: a peer with the key that says nonsense",
    samples: [...units, ...ringMessages()],
    feed: (data, random) => {
      fed++;
      if (fed % 200 === 0) run(random.between(1, 60));
      const bare = random.chance(0.1);
      const [sealed] = bare ? [peer.seal.seal(data, new Uint8Array(0))] : peer.sealed(data);
      if (!sealed) throw new Error("the link went down");
      const before = core.status().totem.counters.malformed ?? 0;
      deliver(sealed, peer.now);
      return bare || (core.status().totem.counters.malformed ?? 0) > before ? "refused" : "accepted";
    },
    end: () => {
      const [link] = core.status().links.links;
      if (!link?.up) throw new Error("the link went down");
    },
  };
}

/** What comes from the network. */
export const linkTargets = (): Target[] => [enemy(), brokenPeer()];
