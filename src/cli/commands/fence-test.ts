import { defineCommand } from "citty";
import type { FenceTestRow } from "../../fencer/index.ts";
import { CrmExit } from "../../terms/index.ts";
import { ask } from "../daemon.ts";
import { waitMs } from "../fencing.ts";
import { colours, print, printJson, wantsJson } from "../output.ts";

export default defineCommand({
  meta: {
    name: "test",
    description:
      "Try every device of every level for a node, from every node that may run it, without touching the node.",
  },
  args: { node: { type: "positional", required: true, description: "node that the devices would fence" } },
  run: async ({ args }) => {
    const rows = await ask<FenceTestRow[]>({ type: "fence.test", target: args.node }, waitMs);
    const good = rows.length > 0 && rows.every(({ ok }) => ok);
    if (wantsJson()) printJson({ node: args.node, ok: good, rows });
    else if (rows.length === 0) print(`${colours.red("FAIL")} no device can fence ${args.node}`);
    else
      for (const { level, device, node, ok, check, text } of rows) {
        const place = `${level > 0 ? `level ${level} ` : ""}${device} from ${node}`;
        print(`${ok ? colours.green("ok  ") : colours.red("FAIL")} ${place} (${check}): ${text}`);
      }
    return good ? CrmExit.OK : CrmExit.ERROR;
  },
});
