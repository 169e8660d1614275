import { defineCommand } from "citty";
import type { RingProcessStatus } from "../../daemon/index.ts";
import { CrmExit } from "../../terms/index.ts";
import { ask } from "../daemon.ts";
import { colours, print, printJson, wantsJson } from "../output.ts";
import { ringReport } from "../render/ring-report.ts";
import rekey from "./ring-rekey.ts";

const status = defineCommand({
  meta: {
    name: "status",
    description: "Show members, token, links and whom each node hears, as this node's ring sees it.",
  },
  args: { counters: { type: "boolean", alias: "c", description: "all counters, too" } },
  run: async ({ args }) => {
    const ring = await ask<RingProcessStatus>({ type: "ring-status" });
    if (wantsJson()) printJson({ format: "hactl-ring/1", ...ring });
    else print(ringReport(ring, Date.now(), args.counters === true, colours));
    return CrmExit.OK;
  },
});

export default defineCommand({
  meta: { name: "ring", description: "The ring of the nodes and its links." },
  subCommands: { status, rekey },
});
