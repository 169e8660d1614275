import type { XmlElement } from "../cib/index.ts";
import { isUnwatched } from "../executor/index.ts";
import { agentName, INFINITY } from "../terms/index.ts";
import { Role } from "./flags.ts";
import { implyLocation } from "./location.ts";
import { type Cluster, type Node, placedAs, type Resource } from "./model.ts";
import { operationsOf } from "./operations.ts";
import type { Unpacker } from "./unpacker.ts";

/*
 * Where an agent is known not to be executable: the last that was done with a service that runs there has told so (no
 * release of Pacemaker does). Nothing that needs the agent goes there until a monitor says otherwise.
 */

/** Notes what the history of a resource on a node, oldest first, says of its agent. */
export function noteUnexecutable(
  unpacker: Unpacker,
  rsc: Resource,
  node: Node,
  operations: readonly XmlElement[],
): void {
  const last = operations.findLast(
    ({ attributes }) => attributes.get("id")?.endsWith("_last_failure_0") !== true,
  );
  if (!last || !isUnwatched(last.attributes.get("exit-reason") ?? "")) return;
  const isWatched = operationsOf(unpacker, rsc).some(
    ({ name, intervalMs, enabled }) => name === "monitor" && intervalMs > 0 && enabled,
  );
  // Where nobody would ever tell otherwise it is tried again.
  if (isWatched) node.unexecutable.add(agentName(rsc));
}

/** Whether the agent of a resource is known not to be executable on a node: nothing is done with it there, nor is it stopped. */
export const isUnexecutable = (rsc: Resource, node: Node): boolean =>
  node.unexecutable.size > 0 && node.unexecutable.has(agentName(rsc));

/** Whether a part of an instance that would have to be promoted on a node cannot be. */
export const cannotBePromoted = (rsc: Resource, node: Node): boolean =>
  rsc.children.length > 0
    ? rsc.children.some((part) => cannotBePromoted(part, node))
    : rsc.role < Role.Promoted && isUnexecutable(rsc, node);

/** Keeps what does not run there yet away from nodes where its agent cannot be executed. */
export function avoidUnexecutable(cluster: Cluster): void {
  const nodes = cluster.nodes.filter(({ unexecutable }) => unexecutable.size > 0);
  const visit = (rsc: Resource): void => {
    for (const part of rsc.children) visit(part);
    if (!rsc.isPrimitive) return;
    const whole = placedAs(rsc);
    for (const node of nodes) {
      if (!isUnexecutable(rsc, node) || whole.runningOn.includes(node)) continue;
      implyLocation(cluster, "agent", whole, node, -INFINITY, {
        source: "agent",
        text: `${agentName(rsc)} cannot be executed there`,
      });
    }
  };
  if (nodes.length > 0) for (const rsc of cluster.resources) visit(rsc);
}
