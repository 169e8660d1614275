import { mkdirSync } from "node:fs";
import { readdir, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { formatXml } from "../cib/index.ts";
import type { Log } from "../platform/index.ts";
import type { SchedulerInput } from "../scheduler/index.ts";

/** Inputs that wait for a disk that does not answer; what comes then is not kept. */
const mostWaiting = 8;

/** Decisions whose input is kept. */
const kept = 200;

/**
 * The input of every decision, so that it can be replayed and explained: `transition-N.xml.zst` holds the `<cib>`
 * with the time in `execution-date`, as `hactl simulate` reads it.
 */
export class TransitionArchive {
  #number = 0;
  #waiting = 0;
  /** The directory is there, and it is known what is in it. */
  #isOpen = false;
  #ready: Promise<void>;

  constructor(
    private readonly directory: string,
    private readonly log: Log,
  ) {
    this.#ready = this.#open().catch((error) => this.#complain(error));
  }

  /** Keeps the input of a decision. The text is made at once, since the CIB goes on changing. */
  add(id: number, { cib, now }: SchedulerInput, triggers: readonly string[]): void {
    if (this.#waiting >= mostWaiting) return;
    this.#waiting++;
    const attributes = new Map([...cib.attributes, ["execution-date", String(now)]]);
    const text = formatXml({ ...cib, attributes });
    this.#ready = this.#ready
      .then(() => this.#open())
      .then(() => this.#write(id, text, triggers))
      .catch((error) => this.#complain(error))
      .finally(() => {
        this.#waiting--;
      });
  }

  /** Nothing depends on it but who looks later: without it the cluster goes on deciding. */
  #complain(error: unknown): void {
    this.#isOpen = false;
    this.log.warning("TRANSITION-ARCHIVE", `the inputs of decisions cannot be kept: ${error}`);
  }

  async #open(): Promise<void> {
    if (this.#isOpen) return;
    mkdirSync(this.directory, { recursive: true, mode: 0o750 });
    const names = await readdir(this.directory);
    this.#number = Math.max(0, ...names.map((name) => Number(/^transition-(\d+)\./.exec(name)?.[1] ?? 0)));
    this.#isOpen = true;
  }

  async #write(_id: number, text: string, _triggers: readonly string[]): Promise<void> {
    const number = ++this.#number;
    const path = (n: number) => join(this.directory, `transition-${n}.xml.zst`);
    await writeFile(path(number), await Bun.zstdCompress(text), { mode: 0o600 });
    if (number > kept) await unlink(path(number - kept)).catch(() => {});
  }
}
