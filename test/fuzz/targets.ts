import { HactlError } from "../../src/terms/index.ts";
import type { Random } from "../sim/random.ts";

/** What a decoder made of a datagram. */
export type Outcome = "accepted" | "refused";

/** A decoder under fuzzing. */
export interface Target {
  readonly name: string;
  /** Real ones, which are damaged. */
  readonly samples: readonly Uint8Array[];
  /** Makes one that is wrong in a way of its own; else samples are damaged byte by byte. */
  make?(random: Random): Uint8Array;
  /**
   * Gives it to the decoder. Throws when a promise is broken; an error of the decoder itself is a broken promise too,
   * unless it is one that its callers expect.
   */
  feed(data: Uint8Array, random: Random): Outcome;
  /** A last look at what has become of the whole. */
  end?(): void;
}

/** A broken promise. */
export function broken(what: string, data: Uint8Array): never {
  throw new Error(`${what}: ${Buffer.from(data).toString("hex")}`);
}

/** Runs what may refuse its input with an error of ours. */
export function orRefused(run: () => void): Outcome {
  try {
    run();
    return "accepted";
  } catch (error) {
    if (error instanceof HactlError) return "refused";
    throw error;
  }
}

/** Whether both have the same bytes. */
export const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;
