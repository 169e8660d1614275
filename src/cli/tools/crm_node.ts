import type { NodeReply } from "../../daemon/index.ts";
import { CrmExit } from "../../terms/index.ts";
import { asTool, connectTool } from "./connection.ts";
import { type OptionRow, type ParsedWords, parseWords } from "./getopt.ts";

const table: readonly OptionRow[] = [
  { name: "name", short: "n", description: "name of this node" },
  { name: "cluster-id", short: "i", description: "id of this node" },
  { name: "name-for-id", short: "N", value: "ID", description: "name of the node with an id" },
  { name: "list", short: "l", description: "all nodes: id, name, state" },
  { name: "partition", short: "p", description: "names of the nodes in this partition" },
  { name: "quorum", short: "q", description: "1 with quorum, 0 without" },
  { name: "quiet", short: "Q", description: "only the essential" },
  { name: "verbose", short: "V", description: "say more" },
];

/** crm_node(8): who am I, who is there. */
export const run = (words: readonly string[]): Promise<number> =>
  asTool("crm_node", "Facts about this node and its partition.", table, words, async () => {
    const given = parseWords("crm_node", table, words);
    const client = await connectTool();
    const reply = await client.request<NodeReply>({ type: "node" });
    client.close();
    return answer(given, reply);
  });

function answer(given: ParsedWords, reply: NodeReply): number {
  const there = reply.members.filter(({ state }) => state !== "lost").map(({ name }) => name);
  if (given.has("cluster-id")) print(String(reply.id));
  else if (given.has("list")) {
    for (const { id, name, state } of reply.members)
      print(`${id} ${name} ${state === "lost" ? "lost" : "member"}`);
  } else if (given.has("partition")) print(`${there.sort().join(" ")} `);
  else if (given.has("quorum")) print(reply.quorate ? "1" : "0");
  else if (given.has("name-for-id")) {
    const found = reply.members.find(({ id }) => String(id) === given.value("name-for-id"));
    if (!found) return CrmExit.NOSUCH;
    print(found.name);
  } else print(reply.name);
  return CrmExit.OK;
}

const print = (line: string) => void process.stdout.write(`${line}\n`);
