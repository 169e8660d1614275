import { instanceLimit, MOST_NODES, tooManyInstances } from "../cib/index.ts";
import { CrmExit, HactlError } from "../terms/index.ts";
import type { Cluster } from "./model.ts";

/** What would take for ever to decide is refused. Throws HactlError `TOO_MANY_INSTANCES`. */
export function refuseTooMany(cluster: Cluster, id: string, wanted: number, members: number): void {
  const most = instanceLimit(cluster.nodes.length, members);
  if (wanted <= most) return;
  throw new HactlError({
    code: "TOO_MANY_INSTANCES",
    what: `of "${id}" ${tooManyInstances(wanted, most)}`,
    where: { id },
    cure: "correct clone-max, or the replicas of the bundle",
    exit: CrmExit.CONFIG,
  });
}

/** More nodes than any cluster can have. Throws HactlError `TOO_MANY_NODES`. */
export function refuseTooManyNodes(count: number): void {
  if (count <= MOST_NODES) return;
  throw new HactlError({
    code: "TOO_MANY_NODES",
    what: `there are ${count} nodes; ${MOST_NODES} are possible`,
    cure: "remove those that do not exist",
    exit: CrmExit.CONFIG,
  });
}
