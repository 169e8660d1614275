import { createHmac, createSecretKey, hkdfSync, type KeyObject } from "node:crypto";
import { HactlError, type NodeId } from "../terms/index.ts";
import type { StampKey } from "./seal-stamp.ts";

/** Shortest and longest cluster key in bytes (corosync-keygen(8), option -s; pacemaker's authkey may be 4096). */
export const CLUSTER_KEY_BYTES = { min: 32, max: 4096 } as const;

/** The cluster's shared secret, ready for deriving sending keys. */
export interface ClusterKey {
  /** Two bytes that say which of two accepted keys a datagram was sealed with. Not secret. */
  readonly id: number;
  readonly root: KeyObject;
  readonly stamp: StampKey;
}

/**
 * Prepares the bytes of a key file. All that is derived from them depends on the cluster's name, so that clusters that share
 * a key, which they should not, do not open each other's datagrams.
 * @throws HactlError KEY_LENGTH when there are fewer than 32 or more than 4096 bytes.
 */
export function clusterKey(bytes: Uint8Array, clusterName = ""): ClusterKey {
  if (bytes.length < CLUSTER_KEY_BYTES.min || bytes.length > CLUSTER_KEY_BYTES.max) {
    throw new HactlError({
      code: "KEY_LENGTH",
      what: `the cluster key has ${bytes.length} bytes; it must have ${CLUSTER_KEY_BYTES.min} to ${CLUSTER_KEY_BYTES.max}`,
      cure: "make one with hactl keygen and copy it to every node",
    });
  }
  // The purpose ends with a zero byte, so that no name makes one purpose out of another (RFC 5869, section 3.2).
  const derive = (purpose: string, length: number) =>
    Buffer.from(hkdfSync("sha256", bytes, "", `hactl ring ${purpose}\0${clusterName}`, length));
  const id = derive("key id", 2).readUInt16BE(0);
  const stamp = derive("stamp", 8);
  return {
    id,
    root: createSecretKey(derive("root", 32)),
    stamp: { id, k0: stamp.readInt32BE(0), k1: stamp.readInt32BE(4) },
  };
}

/**
 * The key that one node seals with during one start. Every start has its own random incarnation, so that the
 * counter may begin at 1 again and no nonce is used twice with the same key (NIST SP 800-38D, section 8.2.1).
 */
export function sendingKey(key: ClusterKey, sender: NodeId, high: number, low: number): KeyObject {
  const about = Buffer.alloc(16);
  about.write("ring", 0, "latin1");
  about.writeUInt32BE(sender, 4);
  about.writeUInt32BE(high, 8);
  about.writeUInt32BE(low, 12);
  return createSecretKey(createHmac("sha256", key.root).update(about).digest());
}
