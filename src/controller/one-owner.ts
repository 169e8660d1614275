import { child, type XmlElement } from "../cib/index.ts";
import type { GraphAction } from "../scheduler/index.ts";
import type { NodeName } from "../terms/index.ts";

/** What the order of a transition's actions has to respect so that no resource gets a second owner. */
export interface Ownership {
  /** Nodes that could not tell all that runs there. */
  readonly untold: ReadonlySet<NodeName>;
  /** The outermost resource that a primitive, or an instance of it, belongs to. */
  readonly familyOf: (rsc: string) => string;
}

/** Looks whether something runs that is not known to. */
export const isProbe = ({ kind, task, intervalMs }: GraphAction): boolean =>
  kind === "rsc" && task === "monitor" && intervalMs === 0;

/** Makes a service active, or more active, somewhere. */
const activates = ({ kind, task }: GraphAction): boolean =>
  kind === "rsc" && ["start", "promote", "migrate_to", "migrate_from"].includes(task);

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
    const plain = rsc.replace(/:\d+$/, "");
    const known = families.get(plain);
    if (known !== undefined) return known;
    const bundle = bundlePart.exec(plain)?.[1];
    return bundle !== undefined && bundles.has(bundle) ? bundle : plain;
  };
}

/**
 * Which probes have to be over before each action that activates something, beyond the scheduler's own orders: those of
 * its family wherever they are made (an instance may be active, or promoted, where nobody knew it), and all on nodes that
 * could not tell what runs there. Not waited for: probes that can never run, and, by what they themselves wait for
 * (usually the connection to a remote node), the probes behind it.
 */
export function probesBefore(
  actions: readonly GraphAction[],
  { untold, familyOf }: Ownership,
): ReadonlyMap<number, readonly number[]> {
  const probes = actions.filter(isProbe);
  const active = actions.filter(activates);
  if (probes.length === 0 || active.length === 0) return new Map();
  const graph = new Reach(actions);
  const behind = new Map(probes.map((probe) => [probe.id, graph.activationsBefore(probe.id)]));
  const leading = new Set([...behind.values()].flatMap((ids) => [...ids]));
  const byFamily = new Map<string, GraphAction[]>();
  const everywhere: GraphAction[] = [];
  for (const probe of probes) {
    if (!graph.canRun(probe.id)) continue;
    if (probe.node !== undefined && untold.has(probe.node)) everywhere.push(probe);
    const family = familyOf(probe.rsc?.id ?? "");
    byFamily.set(family, [...(byFamily.get(family) ?? []), probe]);
  }
  // No circle can come of it: what leads to a probe waits only for probes that nothing leads to.
  const mayWaitFor = (action: GraphAction) => (probe: GraphAction) =>
    behind.get(probe.id)?.size === 0 || !leading.has(action.id);
  return new Map(
    active.map((action) => {
      const family = byFamily.get(familyOf(action.rsc?.id ?? "")) ?? [];
      const ids = [...family, ...everywhere].filter(mayWaitFor(action)).map(({ id }) => id);
      return [action.id, [...new Set(ids)]];
    }),
  );
}

/** Which actions lead to which. */
class Reach {
  readonly #actions: ReadonlyMap<number, GraphAction>;
  readonly #before = new Map<number, ReadonlySet<number>>();
  readonly #runs = new Map<number, boolean>();

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
