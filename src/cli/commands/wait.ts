import { defineCommand } from "citty";
import { CrmExit } from "../../terms/index.ts";
import { ask } from "../daemon.ts";
import { printJson, wantsJson } from "../output.ts";
import { parseSeconds } from "../seconds.ts";

export default defineCommand({
  meta: { name: "wait", description: "Wait until the cluster has nothing left to do." },
  args: {
    timeout: {
      type: "string",
      default: "3600",
      valueHint: "seconds",
      description: "give up after so long, with status 124",
    },
  },
  run: async ({ args }) => {
    const timeoutMs = parseSeconds(args.timeout);
    await ask({ type: "wait-idle", timeoutMs: timeoutMs }, timeoutMs);
    if (wantsJson()) printJson({ idle: true });
    return CrmExit.OK;
  },
});
