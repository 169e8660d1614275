/** Roles in the order in which a resource passes through them; comparisons use that order. */
export const Role = { Unknown: 0, Stopped: 1, Started: 2, Unpromoted: 3, Promoted: 4 } as const;
export type Role = (typeof Role)[keyof typeof Role];

const roleNames = ["Unknown", "Stopped", "Started", "Unpromoted", "Promoted"] as const;

/** Name of a role as people read it. */
export const roleName = (role: Role): string => roleNames[role];

/** Reads a role name, old (`Master`, `Slave`) or new; `Unknown` when it is none. */
export function parseRole(text: string | undefined): Role {
  switch (text?.toLowerCase()) {
    case "stopped":
      return Role.Stopped;
    case "started":
      return Role.Started;
    case "unpromoted":
    case "slave":
      return Role.Unpromoted;
    case "promoted":
    case "master":
      return Role.Promoted;
    default:
      return Role.Unknown;
  }
}

/** State of an action while the transition is made up. */
export const Flag = {
  /** No agent runs: only a point of synchronisation. */
  Pseudo: 1 << 0,
  /** Nothing forbids that it runs. */
  Runnable: 1 << 1,
  /** Need not run. */
  Optional: 1 << 2,
  /** Shown in the graph although optional. */
  PrintAlways: 1 << 3,
  /** Its parameters have been put together. */
  HaveParameters: 1 << 4,
  /** Part of a live migration of which the rest works. */
  MigrateRunnable: 1 << 5,
  /** Given back as a unit by the executor: the start that a migration implies. */
  Dumped: 1 << 6,
  Processed: 1 << 7,
  Clear: 1 << 8,
  /** Carried out by the coordinator itself. */
  OnCoordinator: 1 << 9,
  /** Runnable when enough of its inputs are. */
  RequiresAny: 1 << 10,
  /** A recurring operation that only has to be scheduled anew. */
  Reschedule: 1 << 11,
  /** Being looked at by the search for circles. */
  Tracking: 1 << 12,
  /** Inputs have been made unique. */
  Deduplicated: 1 << 13,
  DumpedInGraph: 1 << 14,
  /** The stop that ends a migration that went wrong half-way. */
  MigrationAbort: 1 << 15,
  /** The stop of a service on a node that is left out (`stopLeftOut`). */
  Lone: 1 << 16,
} as const;

/** What an ordering of two actions means. Several may hold at once. */
export const Link = {
  None: 0,
  /** `then` waits for `first` when both happen. */
  Ordered: 1 << 0,
  /** Only when `first` cannot be part of a migration. */
  IfFirstUnmigratable: 1 << 1,
  /** `then` required makes `first` required. */
  ThenImpliesFirst: 1 << 2,
  /** `first` required makes `then` required. */
  FirstImpliesThen: 1 << 3,
  /** `then` required makes `first` required when the resource of `then` is promoted. */
  PromotedThenImpliesFirst: 1 << 4,
  /** `first` can migrate only if `then` can run and migrate. */
  UnmigratableThenBlocks: 1 << 5,
  /** `then` cannot run unless `first` can. */
  UnrunnableFirstBlocks: 1 << 6,
  /** `then` stays pseudo only if `first` can run as part of a migration. */
  UnmigratableFirstBlocks: 1 << 7,
  /** `first` required on a node makes instances of `then` on that node required. */
  FirstImpliesSameNodeThen: 1 << 8,
  /** Probe inside a remote node: ignored while the connection is about to stop. */
  NestedRemoteProbe: 1 << 9,
  /** If `first` cannot run, `then` really has to and can be no part of a migration. */
  FirstElseThen: 1 << 10,
  /** Made by the scheduler itself: holds although `first` is inside the guest that `then` is about. */
  GuestAllowed: 1 << 11,
  /** Never at the same time, in either direction. */
  Serialize: 1 << 12,
  /** Only when both are on the same node. */
  IfOnSameNode: 1 << 13,
  /** `first` is shown in the graph when `then` is required. */
  ThenImpliesFirstGraphed: 1 << 14,
  /** `then` is shown in the graph when `first` is required. */
  FirstImpliesThenGraphed: 1 << 15,
  Asymmetric: 1 << 16,
  /** Stops before starts on a node, for utilization: only if both act on that node. */
  IfOnSameNodeOrTarget: 1 << 17,
  /** One runnable `first` of several is enough. */
  MinRunnable: 1 << 18,
  /** Of a colocation: only if the two are needed on the same node. */
  IfRequiredOnSameNode: 1 << 19,
  /** The stop before a start of the same resource: what keeps `then` from running keeps the restart from being one. */
  Restart: 1 << 20,
  /** `then` required makes `first` superfluous (a stop makes a reload so). */
  ThenCancelsFirst: 1 << 21,
} as const;

/** Executor of an action, as the graph's element names tell them apart. */
export type ProbeMode = "always" | "never" | "exclusive";
