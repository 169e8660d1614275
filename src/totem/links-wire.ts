import type { NodeId } from "../terms/index.ts";
import type { HearingReport } from "./links-reach.ts";
import { type Incarnation, SEAL_OVERHEAD } from "./seal.ts";

/** Kinds of sealed bodies. */
export const BodyKind = { DATA: 1, PING: 2, PONG: 3 } as const;

/** Bytes before the payload of a body: kind, link, target. */
export const BODY_HEAD = 6;
/** Bytes that links and seal together add to a protocol message. */
export const SEAL_BODY_OVERHEAD = SEAL_OVERHEAD + BODY_HEAD;
/** Bytes that one pong adds to that. */
const PONG_BODY = 14;
/** Most node ids that a ping's report may hold, so that it stays one datagram everywhere. */
const REPORT_LIMIT = 250;

/** First bytes of a body: what it is, the link that it was sent on, and whom it is for (0: everybody). */
export function encodeHead(kind: number, link: number, target: NodeId | 0): Uint8Array {
  const head = Buffer.allocUnsafe(BODY_HEAD);
  head.writeUInt8(kind, 0);
  head.writeUInt8(link, 1);
  head.writeUInt32BE(target, 2);
  return head;
}

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

/** Writes a ping's report. Rows of others that don't fit are left out: they come when there is less to say. */
export function encodeReport(report: HearingReport): Uint8Array {
  const rows: (readonly NodeId[])[] = [report.hears];
  const authors: NodeId[] = [];
  let ids = report.hears.length;
  for (const [node, row] of report.others) {
    if (ids + row.length + 1 > REPORT_LIMIT) continue;
    ids += row.length + 1;
    authors.push(node);
    rows.push(row);
  }
  const body = Buffer.allocUnsafe(4 + ids * 4 + authors.length * 2);
  body.writeUInt16BE(report.hears.length, 0);
  body.writeUInt16BE(authors.length, 2);
  let at = 4;
  rows.forEach((row, index) => {
    if (index > 0) {
      at = body.writeUInt32BE(authors[index - 1] ?? 0, at);
      at = body.writeUInt16BE(row.length, at);
    }
    for (const node of row) at = body.writeUInt32BE(node, at);
  });
  return body;
}

/** Reads a ping's report; undefined when it is none. */
export function decodeReport(bytes: Uint8Array): HearingReport | undefined {
  const body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (body.length < 4) return undefined;
  const own = body.readUInt16BE(0);
  const count = body.readUInt16BE(2);
  let at = 4;
  const row = (length: number): NodeId[] | undefined => {
    if (at + length * 4 > body.length) return undefined;
    const nodes: NodeId[] = [];
    for (let index = 0; index < length; index++, at += 4) nodes.push(body.readUInt32BE(at) as NodeId);
    return nodes;
  };
  const hears = row(own);
  if (!hears) return undefined;
  const others = new Map<NodeId, readonly NodeId[]>();
  for (let index = 0; index < count; index++) {
    if (at + 6 > body.length) return undefined;
    const node = body.readUInt32BE(at) as NodeId;
    const length = body.readUInt16BE(at + 4);
    at += 6;
    const nodes = row(length);
    if (!nodes) return undefined;
    others.set(node, nodes);
  }
  return at === body.length ? { hears, others } : undefined;
}
