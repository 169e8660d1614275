import { createHmac, hkdfSync, timingSafeEqual } from "node:crypto";
import { endianness } from "node:os";

/** UDP port of crash notices (fence_kdump(8), fence_kdump_send(8)). */
export const kdumpPort = 7410;

/** First word of a notice, and the only version there is (fence-agents, fence_kdump). */
const magic = 0x1b302a40;
const version = 1;
const plainBytes = 8;

/** Our addition behind the plain notice: mark, length of the name, name, milliseconds since 1970, HMAC-SHA-256. */
const mark = Buffer.from("HKD1");
const macBytes = 32;
/** How far the clock of a crash kernel may be from ours. */
const clockSkewMs = 300_000;

/** The 8 bytes that fence_kdump_send sends: magic and version in the sender's byte order. */
export function plainNotice(order: "LE" | "BE" = endianness()): Buffer {
  const bytes = Buffer.alloc(plainBytes);
  if (order === "LE") {
    bytes.writeUInt32LE(magic, 0);
    bytes.writeUInt32LE(version, 4);
  } else {
    bytes.writeUInt32BE(magic, 0);
    bytes.writeUInt32BE(version, 4);
  }
  return bytes;
}

/**
 * The key with which one node signs its notices, derived from the cluster's key, so that what lies in an initrd can
 * sign for that node and for nothing else.
 */
export function noticeKey(clusterKey: Uint8Array, node: string): Buffer {
  return Buffer.from(
    hkdfSync("sha256", clusterKey, "", `hactl kdump notice ${node.toLowerCase()}`, macBytes),
  );
}

/** A plain notice with proof of its sender behind it; the original receiver reads only the first 8 bytes. */
export function signedNotice(node: string, key: Uint8Array, atMs: number): Buffer {
  const name = Buffer.from(node);
  if (name.length > 255) throw new RangeError("node name too long");
  const time = Buffer.alloc(8);
  time.writeBigUInt64BE(BigInt(Math.round(atMs)));
  const body = Buffer.concat([plainNotice(), mark, Buffer.from([name.length]), name, time]);
  return Buffer.concat([body, createHmac("sha256", key).update(body).digest()]);
}

/** What a datagram is. */
export type Notice =
  | { readonly kind: "plain" }
  /** `key` must be asked for the node and checked with `verifyNotice`. */
  | { readonly kind: "signed"; readonly node: string; readonly atMs: number }
  | { readonly kind: "invalid"; readonly why: string };

/** Reads a datagram. Both byte orders are taken: the nodes of a cluster may differ. */
export function readNotice(data: Uint8Array): Notice {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  if (bytes.length < plainBytes) return { kind: "invalid", why: `${bytes.length} bytes are too few` };
  const little = bytes.readUInt32LE(0) === magic;
  if (!little && bytes.readUInt32BE(0) !== magic) return { kind: "invalid", why: "wrong magic number" };
  const found = little ? bytes.readUInt32LE(4) : bytes.readUInt32BE(4);
  if (found !== version) return { kind: "invalid", why: `version ${found} is not known` };
  if (bytes.length === plainBytes) return { kind: "plain" };
  const nameLength = bytes[plainBytes + mark.length];
  const start = plainBytes + mark.length + 1;
  if (nameLength === undefined || !bytes.subarray(plainBytes, plainBytes + mark.length).equals(mark))
    return { kind: "invalid", why: "unknown addition behind the notice" };
  if (bytes.length !== start + nameLength + 8 + macBytes)
    return { kind: "invalid", why: "its signed part is cut off" };
  return {
    kind: "signed",
    node: bytes.subarray(start, start + nameLength).toString(),
    atMs: Number(bytes.readBigUInt64BE(start + nameLength)),
  };
}

/**
 * Whether a signed notice is genuine. Answers the complaint, or the empty text. `lastMs` is the newest time that was
 * accepted of this node: an older or equal one is a recording.
 */
export function verifyNotice(data: Uint8Array, key: Uint8Array, nowMs: number, lastMs: number): string {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  const body = bytes.subarray(0, -macBytes);
  const mac = createHmac("sha256", key).update(body).digest();
  if (bytes.length < macBytes || !timingSafeEqual(mac, bytes.subarray(-macBytes))) return "wrong signature";
  const notice = readNotice(data);
  if (notice.kind !== "signed") return "not signed";
  if (notice.atMs <= lastMs) return "sent before";
  if (Math.abs(notice.atMs - nowMs) > clockSkewMs) return "its clock differs by more than 5 minutes";
  return "";
}
