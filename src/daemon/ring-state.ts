import type { LastQuorate } from "../quorum/index.ts";
import { isElectorate, isElectorates } from "./ring-core-wire.ts";

/** What survives a restart of the ring. */
export interface RingState {
  readonly ringSequence: number;
  readonly expectedVotes?: number;
  readonly lastQuorate?: LastQuorate;
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;

function isLastQuorate(value: unknown): value is LastQuorate {
  if (!isElectorate(value)) return false;
  const { doubts } = value as LastQuorate;
  return doubts === undefined || isElectorates(doubts);
}

/** Reads a state file; undefined when it is damaged. A quorum that another version has noted otherwise is left out. */
export function parseRingState(text: string): RingState | undefined {
  let value: Partial<Record<keyof RingState, unknown>> | null;
  try {
    value = JSON.parse(text) as typeof value;
  } catch {
    return undefined;
  }
  if (!isCount(value?.ringSequence)) return undefined;
  const { ringSequence, expectedVotes, lastQuorate } = value;
  if (expectedVotes !== undefined && !isCount(expectedVotes)) return undefined;
  return {
    ringSequence,
    ...(expectedVotes !== undefined && { expectedVotes }),
    ...(isLastQuorate(lastQuorate) && { lastQuorate }),
  };
}

/** Carries out what a `RingStateKeeper` asks for. */
export interface RingStateDisk {
  /** Writes durably, all or nothing, then says whether it is there. */
  write(state: RingState, done: (written: boolean) => void): void;
  /** Runs something after a while. */
  later(run: () => void): void;
}

/**
 * Keeps the newest state on disk: one write at a time, each of the state as it is then, tried again until it succeeds.
 * So no older state is ever written over a newer one, and a change that others follow fast costs one write.
 */
export class RingStateKeeper {
  #state: RingState;
  readonly #disk: RingStateDisk;
  #busy = false;
  /** To be told when the next write that begins has succeeded. */
  #waiting: (() => void)[] = [];

  /** `state`: what is on disk. */
  constructor(state: RingState, disk: RingStateDisk) {
    this.#state = state;
    this.#disk = disk;
  }

  /** Changes a part of the state; `done` is called when it is on disk. */
  change(part: Partial<RingState>, done: () => void = () => {}): void {
    this.#state = { ...this.#state, ...part };
    this.#waiting.push(done);
    if (!this.#busy) this.#write();
  }

  #write(): void {
    this.#busy = true;
    const told = this.#waiting;
    this.#waiting = [];
    this.#disk.write(this.#state, (written) => {
      if (!written) {
        this.#waiting.unshift(...told);
        return this.#disk.later(() => this.#write());
      }
      this.#busy = false;
      for (const done of told) done();
      // Whoever was told may have changed something, and so begun to write.
      if (this.#waiting.length > 0 && !this.#busy) this.#write();
    });
  }
}
