import type { XmlElement } from "../cib/index.ts";
import { INFINITY } from "../terms/index.ts";
import { loneAction } from "./actions.ts";
import { Link, Role } from "./flags.ts";
import { implyLocation } from "./location.ts";
import { type Cluster, type Node, type OnFail, placedAs, type Resource } from "./model.ts";
import { opKey } from "./operations.ts";
import { addOrdering } from "./orderings.ts";

/*
 * Failures for which no node is fenced. Whoever keeps the history writes it there (no release of Pacemaker does).
 */

/**
 * Why no node is fenced for a stop that has failed. The resource is blocked then, as on-fail=block says: the service was
 * never seen to run as it is configured (`never-seen`), or nodes were reset for it already, and it has not run for long since
 * (`reset-in-vain`). Or the node was reset for it before, and since it is back the service was not begun there
 * (`reset-before`): the node is left out, and the service is free to run on the others. Of such a node the look that fails says as much
 * already, so that the service is not stopped where it runs; only there its stop is tried.
 */
export type Spared = (typeof reasons)[number];

const reasons = ["never-seen", "reset-in-vain", "reset-before"] as const;

/** Attribute of a history entry. */
export const SPARED = "not-fenced";

/** Why nothing is fenced for the failure that an entry tells of. */
export function sparedFor({ attributes }: XmlElement): Spared | undefined {
  const value = attributes.get(SPARED);
  return reasons.find((reason) => reason === value);
}

const isLook = ({ attributes }: XmlElement): boolean => attributes.get("operation") === "monitor";

/** What follows from a failure, where nothing is to be fenced for it. */
export const sparing = (onFail: OnFail, entry: XmlElement): OnFail =>
  sparedFor(entry) !== undefined && !isLook(entry) && onFail === "fence" ? "block" : onFail;

/** Whether a failure only says that the node is to be left out. */
export const leavesOut = (onFail: OnFail, entry: XmlElement): boolean =>
  sparedFor(entry) === "reset-before" && onFail === (isLook(entry) ? "restart" : "fence");

/** Takes a resource for not active on a node that is left out by a failure, and keeps it away until somebody has cleaned up. */
export function leaveOut(cluster: Cluster, rsc: Resource, node: Node, failure: XmlElement): void {
  rsc.role = Role.Stopped;
  rsc.leftOut.set(node, isLook(failure));
  implyLocation(cluster, "left-out", placedAs(rsc), node, -INFINITY, {
    source: "left-out",
    text: `${node.name} was reset for its failed stop before, and cannot tell what runs there`,
  });
}

/**
 * Stops a service on a node that is left out because a look has failed there. Nothing follows from it for where the service
 * runs, nor for what depends on it; where it is yet to be started it waits for that.
 */
export function stopLeftOut(cluster: Cluster, rsc: Resource): void {
  for (const [node, isStopDue] of rsc.leftOut) {
    if (!isStopDue || !rsc.managed || !isTaking(node)) continue;
    const stop = loneAction(cluster, rsc, opKey(rsc.id, "stop", 0), "stop", node);
    for (const task of ["start", "promote"])
      addOrdering(cluster, { action: stop }, { rsc, task }, Link.Ordered);
  }
}

const isTaking = (node: Node): boolean =>
  node.online && !node.unclean && !node.pending && !node.shutdown && !node.maintenance;
