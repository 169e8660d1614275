import { defineCommand } from "citty";
import { type CibOperation, child, element, formatXml, parseXml, type XmlElement } from "../../cib/index.ts";
import { type AdminClient, connectAdmin, type NodeReply } from "../../daemon/index.ts";
import { CrmExit, HactlError, nearest } from "../../terms/index.ts";
import { ask } from "../live-cib.ts";
import { nodeRemoval } from "../node-removal.ts";
import { note, print, printJson, wantsJson } from "../output.ts";

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
) =>
  defineCommand({
    meta: { name, description },
    args: waitArguments,
    run: async ({ args }) => {
      const node = await setNodeAttribute(args.node, attribute, value);
      if (args.wait) await ask({ type: "wait-idle", timeoutMs: waitMs }, waitMs);
      if (wantsJson()) printJson({ node, [attribute]: value ?? null });
      else note(`Node ${node} ${done}.`);
      return CrmExit.OK;
    },
  });

const waitMs = 30 * 60_000;

const show = defineCommand({
  meta: { name: "show", description: "List the nodes with their state." },
  run: async () => {
    const reply = await ask<NodeReply>({ type: "node" });
    if (wantsJson()) printJson(reply);
    else
      for (const { id, name, state } of reply.members)
        print(`${id} ${name} ${state}${name === reply.leader ? " (leader)" : ""}`);
    return CrmExit.OK;
  },
});

const remove = defineCommand({
  meta: {
    name: "remove",
    description: "Forget a node that will not come back, its history and attributes with it.",
  },
  args: { node: { type: "positional", required: true, description: "name of the node" } },
  run: async ({ args }) => {
    const daemon = await connectAdmin();
    try {
      const reply = await daemon.request<NodeReply>({ type: "node" });
      const cib = parseXml(await daemon.request<string>({ type: "cib" }));
      const operations = nodeRemoval(cib, reply, args.node);
      await daemon.request({ type: "cib-apply", operations, client: "node" });
    } finally {
      daemon.close();
    }
    if (wantsJson()) printJson({ node: args.node });
    else note(`Node ${args.node} is forgotten.`);
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
    ),
    online: attributeCommand(
      "online",
      "standby",
      undefined,
      "Let a node that was in standby run services again.",
      "is online",
    ),
    maintenance: attributeCommand(
      "maintenance",
      "maintenance",
      "true",
      "Leave the services of a node alone: nothing is started, stopped or watched.",
      "is in maintenance: the cluster leaves its services alone",
    ),
    ready: attributeCommand(
      "ready",
      "maintenance",
      undefined,
      "End the maintenance of a node.",
      "is out of maintenance",
    ),
    remove,
  },
});

/** The node that was named, if there is one of that name; else this node. */
export async function nodeNamed(name: string | undefined): Promise<string> {
  const daemon = await connectAdmin();
  try {
    return (await nodeIn(daemon, name)).node;
  } finally {
    daemon.close();
  }
}

interface FoundNode {
  readonly node: string;
  /** Its entry in `<nodes>`, if it has one. */
  readonly entry: XmlElement | undefined;
}

async function nodeIn(daemon: AdminClient, name: string | undefined): Promise<FoundNode> {
  const reply = await daemon.request<NodeReply>({ type: "node" });
  const configuration = child(parseXml(await daemon.request<string>({ type: "cib" })), "configuration");
  const entries = child(configuration, "nodes")?.children ?? [];
  const entryOf = (node: string) => entries.find((entry) => entry.attributes.get("uname") === node);
  if (name === undefined) return { node: reply.name, entry: entryOf(reply.name) };
  const known = new Set([
    ...reply.members.map((member) => member.name),
    ...entries.map((entry) => entry.attributes.get("uname") ?? ""),
    ...remoteNodes(child(configuration, "resources")),
  ]);
  if (known.has(name)) return { node: name, entry: entryOf(name) };
  const guess = nearest(name, known);
  throw new HactlError({
    code: "NO_SUCH_NODE",
    what: `there is no node "${name}"`,
    cure: guess === undefined ? `the nodes are ${[...known].join(", ")}` : `did you mean "${guess}"?`,
    exit: CrmExit.NOSUCH,
  });
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
  const daemon = await connectAdmin();
  try {
    const { node, entry } = await nodeIn(daemon, named);
    const operation = attributeOperation(node, entry, name, value);
    if (operation) await daemon.request({ type: "cib-apply", operations: [operation], client: "node" });
    return node;
  } finally {
    daemon.close();
  }
}

function attributeOperation(
  node: string,
  entry: XmlElement | undefined,
  name: string,
  value: string | undefined,
): CibOperation | undefined {
  const id = entry?.attributes.get("id") ?? node;
  const set = entry?.children.find((block) => block.name === "instance_attributes");
  const setId = set?.attributes.get("id") ?? `nodes-${id}`;
  const pairId = set?.children.find((nvpair) => nvpair.attributes.get("name") === name)?.attributes.get("id");
  if (value === undefined) {
    return pairId === undefined ? undefined : { op: "delete", xpath: `//nvpair[@id='${pairId}']` };
  }
  const nvpair = element("nvpair", { id: pairId ?? `${setId}-${name}`, name, value });
  const attributes = element("instance_attributes", { id: setId }, [nvpair]);
  const xml = element("node", { id, uname: node, ...(entry ? {} : { type: "remote" }) }, [attributes]);
  return { op: "modify", xml: formatXml(xml, -1), scope: "nodes", create: true };
}
