import { defineCommand } from "citty";
import type { FenceHistoryReply } from "../../daemon/index.ts";
import { plainValues } from "../../terms/index.ts";
import { ask } from "../daemon.ts";
import { resultLine } from "../fencing.ts";
import { colours, print, printJson, wantsJson } from "../output.ts";

export default defineCommand({
  meta: {
    name: "history",
    description: "What is being fenced and what was, oldest first; the same on all nodes.",
  },
  args: { node: { type: "positional", required: false, description: "only this node" } },
  run: async ({ args }) => {
    const reply = await ask<FenceHistoryReply>({ type: "fence.history" }, 10_000);
    const wanted = (target: string) => args.node === undefined || target === args.node;
    const entries = reply.entries.filter(({ target }) => wanted(target));
    const pending = reply.pending.filter(({ request }) => wanted(request.target));
    if (wantsJson()) return printJson({ pending, entries });
    showHistory(plainValues({ pending, entries }));
  },
});

/** The entries for people. */
function showHistory({ pending, entries }: Pick<FenceHistoryReply, "pending" | "entries">): void {
  if (entries.length === 0 && pending.length === 0) print("Nothing was fenced.");
  for (const entry of entries) {
    const time = new Date(entry.completedAt * 1000).toISOString().replace("T", " ").slice(0, 19);
    const asker = `${entry.client} on ${entry.origin}`;
    print(`${colours.dim(`${time} UTC`)}  ${resultLine(entry)} ${colours.dim(`[asked by ${asker}]`)}`);
  }
  for (const { request, attempts } of pending) {
    print(`${colours.yellow("now")}    ${request.action} of ${request.target}: ${request.reason}`);
    for (const one of attempts)
      print(
        `         level ${one.level} ${one.device} from ${one.executor}: ${one.state}${one.reason ? `, ${one.reason}` : ""}`,
      );
  }
}
