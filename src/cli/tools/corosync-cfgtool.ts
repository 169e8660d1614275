import { canonicalAddress } from "../../config/index.ts";
import type { ReloadReply, RingProcessStatus } from "../../daemon/index.ts";
import { CrmExit, HactlError } from "../../terms/index.ts";
import { ask } from "../daemon.ts";
import { askToLeave } from "../leaving.ts";
import { writeError } from "../output.ts";
import { asTool, line, usage } from "./connection.ts";
import { type OptionRow, type ParsedWords, parseWords } from "./getopt.ts";

const table: readonly OptionRow[] = [
  {
    name: "interface",
    short: "i",
    value: "LINK",
    description: "with -s: only the link of this number or of this address of this node",
  },
  { name: "status", short: "s", description: "the links of this node" },
  { name: "nodes", short: "n", description: "the nodes and their links" },
  { name: "brief", short: "b", description: "with -s: one letter a node" },
  { name: "reload", short: "R", description: "read hactl.toml again" },
  { name: "reopen-logs", short: "L", description: "accepted: log files are opened anew when they are moved" },
  { name: "address", short: "a", value: "NODEID", description: "addresses of a node" },
  { name: "shutdown", short: "H", description: "let this node leave the cluster" },
  { name: "force", description: "accepted with -H: nobody can object here" },
  { name: "kill", short: "k", value: "NODEID", description: "refused: see hactl fence, and hactl stop" },
  { name: "reset", short: "r", description: "refused: a link that works again is used again by itself" },
  { name: "help", short: "h", description: "print this help" },
];

const tool = "corosync-cfgtool";
const purpose = "See the links of the ring, and read the configuration again.";

/** corosync-cfgtool(8): the links. */
export const run = (words: readonly string[]): Promise<number> =>
  asTool(tool, purpose, table, words, async () => {
    const given = parseWords(tool, table, words);
    if (given.has("help")) return asTool(tool, purpose, table, ["--help"], async () => CrmExit.OK);
    refuse(given);
    if (given.has("reload")) return reload();
    if (given.has("reopen-logs")) return CrmExit.OK;
    if (given.has("shutdown")) {
      await askToLeave();
      line("Shutting down corosync");
      return CrmExit.OK;
    }
    const status = await ask<RingProcessStatus>({ type: "ring-status" });
    const address = given.value("address");
    if (address !== undefined) return printAddresses(status, Number(address));
    if (given.has("nodes")) return printNodes(status);
    if (given.has("status")) return printLinks(status, given.has("brief"), given.value("interface"));
    throw usage(tool, "what shall be printed?");
  });

/** @throws HactlError for what is not done here, with what does it */
function refuse(given: ParsedWords): void {
  const notHere = (what: string, cure: string) =>
    new HactlError({ code: "NOT_SUPPORTED", what, cure, exit: CrmExit.UNIMPLEMENT_FEATURE });
  const node = given.value("kill");
  if (node !== undefined)
    throw notHere(
      `node ${node} is not killed from here: its services would run on unseen`,
      "'hactl fence NAME' cuts its power, 'hactl stop' on it lets it leave",
    );
  if (given.has("reset"))
    throw notHere(
      "there is no ring to set back",
      "a link that works again is used again by itself; 'corosync-cfgtool -s' shows them",
    );
  if (given.has("interface") && !given.has("status")) throw usage(tool, "-i says which link -s shows");
  if (given.has("brief") && !given.has("status")) throw usage(tool, "-b says how -s shows the links");
}

async function reload(): Promise<number> {
  line("Reloading corosync.conf...");
  const { restart } = await ask<ReloadReply>({ type: "reload" });
  line("Done");
  for (const option of restart) writeError(`${option} counts only after a restart\n`);
  return CrmExit.OK;
}

const head = (status: RingProcessStatus) => line(`Local node ID ${status.core.self}, transport knet`);

function printLinks(status: RingProcessStatus, brief: boolean, only: string | undefined): number {
  const { core, names } = status;
  const wanted = ([link, own]: readonly [string, string]) =>
    only === undefined || only === link || canonicalAddress(only) === canonicalAddress(own);
  const shown = Object.entries(status.addresses).filter(wanted);
  if (shown.length === 0) throw usage(tool, `this node has no link "${only}"`);
  head(status);
  const ids = Object.keys(names).map(Number);
  let faulty = false;
  for (const [link, own] of shown) {
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
  if (found.length === 0) throw usage(tool, `there is no node ${node}`);
  line(found.join(" "));
  return CrmExit.OK;
}
