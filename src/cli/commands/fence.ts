import { defineCommand } from "citty";
import type { FenceAction, FenceResult } from "../../fencer/index.ts";
import { CrmExit, HactlError } from "../../terms/index.ts";
import { ask } from "../daemon.ts";
import { caller, confirmed, resultLine, waitMs } from "../fencing.ts";
import { note, print, printJson, wantsJson } from "../output.ts";
import { requireLive } from "../target.ts";

/** When a request that is not answered yet has been taken. */
const underWayMs = 300;

export default defineCommand({
  meta: {
    name: "fence",
    description:
      "Fence a node: cut its power or reset it, by the devices of the cluster. Its services start elsewhere when that is proven.",
  },
  args: {
    node: { type: "positional", required: false, description: "node to fence" },
    action: { type: "positional", required: false, description: "off, reboot or on [default: reboot]" },
    yes: { type: "boolean", alias: "y", description: "do not ask" },
    timeout: {
      type: "string",
      valueHint: "seconds",
      description: "time for a device that sets none [default: stonith-timeout]",
    },
  },
  subCommands: {
    list: () => import("./fence-list.ts").then((file) => file.default),
    history: () => import("./fence-history.ts").then((file) => file.default),
    confirm: () => import("./fence-confirm.ts").then((file) => file.default),
    test: () => import("./fence-test.ts").then((file) => file.default),
  },
  run: async ({ args }) => {
    if (args.node === undefined)
      throw new HactlError({
        code: "USAGE",
        what: "no node is named",
        cure: "hactl fence NODE [off|reboot|on]; see also hactl fence list, history, test NODE, confirm NODE",
        exit: CrmExit.USAGE,
      });
    requireLive("fencing");
    const action = actionOf(args.action ?? "reboot");
    if (args.yes !== true && action !== "on")
      await confirmed(
        `${action === "off" ? "Switch off" : "Reset"} ${args.node} at once, whatever runs there?`,
      );
    const seconds = Number(args.timeout ?? "0");
    const client = caller();
    const asked = ask<FenceResult>(
      {
        type: "fence.request",
        target: args.node,
        action,
        ...(seconds > 0 ? { timeoutMs: seconds * 1000 } : {}),
        client,
        reason: `asked by ${client}`,
      },
      waitMs,
    );
    // What is refused is answered at once, and then nothing is on its way.
    const answered = await Promise.race([asked, Bun.sleep(underWayMs).then(() => undefined)]);
    if (answered === undefined) note(`Fencing ${args.node} (${action}) …`);
    const result = answered ?? (await asked);
    if (wantsJson()) printJson(result);
    else print(resultLine(result));
    return result.ok ? CrmExit.OK : CrmExit.ERROR;
  },
});

function actionOf(text: string): FenceAction {
  if (text === "off" || text === "reboot" || text === "on") return text;
  throw new HactlError({
    code: "USAGE",
    what: `"${text}" is not a fencing action`,
    cure: "Write off, reboot or on",
    exit: CrmExit.USAGE,
  });
}
