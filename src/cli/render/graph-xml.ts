import { element, type XmlElement } from "../../cib/index.ts";
import type { ActionName, GraphAction, Transition } from "../../scheduler/index.ts";
import { lookup } from "../../terms/index.ts";

/** A duration as the graph's head writes it: whole seconds where it is. */
const seconds = (ms: number) => (ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`);

const elementNames = lookup({ rsc: "rsc_op", pseudo: "pseudo_event", crm: "crm_event" } as const);

/** The transition as `<transition_graph>`, in the layout that Pacemaker's tools write and read. */
export function transitionGraph(transition: Transition, id = 1): XmlElement {
  const { actions, batchLimit } = transition;
  const byId = new Map(actions.map((action) => [action.id, action]));
  return element(
    "transition_graph",
    {
      "cluster-delay": seconds(transition.clusterDelayMs),
      "fencing-timeout": seconds(transition.stonithTimeoutMs),
      "failed-stop-offset": transition.failedStopOffset,
      "failed-start-offset": transition.failedStartOffset,
      "batch-limit": batchLimit === 0 ? undefined : batchLimit,
      transition_id: id,
    },
    actions.map((action, position) => synapse(action, position, byId)),
  );
}

function synapse(action: GraphAction, position: number, byId: ReadonlyMap<number, GraphAction>): XmlElement {
  const before = [...action.inputs.flatMap((input) => byId.get(input) ?? []), ...(action.unmet ?? [])];
  const inputs = before.map((input) => element("trigger", {}, [reference(input)]));
  return element("synapse", { id: position, priority: action.priority === 0 ? undefined : action.priority }, [
    element("action_set", {}, [fullAction(action)]),
    element("inputs", {}, inputs),
  ]);
}

/** The key with the instance number, where the other has none. */
function internalKey({ key, rsc }: ActionName): string | undefined {
  if (rsc?.longId === undefined || !key.startsWith(`${rsc.id}_`)) return undefined;
  return `${rsc.longId}${key.slice(rsc.id.length)}`;
}

const reference = (action: ActionName): XmlElement =>
  element(elementNames[action.kind], {
    id: action.id,
    operation: action.task,
    operation_key: action.key,
    internal_operation_key: internalKey(action),
    on_node: action.node,
    on_node_uuid: action.nodeId,
    router_node: action.router,
  });

function fullAction(action: GraphAction): XmlElement {
  const result = reference(action);
  if (action.rsc && action.kind !== "pseudo") {
    const { id, longId, class: standard, provider, type } = action.rsc;
    result.children.push(element("primitive", { id, "long-id": longId, class: standard, provider, type }));
  }
  const sorted = Object.entries(action.params).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  result.children.push(element("attributes", Object.fromEntries(sorted)));
  if (action.maintenance) {
    const nodes = action.maintenance.map(({ nodeId, inMaintenance }) =>
      element("node", { id: nodeId, node_in_maintenance: inMaintenance ? "1" : "0" }),
    );
    result.children.push(element("maintenance", {}, nodes));
  }
  if (action.kind === "crm" && takesNodeDown(action) && action.nodeId !== undefined) {
    result.children.push(element("downed", {}, [element("node", { id: action.nodeId })]));
  }
  return result;
}

/** Whoever carries the graph out must expect the node to vanish. */
function takesNodeDown({ task, params }: GraphAction): boolean {
  const fence = params.CRM_meta_stonith_action;
  return task === "do_shutdown" || (task === "stonith" && (fence === "reboot" || fence === "off"));
}

/**
 * The transition as a graph for Graphviz, the youngest action first: what runs is green with its orders bold, what is
 * needed and cannot run is red with its orders dashed; the names of synchronisation points are orange.
 */
export function transitionDot({ actions, unrunnable }: Transition): string {
  const names = new Map(actions.map((action) => [action.id, dotName(action)]));
  const youngest = actions.toSorted((a, b) => b.id - a.id);
  const never = new Map(
    [...youngest.flatMap(({ unmet = [] }) => unmet), ...(unrunnable?.actions ?? [])].map((action) => [
      dotName(action),
      action,
    ]),
  );
  const node = (name: string, kind: GraphAction["kind"], style: string) =>
    `"${name}" [ ${style} fontcolor="${kind === "pseudo" ? "orange" : "black"}"]`;
  const nodes = youngest.map((action) => node(dotName(action), action.kind, 'style=bold color="green"'));
  const red = [...never].map(([name, { kind }]) => node(name, kind, 'style=dashed color="red"'));
  const edges = youngest.flatMap((action) => {
    const before = [
      ...action.inputs.flatMap((id) => names.get(id) ?? []),
      ...(action.unmet ?? []).map(dotName),
    ];
    return before.map((name) => `"${name}" -> "${dotName(action)}" [ style = bold]`);
  });
  const dashed = (unrunnable?.orders ?? []).map(
    ([first, then]) => `"${dotName(first)}" -> "${dotName(then)}" [ style = dashed]`,
  );
  const lines = [...nodes, ...red, ...edges, ...dashed];
  return ` digraph "g" {\n${lines.map((text) => `${text}\n`).join("")}}\n`;
}

function dotName(action: ActionName): string {
  const { key, kind, node, place, task } = action;
  const where = node ?? place ?? (kind === "rsc" ? "<none>" : undefined);
  const after = where === undefined ? "" : ` ${where}`;
  if (task === "stonith") return `stonith '${key.slice(key.lastIndexOf("-") + 1)}'${after}`;
  if (task === "do_shutdown") return `${task}${after}`;
  return `${task === "cancel" && kind === "rsc" ? `Cancel ${key}` : key}${after}`.replaceAll('"', '\\"');
}
