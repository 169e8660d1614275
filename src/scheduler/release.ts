/**
 * Rules that Pacemaker 2.1 (seen with 2.1.5) and 3.0 apply differently. This scheduler decides as 3.0; with the
 * older rules it can be compared with installations that still run 2.1, and tell what a change of release moves.
 */
export interface ReleaseRules {
  /**
   * An active instance whose clone prefers another node leaves a place there to whoever comes, and stays where it
   * is if that is enough for the clone. In 2.1 it goes there itself and another one takes its place.
   */
  readonly instancesReservePlaces: boolean;
  /**
   * An instance of a cloned group that would go to another node than the one that it is on is taken back from there
   * when it is to be looked at again. Until 2.1.7 (pull request 3143) its members remain there, and nobody counts them.
   */
  readonly groupsAreTakenBack: boolean;
  /**
   * That an instance (or a member of it) finds no place when it is tried whether it can stay does not mean yet that it
   * stops. In 2.1 it does.
   */
  readonly triesAreTentative: boolean;
  /**
   * An instance on a node with a score below 0 may stay when its colocations make good for that. In 2.1 it is refused
   * before they count, and one that is placed later may take that very node: the two change places for ever. No
   * recorded decision of 3.0 shows what it does.
   */
  readonly colocationsCountForStaying: boolean;
  /**
   * The colocations of its clone count once for an instance, however often it is looked at. In 2.1 once for each time
   * that a place has been looked for.
   */
  readonly triesLeaveNothing: boolean;
  /**
   * All colocations of a clone count for its instances. In 2.1 only those that have influence, and when
   * there are instances for all nodes only negative ones and, where the clone is the dependent, mandatory ones.
   */
  readonly allColocationsForInstances: boolean;
  /**
   * What is in a group or clone takes over its colocations in their order. In 2.1 equally important ones are turned
   * around at each level.
   */
  readonly colocationsKeepOrder: boolean;
  /**
   * A resource avoids the only node that one colocated apart from it may use. In 2.1 what the other resource does
   * not like is never a reason to go there.
   */
  readonly avoidsOnlyNode: boolean;
  /**
   * Mandatory colocations, as dependent and as primary, are applied before all optional ones. In 2.1 those as
   * dependent are applied before those as primary.
   */
  readonly mandatoryColocationsFirst: boolean;
  /**
   * A negative colocation of a role is applied to resources in that role. In 2.1 it is applied to those that are in
   * any other.
   */
  readonly negativeColocationsByRole: boolean;
  /**
   * A mandatory colocation with a clone or bundle, or with a role of it, matches nodes by its node attribute, like any
   * other. In 2.1 it takes the very nodes of the instances.
   */
  readonly clonesMatchByAttribute: boolean;
  /** A member of a group that comes before others that run already starts after they have stopped: since 2.1.6. */
  readonly laterMembersStopFirst: boolean;
  /**
   * While an instance cannot be probed, instances of its clone that are not active do not start, and the others go
   * on. Until 2.1.6 (pull request 2971) none of the clone starts then unless what is probed is active somewhere.
   */
  readonly probesHoldInactive: boolean;
  /**
   * What a chain of colocations adds to a node is scaled by the scores of all its links. In 2.1 only the last link
   * counts, with the sign of them all (until 2.1.6, pull request 3070).
   */
  readonly chainsFade: boolean;
  /**
   * The colocations of a group are its own all the time, and the explicit ones of its members count for it. In 2.1
   * it hands them over to its first and last member when its assignment begins, so that nothing is blocked any more
   * because the group cannot start, and what is with its last member counts once more for the whole (until 2.1.6 and
   * 2.1.7, pull requests 3054 and 3141).
   */
  readonly groupsKeepColocations: boolean;
  /**
   * A clone that may have more than one instance on a node is globally unique unless it says otherwise. In 2.1 it is
   * anonymous, so that the number is ignored ("Pacemaker 3.0 Behavioral Changes").
   */
  readonly nodeMaxMakesUnique: boolean;
  /**
   * A failure that has expired says nothing about the role of a resource, and does not block it. Until 2.1.6 (pull
   * request 3037, the suite's expired-stop-1) what its exit code tells counts all the same.
   */
  readonly expiredFailuresTellNothing: boolean;
  /**
   * A node's state says since when it has been a member and its controller there (`in_ccm`, `crmd`). Until 2.1.7, which
   * brought `node-pending-timeout`, it says only whether: a time is no yes.
   */
  readonly membershipHasTimes: boolean;
  /** A wish that a node be fenced (attribute `terminate`) is looked at before its state; in 2.1.5 what is wrong with that comes first. */
  readonly terminationFirst: boolean;
  /**
   * What a member of a group other than the first is colocated with counts the locations of the group, too (the suite's
   * banned-group-inner-constraints). 2.1.5 knows them of the first member only.
   */
  readonly membersHaveGroupsLocations: boolean;
  /** What a node can bear may also be told by transient attributes, as `attrd_updater --utilization` sets them. 2.1.5 knows none. */
  readonly transientCapacity: boolean;
  /** A node's state need not have the node's name, the id will do. 2.1.5 ignores one without a name. */
  readonly statesNeedNoName: boolean;
  /**
   * Colocations of a bundle count for the roles of what is inside: a container has the role of its service, and what is
   * colocated with the bundle has a say in which instance is promoted. Until 2.1.7 they do not (tests of pull request
   * 3136, with the decisions of that time: "only bundle-promoted-colocation-1 is correct").
   */
  readonly bundlesColocateByRole: boolean;
  /**
   * Attributes that a guest takes from its host are those of the host that its container has got. In 2.1 they are
   * those of the host that it runs on, even when the instances on it have got their places already.
   */
  readonly hostAsAssigned: boolean;
  /**
   * What the digest without private parameters is taken of follows from the feature set that wrote it: since 3.16.0
   * time-outs and what the fencer takes for itself are in it. 2.1.5 never expects them there.
   */
  readonly secureDigestsByFeatureSet: boolean;
  /**
   * A location rule adds its score to the nodes that it matches (Pacemaker Explained, "Rules"), whatever their state.
   * In 2.1.5 one whose conditions are alternatives (`boolean-op="or"`) bans those of them that are down or leaving.
   */
  readonly alternativesAddScores: boolean;
  /**
   * An optional colocation of the promoted role counts once for the promotion, where the other resource has its
   * place. In 2.1 the scores that the other resource still has for the nodes are added as well.
   */
  readonly promotionCountsOnce: boolean;
  /**
   * Instances without a place are the last to be promoted, and so to be asked by what is colocated with the clone. In
   * 2.1 they come before those that nobody wants promoted.
   */
  readonly unplacedComeLast: boolean;
  /**
   * That something cannot migrate is no reason where there is one already (the suite's
   * 9-am-then-bm-b-migrating-a-stopping). In 2.1.5 it takes the place of every other.
   */
  readonly firstReasonsStand: boolean;
  /**
   * A bundle that is interleaved with another waits for what is inside the other's container, and what is inside has its
   * roles after what is inside the other (the suite's bundle-interleave-start). 2.1.5 knows the containers
   * only: it starts after them, and misses the promotions.
   */
  readonly bundlesWaitForInside: boolean;
  /**
   * A remote node that was fenced and has not been connected since is not fenced again because its connection cannot be
   * started: nothing runs there, and it may only be slow to boot. 2.1 fences it again unless it has a reconnect
   * interval; no recorded decision of 3.0 shows what it does.
   */
  readonly fencedRemotesMayBeSlow: boolean;
}

/** The rules of each release whose rules are known. */
export const rulesOf: Readonly<Record<"2.1" | "3.0", ReleaseRules>> = {
  "3.0": {
    instancesReservePlaces: true,
    groupsAreTakenBack: true,
    triesAreTentative: true,
    colocationsCountForStaying: true,
    triesLeaveNothing: true,
    allColocationsForInstances: true,
    colocationsKeepOrder: true,
    avoidsOnlyNode: true,
    mandatoryColocationsFirst: true,
    negativeColocationsByRole: true,
    clonesMatchByAttribute: true,
    laterMembersStopFirst: true,
    probesHoldInactive: true,
    chainsFade: true,
    groupsKeepColocations: true,
    nodeMaxMakesUnique: true,
    expiredFailuresTellNothing: true,
    membershipHasTimes: true,
    terminationFirst: true,
    membersHaveGroupsLocations: true,
    transientCapacity: true,
    statesNeedNoName: true,
    bundlesColocateByRole: true,
    hostAsAssigned: true,
    secureDigestsByFeatureSet: true,
    alternativesAddScores: true,
    promotionCountsOnce: true,
    unplacedComeLast: true,
    firstReasonsStand: true,
    bundlesWaitForInside: true,
    fencedRemotesMayBeSlow: true,
  },
  "2.1": {
    instancesReservePlaces: false,
    groupsAreTakenBack: false,
    triesAreTentative: false,
    colocationsCountForStaying: false,
    triesLeaveNothing: false,
    allColocationsForInstances: false,
    colocationsKeepOrder: false,
    avoidsOnlyNode: false,
    mandatoryColocationsFirst: false,
    negativeColocationsByRole: false,
    clonesMatchByAttribute: false,
    laterMembersStopFirst: false,
    probesHoldInactive: false,
    chainsFade: false,
    groupsKeepColocations: false,
    nodeMaxMakesUnique: false,
    expiredFailuresTellNothing: false,
    membershipHasTimes: false,
    terminationFirst: false,
    membersHaveGroupsLocations: false,
    transientCapacity: false,
    statesNeedNoName: false,
    bundlesColocateByRole: false,
    hostAsAssigned: false,
    secureDigestsByFeatureSet: false,
    alternativesAddScores: false,
    promotionCountsOnce: false,
    unplacedComeLast: false,
    firstReasonsStand: false,
    bundlesWaitForInside: false,
    fencedRemotesMayBeSlow: false,
  },
};
