import { canRecur } from "../cib/index.ts";
import { action, findActions, findActionsExact, orderActions, startAction } from "./actions.ts";
import { Flag, Link, parseRole, Role } from "./flags.ts";
import type { Action, Cluster, Node, OperationConfig, Resource } from "./model.ts";
import { operationsOf, opKey } from "./operations.ts";
import { addOrdering } from "./orderings.ts";
import { cancelAction } from "./parameter-changes.ts";
import { unpackerOf } from "./unpacker.ts";

/** What the cluster does on its own account, beside what cannot recur by its nature. */
const ownDeeds = new Set(["delete", "cancel"]);

/** Makes the recurring operations that the next role asks for, and cancels those of other roles. */
export function createRecurring(cluster: Cluster, rsc: Resource): void {
  if (rsc.blocked || rsc.maintenance) return;
  const node = rsc.assignedTo;
  let start: Action | undefined;
  if (node?.maintenance) {
    // Left alone.
  } else if (node && (rsc.nextRole !== Role.Stopped || !rsc.managed))
    start = startAction(cluster, rsc, node, true);
  const all = operationsOf(unpackerOf(cluster), rsc);
  for (const op of all) {
    if (op.intervalMs <= 0 || !canRecur(op.name) || ownDeeds.has(op.name)) continue;
    const key = opKey(rsc.id, op.name, op.intervalMs);
    const twins = all.filter(({ name, intervalMs }) => name === op.name && intervalMs === op.intervalMs);
    if (twins.length > 1) {
      cluster.error(
        `Ignoring ${key}: an operation with the same name and interval is configured more than once`,
        twins.at(-1)?.xml.attributes.get("id"),
      );
      continue;
    }
    if (!op.enabled) continue;
    const text = op.xml.attributes.get("role");
    const role = parseRole(text);
    if (text !== undefined && role === Role.Unknown) {
      cluster.error(
        `Ignoring ${op.name} of ${rsc.id} because "${text}" is not a role`,
        op.xml.attributes.get("id"),
      );
      continue;
    }
    if (role === Role.Stopped) recurWhereStopped(cluster, rsc, op, key, node);
    else if (start) recurWhereActive(cluster, rsc, op, key, role, start, node);
  }
}

function recurWhereActive(
  cluster: Cluster,
  rsc: Resource,
  op: OperationConfig,
  key: string,
  role: Role,
  start: Action,
  node: Node | undefined,
): void {
  const known = findActionsExact(rsc, key, node);
  const optional = known.length > 0 && start.optional && !known.some((each) => each.has(Flag.Reschedule));
  const otherRole = role === Role.Unknown ? rsc.nextRole === Role.Promoted : role !== rsc.nextRole;
  if (otherRole) {
    if (optional && node) cancelForRole(cluster, rsc, op, node);
    return;
  }
  const monitor = action(cluster, rsc, key, op.name, op.intervalMs, node, optional);
  if (!start.runnable || !node?.online || node.unclean) monitor.clear(Flag.Runnable);
  if (rsc.nextRole === Role.Promoted) monitor.meta.set("op_target_rc", "8");
  if (node && !rsc.managed) return;
  const after = (task: string, kind: number) =>
    addOrdering(cluster, { rsc, task }, { action: monitor }, Link.UnrunnableFirstBlocks | kind);
  after("start", Link.FirstImpliesThen);
  after("reload-agent", Link.FirstImpliesThen);
  if (rsc.nextRole === Role.Promoted) after("promote", Link.Ordered);
  else if (rsc.role === Role.Promoted) after("demote", Link.Ordered);
}

/** Ends an operation that runs but belongs to the role that the resource leaves, before it leaves it. */
function cancelForRole(cluster: Cluster, rsc: Resource, op: OperationConfig, node: Node): void {
  const cancel = cancelAction(cluster, rsc, op.name, op.intervalMs, node);
  let task: string | undefined;
  if (rsc.role === Role.Promoted) task = "demote";
  else if (rsc.role === Role.Started || rsc.role === Role.Unpromoted) {
    if (rsc.nextRole === Role.Promoted) task = "promote";
    else if (rsc.nextRole === Role.Stopped) task = "stop";
  }
  if (task !== undefined)
    addOrdering(cluster, { rsc, action: cancel }, { rsc, task }, Link.UnrunnableFirstBlocks);
}

/** Operations for role Stopped run on every node where the resource does not. */
function recurWhereStopped(
  cluster: Cluster,
  rsc: Resource,
  op: OperationConfig,
  key: string,
  place: Node | undefined,
): void {
  if (!rsc.unique) {
    cluster.info(
      `Ignoring ${key}: recurring monitors for role Stopped are not made for anonymous clones`,
      rsc.id,
    );
    return;
  }
  for (const node of cluster.nodes) {
    const known = findActionsExact(rsc, key, node);
    if (node === place) {
      if (known.length === 0) continue;
      const cancel = cancelAction(cluster, rsc, op.name, op.intervalMs, node);
      if (rsc.nextRole === Role.Started || rsc.nextRole === Role.Unpromoted)
        addOrdering(cluster, { rsc, action: cancel }, { rsc, task: "start" }, Link.UnrunnableFirstBlocks);
      continue;
    }
    const monitor = action(cluster, rsc, key, op.name, op.intervalMs, node, known.length > 0);
    monitor.meta.set("op_target_rc", "7");
    if (rsc.managed)
      for (const probe of findActions(rsc, opKey(rsc.id, "monitor", 0), node))
        orderActions(probe, monitor, Link.UnrunnableFirstBlocks);
    for (const stop of findActionsExact(rsc, opKey(rsc.id, "stop", 0), node)) {
      if (!stop.optional && !monitor.optional && !rsc.managed) monitor.set(Flag.Optional);
      if (!stop.runnable) monitor.clear(Flag.Runnable);
      if (rsc.managed)
        addOrdering(
          cluster,
          { rsc, action: stop },
          { action: monitor },
          Link.FirstImpliesThen | Link.UnrunnableFirstBlocks,
        );
    }
    if (!node.online || node.unclean) monitor.clear(Flag.Runnable);
  }
}
