import { type Cluster, type Node, parseRole, type Resource, Role } from "../../scheduler/index.ts";
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
  soleNode,
  sortedNames,
  sortedResources,
  targetRole,
} from "./cluster-view.ts";
import { exitText } from "./exit-texts.ts";
import { line, type Outline } from "./outline.ts";

/** Which resources to show and how much of each. */
export interface ResourceListOptions {
  /** Stopped ones too. */
  readonly inactive?: boolean;
  /** Operations under way instead of the role that they leave. */
  readonly pending?: boolean;
  /** Every instance of a clone on its own line. */
  readonly cloneDetail?: boolean;
  /** Parts of bundles on their own lines. */
  readonly implicit?: boolean;
  /** Only what is on these nodes. */
  readonly nodes?: ReadonlySet<string>;
  /** Only these (ids, with what is in them). */
  readonly resources?: ReadonlySet<string>;
  /** Without the node, where it is a heading already. */
  readonly withoutNode?: boolean;
}

/** The connection that a resource's `remote-node` implies: displays show the guest node instead. */
export const isImplied = (rsc: Resource): boolean => rsc.meta.get("internal_rsc") === "true";

/** Lines of all resources, or the remark that there are none. */
export function resourceItems(cluster: Cluster, options: ResourceListOptions = {}): Outline[] {
  return sortedResources(cluster)
    .filter((rsc) => !rsc.removed || isActive(rsc, true))
    .filter((rsc) => options.implicit || !isImplied(rsc))
    .filter((rsc) => options.inactive || isActive(rsc, false))
    .filter((rsc) => passesFilter(rsc, options))
    .flatMap((rsc) => resourceOutline(cluster, rsc, options));
}

/** Whether a filter by nodes or resources lets it, or something in it, through. */
export function passesFilter(rsc: Resource, options: ResourceListOptions): boolean {
  const { nodes, resources } = options;
  if (resources) {
    const parts = rsc.bundle ? [rsc] : [rsc, ...rsc.children];
    const named = anyWithin(rsc, (part) => resources.has(part.id) || resources.has(printableId(part)));
    const inside = rsc.bundle?.replicas.some(({ child, container, ip, remote }) =>
      [child, container, ip, remote].some((part) => part && resources.has(printableId(part))),
    );
    if (!named && !inside && !parts.some(({ configId }) => resources.has(configId))) return false;
  }
  if (!nodes) return true;
  const active = rsc.bundle
    ? rsc.bundle.replicas.flatMap(({ container }) => container.runningOn)
    : activeNodes(rsc);
  return active.length === 0 ? options.inactive === true : active.some(({ name }) => nodes.has(name));
}

/** One resource with what belongs to it. */
export function resourceOutline(cluster: Cluster, rsc: Resource, options: ResourceListOptions): Outline[] {
  if (rsc.bundle) return [bundleOutline(cluster, rsc, options)];
  if (rsc.isClone) return [cloneOutline(cluster, rsc, options)];
  if (rsc.isGroup) return [groupOutline(cluster, rsc, options)];
  return [line(agentLine(cluster, rsc, printableId(rsc), currentNode(rsc), options))];
}

const bracketed = (words: readonly string[]) => (words.length === 0 ? "" : ` (${words.join(", ")})`);

/** "maintenance" covers "unmanaged", which it implies. */
function managementWords(rsc: Resource): string[] {
  if (rsc.maintenance) return ["maintenance"];
  return rsc.managed ? [] : ["unmanaged"];
}

function groupOutline(cluster: Cluster, group: Resource, options: ResourceListOptions): Outline {
  const hidden = options.inactive ? 0 : group.children.filter((child) => !isActive(child, false)).length;
  const words = [
    ...(hidden > 0 ? [`${hidden} member${hidden > 1 ? "s" : ""} inactive`] : []),
    ...(isDisabled(group) ? ["disabled"] : []),
    ...managementWords(group),
  ];
  const shown = group.children.filter((child) => options.inactive || isActive(child, false));
  return {
    text: `Resource Group: ${group.id}${bracketed(words)}:`,
    children: shown.flatMap((child) => resourceOutline(cluster, child, options)),
  };
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
  const cause = probe ? ` (${exitText(Number(probe.attributes.get("rc-code")))})` : "";
  const nodes = several && !options.withoutNode ? ` [ ${rsc.runningOn.map((on) => on.name).join(" ")} ]` : "";
  const flags = bracketed(stateFlags(rsc, place, options));
  return `${name}\t(${agentText(rsc)}):\t ${words.join(" ")}${cause}${flags}${nodes}`;
}

function stateWords(rsc: Resource, options: ResourceListOptions): string {
  const role = displayedRole(rsc);
  const removed = rsc.removed ? "ORPHANED " : "";
  if (!rsc.failed) return removed + displayedState(rsc, options.pending === true);
  return `${removed}FAILED${role > Role.Unpromoted ? " Promoted" : ""}`;
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

function cloneOutline(cluster: Cluster, clone: Resource, options: ResourceListOptions): Outline {
  const view = cloneView(clone, options);
  const children = view.single.flatMap((instance) => resourceOutline(cluster, instance, options));
  if (options.cloneDetail) return { text: cloneTitle(clone), children };
  const names = (nodes: readonly Node[]) =>
    sortedNames(nodes.filter(({ name }) => !options.nodes || options.nodes.has(name))).join(" ");
  const list = (title: string, nodes: readonly Node[]) => {
    const text = names(nodes);
    if (text !== "") children.push(line(`${title}: [ ${text} ]`));
  };
  list("Promoted", view.promoted);
  list(startedTitle(clone), view.started);
  if (options.inactive) children.push(...stoppedLines(cluster, clone, view, options));
  return { text: cloneTitle(clone), children };
}

/** Sorts the instances of a clone by how they are shown. */
export function cloneView(clone: Resource, options: ResourceListOptions): CloneView {
  const view: CloneView = { single: [], promoted: [], started: [], stopped: [] };
  for (const instance of clone.children) sortInstance(clone, instance, view, options);
  return view;
}

function cloneTitle(clone: Resource): string {
  const words = [
    ...(clone.promotable ? ["promotable"] : []),
    ...(clone.unique ? ["unique"] : []),
    ...(isDisabled(clone) ? ["disabled"] : []),
    ...managementWords(clone),
  ];
  const inner = clone.clone?.childXml.attributes.get("id") ?? "";
  return `Clone Set: ${clone.id} [${inner}]${bracketed(words)}:`;
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
  if (options.cloneDetail || (clone.unique && (active || !instance.removed))) {
    view.single.push(instance);
    return;
  }
  if (clone.unique) return;
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
  const active = view.promoted.length + view.started.length;
  const lists = new Map<string, string[]>();
  const add = (state: string, name: string) => lists.set(state, [...(lists.get(state) ?? []), name]);
  if (!clone.unique && (clone.clone?.cloneMax ?? 0) > active) {
    const on = new Set(activeNodes(clone));
    const candidates = clone.allowed.size > 0 ? [...clone.allowed.keys()] : [...clone.knownOn];
    const idle = candidates.filter(
      (node) => !on.has(node) && (!options.nodes || options.nodes.has(node.name)),
    );
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

function bundleOutline(cluster: Cluster, bundle: Resource, options: ResourceListOptions): Outline {
  const settings = bundle.bundle;
  const replicas = settings?.replicas ?? [];
  const words = [...(bundle.unique ? ["unique"] : []), ...managementWords(bundle)];
  const several = replicas.length > 1;
  const title = `Container bundle${several ? " set" : ""}: ${bundle.id} [${settings?.image ?? ""}]`;
  const children = replicas.flatMap((replica) => {
    if (options.implicit) {
      const parts = [replica.ip, replica.child, replica.container, replica.remote].filter(
        (part) => part !== undefined,
      );
      const lines = parts.flatMap((part) => resourceOutline(cluster, part, options));
      return several ? [{ text: `Replica[${replica.offset}]`, children: lines }] : lines;
    }
    const name = printableId(replica.remote ?? replica.container);
    const address = replica.ipAddress === undefined ? "" : ` (${replica.ipAddress})`;
    const shown = replica.child ?? replica.container;
    return [line(agentLine(cluster, shown, `${name}${address}`, currentNode(replica.container), options))];
  });
  return { text: `${title}${words.map((word) => ` (${word})`).join("")}:`, children };
}
