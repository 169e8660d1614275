import { type NodeId, type NodeName, type Read, read } from "../terms/index.ts";

/** Version of a configuration (`admin_epoch.epoch.num_updates` of `<cib>`). */
export type CibVersion = readonly [adminEpoch: number, epoch: number, numUpdates: number];

const count = read.whole(0, Number.MAX_SAFE_INTEGER);

/** Takes a version from outside. */
export const readVersion: Read<CibVersion> = (value, at) => {
  const parts = read.list(count, 3)(value, at);
  const [adminEpoch, epoch, numUpdates] = parts;
  if (adminEpoch === undefined || epoch === undefined || numUpdates === undefined)
    return read.refuse(at, "has less than three numbers");
  return [adminEpoch, epoch, numUpdates];
};

/** A version of the configuration that a node had on its disk, and that can be read no more. */
export interface Loss {
  readonly node: NodeName;
  /** The version that was lost; undefined when not even that can be read. */
  readonly version?: CibVersion;
  /** What that node found instead; 0.0.0: nothing. */
  readonly instead: CibVersion;
  /** Where the damaged files are kept, on that node. */
  readonly files: readonly string[];
}

/** Most losses that are told of. */
export const MOST_LOSSES = 100;
/** Most damaged files that are told of with a loss. */
export const MOST_LOST_FILES = 4;

/** Takes losses from outside. */
export const readLosses = read.list(
  read.shape<Loss>({
    node: read.nodeName,
    version: read.maybe(readVersion),
    instead: readVersion,
    files: read.list(read.xmlText(4096), MOST_LOST_FILES),
  }),
  MOST_LOSSES,
);

/** A point of the message order that never comes again: ring sequence, then position in it. */
export type OrderPoint = readonly [ring: number, position: number];

/** What a manager tells the others on each change of the membership, before anything is decided. */
export interface Summary {
  readonly node: NodeId;
  /** Version of the rules that this node knows; the oldest leads, so that a mixed cluster keeps to it. */
  readonly featureSet: string;
  /** Since when it takes part. */
  readonly since: OrderPoint;
  readonly version: CibVersion;
  /** Its copy was built on this version, after a newer one was lost: it claims to be no newer than that. */
  readonly fallback?: CibVersion;
  /** What it or others have lost, as far as it knows. */
  readonly losses?: readonly Loss[];
  /** Whether its copy is from a time when it took part in a cluster, or only read from its disk. */
  readonly live: boolean;
  /**
   * Participants that came along with it from the membership before, where its own join was complete: they have the
   * same state if they say the same. Only itself when its join was not complete.
   */
  readonly companions: readonly NodeId[];
}

/** The same on every member, computed from the same summaries by the same function: no election messages. */
export interface JoinOutcome {
  readonly leader: NodeId;
  /** Whose CIB is the cluster's. */
  readonly winner: NodeId;
  /** Who has that CIB already. */
  readonly holders: ReadonlySet<NodeId>;
}

/**
 * Leader: oldest feature set, then longest in, then lowest id. Winner: who claims the highest version, then who has it; of equal ones one that
 * ran with a cluster before one read from disk, then the longest in, then the lowest id (DESIGN.md, "How the
 * cluster decides", 2).
 */
export function decideJoin(summaries: readonly Summary[]): JoinOutcome {
  const [first] = summaries;
  if (!first) throw new RangeError("decideJoin needs at least one summary");
  const leader = summaries.reduce((best, next) => (compareLeader(next, best) < 0 ? next : best), first);
  const winner = summaries.reduce((best, next) => (compareWinner(next, best) < 0 ? next : best), first);
  // Both must say it: one that came along without having received the state yet names only itself.
  const mutual = summaries.filter(
    ({ node, companions }) => winner.companions.includes(node) && companions.includes(winner.node),
  );
  const holders = new Set([winner.node, ...mutual.map(({ node }) => node)]);
  return { leader: leader.node, winner: winner.node, holders };
}

function compareLeader(a: Summary, b: Summary): number {
  return compareFeatureSets(a.featureSet, b.featureSet) || comparePoints(a.since, b.since) || a.node - b.node;
}

function compareWinner(a: Summary, b: Summary): number {
  const [aAdmin, aEpoch, aUpdates] = a.version;
  const [bAdmin, bEpoch, bUpdates] = b.version;
  return (
    compareEpochs(claimOf(b), claimOf(a)) ||
    bAdmin - aAdmin ||
    bEpoch - aEpoch ||
    Number(b.live) - Number(a.live) ||
    bUpdates - aUpdates ||
    comparePoints(a.since, b.since) ||
    a.node - b.node
  );
}

/** What has been built on an older copy is not newer than what another node may have kept. */
export const claimOf = ({ version, fallback }: Summary): CibVersion =>
  fallback && compareEpochs(fallback, version) < 0 ? fallback : version;

export const compareEpochs = (a: CibVersion, b: CibVersion) => a[0] - b[0] || a[1] - b[1];

/** Compares dotted numbers; a missing part is 0. */
export function compareFeatureSets(a: string, b: string): number {
  const left = a.split(".").map(Number);
  const right = b.split(".").map(Number);
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function comparePoints(a: OrderPoint, b: OrderPoint): number {
  return a[0] - b[0] || a[1] - b[1];
}
