import type { RingMembership } from "../../src/daemon/ring-core.ts";
import type { NodeId } from "../../src/terms/index.ts";
import type { Manager, ManagerHost } from "./node.ts";
import type { Random } from "./random.ts";

/** How much the managers of a run say. */
export interface TrafficPlan {
  /** Mean time between two bursts of a manager. */
  readonly meanMs: number;
  readonly burst: number;
  readonly maxBytes: number;
  /** Part of the messages that are large. */
  readonly large: number;
  readonly largeBytes: number;
}

/** Sees everything that a manager sends and gets. */
export interface TrafficObserver {
  onSend(host: ManagerHost, id: MessageId): void;
  onMembership(host: ManagerHost, membership: RingMembership): void;
  onDeliver(host: ManagerHost, from: NodeId, id: MessageId): void;
}

/** Which message: sender, its manager's incarnation, and the how-manieth from 1. */
export interface MessageId {
  readonly node: number;
  readonly incarnation: number;
  readonly number: number;
}

const HEAD = 12;

/** A message whose content can be checked: every byte follows from its id. */
export function makeMessage(id: MessageId, length: number): Uint8Array {
  const data = Buffer.alloc(Math.max(HEAD, length), (id.node * 31 + id.number) & 255);
  data.writeUInt32BE(id.node, 0);
  data.writeUInt32BE(id.incarnation, 4);
  data.writeUInt32BE(id.number, 8);
  return data;
}

/** Reads a message back; throws when a byte is wrong. */
export function checkMessage(bytes: Uint8Array): MessageId {
  const data = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (data.length < HEAD) throw new Error(`a message of ${data.length} bytes was delivered`);
  const id = {
    node: data.readUInt32BE(0),
    incarnation: data.readUInt32BE(4),
    number: data.readUInt32BE(8),
  };
  const whole = makeMessage(id, data.length);
  if (!data.equals(whole)) throw new Error(`message ${format(id)} was delivered damaged`);
  return id;
}

export const format = (id: MessageId): string => `${id.node}:${id.incarnation}#${id.number}`;

/** A manager that talks at random and reports everything. */
export class TrafficManager implements Manager {
  private sent = 0;
  private readonly host: ManagerHost;
  private readonly plan: TrafficPlan;
  private readonly random: Random;
  private readonly observer: TrafficObserver;
  private readonly mayTalk: () => boolean;

  constructor(
    host: ManagerHost,
    plan: TrafficPlan,
    random: Random,
    observer: TrafficObserver,
    mayTalk: () => boolean,
  ) {
    this.host = host;
    this.plan = plan;
    this.random = random;
    this.observer = observer;
    this.mayTalk = mayTalk;
    this.rest();
  }

  onMembership(membership: RingMembership): void {
    this.observer.onMembership(this.host, membership);
  }

  onDeliver(from: NodeId, payload: Uint8Array): void {
    this.observer.onDeliver(this.host, from, checkMessage(payload));
  }

  /** Many messages at once, some of several datagrams. */
  burst(count: number): void {
    for (let n = 0; n < count; n++) this.talk(this.random.chance(0.3) ? 6000 : 300);
  }

  /** One message of this many bytes. */
  say(length: number): void {
    this.sent += 1;
    const id = { node: this.host.node, incarnation: this.host.incarnation, number: this.sent };
    this.observer.onSend(this.host, id);
    this.host.send(makeMessage(id, length));
  }

  private rest(): void {
    this.host.after(-Math.log(1 - this.random.unit()) * this.plan.meanMs, () => {
      if (this.mayTalk()) {
        const count = this.random.between(1, this.plan.burst);
        for (let n = 0; n < count; n++) this.talk(this.limit());
      }
      this.rest();
    });
  }

  private limit(): number {
    return this.random.chance(this.plan.large) ? this.plan.largeBytes : this.plan.maxBytes;
  }

  private talk(maxBytes: number): void {
    this.say(this.random.between(HEAD, maxBytes));
  }
}
