import { closeSync, readSync, writeSync } from "node:fs";
import type { Millis } from "../terms/index.ts";
import { openPipe } from "./process.ts";

/** Tells a child which of its files is the line. */
const variable = "HACTL_LIFE_LINE";
/** The first file of a child after its three usual ones. */
const childFile = 3;

/**
 * A pipe on which a child proves that its event loop turns. It is inherited, so that it needs no file, and neither side
 * ever waits for the other.
 */
export interface LifeLine {
  /** To be given to the child as its fourth file, with `environment`. */
  readonly childEnd: number;
  readonly environment: Readonly<Record<string, string>>;
  /** The child has been started: its end is its own now. */
  given(): void;
  /** Whether there was a sign of life since the last look. */
  heard(): boolean;
  close(): void;
}

/** @throws when the system gives no pipe */
export function openLifeLine(): LifeLine {
  const { read, write } = openPipe("both");
  const signs = new Uint8Array(4096);
  let ours: readonly number[] = [read, write];
  return {
    childEnd: write,
    environment: { [variable]: String(childFile) },
    given: () => {
      if (ours.includes(write)) closeSync(write);
      ours = [read];
    },
    heard: () => {
      if (!ours.includes(read)) return false;
      try {
        return readSync(read, signs) > 0;
      } catch {
        // Nothing there (EAGAIN).
        return false;
      }
    },
    close: () => {
      for (const file of ours) closeSync(file);
      ours = [];
    },
  };
}

/** Gives signs of life to the parent from now on, where that wants any; as often as it is told. Agents do not see the line. */
export function proveLife(everyMs: Millis, environment: NodeJS.ProcessEnv = process.env): void {
  const file = Number(environment[variable] ?? Number.NaN);
  delete environment[variable];
  if (!Number.isInteger(file)) return;
  const sign = new Uint8Array(1);
  const beat = () => {
    try {
      writeSync(file, sign);
    } catch {
      // A parent that does not read (EAGAIN) or is gone (EPIPE): it is noticed elsewhere.
    }
  };
  beat();
  setInterval(beat, everyMs).unref();
}
