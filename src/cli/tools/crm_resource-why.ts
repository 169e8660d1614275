import { element, parseBoolean, type XmlElement } from "../../cib/index.ts";
import { type Cluster, type Node, parseRole, type Resource, Role, topLevel } from "../../scheduler/index.ts";
import { CrmExit } from "../../terms/index.ts";
import { activeNodes, nodeHealth, targetRole } from "../render/cluster-view.ts";
import { noSuch } from "./connection.ts";
import type { ResourceCall } from "./crm_resource-call.ts";
import { resourceIn } from "./crm_resource-cluster.ts";

/** A resource, whether it runs (there), and what keeps it from running. */
interface Reason {
  readonly rsc: Resource;
  readonly running: boolean;
  readonly checks: Checks;
}

interface Checks {
  readonly stopped: boolean;
  readonly unpromotable: boolean;
  readonly unmanaged: boolean;
  readonly lockedTo: string | undefined;
  readonly unhealthy: boolean;
}

/** -Y: whether resources run, and what the configuration says against it; of one resource, on one node, or both. */
export async function why(call: ResourceCall, cluster: Cluster): Promise<number> {
  const rsc = call.rsc === undefined ? undefined : resourceIn(cluster, call.rsc);
  const node = call.node === undefined ? undefined : cluster.nodeByName.get(call.node);
  if (call.node !== undefined && !node) throw noSuch(`Node '${call.node}' not found`);
  const on = (one: Resource) => (node ? activeNodes(one).includes(node) : activeNodes(one).length > 0);
  const subjects = rsc ? [rsc] : node ? node.running : cluster.resources;
  const reasons = subjects.map((one) => ({
    rsc: one,
    running: on(one),
    checks: checksOf(cluster, one, node),
  }));
  call.answer.say({
    text: () => {
      const lines = reasons.flatMap((reason) => reasonLines(cluster, reason, node));
      return lines.length === 0 ? undefined : lines.join("\n");
    },
    xml: () => [reasonElement(reasons, rsc !== undefined, node)],
  });
  return CrmExit.OK;
}

function checksOf(cluster: Cluster, rsc: Resource, node: Node | undefined): Checks {
  const target = targetRole(rsc);
  const role = target === undefined ? Role.Unknown : parseRole(target);
  const managed = rsc.meta.get("is-managed");
  const ill = (one: Node) => nodeHealth(cluster, one) === "red";
  const places = node ? [node] : [...rsc.allowed.keys()];
  return {
    stopped: role === Role.Stopped,
    unpromotable: role === Role.Unpromoted && topLevel(rsc, false).promotable,
    unmanaged: managed !== undefined && parseBoolean(managed) !== true,
    lockedTo: rsc.lockNode?.name,
    unhealthy: places.length > 0 && places.every(ill),
  };
}

function reasonLines(cluster: Cluster, { rsc, running, checks }: Reason, node: Node | undefined): string[] {
  const where = node ? ` on host ${node.name}` : "";
  return [
    `Resource ${rsc.id} is ${running ? "" : "not "}running${where}`,
    ...checkLines(cluster, topLevel(rsc, false).id, checks),
  ];
}

function checkLines(cluster: Cluster, id: string, checks: Checks): string[] {
  const { stopped, unpromotable, unmanaged, lockedTo, unhealthy } = checks;
  return [
    ...(stopped ? [`Configuration specifies '${id}' should remain stopped`] : []),
    ...(unpromotable ? [`Configuration specifies '${id}' should not be promoted`] : []),
    ...(unmanaged ? [`Configuration prevents cluster from stopping or starting unmanaged '${id}'`] : []),
    ...(lockedTo === undefined ? [] : [`'${id}' is locked to node ${lockedTo} due to shutdown`]),
    ...(unhealthy
      ? [
          `'${id}' cannot run on unhealthy nodes due to node-health-strategy='${cluster.options.healthStrategy}'`,
        ]
      : []),
  ].map((text) => `  * ${text}`);
}

function reasonElement(reasons: readonly Reason[], named: boolean, node: Node | undefined): XmlElement {
  const [only] = reasons;
  if (named && only) {
    const running = node ? undefined : String(only.running);
    const on = node && only.running ? node.name : undefined;
    return element("reason", { running_on: on, running }, [checkElement(only)]);
  }
  const children = reasons.map((reason) =>
    element("resource", { id: reason.rsc.id, running: String(reason.running), host: node?.name }, [
      checkElement(reason),
    ]),
  );
  return element("reason", {}, [element("resources", {}, children)]);
}

const checkElement = ({ rsc, checks }: Reason): XmlElement =>
  element("check", {
    id: topLevel(rsc, false).id,
    remain_stopped: checks.stopped ? "true" : undefined,
    promotable: checks.unpromotable ? "false" : undefined,
    unmanaged: checks.unmanaged ? "true" : undefined,
    "locked-to": checks.lockedTo,
    unhealthy: checks.unhealthy ? "true" : undefined,
  });
