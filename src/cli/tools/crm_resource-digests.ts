import { element, type XmlElement } from "../../cib/index.ts";
import { type ShownDigests, shownDigests } from "../../scheduler/index.ts";
import { CrmExit, HactlError } from "../../terms/index.ts";
import { noSuch, usage } from "./connection.ts";
import { type ResourceCall, requiredResource } from "./crm_resource-call.ts";
import { clusterOf, resourceIn } from "./crm_resource-cluster.ts";

/** --digests: hashes of the parameters of a resource on a node, by which the cluster sees that they have changed. */
export async function showDigests(call: ResourceCall): Promise<number> {
  const id = requiredResource(call);
  if (call.node === undefined) throw usage("crm_resource", "--digests needs a node (--node)");
  const cluster = await clusterOf(call);
  const rsc = resourceIn(cluster, id);
  const node = cluster.nodeByName.get(call.node);
  if (!node) throw noSuch(`Node '${call.node}' not found`);
  if (!rsc.isPrimitive)
    throw new HactlError({
      code: "NOT_SUPPORTED",
      what: `only a primitive has digests, and ${rsc.id} is none`,
      exit: CrmExit.UNIMPLEMENT_FEATURE,
    });
  const shown = shownDigests(cluster, rsc, node, overridesOf(call.given.words));
  call.answer.say({
    text: () => textOf(rsc.id, node.name, shown),
    xml: () => [digestsElement(rsc.id, node.name, shown)],
  });
  return CrmExit.OK;
}

/** Words `NAME=VALUE` in place of what the configuration says. @throws HactlError USAGE for another word */
export function overridesOf(words: readonly string[]): Map<string, string> {
  return new Map(
    words.map((word) => {
      const at = word.indexOf("=");
      if (at < 1) throw usage("crm_resource", `"${word}" is not of the form NAME=VALUE`);
      return [word.slice(0, at), word.slice(at + 1)] as const;
    }),
  );
}

type Part = readonly [
  kind: string,
  words: string,
  hash: string | undefined,
  params: ReadonlyMap<string, string> | undefined,
];

const partsOf = ({ digests }: ShownDigests): Part[] => [
  ["all", "all parameters", digests.digestAll, digests.paramsAll],
  ["nonprivate", "non-private parameters", digests.digestSecure, digests.paramsSecure],
  ["nonreloadable", "non-reloadable parameters", digests.digestRestart, digests.paramsRestart],
];

function textOf(rsc: string, node: string, shown: ShownDigests): string {
  const { task, intervalMs } = shown;
  const action =
    intervalMs > 0
      ? `${intervalMs}ms-interval ${task} action`
      : task === "monitor"
        ? "probe action"
        : `${task} action`;
  const lines = partsOf(shown).flatMap(([, words, hash]) =>
    hash === undefined ? [] : [`  * ${hash} (${words})`],
  );
  return [`Digests for ${rsc} ${action} on ${node}:`, ...lines].join("\n");
}

function digestsElement(resource: string, node: string, shown: ShownDigests): XmlElement {
  const children = partsOf(shown).flatMap(([type, , hash, params]) =>
    hash === undefined
      ? []
      : [element("digest", { type, hash }, [{ ...element("parameters"), attributes: new Map(params) }])],
  );
  return element(
    "digests",
    { resource, node, task: shown.task, interval: `${shown.intervalMs}ms` },
    children,
  );
}
