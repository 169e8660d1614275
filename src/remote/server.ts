import { type Log, monotonicMs, serveTls, type TlsServer, tlsIdentity } from "../platform/index.ts";
import type { ManagerPort } from "./manager-port.ts";
import { TurnedAway } from "./turned-away.ts";

/** Port of Pacemaker Remote (IANA: pacemaker, 3121). */
export const REMOTE_PORT = 3121;

export interface RemoteServerOptions {
  /** The key that the cluster and its remote hosts share, 32 to 4096 bytes. */
  readonly sharedKey: Uint8Array;
  readonly address?: string | undefined;
  readonly port?: number | undefined;
  readonly manager: ManagerPort;
  readonly log: Log;
}

/**
 * Serves the executor protocol to managers that have the shared key.
 * @throws HactlError KEY_SIZE, PORT
 */
export function serveRemote(options: RemoteServerOptions): Promise<TlsServer> {
  const { log } = options;
  const turnedAway = new TurnedAway(
    (reason, from) => log.warning("REMOTE-REFUSED", `turned a connection away: ${reason}`, { from }),
    monotonicMs,
  );
  return serveTls({
    identity: tlsIdentity(options.sharedKey),
    address: options.address,
    port: options.port ?? REMOTE_PORT,
    accept: (stream, from) => options.manager.accept(stream, from),
    refused: (from, reason) => turnedAway.note(from, reason),
  });
}
