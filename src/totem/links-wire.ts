import { type NodeId, nodeId } from "../terms/index.ts";
import { type Incarnation, SEAL_OVERHEAD } from "./seal.ts";

/** Kinds of sealed bodies. */
export const BodyKind = { DATA: 1, PING: 2, PONG: 3 } as const;

/** Bytes before the payload of a body: kind, link, target. */
export const BODY_HEAD = 6;
/** Bytes that links and seal together add to a protocol message. */
export const SEAL_BODY_OVERHEAD = SEAL_OVERHEAD + BODY_HEAD;
/** Bytes that one pong adds to that. */
const PONG_BODY = 14;
/** Most node ids in a ping, so that it stays one datagram everywhere. */
const PING_LIMIT = 250;

/** First bytes of a body: what it is, the link that it was sent on, and whom it is for (0: everybody). */
export function encodeHead(kind: number, link: number, target: NodeId | 0): Uint8Array {
  const head = Buffer.allocUnsafe(BODY_HEAD);
  head.writeUInt8(kind, 0);
  head.writeUInt8(link, 1);
  head.writeUInt32BE(target, 2);
  return head;
}

/** Whom a body is for; 0: everybody. */
export const bodyTarget = (body: Uint8Array): number =>
  (body[2] ?? 0) * 0x100_0000 + (((body[3] ?? 0) << 16) | ((body[4] ?? 0) << 8) | (body[5] ?? 0));

/** What a pong answers: the ping's sealed header. */
export interface PongBody {
  readonly incarnation: Incarnation;
  readonly counter: number;
}

/** Writes a pong. */
export function encodePong(pong: PongBody): Uint8Array {
  const body = Buffer.allocUnsafe(PONG_BODY);
  body.writeUInt32BE(pong.incarnation.high, 0);
  body.writeUInt32BE(pong.incarnation.low, 4);
  body.writeUIntBE(pong.counter, 8, 6);
  return body;
}

/** Reads a pong; undefined when it is none. */
export function decodePong(bytes: Uint8Array): PongBody | undefined {
  if (bytes.length !== PONG_BODY) return undefined;
  const body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return {
    incarnation: { high: body.readUInt32BE(0), low: body.readUInt32BE(4) },
    counter: body.readUIntBE(8, 6),
  };
}

/** Writes a ping: whom its sender hears. What does not fit into one datagram everywhere is left out. */
export function encodePing(hears: readonly NodeId[]): Uint8Array {
  const count = Math.min(hears.length, PING_LIMIT);
  const body = Buffer.allocUnsafe(2 + count * 4);
  body.writeUInt16BE(count, 0);
  for (let at = 0; at < count; at++) body.writeUInt32BE(hears[at] ?? 0, 2 + at * 4);
  return body;
}

/** Reads a ping; undefined when it is none. */
export function decodePing(bytes: Uint8Array): NodeId[] | undefined {
  const body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (body.length < 2 || body.length !== 2 + body.readUInt16BE(0) * 4) return undefined;
  const hears: NodeId[] = [];
  for (let at = 2; at < body.length; at += 4) hears.push(nodeId(body.readUInt32BE(at)));
  return hears;
}
