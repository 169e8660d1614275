import { INFINITY } from "../terms/index.ts";
import { showScores } from "./assign.ts";
import { anyUsable } from "./availability.ts";
import {
  addThisWith,
  addWithThis,
  mergeFollowing,
  thisWithColocations,
  withThisColocations,
} from "./colocation.ts";
import { insertThisWith, insertWithThis } from "./colocation-unpack.ts";
import { applyLocation } from "./location.ts";
import type { AssignmentMethods } from "./methods.ts";
import { methodsOf } from "./methods.ts";
import type { Location, Node, Resource } from "./model.ts";

const first = (group: Resource): Resource | undefined => group.children[0];
const last = (group: Resource): Resource | undefined => group.children.at(-1);

/** Who has the colocations of a group that hands them over: the group until its assignment begins, then a member. */
const holder = (group: Resource, member: Resource | undefined): Resource | undefined =>
  group.assigning || !group.unassigned ? member : group;

/** How groups are placed: the first member draws the others after it by the colocations between neighbours. */
export const groupAssignment: AssignmentMethods = {
  assign(cluster, rsc, prefer, stopIfFail) {
    if (!rsc.unassigned) return rsc.assignedTo;
    if (rsc.assigning) return undefined;
    if (rsc.children.length === 0) {
      rsc.unassigned = false;
      return undefined;
    }
    rsc.assigning = true;
    const leader = rsc.children[0];
    if (leader) rsc.role = leader.role;
    showScores(cluster, rsc, "group");
    let place: Node | undefined;
    for (const member of rsc.children) {
      const node = methodsOf(member).assign(cluster, member, prefer, stopIfFail);
      place ??= node;
    }
    if (leader) rsc.nextRole = leader.nextRole;
    rsc.assigning = false;
    rsc.unassigned = false;
    return place;
  },

  applyColocation(cluster, dependent, primary, colocation, forDependent) {
    if (forDependent) {
      const member = first(dependent);
      if (member) methodsOf(member).applyColocation(cluster, member, primary, colocation, true);
      return;
    }
    if (primary.unassigned) return;
    // With a mandatory colocation the whole group has to be there, so its last member counts.
    const member = colocation.score >= INFINITY ? last(primary) : first(primary);
    if (member) methodsOf(member).applyColocation(cluster, dependent, member, colocation, false);
  },

  thisWithColocations(rsc, original, list) {
    if (rsc === original || original === first(rsc)) {
      if (rsc.handsOverColocations && original !== holder(rsc, first(rsc))) return;
      addThisWith(list, rsc.thisWith);
      if (rsc.parent) methodsOf(rsc.parent).thisWithColocations(rsc.parent, original, list);
      if (rsc.handsOverColocations) return;
      for (const member of rsc.children) {
        if (member === original) continue;
        for (const colocation of member.thisWith) if (colocation.explicit) insertThisWith(list, colocation);
      }
      return;
    }
    // Later members follow the first one; but an unmanaged one before them breaks the chain, also for the clone.
    if (!original.afterUnmanaged) return;
    for (const colocation of [...rsc.thisWith, ...(rsc.parent?.thisWith ?? [])])
      if (colocation.score === INFINITY) insertThisWith(list, colocation);
  },

  withThisColocations(rsc, original, list) {
    if (rsc.children.length === 0) return;
    if (original !== rsc && original !== last(rsc)) return;
    if (rsc.handsOverColocations && original !== holder(rsc, last(rsc))) return;
    addWithThis(list, rsc.withThis);
    if (rsc.parent) methodsOf(rsc.parent).withThisColocations(rsc.parent, original, list);
    if (rsc.handsOverColocations) return;
    for (const member of rsc.children) {
      if (member === original) continue;
      for (const colocation of member.withThis) if (colocation.explicit) insertWithThis(list, colocation);
    }
  },

  addColocatedScores(cluster, source, target, places, colocation, factor, options) {
    if (source.mergingScores) return undefined;
    const fromEnd = options.thisWith && (places === undefined || !source.handsOverColocations);
    const member = fromEnd ? last(source) : first(source);
    if (!member) return undefined;
    source.mergingScores = true;
    let merged = methodsOf(member).addColocatedScores(
      cluster,
      member,
      target,
      places,
      colocation,
      factor,
      options,
    );
    const end = last(source);
    const work = merged ?? places;
    if (source.handsOverColocations && end && work && anyUsable(work)) {
      const list = options.thisWith ? thisWithColocations(source) : withThisColocations(end);
      merged = mergeFollowing(cluster, list, target, work, factor, options);
    }
    source.mergingScores = false;
    return merged;
  },

  /** The first member gets the scores, since the others follow it; they only have to know the nodes. */
  applyLocation(cluster, rsc, location) {
    applyLocation(cluster, rsc, location);
    const rest: Location = { ...location, nodes: location.nodes.map(({ node }) => ({ node, score: 0 })) };
    for (const [index, member] of rsc.children.entries()) {
      methodsOf(member).applyLocation(cluster, member, index === 0 ? location : rest);
    }
  },

  addUtilization(rsc, original, all, sum) {
    if (!rsc.unassigned) return;
    for (const member of rsc.children) {
      if (member.unassigned && !all.includes(member))
        methodsOf(member).addUtilization(member, original, all, sum);
    }
  },
};
