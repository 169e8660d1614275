import { defineCommand } from "citty";
import type { RingProcessStatus } from "../../daemon/index.ts";
import { CrmExit, HactlError } from "../../terms/index.ts";
import { ask } from "../daemon.ts";
import { note, print, printJson, wantsJson } from "../output.ts";
import { quorumReport } from "../render/quorum-report.ts";

const ringStatus = () => ask<RingProcessStatus>({ type: "ring-status" });

const status = defineCommand({
  meta: { name: "status", description: "Show votes and quorum; status 2 without quorum." },
  run: async () => {
    const ring = await ringStatus();
    const { quorum, totem, self } = ring.core;
    if (wantsJson()) {
      printJson({
        ...quorum,
        node: ring.names[self],
        ringId: `${totem.ringId.representative}.${totem.ringId.sequence}`,
        members: totem.members.map((id) => ({ id, name: ring.names[id], votes: ring.votes[id] })),
      });
    } else {
      const { text, membership } = quorumReport(ring, { now: new Date() });
      print(`${text}${membership}`);
      if (!quorum.quorate) note(`Not quorate: ${quorum.reason}.`);
    }
    return quorum.quorate ? CrmExit.OK : 2;
  },
});

const expected = defineCommand({
  meta: { name: "expected", description: "Set the votes that the cluster expects, until it is restarted." },
  args: { votes: { type: "positional", description: "number of votes" } },
  run: async ({ args }) => {
    const votes = Number(args.votes);
    const { core } = await ringStatus();
    if (!Number.isInteger(votes) || votes < 1 || votes < core.quorum.votes) {
      throw new HactlError({
        code: "USAGE",
        what: `the cluster cannot expect "${args.votes}" votes`,
        cure: `write a whole number, at least the ${core.quorum.votes} votes that are there`,
        exit: CrmExit.USAGE,
      });
    }
    await ask({ type: "expected-votes", votes });
    if (wantsJson()) printJson({ expectedVotes: votes });
    else note(`The cluster expects ${votes} votes.`);
    return CrmExit.OK;
  },
});

export default defineCommand({
  meta: { name: "quorum", description: "Votes and quorum." },
  subCommands: { status, expected },
});
