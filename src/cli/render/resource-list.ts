import {
  type BundleReplica,
  type Cluster,
  compareNames,
  type Node,
  parseRole,
  type Resource,
  Role,
  roleName,
} from "../../scheduler/index.ts";
import {
  activeNodes,
  anyWithin,
  currentNode,
  displayedRole,
  displayedState,
  failedProbe,
  highestRole,
  innerTargetRole,
  isActive,
  isDisabled,
  pendingMonitor,
  printableId,
  replicaParts,
  soleNode,
  sortedNames,
  sortedResources,
  targetRole,
} from "./cluster-view.ts";
import { exitText } from "./exit-texts.ts";
import { line, type Outline } from "./outline.ts";
import {
  everything,
  isElsewhere,
  runsOnSelected,
  type Selection,
  selects,
  selectsInstance,
  selectsName,
  selectsNode,
} from "./selection.ts";

/** Which resources to show and how much of each. */
export interface ResourceListOptions {
  /** Stopped ones too. */
  readonly inactive?: boolean;
  /** Operations under way instead of the role that they leave. */
  readonly pending?: boolean;
  /** Every instance of a clone on its own line. */
  readonly cloneDetail?: boolean;
  /** Parts of bundles, and connections that a resource implies, on their own lines. */
  readonly implicit?: boolean;
  /** What the configuration says about a resource for people. */
  readonly description?: boolean;
  /** Members of groups counted by agent. */
  readonly brief?: boolean;
  /** Without the node, where it is a heading already. */
  readonly withoutNode?: boolean;
  /** Only these. */
  readonly selection?: Selection;
}

/** The connection that a resource's `remote-node` implies: displays show the guest node instead. */
export const isImplied = (rsc: Resource): boolean => rsc.meta.get("internal_rsc") === "true";

/** Whether a list has anything of a resource, what is removed from the configuration only while it runs. */
export function isListed(rsc: Resource, options: ResourceListOptions): boolean {
  if (rsc.removed && !isActive(rsc, true)) return false;
  if (!isActive(rsc, false)) return options.inactive === true;
  return runsOnSelected(options.selection ?? everything, rsc);
}

/** Lines of all resources. */
export const resourceItems = (cluster: Cluster, options: ResourceListOptions = {}): Outline[] =>
  sortedResources(cluster)
    .filter((rsc) => isListed(rsc, options))
    .flatMap((rsc) => resourceOutline(cluster, rsc, options));

/** One resource with what belongs to it; nothing where it is not selected. */
export function resourceOutline(
  cluster: Cluster,
  rsc: Resource,
  options: ResourceListOptions = {},
): Outline[] {
  if (!selects(options.selection ?? everything, rsc, true)) return [];
  if (rsc.bundle) return bundleOutline(cluster, rsc, options);
  if (rsc.isClone) return cloneOutline(cluster, rsc, options);
  if (rsc.isGroup) return groupOutline(cluster, rsc, options);
  if (isImplied(rsc) && !options.implicit) return [];
  return [line(agentLine(cluster, rsc, printableId(rsc), currentNode(rsc) ?? rsc.pendingNode, options))];
}

const bracketed = (words: readonly string[]) => (words.length === 0 ? "" : ` (${words.join(", ")})`);

/** What the configuration says for people. */
export const descriptionOf = (rsc: Resource, options: ResourceListOptions): string | undefined =>
  options.description || options.withoutNode ? rsc.xml.attributes.get("description") : undefined;

const describedTail = (rsc: Resource, options: ResourceListOptions): string => {
  const text = descriptionOf(rsc, options);
  return text === undefined ? "" : ` (${text})`;
};

/** "maintenance" covers "unmanaged", which it implies. */
function managementWords(rsc: Resource): string[] {
  if (rsc.maintenance) return ["maintenance"];
  return rsc.managed ? [] : ["unmanaged"];
}

/**
 * The members of a group that are shown: one that is named is shown whatever it does, one that comes with its group
 * only when it is active or inactive ones are wanted.
 */
export function shownMembers(group: Resource, options: ResourceListOptions): Resource[] {
  const selection = options.selection ?? everything;
  const whole = selectsInstance(selection, group);
  return group.children.filter((member) => {
    const named = selects(selection, member, false);
    if (named && selection.resources !== undefined) return true;
    return (named || whole) && (options.inactive === true || isActive(member, false));
  });
}

function groupOutline(cluster: Cluster, group: Resource, options: ResourceListOptions): Outline[] {
  const children = options.brief
    ? briefLines(ownPrimitives(group.children, options), { ...options, inactive: true })
    : shownMembers(group, options).flatMap((member) => resourceOutline(cluster, member, options));
  const present = options.brief
    ? ownPrimitives(group.children, options).length > 0
    : shownMembers(group, options).length > 0;
  return present ? [{ text: groupTitle(group, options), children }] : [];
}

function groupTitle(group: Resource, options: ResourceListOptions): string {
  const partly = !isActive(group, true) && isActive(group, false);
  const idle =
    partly && !options.inactive ? group.children.filter((child) => !isActive(child, true)).length : 0;
  const words = [
    ...(idle > 0 ? [`${idle} member${idle > 1 ? "s" : ""} inactive`] : []),
    ...(isDisabled(group) ? ["disabled"] : []),
    ...managementWords(group),
  ];
  return `Resource Group: ${group.id}${bracketed(words)}${describedTail(group, options)}:`;
}

/** Those of a list that are selected themselves or with what they are directly in. */
export const ownPrimitives = (
  resources: readonly Resource[],
  { selection = everything }: ResourceListOptions,
) =>
  resources.filter(
    (rsc) => selectsName(selection, rsc) || (rsc.parent !== undefined && selectsName(selection, rsc.parent)),
  );

/** Primitives counted by agent and node. */
export function briefLines(resources: readonly Resource[], options: ResourceListOptions): Outline[] {
  const primitives = resources.filter((rsc) => rsc.isPrimitive);
  const byAgent = [...Map.groupBy(primitives, (rsc) => agentText(rsc))].sort(([a], [b]) => (a < b ? -1 : 1));
  return byAgent.flatMap(([agent, all]) => {
    const total = options.inactive ? `/${all.length}` : "";
    const places = all.flatMap((rsc) =>
      rsc.runningOn
        .filter(({ unclean, online }) => unclean || online || !rsc.managed)
        .map(({ name }) => name),
    );
    if (places.length === 0) return options.inactive ? [line(`0${total}\t(${agent}):\tActive`)] : [];
    return [...Map.groupBy(places, (name) => name)]
      .sort(([a], [b]) => compareNames(a, b))
      .map(([name, here]) =>
        line(`${here.length}${total}\t(${agent}):\tActive ${options.withoutNode ? "" : name}`),
      );
  });
}

/** Agent of a resource as displays write it: `ocf:heartbeat:IPaddr2`, `stonith:fence_ipmilan`. */
export function agentText(rsc: Resource, separator = ":"): string {
  const provider = rsc.provider === undefined ? "" : `${separator}${rsc.provider}`;
  return `${rsc.class}${provider}:${rsc.type}`;
}

/** A line `NAME<TAB>(AGENT):<TAB> STATE NODE (FLAGS)`. */
export function agentLine(
  cluster: Cluster,
  rsc: Resource,
  name: string,
  node: Node | undefined,
  options: ResourceListOptions,
): string {
  const several = rsc.runningOn.length > 1;
  const place = options.withoutNode || several ? undefined : (node ?? rsc.lockNode);
  const words = [stateWords(rsc, options), ...(place ? [place.name] : [])];
  const probe = displayedRole(rsc) === Role.Stopped ? failedProbe(cluster, rsc, place?.name) : undefined;
  const cause = probe ? ` (${exitText(Number(probe.attributes.get("rc-code")))}) ` : "";
  const flags = bracketed(stateFlags(rsc, place, options));
  const described = describedTail(rsc, several ? { ...options, description: true } : options);
  const nodes = several && !options.withoutNode ? ` [ ${rsc.runningOn.map((on) => on.name).join(" ")} ]` : "";
  return `${name}\t(${agentText(rsc)}):\t ${words.join(" ")}${cause}${flags}${described}${nodes}`;
}

function stateWords(rsc: Resource, options: ResourceListOptions): string {
  const role = displayedRole(rsc);
  const removed = rsc.removed ? "ORPHANED " : "";
  if (!rsc.failed) return removed + displayedState(rsc, options.pending === true);
  return `${removed}FAILED${role > Role.Unpromoted ? ` ${roleName(role)}` : ""}`;
}

/** Remarks behind the state, in their fixed order. */
export function stateFlags(rsc: Resource, node: Node | undefined, options: ResourceListOptions): string[] {
  const monitoring = options.pending ? pendingMonitor(rsc) : undefined;
  const flags: string[] = [];
  if (node && !node.online && node.unclean) flags.push("UNCLEAN");
  if (node && node === rsc.lockNode) flags.push("LOCKED");
  if (monitoring !== undefined) flags.push(monitoring);
  const target = targetRole(rsc);
  if (isDisabled(rsc)) flags.push(parseRole(target) === Role.Stopped ? "disabled" : `target-role:${target}`);
  if (rsc.blocked) flags.push("blocked");
  else flags.push(...managementWords(rsc));
  if (rsc.failureIgnored) flags.push("failure ignored");
  return flags;
}

/** Instances of a clone sorted by how they are shown. */
export interface CloneView {
  readonly single: Resource[];
  readonly promoted: Node[];
  readonly started: Node[];
  readonly stopped: Resource[];
}

function cloneOutline(cluster: Cluster, clone: Resource, options: ResourceListOptions): Outline[] {
  const view = cloneView(clone, options);
  // What an instance that is shown has in it is shown as a whole.
  const { nodes } = options.selection ?? everything;
  const whole = { ...options, selection: nodes ? { nodes } : {} };
  const children = view.single.flatMap((instance) => resourceOutline(cluster, instance, whole));
  const titled = view.single.length > 0;
  const text = cloneTitle(clone, options);
  if (options.cloneDetail) return titled ? [{ text, children }] : [];
  const list = (title: string, places: readonly Node[]) => {
    const shown = shownPlaces(places, options);
    if (shown.length > 0) children.push(line(`${title}: [ ${sortedNames(shown).join(" ")} ]`));
  };
  list("Promoted", view.promoted);
  list(startedTitle(clone), view.started);
  const active = shownPlaces([...view.promoted, ...view.started], options).length;
  if (options.inactive) children.push(...stoppedLines(cluster, clone, view, options));
  // A clone without any instance, perhaps because there are no nodes yet, is still there.
  const bare = options.inactive === true && active === 0;
  return titled || children.length > 0 || bare ? [{ text, children }] : [];
}

const shownPlaces = (places: readonly Node[], { selection = everything }: ResourceListOptions): Node[] =>
  places.filter(({ name }) => selectsNode(selection, name));

/** The instances that are shown at all. */
export function shownInstances(clone: Resource, { selection = everything }: ResourceListOptions): Resource[] {
  const whole = selectsInstance(selection, clone);
  return clone.children.filter(
    (instance) => !isElsewhere(selection, instance) && selects(selection, instance, whole),
  );
}

/** Sorts the instances of a clone by how they are shown. */
export function cloneView(clone: Resource, options: ResourceListOptions): CloneView {
  const view: CloneView = { single: [], promoted: [], started: [], stopped: [] };
  for (const instance of shownInstances(clone, options)) sortInstance(clone, instance, view, options);
  return view;
}

function cloneTitle(clone: Resource, options: ResourceListOptions): string {
  const words = [
    ...(clone.promotable ? ["promotable"] : []),
    ...(clone.unique ? ["unique"] : []),
    ...(isDisabled(clone) ? ["disabled"] : []),
    ...managementWords(clone),
  ];
  const inner = clone.clone?.childXml.attributes.get("id") ?? "";
  return `Clone Set: ${clone.id} [${inner}]${bracketed(words)}${describedTail(clone, options)}:`;
}

function startedTitle(clone: Resource): string {
  if (!clone.promotable) return "Started";
  return parseRole(targetRole(clone)) === Role.Unpromoted ? "Unpromoted (target-role)" : "Unpromoted";
}

/** An instance gets a line of its own when a list of nodes would hide what is remarkable about it. */
function sortInstance(
  clone: Resource,
  instance: Resource,
  view: CloneView,
  options: ResourceListOptions,
): void {
  const active = isActive(instance, false);
  if (options.cloneDetail) {
    view.single.push(instance);
    return;
  }
  if (clone.unique) {
    if (active || !clone.removed) view.single.push(instance);
    return;
  }
  const pending = options.pending && instance.pendingTask !== undefined && instance.pendingTask !== "probe";
  if (pending) view.single.push(instance);
  else if (!active) {
    if (!instance.removed) view.stopped.push(instance);
  } else if (isRemarkableInstance(instance)) view.single.push(instance);
  else {
    const node = soleNode(instance);
    if (!node || (!node.online && node.unclean)) view.single.push(instance);
    else if (highestRole(instance) > Role.Unpromoted) view.promoted.push(node);
    else view.started.push(node);
  }
}

const isRemarkableInstance = (instance: Resource): boolean =>
  anyWithin(instance, ({ removed, removedInstance }) => removed || removedInstance) ||
  anyWithin(instance, ({ failed }) => failed) ||
  anyWithin(instance, ({ managed }) => !managed) ||
  !isActive(instance, true);

/** Nodes of an anonymous clone without an active instance, by the reason. */
export function stoppedLines(
  cluster: Cluster,
  clone: Resource,
  view: CloneView,
  options: ResourceListOptions,
): Outline[] {
  const active = shownPlaces([...view.promoted, ...view.started], options).length;
  const lists = new Map<string, string[]>();
  const add = (state: string, name: string) => lists.set(state, [...(lists.get(state) ?? []), name]);
  if (!clone.unique && (clone.clone?.cloneMax ?? 0) > active) {
    const candidates = clone.allowed.size > 0 ? [...clone.allowed.keys()] : [...clone.knownOn];
    const on = new Set(activeNodes(clone));
    const idle = shownPlaces(candidates, options).filter((node) => !on.has(node));
    for (const name of sortedNames(idle)) add(stoppedState(cluster, clone, name), name);
  } else {
    for (const { id } of view.stopped) add("Stopped", id);
  }
  const states = [...lists.keys()].sort();
  return states.map((state) => line(`${state}: [ ${lists.get(state)?.join(" ")} ]`));
}

function stoppedState(cluster: Cluster, clone: Resource, node: string): string {
  const probe = failedProbe(cluster, clone, node);
  if (probe) return `Stopped (${exitText(Number(probe.attributes.get("rc-code")))})`;
  return parseRole(innerTargetRole(clone)) === Role.Stopped ? "Stopped (disabled)" : "Stopped";
}

/** A replica of a bundle that is shown, and the parts of it that are. */
export interface ShownReplica {
  readonly replica: BundleReplica;
  readonly parts: readonly Resource[];
}

/** The replicas of a bundle that are shown, each with the parts that are selected. */
export function shownReplicas(
  bundle: Resource,
  { selection = everything }: ResourceListOptions,
): ShownReplica[] {
  const whole = selectsBundle(selection, bundle);
  return (bundle.bundle?.replicas ?? [])
    .filter(({ container }) => !isElsewhere(selection, container))
    .map((replica) => ({
      replica,
      parts: replicaParts(replica).filter((part) => selects(selection, part, whole)),
    }))
    .filter(({ parts }) => whole || parts.length > 0);
}

const selectsBundle = ({ resources }: Selection, { id }: Resource): boolean =>
  resources === undefined || resources.has(id);

function bundleOutline(cluster: Cluster, bundle: Resource, options: ResourceListOptions): Outline[] {
  const several = (bundle.bundle?.replicas.length ?? 0) > 1;
  const detailed = options.implicit === true || !selectsBundle(options.selection ?? everything, bundle);
  const shown = shownReplicas(bundle, options);
  const children = shown.flatMap(({ replica, parts }) => {
    if (!detailed) return [replicaLine(cluster, replica, options)].flat();
    const lines = parts.flatMap((part) => resourceOutline(cluster, part, { ...options, implicit: true }));
    return [{ text: several ? `Replica[${replica.offset}]` : "", children: lines }];
  });
  return shown.length === 0 ? [] : [{ text: bundleTitle(bundle, options), children }];
}

function bundleTitle(bundle: Resource, options: ResourceListOptions): string {
  const { image = "", replicas = [] } = bundle.bundle ?? {};
  const several = replicas.length > 1 ? " set" : "";
  const unique = bundle.unique ? " (unique)" : "";
  const management = managementWords(bundle).map((word) => ` (${word})`);
  return `Container bundle${several}: ${bundle.id} [${image}]${unique}${describedTail(bundle, options)}${management.join("")}:`;
}

function replicaLine(cluster: Cluster, replica: BundleReplica, options: ResourceListOptions): Outline[] {
  const { remote, container, child, ipAddress } = replica;
  const name = printableId(remote ?? container);
  const address = ipAddress === undefined ? "" : ` (${ipAddress})`;
  const shown = child ?? container;
  if (isImplied(shown) && !options.implicit) return [];
  return [line(agentLine(cluster, shown, `${name}${address}`, currentNode(container), options))];
}
