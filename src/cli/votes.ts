import type { AdminRequest, RingProcessStatus } from "../daemon/index.ts";
import { CrmExit, HactlError } from "../terms/index.ts";
import { ask } from "./daemon.ts";

/** How long the ring may take to agree on a change. */
const agreementMs = 5_000;
const lookMs = 50;

const ringStatus = () => ask<RingProcessStatus>({ type: "ring-status" });

/** Sets the votes that the cluster expects, and waits until that is in force. @throws HactlError USAGE, NOT_IN_FORCE */
export async function setExpectedVotes(text: string): Promise<void> {
  const votes = Number(text);
  const { core } = await ringStatus();
  if (!/^\d+$/.test(text) || votes < 1 || votes < core.quorum.votes)
    throw wrong(
      `the cluster cannot expect "${text}" votes`,
      `write a whole number, at least the ${core.quorum.votes} votes that are there`,
    );
  await changed(
    { type: "expected-votes", votes },
    ({ core: { quorum } }) => quorum.expectedVotes === votes,
    `the cluster does not expect ${votes} votes`,
  );
}

/**
 * Sets the votes of a member until its daemon starts again, and waits until that is in force.
 * @param which its id or its name; this node when there is none
 * @returns its name
 * @throws HactlError USAGE, NOT_IN_FORCE
 */
export async function setNodeVotes(which: string | undefined, text: string): Promise<string> {
  const { core, names } = await ringStatus();
  const most = 255;
  if (!/^\d+$/.test(text) || Number(text) > most)
    throw wrong(`a node cannot have "${text}" votes`, `write a whole number from 0 to ${most}`);
  const node =
    which === undefined
      ? core.self
      : core.totem.members.find((id) => String(id) === which || names[id] === which);
  if (node === undefined)
    throw wrong(
      `"${which}" is no member of the ring`,
      "name a node that is there, by its id or its name; of others, quorum_votes in hactl.toml counts",
    );
  const votes = Number(text);
  const name = names[node] ?? String(node);
  await changed(
    { type: "node-votes", node, votes },
    (status) => status.votes[node] === votes,
    `${name} does not have ${votes} ${votes === 1 ? "vote" : "votes"}`,
  );
  return name;
}

async function changed(
  request: AdminRequest,
  inForce: (status: RingProcessStatus) => boolean,
  otherwise: string,
): Promise<void> {
  await ask(request);
  for (let waited = 0; waited < agreementMs; waited += lookMs) {
    if (inForce(await ringStatus())) return;
    await Bun.sleep(lookMs);
  }
  throw new HactlError({
    code: "NOT_IN_FORCE",
    what: otherwise,
    cure: "the ring refuses what would take the quorum away, and its log says so; 'hactl quorum status' shows what counts",
    exit: CrmExit.ERROR,
  });
}

const wrong = (what: string, cure: string) =>
  new HactlError({ code: "USAGE", what, cure, exit: CrmExit.USAGE });
