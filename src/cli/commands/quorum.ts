import { defineCommand } from "citty";
import { CrmExit } from "../../terms/index.ts";
import { note, print, printJson, wantsJson } from "../output.ts";
import { quorumReport } from "../render/quorum-report.ts";
import { givenVotes, ringStatus, setExpectedVotes, setNodeVotes, votesText } from "../votes.ts";

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
      for (const { node, votes, configured } of givenVotes(ring))
        note(`${node} has ${votesText(votes)} because they were set; configured are ${configured}.`);
      if (!quorum.quorate) note(`Not quorate: ${quorum.reason}.`);
    }
    return quorum.quorate ? CrmExit.OK : 2;
  },
});

const expected = defineCommand({
  meta: { name: "expected", description: "Set the votes that the cluster expects, until it is restarted." },
  args: { votes: { type: "positional", required: true, description: "number of votes" } },
  run: async ({ args }) => {
    await setExpectedVotes(args.votes);
    if (wantsJson()) printJson({ expectedVotes: Number(args.votes) });
    else note(`The cluster expects ${args.votes} votes.`);
    return CrmExit.OK;
  },
});

const votes = defineCommand({
  meta: {
    name: "votes",
    description:
      "Set the votes of a node that is there, until its daemon starts again or a changed hactl.toml comes into force.",
  },
  args: {
    node: { type: "positional", required: true, description: "name or id of the node" },
    votes: { type: "positional", required: true, description: "number of votes" },
  },
  run: async ({ args }) => {
    const node = await setNodeVotes(args.node, args.votes);
    const { expectedVotes } = (await ringStatus()).core.quorum;
    if (wantsJson()) printJson({ node, votes: Number(args.votes), expectedVotes });
    else
      note(
        `${node} has ${votesText(Number(args.votes))}, and the cluster expects ${expectedVotes}, until its daemon starts ` +
          "again or a changed hactl.toml comes into force, whatever has changed in it; quorum_votes there makes it last.",
      );
    return CrmExit.OK;
  },
});

export default defineCommand({
  meta: { name: "quorum", description: "Votes and quorum." },
  subCommands: { status, expected, votes },
});
