import { CrmExit, HactlError, read } from "../terms/index.ts";

/**
 * A message of the executor protocol on a stream: u32 magic, u8 version, u8 type, u16 zero, u32 length of the
 * body, all big-endian, then the body. Type 1 is JSON in UTF-8.
 */
export const HEADER_BYTES = 12;
const MAGIC = 0x6861_6378;
const VERSION = 1;
const JSON_BODY = 1;
/** Largest body, bytes. */
export const MAX_BODY_BYTES = 16 * 1024 * 1024;

/**
 * A message as bytes.
 * @throws HactlError MESSAGE_TOO_LARGE
 */
export function encodeMessage(message: unknown): Uint8Array {
  const body = Buffer.from(JSON.stringify(message), "utf8");
  if (body.length > MAX_BODY_BYTES) {
    throw new HactlError({
      code: "MESSAGE_TOO_LARGE",
      what: `A message of ${body.length} bytes is too long for an executor; ${MAX_BODY_BYTES} are possible`,
      exit: CrmExit.PROTOCOL,
    });
  }
  const bytes = Buffer.alloc(HEADER_BYTES + body.length);
  bytes.writeUInt32BE(MAGIC, 0);
  bytes[4] = VERSION;
  bytes[5] = JSON_BODY;
  bytes.writeUInt32BE(body.length, 8);
  body.copy(bytes, HEADER_BYTES);
  return bytes;
}

/** Cuts a stream into messages. Pieces may end anywhere. */
export class MessageReader {
  #pieces: Uint8Array[] = [];
  #have = 0;
  #wanted = HEADER_BYTES;

  /**
   * Takes a piece and returns the messages that are complete with it.
   * @throws HactlError PROTOCOL for what is no message; the stream is useless after that.
   */
  take(piece: Uint8Array): unknown[] {
    this.#pieces.push(piece);
    this.#have += piece.length;
    if (this.#have < this.#wanted) return [];
    let rest: Buffer = Buffer.concat(this.#pieces);
    const messages: unknown[] = [];
    for (;;) {
      this.#wanted = rest.length < HEADER_BYTES ? HEADER_BYTES : HEADER_BYTES + bodyLength(rest);
      if (rest.length < this.#wanted) break;
      messages.push(read.json(rest.subarray(HEADER_BYTES, this.#wanted), "message"));
      rest = rest.subarray(this.#wanted);
    }
    this.#pieces = rest.length === 0 ? [] : [rest];
    this.#have = rest.length;
    return messages;
  }
}

function bodyLength(header: Buffer): number {
  if (header.readUInt32BE(0) !== MAGIC) throw protocolError("These are no messages of hactl");
  if (header[4] !== VERSION) {
    throw protocolError(`The other side speaks version ${header[4]} of the protocol, this one ${VERSION}`);
  }
  if (header[5] !== JSON_BODY || header.readUInt16BE(6) !== 0) {
    throw protocolError(`Messages of type ${header[5]} are not known`);
  }
  const length = header.readUInt32BE(8);
  if (length > MAX_BODY_BYTES) throw protocolError(`A message of ${length} bytes is too long`);
  return length;
}

/** An error of the other side's making. */
export function protocolError(what: string, cause?: unknown): HactlError {
  return new HactlError({
    code: "PROTOCOL",
    what,
    cure: "Both sides must run the same version of hactl",
    exit: CrmExit.PROTOCOL,
    ...(cause === undefined ? {} : { cause }),
  });
}
