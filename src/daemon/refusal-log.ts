import { monotonicMs } from "../platform/index.ts";
import { HactlError, type Millis } from "../terms/index.ts";
import type { AdminRequest } from "./admin-protocol.ts";
import type { Caller } from "./caller.ts";

/** The same refusal is told once in this time: nobody fills the log by asking again. */
const AGAIN_MS: Millis = 60_000;
const MOST = 1000;

/** Tells the log who was refused what. */
export class RefusalLog {
  readonly #told = new Map<string, Millis>();

  constructor(private readonly tell: (text: string) => void) {}

  /** Notes an error if it is a refusal. */
  note(error: unknown, request: AdminRequest, { name }: Caller): void {
    if (!(error instanceof HactlError) || error.code !== "PERMISSION") return;
    const key = `${name} ${request.type}`;
    const now = monotonicMs();
    if ((this.#told.get(key) ?? Number.NEGATIVE_INFINITY) > now - AGAIN_MS) return;
    if (this.#told.size >= MOST) this.#told.clear();
    this.#told.set(key, now);
    this.tell(`user ${name} was refused "${request.type}": ${error.what}`);
  }
}
