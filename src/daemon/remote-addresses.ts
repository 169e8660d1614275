import type { RemoteAddress } from "../controller/index.ts";
import type { Millis } from "../terms/index.ts";

/** A host that is at the configured address has answered after so long. */
const CONFIGURED_FIRST_MS: Millis = 5000;
/** A connection that was let go so long ago tells nothing of where the host is now. */
const REMEMBERED_MS: Millis = 120_000;

/** Where a host was, and when the connection to it was let go; without: it is there, as far as is known. */
export interface LeftAddress {
  readonly address: RemoteAddress;
  readonly at?: Millis;
}

/**
 * Where the connection to a remote host that is begun anew is tried: at the configured address; and, when nothing answers
 * there, by turns where this node or another one is connected to the host, or has just been. A host with which nothing is
 * wrong is not to be lost, and fenced, because its address was changed to a wrong one.
 */
export class AddressTurns {
  #turn = 0;

  constructor(
    private readonly configured: RemoteAddress,
    /** Where the host was; undefined: not known. */
    private readonly left: LeftAddress | undefined,
    private readonly begun: Millis,
  ) {}

  /** Whether there is another address than the configured one. */
  get hasOther(): boolean {
    const { configured, left, begun } = this;
    if (!left || (left.at !== undefined && begun - left.at > REMEMBERED_MS)) return false;
    return left.address.host !== configured.host || left.address.port !== configured.port;
  }

  /** The address of the next attempt. */
  next(now: Millis): RemoteAddress {
    if (!this.left || !this.hasOther || now - this.begun < CONFIGURED_FIRST_MS) return this.configured;
    return this.#turn++ % 2 === 0 ? this.left.address : this.configured;
  }
}

/** `host:port` for people. */
export const addressText = ({ host, port }: RemoteAddress): string => `${host}:${port}`;
