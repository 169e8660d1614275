import { lookup, type Millis, type NodeId } from "../terms/index.ts";
import type { LinkDrop, Stranger, StrangerCause } from "./links-face.ts";

/** Something is wrong only when it lasts: nodes that start, or read a change at different times, differ for a moment. */
const LASTS_MS: Millis = 2000;
/** How long it is remembered after it was seen last. */
const FORGET_MS: Millis = 10_000;
/** Of datagrams that are ignored one in so long is looked at, however many come. */
const LOOK_MS: Millis = 1000;
/** No two looks that cost a decryption are nearer than this, from however many addresses forgeries come. */
const COSTLY_MS: Millis = 200;
/** What is said of one host is not said again, nor something else of it, before this time is over. */
const SAY_MS: Millis = 60_000;
/** More than so many at a time are not told apart. */
const LIMIT = 16;

interface Sight {
  stranger: Stranger;
  firstAt: Millis;
  lastAt: Millis;
  counter: number;
  confirmed: boolean;
  told: boolean;
}

/**
 * Hosts that this node ignores although they may belong to the cluster: with another key, at another address, of
 * another node list. Costs nothing while nothing is ignored, and next to nothing in a flood of what is.
 */
export class Strangers {
  private readonly sights = new Map<string, Sight>();
  /** When something was said of a host last; kept although it may have gone meanwhile. */
  private readonly saidAt = new Map<string, Millis>();
  /** When one more is looked at, by what is told apart. */
  private readonly lookAt = new Map<string, Millis>();
  private costlyAt: Millis = Number.NEGATIVE_INFINITY;
  private looked = 0;

  /**
   * Whether one more datagram that was dropped for this reason is to be looked at. The pauses differ, so that of several senders
   * with a rhythm each has its turn. `costly`: a look takes a decryption.
   */
  looks(drop: LinkDrop, link: number, address: string, costly: boolean, now: Millis): boolean {
    if (costly && now < this.costlyAt) return false;
    const about = `${drop} ${link} ${address}`;
    if (now < (this.lookAt.get(about) ?? Number.NEGATIVE_INFINITY)) return false;
    if (costly) this.costlyAt = now + COSTLY_MS;
    this.looked += 1;
    this.lookAt.delete(about);
    this.lookAt.set(about, now + LOOK_MS - ((this.looked * 137) % 400));
    const [oldest] = this.lookAt.keys();
    if (this.lookAt.size > 64 * LIMIT && oldest !== undefined) this.lookAt.delete(oldest);
    return true;
  }

  /**
   * Notes what a datagram shows. `counter`: its number, when it was authenticated: a recording that somebody plays again
   * and again shows nothing. Returns the sentence for the log when there is something new to be said.
   */
  see(stranger: Stranger, counter: number | undefined, now: Millis): string | undefined {
    const key = `${stranger.link} ${stranger.address} ${stranger.node ?? ""}`;
    const known = this.sights.get(key);
    const same = known && known.stranger.cause === stranger.cause && now - known.lastAt < FORGET_MS;
    if (!known || !same) {
      this.sights.delete(key);
      if (this.sights.size >= LIMIT) this.dropOldest();
      const times = { firstAt: now, lastAt: now, counter: counter ?? 0 };
      this.sights.set(key, { stranger, ...times, confirmed: false, told: false });
      return undefined;
    }
    if (counter !== undefined && counter <= known.counter) return undefined;
    known.lastAt = now;
    known.counter = counter ?? 0;
    if (now - known.firstAt < LASTS_MS) return undefined;
    known.confirmed = true;
    if (known.told || now - (this.saidAt.get(key) ?? Number.NEGATIVE_INFINITY) < SAY_MS) return undefined;
    known.told = true;
    this.saidAt.delete(key);
    this.saidAt.set(key, now);
    const [oldest] = this.saidAt.keys();
    if (this.saidAt.size > 4 * LIMIT && oldest !== undefined) this.saidAt.delete(oldest);
    return strangerText(stranger);
  }

  /** Those that are there now. */
  current(now: Millis): Stranger[] {
    return [...this.sights.values()]
      .filter(({ confirmed, lastAt }) => confirmed && now - lastAt < FORGET_MS)
      .map(({ stranger }) => stranger);
  }

  /** The node list or the key has changed: who is a stranger shows anew. */
  clear(): void {
    this.sights.clear();
    this.lookAt.clear();
  }

  private dropOldest(): void {
    const [oldest] = [...this.sights].sort(([, a], [, b]) => a.lastAt - b.lastAt);
    if (oldest) this.sights.delete(oldest[0]);
  }
}

const causes: Readonly<Record<StrangerCause, (who: string) => string>> = lookup({
  "claims-node": (who) =>
    `has the cluster's key and claims to be ${who}, which the node list has at another address`,
  "claims-self": () => "has the cluster's key and claims to be this node",
  "unlisted-node": (who) => `has the cluster's key and is ${who}, which is not in the node list of this node`,
  "calls-another": (who) =>
    `has the cluster's key, is ${who}, and takes this host for another node than it is, since the node lists differ`,
  "another-key": () => "uses another key or cluster_name",
  "another-version": () => "speaks another version of the ring's protocol",
  "another-program": () => "sends what is not of hactl",
  damaged: () => "sends what is damaged or forged",
});

/** A node with which this one forms no ring, and why, as a sentence without full stop. */
export const refusedText = (node: string, reason: string): string =>
  `${node} and this node cannot form a ring: ${reason}`;

const sameNodes =
  "Write the same node list into hactl.toml of all nodes, then hactl reload on each; start a node again (hactl stop, hactl start) that gets another nodeid";

const cures: Readonly<Record<Exclude<StrangerCause, "another-key">, string>> = lookup({
  "claims-node": sameNodes,
  "claims-self": "Give each node a nodeid and an address of its own in hactl.toml, the same on all nodes",
  "unlisted-node": sameNodes,
  "calls-another": sameNodes,
  "another-version": "Install the same version of hactl on all nodes",
  "another-program": "End what uses the ring's port on that host, or give the cluster another port",
  damaged: "Look at the network and at who sends it: hactl ring status",
});

/** What has to be done so that a host is no stranger any more. `keyFile`: where this node has its key. */
export const strangerCure = (cause: StrangerCause, keyFile: string): string =>
  cause === "another-key"
    ? `Copy the key file (${keyFile} on this node) and cluster_name of one node to the other, and restart that`
    : cures[cause];

/** What has to be done where a ring is refused: the nodes are configured differently. */
export const refusedCure =
  "Make hactl.toml the same on both nodes, its node list first, then hactl reload on each";

/** By what the host says of itself; the others are known by where they are. */
const claims: ReadonlySet<StrangerCause> = new Set([
  "claims-node",
  "claims-self",
  "unlisted-node",
  "calls-another",
]);

/** A stranger as a sentence without full stop. */
export function strangerText(
  { node, link, address, cause }: Stranger,
  name: (node: NodeId) => string = (id) => `node ${id}`,
): string {
  const who = node === undefined ? "a host" : name(node);
  const subject = claims.has(cause)
    ? `a host at ${address} (link ${link})`
    : `${who} at ${address} (link ${link})`;
  return `${subject} ${causes[cause](who)}: it is ignored`;
}
