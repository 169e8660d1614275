import { type NodeId, nodeId } from "../../src/terms/index.ts";
import {
  type RingId,
  SingleRing,
  type TotemEffect,
  type TotemEvent,
  type TotemOptions,
} from "../../src/totem/index.ts";
import { Context } from "../../src/totem/srp/context.ts";
import { digestOf } from "../../src/totem/srp/digest.ts";
import { SendQueue } from "../../src/totem/srp/send-queue.ts";
import {
  type Commit,
  type CommitEntry,
  decapsulate,
  decode,
  encapsulate,
  encodeCommit,
  encodeHoldCancel,
  encodeJoin,
  encodeMerge,
  encodeToken,
  encodeTokenAck,
  type Pdu,
  type Regular,
  type Stamp,
  type Token,
} from "../../src/totem/srp/wire.ts";
import { options } from "./network.ts";

type Fields = ReadonlyMap<string, string>;

const list = (text: string | undefined): NodeId[] =>
  text === undefined || text === "" ? [] : text.split(",").map((id) => nodeId(Number(id)));
const set = (text: string | undefined): Set<NodeId> => new Set(list(text));
const show = (ids: Iterable<NodeId>): string => [...ids].join(",");
const ringName = (ring: RingId): string => `${ring.representative}.${ring.sequence}`;

/** Payloads in scripts: a short text, or `bytes*N` for N bytes. */
function payloadOf(text: string): Uint8Array {
  const large = /^(.)\*(\d+)$/.exec(text);
  return new TextEncoder().encode(large ? (large[1] ?? "").repeat(Number(large[2])) : text);
}

function payloadName(payload: Uint8Array): string {
  const text = new TextDecoder().decode(payload);
  return text.length > 20 && new Set(text).size === 1 ? `${text[0]}*${text.length}` : text;
}

function regular(
  from: number,
  ring: RingId,
  sequence: number,
  safe: boolean,
  texts: readonly string[],
): Regular {
  const queue = new SendQueue();
  for (const text of texts) queue.push(payloadOf(text), safe ? "safe" : "agreed");
  const message = queue.pack(nodeId(from), ring, sequence, 1400);
  if (!message || queue.length > 0) throw new Error(`"${texts.join(" ")}" does not fit one message`);
  return message;
}

/** One node under test, fed with events written as text; its effects as text. test/totem/scripts/README.md */
export class ScriptNode {
  readonly self: NodeId;
  readonly ring: SingleRing;
  readonly #peers: readonly NodeId[];
  readonly #options: TotemOptions;
  now = 0;
  showTimers = false;
  showLog = false;
  readonly #timers = new Map<string, number>();
  #hop = -1;
  #sequence = 0;
  #state = "stopped";
  /** Digests of the members of the rings that commit tokens have named. */
  readonly #digests = new Map<string, number>();

  constructor(self: number, peers: readonly NodeId[], changes: Partial<TotemOptions>) {
    this.self = nodeId(self);
    this.#peers = peers;
    this.#options = { ...options, ...changes };
    this.ring = new SingleRing({ self: this.self, peers, options: this.#options });
  }

  /** Brings the node to Operational in a ring of `members`, the others being played. */
  form(members: readonly NodeId[]): void {
    this.event({ type: "start", ringSequence: 0 });
    const all = new Set(members);
    const join = encodeJoin({
      kind: "join",
      leave: false,
      ringSequence: 0,
      proc: all,
      failed: new Set(),
      heard: all,
      orderly: new Set(),
      stamp: this.#stamp(),
    });
    const others = members.filter((id) => id !== this.self);
    let effects: readonly TotemEffect[] = others.flatMap((from) =>
      this.event({ type: "datagram", from, data: join }),
    );
    const index = members.indexOf(this.self);
    const entries: CommitEntry[] = members.map((id) => ({
      id,
      filled: true,
      oldRing: { representative: id, sequence: 0, memberDigest: digestOf([id]) },
      aru: 0,
      high: 0,
      delivered: 0,
      obligation: [],
    }));
    const ring = { representative: members[0] ?? this.self, sequence: 4, memberDigest: digestOf(members) };
    const before = members.at(index - 1) ?? this.self;
    const pass = (hop: number) => {
      const commit: Commit = { kind: "commit", ring, hop, members: entries, orderly: [] };
      return this.event({ type: "datagram", from: before, data: encodeCommit(commit) });
    };
    if (index > 0) effects = pass(index);
    if (!effects.some(({ type }) => type === "persist")) throw new Error("no commit");
    this.event({ type: "persisted", ringSequence: 2000 });
    pass(members.length + index);
    if (index === 0) pass(2 * members.length);
    else this.#hop = index - members.length;
    while (this.ring.status().state === "recovery") this.feed("token seq=0", before);
    if (this.ring.status().state !== "operational") throw new Error(`given: ${this.ring.status().state}`);
    this.#state = "operational";
  }

  /** An event in the language of the scripts; answers the effects as lines. */
  feed(text: string, from?: NodeId): string[] {
    const [verb = "", ...words] = text.split(" ");
    switch (verb) {
      case "start":
        return this.#lines(this.event({ type: "start", ringSequence: Number(words[0]) }));
      case "timer":
        return this.#lines(this.event({ type: "timer", timer: words[0] as "join" }));
      case "persisted":
        return this.#lines(this.event({ type: "persisted", ringSequence: Number(words[0]) }));
      case "leave":
        return this.#lines(this.event({ type: "leave" }));
      case "lost":
        return this.#lines(this.event({ type: "lost", node: nodeId(Number(words[0])) }));
      case "send": {
        const guarantee = words[0] === "safe" ? "safe" : "agreed";
        return this.#lines(this.event({ type: "send", guarantee, payload: payloadOf(words[1] ?? "") }));
      }
      case "peers":
        return this.#lines(this.event({ type: "reconfigure", options, peers: list(words[0]) }));
      default: {
        const match = /^(\d+): (.*)$/.exec(text);
        const sender = match ? nodeId(Number(match[1])) : from;
        if (sender === undefined) throw new Error(`not an event: ${text}`);
        const data = this.#encode(match?.[2] ?? text, sender);
        return this.#lines(this.event({ type: "datagram", from: sender, data }));
      }
    }
  }

  /** Lets time pass and fires the timers that are due. */
  wait(ms: number): string[] {
    const end = this.now + ms;
    const lines: string[] = [];
    for (;;) {
      const due = [...this.#timers].filter(([, at]) => at <= end).sort((a, b) => a[1] - b[1])[0];
      if (!due) break;
      this.now = due[1];
      this.#timers.delete(due[0]);
      lines.push(...this.#lines(this.event({ type: "timer", timer: due[0] as "join" })));
    }
    this.now = end;
    return lines;
  }

  event(event: TotemEvent): readonly TotemEffect[] {
    const effects = this.ring.step(event, this.now);
    for (const effect of effects) {
      if (effect.type === "set-timer") this.#timers.set(effect.timer, this.now + effect.afterMs);
      else if (effect.type === "cancel-timer") this.#timers.delete(effect.timer);
      else if (effect.type === "transmit") {
        const pdu = decode(effect.data);
        if (pdu?.kind === "token") {
          this.#hop = pdu.hop;
          this.#sequence = pdu.sequence;
        } else if (pdu?.kind === "commit") this.#digests.set(ringName(pdu.ring), pdu.ring.memberDigest);
      }
    }
    return effects;
  }

  #lines(effects: readonly TotemEffect[]): string[] {
    const lines = effects.flatMap((effect) => this.#line(effect));
    const { state } = this.ring.status();
    if (state !== this.#state) lines.push(`state ${state}`);
    this.#state = state;
    return lines;
  }

  #line(effect: TotemEffect): string[] {
    switch (effect.type) {
      case "transmit":
        return [`to ${effect.to}: ${this.#describe(decode(effect.data))}`];
      case "deliver":
        return [
          `deliver ${ringName(effect.ringId)}/${effect.sequence} from ${effect.from}: ${payloadName(effect.payload)}`,
        ];
      case "configuration": {
        const parts = [`${effect.kind} ${ringName(effect.ringId)} members=${show(effect.members)}`];
        if (effect.joined.length > 0) parts.push(`joined=${show(effect.joined)}`);
        if (effect.left.length > 0) parts.push(`left=${show(effect.left)}`);
        if (effect.orderly.length > 0) parts.push(`orderly=${show(effect.orderly)}`);
        return [parts.join(" ")];
      }
      case "persist":
        return [`persist ${effect.ringSequence}`];
      case "set-timer":
        return this.showTimers ? [`set-timer ${effect.timer} ${effect.afterMs}`] : [];
      case "cancel-timer":
        return this.showTimers ? [`cancel-timer ${effect.timer}`] : [];
      case "log":
        return this.showLog ? [`log ${effect.level} ${effect.text}`] : [];
    }
  }

  #encode(text: string, from: NodeId): Uint8Array {
    const [kind = "", ...words] = text.split(" ");
    const fields: Fields = new Map(words.map((word) => word.split("=") as [string, string]));
    const named = fields.get("ring");
    const ring = named === undefined ? this.ring.status().ringId : this.#ringOf(named, []);
    const number = (name: string, otherwise: number) => Number(fields.get(name) ?? otherwise);
    switch (kind) {
      case "token":
        return encodeToken(this.#tokenOf(fields, number));
      case "message": {
        const texts = (fields.get("text") ?? "").split("+");
        return regular(number("by", from), ring, number("seq", 1), fields.has("safe"), texts).raw;
      }
      case "carrier": {
        const texts = (fields.get("text") ?? "").split("+");
        const inner = regular(
          number("by", from),
          this.#ringOf(fields.get("old") ?? "0.0", []),
          number("oldseq", 1),
          false,
          texts,
        );
        return encapsulate(from, ring, number("seq", 1), inner).raw;
      }
      case "join":
      case "leave":
        return encodeJoin({
          kind: "join",
          leave: kind === "leave",
          ringSequence: number("ringseq", 0),
          proc: set(fields.get("proc")),
          failed: set(fields.get("failed")),
          heard: set(fields.get("heard")),
          orderly: set(fields.get("orderly")),
          stamp: this.#stamp(fields.get("stamp")),
        });
      case "merge":
        return encodeMerge({
          kind: "merge",
          ring,
          members: set(fields.get("members")),
          heard: set(fields.get("heard")),
          stamp: this.#stamp(fields.get("stamp")),
        });
      case "hold-cancel":
        return encodeHoldCancel(ring);
      case "token-ack":
        return encodeTokenAck({ ring, hop: number("hop", this.#hop) });
      case "commit":
        return encodeCommit(this.#commitOf(fields, ring, number("hop", 0)));
      case "garbage":
        return new Uint8Array(number("bytes", 10)).fill(0x48);
      default:
        throw new Error(`not a message: ${text}`);
    }
  }

  /** `stamp=VERSION` or `stamp=VERSION/x` for a list of other nodes; else what the node under test has. */
  #stamp(text?: string): Stamp {
    const own = new Context(this.self, this.#peers, this.#options).stamp;
    const [version, other] = text?.split("/") ?? [];
    return { version: Number(version ?? own.version), nodes: own.nodes ^ (other === undefined ? 0 : 1) };
  }

  #tokenOf(fields: Fields, number: (name: string, otherwise: number) => number): Token {
    const status = this.ring.status();
    const named = status.state === "recovery" ? `${Math.min(...this.#peers)}.4` : undefined;
    const name = fields.get("ring") ?? named;
    const ring = name === undefined ? status.ringId : this.#ringOf(name, []);
    const members = status.members.length;
    const sequence = number("seq", this.#sequence);
    // Unless said otherwise the token has gone round once more.
    const hop = number("hop", this.#hop + members - 1);
    return {
      kind: "token",
      ring,
      hop: status.state === "recovery" && !fields.has("hop") ? this.#hop + this.#peers.length : hop,
      sequence,
      aru: number("aru", sequence),
      aruBy: number("by", 0),
      fcc: number("fcc", 0),
      backlog: number("backlog", 0),
      retransmit: fields.has("flag"),
      requests: list(fields.get("rtr")),
    };
  }

  /** The ring with this name: the node's own, one that a commit token has named, or else one of `members`. */
  #ringOf(name: string, members: readonly NodeId[]): RingId {
    const { ringId } = this.ring.status();
    if (name === ringName(ringId)) return ringId;
    const [representative, sequence] = name.split(".").map(Number);
    return {
      representative: nodeId(representative ?? 0),
      sequence: sequence ?? 0,
      memberDigest: this.#digests.get(name) ?? digestOf(members),
    };
  }

  /** `members=1:1.4/3/3/2,2` : id, old ring / aru / high / delivered / obligation; without them the entry is not filled. */
  #commitOf(fields: Fields, ring: RingId, hop: number): Commit {
    const members = (fields.get("members") ?? "").split(",").map((text): CommitEntry => {
      const [id = "", rest] = text.split(":");
      const [old = `${id}.0`, aru, high, delivered, owed] = rest?.split("/") ?? [];
      return {
        id: nodeId(Number(id)),
        filled: rest !== undefined,
        oldRing: this.#ringOf(old, [nodeId(Number(id))]),
        aru: Number(aru ?? 0),
        high: Number(high ?? 0),
        delivered: Number(delivered ?? 0),
        obligation: (owed ?? "")
          .split("+")
          .filter((text) => text !== "")
          .map((text) => nodeId(Number(text))),
      };
    });
    const memberDigest = digestOf(members.map(({ id }) => id));
    this.#digests.set(ringName(ring), memberDigest);
    const orderly = list(fields.get("orderly"));
    return { kind: "commit", ring: { ...ring, memberDigest }, hop, members, orderly };
  }

  #describe(pdu: Pdu | undefined): string {
    switch (pdu?.kind) {
      case "token": {
        const parts = [`token hop=${pdu.hop} seq=${pdu.sequence} aru=${pdu.aru}`];
        if (pdu.aruBy !== 0) parts.push(`by=${pdu.aruBy}`);
        if (pdu.fcc !== 0) parts.push(`fcc=${pdu.fcc}`);
        if (pdu.backlog !== 0) parts.push(`backlog=${pdu.backlog}`);
        if (pdu.requests.length > 0) parts.push(`rtr=${pdu.requests.join(",")}`);
        if (pdu.retransmit) parts.push("flag");
        return parts.join(" ");
      }
      case "regular":
        return this.#describeRegular(pdu);
      case "join": {
        const parts = [pdu.leave ? "leave" : "join", `ringseq=${pdu.ringSequence} proc=${show(pdu.proc)}`];
        if (pdu.failed.size > 0) parts.push(`failed=${show(pdu.failed)}`);
        if (pdu.heard.size > 0) parts.push(`heard=${show(pdu.heard)}`);
        if (pdu.orderly.size > 0) parts.push(`orderly=${show(pdu.orderly)}`);
        return parts.join(" ");
      }
      case "commit": {
        const members = pdu.members.map((entry) => {
          const { id, filled, oldRing, aru, high, delivered, obligation } = entry;
          const owed = obligation.length > 0 ? `/${obligation.join("+")}` : "";
          return filled ? `${id}:${ringName(oldRing)}/${aru}/${high}/${delivered}${owed}` : String(id);
        });
        const orderly = pdu.orderly.length > 0 ? ` orderly=${show(pdu.orderly)}` : "";
        return `commit ring=${ringName(pdu.ring)} hop=${pdu.hop} members=${members.join(",")}${orderly}`;
      }
      case "merge":
        return `merge ring=${ringName(pdu.ring)} members=${show(pdu.members)} heard=${show(pdu.heard)}`;
      case "hold-cancel":
        return `hold-cancel ring=${ringName(pdu.ring)}`;
      case "token-ack":
        return `token-ack ring=${ringName(pdu.ring)} hop=${pdu.hop}`;
      case "fragment":
        return `fragment ${pdu.index + 1} of ${pdu.count} bytes=${pdu.data.length}`;
      case undefined:
        return "garbage";
    }
  }

  #describeRegular(message: Regular): string {
    const ring = ringName(message.ring);
    if (message.encapsulated) {
      const inner = decapsulate(message);
      const carried = inner ? this.#describeRegular(inner) : "garbage";
      return `carrier ring=${ring} seq=${message.sequence} of ${carried}`;
    }
    const bytes = message.raw.length;
    return `message ring=${ring} seq=${message.sequence} by=${message.sender}${message.safe ? " safe" : ""} bytes=${bytes}`;
  }
}
