import { basename, dirname } from "node:path";
import type { DurableFiles } from "../../src/platform/index.ts";
import type { Random } from "../sim/random.ts";

interface Content {
  bytes: Uint8Array;
  /** What of it the platters have: all after a sync. */
  synced: boolean;
}

type Names = Map<string, Content>;

/**
 * A disk that loses what a power failure may lose: content that was not synced is torn or gone, and of the changes of
 * names since the last sync of the directory any first part has happened.
 */
export class FakeDisk implements DurableFiles {
  /** Every write fails. */
  full = false;
  /** Operations that have begun. */
  operations = 0;
  /** The power fails when this many have begun. */
  failsAt = Number.POSITIVE_INFINITY;
  /** Called when it does. */
  onFailure: () => void = () => {};
  #names: Names = new Map();
  #durable: Names = new Map();
  /** The names after each change since the last sync. */
  #since: Names[] = [];

  constructor(private readonly random: Random) {}

  list(directory: string): string[] {
    return [...this.#names.keys()]
      .filter((path) => dirname(path) === directory)
      .map((path) => basename(path));
  }

  read(path: string): Uint8Array | undefined {
    return this.#names.get(path)?.bytes;
  }

  async write(path: string, text: string): Promise<void> {
    this.#step();
    if (this.full) throw Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC" });
    const content: Content = { bytes: new Uint8Array(), synced: false };
    this.#change((names) => names.set(path, content));
    await Promise.resolve();
    this.#step();
    content.bytes = new TextEncoder().encode(text);
    await Promise.resolve();
    this.#step();
    content.synced = true;
  }

  rename(from: string, to: string): void {
    this.#step();
    const content = this.#names.get(from);
    if (!content) throw Object.assign(new Error(`ENOENT: ${from}`), { code: "ENOENT" });
    this.#change((names) => {
      names.delete(from);
      names.set(to, content);
    });
  }

  remove(path: string): void {
    this.#step();
    this.#change((names) => names.delete(path));
  }

  async sync(): Promise<void> {
    this.#step();
    await Promise.resolve();
    this.#step();
    this.#durable = new Map(this.#names);
    this.#since = [];
  }

  /** The machine starts again: what is on the platters is what there is. */
  restart(): void {
    const seen = [this.#durable, ...this.#since];
    const names = new Map(this.random.pick(seen));
    for (const [path, content] of names) {
      if (content.synced) continue;
      const left = content.bytes.slice(0, this.random.between(0, content.bytes.length));
      names.set(path, { bytes: left, synced: true });
    }
    this.#names = names;
    this.#durable = new Map(names);
    this.#since = [];
    this.operations = 0;
    this.failsAt = Number.POSITIVE_INFINITY;
  }

  /** Flips bits in a file. */
  damage(path: string, only?: number): void {
    const content = this.#names.get(path);
    if (!content) throw new Error(`no file ${path}`);
    content.bytes = content.bytes.map((byte, index) =>
      (only === undefined ? index % 7 === 3 : index === only) ? byte ^ 0x15 : byte,
    );
  }

  #change(change: (names: Names) => void): void {
    change(this.#names);
    this.#since.push(new Map(this.#names));
  }

  #step(): void {
    this.operations++;
    if (this.operations === this.failsAt) this.onFailure();
    // Nothing that runs on after the failure reaches the disk.
    if (this.operations >= this.failsAt) throw new Error("the power has failed");
  }
}
