import { defineCommand } from "citty";
import { CrmExit, HactlError } from "../../terms/index.ts";
import { ask } from "../live-cib.ts";
import { printJson, wantsJson } from "../output.ts";

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
    const seconds = Number(args.timeout);
    if (!(seconds > 0)) {
      throw new HactlError({
        code: "USAGE",
        what: `"${args.timeout}" is not a number of seconds`,
        cure: "write for example --timeout 60",
        exit: CrmExit.USAGE,
      });
    }
    await ask({ type: "wait-idle", timeoutMs: seconds * 1000 }, seconds * 1000);
    if (wantsJson()) printJson({ idle: true });
    return CrmExit.OK;
  },
});
