import { INFINITY } from "../terms/index.ts";
import { setPlace, showScores } from "./assign.ts";
import { soleLocation } from "./availability.ts";
import {
  addDependentScores,
  addThisWith,
  addWithThis,
  mergeScores,
  thisWithColocations,
  withThisColocations,
} from "./colocation.ts";
import type { Cause } from "./face.ts";
import { Role } from "./flags.ts";
import { compareInstances } from "./instance-order.ts";
import { assignInstances } from "./instances-assign.ts";
import { noteScores } from "./ledger.ts";
import { applyLocation } from "./location.ts";
import type { AssignmentMethods } from "./methods.ts";
import { methodsOf } from "./methods.ts";
import type { Cluster, Colocation, Resource } from "./model.ts";
import { blockedInside, compatibleInstance, intersectPlaces, isInterleaved } from "./pairing.ts";
import {
  addPromotionScores,
  colocateWithPromotable,
  promotionByColocation,
  setInstanceRoles,
} from "./promotable-assign.ts";

const promotion: Cause = { source: "promotion", text: "its promotion score there" };

/** How clones are placed. */
export const cloneAssignment: AssignmentMethods = {
  assign(cluster, rsc, prefer, stopIfFail) {
    const { clone } = rsc;
    if (!rsc.unassigned || rsc.assigning || !clone) return undefined;
    if (rsc.promotable) {
      addPromotionScores(cluster, rsc);
      noteScores(cluster, rsc, promotion);
    }
    rsc.assigning = true;
    for (const { primary } of thisWithColocations(rsc))
      methodsOf(primary).assign(cluster, primary, prefer, stopIfFail);
    for (const colocation of withThisColocations(rsc)) {
      addDependentScores(cluster, colocation, rsc);
      const { id, dependent } = colocation;
      noteScores(cluster, rsc, {
        source: "colocation",
        id,
        text: `${id}: where ${dependent.id}, which follows it, would like to be`,
      });
    }
    showScores(cluster, rsc, "clone");
    rsc.children.sort((a, b) => compareInstances(cluster, a, b));
    assignInstances(cluster, rsc, rsc.children, clone.cloneMax, clone.cloneNodeMax);
    if (rsc.promotable) setInstanceRoles(cluster, rsc);
    rsc.unassigned = false;
    rsc.assigning = false;
    return undefined;
  },

  /** Never called for a clone as the dependent: its instances take that part. */
  applyColocation(cluster, dependent, primary, colocation, forDependent) {
    if (forDependent || primary.unassigned) return;
    if (primary.promotable && colocation.primaryRole !== Role.Unknown) {
      if (dependent.unassigned) return colocateWithPromotable(cluster, primary, dependent, colocation);
      if (colocation.dependentRole === Role.Promoted)
        return promotionByColocation(cluster, primary, dependent, colocation);
    }
    if (canInterleave(cluster, colocation)) return pair(cluster, dependent, primary, colocation);
    if (colocation.score >= INFINITY) {
      const nodes = primary.children.flatMap((instance) => {
        const node = soleLocation(instance, false);
        return node && !blockedInside(instance) ? [{ node, score: 0 }] : [];
      });
      intersectPlaces(cluster, dependent, primary, colocation, nodes, false);
      return;
    }
    for (const instance of primary.children) {
      methodsOf(instance).applyColocation(cluster, dependent, instance, colocation, false);
    }
  },

  thisWithColocations(rsc, original, list) {
    addThisWith(list, rsc.thisWith);
    if (rsc.parent) methodsOf(rsc.parent).thisWithColocations(rsc.parent, original, list);
  },

  withThisColocations(rsc, original, list) {
    addWithThis(list, rsc.withThis);
    if (rsc.parent) methodsOf(rsc.parent).withThisColocations(rsc.parent, original, list);
  },

  addColocatedScores: mergeScores,

  applyLocation(cluster, rsc, location) {
    applyLocation(cluster, rsc, location);
    for (const instance of rsc.children) methodsOf(instance).applyLocation(cluster, instance, location);
  },

  /** Instances are alike: the first stands for the one that has to fit. */
  addUtilization(rsc, original, all, sum) {
    const counted = rsc.children.some(
      (instance) => all.includes(instance) || instance.children.some((part) => all.includes(part)),
    );
    const instance = rsc.children[0];
    if (counted || !instance) return;
    if (instance.unassigned && !all.includes(instance))
      methodsOf(instance).addUtilization(instance, original, all, sum);
  },
};

/** Interleaving is asked for by the dependent, and possible when both have as many instances a node. */
function canInterleave(cluster: Cluster, { dependent, primary }: Colocation): boolean {
  if (!isInterleaved(dependent)) return false;
  const perNode = (rsc: Resource) => rsc.clone?.cloneNodeMax ?? rsc.bundle?.replicasPerHost ?? 1;
  if (perNode(dependent) === perNode(primary)) return true;
  cluster.error(
    `Cannot interleave ${dependent.id} and ${primary.id} because they do not support the same number of instances per node`,
    dependent.id,
  );
  return false;
}

function pair(cluster: Cluster, dependent: Resource, primary: Resource, colocation: Colocation): void {
  const instance = compatibleInstance(cluster, dependent, primary, Role.Unknown, false);
  if (instance) methodsOf(dependent).applyColocation(cluster, dependent, instance, colocation, true);
  else if (colocation.score >= INFINITY) setPlace(cluster, dependent, undefined, true, true);
}
