import { defineCommand } from "citty";
import { child, element, formatXml } from "../../cib/index.ts";
import type { NodeReply } from "../../daemon/index.ts";
import { CrmExit, HactlError } from "../../terms/index.ts";
import { applyToCib, ask, readCib } from "../live-cib.ts";
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
      const node = await nodeNamed(args.node);
      await setNodeAttribute(node, attribute, value);
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
  },
});

/** The node that was named, if there is one of that name; else this node. */
export async function nodeNamed(name: string | undefined): Promise<string> {
  const reply = await ask<NodeReply>({ type: "node" });
  if (name === undefined) return reply.name;
  const { configuration } = await readCib();
  const known = [
    ...reply.members.map((member) => member.name),
    ...(child(configuration, "nodes")?.children.map((node) => node.attributes.get("uname") ?? "") ?? []),
  ];
  const resources = child(configuration, "resources");
  if (known.includes(name) || (resources && mentionsRemote(formatXml(resources, -1), name))) return name;
  throw new HactlError({
    code: "NO_SUCH_NODE",
    what: `there is no node "${name}"`,
    cure: `the nodes are ${[...new Set(known)].join(", ")}`,
    exit: CrmExit.NOSUCH,
  });
}

/** Remote and guest nodes exist by their resources. */
const mentionsRemote = (xml: string, name: string) =>
  xml.includes(`<primitive id="${name}"`) || xml.includes(`name="remote-node" value="${name}"`);

/** Sets a permanent node attribute, or removes it. */
async function setNodeAttribute(node: string, name: string, value: string | undefined): Promise<void> {
  const { configuration } = await readCib();
  const entry = child(configuration, "nodes")?.children.find(
    (candidate) => candidate.attributes.get("uname") === node,
  );
  const id = entry?.attributes.get("id") ?? node;
  const set = entry?.children.find((block) => block.name === "instance_attributes");
  const setId = set?.attributes.get("id") ?? `nodes-${id}`;
  const pair = set?.children.find((nvpair) => nvpair.attributes.get("name") === name);
  if (value === undefined) {
    const pairId = pair?.attributes.get("id");
    if (pairId !== undefined)
      await applyToCib([{ op: "delete", xpath: `//nvpair[@id='${pairId}']` }], "node");
    return;
  }
  const nvpair = element("nvpair", { id: pair?.attributes.get("id") ?? `${setId}-${name}`, name, value });
  const attributes = element("instance_attributes", { id: setId }, [nvpair]);
  const xml = element("node", { id, uname: node, ...(entry ? {} : { type: "remote" }) }, [attributes]);
  await applyToCib([{ op: "modify", xml: formatXml(xml, -1), scope: "nodes", create: true }], "node");
}
