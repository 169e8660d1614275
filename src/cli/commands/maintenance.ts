import { defineCommand } from "citty";
import { CrmExit, HactlError } from "../../terms/index.ts";
import { note, printJson, wantsJson } from "../output.ts";
import { setProperties } from "./property.ts";

export default defineCommand({
  meta: {
    name: "maintenance",
    description: "Leave all services alone: the cluster starts, stops and watches nothing while it is on.",
  },
  args: { state: { type: "positional", description: "on or off" } },
  run: async ({ args: { state } }) => {
    if (state !== "on" && state !== "off") {
      throw new HactlError({
        code: "USAGE",
        what: `"${state}" is neither on nor off`,
        cure: "hactl maintenance on, or hactl maintenance off",
        exit: CrmExit.USAGE,
      });
    }
    await setProperties([["maintenance-mode", state === "on" ? "true" : undefined]]);
    if (wantsJson()) printJson({ maintenance: state === "on" });
    else
      note(
        state === "on" ? "The cluster leaves its services alone." : "The cluster looks after its services.",
      );
    return CrmExit.OK;
  },
});
