import { createECDH, createPrivateKey, createPublicKey, hkdfSync, type KeyObject, sign } from "node:crypto";

/** Which end of a connection between the cluster and a remote node somebody is. */
export type TlsRole = "host" | "manager";

/** A key pair and its certificate, the same wherever the same secret is. */
export interface TlsIdentity {
  readonly keyPem: string;
  readonly certPem: string;
  /** SubjectPublicKeyInfo in DER: the only thing about a peer that counts. */
  readonly publicKey: Uint8Array;
}

/** Order of the group of P-256 (SEC 2, secp256r1). */
const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
/** Words of a common name before that of the node. */
const HOST_WORDS = "hactl remote ";
const MANAGER_WORDS = "hactl manager of ";

/**
 * Derives what one end shows to the other from the secret of a remote node: HKDF-SHA-256 (RFC 5869) to 48 bytes, reduced
 * to a private key of P-256 (FIPS 186-5, A.2.1: extra bits keep it uniform), in a self-signed certificate. Who has the
 * secret has the identity, and TLS proves it to the other side without the secret ever being sent. The two ends differ, so
 * that what one of them says cannot be sent back to it as the other's. The name in the certificate is only for messages.
 */
export function tlsIdentity(secret: Uint8Array, role: TlsRole, node: string): TlsIdentity {
  const privateKey = keyFromScalar(scalarOf(secret, role));
  const publicKey = createPublicKey(privateKey).export({ type: "spki", format: "der" });
  return {
    keyPem: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    certPem: pem(
      "CERTIFICATE",
      certificate(privateKey, publicKey, `${role === "host" ? HOST_WORDS : MANAGER_WORDS}${node}`),
    ),
    publicKey,
  };
}

/** The public half of `tlsIdentity`: what the other end must show. */
export function tlsPublicKey(secret: Uint8Array, role: TlsRole): Uint8Array {
  return createPublicKey(keyFromScalar(scalarOf(secret, role))).export({ type: "spki", format: "der" });
}

/** Name of the node that a certificate speaks of: a claim, which proves nothing. */
export function claimedNode(subject: string): string | undefined {
  const name = /^CN=(.*)$/m.exec(subject)?.[1] ?? "";
  for (const words of [HOST_WORDS, MANAGER_WORDS])
    if (name.startsWith(words)) return name.slice(words.length);
  return undefined;
}

function scalarOf(secret: Uint8Array, role: TlsRole): Buffer {
  const wide = hkdfSync("sha256", secret, "hactl", `remote executor ${role} P-256 v2`, 48);
  const scalar = (BigInt(`0x${Buffer.from(wide).toString("hex")}`) % (ORDER - 1n)) + 1n;
  return Buffer.from(scalar.toString(16).padStart(64, "0"), "hex");
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
function certificate(privateKey: KeyObject, publicKey: Buffer, commonName: string): Buffer {
  const algorithm = der(SEQUENCE, oid(ECDSA_WITH_SHA256));
  const name = der(SEQUENCE, der(SET, der(SEQUENCE, oid(COMMON_NAME), der(0x0c, Buffer.from(commonName)))));
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
