import { type Cluster, type Resource, unpackCluster } from "../../scheduler/index.ts";
import { CrmExit, HactlError } from "../../terms/index.ts";
import { checkNode, resourceNamed } from "../resources.ts";
import { requireLive } from "../target.ts";
import { usage } from "./connection.ts";
import { type ResourceCall, requiredResource } from "./crm_resource-call.ts";

/** --fail: the cluster shall take a resource for failed on a node where it runs, and recover it. */
export async function failResource(call: ResourceCall): Promise<number> {
  const { session, node } = call;
  const id = requiredResource(call);
  if (node === undefined) throw usage("crm_resource", "Must supply a node name with -N/--node");
  // In a file nothing can fail; `hactl simulate --op-inject` rehearses it.
  requireLive("taking a resource for failed");
  const configuration = await session.configuration();
  checkNode(configuration, node);
  const { xml } = resourceNamed(configuration, id);
  if (xml.name !== "primitive")
    throw new HactlError({
      code: "NOT_PRIMITIVE",
      what: `We can only process primitive resources, not ${id}`,
      exit: CrmExit.SOFTWARE,
    });
  const cluster = unpackCluster(await session.decidable(), Math.floor(Date.now() / 1000));
  if (cluster.nodeByName.get(node)?.online !== true)
    throw new HactlError({
      code: "NODE_OFFLINE",
      what: `Node ${node} is not online`,
      exit: CrmExit.DISCONNECT,
    });
  const rsc = runningThere(cluster, id, node);
  await (await session.daemon()).request({ type: "fail", rsc, node });
  return CrmExit.OK;
}

/** Under which name the histories have what runs there. */
function runningThere(cluster: Cluster, id: string, node: string): string {
  const means = ({ id: own, configId }: Resource) => own === id || configId === id;
  const active = [...cluster.resourceById.values()].filter(
    (rsc) => rsc.isPrimitive && means(rsc) && rsc.runningOn.some(({ name }) => name === node),
  );
  const [rsc, ...more] = active;
  if (rsc && more.length === 0) return rsc.historyId || rsc.id;
  throw new HactlError(
    rsc
      ? {
          code: "WHICH_INSTANCE",
          what: `${active.length} instances of '${id}' run on ${node}`,
          cure: `name one of them: ${active.map((one) => one.id).join(", ")}`,
          exit: CrmExit.MULTIPLE,
        }
      : {
          code: "NOT_RUNNING_THERE",
          what: `Resource '${id}' is not running on ${node}`,
          exit: CrmExit.NOSUCH,
        },
  );
}
