import type { RingProcessStatus } from "../../daemon/index.ts";
import { CrmExit } from "../../terms/index.ts";
import { ask } from "../daemon.ts";
import { quorumReport } from "../render/quorum-report.ts";
import { asTool, line, usage, write } from "./connection.ts";
import { type OptionRow, type ParsedWords, parseWords } from "./getopt.ts";

const table: readonly OptionRow[] = [
  { name: "status", short: "s", description: "state of the quorum; exit code 2 without quorum" },
  { name: "list", short: "l", description: "the nodes" },
  { name: "expected", short: "e", value: "VOTES", description: "set the expected votes of the cluster" },
  { name: "ids-only", short: "i", description: "accepted" },
  { name: "all", short: "a", description: "accepted" },
  { name: "order", short: "o", value: "a|n|i", description: "order of the nodes: name or id" },
  { name: "hex", short: "H", description: "node ids in hexadecimal" },
  { name: "parsable", short: "p", description: "the table of nodes as programs read it" },
  { name: "version", short: "V", description: "print the version" },
];

/** corosync-quorumtool(8): the quorum; without words the status. */
export const run = (words: readonly string[]): Promise<number> =>
  asTool("corosync-quorumtool", "See the quorum and set the expected votes.", table, words, async () => {
    const given = parseWords("corosync-quorumtool", table, words);
    const expected = given.value("expected");
    if (expected !== undefined) return setExpected(expected);
    const status = await ask<RingProcessStatus>({ type: "ring-status" });
    if (given.has("list") && !given.has("status")) {
      write(quorumReport(status, options(given)).membership);
      return CrmExit.OK;
    }
    const { text, membership } = quorumReport(status, options(given));
    write(text + membership);
    // The one command whose exit code tells the state (corosync-quorumtool(8)).
    return given.has("status") && !status.core.quorum.quorate ? 2 : CrmExit.OK;
  });

const options = (given: ParsedWords) => ({
  hex: given.has("hex"),
  parsable: given.has("parsable"),
  byName: given.value("order") === "n",
  now: new Date(),
});

async function setExpected(text: string): Promise<number> {
  const votes = Number(text);
  if (!Number.isInteger(votes) || votes < 1)
    throw usage("corosync-quorumtool", `"${text}" is not a number of votes`);
  const { core } = await ask<RingProcessStatus>({ type: "ring-status" });
  if (votes < core.quorum.votes) {
    line(`Unable to set expected votes: ${core.quorum.votes} votes are there`);
    return CrmExit.ERROR;
  }
  await ask({ type: "expected-votes", votes });
  return CrmExit.OK;
}
