import type { HistoryRow } from "../../daemon/index.ts";
import { CrmExit, HactlError } from "../../terms/index.ts";
import { ask } from "../daemon.ts";
import { asTool, line } from "./connection.ts";
import { type OptionRow, parseWords } from "./getopt.ts";

const table: readonly OptionRow[] = [{ name: "help", short: "h", description: "print this help" }];

/** Facts that are shown. */
const most = 10_000;

/** corosync-blackbox(8): what happened last on this node, also after its daemon has died. */
export const run = (words: readonly string[]): Promise<number> =>
  asTool("corosync-blackbox", "Show what happened last on this node.", table, words, async () => {
    parseWords("corosync-blackbox", table, words);
    for (const text of replayLines(await facts())) line(text);
    return CrmExit.OK;
  });

async function facts(): Promise<HistoryRow[]> {
  try {
    return await ask<HistoryRow[]>({ type: "history", limit: most });
  } catch (error) {
    if (!(error instanceof HactlError)) throw error;
    const { configFile, loadConfigFile } = await import("../../config/index.ts");
    const { readEventHistory } = await import("../../daemon/index.ts");
    const { stateDir } = loadConfigFile(configFile(), "text").system;
    try {
      return readEventHistory(stateDir, 0, most);
    } catch (cause) {
      throw new HactlError({
        code: "NO_HISTORY",
        what: `there is no history in ${stateDir}, and no daemon to ask`,
        exit: CrmExit.NOINPUT,
        cause,
      });
    }
  }
}

function replayLines(rows: readonly HistoryRow[]): string[] {
  return [
    `Starting replay: head [${rows.at(-1)?.id ?? 0}] tail [${rows[0]?.id ?? 0}]`,
    ...rows.map(
      ({ at, level, event, text }, n) =>
        `rec=[${n + 1}] Log Message=${new Date(at).toISOString()} ${level} ${event}: ${text}`,
    ),
    `Finishing replay: records found [${rows.length}]`,
  ];
}
