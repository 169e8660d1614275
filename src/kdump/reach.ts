import { randomBytes } from "node:crypto";
import { DgramAsPromised } from "dgram-as-promised";

const question = Buffer.from("HKP1");
const reply = Buffer.from("HKA1");
const nonceBytes = 8;

/** The answer to a probe of our own, or undefined when the datagram is none. It is as long as the probe. */
export function probeReply(data: Uint8Array): Buffer | undefined {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  if (bytes.length !== question.length + nonceBytes) return undefined;
  if (!bytes.subarray(0, question.length).equals(question)) return undefined;
  return Buffer.concat([reply, bytes.subarray(question.length)]);
}

/**
 * Whether a hactl listens for notices at an address: proves way, firewall and port. A notice itself would not do: a
 * node that is lost just after its test would count as dumping.
 */
export async function probe(
  address: string,
  port: number,
  timeoutMs: number,
): Promise<"heard" | "silent" | string> {
  const nonce = randomBytes(nonceBytes);
  const wanted = Buffer.concat([reply, nonce]);
  const socket = DgramAsPromised.createSocket(address.includes(":") ? "udp6" : "udp4").setTimeout(timeoutMs);
  try {
    const data = Buffer.concat([question, nonce]);
    await socket.send(data, 0, data.length, port, address);
    const packet = await socket.recv();
    return packet?.msg.equals(wanted) ? "heard" : "silent";
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    return code === undefined || code === "ETIMEDOUT" ? "silent" : code;
  } finally {
    await socket.close().catch(() => {});
  }
}
