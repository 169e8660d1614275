import { child, childrenOf, formatXml, type XmlElement } from "../../cib/index.ts";
import { type Cluster, oldestFirst, type Resource, unpackCluster } from "../../scheduler/index.ts";
import { CrmExit, lookup } from "../../terms/index.ts";
import { placesOf } from "../places.ts";
import { displayedState, primitivesOf, printableId, sortedResources } from "../render/cluster-view.ts";
import { outlineLines } from "../render/outline.ts";
import { agentText, resourceItems } from "../render/resource-list.ts";
import { idOf, metaValue, resourceNamed, resourcesOf, steered } from "../resources.ts";
import { line, write } from "./connection.ts";
import { type ResourceCall, type ResourceQuery, requiredResource } from "./crm_resource-call.ts";
import { dateText } from "./dates.ts";

const now = () => Math.floor(Date.now() / 1000);

/** Runs one of the commands that only look. */
export async function queryResource(
  query: Exclude<ResourceQuery, "get-parameter" | "get-property">,
  call: ResourceCall,
): Promise<number> {
  switch (query) {
    case "list-standards":
    case "list-ocf-providers":
    case "list-agents":
    case "list-ocf-alternatives":
    case "show-metadata":
      return (await import("./agent-list.ts")).listAgents(query, call.given.value(query) ?? "");
    case "locate":
      return locate(call);
    case "list":
      return list(call);
    case "list-raw":
    case "list-cts":
      return listRaw(call);
    case "list-operations":
      return operations(call, false);
    case "list-all-operations":
      return operations(call, true);
    case "query-xml":
    case "query-xml-raw":
      return queryXml(call);
    case "constraints":
    case "stack":
      return constraints(call);
    case "why":
      return why(call);
  }
}

async function locate(call: ResourceCall): Promise<number> {
  const id = requiredResource(call);
  resourceNamed(await call.session.configuration(), id);
  const places = placesOf(await call.session.cib(), id, now());
  for (const { node, role } of places)
    line(
      call.quiet ? node : `resource ${id} is running on: ${node}${role === "Promoted" ? " Promoted" : ""}`,
    );
  if (places.length === 0 && !call.quiet) process.stderr.write(`resource ${id} is NOT running\n`);
  return CrmExit.OK;
}

const clusterOf = async ({ session }: ResourceCall): Promise<Cluster> =>
  unpackCluster(await session.cib(), now());

async function list(call: ResourceCall): Promise<number> {
  const items = resourceItems(await clusterOf(call));
  if (items.length === 0) line("NO resources configured");
  else
    for (const text of ["Full List of Resources:", ...items.flatMap((item) => outlineLines(item, 1))])
      line(text);
  return CrmExit.OK;
}

async function listRaw(call: ResourceCall): Promise<number> {
  const cluster = await clusterOf(call);
  const ids = cluster.resources.filter((rsc) => !rsc.removed).flatMap(primitivesOf);
  if (ids.length === 0) line("NO resources configured");
  for (const rsc of ids) line(rsc.id);
  return CrmExit.OK;
}

const words: Readonly<Record<string, string>> = lookup({
  "-1": "pending",
  "0": "complete",
  "1": "Cancelled",
  "2": "Timed Out",
  "3": "NOT SUPPORTED",
  "4": "Error",
  "5": "Hard error",
  "6": "Fatal error",
  "7": "Not installed",
  "8": "Internal communication failure",
  "9": "Invalid contents",
  "10": "No fence device",
  "11": "CIB secrets missing",
});

/** Without `all` the last operation that says what a resource is, and its recurring ones. */
async function operations(call: ResourceCall, all: boolean): Promise<number> {
  const cluster = await clusterOf(call);
  const wanted =
    call.rsc === undefined
      ? undefined
      : new Set([call.rsc, ...withinIds(cluster, call.rsc)].map((id) => id.replace(/:\d+$/, "")));
  for (const state of childrenOf(child(cluster.cib, "status"), "node_state")) {
    const node = state.attributes.get("uname") ?? "";
    if (call.node !== undefined && call.node !== node) continue;
    for (const history of child(child(state, "lrm"), "lrm_resources")?.children ?? []) {
      const id = idOf(history).replace(/:\d+$/, "");
      if (wanted && !wanted.has(id)) continue;
      const rsc =
        cluster.resourceById.get(idOf(history)) ??
        [...cluster.resourceById.values()].find((r) => r.configId === id);
      for (const op of oldestFirst(history.children)) {
        if (!all && op.attributes.get("operation") === "stop") continue;
        line(operationLine(node, rsc, history, op));
      }
    }
  }
  return CrmExit.OK;
}

const withinIds = (cluster: Cluster, id: string): string[] =>
  [...cluster.resourceById.values()]
    .filter((rsc) => rsc.id === id)
    .flatMap(primitivesOf)
    .map((rsc) => rsc.id);

function operationLine(node: string, rsc: Resource | undefined, history: XmlElement, op: XmlElement): string {
  const of = (name: string) => op.attributes.get(name);
  const agent = [
    history.attributes.get("class"),
    history.attributes.get("provider"),
    history.attributes.get("type"),
  ]
    .filter((part) => part !== undefined)
    .join(":");
  const state = rsc ? displayedState(rsc, false) : "Orphaned";
  const changed = Number(of("last-rc-change") ?? 0);
  const when = changed > 0 ? `, last-rc-change='${dateText(changed)}'` : "";
  const facts = `node=${node}, call=${of("call-id") ?? "0"}, rc=${of("rc-code") ?? "0"}${when}, exec=${of("exec-time") ?? "0"}ms`;
  const status = words[of("op-status") ?? "0"] ?? "unknown";
  const key = of("operation_key") ?? idOf(op);
  return `${idOf(history)}\t(${agent}):\t ${state}: ${key} (${facts}): ${status}`;
}

async function queryXml(call: ResourceCall): Promise<number> {
  const id = requiredResource(call);
  const { xml } = resourceNamed(await call.session.configuration(), id);
  const cluster = await clusterOf(call);
  const items = resourceItems(cluster).filter(({ text }) => text.includes(id));
  const found = sortedResources(cluster).flatMap((rsc) => [rsc, ...primitivesOf(rsc)]);
  const primitive = found.find((rsc) => rsc.isPrimitive && (rsc.id === id || rsc.configId === id));
  if (xml.name === "primitive" && primitive) {
    const node = primitive.runningOn[0]?.name;
    line(
      `${printableId(primitive)}\t(${agentText(primitive)}):\t ${displayedState(primitive, true)}${node === undefined ? "" : ` ${node}`}`,
    );
  } else for (const text of items.flatMap((item) => outlineLines(item, 0))) line(text);
  write(`Resource XML:\n${formatXml(xml)}`.replace(/\n?$/, "\n"));
  return CrmExit.OK;
}

async function constraints(call: ResourceCall): Promise<number> {
  const id = requiredResource(call);
  const configuration = await call.session.configuration();
  const found = resourceNamed(configuration, id);
  const ids = new Set([idOf(found.xml), ...found.parents.map(idOf)]);
  const section = child(configuration, "constraints");
  const names = (constraint: XmlElement, attribute: string) =>
    ids.has(constraint.attributes.get(attribute) ?? "");
  const locations = childrenOf(section, "rsc_location").filter((one) => names(one, "rsc"));
  if (locations.length > 0) line("Locations:");
  for (const one of locations) {
    const score = one.attributes.get("score") ?? "rule";
    line(
      `  * Node ${one.attributes.get("node") ?? "by rule"} (score=${score}, id=${idOf(one)}, rsc=${one.attributes.get("rsc")})`,
    );
  }
  const colocated = (heading: string, own: string, other: string) => {
    const all = childrenOf(section, "rsc_colocation").filter((one) => names(one, own));
    if (all.length > 0) line(heading);
    for (const one of all)
      line(
        `  * ${one.attributes.get(other)} (score=${one.attributes.get("score") ?? "INFINITY"}, id=${idOf(one)})`,
      );
  };
  colocated(`Resources ${id} is colocated with:`, "rsc", "with-rsc");
  colocated(`Resources colocated with ${id}:`, "with-rsc", "rsc");
  return CrmExit.OK;
}

async function why(call: ResourceCall): Promise<number> {
  const configuration = await call.session.configuration();
  const cib = await call.session.cib();
  const ids =
    call.rsc === undefined
      ? resourcesOf(configuration)
          .filter(({ xml }) => xml.name === "primitive")
          .map(({ xml }) => idOf(xml))
      : [call.rsc];
  for (const id of ids) {
    const found = resourceNamed(configuration, id);
    const places = placesOf(cib, id, now());
    const here = call.node === undefined ? places : places.filter(({ node }) => node === call.node);
    const where = call.node === undefined ? "" : ` on host ${call.node}`;
    line(`Resource ${id} is ${here.length > 0 ? "" : "not "}running${where}`);
    if (here.length > 0) continue;
    const holder = [found.xml, ...found.parents].find((one) => metaValue(one, "target-role") !== undefined);
    const role = holder && metaValue(holder, "target-role");
    if (role?.toLowerCase() === "stopped") line(`  * Configuration specifies '${id}' should remain stopped`);
    line(`  * hactl explain ${idOf(steered(found))} tells the reasons node by node`);
  }
  return CrmExit.OK;
}
