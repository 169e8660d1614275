import type { Electorate, QuorumView, Voter } from "../quorum/index.ts";
import { type NodeId, nodeId } from "../terms/index.ts";
import { CLUSTER_KEY_BYTES, type RingId } from "../totem/index.ts";
import type { BroughtMessage } from "./ring-core-brought.ts";
import type { KeyMessage } from "./ring-core-keys.ts";

/** What a node says about itself when a configuration begins. */
export interface Announcement {
  readonly ringId: RingId;
  /** Incarnation of the manager that runs there; 0: none. */
  readonly manager: number;
  readonly quorum: QuorumView;
  readonly configVersion: number;
  /** Options that must be the same everywhere, as name and value. */
  readonly agreement: readonly (readonly [string, string])[];
  /** Digest of the whole configuration that is in force there. */
  readonly inForce: string;
}

/** Messages that travel through the ring's total order. */
export type RingMessage =
  | { readonly kind: "announcement"; readonly announcement: Announcement }
  | {
      readonly kind: "manager";
      readonly ringId: RingId;
      readonly incarnation: number;
      readonly payload: Uint8Array;
    }
  | { readonly kind: "participant"; readonly ringId: RingId; readonly incarnation: number }
  | { readonly kind: "window-over"; readonly sequence: number }
  | { readonly kind: "set-expected"; readonly id: number; readonly votes: number }
  | { readonly kind: "set-votes"; readonly id: number; readonly node: NodeId; readonly votes: number }
  /** The sender has read a new configuration and waits for the others to have read the same. */
  | { readonly kind: "prepared"; readonly digest: string }
  | KeyMessage
  | BroughtMessage;

const KIND = {
  announcement: 1,
  manager: 2,
  participant: 3,
  windowOver: 4,
  setExpected: 5,
  prepared: 6,
  keyNew: 7,
  keyReady: 8,
  keySwitched: 9,
  keyBehind: 10,
  keyAsked: 11,
  keyProof: 12,
  keyDropped: 13,
  setVotes: 14,
} as const;
const MANAGER_HEAD = 21;
const NONCE_DIGITS = 32;
const PROOF_DIGITS = 64;

/** So many hexadecimal digits; undefined when they are none. */
function hexIn(data: Buffer, from: number, digits: number): string | undefined {
  const text = data.toString("latin1", from, from + digits);
  return text.length === digits && /^[0-9a-f]*$/.test(text) ? text : undefined;
}

/** Writes a message of the ring. */
export function encodeRingMessage(message: RingMessage): Uint8Array {
  switch (message.kind) {
    case "announcement": {
      const { announcement } = message;
      const text = JSON.stringify(announcement);
      return Buffer.concat([Buffer.from([KIND.announcement]), Buffer.from(text)]);
    }
    case "manager": {
      const out = Buffer.allocUnsafe(MANAGER_HEAD + message.payload.length);
      writeTag(out, KIND.manager, message.ringId, message.incarnation);
      out.set(message.payload, MANAGER_HEAD);
      return out;
    }
    case "participant": {
      const out = Buffer.allocUnsafe(MANAGER_HEAD);
      writeTag(out, KIND.participant, message.ringId, message.incarnation);
      return out;
    }
    case "window-over": {
      const out = Buffer.allocUnsafe(7);
      out.writeUInt8(KIND.windowOver, 0);
      out.writeUIntBE(message.sequence, 1, 6);
      return out;
    }
    case "set-expected": {
      const out = Buffer.allocUnsafe(9);
      out.writeUInt8(KIND.setExpected, 0);
      out.writeUInt32BE(message.id, 1);
      out.writeUInt32BE(message.votes, 5);
      return out;
    }
    case "set-votes": {
      const out = Buffer.allocUnsafe(13);
      out.writeUInt8(KIND.setVotes, 0);
      out.writeUInt32BE(message.id, 1);
      out.writeUInt32BE(message.node, 5);
      out.writeUInt32BE(message.votes, 9);
      return out;
    }
    case "prepared":
      return Buffer.concat([Buffer.from([KIND.prepared]), Buffer.from(message.digest)]);
    case "key-new":
      return Buffer.concat([Buffer.from([KIND.keyNew]), message.key]);
    case "key-ready":
      return Buffer.concat([Buffer.from([KIND.keyReady]), Buffer.from(message.digest)]);
    case "key-switched":
      return Buffer.concat([Buffer.from([KIND.keySwitched]), Buffer.from(message.digest)]);
    case "key-behind":
      return Buffer.concat([Buffer.from([KIND.keyBehind]), Buffer.from(message.digest)]);
    case "key-asked":
      return Buffer.concat([Buffer.from([KIND.keyAsked]), Buffer.from(message.nonce)]);
    case "key-proof":
      return Buffer.concat([Buffer.from([KIND.keyProof]), Buffer.from(message.nonce + message.proof)]);
    case "key-dropped":
      return Buffer.concat([Buffer.from([KIND.keyDropped]), Buffer.from(message.nonce)]);
  }
}

/** Reads a message of the ring; undefined when it is none that this version knows. */
export function decodeRingMessage(bytes: Uint8Array): RingMessage | undefined {
  const data = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  switch (data[0]) {
    case KIND.announcement: {
      const announcement = readAnnouncement(data.toString("utf8", 1));
      return announcement && { kind: "announcement", announcement };
    }
    case KIND.manager:
      if (data.length < MANAGER_HEAD) return undefined;
      return { kind: "manager", ...readTag(data), payload: bytes.subarray(MANAGER_HEAD) };
    case KIND.participant:
      return data.length === MANAGER_HEAD ? { kind: "participant", ...readTag(data) } : undefined;
    case KIND.windowOver:
      return data.length === 7 ? { kind: "window-over", sequence: data.readUIntBE(1, 6) } : undefined;
    case KIND.setExpected:
      if (data.length !== 9) return undefined;
      return { kind: "set-expected", id: data.readUInt32BE(1), votes: data.readUInt32BE(5) };
    case KIND.setVotes: {
      if (data.length !== 13) return undefined;
      const [id, node, votes] = [data.readUInt32BE(1), data.readUInt32BE(5), data.readUInt32BE(9)];
      return { kind: "set-votes", id, node: nodeId(node), votes };
    }
    case KIND.prepared:
      return { kind: "prepared", digest: data.toString("utf8", 1) };
    case KIND.keyNew: {
      const { min, max } = CLUSTER_KEY_BYTES;
      const key = bytes.subarray(1);
      return key.length >= min && key.length <= max ? { kind: "key-new", key } : undefined;
    }
    case KIND.keyReady:
      return { kind: "key-ready", digest: data.toString("utf8", 1) };
    case KIND.keySwitched:
      return { kind: "key-switched", digest: data.toString("utf8", 1) };
    case KIND.keyBehind:
      return { kind: "key-behind", digest: data.toString("utf8", 1) };
    case KIND.keyAsked:
    case KIND.keyDropped: {
      const nonce = hexIn(data, 1, NONCE_DIGITS);
      if (nonce === undefined || data.length !== 1 + NONCE_DIGITS) return undefined;
      return { kind: data[0] === KIND.keyAsked ? "key-asked" : "key-dropped", nonce };
    }
    case KIND.keyProof: {
      const nonce = hexIn(data, 1, NONCE_DIGITS);
      const rest = data.length - 1 - NONCE_DIGITS;
      if (nonce === undefined || (rest !== 0 && rest !== PROOF_DIGITS)) return undefined;
      const proof = hexIn(data, 1 + NONCE_DIGITS, rest);
      return proof === undefined ? undefined : { kind: "key-proof", nonce, proof };
    }
    default:
      return undefined;
  }
}

function writeTag(out: Buffer, kind: number, ringId: RingId, incarnation: number): void {
  out.writeUInt8(kind, 0);
  out.writeUInt32BE(ringId.representative, 1);
  out.writeUIntBE(ringId.sequence, 5, 6);
  out.writeUInt32BE(ringId.memberDigest, 11);
  out.writeUIntBE(incarnation, 15, 6);
}

function readTag(data: Buffer): { readonly ringId: RingId; readonly incarnation: number } {
  return {
    ringId: {
      representative: nodeId(data.readUInt32BE(1)),
      sequence: data.readUIntBE(5, 6),
      memberDigest: data.readUInt32BE(11),
    },
    incarnation: data.readUIntBE(15, 6),
  };
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isCount = (value: unknown): value is number =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
const isIds = (value: unknown): value is readonly NodeId[] => Array.isArray(value) && value.every(isCount);

const isTextOrMissing = (value: unknown): value is string | undefined =>
  value === undefined || typeof value === "string";

const isVoters = (value: unknown): value is readonly Voter[] =>
  Array.isArray(value) && value.every((pair) => isIds(pair) && pair.length === 2);

/** Whether something is a quorate membership. */
export const isElectorate = (value: unknown): value is Electorate =>
  isObject(value) &&
  isCount(value.sequence) &&
  isCount(value.expectedVotes) &&
  isVoters(value.members) &&
  isTextOrMissing(value.rules);

/** Whether something is a list of quorate memberships. */
export const isElectorates = (value: unknown): value is readonly Electorate[] =>
  Array.isArray(value) && value.every(isElectorate);

function readAnnouncement(text: string): Announcement | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isObject(value)) return undefined;
  const { ringId, manager, quorum, configVersion, agreement, inForce } = value;
  const view = readView(quorum);
  if (
    typeof inForce !== "string" ||
    !view ||
    !isObject(ringId) ||
    !isCount(manager) ||
    !isCount(configVersion)
  )
    return undefined;
  const { representative, sequence, memberDigest } = ringId;
  if (!isCount(representative) || !isCount(sequence) || !isCount(memberDigest)) return undefined;
  if (!Array.isArray(agreement)) return undefined;
  const pairs: [string, string][] = [];
  for (const pair of agreement as unknown[]) {
    if (!Array.isArray(pair) || typeof pair[0] !== "string" || typeof pair[1] !== "string") return undefined;
    pairs.push([pair[0], pair[1]]);
  }
  return {
    ringId: { representative: nodeId(representative), sequence, memberDigest },
    manager,
    quorum: view,
    configVersion,
    agreement: pairs,
    inForce,
  };
}

function readView(value: unknown): QuorumView | undefined {
  if (!isObject(value)) return undefined;
  const { votes, expectedVotes, seenAll, quorateSequence, quorate } = value;
  const { configuredVotes, quorateMembers, quorateExpected, doubts, orderlyLeft } = value;
  // A node of an earlier version says nothing of what an administrator has set, nor of its rules.
  const { listedVotes, quorateVotesSet, raised, rules, quorateRules, waitsForAll } = value;
  if (!isTextOrMissing(rules) || !isTextOrMissing(quorateRules)) return undefined;
  if (listedVotes !== undefined && !isCount(listedVotes)) return undefined;
  if (!isCount(votes) || !isCount(expectedVotes) || !isCount(quorateSequence)) return undefined;
  if (!isCount(configuredVotes) || !isCount(quorateExpected)) return undefined;
  if (typeof seenAll !== "boolean" || typeof quorate !== "boolean") return undefined;
  if (!isVoters(quorateMembers) || !isElectorates(doubts) || !isIds(orderlyLeft)) return undefined;
  return {
    votes,
    expectedVotes,
    configuredVotes,
    seenAll,
    quorateSequence,
    quorate,
    quorateMembers,
    quorateExpected,
    ...(listedVotes !== undefined && { listedVotes }),
    ...(quorateVotesSet === true && { quorateVotesSet }),
    ...(raised === true && { raised }),
    ...(rules !== undefined && { rules }),
    ...(quorateRules !== undefined && { quorateRules }),
    ...(waitsForAll === true && { waitsForAll }),
    doubts,
    orderlyLeft,
  };
}
