import { INFINITY } from "../terms/index.ts";
import { pseudoAction } from "./actions.ts";
import { addColocation } from "./colocation-unpack.ts";
import { Flag, Link, Role } from "./flags.ts";
import type { Action, Cluster, Node, Resource } from "./model.ts";
import { topLevel } from "./model.ts";
import { addOrdering, orderTasks } from "./orderings.ts";
import { addPlaceScore } from "./places.ts";
import { orderAroundUnfencing } from "./unfencing.ts";

/** What holds for every primitive: down before up, and what carries it before what it carries. */
export function constrainPrimitive(cluster: Cluster, rsc: Resource): void {
  if (!rsc.managed) return;
  orderTasks(cluster, rsc, "stop", rsc, "start", Link.Ordered | Link.FirstImpliesThen | Link.Restart);
  if (topLevel(rsc, false).promotable || rsc.role > Role.Unpromoted) {
    orderTasks(cluster, rsc, "demote", rsc, "stop", Link.PromotedThenImpliesFirst);
    orderTasks(cluster, rsc, "start", rsc, "promote", Link.UnrunnableFirstBlocks);
  }
  orderTasks(cluster, rsc, "delete", rsc, "monitor", Link.IfOnSameNode | Link.ThenCancelsFirst);
  orderAroundUnfencing(cluster, rsc);
  if (cluster.options.placementStrategy !== "default" && rsc.utilization.size > 0) orderLoad(cluster, rsc);
  if (rsc.container) constrainCarried(cluster, rsc, rsc.container);
  if (rsc.isRemoteConnection || rsc.isFenceDevice) avoidRemoteNodes(cluster, rsc);
}

/** On each node what leaves has left before anything comes, so that capacity is never exceeded on the way. */
function orderLoad(cluster: Cluster, rsc: Resource): void {
  for (const node of rsc.runningOn)
    addOrdering(
      cluster,
      { rsc, task: "stop" },
      { action: loadStopped(cluster, node) },
      Link.IfOnSameNodeOrTarget,
    );
  for (const node of rsc.allowed.keys())
    for (const task of ["start", "migrate_to"])
      addOrdering(cluster, { action: loadStopped(cluster, node) }, { rsc, task }, Link.IfOnSameNodeOrTarget);
}

function loadStopped(cluster: Cluster, node: Node): Action {
  const load = pseudoAction(cluster, `load_stopped_${node.name}`);
  if (!load.node) {
    load.node = node;
    load.clear(Flag.Optional);
  }
  return load;
}

/** A resource inside a container: a connection, or something that meta attribute `container` puts there. */
function constrainCarried(cluster: Cluster, rsc: Resource, container: Resource): void {
  let connection: Resource | undefined;
  if (rsc.isRemoteConnection) {
    if (!rsc.allowRemoteRemotes) avoidRemoteNodes(cluster, container);
    orderTasks(cluster, container, "monitor", rsc, "stop", Link.Ordered);
  } else if (container.isRemoteConnection) connection = container;
  else connection = container.fillers.find((filler) => filler.isRemoteConnection);
  if (connection) {
    for (const place of rsc.allowed.values())
      if (place.node.remoteRsc !== connection) place.score = -INFINITY;
    return;
  }
  orderTasks(cluster, container, "start", rsc, "start", Link.FirstImpliesThen | Link.UnrunnableFirstBlocks);
  orderTasks(cluster, rsc, "stop", container, "stop", Link.ThenImpliesFirst);
  addColocation(cluster, {
    id: "#resource-with-container",
    dependent: rsc,
    primary: container,
    score: rsc.allowRemoteRemotes ? 10_000 : INFINITY,
    influence: "true",
    attribute: undefined,
    dependentRole: undefined,
    primaryRole: undefined,
    explicit: false,
  });
}

function avoidRemoteNodes(cluster: Cluster, rsc: Resource): void {
  for (const { node } of [...rsc.allowed.values()])
    if (node.remoteRsc) addPlaceScore(cluster, rsc, node, -INFINITY);
}
