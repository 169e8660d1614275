import { isIP } from "node:net";
import { type Log, MOST_PROVEN, readLimited, writeDurably } from "../platform/index.ts";

const MOST_BYTES = 64 * 1024;

/**
 * Addresses from which managers have proved that they have the key, kept over a start: a remote host that starts anew
 * serves them before strangers. They give a place in the handshake and nothing else.
 */
export class ManagerAddresses {
  #next: readonly string[] | undefined;
  #written: Promise<void> = Promise.resolve();

  constructor(
    private readonly path: string,
    private readonly log: Log,
  ) {}

  /** Those of the process before this one, oldest first; none where the file says anything else than addresses. */
  read(): readonly string[] {
    try {
      const bytes = readLimited(this.path, MOST_BYTES);
      const lines = bytes ? Buffer.from(bytes).toString("latin1").split("\n").slice(0, -1) : [];
      if (lines.length <= MOST_PROVEN && lines.every((line) => isIP(line) !== 0)) return lines;
      this.log.warning(
        "REMOTE-ADDRESSES",
        `${this.path} is damaged: managers have no precedence until they have connected once`,
      );
    } catch (error) {
      this.log.warning("REMOTE-ADDRESSES", `${this.path} cannot be read: ${error}`);
    }
    return [];
  }

  /** Keeps these from now on. Of many changes at once the last is written. */
  keep(addresses: readonly string[]): void {
    const waits = this.#next !== undefined;
    this.#next = addresses.filter((one) => isIP(one) !== 0);
    if (!waits) this.#written = this.#written.then(() => this.#write());
  }

  /** Settles when what was to be kept is on the disk, or cannot be. */
  get written(): Promise<void> {
    return this.#written;
  }

  async #write(): Promise<void> {
    const addresses = this.#next ?? [];
    this.#next = undefined;
    try {
      await writeDurably(this.path, addresses.map((one) => `${one}\n`).join(""), { mode: 0o600 });
    } catch (error) {
      this.log.warning("REMOTE-ADDRESSES", `the managers' addresses cannot be kept: ${error}`);
    }
  }
}
