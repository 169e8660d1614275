import { element, formatXml } from "../../cib/index.ts";
import { type Resource, Role, topLevel } from "../../scheduler/index.ts";
import { CrmExit } from "../../terms/index.ts";
import { cdataElement, listElement, type Message, textElement } from "../answer/index.ts";
import { missingBasis } from "../hidden.ts";
import { primitivesOf } from "../render/cluster-view.ts";
import { line, outlineLines, plainLines } from "../render/outline.ts";
import { resourceItems, resourceOutline } from "../render/resource-list.ts";
import { resourceElement, resourceElements } from "../render/resource-xml.ts";
import { resourceNamed } from "../resources.ts";
import { type ResourceCall, type ResourceQuery, requiredResource } from "./crm_resource-call.ts";
import { clusterOf, resourceIn, stateOf } from "./crm_resource-cluster.ts";

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
      return (await import("./agent-list.ts")).listAgents(query, call.given.value(query) ?? "", call.answer);
    case "locate":
      return locate(call);
    case "list":
      return list(call);
    case "list-raw":
    case "list-cts":
      return listRaw(call);
    case "list-operations":
      return (await import("./crm_resource-operations.ts")).operations(call, await stateOf(call), false);
    case "list-all-operations":
      return (await import("./crm_resource-operations.ts")).operations(call, await stateOf(call), true);
    case "query-xml":
      return queryXml(call, true);
    case "query-xml-raw":
      return queryXml(call, false);
    case "constraints":
      return (await import("./crm_resource-constraints.ts")).constraints(call, await clusterOf(call), false);
    case "stack":
      return (await import("./crm_resource-constraints.ts")).constraints(call, await clusterOf(call), true);
    case "why":
      return (await import("./crm_resource-why.ts")).why(call, await stateOf(call));
  }
}

async function locate(call: ResourceCall): Promise<number> {
  const id = requiredResource(call);
  const places = placesOf(resourceIn(await stateOf(call), id), id);
  const { quiet, answer } = call;
  answer.say({
    text: () =>
      places.length === 0
        ? undefined
        : places
            .map(({ node, promoted }) =>
              quiet ? node : `resource ${id} is running on: ${node}${promoted ? " Promoted" : ""}`,
            )
            .join("\n"),
    xml: () => [
      element(
        "nodes",
        { resource: id },
        places.map(({ node, promoted }) => textElement("node", node, promoted ? { state: "promoted" } : {})),
      ),
    ],
  });
  if (places.length === 0 && !quiet && answer.format !== "xml") answer.error(`resource ${id} is NOT running`);
  return CrmExit.OK;
}

/**
 * Where it is active. The name that all instances of a clone have in the histories stands for all of them. The last place
 * comes first.
 */
function placesOf(rsc: Resource, name: string): { node: string; promoted: boolean }[] {
  const top = topLevel(rsc, false);
  const isCommon = !rsc.unique && rsc.isPrimitive && name === rsc.historyId && name !== rsc.id;
  const clone = rsc.isClone ? rsc : top.isClone && isCommon ? top : undefined;
  const parts = clone ? clone.children : [rsc];
  return parts
    .flatMap((part) =>
      part.runningOn.map(({ name: node }) => ({
        node,
        promoted: primitivesOf(part).some(({ role }) => role === Role.Promoted),
      })),
    )
    .reverse();
}

const nothingShown = "No resources that this user may see";

async function list(call: ResourceCall): Promise<number> {
  const { answer } = call;
  const cluster = await stateOf(call);
  const options = { inactive: true, withoutNode: true, pending: true };
  const items = resourceItems(cluster, options);
  const children =
    items.length > 0 ? items : [line(call.session.hidden.length > 0 ? nothingShown : "No resources")];
  answer.say({
    text: () => outlineLines({ text: "Full List of Resources:", children }).join("\n"),
    xml: (api) =>
      items.length === 0 ? [] : [element("resources", {}, resourceElements(cluster, options, api))],
  });
  // That an empty list is an error is how the tool always was.
  return items.length > 0 ? CrmExit.OK : CrmExit.NOSUCH;
}

/** Agents' resources under one; of a bundle first the containers with what belongs to them, then what runs in them. */
function listed(rsc: Resource): Resource[] {
  if (!rsc.bundle) return rsc.isPrimitive ? [rsc] : rsc.children.flatMap(listed);
  const { replicas } = rsc.bundle;
  return [
    ...replicas.flatMap(({ container, ip, remote }) => [container, ip, remote]),
    ...replicas.map(({ child }) => child),
  ].filter((part) => part !== undefined);
}

async function listRaw(call: ResourceCall): Promise<number> {
  const { resources } = await clusterOf(call);
  const ids = resources.flatMap(listed).map(({ id }) => id);
  if (ids.length === 0) {
    call.answer.error(call.session.hidden.length > 0 ? nothingShown : "NO resources configured");
    return CrmExit.NOSUCH;
  }
  call.answer.say({
    text: () => ids.join("\n"),
    xml: () => [listElement("resource names", ids, "resource")],
  });
  return CrmExit.OK;
}

async function queryXml(call: ResourceCall, expanded: boolean): Promise<number> {
  const id = requiredResource(call);
  const written = resourceNamed(await call.session.configuration(), id).xml;
  const cluster = await clusterOf(call);
  const rsc = resourceIn(cluster, id);
  const xml = expanded && written.attributes.has("template") ? rsc.xml : written;
  const options = { pending: true };
  const text = formatXml(xml).replace(/\n?$/, "\n");
  if (missingBasis(call.session.hidden).length > 0) {
    // The document of the answer cannot be without a state.
    if (call.answer.format === "xml") await stateOf(call);
    call.answer.say({ text: () => ["Resource XML:", text].join("\n") });
    return CrmExit.OK;
  }
  const state = () => resourceOutline(cluster, rsc, options).flatMap(plainLines);
  const message: Message = {
    text: () => [...state(), "Resource XML:", text].join("\n"),
    xml: (api) => [
      element("resource_config", {}, [...resourceElement(rsc, options, api), cdataElement("xml", text)]),
    ],
  };
  call.answer.say(message);
  return CrmExit.OK;
}
