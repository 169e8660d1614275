import { child, childrenOf, element, type XmlElement } from "../../cib/index.ts";
import { type Cluster, oldestFirst, type Resource } from "../../scheduler/index.ts";
import { CrmExit } from "../../terms/index.ts";
import { currentNode, printableId } from "../render/cluster-view.ts";
import { formatCtime } from "../render/dates.ts";
import { statusText } from "../render/exit-texts.ts";
import { agentLine } from "../render/resource-list.ts";
import { findResource } from "../render/selection.ts";
import type { ResourceCall } from "./crm_resource-call.ts";

/** An operation of the history of a node. */
interface Recorded {
  readonly node: string;
  readonly rsc: Resource | undefined;
  readonly history: string;
  readonly xml: XmlElement;
}

/** -O and -o: what the nodes remember; without `all` only what an active resource is active by. */
export async function operations(call: ResourceCall, cluster: Cluster, all: boolean): Promise<number> {
  const found = recorded(call, cluster, all);
  if (found.length > 0) {
    call.answer.say({
      text: () => found.map((one) => operationLine(cluster, one)).join("\n"),
      xml: () => [element("operations", {}, found.map(operationElement))],
    });
  }
  return CrmExit.OK;
}

function recorded(call: ResourceCall, cluster: Cluster, all: boolean): Recorded[] {
  return childrenOf(child(cluster.cib, "status"), "node_state").flatMap((state) => {
    const name = state.attributes.get("uname") ?? "";
    const node = cluster.nodeByName.get(name);
    if (!node || (call.node !== undefined && call.node !== name)) return [];
    // What a node that is gone remembers says nothing, unless it will be fenced first.
    if (!node.online && !cluster.options.fencingEnabled) return [];
    const list = childrenOf(child(child(state, "lrm"), "lrm_resources"), "lrm_resource");
    return list.flatMap((history) => {
      const id = history.attributes.get("id") ?? "";
      if (call.rsc !== undefined && call.rsc !== id) return [];
      const sorted = oldestFirst(childrenOf(history, "lrm_rsc_op"));
      const shown = all ? sorted : activeOperations(sorted);
      return shown.map((xml) => ({ node: name, rsc: findResource(cluster, id), history: id, xml }));
    });
  });
}

/** Those since the last start, as far as there was no stop after it. */
function activeOperations(sorted: readonly XmlElement[]): readonly XmlElement[] {
  let start = -1;
  let stop = -1;
  let seenRunning = -1;
  let seenPromoted = -1;
  for (const [at, { attributes }] of sorted.entries()) {
    const task = attributes.get("operation");
    const done = attributes.get("op-status") === "0";
    const rc = attributes.get("rc-code");
    if (task === "stop" && done) stop = at;
    else if (task === "start" || task === "migrate_from") start = at;
    else if (start <= stop && task === "monitor" && (rc === "0" || rc === "8")) seenRunning = at;
    else if (task === "promote" || task === "demote") seenPromoted = at;
  }
  if (start === -1) start = seenPromoted === -1 ? seenRunning : seenPromoted;
  return start < stop ? [] : sorted.filter((_, at) => at >= start);
}

function operationLine(cluster: Cluster, { node, rsc, history, xml }: Recorded): string {
  const of = (name: string) => xml.attributes.get(name);
  const options = { pending: true, withoutNode: true };
  const state = rsc
    ? agentLine(cluster, rsc, printableId(rsc), currentNode(rsc) ?? rsc.pendingNode, options)
    : `Unknown resource ${history}`;
  const changed = of("last-rc-change");
  const when =
    changed === undefined
      ? ""
      : `, last-rc-change='${formatCtime(Number(changed))}', exec=${of("exec-time") ?? "0"}ms`;
  const facts = `node=${node}, call=${of("call-id") ?? ""}, rc=${of("rc-code") ?? ""}${when}`;
  return `${state}: ${keyOf(xml)} (${facts}): ${statusText(Number(of("op-status") ?? 0))}`;
}

const keyOf = ({ attributes }: XmlElement) => attributes.get("operation_key") ?? attributes.get("id") ?? "";

function operationElement({ node, rsc, xml }: Recorded): XmlElement {
  const of = (name: string) => xml.attributes.get(name);
  const changed = of("last-rc-change");
  return element("operation", {
    op: keyOf(xml),
    node,
    call: of("call-id") ?? "-1",
    rc: of("rc-code") ?? "0",
    status: statusText(Number(of("op-status") ?? 0)),
    rsc: rsc && printableId(rsc),
    // Where there is no provider its place stays empty.
    agent: rsc && [rsc.class, rsc.provider ?? "", rsc.type].join(":"),
    "last-rc-change": changed === undefined ? undefined : formatCtime(Number(changed)),
    "exec-time": changed === undefined ? undefined : (of("exec-time") ?? "0"),
  });
}
