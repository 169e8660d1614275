import { defineCommand } from "citty";
import type { FenceResult } from "../../fencer/index.ts";
import { ask } from "../daemon.ts";
import { caller, confirmed, resultLine } from "../fencing.ts";
import { print, printJson, wantsJson } from "../output.ts";
import { requireLive } from "../target.ts";

export default defineCommand({
  meta: {
    name: "confirm",
    description:
      "Answer for it that a node is down, when no device can. Its services start elsewhere at once: if it still runs, data is lost.",
  },
  args: {
    node: { type: "positional", required: true, description: "the node that is down" },
    yes: { type: "boolean", alias: "y", description: "do not ask" },
  },
  run: async ({ args }) => {
    requireLive("fencing");
    if (args.yes !== true)
      await confirmed(
        `Have you made sure yourself that ${args.node} is powered off? If it still runs, data will be lost.`,
      );
    const result = await ask<FenceResult>(
      { type: "fence.confirm", target: args.node, client: caller() },
      30_000,
    );
    if (wantsJson()) printJson(result);
    else print(resultLine(result));
  },
});
