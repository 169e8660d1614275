import { type Cluster, type Resource, Role } from "../../scheduler/index.ts";
import { OcfExit } from "../../terms/index.ts";
import {
  activeNodes,
  highestRole,
  isActive,
  isDisabled,
  primitivesOf,
  stoppingNode,
  stoppingRestart,
} from "./cluster-view.ts";
import { isImplied } from "./resource-list.ts";
import { leftOutText, sparedText } from "./spared.ts";
import type { CauseWithoutLevel, FailureFacts } from "./status-model.ts";

/** What is wrong with resources. */
export function resourceCauses(
  cluster: Cluster,
  { failures }: { readonly failures: readonly FailureFacts[] },
): CauseWithoutLevel[] {
  const causes: CauseWithoutLevel[] = [];
  for (const rsc of cluster.resources.filter((top) => !isImplied(top)))
    causes.push(...causesOf(cluster, rsc, failures));
  for (const failure of failures) {
    if (causes.some(({ rsc, node }) => rsc === failure.rsc && (node === undefined || node === failure.node)))
      continue;
    const why = `(${failure.task}: ${failure.outcome}${failure.exitReason === "" ? "" : ` – ${failure.exitReason}`})`;
    const machine = cluster.resourceById.get(failure.rsc)?.remoteNode?.remoteRsc?.container;
    if (machine && isImplied(cluster.resourceById.get(failure.rsc) ?? machine)) {
      causes.push({
        code: "FAILURE",
        rsc: failure.rsc,
        node: failure.node,
        text: `guest ${failure.rsc} in ${machine.configId} cannot be reached from ${failure.node} ${why}`,
        cure: `See that hactl remote runs in ${failure.rsc}, or restart what it runs in: hactl resource restart ${machine.configId}`,
      });
      continue;
    }
    causes.push({
      code: "FAILURE",
      rsc: failure.rsc,
      node: failure.node,
      text: `${failure.rsc} has failed on ${failure.node} ${why}`,
      cure: isDegraded(failure)
        ? failure.intervalMs > 0
          ? `Repair it on ${failure.node}: the next monitor finds out`
          : `Repair it on ${failure.node}, then: ${cleanupOf(cluster, failure.rsc, "refresh")}`
        : cleanupOf(cluster, failure.rsc),
    });
  }
  return [...causes, ...neglected(cluster)];
}

/** The connection to a guest is no resource that anybody could name. */
function cleanupOf(cluster: Cluster, rsc: string, command = "cleanup"): string {
  const found = cluster.resourceById.get(rsc);
  return found && isImplied(found) ? `hactl resource ${command}` : `hactl resource ${command} ${rsc}`;
}

/** Runs, and is not well: to forget that helps nobody. */
export const isDegraded = ({ rc }: Pick<FailureFacts, "rc">): boolean =>
  rc === OcfExit.DEGRADED || rc === OcfExit.DEGRADED_PROMOTED;

/** Services that nobody looks after: not managed, or not configured. Maintenance mode is told as such. */
function neglected(cluster: Cluster): CauseWithoutLevel[] {
  const parts = cluster.resources.flatMap(primitivesOf);
  // What is blocked is left alone because of its failure, which is told.
  const unmanaged = parts.filter((rsc) => !rsc.removed && !rsc.managed && !rsc.blocked && !isDisabled(rsc));
  const names = [...new Set(unmanaged.map(({ configId }) => configId))];
  const shown =
    names.length > 4 ? `${names.slice(0, 3).join(", ")} and ${names.length - 3} more` : names.join(", ");
  const causes: CauseWithoutLevel[] = [];
  if (names.length > 0 && !isInMaintenance(cluster))
    causes.push({
      code: "UNMANAGED",
      ...(names.length === 1 && names[0] !== undefined ? { rsc: names[0] } : {}),
      text: `${shown} ${names.length === 1 ? "is" : "are"} not managed: nobody recovers ${names.length === 1 ? "it" : "them"}`,
      cure: names.length === 1 ? `hactl resource manage ${names[0]}` : "hactl resource manage RESOURCE",
    });
  const restarting = new Set(parts.flatMap((part) => stoppingRestart(cluster, part) ?? []));
  for (const rsc of restarting)
    causes.push({
      code: "RESTARTING",
      rsc,
      text: `${rsc} is stopped by a restart that has not ended`,
      cure: `Where nobody restarts it any more: hactl resource start ${rsc}`,
    });
  for (const rsc of parts.filter((part) => part.removed && isActive(part, false))) {
    const nodes = activeNodes(rsc).map(({ name }) => name);
    const spared = sparedText(rsc);
    causes.push({
      code: "REMOVED-ACTIVE",
      rsc: rsc.id,
      text:
        spared === undefined
          ? `${rsc.id} is active on ${nodes.join(", ")} and not configured any more`
          : `${rsc.id} is not configured any more, and cannot be stopped: ${spared}`,
      cure:
        spared === undefined
          ? `The cluster stops it unless stop-removed-resources is false: hactl resource cleanup ${rsc.id}`
          : `See that it does not run there, then: hactl resource cleanup ${rsc.id}`,
    });
  }
  return causes;
}

function causesOf(cluster: Cluster, rsc: Resource, failures: readonly FailureFacts[]): CauseWithoutLevel[] {
  if (isDisabled(rsc) || rsc.removed) return [];
  if (rsc.isClone) return cloneCauses(cluster, rsc, failures);
  return primitivesOf(rsc).flatMap((part) => primitiveCauses(cluster, part, failures));
}

/** Whether it is told that something does not run. That nobody starts anything in maintenance is told as such. */
const counts = (cluster: Cluster, rsc: Resource): boolean => rsc.managed || !isInMaintenance(cluster);

const isInMaintenance = ({ options }: Cluster): boolean => options.maintenance || options.stopAll;

function primitiveCauses(
  cluster: Cluster,
  rsc: Resource,
  failures: readonly FailureFacts[],
): CauseWithoutLevel[] {
  if (isDisabled(rsc)) return [];
  const why = failures.find((failure) => failure.rsc === rsc.id || failure.rsc === rsc.historyId);
  const reason =
    why === undefined
      ? ""
      : ` (${why.task}: ${why.outcome}${why.exitReason === "" ? "" : ` – ${why.exitReason}`})`;
  const cleanup = `hactl resource cleanup ${rsc.configId}`;
  const about = { rsc: why?.rsc ?? rsc.id } as const;
  const spared = rsc.blocked ? sparedText(rsc) : undefined;
  if (spared !== undefined)
    return [
      {
        ...about,
        code: "BLOCKED",
        text: `${rsc.id} is blocked, and started nowhere else: ${spared}`,
        cure: `Repair it, then: ${cleanupOf(cluster, rsc.id)}`,
      },
    ];
  if (rsc.blocked) {
    return [
      {
        ...about,
        code: "BLOCKED",
        text: `${rsc.id} is blocked${reason}: it stays as it is until somebody repairs it`,
        cure: cleanup,
      },
    ];
  }
  if (rsc.failed) return [{ ...about, code: "FAILED", text: `${rsc.id} has failed${reason}`, cure: cleanup }];
  // What may run on a lost node until it is fenced is told with that node.
  const active = rsc.runningOn.filter(({ online }) => online);
  if (active.length > 1 && !rsc.partialMigrationSource) {
    const nodes = active.map(({ name }) => name).join(", ");
    return [{ ...about, code: "MULTIPLE-ACTIVE", text: `${rsc.id} is active on several nodes: ${nodes}` }];
  }
  const leaving = stoppingNode(rsc);
  if (rsc.role === Role.Stopped && counts(cluster, rsc)) {
    const stopped = rsc.managed ? "is stopped" : "is stopped and not managed, so that nobody starts it";
    return [
      {
        ...about,
        code: "STOPPED",
        text: leaving ? `${rsc.id} is being stopped on ${leaving.name}` : `${rsc.id} ${stopped}${reason}`,
        cure: rsc.managed ? `hactl explain ${rsc.configId}` : `hactl resource manage ${rsc.configId}`,
      },
    ];
  }
  return leftOutCauses(cluster, rsc);
}

/** Nodes that a resource does without. */
function leftOutCauses(cluster: Cluster, rsc: Resource): CauseWithoutLevel[] {
  const text = leftOutText(rsc);
  if (text === undefined) return [];
  const cure = `Repair it there, then: ${cleanupOf(cluster, rsc.id)}`;
  return [{ code: "LEFT-OUT", rsc: rsc.id, text: `${rsc.id} does without a node: ${text}`, cure }];
}

function cloneCauses(
  cluster: Cluster,
  clone: Resource,
  failures: readonly FailureFacts[],
): CauseWithoutLevel[] {
  const parts = primitivesOf(clone).filter(
    (part) => part.failed || part.blocked || part.runningOn.length > 1 || part.leftOut.size > 0,
  );
  const causes = parts.flatMap((part) => primitiveCauses(cluster, part, failures));
  const settings = clone.clone;
  const usable = cluster.nodes.filter(
    (node) => node.online && !node.standby && !node.unclean && !node.maintenance && node.kind === "member",
  );
  const wanted = Math.min(settings?.cloneMax ?? 0, usable.length * (settings?.cloneNodeMax ?? 1));
  const active = clone.unique
    ? clone.children.filter((instance) => activeNodes(instance).length > 0).length
    : activeNodes(clone).filter((node) => usable.includes(node)).length;
  const most = settings?.cloneMax ?? 0;
  const all = clone.children.filter((instance) => activeNodes(instance).length > 0).length;
  if (all > most && clone.managed)
    causes.push({
      code: "EXCESS-INSTANCES",
      rsc: clone.id,
      text: `${clone.id} runs ${all} instances, and may have ${most}`,
      cure: `hactl explain ${clone.id}`,
    });
  if (active < wanted && active < usable.length && counts(cluster, clone)) {
    causes.push({
      code: "CLONE-INCOMPLETE",
      rsc: clone.id,
      text: `${clone.id} runs ${active} of ${wanted} instances`,
      cure: `hactl explain ${clone.id}`,
    });
  }
  const promoted = clone.children.filter((instance) => highestRole(instance) === Role.Promoted);
  const promotedMax = settings?.promotedMax ?? 1;
  const places = promoted.flatMap(activeNodes).filter(({ online }) => online);
  if (clone.promotable && places.length > promotedMax)
    causes.push({
      code: "EXCESS-PROMOTED",
      rsc: clone.id,
      text: `${clone.id} is promoted on ${places.map(({ name }) => name).join(", ")}, and may be on ${promotedMax}`,
      cure: `hactl explain ${clone.id}`,
    });
  if (clone.promotable && active > 0 && promoted.length === 0) {
    causes.push({
      code: "NOT-PROMOTED",
      rsc: clone.id,
      text: `${clone.id} has no promoted instance`,
      cure: `hactl explain ${clone.id}`,
    });
  }
  return causes;
}
