import type { Action, Cluster, Colocation, Location, Node, NodeScore, Resource, Variant } from "./model.ts";

export type Places = Map<Node, NodeScore>;

/** How the preferences of colocated resources are merged. */
export interface MergeOptions {
  /** Follow colocations in which the source is the dependent, rather than those where it is the primary. */
  readonly thisWith?: boolean;
  /** Negative results do not count against a node. */
  readonly nonNegative?: boolean;
  /** Undo everything when no node would be left. */
  readonly active?: boolean;
}

/** How a variant finds its place. */
export interface AssignmentMethods {
  /**
   * Chooses nodes. `prefer` is taken when it is as good as the best. `stopIfFail`: when there is no place the
   * resource is to be stopped (else the caller tries again). Returns the place, for what has a single one.
   */
  assign(cluster: Cluster, rsc: Resource, prefer: Node | undefined, stopIfFail: boolean): Node | undefined;
  /** Applies a colocation to the dependent; `forDependent` says on whose behalf it was called. */
  applyColocation(
    cluster: Cluster,
    dependent: Resource,
    primary: Resource,
    colocation: Colocation,
    forDependent: boolean,
  ): void;
  /** Adds the colocations of which `original` must take notice as dependent. */
  thisWithColocations(rsc: Resource, original: Resource, list: Colocation[]): void;
  /** Adds the colocations of which `original` must take notice as primary. */
  withThisColocations(rsc: Resource, original: Resource, list: Colocation[]): void;
  /** Merges the preferences of `source` (and of what is colocated with it) into `places`. */
  addColocatedScores(
    cluster: Cluster,
    source: Resource,
    target: Resource | undefined,
    places: Places | undefined,
    colocation: Colocation | undefined,
    factor: number,
    options: MergeOptions,
  ): Places | undefined;
  applyLocation(cluster: Cluster, rsc: Resource, location: Location): void;
  /** All resources inside that utilization has to count, added up. */
  addUtilization(rsc: Resource, original: Resource, all: readonly Resource[], sum: Map<string, number>): void;
}

/** What a variant does to reach the place that was chosen. */
export interface ActionMethods {
  /** Makes the actions that the chosen places ask for. */
  createActions(cluster: Cluster, rsc: Resource): void;
  /** Makes a probe on a node if one is needed. Returns whether it did. */
  createProbe(cluster: Cluster, rsc: Resource, node: Node): boolean;
  /** Orderings and colocations that belong to the variant itself. */
  internalConstraints(cluster: Cluster, rsc: Resource): void;
  /** Flags of an action of it, on a node if given (then those of the instance there). */
  actionFlags(cluster: Cluster, action: Action, node: Node | undefined): number;
  /** Applies an ordering of the two. Returns what changed, as a mask of `Changed`. */
  updateOrdered(
    cluster: Cluster,
    first: Action,
    then: Action,
    node: Node | undefined,
    flags: number,
    filter: number,
    kind: number,
  ): number;
  /** Puts its actions' options into the graph (instance and container meta attributes). */
  addGraphMeta(cluster: Cluster, rsc: Resource, meta: Map<string, string>): void;
}

/** What every variant of resource can do. */
export type Methods = AssignmentMethods & ActionMethods;

/** What an ordering changed. */
export const Changed = { None: 0, First: 1, Then: 2 } as const;

const assignments = new Map<Variant, AssignmentMethods>();
const actions = new Map<Variant, ActionMethods>();
const both = new Map<Variant, Methods>();

/** Tells how a variant is assigned; done once when the room is loaded. */
export function registerAssignment(variant: Variant, methods: AssignmentMethods): void {
  assignments.set(variant, methods);
  both.delete(variant);
}

/** Tells how a variant acts; done once when the room is loaded. */
export function registerActions(variant: Variant, methods: ActionMethods): void {
  actions.set(variant, methods);
  both.delete(variant);
}

/** How a resource is assigned. */
export function assignmentOf(rsc: Resource): AssignmentMethods {
  const found = assignments.get(rsc.variant);
  if (!found) throw new Error(`no assignment for ${rsc.variant}`);
  return found;
}

/** How a resource acts. */
export function actionsOf(rsc: Resource): ActionMethods {
  const found = actions.get(rsc.variant);
  if (!found) throw new Error(`no actions for ${rsc.variant}`);
  return found;
}

/** All behaviour of a resource. */
export function methodsOf(rsc: Resource): Methods {
  let found = both.get(rsc.variant);
  if (!found) {
    found = { ...assignmentOf(rsc), ...actionsOf(rsc) };
    both.set(rsc.variant, found);
  }
  return found;
}
