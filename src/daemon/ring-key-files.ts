import { isNewer, readLimited, removeFile, writeDurably } from "../platform/index.ts";
import { CLUSTER_KEY_BYTES } from "../totem/index.ts";
import { readKey } from "./setup.ts";

const secret = { mode: 0o400 };

/** The key file of a node, with `.new` beside it while the key is being changed and `.old` after that. */
export class KeyFiles {
  constructor(private readonly path: string) {}

  /** The key that the node uses. @throws HactlError KEY_MISSING */
  current(): Uint8Array {
    return readKey(this.path);
  }

  /**
   * A key that was stored before the node ended and that its change had not yet come to. One that is older than the
   * key itself is of a change that was given up: somebody has installed another key since.
   */
  next(): Uint8Array | undefined {
    return isNewer(this.#next, this.path) ? readLimited(this.#next, 4096) : undefined;
  }

  /** Where an administrator brings a new key to. */
  get broughtPath(): string {
    return `${this.path}.brought`;
  }

  /** The key that an administrator has brought, if there is one that can be a key. */
  brought(): Uint8Array | undefined {
    const key = readLimited(this.broughtPath, CLUSTER_KEY_BYTES.max);
    return key && key.length >= CLUSTER_KEY_BYTES.min ? key : undefined;
  }

  /** Puts a new key beside the present one. */
  async store(key: Uint8Array): Promise<void> {
    await writeDurably(this.#next, key, secret);
  }

  /** Makes a key the node's key. Every step leaves a file that the node can start with. */
  async adopt(key: Uint8Array): Promise<void> {
    const before = this.current();
    if (Buffer.compare(before, key) !== 0) {
      await writeDurably(`${this.path}.old`, before, secret);
      await writeDurably(this.path, key, secret);
    }
    removeFile(this.#next);
    const brought = this.brought();
    if (brought && Buffer.compare(brought, key) === 0) removeFile(this.broughtPath);
  }

  get #next(): string {
    return `${this.path}.new`;
  }
}
