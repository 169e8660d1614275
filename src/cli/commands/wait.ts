import { defineCommand } from "citty";
import { CrmExit } from "../../terms/index.ts";
import { printJson, wantsJson } from "../output.ts";
import { parseSeconds } from "../seconds.ts";
import { fulfilled } from "../waiting.ts";

export default defineCommand({
  meta: {
    name: "wait",
    description:
      "Wait until the cluster has nothing left to do. Ends with status 113 where that is because something has failed.",
  },
  args: {
    timeout: {
      type: "string",
      default: "3600",
      valueHint: "seconds",
      description: "give up after so long, with status 124",
    },
  },
  run: async ({ args }) => {
    await fulfilled(parseSeconds(args.timeout), { wish: "is well" });
    if (wantsJson()) printJson({ idle: true });
    return CrmExit.OK;
  },
});
