import { child, type XmlElement } from "../cib/index.ts";
import type { GraphAction } from "../scheduler/index.ts";
import { type NodeName, nodeName, withoutInstance } from "../terms/index.ts";
import type { Moving } from "./messages.ts";

/** What the order of a transition's actions has to respect so that no resource gets a second owner. */
export interface Ownership {
  /** Nodes that could not tell all that runs there, each with what was being moved away from it. */
  readonly untold: ReadonlyMap<NodeName, readonly Moving[]>;
  /** Whether nothing is known yet of a remote node, and nobody has tried to reach it in vain; a guest may run all the same. */
  readonly unheard: (remote: NodeName) => boolean;
  /** The guest node that runs in a resource. */
  readonly guestIn: (rsc: string) => string | undefined;
  /** Whether all that is known of a resource is that a look has found it active. */
  readonly wasFound: (rsc: string) => boolean;
  /** The outermost resource that a primitive, or an instance of it, belongs to. */
  readonly familyOf: (rsc: string) => string;
}

/** Looks whether something runs that is not known to. */
export const isProbe = ({ kind, task, intervalMs }: GraphAction): boolean =>
  kind === "rsc" && task === "monitor" && intervalMs === 0;

/** Makes a service active, or more active, somewhere. */
export const activates = ({ kind, task }: GraphAction): boolean =>
  kind === "rsc" && ["start", "promote", "migrate_to", "migrate_from"].includes(task);

/** Tells the instances of a clone that one of them is about to be activated. */
const announces = ({ kind, task, params }: GraphAction): boolean =>
  kind === "rsc" &&
  task === "notify" &&
  params.CRM_meta_notify_type === "pre" &&
  ["start", "promote"].includes(params.CRM_meta_notify_operation ?? "");

/** Takes a service away, or makes it less active. */
const deactivates = ({ kind, task }: GraphAction): boolean =>
  kind === "rsc" && (task === "stop" || task === "demote");

/** Parts of a bundle that are not written in the configuration: its containers, addresses and connections. */
const bundlePart =
  /^(.+?)(?:-(?:docker|podman|rkt|ip))?-(?:\d+|\d+\.\d+\.\d+\.\d+|[0-9a-fA-F:]+:[0-9a-fA-F:]*)$/;

/** Tells the family of a resource: clones, groups and bundles keep their members' number of owners together. */
export function resourceFamilies(configuration: XmlElement | undefined): (rsc: string) => string {
  const families = new Map<string, string>();
  const bundles = new Set<string>();
  const note = (xml: XmlElement, family: string) => {
    const id = xml.attributes.get("id");
    if (id !== undefined) families.set(id, family);
    for (const inner of xml.children) note(inner, family);
  };
  for (const xml of child(configuration, "resources")?.children ?? []) {
    const id = xml.attributes.get("id");
    if (id === undefined) continue;
    note(xml, id);
    if (xml.name === "bundle") bundles.add(id);
  }
  return (rsc) => {
    const plain = withoutInstance(rsc);
    const known = families.get(plain);
    if (known !== undefined) return known;
    const bundle = bundlePart.exec(plain)?.[1];
    return bundle !== undefined && bundles.has(bundle) ? bundle : plain;
  };
}

/** Whether a primitive has instances, so that it may be active in several places. */
export function isCloned(configuration: XmlElement | undefined, rsc: string): boolean {
  const within = (xml: XmlElement): boolean =>
    xml.attributes.get("id") === rsc || xml.children.some((inner) => within(inner));
  const cloning = ["clone", "master", "bundle"];
  return (child(configuration, "resources")?.children ?? []).some(
    (xml) => cloning.includes(xml.name) && within(xml),
  );
}

/**
 * What has to be over before an action, beyond the scheduler's own orders. Before one that activates something, or
 * announces that to the other instances: the probes of its family wherever they are made (an instance may be active, or promoted, where nobody knew it), all on
 * nodes that could not tell what runs there, those of what carries guests or connects nodes, and the first connection to a
 * remote node of which nothing is known yet, or the end of the guest of which that is so.
 * Before a service is stopped that is to run again, or that has only just been found: the probes of what is to be activated as well. Of what is only not known
 * to run, as after its history was cleaned up, it may be that nothing needs to be done, neither for it nor for what depends
 * on it.
 * Before something is moved to a remote node: the connection to it, without which nobody could look for it there.
 * Before a node may go, or the connection to a remote one is let go: all probes that are made on it, but for those that a
 * connection made later is for. Before a probe of what was being moved when a daemon died: that
 * on the node from which it was moved, where an agent may still be at it.
 * Not waited for: what can never run, and, by what it itself waits for (usually the connection to a remote node, or the
 * start of a guest), what is behind it.
 */
export function looksBefore(
  actions: readonly GraphAction[],
  { untold, unheard, guestIn, wasFound, familyOf }: Ownership,
): ReadonlyMap<number, readonly number[]> {
  const graph = new Reach(actions);
  const isConnection = ({ kind, task, rsc }: GraphAction) =>
    kind === "rsc" && task === "start" && isRemoteConnection(rsc) && unheard(nodeName(rsc?.id ?? ""));
  const isGuestEnd = ({ kind, task, rsc }: GraphAction) => {
    const guest = kind === "rsc" && task === "stop" ? guestIn(rsc?.id ?? "") : undefined;
    return guest !== undefined && unheard(nodeName(guest));
  };
  const all = actions.filter((action) => isProbe(action) || isConnection(action) || isGuestEnd(action));
  const before = new Map(all.map(({ id }) => [id, graph.activationsBefore(id)]));
  const open = (look: GraphAction) => before.get(look.id)?.size === 0;
  const leading = new Set([...before.values()].flatMap((ids) => [...ids]));
  const possible = all.filter(({ id }) => graph.canRun(id));
  const probes = possible.filter(isProbe);
  const byFamily = Map.groupBy(probes, ({ rsc }) => familyOf(rsc?.id ?? ""));
  const onUntold = probes.filter(({ node }) => node !== undefined && untold.has(node));
  // A guest that is yet to be started runs nothing.
  const connections = possible.filter((look) => isConnection(look) && !graph.startsBefore(look.id));
  // What runs on a guest or behind a connection is active if these are found.
  const carriers = probes.filter(
    ({ rsc }) => isRemoteConnection(rsc) || guestIn(rsc?.id ?? "") !== undefined,
  );
  const everywhere = [...onUntold, ...connections, ...carriers, ...possible.filter(isGuestEnd)];
  // No circle can come of it: what leads to a look, or is one, waits only for looks that nothing leads to.
  const mayWaitFor = (action: GraphAction) => (look: GraphAction) =>
    open(look) || !(leading.has(action.id) || isConnection(action));
  const activationFirst = (action: GraphAction): readonly number[] => {
    const family = byFamily.get(familyOf(action.rsc?.id ?? "")) ?? [];
    const rest = isConnection(action) ? onUntold : everywhere;
    return idsOf([...family, ...rest].filter(mayWaitFor(action)));
  };
  // Instances of a clone have all the same, and there may be very many of both.
  const known = new Map<string, readonly number[]>();
  const reaching = new Map(
    actions.filter(reaches).map(({ id, rsc }): [number, string] => [id, rsc?.id ?? ""]),
  );
  const isThroughLater = ({ id, node }: GraphAction) =>
    [...graph.activationsBefore(id)].some((before) => reaching.get(before) === node);
  const activationOf = (action: GraphAction): readonly number[] => {
    const family = familyOf(action.rsc?.id ?? "");
    const key = `${family} ${isConnection(action)} ${leading.has(action.id)}`;
    const ids = known.get(key) ?? activationFirst(action);
    known.set(key, ids);
    return ids;
  };
  const comingBack = new Set(actions.filter(activates).map(({ rsc }) => rsc?.id ?? ""));
  const activated = new Set(actions.filter(activates).map(({ rsc }) => familyOf(rsc?.id ?? "")));
  const sought = [...[...activated].flatMap((family) => byFamily.get(family) ?? []), ...connections].filter(
    open,
  );
  const settling = (action: GraphAction): readonly GraphAction[] =>
    comingBack.has(action.rsc?.id ?? "") || wasFound(action.rsc?.id ?? "")
      ? sought.filter(({ id }) => id !== action.id && !graph.comesBefore(action.id, id))
      : [];
  const first = (action: GraphAction): readonly number[] => {
    if (letsGo(action))
      return idsOf(probes.filter((probe) => probe.node === action.rsc?.id && !isThroughLater(probe)));
    if (action.task === "migrate_to") {
      const target = action.params.CRM_meta_migrate_target;
      const there = [...reaching].filter(
        ([id, remote]) => remote === target && !graph.activationsBefore(id).has(action.id),
      );
      return [...new Set([...activationOf(action), ...there.map(([id]) => id)])];
    }
    if (deactivates(action)) return idsOf(settling(action));
    if (action.task === "do_shutdown") return idsOf(probes.filter(({ node }) => node === action.node));
    if (activates(action)) return activationOf(action);
    if (announces(action)) return idsOf((byFamily.get(familyOf(action.rsc?.id ?? "")) ?? []).filter(open));
    if (!isProbe(action)) return [];
    return idsOf(onUntold.filter((probe) => open(probe) && movedFrom(probe, action, untold)));
  };
  return new Map(
    actions.flatMap((action): (readonly [number, readonly number[]])[] => {
      const ids = first(action);
      return ids.length === 0 ? [] : [[action.id, ids]];
    }),
  );
}

const idsOf = (actions: readonly GraphAction[]): readonly number[] => [
  ...new Set(actions.map(({ id }) => id)),
];

/** Makes a connection to a remote node. */
export const reaches = ({ kind, task, rsc }: GraphAction): boolean =>
  kind === "rsc" && (task === "start" || task === "migrate_from") && isRemoteConnection(rsc);

/** Ends a connection to a remote node. */
export const letsGo = ({ kind, task, rsc }: GraphAction): boolean =>
  kind === "rsc" && task === "stop" && isRemoteConnection(rsc);

const isRemoteConnection = (rsc: GraphAction["rsc"]): boolean =>
  rsc?.class === "ocf" && rsc.provider === "pacemaker" && rsc.type === "remote";

/** Whether a resource was being moved away from the one probe's node, and may have come to the other's. */
function movedFrom(from: GraphAction, to: GraphAction, untold: Ownership["untold"]): boolean {
  const moved = ({ node, rsc }: GraphAction) =>
    node !== undefined && untold.get(node)?.some((moving) => moving.rsc === rsc?.id) === true;
  return from.rsc?.id === to.rsc?.id && from.node !== to.node && moved(from) && !moved(to);
}

/** Which actions lead to which. */
class Reach {
  readonly #actions: ReadonlyMap<number, GraphAction>;
  readonly #before = new Map<number, ReadonlySet<number>>();
  readonly #runs = new Map<number, boolean>();
  readonly #all = new Map<number, ReadonlySet<number>>();

  constructor(actions: readonly GraphAction[]) {
    this.#actions = new Map(actions.map((action) => [action.id, action]));
  }

  /** Ids of the activations that have to be done before an action. */
  activationsBefore(id: number): ReadonlySet<number> {
    const known = this.#before.get(id);
    if (known) return known;
    const found = new Set<number>();
    // The scheduler has broken circles; should one be left, it ends here.
    this.#before.set(id, found);
    for (const input of this.#actions.get(id)?.inputs ?? []) {
      const action = this.#actions.get(input);
      if (!action) continue;
      if (activates(action)) found.add(input);
      for (const before of this.activationsBefore(input)) found.add(before);
    }
    return found;
  }

  /** Whether the first of two actions has to be done before the second. */
  comesBefore(first: number, second: number): boolean {
    const known = this.#all.get(second) ?? this.#allBefore(second);
    this.#all.set(second, known);
    return known.has(first);
  }

  #allBefore(id: number): ReadonlySet<number> {
    const found = new Set<number>();
    const open = [...(this.#actions.get(id)?.inputs ?? [])];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      if (found.has(next)) continue;
      found.add(next);
      open.push(...(this.#actions.get(next)?.inputs ?? []));
    }
    return found;
  }

  /** Whether something has to be started before an action. */
  startsBefore(id: number): boolean {
    return [...this.activationsBefore(id)].some((before) => this.#actions.get(before)?.task === "start");
  }

  /** Whether nothing that can never be done is in an action's way. */
  canRun(id: number): boolean {
    const known = this.#runs.get(id);
    if (known !== undefined) return known;
    this.#runs.set(id, true);
    const action = this.#actions.get(id);
    const can =
      (action?.unmet?.length ?? 0) === 0 && (action?.inputs ?? []).every((input) => this.canRun(input));
    this.#runs.set(id, can);
    return can;
  }
}
