import type { ReloadReply, RingProcessStatus } from "../../daemon/index.ts";
import { CrmExit } from "../../terms/index.ts";
import { ask } from "../daemon.ts";
import { writeError } from "../output.ts";
import { asTool, line, usage } from "./connection.ts";
import { type OptionRow, parseWords } from "./getopt.ts";

const table: readonly OptionRow[] = [
  { name: "status", short: "s", description: "the links of this node" },
  { name: "nodes", short: "n", description: "the nodes and their links" },
  { name: "brief", short: "b", description: "with -s: one letter a node" },
  { name: "reload", short: "R", description: "read hactl.toml again" },
  { name: "reopen-logs", short: "L", description: "accepted: log files are opened anew when they are moved" },
  { name: "address", short: "a", value: "NODEID", description: "addresses of a node" },
  { name: "shutdown", short: "H", description: "let this node leave the cluster" },
  { name: "force", description: "accepted" },
];

/** corosync-cfgtool(8): the links. */
export const run = (words: readonly string[]): Promise<number> =>
  asTool(
    "corosync-cfgtool",
    "See the links of the ring, and read the configuration again.",
    table,
    words,
    async () => {
      const given = parseWords("corosync-cfgtool", table, words);
      if (given.has("reload")) return reload();
      if (given.has("reopen-logs")) return CrmExit.OK;
      if (given.has("shutdown")) {
        await ask({ type: "shutdown" });
        line("Shutting down corosync");
        return CrmExit.OK;
      }
      const status = await ask<RingProcessStatus>({ type: "ring-status" });
      const address = given.value("address");
      if (address !== undefined) return printAddresses(status, Number(address));
      if (given.has("nodes")) return printNodes(status);
      if (given.has("status")) return printLinks(status, given.has("brief"));
      throw usage("corosync-cfgtool", "what shall be printed?");
    },
  );

async function reload(): Promise<number> {
  line("Reloading corosync.conf...");
  const { restart } = await ask<ReloadReply>({ type: "reload" });
  line("Done");
  for (const option of restart) writeError(`${option} counts only after a restart\n`);
  return CrmExit.OK;
}

const head = (status: RingProcessStatus) => line(`Local node ID ${status.core.self}, transport knet`);

function printLinks(status: RingProcessStatus, brief: boolean): number {
  const { core, names, addresses } = status;
  head(status);
  const ids = Object.keys(names).map(Number);
  let faulty = false;
  for (const [link, own] of Object.entries(addresses)) {
    const states = ids.flatMap((node) => {
      if (node === core.self) return [{ node, text: "localhost", letter: "n" }];
      const found = core.links.links.find((one) => one.node === node && String(one.link) === link);
      if (!found) return [];
      if (!found.up) faulty = true;
      return [{ node, text: found.up ? "connected" : "disconnected", letter: found.up ? "3" : "1" }];
    });
    line(`LINK ID ${link} udp`);
    line(`\taddr\t= ${own}`);
    if (brief) line(`\tstatus\t= ${states.map(({ letter }) => letter).join("")}`);
    else {
      line("\tstatus:");
      for (const { node, text } of states) line(`\t\tnodeid: ${String(node).padStart(10)}:\t${text}`);
    }
  }
  return faulty ? CrmExit.ERROR : CrmExit.OK;
}

function printNodes(status: RingProcessStatus): number {
  const { core, names, addresses } = status;
  head(status);
  for (const node of Object.keys(names).map(Number)) {
    if (node === core.self) continue;
    const links = core.links.links.filter((one) => one.node === node);
    line(`nodeid: ${node}${links.some(({ up }) => up) ? " reachable" : ""}`);
    for (const { link, address, up } of links)
      line(`   LINK: ${link} udp (${addresses[link] ?? "?"}->${address}) enabled${up ? " connected" : ""}`);
    line("");
  }
  return CrmExit.OK;
}

function printAddresses({ core, addresses }: RingProcessStatus, node: number): number {
  const found =
    node === core.self
      ? Object.values(addresses)
      : core.links.links.filter((one) => one.node === node).map(({ address }) => address);
  if (found.length === 0) throw usage("corosync-cfgtool", `there is no node ${node}`);
  line(found.join(" "));
  return CrmExit.OK;
}
