import { nodeName } from "../terms/index.ts";
import { physicalHost } from "./bundle-actions.ts";
import { resolvedParameters } from "./digests.ts";
import type { ActionName, GraphAction, Unrunnable } from "./face.ts";
import { Flag, Link } from "./flags.ts";
import { edgeCounts, inGraph, joinEdges } from "./graph-edges.ts";
import { breakCircles } from "./graph-loops.ts";
import { graphOrder } from "./graph-order.ts";
import { maintenanceChanges, maintenanceTask, tellMaintenance } from "./maintenance.ts";
import { actionsOf } from "./methods.ts";
import type { Action, Cluster, Edge, Node, Resource } from "./model.ts";
import { createNotifications } from "./notifications.ts";
import { opKey } from "./operations.ts";
import { routerOf } from "./router.ts";
import { type Unpacker, unpackerOf } from "./unpacker.ts";

/** Makes the graph of what will be carried out: actions with the ids of those that must be done before. */
export function createGraph(cluster: Cluster): GraphAction[] {
  for (const rsc of cluster.resources) notifyInside(cluster, rsc);
  tellMaintenance(cluster);
  const unpacker = unpackerOf(cluster);
  const shown: Action[] = [];
  // Dropping the surplus of edges may decide about inputs, so that all are joined before any is looked at.
  for (const action of cluster.actions) joinEdges(action);
  for (const action of graphOrder(cluster)) {
    if (!inGraph(action)) continue;
    action.set(Flag.DumpedInGraph);
    shown.push(action);
  }
  const inputs = new Map<Action, Set<Edge>>();
  const unmet = new Map<Action, Action[]>();
  for (const action of shown) inputs.set(action, new Set());
  for (const [action, edges] of inputs)
    for (const edge of action.before) {
      if (!edgeCounts(action, edge)) continue;
      if (inputs.has(edge.action)) edges.add(edge);
      else {
        const others = unmet.get(action);
        if (others === undefined) unmet.set(action, [edge.action]);
        else others.push(edge.action);
      }
    }
  breakCircles(cluster, inputs);
  return shown.map((action) =>
    graphAction(
      unpacker,
      action,
      [...(inputs.get(action) ?? [])].map((edge) => edge.action.id).sort((a, b) => a - b),
      unmet.get(action),
    ),
  );
}

/** What is needed but not in the graph, for that has been made; unmanaged resources need nothing. */
export function unrunnableActions(cluster: Cluster): Unrunnable {
  const inGraphOf = (action: Action) => action.has(Flag.DumpedInGraph);
  const needed = graphOrder(cluster).filter(
    (action) => inGraphOf(action) || (!action.optional && (action.rsc?.managed ?? true)),
  );
  const known = new Set(needed);
  const orders = needed.flatMap((action) =>
    action.before
      .filter((edge) => known.has(edge.action) && !dependsOnPlace(edge))
      .filter((edge) => !(inGraphOf(action) && edgeCounts(action, edge)) && edge.kind !== Link.None)
      .map((edge) => [nameOf(edge.action), nameOf(action)] as const),
  );
  return { actions: needed.filter((action) => !inGraphOf(action)).map(nameOf), orders };
}

const dependsOnPlace = ({ kind }: Edge): boolean => kind === Link.IfOnSameNodeOrTarget;

function notifyInside(cluster: Cluster, rsc: Resource): void {
  if (rsc.isClone) createNotifications(cluster, rsc);
  if (rsc.bundle?.clone) createNotifications(cluster, rsc.bundle.clone);
}

function kindOf(action: Action): GraphAction["kind"] {
  const { task } = action;
  if (task === "stonith") return action.pseudo ? "pseudo" : "crm";
  if (task === "do_shutdown" || task === "clear_failcount" || task === "lrm_delete") return "crm";
  return action.pseudo ? "pseudo" : "rsc";
}

/** Where an action is carried out; a mere point of synchronisation is nowhere. */
const placeOf = (action: Action): Node | undefined =>
  kindOf(action) !== "pseudo" || action.task === "stonith" ? action.node : undefined;

function nameOf(action: Action): ActionName {
  const { id, rsc, task } = action;
  const kind = kindOf(action);
  const placed = placeOf(action);
  const router = placed && routerOf(action);
  return {
    id,
    kind,
    task,
    key: keyOf(action),
    ...(placed ? { node: nodeName(placed.name), nodeId: placed.id } : {}),
    ...(!placed && action.node ? { place: nodeName(action.node.name) } : {}),
    ...(router ? { router: nodeName(router.name) } : {}),
    ...(rsc?.isPrimitive && kind !== "pseudo" ? { rsc: agentOf(rsc) } : {}),
  };
}

function graphAction(
  unpacker: Unpacker,
  action: Action,
  inputs: readonly number[],
  unmet: readonly Action[] = [],
): GraphAction {
  const params = parametersOf(unpacker, action, placeOf(action));
  return {
    ...nameOf(action),
    intervalMs: action.intervalMs,
    timeoutMs: action.timeoutMs ?? 20_000,
    startDelayMs: action.startDelayMs,
    expectedRc: Number(action.meta.get("op_target_rc") ?? 0),
    canFail: action.config.get("can_fail") === "true",
    priority: action.priority,
    params,
    inputs,
    ...lockOf(action),
    ...(action.has(Flag.Lone) ? { lone: true } : {}),
    ...(action.task === maintenanceTask ? { maintenance: maintenanceChanges(unpacker.cluster) } : {}),
    ...(unmet.length > 0 ? { unmet: unmet.map(nameOf) } : {}),
  };
}

/** While its node goes, only the stop of a resource says that it waits for it. */
function lockOf({ rsc, node, task }: Action): Pick<GraphAction, "lockedSince"> {
  if (!node || rsc?.lockNode !== node || (node.shutdown && task !== "stop")) return {};
  return { lockedSince: rsc.lockTime };
}

/** Keys name a resource as its history does. */
function keyOf({ key, rsc, task, cancelTask, intervalMs, meta }: Action): string {
  if (!rsc || rsc.historyId === "" || rsc.historyId === rsc.id) return key;
  if (task === "notify")
    return `${rsc.historyId}_${meta.get("notify_type") ?? ""}_notify_${meta.get("notify_operation") ?? ""}_0`;
  return opKey(rsc.historyId, cancelTask ?? task, intervalMs);
}

/**
 * The agent with the name that the executor keeps it under: instances of anonymous clones without number, except
 * removed ones, which must not be taken for those that stay. The long name is what an older history may have.
 */
function agentOf(rsc: Resource): NonNullable<GraphAction["rsc"]> {
  const history = rsc.historyId === "" ? undefined : rsc.historyId;
  const gone = rsc.removed || rsc.removedInstance;
  const id = rsc.unique ? rsc.id : gone && history !== undefined ? history : rsc.configId;
  const longId = rsc.unique || gone || history === undefined || history === id ? rsc.id : history;
  return {
    id,
    ...(id === longId ? {} : { longId }),
    class: rsc.class,
    ...(rsc.provider === undefined ? {} : { provider: rsc.provider }),
    type: rsc.type,
  };
}

/** Options that say when and how an operation runs, and so are nothing for an agent. */
const hidden = new Set(["id", "crm_feature_set"]);

function parametersOf(unpacker: Unpacker, action: Action, placed: Node | undefined): Record<string, string> {
  const { rsc, node } = action;
  const result = new Map<string, string>();
  for (const [name, value] of action.extra) result.set(name, value);
  if (rsc?.isPrimitive || (rsc && node))
    for (const [name, value] of resolvedParameters(unpacker, rsc, node))
      if (!result.has(name)) result.set(name, value);
  const meta = (name: string, value: string) => {
    // Fail counts and what the cluster itself knows of a node is nothing for an agent.
    if (/[#:]/.test(name)) return;
    const key = `CRM_meta_${name.replaceAll("-", "_")}`;
    if (!result.has(key)) result.set(key, value);
  };
  for (const [name, value] of action.meta) meta(name, value);
  for (const [name, value] of action.notifyKeys ?? []) meta(name, value);
  for (const [name, value] of action.config) if (!hidden.has(name)) meta(name, value);
  if (placed) {
    meta("on_node", placed.name);
    meta("on_node_uuid", placed.id);
  }
  if (rsc) {
    for (let part: Resource | undefined = rsc; part; part = part.parent)
      actionsOf(part).addGraphMeta(unpacker.cluster, part, result);
    addGuestMeta(action, rsc, meta);
  }
  return Object.fromEntries([...result].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
}

/** Agents inside a guest may keep their attributes with the host: tell which one that is. */
function addGuestMeta(action: Action, rsc: Resource, meta: (name: string, value: string) => void): void {
  const host = physicalHost(action);
  if (!host) return;
  const target = rsc.meta.get("container-attribute-target");
  if (target !== undefined) meta("container-attribute-target", target);
  meta("physical-host", host.name);
}
