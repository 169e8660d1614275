import type { NodeReply } from "../../daemon/index.ts";
import { HactlError } from "../../terms/index.ts";
import { ask } from "../daemon.ts";
import { asTool, line, noSuch, usage } from "./connection.ts";
import { type OptionRow, type ParsedWords, parseWords } from "./getopt.ts";

const table: readonly OptionRow[] = [
  { name: "name", short: "n", description: "name of this node" },
  { name: "cluster-id", short: "i", description: "id of this node" },
  { name: "name-for-id", short: "N", value: "ID", description: "name of the node with an id" },
  { name: "list", short: "l", description: "all nodes: id, name, state" },
  { name: "partition", short: "p", description: "names of the nodes in this partition" },
  { name: "quorum", short: "q", description: "1 with quorum, 0 without" },
  { name: "remove", short: "R", value: "NAME", description: "forget a node that will not come back" },
  { name: "force", short: "f", description: "with --remove: yes, I mean it" },
  { name: "quiet", short: "Q", description: "only the essential" },
  { name: "verbose", short: "V", description: "say more" },
];

/** crm_node(8): who am I, who is there. */
export const run = (words: readonly string[]): Promise<number> =>
  asTool("crm_node", "Facts about this node and its partition.", table, words, async () => {
    const given = parseWords("crm_node", table, words);
    const remove = given.value("remove");
    if (remove !== undefined) return removeNode(remove, given.has("force"));
    const command = commandOf(given);
    // An agent is told by its environment where it runs: a guest has no daemon of its own.
    const here = process.env.OCF_RESKEY_CRM_meta_on_node;
    if (command === "name" && here) line(here);
    else answer(command, given, await ask<NodeReply>({ type: "node" }));
    return 0;
  });

/** The last of several commands counts: `crm_node -l -p` prints the partition (crm_node(8)). */
function commandOf(given: ParsedWords): string | undefined {
  const commands = ["name", "cluster-id", "name-for-id", "list", "partition", "quorum"];
  return given.options.findLast(([name]) => commands.includes(name))?.[0];
}

function answer(command: string | undefined, given: ParsedWords, reply: NodeReply): void {
  const there = reply.members.filter(({ state }) => state !== "lost").map(({ name }) => name);
  switch (command) {
    case "cluster-id":
      return line(String(reply.id));
    case "list":
      for (const { id, name, state } of reply.members)
        line(`${id} ${name} ${state === "lost" ? "lost" : "member"}`);
      return;
    case "partition":
      return line(`${there.sort().join(" ")} `);
    case "quorum":
      return line(reply.quorate ? "1" : "0");
    case "name-for-id": {
      const id = given.value("name-for-id");
      const found = reply.members.find((member) => String(member.id) === id);
      if (!found) throw noSuch(`Node ${id} is not known to cluster`);
      return line(found.name);
    }
    case "name":
      return line(reply.name);
    default:
      throw usage("crm_node", "what shall be printed?");
  }
}

/** Forgets a node's entry and its history. Nodes of the node list come back by themselves. */
async function removeNode(name: string, force: boolean): Promise<number> {
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
      // With --force it is enough that nothing is known of it: a remote node goes by itself.
      if (!force || !(error instanceof HactlError) || error.code !== "NO_SUCH_NODE") throw error;
    }
    return 0;
  });
}
