import type { RingProcessStatus } from "../../daemon/index.ts";
import { CrmExit } from "../../terms/index.ts";
import { ask } from "../daemon.ts";
import { asTool, line } from "./connection.ts";
import { type OptionRow, parseWords } from "./getopt.ts";

const table: readonly OptionRow[] = [
  { name: "delimiter", short: "d", value: "TEXT", description: "what stands between the fields" },
  { name: "names", short: "n", description: "only the names of the groups" },
  { name: "raw", short: "e", description: "accepted: names of groups have no unprintable signs" },
  { name: "help", short: "h", description: "print this help" },
];

/** The one group that there is: the managers that take part in the cluster. */
const group = "hactl";

/** corosync-cpgtool(8): who takes part beside the ring. Of other nodes the process is not known: 0. */
export const run = (words: readonly string[]): Promise<number> =>
  asTool("corosync-cpgtool", "Show the processes that take part in the cluster.", table, words, async () => {
    const given = parseWords("corosync-cpgtool", table, words);
    const status = await ask<RingProcessStatus>({ type: "ring-status" });
    const lines = given.has("names") ? [group] : groupLines(membersOf(status), given.value("delimiter"));
    for (const text of lines) line(text);
    return CrmExit.OK;
  });

interface Member {
  readonly node: number;
  readonly pid: number;
  readonly address: string;
}

function membersOf({ core, children, addresses }: RingProcessStatus): Member[] {
  return core.participants.map(({ nodeId }) => {
    const own = nodeId === core.self;
    const pid = own ? children.find(({ name }) => name === "manager")?.pid : undefined;
    const address = own
      ? addresses[0]
      : core.links.links.find(({ node, link }) => node === nodeId && link === 0)?.address;
    return { node: nodeId, pid: pid ?? 0, address: address ?? "" };
  });
}

function groupLines(members: readonly Member[], delimiter: string | undefined): string[] {
  if (delimiter !== undefined)
    return [
      ["GRP_NAME", "PID", "NODEID"].join(delimiter),
      ...members.map(({ pid, node }) => [group, pid, node].join(delimiter)),
    ];
  const column = (value: number) => String(value).padStart(10);
  return [
    "Group Name\t       PID\t   Node ID",
    group,
    ...members.map(({ pid, node, address }) => `\t\t${column(pid)}\t${column(node)} (${address})`),
  ];
}
