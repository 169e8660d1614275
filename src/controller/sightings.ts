import { bundleRuntimes, child, formatXml, settledPrimitives, type XmlElement } from "../cib/index.ts";
import type { Operation, OperationResult } from "../executor/index.ts";
import type { Spared } from "../scheduler/index.ts";
import { type EpochSeconds, type NodeName, OcfExit, OpStatus, withoutInstance } from "../terms/index.ts";
import { foundActive, isFailure, tellsInactive } from "./history.ts";
import type { Seen } from "./messages.ts";
import { resourceFamilies } from "./one-owner.ts";

/** Resources on nodes, each with a time, or a number. */
type Places = ReadonlyMap<NodeName, ReadonlyMap<string, number>>;

/** What is known of a resource on the other nodes that are there. */
export interface Elsewhere {
  /** So many know that it does not run there. */
  readonly inactive: number;
  /** On so many it may run. */
  readonly unknown: number;
}

/** A resource whose stop has failed; `spared`: it was not for that that its node was fenced. */
export interface UnstoppedResource {
  readonly rsc: string;
  readonly spared: boolean;
}

/** A service that has run for so many seconds since it was started ran well: its failure then is another one. */
const LONG_RUN = 600;
/** Since when a service runs that has done so for long, or that was found running. */
const LONG_SINCE: EpochSeconds = 0;
/** So often in a row a node is reset for a service that has come up there, and not run for long. */
const MOST_RESETS = 2;

/**
 * Where services were seen to run, which tells whether a stop that fails is worth a node. That a look fails means that the
 * service may run there; when its stop fails, too, only the loss of power makes it certain that it does not. But an agent
 * that is broken on all nodes, or a parameter with which it can do nothing, would cost one after the other its power, and again as soon
 * as it is back. Where nothing can be gained by it nothing is fenced: either the resource is blocked, and started nowhere,
 * so that it cannot get a second owner whatever is wrong about what is remembered here; or it was its node that was off,
 * where nothing was begun since, and that node is left out.
 *
 * All members remember the same. Unlike the history this outlives a cleanup: where a service may be active is forgotten only
 * when it is known not to be, or its node to be off.
 */
export class Sightings {
  // Replaced, and never changed: a copy is as it was.
  #active: Places;
  #tried: Places;
  #added: ReadonlySet<string>;
  #changed: ReadonlySet<string>;
  #fencedFor: Places;
  #resets: Places;
  #inVain: ReadonlySet<string>;

  constructor(seen?: Seen) {
    const places = (listed: Seen["active"] = []): Places =>
      new Map(listed.map(([node, list]) => [node, new Map(list)]));
    this.#active = places(seen?.active);
    this.#tried = places(seen?.tried);
    this.#added = new Set(seen?.added);
    this.#changed = new Set(seen?.changed);
    this.#fencedFor = places(seen?.fencedFor);
    this.#resets = places(seen?.resets);
    this.#inVain = new Set(seen?.inVain);
  }

  seen(): Seen {
    const listed = (places: Places) => [...places].map(([node, names]) => [node, [...names]] as const);
    return {
      active: listed(this.#active),
      tried: listed(this.#tried),
      added: [...this.#added],
      changed: [...this.#changed],
      fencedFor: listed(this.#fencedFor),
      resets: listed(this.#resets),
      inVain: [...this.#inVain],
    };
  }

  copy(): Sightings {
    const copy = new Sightings();
    copy.#active = this.#active;
    copy.#tried = this.#tried;
    copy.#added = this.#added;
    copy.#changed = this.#changed;
    copy.#fencedFor = this.#fencedFor;
    copy.#resets = this.#resets;
    copy.#inVain = this.#inVain;
    return copy;
  }

  /** Something is done on a node, or was, that may bring a service up, or is done only with one that is. */
  begun(node: NodeName, { action, rsc, intervalMs }: Pick<Operation, "action" | "rsc" | "intervalMs">): void {
    if (!bringsUp.has(action) && (action !== "monitor" || intervalMs === 0)) return;
    this.#fencedFor = without(this.#fencedFor, node, rsc.id);
    if (!has(this.#active, node, rsc.id)) this.#tried = withOne(this.#tried, node, rsc.id, LONG_SINCE);
  }

  /** What has come of an operation on a node, as it is recorded. */
  told(node: NodeName, result: OperationResult, configuration: XmlElement | undefined): void {
    const { rsc, action, intervalMs, status, lastRun } = result;
    if (status === OpStatus.CANCELLED || status === OpStatus.PENDING) return;
    const failed = isFailure(result);
    if (action === "stop") return failed ? this.#unstopped(node, rsc.id, lastRun) : this.#down(node, rsc.id);
    if (action === "monitor" && intervalMs === 0) {
      if (foundActive(result) || result.rc === OcfExit.FAILED_PROMOTED)
        this.#up(node, rsc.id, LONG_SINCE, configuration);
      if (status === OpStatus.NOT_INSTALLED || tellsInactive.has(result.rc)) this.#down(node, rsc.id);
      return;
    }
    this.begun(node, result);
    if (!failed && bringsUp.has(action)) this.#up(node, rsc.id, lastRun, configuration);
    if (!failed && action === "monitor") this.#up(node, rsc.id, LONG_SINCE, configuration);
  }

  /** A node lost its power at that time. `failed`: resources whose stop had failed there. */
  reset(node: NodeName, failed: readonly UnstoppedResource[], at: EpochSeconds): void {
    for (const [rsc, since] of this.#active.get(node) ?? [])
      if (at - since >= LONG_RUN) this.#worthwhile(rsc);
    for (const { rsc, spared } of failed) {
      if (!spared) this.#lost(node, rsc);
      this.#fencedFor = withOne(this.#fencedFor, node, rsc, at);
    }
    this.off(node);
  }

  /** A node is off. */
  off(node: NodeName): void {
    this.#active = withoutNode(this.#active, node);
    this.#tried = withoutNode(this.#tried, node);
  }

  /** Somebody says that what has failed says nothing any more. */
  cleanedUp(rsc: string): void {
    this.#worthwhile(rsc);
  }

  /** The configuration is another one. `known`: resources that some node knows something of, also of such as were removed. */
  configured(
    before: XmlElement | undefined,
    after: XmlElement | undefined,
    known: () => readonly string[],
  ): void {
    if (before === after) return;
    const were = kindsOf(before);
    const are = kindsOf(after);
    const removed = [...this.#added].filter((id) => !are.has(id));
    const left = removed.length > 0 ? known().map(withoutInstance) : [];
    const isLeft = (id: string) => left.some((one) => one === id || one.startsWith(`${id}-`));
    const fresh = [...are].filter(([id, { agent }]) => were.get(id)?.agent !== agent).map(([id]) => id);
    const changed = [...are].filter(
      ([id, { agent, parameters }]) =>
        were.get(id)?.agent === agent && were.get(id)?.parameters !== parameters,
    );
    if (removed.length > 0 || fresh.length > 0)
      this.#added = new Set([...[...this.#added].filter((id) => are.has(id) || isLeft(id)), ...fresh]);
    const kept = [...this.#changed].filter((id) => are.has(id));
    if (changed.length > 0 || kept.length < this.#changed.size)
      this.#changed = new Set([...kept, ...changed.map(([id]) => id)]);
    for (const [id] of changed) this.#worthwhile(id);
  }

  /** Why no node is fenced for a resource whose stop, begun at `at`, has failed on one. */
  spared(
    node: NodeName,
    rsc: string,
    at: EpochSeconds,
    configuration: XmlElement | undefined,
    elsewhere: () => Elsewhere,
  ): Spared | undefined {
    if (this.wasResetFor(node, rsc)) return "reset-before";
    const since = this.#active.get(node)?.get(rsc);
    if (since !== undefined) {
      const resets = this.#resets.get(node)?.get(rsc) ?? 0;
      return at - since < LONG_RUN && resets >= MOST_RESETS ? "reset-in-vain" : undefined;
    }
    const isAdded = isAmong(this.#added, rsc, configuration);
    if (has(this.#tried, node, rsc)) {
      if (isAdded || isAmong(this.#changed, rsc, configuration)) return "never-seen";
      return this.#inVain.has(withoutInstance(rsc)) ? "reset-in-vain" : undefined;
    }
    const plain = withoutInstance(rsc);
    const places = [...this.#active.values(), ...this.#tried.values()].flatMap((known) => [...known.keys()]);
    if (places.some((id) => withoutInstance(id) === plain)) return undefined;
    if (isAdded) return "never-seen";
    // It may have run before anything that is remembered. One node may then be in the way of the others.
    const { inactive, unknown } = elsewhere();
    return inactive > 0 && unknown === 0 ? undefined : "never-seen";
  }

  /** Whether a node lost its power since a stop had failed there, and nothing better is heard of the resource since. */
  wasResetFor(node: NodeName, rsc: string): boolean {
    return has(this.#fencedFor, node, rsc);
  }

  /** It runs on a node, at least since then. */
  #up(node: NodeName, rsc: string, since: EpochSeconds, configuration: XmlElement | undefined): void {
    if (!has(this.#active, node, rsc)) this.#active = withOne(this.#active, node, rsc, since);
    this.#tried = without(this.#tried, node, rsc);
    this.#fencedFor = without(this.#fencedFor, node, rsc);
    // The address of a replica comes up before its container, and tells nothing of that.
    const names = isContainer(rsc) ? namesOf(rsc, resourceFamilies(configuration)) : [withoutInstance(rsc)];
    this.#inVain = lacking(this.#inVain, [withoutInstance(rsc)]);
    this.#added = lacking(this.#added, names);
    this.#changed = lacking(this.#changed, names);
  }

  /** It does not run on a node. */
  #down(node: NodeName, rsc: string): void {
    this.#active = without(this.#active, node, rsc);
    this.#tried = without(this.#tried, node, rsc);
    this.#fencedFor = without(this.#fencedFor, node, rsc);
  }

  /** A stop, begun at `at`, has failed. The node's own clock says how long the service had run. */
  #unstopped(node: NodeName, rsc: string, at: EpochSeconds): void {
    const since = this.#active.get(node)?.get(rsc);
    if (since === undefined || at - since < LONG_RUN) return;
    this.#active = withOne(this.#active, node, rsc, LONG_SINCE);
  }

  /** A node lost its power for the stop of a resource. What did not run there for long may do no better anywhere. */
  #lost(node: NodeName, rsc: string): void {
    const since = this.#active.get(node)?.get(rsc);
    const resets = this.#resets.get(node)?.get(rsc) ?? 0;
    if (since === undefined && has(this.#tried, node, rsc))
      this.#inVain = new Set([...this.#inVain, withoutInstance(rsc)]);
    if (since !== undefined && since !== LONG_SINCE)
      this.#resets = withOne(this.#resets, node, rsc, resets + 1);
  }

  /** It was, or will be, worth a reset. */
  #worthwhile(rsc: string): void {
    const plain = withoutInstance(rsc);
    this.#inVain = lacking(this.#inVain, [plain]);
    for (const [node, resets] of this.#resets)
      for (const id of resets.keys())
        if (withoutInstance(id) === plain) this.#resets = without(this.#resets, node, id);
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

function isAmong(ids: ReadonlySet<string>, rsc: string, configuration: XmlElement | undefined): boolean {
  if (ids.size === 0) return false;
  return namesOf(rsc, resourceFamilies(configuration)).some((id) => ids.has(id));
}

function lacking(ids: ReadonlySet<string>, names: readonly string[]): ReadonlySet<string> {
  return names.some((name) => ids.has(name)) ? new Set([...ids].filter((id) => !names.includes(id))) : ids;
}

const has = (places: Places, node: NodeName, rsc: string): boolean => places.get(node)?.has(rsc) === true;

const withOne = (places: Places, node: NodeName, rsc: string, at: EpochSeconds): Places =>
  new Map([...places, [node, new Map([...(places.get(node) ?? []), [rsc, at]])]]);

function without(places: Places, node: NodeName, rsc: string): Places {
  if (!has(places, node, rsc)) return places;
  const rest = new Map([...(places.get(node) ?? [])].filter(([id]) => id !== rsc));
  return rest.size > 0 ? new Map([...places, [node, rest]]) : withoutNode(places, node);
}

const withoutNode = (places: Places, node: NodeName): Places =>
  places.has(node) ? new Map([...places].filter(([name]) => name !== node)) : places;

const container = new RegExp(`-(?:${[...bundleRuntimes].join("|")})-\\d+$`);
const isContainer = (rsc: string): boolean => container.test(rsc);

/** What a resource is, and with what parameters it runs, in words that differ where these do. */
interface Kind {
  readonly agent: string;
  readonly parameters: string;
}

const kindsKnown = new WeakMap<XmlElement, ReadonlyMap<string, Kind>>();

/** The agents of primitives, and the runtimes of bundles, by id. */
function kindsOf(configuration: XmlElement | undefined): ReadonlyMap<string, Kind> {
  if (configuration === undefined) return new Map();
  const known = kindsKnown.get(configuration);
  if (known) return known;
  const found = new Map<string, Kind>();
  for (const { xml, parameters } of settledPrimitives(configuration)) {
    const agent = ["class", "provider", "type", "template"].map((name) => xml.attributes.get(name) ?? "");
    const pairs = [...parameters].map(([name, { value }]) => [name, value]);
    found.set(xml.attributes.get("id") ?? "", {
      agent: agent.join(":"),
      parameters: JSON.stringify(pairs.sort()),
    });
  }
  for (const { name, attributes, children } of child(configuration, "resources")?.children ?? []) {
    if (name !== "bundle") continue;
    const settings = children.filter((part) => part.name !== "primitive" && part.name !== "meta_attributes");
    found.set(attributes.get("id") ?? "", {
      agent: settings.find((part) => bundleRuntimes.has(part.name))?.name ?? "",
      parameters: settings.map((part) => formatXml(part)).join(""),
    });
  }
  kindsKnown.set(configuration, found);
  return found;
}
