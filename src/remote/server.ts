import { type Log, monotonicMs, serveTls, type TlsServer } from "../platform/index.ts";
import type { NodeName } from "../terms/index.ts";
import type { ManagerPort } from "./manager-port.ts";
import { hostEnds, type RemoteKey } from "./node-key.ts";
import { TurnedAway } from "./turned-away.ts";

/** Port of Pacemaker Remote (IANA: pacemaker, 3121). */
export const REMOTE_PORT = 3121;

export interface RemoteServerOptions {
  /** Which remote node this host is. */
  readonly node: NodeName;
  readonly key: RemoteKey;
  readonly address?: string | undefined;
  readonly port?: number | undefined;
  readonly manager: ManagerPort;
  readonly log: Log;
}

/**
 * Serves the executor protocol to managers that want this remote node and prove that they may.
 * @throws HactlError NOT_WHOLE, PORT
 */
export function serveRemote(options: RemoteServerOptions): Promise<TlsServer> {
  const { log } = options;
  const turnedAway = new TurnedAway(
    (reason, from) => log.warning("REMOTE-REFUSED", `turned a connection away: ${reason}`, { from }),
    monotonicMs,
  );
  return serveTls({
    ...hostEnds(options.key, options.node),
    address: options.address,
    port: options.port ?? REMOTE_PORT,
    accept: (stream, from) => options.manager.accept(stream, from),
    refused: (from, reason) => turnedAway.note(from, reason),
  });
}
