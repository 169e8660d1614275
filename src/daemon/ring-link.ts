import { HactlError, type Millis, type NodeId, nodeId, read } from "../terms/index.ts";
import type { RingCoreStatus, RingMembership } from "./ring-core-face.ts";
import type { TimerLateness } from "./ring-lateness.ts";

/** Frames from the ring process to the manager. */
export const FromRing = {
  /** JSON: `RingMembership`. */
  MEMBERSHIP: 1,
  /** u32 (big-endian) sender, then the payload. */
  DELIVER: 2,
  /** JSON: answer to a request. */
  REPLY: 3,
  /** The configuration changes; a membership follows. */
  CHANGING: 4,
  /** The node shall leave: drain it. */
  DRAIN: 5,
  /** JSON: a fact for the event history. */
  FACT: 6,
  /** A changed configuration or key is in force: the configuration as text (`describeInForce`), the key is to be read again. */
  RELOADED: 7,
} as const;

/** Frames from the manager to the ring process. */
export const ToRing = {
  /** A message for all managers. */
  SEND: 1,
  /** JSON: `RingRequest` with a number. */
  REQUEST: 2,
  /** Nothing of the cluster runs here: leave the ring and end. */
  LEAVE: 3,
  /** This node must not go on: end at once, without saying goodbye. */
  STOP_NOW: 4,
  /** Text: why this node cannot take part, which another configuration would change: end. */
  REFUSED: 5,
  /** An administrator has asked for the end of this node: let it be drained. */
  DRAIN: 6,
} as const;

/** What an administrator may ask of the ring, by way of the manager. */
export type RingRequest =
  | { readonly type: "status" }
  | { readonly type: "expected-votes"; readonly votes: number }
  /** Votes of a member, until it starts again or another configuration comes into force. */
  | { readonly type: "node-votes"; readonly node: number; readonly votes: number }
  /** Give the cluster a new key: `RekeyReply`. `brought`: the one that was brought to each node. */
  | { readonly type: "rekey"; readonly brought?: boolean | undefined }
  /** Read hactl.toml again and apply what may change at run time. */
  | { readonly type: "reload"; readonly force?: boolean | undefined };

/** How the ring process itself is doing. */
export interface RingProcessStatus {
  readonly core: RingCoreStatus;
  readonly names: Readonly<Record<number, string>>;
  /** Votes of each node of the node list: of members those that count, of others those of the configuration. */
  readonly votes: Readonly<Record<number, number>>;
  /** This node's own addresses, by link. */
  readonly addresses: Readonly<Record<number, string>>;
  /** The ring's clock, which the times of links are told by. */
  readonly monotonicNow: Millis;
  readonly realtime: string;
  readonly memory: string;
  readonly warnings: readonly string[];
  /** Why it cannot write its state, without which it joins no other. */
  readonly stateProblem?: string;
  readonly startedAt: number;
  /** How late its timers fire: whether the machine lets it run. */
  readonly lateness: TimerLateness;
  readonly children: readonly {
    readonly name: string;
    readonly pid: number | undefined;
    readonly restarts: number;
  }[];
}

/** What became of a change of the key. */
export interface RekeyReply {
  /** Names the key without telling it. */
  readonly digest: string;
  /** Nodes that use the new key. */
  readonly nodes: readonly string[];
  /** Nodes of the node list that were not there: they need a copy of the key file. */
  readonly absent: readonly string[];
  readonly keyFile: string;
  /** Whether it was brought to the nodes, and so never sent. */
  readonly brought: boolean;
}

/** What a reload did. Names are `table.option`, or of a whole table that came or went. */
export interface ReloadReply {
  /** Options that have another value now. */
  readonly applied: readonly string[];
  /** Options whose new value counts only after a restart of the node. */
  readonly restart: readonly string[];
  /** Members that have not read the same configuration yet: the ring changes when they have. */
  readonly waitsFor: readonly string[];
  /** What is remarkable in the file; a ring of an earlier version does not say it. */
  readonly warnings?: readonly string[];
}

export interface RingReply {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: string;
}

/** Most votes that can be expected: 1024 nodes with 63 each. A larger number is a slip of the pen. */
export const MOST_VOTES = 65_535;

/** Most votes of one node, as in the node list. */
export const MOST_NODE_VOTES = 255;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** JSON text as bytes. Maps become lists of pairs, which the status displays know. */
export function toJson(value: unknown): Uint8Array {
  return encoder.encode(
    JSON.stringify(value, (_key, inner) => (inner instanceof Map ? Object.fromEntries(inner) : inner)),
  );
}

export function fromJson<T>(body: Uint8Array): T {
  return JSON.parse(decoder.decode(body)) as T;
}

const readFrame = read.shape<{ readonly id: number; readonly request: unknown }>({
  id: read.whole(0, Number.MAX_SAFE_INTEGER),
  request: (value: unknown) => value,
});
const readRingRequest = read.variants<RingRequest, "type">("type", {
  status: {},
  "expected-votes": { votes: read.whole(1, MOST_VOTES) },
  "node-votes": { node: read.whole(1, 0xffff_ffff), votes: read.whole(0, MOST_NODE_VOTES) },
  rekey: { brought: read.maybe(read.flag) },
  reload: { force: read.maybe(read.flag) },
});

/**
 * A request to the ring process with the number to answer under; why it is none instead of the request when there is none
 * like it, and undefined when there is no number either: whatever comes, the ring goes on.
 */
export function decodeRingRequest(
  body: Uint8Array,
): { readonly id: number; readonly request?: RingRequest; readonly refused?: string } | undefined {
  let frame: ReturnType<typeof readFrame>;
  try {
    frame = readFrame(fromJson(body), "");
  } catch {
    return undefined;
  }
  const { id } = frame;
  try {
    return { id, request: readRingRequest(frame.request, "request") };
  } catch (error) {
    if (error instanceof HactlError) return { id, refused: error.what };
    throw error;
  }
}

/** A delivered message with its sender in front. */
export function encodeDelivery(from: NodeId, payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(payload.length + 4);
  new DataView(bytes.buffer).setUint32(0, from);
  bytes.set(payload, 4);
  return bytes;
}

export function decodeDelivery(body: Uint8Array): { readonly from: NodeId; readonly payload: Uint8Array } {
  const from = body.length < 4 ? 0 : new DataView(body.buffer, body.byteOffset, body.byteLength).getUint32(0);
  return { from: nodeId(from), payload: body.subarray(4) };
}

export type { RingMembership };
