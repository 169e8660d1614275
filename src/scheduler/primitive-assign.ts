import { assignPrimitive } from "./assign.ts";
import {
  addThisWith,
  addWithThis,
  applyToPlaces,
  applyToPriority,
  colocationAffects,
  mergeScores,
} from "./colocation.ts";
import { insertThisWith, insertWithThis } from "./colocation-unpack.ts";
import { applyLocation } from "./location.ts";
import type { AssignmentMethods } from "./methods.ts";
import { methodsOf } from "./methods.ts";

/** How primitives are placed. */
export const primitiveAssignment: AssignmentMethods = {
  assign: assignPrimitive,

  applyColocation(cluster, dependent, primary, colocation, forDependent) {
    // The primary's own behaviour decides how it is matched: an instance of it, its container, its last member.
    if (forDependent) {
      methodsOf(primary).applyColocation(cluster, dependent, primary, colocation, false);
      return;
    }
    switch (colocationAffects(cluster, dependent, primary, colocation, false)) {
      case "role":
        applyToPriority(dependent, primary, colocation);
        break;
      case "location":
        applyToPlaces(cluster, dependent, primary, colocation);
        break;
      case "nothing":
        break;
    }
  },

  thisWithColocations(rsc, original, list) {
    if (rsc === original) {
      addThisWith(list, rsc.thisWith);
      if (rsc.parent) methodsOf(rsc.parent).thisWithColocations(rsc.parent, original, list);
      return;
    }
    for (const colocation of rsc.thisWith) if (colocation.explicit) insertThisWith(list, colocation);
  },

  withThisColocations(rsc, original, list) {
    if (rsc === original) {
      addWithThis(list, rsc.withThis);
      if (rsc.parent) methodsOf(rsc.parent).withThisColocations(rsc.parent, original, list);
      return;
    }
    for (const colocation of rsc.withThis) if (colocation.explicit) insertWithThis(list, colocation);
  },

  addColocatedScores: mergeScores,

  applyLocation,

  addUtilization(rsc, _original, _all, sum) {
    if (!rsc.unassigned) return;
    for (const [name, need] of rsc.utilization) sum.set(name, (sum.get(name) ?? 0) + need);
  },
};
