import { createCipheriv, createDecipheriv, type KeyObject } from "node:crypto";

/** Bytes of a tag. */
export const TAG = 16;

/** Authenticated encryption of datagrams: a header in clear, a body, a tag. */
export interface SealCipher {
  /** Encrypts in place what lies between the header and the last 16 bytes, and puts the tag there. */
  seal(key: KeyObject, nonce: Uint8Array, datagram: Uint8Array, header: number): void;
  /** The body in clear, in bytes of its own; undefined when header, body or tag are not what was sealed. */
  open(key: KeyObject, nonce: Uint8Array, datagram: Uint8Array, header: number): Uint8Array | undefined;
}

/** Part of a datagram without a copy; cheaper than `subarray`, which a Buffer makes anew each time. */
const part = (bytes: Uint8Array, from: number, to: number): Uint8Array =>
  new Uint8Array(bytes.buffer, bytes.byteOffset + from, to - from);

/** What the cluster speaks (NIST SP 800-38D). */
export const AES_256_GCM: SealCipher = {
  seal(key, nonce, datagram, header) {
    const end = datagram.length - TAG;
    const cipher = createCipheriv("aes-256-gcm", key, nonce);
    cipher.setAAD(part(datagram, 0, header));
    datagram.set(cipher.update(part(datagram, header, end)), header);
    cipher.final();
    datagram.set(cipher.getAuthTag(), end);
  },

  open(key, nonce, datagram, header) {
    const end = datagram.length - TAG;
    const decipher = createDecipheriv("aes-256-gcm", key, nonce);
    decipher.setAAD(part(datagram, 0, header));
    decipher.setAuthTag(part(datagram, end, datagram.length));
    const body = decipher.update(part(datagram, header, end));
    try {
      decipher.final();
      return body;
    } catch {
      return undefined;
    }
  },
};
