import type { XmlElement } from "../../cib/index.ts";
import { type Cluster, type Resource, unpackCluster } from "../../scheduler/index.ts";
import { nearest } from "../../terms/index.ts";
import { cannotJudge, missingBasis } from "../hidden.ts";
import { findResource } from "../render/selection.ts";
import { noSuch } from "./connection.ts";
import type { ResourceCall } from "./crm_resource-call.ts";

/** The cluster that is asked about, at this moment. */
export const clusterOf = async ({ session }: ResourceCall): Promise<Cluster> =>
  unpackCluster(await session.decidable(), Math.floor(Date.now() / 1000));

/**
 * The same for who asks for its state. @throws HactlError PERMISSION when access rules hide what that is told by
 */
export async function stateOf(call: ResourceCall): Promise<Cluster> {
  const cluster = await clusterOf(call);
  const missing = missingBasis(call.session.hidden);
  if (missing.length > 0) throw cannotJudge("what runs where cannot be told", missing);
  return cluster;
}

/** The CIB by which it can be told what runs where. @throws HactlError PERMISSION when access rules hide that */
export async function cibWithState({ session }: ResourceCall, what: string): Promise<XmlElement> {
  const cib = await session.cib();
  const missing = missingBasis(session.hidden);
  if (missing.length > 0) throw cannotJudge(what, missing);
  return cib;
}

/** Whatever is asked: a node that there is not is a slip of the pen. @throws HactlError NO_SUCH_OBJECT */
export async function refuseUnknownNode(call: ResourceCall, name: string): Promise<void> {
  const { nodeByName } = await clusterOf(call);
  if (!nodeByName.has(name)) throw noSuch(`Node '${name}' not found`, nearest(name, [...nodeByName.keys()]));
}

/** The resource that was named. @throws HactlError NO_SUCH_OBJECT */
export function resourceIn(cluster: Cluster, id: string): Resource {
  const found = findResource(cluster, id);
  if (found) return found;
  const ids = [...cluster.resourceById.values()].map(({ configId, id: own }) => configId || own);
  throw noSuch(`Resource '${id}' not found`, nearest(id, ids));
}
