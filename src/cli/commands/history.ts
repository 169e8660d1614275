import { defineCommand } from "citty";
import type { HistoryRow } from "../../daemon/index.ts";
import { CrmExit, HactlError, plainValues } from "../../terms/index.ts";
import { ask } from "../daemon.ts";
import { colours, print, printJson, wantsJson } from "../output.ts";

export default defineCommand({
  meta: {
    name: "history",
    description: "What happened: membership, decisions, actions, failures, fencing, configuration changes.",
  },
  args: {
    limit: { type: "string", alias: "n", default: "50", valueHint: "lines", description: "the last so many" },
    since: { type: "string", valueHint: "time", description: "since a time such as 2026-01-31T12:00:00" },
  },
  run: async ({ args }) => {
    const since = args.since === undefined ? 0 : Date.parse(args.since);
    const limit = Number(args.limit);
    if (Number.isNaN(since) || !(limit > 0)) {
      throw new HactlError({
        code: "USAGE",
        what: Number.isNaN(since)
          ? `"${args.since}" is not a time`
          : `"${args.limit}" is not a number of lines`,
        cure: "write for example --since 2026-01-31T12:00:00 or --limit 100",
        exit: CrmExit.USAGE,
      });
    }
    const rows = await ask<HistoryRow[]>({ type: "history", since, limit });
    if (wantsJson()) printJson(rows);
    else for (const row of plainValues(rows)) print(line(row));
    return CrmExit.OK;
  },
});

function line({ at, level, event, text }: HistoryRow): string {
  const time = new Date(at).toISOString().replace("T", " ").slice(0, 23);
  const paint =
    level === "error" ? colours.red : level === "warning" ? colours.yellow : (plain: string) => plain;
  return `${colours.dim(time)}  ${paint(text)} ${colours.dim(`[${event}]`)}`;
}
