import { defineCommand } from "citty";
import {
  type CibOperation,
  child,
  element,
  formatXml,
  noSuchNode,
  onlyPair,
  pairsIn,
  removePairs,
  rulesOfNode,
  type XmlElement,
} from "../../cib/index.ts";
import type { NodeReply } from "../../daemon/index.ts";
import { CrmExit, nodeName } from "../../terms/index.ts";
import { applyToCib, CibSession } from "../cib-session.ts";
import { ask } from "../daemon.ts";
import { nodeRemoval } from "../node-removal.ts";
import { note, print, printJson, wantsJson } from "../output.ts";
import { statusModel } from "../render/status-facts.ts";
import type { NodeFacts } from "../render/status-model.ts";
import { cibTarget, requireLive } from "../target.ts";
import { hidden } from "../tools/connection.ts";
import { fulfilled, type NodeWish } from "../waiting.ts";
import { shownStatus } from "./mon-report.ts";

const nodeArgument = {
  node: { type: "positional", required: false, description: "name of the node [default: this one]" },
} as const;
const waitArguments = {
  ...nodeArgument,
  wait: { type: "boolean", alias: "w", description: "return when the cluster has nothing left to do" },
} as const;

/** A command that sets (or with `value` undefined: removes) an attribute of a node for good. */
const attributeCommand = (
  name: string,
  attribute: string,
  value: string | undefined,
  description: string,
  done: string,
  wish: NodeWish,
) =>
  defineCommand({
    meta: { name, description },
    args: waitArguments,
    run: async ({ args }) => {
      if (args.wait) requireLive("waiting for the cluster");
      const node = await setNodeAttribute(args.node, attribute, value);
      if (args.wait) await fulfilled(waitMs, { wish, node });
      if (wantsJson()) printJson({ node, [attribute]: value ?? null });
      else note(`Node ${node} ${done}.`);
      return CrmExit.OK;
    },
  });

const waitMs = 30 * 60_000;

const show = defineCommand({
  meta: { name: "show", description: "List the nodes, or one of them, with their state and what they run." },
  args: { node: { type: "positional", required: false, description: "one node [default: all]" } },
  run: async ({ args }) => {
    const live = cibTarget().kind === "live";
    const { input, name } = await shownStatus();
    const reply = live ? await ask<NodeReply>({ type: "node" }) : undefined;
    const nodes = shownNodes(statusModel(input, name).nodes, reply?.members ?? []);
    const { node: wanted } = args;
    const shown = wanted === undefined ? nodes : nodes.filter((node) => node.name === wanted);
    if (wanted !== undefined && shown.length === 0) {
      if (reply?.hidden) throw hidden(`node ${wanted}`);
      throw noSuchNode(
        wanted,
        nodes.map((node) => node.name),
      );
    }
    if (wantsJson()) printJson({ ...(reply ?? { members: shown.map(asMember) }), nodes: shown });
    else for (const node of shown) print(nodeLine(node));
    return CrmExit.OK;
  },
});

type ShownNode = Pick<NodeFacts, "id" | "name" | "state" | "kind" | "leader" | "resources" | "reason">;

const asMember = ({ id, name, state }: ShownNode) => ({ id, name, state });

/** Nodes as the status has them, and those of the node list that it knows nothing of yet. */
function shownNodes(known: readonly NodeFacts[], members: NodeReply["members"]): ShownNode[] {
  const names = new Set(known.map(({ name }) => name));
  return [
    ...known,
    ...members
      .filter(({ name }) => !names.has(name))
      .map(({ id, name, state }) => ({
        id: String(id),
        name,
        kind: "member" as const,
        state: state === "lost" ? "never seen: it is in the node list, and has not joined" : state,
        leader: false,
        resources: 0,
      })),
  ];
}

/** `1 node1 online (DC), runs 2 resources`. */
function nodeLine({ id, name, state, kind, leader, resources, reason }: ShownNode): string {
  const notes = [kind === "member" ? [] : [kind], leader ? ["DC"] : []].flat();
  const what = state === "draining" ? "leaving: its services move away or stop first" : state;
  return [
    `${id} ${name} ${what}${notes.length === 0 ? "" : ` (${notes.join(", ")})`}`,
    ...(resources === 0 ? [] : [`runs ${resources} resource${resources === 1 ? "" : "s"}`]),
    ...(reason === undefined ? [] : [reason]),
  ].join(", ");
}

const remove = defineCommand({
  meta: {
    name: "remove",
    description: "Forget a node that will not come back, its history and attributes with it.",
  },
  args: { node: { type: "positional", required: true, description: "name of the node" } },
  run: async ({ args }) => {
    const { operations, remarks } = await CibSession.with(async (session) => {
      const members = session.isLive
        ? (await (await session.daemon()).request<NodeReply>({ type: "node" })).members
        : [];
      const operations = nodeRemoval(await session.cib(), { members }, args.node);
      return { operations, remarks: rulesOfNode(await session.configuration(), new Set([args.node])) };
    });
    // What still names the node is said, and keeps nobody from forgetting it.
    await applyToCib(operations, "node", { force: true });
    if (wantsJson()) printJson({ node: args.node, remarks });
    else
      for (const line of [`Node ${args.node} is forgotten.`, ...remarks.map((one) => `  ${one}`)]) note(line);
    return CrmExit.OK;
  },
});

export default defineCommand({
  meta: { name: "node", description: "Take nodes out of service and back." },
  subCommands: {
    show,
    standby: attributeCommand(
      "standby",
      "standby",
      "on",
      "Move the services away from a node and keep it empty.",
      "is in standby: its services go elsewhere",
      "is empty",
    ),
    online: attributeCommand(
      "online",
      "standby",
      undefined,
      "Let a node that was in standby run services again.",
      "is online",
      "is in service",
    ),
    maintenance: attributeCommand(
      "maintenance",
      "maintenance",
      "true",
      "Leave the services of a node alone: nothing is started, stopped or watched.",
      "is in maintenance: the cluster leaves its services alone",
      "is in maintenance",
    ),
    ready: attributeCommand(
      "ready",
      "maintenance",
      undefined,
      "End the maintenance of a node.",
      "is out of maintenance",
      "is out of maintenance",
    ),
    remove,
  },
});

interface FoundNode {
  readonly node: string;
  /** Its entry in `<nodes>`, if it has one. */
  readonly entry: XmlElement | undefined;
}

/** The node that was named, if there is one of that name; else this node. */
async function nodeIn(session: CibSession, named: string | undefined): Promise<FoundNode> {
  const configuration = await session.configuration();
  const entries = child(configuration, "nodes")?.children ?? [];
  const entryOf = (node: string) => entries.find((entry) => entry.attributes.get("uname") === node);
  const members = session.isLive
    ? await (await session.daemon()).request<NodeReply>({ type: "node" })
    : undefined;
  if (named === undefined && members) return { node: members.name, entry: entryOf(members.name) };
  const name = named ?? (await session.localNode());
  const known = new Set([
    ...(members?.members ?? []).map((member) => member.name),
    ...entries.map((entry) => entry.attributes.get("uname") ?? ""),
    ...remoteNodes(child(configuration, "resources")),
  ]);
  if (known.has(name)) return { node: name, entry: entryOf(name) };
  throw noSuchNode(name, [...known]);
}

/** Remote and guest nodes exist by their resources. */
function remoteNodes(resources: XmlElement | undefined): string[] {
  const names: string[] = [];
  const visit = (at: XmlElement): void => {
    const { attributes } = at;
    if (at.name === "primitive" && attributes.get("type") === "remote")
      names.push(attributes.get("id") ?? "");
    if (at.name === "nvpair" && attributes.get("name") === "remote-node")
      names.push(attributes.get("value") ?? "");
    for (const inner of at.children) visit(inner);
  };
  if (resources) visit(resources);
  return names;
}

/** Sets a permanent attribute of the named node, or removes it. Returns the node's name. */
async function setNodeAttribute(
  named: string | undefined,
  name: string,
  value: string | undefined,
): Promise<string> {
  const { node, entry, transient } = await CibSession.with(async (session) => {
    const found = await nodeIn(session, named);
    // What was set until the next reboot counts, too.
    return { ...found, transient: value === undefined ? await transientIn(session, found, name) : [] };
  });
  const operations = [...attributeOperations(node, entry, name, value), ...transient];
  if (operations.length > 0) await applyToCib(operations, "node");
  return node;
}

/** Ends what an attribute says until the next reboot: of the running cluster at once, in a file by these operations. */
async function transientIn(
  session: CibSession,
  { node, entry }: FoundNode,
  name: string,
): Promise<CibOperation[]> {
  if (session.isLive) {
    const daemon = await session.daemon();
    const values = await daemon.request<Record<string, string>>({ type: "attributes-query", name, node });
    const updates = [{ node: nodeName(node), name, value: undefined }];
    if (Object.hasOwn(values, node)) await daemon.request({ type: "attributes-update", updates });
    return [];
  }
  const id = entry?.attributes.get("id") ?? node;
  const states = child(await session.cib(), "status")?.children ?? [];
  const state = states.find(({ attributes }) => attributes.get("id") === id);
  const transient = state && child(state, "transient_attributes");
  return removePairs(pairsIn(transient, "instance_attributes").filter((pair) => pair.name === name));
}

/** @throws AmbiguousPair when several sets of the node have the attribute, and one of them shall change */
function attributeOperations(
  node: string,
  entry: XmlElement | undefined,
  name: string,
  value: string | undefined,
): CibOperation[] {
  const id = entry?.attributes.get("id") ?? node;
  const found = pairsIn(entry, "instance_attributes").filter((pair) => pair.name === name);
  if (value === undefined) return removePairs(found);
  const old = onlyPair(name, found);
  const setId = old?.setId ?? `nodes-${id}`;
  const nvpair = element("nvpair", { id: old?.id ?? `${setId}-${name}`, name, value });
  const attributes = element("instance_attributes", { id: setId }, [nvpair]);
  const xml = element("node", { id, uname: node, ...(entry ? {} : { type: "remote" }) }, [attributes]);
  return [{ op: "modify", xml: formatXml(xml, -1), scope: "nodes", create: true }];
}
