import { element } from "../../cib/index.ts";
import type { NodeReply } from "../../daemon/index.ts";
import { CrmExit, HactlError } from "../../terms/index.ts";
import { type AnsweringTool, flag, type Message, runTool } from "../answer/index.ts";
import { ask } from "../daemon.ts";
import { hidden, noSuch, usage } from "./connection.ts";
import type { OptionRow, ParsedWords } from "./getopt.ts";

const options: readonly OptionRow[] = [
  { name: "name", short: "n", description: "name of this node" },
  { name: "cluster-id", short: "i", description: "id of this node" },
  { name: "name-for-id", short: "N", value: "ID", description: "name of the node with an id" },
  { name: "list", short: "l", description: "all nodes: id, name, state" },
  { name: "partition", short: "p", description: "names of the nodes in this partition" },
  { name: "quorum", short: "q", description: "1 with quorum, 0 without" },
  { name: "remove", short: "R", value: "NAME", description: "forget a node that will not come back" },
  { name: "force", short: "f", description: "with --remove: yes, I mean it" },
  { name: "corosync", short: "C", description: "accepted: there is no other kind of cluster" },
  { name: "quiet", short: "Q", description: "only the essential" },
  { name: "verbose", short: "V", description: "say more" },
];

/** crm_node(8): who am I, who is there. */
export const run = (words: readonly string[]): Promise<number> =>
  runTool(tool, words, async (given, answer) => {
    if (given.has("remove") && !given.has("force")) throw dangerous();
    const command = given.last(commands);
    if (command === "remove") return removeNode(given.value("remove") ?? "");
    // An agent is told by its environment where it runs: a guest has no daemon of its own.
    const here = process.env.OCF_RESKEY_CRM_meta_on_node;
    if (command === "name" && here && answer.format === "text") answer.say({ text: () => here });
    else answer.say(told(command, given, await ask<NodeReply>({ type: "node" })));
    return CrmExit.OK;
  });

const tool: AnsweringTool = {
  name: "crm_node",
  purpose: "Facts about this node and its partition.",
  options,
};

/** The last of several counts: `crm_node -l -p` prints the partition (crm_node(8)). */
const commands = ["name", "cluster-id", "name-for-id", "list", "partition", "quorum", "remove"] as const;

const dangerous = (): HactlError =>
  new HactlError({
    code: "UNSAFE",
    what: "The supplied command is considered dangerous: what is known of a node is forgotten",
    cure: "say it with --force",
    exit: CrmExit.USAGE,
  });

/** The version of the schemas that first had this tool. */
const since = "2.32";

function told(command: string | undefined, given: ParsedWords, reply: NodeReply): Message {
  switch (command) {
    case "cluster-id":
      return { text: () => String(reply.id), xml: () => [element("node-info", { nodeid: reply.id })], since };
    case "list":
      return nodeList(reply.members, (all) =>
        all.map(({ id, name, state }) => `${id} ${name} ${stateWord(state)}`).join("\n"),
      );
    case "partition":
      return nodeList(
        reply.members.filter(({ state }) => state !== "lost").toSorted(byName),
        (there) => `${there.map(({ name }) => name).join(" ")} `,
      );
    case "quorum":
      return {
        text: () => (reply.quorate ? "1" : "0"),
        xml: () => [element("cluster-info", { quorum: flag(reply.quorate) })],
        since,
      };
    case "name-for-id": {
      const id = given.value("name-for-id");
      const found = reply.members.find((member) => String(member.id) === id);
      if (!found && reply.hidden) throw hidden(`the node with id ${id}`);
      if (!found) throw noSuch(`Node ${id} is not known to cluster`);
      return nodeInfo(found);
    }
    case "name":
      return nodeInfo(reply);
    default:
      throw usage("crm_node", "what shall be printed?");
  }
}

const byName = (a: Member, b: Member) => (a.name < b.name ? -1 : 1);

type Member = NodeReply["members"][number];

const stateWord = (state: Member["state"]) => (state === "lost" ? "lost" : "member");

function nodeList(members: readonly Member[], text: (members: readonly Member[]) => string): Message {
  return {
    text: () => text(members),
    xml: () => [
      element(
        "nodes",
        {},
        members.map(({ id, name, state }) => element("node", { id, name, state: stateWord(state) })),
      ),
    ],
    since,
  };
}

const nodeInfo = ({ id, name }: { readonly id: number; readonly name: string }): Message => ({
  text: () => name,
  xml: () => [element("node-info", { nodeid: id, uname: name })],
  since,
});

/** Forgets a node's entry and its history. Nodes of the node list come back by themselves. */
async function removeNode(name: string): Promise<number> {
  const { CibSession } = await import("../cib-session.ts");
  const { nodeRemoval } = await import("../node-removal.ts");
  return CibSession.with(async (session) => {
    const members = session.isLive
      ? (await (await session.daemon()).request<NodeReply>({ type: "node" })).members
      : [];
    const cib = await session.cib();
    try {
      await session.apply(nodeRemoval(cib, { members }, name), "crm_node");
    } catch (error) {
      // It is enough that nothing is known of it: a remote node goes by itself.
      if (!(error instanceof HactlError) || error.code !== "NO_SUCH_NODE") throw error;
    }
    return CrmExit.OK;
  });
}
