import { bundleRuntimes, child, type XmlElement } from "../cib/index.ts";
import type { Operation, OperationResult } from "../executor/index.ts";
import type { Spared } from "../scheduler/index.ts";
import { type NodeName, OcfExit, OpStatus, withoutInstance } from "../terms/index.ts";
import { foundActive, isFailure, tellsInactive } from "./history.ts";
import type { Seen } from "./messages.ts";
import { resourceFamilies } from "./one-owner.ts";

type Places = ReadonlyMap<NodeName, ReadonlySet<string>>;

/** What is known of a resource on the other nodes that are there. */
export interface Elsewhere {
  /** So many know that it does not run there. */
  readonly inactive: number;
  /** On so many it may run. */
  readonly unknown: number;
}

/**
 * Where services were seen to run, which tells whether a stop that fails is worth a node. That a look fails means that the
 * service may run there; when its stop fails, too, only the loss of power makes it certain that it does not. But an agent
 * that is broken on all nodes would cost one after the other its power, and again as soon as it is back. Where nothing can
 * be gained by it nothing is fenced, and the resource is blocked. Blocked, it is started nowhere: whatever is wrong about what
 * is remembered here, it cannot get a second owner by that.
 *
 * All members remember the same. Unlike the history this outlives a cleanup: where a service may be active is forgotten only
 * when it is known not to be, or its node to be off.
 */
export class Sightings {
  // Replaced, and never changed: a copy is as it was.
  #active: Places;
  #added: ReadonlySet<string>;
  #fencedFor: Places;

  constructor({ active, added, fencedFor }: Seen = { active: [], added: [], fencedFor: [] }) {
    this.#active = new Map(active.map(([node, list]) => [node, new Set(list)]));
    this.#added = new Set(added);
    this.#fencedFor = new Map(fencedFor.map(([node, list]) => [node, new Set(list)]));
  }

  seen(): Seen {
    const listed = (places: Places) => [...places].map(([node, names]) => [node, [...names]] as const);
    return { active: listed(this.#active), added: [...this.#added], fencedFor: listed(this.#fencedFor) };
  }

  copy(): Sightings {
    const copy = new Sightings();
    copy.#active = this.#active;
    copy.#added = this.#added;
    copy.#fencedFor = this.#fencedFor;
    return copy;
  }

  /** Something is done on a node, or was, that may bring a service up, or finds it so. */
  begun(
    node: NodeName,
    { action, rsc, intervalMs }: Pick<Operation, "action" | "rsc" | "intervalMs">,
    configuration: XmlElement | undefined,
  ): void {
    if (bringsUp.has(action) || (action === "monitor" && intervalMs > 0))
      this.#up(node, rsc.id, configuration);
  }

  /** What has come of an operation on a node, as it is recorded. */
  told(node: NodeName, result: OperationResult, configuration: XmlElement | undefined): void {
    const { rsc, action, intervalMs, status } = result;
    if (status === OpStatus.CANCELLED || status === OpStatus.PENDING) return;
    if (action !== "stop" && (action !== "monitor" || intervalMs > 0))
      return this.begun(node, result, configuration);
    const isUp = action === "monitor" && (foundActive(result) || result.rc === OcfExit.FAILED_PROMOTED);
    const isDown =
      action === "stop"
        ? !isFailure(result)
        : status === OpStatus.NOT_INSTALLED || tellsInactive.has(result.rc);
    if (isUp) this.#up(node, rsc.id, configuration);
    if (!isDown) return;
    this.#active = without(this.#active, node, rsc.id);
    this.#fencedFor = without(this.#fencedFor, node, rsc.id);
  }

  /** A node is off. `failed`: resources whose stop had failed there. */
  off(node: NodeName, failed: readonly string[] = []): void {
    if (this.#active.has(node)) this.#active = new Map([...this.#active].filter(([name]) => name !== node));
    for (const rsc of failed) this.#fencedFor = withOne(this.#fencedFor, node, rsc);
  }

  /** Somebody says that what has failed says nothing any more. */
  cleanedUp(node: NodeName, rsc: string): void {
    this.#fencedFor = without(this.#fencedFor, node, rsc);
  }

  /** The configuration is another one. `known`: resources that some node knows something of, also of such as were removed. */
  configured(
    before: XmlElement | undefined,
    after: XmlElement | undefined,
    known: () => readonly string[],
  ): void {
    if (before === after) return;
    const were = agentsOf(before);
    const are = agentsOf(after);
    const removed = [...this.#added].filter((id) => !are.has(id));
    const left = removed.length > 0 ? known().map(withoutInstance) : [];
    const isLeft = (id: string) => left.some((one) => one === id || one.startsWith(`${id}-`));
    const fresh = [...are].filter(([id, agent]) => were.get(id) !== agent).map(([id]) => id);
    if (removed.length === 0 && fresh.length === 0) return;
    this.#added = new Set([...[...this.#added].filter((id) => are.has(id) || isLeft(id)), ...fresh]);
  }

  /** Why no node is fenced for a resource whose stop has failed on one. */
  spared(
    node: NodeName,
    rsc: string,
    configuration: XmlElement | undefined,
    elsewhere: () => Elsewhere,
  ): Spared | undefined {
    if (this.wasResetFor(node, rsc)) return "reset-before";
    const plain = withoutInstance(rsc);
    const active = [...this.#active.values()].flatMap((ids) => [...ids]);
    if (active.some((id) => withoutInstance(id) === plain)) return undefined;
    if (this.#isAdded(rsc, configuration)) return "never-seen";
    // It may have run before anything that is remembered. One node may then be in the way of the others.
    const { inactive, unknown } = elsewhere();
    return inactive > 0 && unknown === 0 ? undefined : "never-seen";
  }

  /** Whether a node lost its power since a stop had failed there, and nothing better is heard of the resource since. */
  wasResetFor(node: NodeName, rsc: string): boolean {
    return this.#fencedFor.get(node)?.has(rsc) === true;
  }

  #isAdded(rsc: string, configuration: XmlElement | undefined): boolean {
    if (this.#added.size === 0) return false;
    return namesOf(rsc, resourceFamilies(configuration)).some((id) => this.#added.has(id));
  }

  #up(node: NodeName, rsc: string, configuration: XmlElement | undefined): void {
    this.#active = withOne(this.#active, node, rsc);
    this.#fencedFor = without(this.#fencedFor, node, rsc);
    if (!this.#isAdded(rsc, configuration)) return;
    // The address of a replica comes up before its container, and tells nothing of that.
    const names = isContainer(rsc) ? namesOf(rsc, resourceFamilies(configuration)) : [withoutInstance(rsc)];
    this.#added = new Set([...this.#added].filter((id) => !names.includes(id)));
  }
}

/** What makes a service active, or is done only with one that is. */
const bringsUp: ReadonlySet<string> = new Set([
  ...["start", "promote", "demote", "migrate_to", "migrate_from", "reload", "reload-agent"],
]);

/** By which ids a resource may be configured: by its own or, as a part that a bundle brings along, by that of the bundle. */
function namesOf(rsc: string, familyOf: (rsc: string) => string): readonly string[] {
  const plain = withoutInstance(rsc);
  return [plain, familyOf(plain)];
}

function withOne(places: Places, node: NodeName, rsc: string): Places {
  const known = places.get(node);
  return known?.has(rsc) ? places : new Map([...places, [node, new Set([...(known ?? []), rsc])]]);
}

function without(places: Places, node: NodeName, rsc: string): Places {
  const known = places.get(node);
  if (!known?.has(rsc)) return places;
  const rest = new Set([...known].filter((id) => id !== rsc));
  const others = [...places].filter(([name]) => name !== node);
  return new Map(rest.size > 0 ? [...others, [node, rest]] : others);
}

const container = new RegExp(`-(?:${[...bundleRuntimes].join("|")})-\\d+$`);
const isContainer = (rsc: string): boolean => container.test(rsc);

/** The agents of primitives, and the runtimes of bundles, by id. */
function agentsOf(configuration: XmlElement | undefined): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const visit = (xml: XmlElement): void => {
    const id = xml.attributes.get("id");
    if (id !== undefined && xml.name === "primitive") {
      const agent = ["class", "provider", "type", "template"].map((name) => xml.attributes.get(name) ?? "");
      found.set(id, agent.join(":"));
    } else if (id !== undefined && xml.name === "bundle")
      found.set(id, xml.children.map(({ name }) => name).find((name) => bundleRuntimes.has(name)) ?? "");
    for (const inner of xml.children) visit(inner);
  };
  for (const xml of child(configuration, "resources")?.children ?? [])
    if (xml.name !== "template") visit(xml);
  return found;
}
