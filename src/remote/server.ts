import {
  type Log,
  monotonicMs,
  type ProvenAddresses,
  serveTls,
  type TlsServer,
  TurnedAway,
} from "../platform/index.ts";
import type { NodeName } from "../terms/index.ts";
import { FirstName } from "./first-name.ts";
import type { ManagerPort } from "./manager-port.ts";
import { hostEnds, type RemoteKey, unnamedHostEnds } from "./node-key.ts";

/** Port of Pacemaker Remote (IANA: pacemaker, 3121). */
export const REMOTE_PORT = 3121;

export interface RemoteServerOptions {
  /** Which remote node this host is; undefined when the cluster shall say it. */
  readonly node: NodeName | undefined;
  readonly key: RemoteKey;
  readonly address?: string | undefined;
  readonly port?: number | undefined;
  readonly manager: ManagerPort;
  readonly log: Log;
  /** Addresses of managers that are known, and where others are kept. */
  readonly proven?: ProvenAddresses | undefined;
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
  const first = new FirstName(monotonicMs);
  const { node, key } = options;
  return serveTls({
    ...(node === undefined ? unnamedHostEnds(key, first) : hostEnds(key, node)),
    address: options.address,
    port: options.port ?? REMOTE_PORT,
    proven: options.proven,
    accept: (stream, from, { claimed }) => {
      first.opened(claimed ?? "");
      stream.once("close", () => first.closed());
      options.manager.accept(stream, from);
    },
    refused: (from, reason) => turnedAway.note(from, reason),
  });
}
