import { open } from "node:fs/promises";
import { monotonicMs } from "../platform/index.ts";
import type { Millis } from "../terms/index.ts";

/** A small write that has reached the disk when it settles. */
async function write(path: string): Promise<void> {
  const file = await open(path, "w", 0o600);
  try {
    await file.write("\n", 0);
    await file.datasync();
  } finally {
    await file.close();
  }
}

/**
 * Whether a disk answers. What hangs at a disk hangs in the kernel, where nothing can end it: so a small write that nobody
 * stands and waits for goes first.
 */
export class DiskAnswer {
  #asked: Promise<void> | undefined;
  #since: Millis = 0;

  constructor(
    private readonly path: string,
    private readonly ask: (path: string) => Promise<void> = write,
    private readonly clock: () => Millis = monotonicMs,
  ) {}

  /** Settles when the disk has answered, with yes or no. */
  answered(): Promise<void> {
    if (this.#asked) return this.#asked;
    this.#since = this.clock();
    this.#asked = this.ask(this.path)
      // It said no: whoever writes is told that better.
      .catch(() => undefined)
      .finally(() => {
        this.#asked = undefined;
      });
    return this.#asked;
  }

  /** For how long the disk has been asked and has said nothing. */
  get silentMs(): Millis {
    return this.#asked ? this.clock() - this.#since : 0;
  }

  get waits(): boolean {
    return this.#asked !== undefined;
  }
}
