import { parseIntervalMs } from "../../cib/index.ts";
import type { NodeReply } from "../../daemon/index.ts";
import { CrmExit, HactlError, nodeName } from "../../terms/index.ts";
import { asTool, connectTool } from "./connection.ts";
import { type OptionRow, type ParsedWords, parseWords } from "./getopt.ts";

const table: readonly OptionRow[] = [
  { name: "name", short: "n", value: "NAME", description: "the attribute" },
  { name: "update", short: "U", aliases: ["v"], value: "VALUE", description: "set it" },
  { name: "value", short: "v", value: "VALUE", description: "the same" },
  { name: "update-both", short: "B", value: "VALUE", description: "set it, and its delay" },
  { name: "update-delay", short: "Y", description: "set its delay only" },
  { name: "delay", short: "d", value: "TIME", description: "wait so long for further changes (dampening)" },
  { name: "query", short: "Q", description: "print it" },
  { name: "delete", short: "D", description: "remove it" },
  { name: "refresh", short: "R", description: "write all attributes to the CIB again" },
  { name: "node", short: "N", value: "NODE", description: "for that node instead of this one" },
  { name: "all", short: "A", description: "query all nodes" },
  { name: "private", short: "p", description: "never write it to the CIB" },
  { name: "utilization", short: "z", description: "a utilization attribute" },
  { name: "pattern", short: "P", value: "REGEX", description: "every attribute that matches" },
  { name: "set", short: "s", value: "SET", description: "accepted for older agents" },
  { name: "section", short: "S", value: "SECTION", optional: true, description: "accepted for older agents" },
  { name: "lifetime", short: "l", value: "LIFETIME", description: "reboot, the only one there is" },
  {
    name: "wait",
    short: "W",
    value: "UNTIL",
    description: "accepted: the change is everywhere when the tool returns",
  },
  { name: "quiet", short: "q", description: "say nothing" },
  { name: "verbose", short: "V", description: "say more" },
];

/** attrd_updater(8): transient attributes of nodes, with dampening. */
export const run = (words: readonly string[]): Promise<number> =>
  asTool("attrd_updater", "Set, query and remove transient node attributes.", table, words, () =>
    work(parseWords("attrd_updater", table, words)),
  );

async function work(given: ParsedWords): Promise<number> {
  if (given.has("refresh")) return CrmExit.OK;
  const name = given.value("name");
  if (name === undefined) throw usage("--name is missing");
  const client = await connectTool();
  try {
    const local =
      given.value("node") ??
      process.env.OCF_RESKEY_CRM_meta_on_node ??
      (await client.request<NodeReply>({ type: "node" })).name;
    if (given.has("query")) {
      const values = await client.request<Record<string, string>>({ type: "attributes-query", name });
      return query(name, values, given.has("all") ? undefined : local);
    }
    const delay = given.value("delay");
    const dampenMs = delay === undefined ? undefined : parseIntervalMs(delay);
    if (delay !== undefined && dampenMs === undefined) throw usage(`"${delay}" is not a time such as 5s`);
    const value = given.value("update-both") ?? given.value("update") ?? given.value("value");
    if (!given.has("delete") && value === undefined && !given.has("update-delay"))
      throw usage("what shall be done: --update, --query or --delete?");
    await client.request({
      type: "attributes-update",
      updates: [
        {
          node: nodeName(local),
          name,
          value: given.has("delete") ? undefined : value,
          // The delay of an attribute is set when it is made, and later only by -B or -Y.
          ...(dampenMs === undefined ? {} : { dampenMs }),
          ...(given.has("update-delay") ? { delayOnly: true } : {}),
          ...(given.has("private") ? { private: true } : {}),
          ...(given.has("utilization") ? { set: "utilization" as const } : {}),
        },
      ],
    });
    return CrmExit.OK;
  } finally {
    client.close();
  }
}

function query(name: string, values: Readonly<Record<string, string>>, node: string | undefined): number {
  const rows = Object.entries(values).filter(([host]) => node === undefined || host === node);
  if (rows.length === 0)
    throw new HactlError({
      code: "NO_SUCH_ATTRIBUTE",
      what: `Could not query value of ${name}: attribute does not exist`,
      exit: CrmExit.NOSUCH,
    });
  for (const [host, value] of rows) process.stdout.write(`name="${name}" host="${host}" value="${value}"\n`);
  return CrmExit.OK;
}

const usage = (what: string) =>
  new HactlError({ code: "USAGE", what, cure: "see attrd_updater --help", exit: CrmExit.USAGE });
