import type { AdminRequest, RingProcessStatus } from "../daemon/index.ts";
import { CrmExit, HactlError } from "../terms/index.ts";
import { ask } from "./daemon.ts";

/** How long the ring may take to agree on a change. */
const agreementMs = 5_000;
const lookMs = 50;

/** The ring as its process sees it. */
export const ringStatus = () => ask<RingProcessStatus>({ type: "ring-status" });

/** The votes of a node that an administrator has set. */
export interface GivenVotes {
  readonly id: number;
  readonly node: string;
  readonly votes: number;
  readonly configured: number;
}

/** Which members have other votes than the configured ones; a ring of an earlier version does not say it. */
export const givenVotes = ({ core, names }: RingProcessStatus): GivenVotes[] =>
  Object.entries(core.configuredVotes ?? {}).flatMap(([id, configured]) => {
    const votes = core.votes[Number(id)] ?? configured;
    return votes === configured ? [] : [{ id: Number(id), node: names[Number(id)] ?? id, votes, configured }];
  });

/** Votes as they are told. */
export const votesText = (votes: number): string => `${votes} ${votes === 1 ? "vote" : "votes"}`;

/**
 * What has become of votes that an administrator had set, once a changed configuration is in force: they have ended.
 * @param waits whether it waits for others
 */
export async function endedVotes(given: readonly GivenVotes[], waits: boolean): Promise<string[]> {
  if (given.length === 0) return [];
  if (waits)
    return given.map(
      ({ node, votes, configured }) =>
        `Then ${node} has its configured ${votesText(configured)} again, not the ${votes} that were set.`,
    );
  for (let waited = 0; waited < 1000; waited += lookMs) {
    const { core } = await ringStatus();
    const ended = given.filter(({ id, votes }) => core.votes[id] !== votes);
    if (ended.length === 0) await Bun.sleep(lookMs);
    else {
      const texts = ended.map(
        ({ id, node, votes }) =>
          `${node} has ${votesText(core.votes[id] ?? 0)} again, as configured, not the ${votes} that were set.`,
      );
      return [...texts, `Quorum now: ${core.quorum.reason}.`];
    }
  }
  return [];
}

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
    `${name} does not have ${votesText(votes)}`,
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
