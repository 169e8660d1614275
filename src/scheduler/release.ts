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
   * All colocations of a clone count for its instances. In 2.1, when there are instances for all nodes, only
   * negative ones and, of those in which the clone is the dependent, mandatory ones.
   */
  readonly allColocationsForInstances: boolean;
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
}

/** The rules of each release whose rules are known. */
export const rulesOf: Readonly<Record<"2.1" | "3.0", ReleaseRules>> = {
  "3.0": {
    instancesReservePlaces: true,
    allColocationsForInstances: true,
    avoidsOnlyNode: true,
    mandatoryColocationsFirst: true,
  },
  "2.1": {
    instancesReservePlaces: false,
    allColocationsForInstances: false,
    avoidsOnlyNode: false,
    mandatoryColocationsFirst: false,
  },
};
