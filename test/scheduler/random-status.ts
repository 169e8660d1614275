import { element, type XmlElement } from "../../src/cib/index.ts";
import { nvset } from "./nvset.ts";
import { generatedAt, type Instance, type Sketch } from "./random-cluster.ts";

type NodeCondition = "online" | "offline" | "unclean" | "pending" | "shutdown" | "unseen";
/** What a node's history of a resource tells. */
export type History =
  | "none"
  | "stopped"
  | "started"
  | "promoted"
  | "failed-monitor"
  | "failed-start"
  | "failed-stop"
  | "failed-probe"
  | "migrated-away"
  | "pending-start";

/** Digest of no parameters, and of the timeout of 20 s alone, which recurring operations keep. */
const emptyDigest = "f2317cad3d54cec5d7d7aa7d0bf35cf8";
const timeoutDigest = "4811cef7f7f94e3a35a70be7916cb2fd";

/** Random states of the nodes and what each knows of each resource. The first node, which decides, is online. */
export function randomStatus(sketch: Sketch): XmlElement {
  const { random } = sketch;
  const fresh = random.chance(0.12);
  const troubled = random.chance(0.6);
  const conditions = sketch.nodes.map((_, at) => (at > 0 && troubled ? condition(sketch) : "online"));
  const states = new Map<string, History[]>();
  for (const instance of sketch.instances) {
    states.set(instance.id, fresh ? sketch.nodes.map(() => "none") : places(sketch, instance));
  }
  const nodeStates = sketch.nodes.flatMap((name, at) => {
    const is = conditions[at] ?? "online";
    return is === "unseen" ? [] : [nodeState(sketch, name, at, is, states)];
  });
  const tickets = sketch.tickets.flatMap((id) =>
    random.chance(0.8)
      ? [
          element("ticket_state", {
            id,
            granted: random.chance(0.5) ? "true" : "false",
            "last-granted": generatedAt - 1000,
            standby: random.chance(0.2) ? "true" : undefined,
          }),
        ]
      : [],
  );
  return element("status", {}, [
    ...nodeStates,
    ...(tickets.length > 0 ? [element("tickets", {}, tickets)] : []),
  ]);
}

function condition({ random }: Sketch): NodeCondition {
  const dice = random.unit();
  if (dice < 0.65) return "online";
  if (dice < 0.77) return "offline";
  if (dice < 0.88) return "unclean";
  if (dice < 0.92) return "pending";
  return dice < 0.97 ? "shutdown" : "unseen";
}

/** What each node knows of a resource: mostly active where it should be, sometimes something went wrong. */
function places({ random, nodes }: Sketch, instance: Instance): History[] {
  const result: History[] = nodes.map(() => (random.chance(0.06) ? "none" : "stopped"));
  const running = random.chance(0.8) ? random.shuffle(nodes.map((_, at) => at)) : [];
  const most = random.chance(0.03)
    ? instance.copies + 1
    : random.chance(0.8)
      ? instance.copies
      : instance.copies - 1;
  for (const at of running.slice(0, most)) result[at] = "started";
  if (instance.promotable && running[0] !== undefined && random.chance(0.7)) result[running[0]] = "promoted";
  if (random.chance(0.3)) {
    const at = random.between(0, nodes.length - 1);
    const active = result[at] === "started" || result[at] === "promoted";
    result[at] = active
      ? random.pick<History>([
          "failed-monitor",
          "failed-monitor",
          "failed-stop",
          "failed-start",
          "pending-start",
        ])
      : random.pick<History>(["failed-start", "failed-start", "failed-probe", "failed-stop", "stopped"]);
  }
  return result;
}

function nodeState(
  sketch: Sketch,
  name: string,
  at: number,
  is: NodeCondition,
  states: ReadonlyMap<string, readonly History[]>,
): XmlElement {
  const { random } = sketch;
  const member = is !== "offline" && is !== "unclean";
  const attributes: [string, string][] = [];
  if (is === "shutdown") attributes.push(["shutdown", String(generatedAt - 10)]);
  const histories: XmlElement[] = [];
  for (const instance of sketch.instances) {
    const state = states.get(instance.id)?.[at] ?? "none";
    if (instance.promotable && random.chance(0.85))
      attributes.push([
        `master-${instance.id}`,
        state === "promoted" ? "10" : random.pick(["5", "5", "10", "-1"]),
      ]);
    if (state.startsWith("failed") && random.chance(0.8)) {
      const failed =
        state === "failed-probe"
          ? "monitor_0"
          : state === "failed-monitor"
            ? "monitor_10000"
            : `${state.slice(7)}_0`;
      const fatal = state === "failed-start" || state === "failed-stop";
      attributes.push([
        `fail-count-${instance.id}#${failed}`,
        fatal ? "INFINITY" : random.pick(["1", "2", "3"]),
      ]);
      attributes.push([
        `last-failure-${instance.id}#${failed}`,
        String(generatedAt - random.pick([30, 300, 3000])),
      ]);
    }
    if (is !== "pending" && state !== "none") histories.push(history(instance, state, name, at));
  }
  const id = at + 1;
  const transient =
    member || is === "unclean" ? nvset("instance_attributes", `status-${id}`, attributes) : [];
  return element(
    "node_state",
    {
      id,
      uname: name,
      in_ccm: member ? "true" : "false",
      crmd: member ? "online" : "offline",
      "crm-debug-origin": "generator",
      join: member && is !== "pending" ? "member" : "down",
      expected: is === "unclean" || (member && is !== "shutdown") ? "member" : "down",
    },
    [
      ...(transient.length > 0 ? [element("transient_attributes", { id }, transient)] : []),
      ...(is === "offline" || is === "pending"
        ? []
        : [element("lrm", { id }, [element("lrm_resources", {}, histories)])]),
    ],
  );
}

interface Operation {
  readonly task: string;
  readonly rc: number;
  readonly expected?: number;
  readonly interval?: number;
  readonly status?: number;
}

/** Operations that leave a resource in a state, oldest first. */
function operationsOf(instance: Instance, state: History): readonly Operation[] {
  const monitor: Operation = { task: "monitor", rc: 0, interval: instance.promotable ? 11_000 : 10_000 };
  const start: Operation = { task: "start", rc: 0 };
  switch (state) {
    case "none":
      return [];
    case "stopped":
    case "migrated-away":
      return [{ task: "monitor", rc: 7, expected: 7 }];
    case "started":
      return [start, monitor];
    case "promoted":
      return [start, { task: "promote", rc: 0 }, { task: "monitor", rc: 8, expected: 8, interval: 10_000 }];
    case "failed-monitor":
      return [start, { ...monitor, rc: instance.promotable ? 1 : 7, expected: 0 }];
    case "failed-start":
      return [{ task: "start", rc: 1 }];
    case "failed-stop":
      return [start, { task: "stop", rc: 1 }];
    case "failed-probe":
      return [{ task: "monitor", rc: 1, expected: 7 }];
    case "pending-start":
      return [{ task: "start", rc: 193, status: -1 }];
  }
}

/** The history that leaves a resource in a state on a node, which is the `at`-th one. */
export function history(instance: Instance, state: History, node: string, at: number): XmlElement {
  const id = instance.unique ? `${instance.id}:${at % instance.copies}` : instance.id;
  const ops = operationsOf(instance, state).map((op, index) => {
    const { task, rc, expected = 0, interval = 0, status = 0 } = op;
    const key = `${index + 1}:1:${expected}:11111111-2222-4333-8444-555555555555`;
    return element("lrm_rsc_op", {
      id: interval > 0 ? `${id}_monitor_${interval}` : `${id}_last_${index}`,
      operation_key: `${id}_${task}_${interval}`,
      operation: task,
      "crm-debug-origin": "generator",
      crm_feature_set: "3.16.1",
      "transition-key": key,
      "transition-magic": `${status}:${rc};${key}`,
      "call-id": status < 0 ? -1 : 10 * (at + 1) + index,
      "rc-code": rc,
      "op-status": status,
      interval,
      // Recent: 2.1 lets an operation that still runs expire like a failure; later releases wait for its result.
      "last-rc-change": generatedAt - (status < 0 ? 10 : 3000) + index,
      "op-digest": interval > 0 ? timeoutDigest : emptyDigest,
      on_node: node,
    });
  });
  return element(
    "lrm_resource",
    {
      id,
      class: instance.class,
      provider: instance.class === "ocf" ? "pacemaker" : undefined,
      type: instance.type,
    },
    ops,
  );
}
