import { defineCommand } from "citty";
import { CrmExit } from "../../terms/index.ts";
import { ask } from "../live-cib.ts";
import { note, printJson, wantsJson } from "../output.ts";

export default defineCommand({
  meta: {
    name: "reload",
    description:
      "Read hactl.toml again and apply what may change while the node runs; a mistake changes nothing.",
  },
  run: async () => {
    await ask({ type: "reload" });
    if (wantsJson()) printJson({ reloaded: true });
    else note("The configuration was read again.");
    return CrmExit.OK;
  },
});
