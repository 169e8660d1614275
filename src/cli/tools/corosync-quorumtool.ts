import type { RingProcessStatus } from "../../daemon/index.ts";
import { CrmExit, HactlError } from "../../terms/index.ts";
import { repeat } from "../commands/watch.ts";
import { ask } from "../daemon.ts";
import { type QuorumReportOptions, quorumReport } from "../render/quorum-report.ts";
import { setExpectedVotes, setNodeVotes } from "../votes.ts";
import { asTool, line, pacemakerVersion, usage, write } from "./connection.ts";
import { type OptionRow, type ParsedWords, parseWords } from "./getopt.ts";

const table: readonly OptionRow[] = [
  { name: "status", short: "s", description: "state of the quorum; exit code 2 without quorum" },
  { name: "monitor", short: "m", description: "the state again whenever it changes, until it is ended" },
  { name: "list", short: "l", description: "the nodes" },
  { name: "expected", short: "e", value: "VOTES", description: "set the expected votes of the cluster" },
  {
    name: "votes",
    short: "v",
    value: "VOTES",
    description: "set the votes of this node, or of -n, until its daemon starts again",
  },
  { name: "nodeid", short: "n", value: "NODEID", description: "with -v: of this node" },
  { name: "ids-only", short: "i", description: "addresses of the nodes instead of their names" },
  { name: "all", short: "a", description: "with -i: addresses of all links" },
  { name: "order", short: "o", value: "a|n|i", description: "order of the nodes: address, name or id" },
  { name: "hex", short: "H", description: "node ids in hexadecimal" },
  { name: "parsable", short: "p", description: "the table of nodes as programs read it" },
  { name: "force-unregister", short: "f", description: "refused: there is no quorum device" },
  { name: "version", short: "V", description: "print the version" },
  { name: "help", short: "h", description: "print this help" },
];

const tool = "corosync-quorumtool";
const purpose = "See the quorum and set votes.";

/** corosync-quorumtool(8): the quorum; without words the status. */
export const run = (words: readonly string[]): Promise<number> =>
  asTool(tool, purpose, table, words, async () => {
    const given = parseWords(tool, table, words);
    if (given.has("help")) return asTool(tool, purpose, table, ["--help"], async () => CrmExit.OK);
    if (given.words.length > 0) throw usage(tool, `"${given.words[0]}" does not belong to any option`);
    if (given.has("version")) {
      line(`${tool} version: ${pacemakerVersion} (done by hactl)`);
      return CrmExit.OK;
    }
    if (given.has("force-unregister")) throw noDevice();
    const [expected, votes, node] = [given.value("expected"), given.value("votes"), given.value("nodeid")];
    if (node !== undefined && votes === undefined) throw usage(tool, "-n says whose votes -v sets");
    const shown = options(given);
    if (expected !== undefined) await setExpectedVotes(expected);
    if (votes !== undefined) await setNodeVotes(node, votes);
    if (expected !== undefined || votes !== undefined) return CrmExit.OK;
    if (given.has("monitor")) return monitor(shown);
    const status = await ringStatus();
    if (given.has("list") && !given.has("status")) {
      write(quorumReport(status, { ...shown, now: new Date() }).membership);
      return CrmExit.OK;
    }
    const { text, membership } = quorumReport(status, { ...shown, now: new Date() });
    write(text + membership);
    // The one command whose exit code tells the state (corosync-quorumtool(8)).
    return given.has("status") && !status.core.quorum.quorate ? 2 : CrmExit.OK;
  });

const ringStatus = () => ask<RingProcessStatus>({ type: "ring-status" });

type Shown = Omit<QuorumReportOptions, "now">;

const orders: ReadonlyMap<string, NonNullable<QuorumReportOptions["order"]>> = new Map([
  ["a", "address"],
  ["n", "name"],
  ["i", "id"],
]);

function options(given: ParsedWords): Shown {
  const wanted = given.value("order");
  const order = wanted === undefined ? undefined : orders.get(wanted);
  if (wanted !== undefined && order === undefined)
    throw usage(tool, `nodes are ordered by a (address), n (name) or i (id), not by "${wanted}"`);
  return {
    hex: given.has("hex"),
    parsable: given.has("parsable"),
    addresses: !given.has("ids-only") ? "none" : given.has("all") ? "all" : "first",
    ...(order === undefined ? {} : { order }),
  };
}

/** How often the ring is asked: it tells nobody of its own accord. */
const everyMs = 500;

function monitor(shown: Shown): Promise<number> {
  let before: string | undefined;
  const show = async () => {
    const status = await ringStatus();
    const now = new Date();
    const { text, membership } = quorumReport(status, { ...shown, now });
    // The date is no change.
    const state = quorumReport(status, { ...shown, now: new Date(0) }).text + membership;
    if (state === before) return;
    write(before === undefined ? text + membership : `\n${text}${membership}`);
    before = state;
  };
  return repeat({ show, everyMs });
}

const noDevice = () =>
  new HactlError({
    code: "NO_QUORUM_DEVICE",
    what: "no quorum device is registered: there is none in hactl",
    cure: "auto_tie_breaker in [quorum] of hactl.toml decides between two halves; -e sets the expected votes of nodes that are left",
    exit: CrmExit.ERROR,
  });
