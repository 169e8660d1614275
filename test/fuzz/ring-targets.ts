import { decodeRingMessage, encodeRingMessage } from "../../src/daemon/ring-core-wire.ts";
import { nodeId } from "../../src/terms/index.ts";
import { SingleRing } from "../../src/totem/index.ts";
import { Fragments } from "../../src/totem/srp/fragments.ts";
import {
  decapsulate,
  decode,
  encodeCommit,
  encodeFragment,
  encodeHoldCancel,
  encodeJoin,
  encodeMerge,
  encodeToken,
  encodeTokenAck,
  type Pdu,
} from "../../src/totem/srp/wire.ts";
import { options } from "../totem/network.ts";
import { recordedUnits, ringMessages } from "./recorded.ts";
import { broken, same, type Target } from "./targets.ts";

/** How a unit would be written; ordered messages keep the bytes that they came in. */
function written(pdu: Pdu): Uint8Array {
  switch (pdu.kind) {
    case "regular":
      return pdu.raw;
    case "token":
      return encodeToken(pdu);
    case "join":
      return encodeJoin(pdu);
    case "commit":
      return encodeCommit(pdu);
    case "merge":
      return encodeMerge(pdu);
    case "hold-cancel":
      return encodeHoldCancel(pdu.ring);
    case "token-ack":
      return encodeTokenAck(pdu);
    case "fragment":
      return encodeFragment(pdu);
  }
}

/** Whatever is accepted is what would be written so: nothing has two meanings, nothing is left over. */
function protocolUnits(samples: readonly Uint8Array[]): Target {
  const fragments = new Fragments();
  return {
    name: "totem: protocol data units",
    samples,
    feed: (data) => {
      const pdu = decode(data);
      if (!pdu) return "refused";
      if (!same(written(pdu), data)) broken("accepted, though it would be written otherwise", data);
      if (pdu.kind === "regular" && pdu.encapsulated) decapsulate(pdu);
      if (pdu.kind === "fragment") fragments.add(nodeId(pdu.unit % 5), pdu);
      return "accepted";
    },
  };
}

/** A node that is fed with damaged units of its peers, and with its timers, goes on. */
function wholeProtocol(samples: readonly Uint8Array[]): Target {
  const node = new SingleRing({ self: nodeId(2), peers: [1, 2, 3].map(nodeId), options });
  const deadlines = new Map<string, number>();
  let now = 0;
  let fed = 0;
  const step = (event: Parameters<SingleRing["step"]>[0]) => {
    for (const effect of node.step(event, now)) {
      if (effect.type === "set-timer") deadlines.set(effect.timer, now + effect.afterMs);
      if (effect.type === "persist") step({ type: "persisted", ringSequence: effect.ringSequence });
    }
  };
  step({ type: "start", ringSequence: 0 });
  return {
    name: "totem: a member of a ring",
    samples,
    feed: (data, random) => {
      const before = node.status().counters.malformed ?? 0;
      step({ type: "datagram", from: nodeId(random.chance(0.5) ? 1 : 3), data });
      fed++;
      if (fed % 50 === 0) {
        now += random.between(1, 100);
        for (const [timer, at] of deadlines) {
          if (at > now) continue;
          deadlines.delete(timer);
          step({ type: "timer", timer: timer as "join" });
        }
      }
      return (node.status().counters.malformed ?? 0) > before ? "refused" : "accepted";
    },
    end: () => {
      const { state } = node.status();
      if (state === "stopped") throw new Error("the member stopped");
    },
  };
}

/** Those without JSON inside are written as they were read. */
function messagesOfRings(): Target {
  return {
    name: "ring: messages in the ring's order",
    samples: ringMessages(),
    feed: (data) => {
      const message = decodeRingMessage(data);
      if (!message) return "refused";
      const text = message.kind === "announcement" || "digest" in message;
      if (!text && !same(encodeRingMessage(message), data))
        broken("accepted, though it would be written otherwise", data);
      return "accepted";
    },
  };
}

/** Decoders of what has been authenticated: a broken or newer peer, not an enemy. */
export function ringTargets(): Target[] {
  const units = recordedUnits();
  return [protocolUnits(units), wholeProtocol(units), messagesOfRings()];
}
