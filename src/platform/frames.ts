import { CrmExit, HactlError } from "../terms/index.ts";

/** Bytes before the body: u32 (big-endian) length of type and body, u8 type. */
export const frameHeaderBytes = 5;

/** Header of a frame whose body has `bodyBytes`. */
export function frameHeader(type: number, bodyBytes: number): Uint8Array {
  const header = new Uint8Array(frameHeaderBytes);
  new DataView(header.buffer).setUint32(0, bodyBytes + 1);
  header[4] = type;
  return header;
}

/**
 * Cuts a stream of bytes into frames. Pieces may end anywhere. A body inside one piece is handed out without a copy:
 * it is the receiver's to keep.
 */
export class FrameReader {
  private readonly pieces: Uint8Array[] = [];
  private have = 0;
  private wanted = frameHeaderBytes;

  /** @param maxBody largest body in bytes; a longer one is an error, since its sender cannot be ours. */
  constructor(private readonly maxBody: number) {}

  /**
   * Takes a piece and calls `frame` for every frame that is complete.
   * @throws HactlError FRAME_LENGTH when a length cannot be right; the stream is then useless.
   */
  take(piece: Uint8Array, frame: (type: number, body: Uint8Array) => void): void {
    let rest = piece;
    if (this.have > 0) {
      this.pieces.push(piece);
      this.have += piece.length;
      if (this.have < this.wanted) return;
      rest = this.pieces.length === 1 ? piece : Buffer.concat(this.pieces, this.have);
      this.pieces.length = 0;
      this.have = 0;
    }
    while (rest.length >= frameHeaderBytes) {
      const length = this.lengthOf(rest);
      if (rest.length < length + 4) break;
      frame(rest[4] ?? 0, rest.subarray(frameHeaderBytes, length + 4));
      rest = rest.subarray(length + 4);
    }
    if (rest.length === 0) return;
    this.wanted = rest.length >= frameHeaderBytes ? this.lengthOf(rest) + 4 : frameHeaderBytes;
    this.pieces.push(rest);
    this.have = rest.length;
  }

  private lengthOf(bytes: Uint8Array): number {
    const length = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0);
    if (length >= 1 && length <= this.maxBody + 1) return length;
    throw new HactlError({
      code: "FRAME_LENGTH",
      what: `The other side announces a message of ${length} bytes; ${this.maxBody} are allowed`,
      cure: "Both sides must be the same version of hactl",
      exit: CrmExit.PROTOCOL,
    });
  }
}

/** What a frame queue writes to: answers how many bytes it took, or less than 0 when it is closed. */
export type FrameSink = (bytes: Uint8Array) => number;

/**
 * Frames waiting to be written. All that is sent in one turn of the event loop goes out in one write, and a sink that
 * takes only a part is given the rest when it asks for more.
 */
export class FrameWriter {
  private queue: Uint8Array[] = [];
  private bytes = 0;
  private scheduled = false;
  private blocked = false;

  constructor(private readonly sink: FrameSink) {}

  /** Bytes that the sink has not taken. */
  get pending(): number {
    return this.bytes;
  }

  /** Puts a frame into the queue. The body must not change until it is written. */
  send(type: number, body: Uint8Array): void {
    const header = frameHeader(type, body.length);
    this.queue.push(header);
    if (body.length > 0) this.queue.push(body);
    this.bytes += header.length + body.length;
    if (this.scheduled || this.blocked) return;
    this.scheduled = true;
    queueMicrotask(() => {
      this.scheduled = false;
      this.flush();
    });
  }

  /** Writes what the sink takes. Call it when the sink has room again. */
  flush(): void {
    this.blocked = false;
    while (this.queue.length > 0) {
      const batch = this.nextBatch();
      const taken = this.sink(batch);
      if (taken < 0) return this.clear();
      this.bytes -= taken;
      if (taken < batch.length) {
        this.queue.unshift(batch.subarray(taken));
        this.blocked = true;
        return;
      }
    }
  }

  /** Forgets everything. */
  clear(): void {
    this.queue = [];
    this.bytes = 0;
  }

  /** Joins small pieces up to some 256 KB; a single large one is not copied. */
  private nextBatch(): Uint8Array {
    let bytes = 0;
    let count = 0;
    while (
      count < this.queue.length &&
      (count === 0 || bytes + (this.queue[count]?.length ?? 0) <= 256 * 1024)
    ) {
      bytes += this.queue[count]?.length ?? 0;
      count++;
    }
    const batch = this.queue.splice(0, count);
    return batch.length === 1 && batch[0] ? batch[0] : Buffer.concat(batch, bytes);
  }
}
