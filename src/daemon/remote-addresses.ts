import type { Millis } from "../terms/index.ts";

/** Where a remote host listens. */
export interface RemoteAddress {
  readonly host: string;
  readonly port: number;
}

/** A host that is at the configured address has answered after so long. */
const CONFIGURED_FIRST_MS: Millis = 5000;
/** A connection that was let go so long ago tells nothing of where the host is now. */
const REMEMBERED_MS: Millis = 120_000;

/**
 * Where the connection to a remote host that is begun anew is tried: at the configured address; and, when nothing answers
 * there, by turns where this node has just been connected to the host. A host with which nothing is wrong is not to be lost, and
 * fenced, because its address was changed to a wrong one.
 */
export class AddressTurns {
  #turn = 0;

  constructor(
    private readonly configured: RemoteAddress,
    /** Where the host was, and when the connection to it was let go; undefined: not known. */
    private readonly left: { readonly address: RemoteAddress; readonly at: Millis } | undefined,
    private readonly begun: Millis,
  ) {}

  /** Whether there is another address than the configured one. */
  get hasOther(): boolean {
    const { configured, left, begun } = this;
    if (!left || begun - left.at > REMEMBERED_MS) return false;
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
