import { defineCommand } from "citty";
import type { ReloadReply } from "../../daemon/index.ts";
import { CrmExit } from "../../terms/index.ts";
import { ask } from "../daemon.ts";
import { note, printJson, wantsJson } from "../output.ts";
import { endedVotes, givenVotes, ringStatus } from "../votes.ts";

export default defineCommand({
  meta: {
    name: "reload",
    description:
      "Read hactl.toml again and apply what may change while the node runs; a mistake changes nothing. Says what " +
      "needs a restart.",
  },
  args: {
    force: { type: "boolean", alias: "f", description: "also where the quorum is lost by it" },
  },
  run: async ({ args }) => {
    const given = givenVotes(await ringStatus());
    const reply = await ask<ReloadReply>({ type: "reload", ...(args.force && { force: true }) });
    if (wantsJson()) printJson({ reloaded: true, ...reply });
    else {
      const { applied, restart, waitsFor, warnings = [] } = reply;
      for (const text of warnings) note(`warning: ${text}`);
      note(
        applied.length === 0
          ? "The configuration was read again: nothing new."
          : `Changed: ${applied.join(", ")}.`,
      );
      if (waitsFor.length > 0)
        note(
          `The ring changes when all members have read the same: run 'hactl reload' on ${waitsFor.join(", ")}, too.`,
        );
      if (applied.length > 0) for (const text of await endedVotes(given, waitsFor.length > 0)) note(text);
      if (restart.length > 0)
        note(`Counts only after a restart of this node (hactl stop, hactl start): ${restart.join(", ")}.`);
    }
    return CrmExit.OK;
  },
});
