import { nodeName } from "../terms/index.ts";
import type { RemoteHost } from "./face.ts";
import { Role } from "./flags.ts";
import type { Cluster, Node } from "./model.ts";
import { parameters } from "./parameters.ts";
import { targetRole } from "./resources.ts";
import { unpackerOf } from "./unpacker.ts";

/** Where `hactl remote` listens when nothing else is said (ocf:pacemaker:remote, "port"). */
const defaultPort = 3121;

/**
 * Remote and guest nodes that shall be connected, are not, and will not be by this decision: they left in order, or their
 * connection could be started nowhere. Those that have to be fenced first are not among them, nor are the parts of a
 * bundle, whose containers end with what serves in them.
 */
export function unconnected(cluster: Cluster): RemoteHost[] {
  return cluster.nodes.filter(isUnconnected).flatMap((node) => {
    const connection = node.remoteRsc;
    if (!connection) return [];
    const params = parameters(unpackerOf(cluster), connection, undefined);
    const port = Number(params.get("port") ?? defaultPort);
    if (!Number.isInteger(port) || port < 1 || port > 65_535) return [];
    const host = params.get("server") ?? params.get("addr") ?? connection.id;
    return [{ node: nodeName(node.name), host, port }];
  });
}

function isUnconnected({ isRemoteOrGuest, unclean, remoteRsc }: Node): boolean {
  if (!isRemoteOrGuest || !remoteRsc || unclean || remoteRsc.removed || !remoteRsc.managed) return false;
  if (remoteRsc.replica || targetRole(remoteRsc) === Role.Stopped) return false;
  if (remoteRsc.container && remoteRsc.container.runningOn.length === 0) return false;
  return remoteRsc.runningOn.length === 0 && (!remoteRsc.assignedTo || remoteRsc.nextRole <= Role.Stopped);
}
