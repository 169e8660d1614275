import type { DaemonLink } from "./live.ts";

export interface Repetition {
  /** Draws once; may fail, which ends the repetition. */
  readonly show: () => Promise<void>;
  /** Longest time between two drawings. */
  readonly everyMs: number;
  /** Tells of changes. */
  readonly link?: DaemonLink;
  /** Ends it, too. */
  readonly end?: AbortSignal;
}

/** Changes that come in a row are drawn together. */
const settleMs = 200;

/**
 * Draws, then draws again when the daemon says that something changed, and at the latest after `everyMs`. Ends with 0
 * on SIGINT or SIGTERM; an error of `show` is passed on.
 */
export async function repeat({ show, everyMs, link, end }: Repetition): Promise<number> {
  let stopped = false;
  let wake: () => void = () => {};
  const stop = () => {
    stopped = true;
    wake();
  };
  process.once("SIGINT", stop);
  process.once("SIGTERM", stop);
  end?.addEventListener("abort", stop);
  let changed = false;
  if (link) {
    link.onChange = () => {
      changed = true;
      wake();
    };
  }
  const pause = (ms: number) =>
    new Promise<void>((done) => {
      const timer = setTimeout(done, ms);
      wake = () => {
        clearTimeout(timer);
        done();
      };
    });
  try {
    while (!stopped) {
      changed = false;
      await show();
      if (!changed && !stopped) await pause(everyMs);
      if (changed && !stopped) await new Promise((done) => setTimeout(done, settleMs));
    }
  } finally {
    process.off("SIGINT", stop);
    process.off("SIGTERM", stop);
  }
  return 0;
}
