import { createECDH, createPrivateKey, createPublicKey, hkdfSync, type KeyObject, sign } from "node:crypto";
import { CrmExit, HactlError } from "../terms/index.ts";

/** A key pair and its certificate, the same wherever the same shared key is. */
export interface TlsIdentity {
  readonly keyPem: string;
  readonly certPem: string;
  /** SubjectPublicKeyInfo in DER: the only thing about a peer that counts. */
  readonly publicKey: Uint8Array;
}

/** Sizes of a shared key, bytes (Pacemaker Remote: 4096 random bytes by convention). */
export const SHARED_KEY_BYTES = { min: 32, max: 4096 } as const;
/** Order of the group of P-256 (SEC 2, secp256r1). */
const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

/**
 * Derives the identity from the shared key: HKDF-SHA-256 (RFC 5869) to 48 bytes, reduced to a private key of P-256
 * (FIPS 186-5, A.2.1: extra bits keep it uniform), in a self-signed certificate. Who has the key has the identity, and
 * TLS proves it to both sides without the key ever being sent.
 * @throws HactlError KEY_SIZE when the key is too short or too long.
 */
export function tlsIdentity(sharedKey: Uint8Array): TlsIdentity {
  const { min, max } = SHARED_KEY_BYTES;
  if (sharedKey.length < min || sharedKey.length > max) {
    throw new HactlError({
      code: "KEY_SIZE",
      what: `The shared key has ${sharedKey.length} bytes; ${min} to ${max} are possible`,
      cure: "Make one with hactl keygen and copy it to every node and remote host",
      exit: CrmExit.CONFIG,
    });
  }
  const wide = hkdfSync("sha256", sharedKey, "hactl", "remote executor P-256 v1", 48);
  const scalar = (BigInt(`0x${Buffer.from(wide).toString("hex")}`) % (ORDER - 1n)) + 1n;
  const privateKey = keyFromScalar(Buffer.from(scalar.toString(16).padStart(64, "0"), "hex"));
  const publicKey = createPublicKey(privateKey).export({ type: "spki", format: "der" });
  return {
    keyPem: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    certPem: pem("CERTIFICATE", certificate(privateKey, publicKey)),
    publicKey,
  };
}

function keyFromScalar(d: Buffer): KeyObject {
  const ecdh = createECDH("prime256v1");
  ecdh.setPrivateKey(d);
  const point = ecdh.getPublicKey();
  const part = (bytes: Buffer) => bytes.toString("base64url");
  return createPrivateKey({
    format: "jwk",
    key: { kty: "EC", crv: "P-256", d: part(d), x: part(point.subarray(1, 33)), y: part(point.subarray(33)) },
  });
}

const SEQUENCE = 0x30;
const SET = 0x31;
const ECDSA_WITH_SHA256 = "2a8648ce3d040302";
const COMMON_NAME = "550403";

/** A self-signed X.509 certificate (RFC 5280, 4.1) that never expires: the key's life is that of the shared key. */
function certificate(privateKey: KeyObject, publicKey: Buffer): Buffer {
  const algorithm = der(SEQUENCE, oid(ECDSA_WITH_SHA256));
  const name = der(SEQUENCE, der(SET, der(SEQUENCE, oid(COMMON_NAME), der(0x0c, Buffer.from("hactl")))));
  const validity = der(
    SEQUENCE,
    der(0x17, Buffer.from("700101000000Z")),
    der(0x18, Buffer.from("99991231235959Z")),
  );
  const version3 = der(0xa0, der(0x02, Buffer.from([2])));
  const serial = der(0x02, Buffer.from([1]));
  const signed = der(SEQUENCE, version3, serial, algorithm, name, validity, name, publicKey);
  const signature = sign("sha256", signed, privateKey);
  return der(SEQUENCE, signed, algorithm, der(0x03, Buffer.from([0]), signature));
}

const oid = (hex: string) => der(0x06, Buffer.from(hex, "hex"));

/** One element in DER (X.690, 8.1): tag, length, contents. */
function der(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(contents);
  const length =
    body.length < 0x80
      ? [body.length]
      : body.length < 0x100
        ? [0x81, body.length]
        : [0x82, body.length >> 8, body.length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), body]);
}

function pem(label: string, bytes: Buffer): string {
  const lines = bytes.toString("base64").match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ""].join("\n");
}
