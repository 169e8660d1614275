import { defineCommand } from "citty";
import { wantsJson } from "../output.ts";
import { printVersion } from "../version.ts";

export default defineCommand({
  meta: { name: "version", description: "Print the version of hactl." },
  run: () => printVersion(wantsJson() ? ["--json"] : []),
});
