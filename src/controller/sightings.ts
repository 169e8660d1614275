import { bundleRuntimes, child, formatXml, settledPrimitives, type XmlElement } from "../cib/index.ts";
import type { Operation, OperationResult } from "../executor/index.ts";
import type { Spared } from "../scheduler/index.ts";
import { type EpochSeconds, type NodeName, OcfExit, OpStatus, withoutInstance } from "../terms/index.ts";
import { foundActive, isFailure, tellsInactive } from "./history.ts";
import type { Seen } from "./messages.ts";
import { NodePlaces } from "./node-places.ts";
import { resourceFamilies } from "./one-owner.ts";

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
  readonly #active: NodePlaces;
  readonly #tried: NodePlaces;
  readonly #added: Set<string>;
  readonly #changed: Set<string>;
  readonly #fencedFor: NodePlaces;
  readonly #resets: NodePlaces;
  readonly #inVain: Set<string>;
  readonly #boots: Map<NodeName, string>;
  readonly #fencedIn: Map<NodeName, string>;

  constructor(seen?: Seen, of?: Sightings) {
    this.#active = of ? of.#active.copy() : new NodePlaces(seen?.active);
    this.#tried = of ? of.#tried.copy() : new NodePlaces(seen?.tried);
    this.#added = new Set(of ? of.#added : seen?.added);
    this.#changed = new Set(of ? of.#changed : seen?.changed);
    this.#fencedFor = of ? of.#fencedFor.copy() : new NodePlaces(seen?.fencedFor);
    this.#resets = of ? of.#resets.copy() : new NodePlaces(seen?.resets);
    this.#inVain = new Set(of ? of.#inVain : seen?.inVain);
    this.#boots = new Map(of ? of.#boots : seen?.boots);
    this.#fencedIn = new Map(of ? of.#fencedIn : seen?.fencedIn);
  }

  seen(): Seen {
    return {
      active: this.#active.listed(),
      tried: this.#tried.listed(),
      added: [...this.#added],
      changed: [...this.#changed],
      fencedFor: this.#fencedFor.listed(),
      resets: this.#resets.listed(),
      inVain: [...this.#inVain],
      boots: [...this.#boots],
      fencedIn: [...this.#fencedIn],
    };
  }

  copy(): Sightings {
    return new Sightings(undefined, this);
  }

  /** Something is done on a node, or was, that may bring a service up, or is done only with one that is. */
  begun(node: NodeName, operation: Begun): void {
    if (!concernsActive(operation)) return;
    const { rsc } = operation;
    this.#fencedFor.drop(node, rsc.id);
    if (!this.#active.has(node, rsc.id)) this.#tried.set(node, rsc.id, LONG_SINCE);
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
    if (!concernsActive(result)) return;
    this.begun(node, result);
    const since = action === "monitor" ? LONG_SINCE : lastRun;
    if (!failed) this.#up(node, rsc.id, since, configuration);
  }

  /** A node lost its power at that time. `failed`: resources whose stop had failed there. */
  reset(node: NodeName, failed: readonly UnstoppedResource[], at: EpochSeconds): void {
    for (const [rsc, since] of this.#active.on(node)) if (at - since >= LONG_RUN) this.#worthwhile(rsc);
    for (const { rsc, spared } of failed) {
      if (!spared) this.#lost(node, rsc);
      this.#fencedFor.set(node, rsc, at);
    }
    const boot = this.#boots.get(node);
    if (boot !== undefined) this.#fencedIn.set(node, boot);
    this.off(node);
  }

  /**
   * A node tells in which boot it runs, and whether its executor knows of anything there. One that does, in the boot in which
   * it was fenced, was not off, whatever its device has said; or it was fenced at the fabric. What may run there does so still.
   */
  runs(node: NodeName, boot: string, remembers: boolean): void {
    if (remembers && this.#fencedIn.get(node) === boot) this.#fencedFor.dropNode(node);
    this.#fencedIn.delete(node);
    this.#boots.set(node, boot);
  }

  /** A node is off. */
  off(node: NodeName): void {
    this.#active.dropNode(node);
    this.#tried.dropNode(node);
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
    for (const id of removed) if (!isLeft(id)) this.#added.delete(id);
    for (const id of fresh) this.#added.add(id);
    for (const id of [...this.#changed]) if (!are.has(id)) this.#changed.delete(id);
    for (const [id] of changed) this.#changed.add(id);
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
    const since = this.#active.get(node, rsc);
    if (since !== undefined) {
      const resets = this.#resets.get(node, rsc) ?? 0;
      return at - since < LONG_RUN && resets >= MOST_RESETS ? "reset-in-vain" : undefined;
    }
    const isAdded = isAmong(this.#added, rsc, configuration);
    if (this.#tried.has(node, rsc)) {
      if (isAdded || isAmong(this.#changed, rsc, configuration)) return "never-seen";
      return this.#inVain.has(withoutInstance(rsc)) ? "reset-in-vain" : undefined;
    }
    if (this.#active.hasAnywhere(rsc) || this.#tried.hasAnywhere(rsc)) return undefined;
    if (isAdded) return "never-seen";
    // It may have run before anything that is remembered. One node may then be in the way of the others.
    const { inactive, unknown } = elsewhere();
    return inactive > 0 && unknown === 0 ? undefined : "never-seen";
  }

  /** Whether a node lost its power since a stop had failed there, and nothing better is heard of the resource since. */
  wasResetFor(node: NodeName, rsc: string): boolean {
    return this.#fencedFor.has(node, rsc);
  }

  /** It runs on a node, at least since then. */
  #up(node: NodeName, rsc: string, since: EpochSeconds, configuration: XmlElement | undefined): void {
    if (!this.#active.has(node, rsc)) this.#active.set(node, rsc, since);
    this.#tried.drop(node, rsc);
    this.#fencedFor.drop(node, rsc);
    // The address of a replica comes up before its container, and tells nothing of that.
    const names = isContainer(rsc) ? namesOf(rsc, resourceFamilies(configuration)) : [withoutInstance(rsc)];
    this.#inVain.delete(withoutInstance(rsc));
    for (const name of names) {
      this.#added.delete(name);
      this.#changed.delete(name);
    }
  }

  /** It does not run on a node. */
  #down(node: NodeName, rsc: string): void {
    this.#active.drop(node, rsc);
    this.#tried.drop(node, rsc);
    this.#fencedFor.drop(node, rsc);
  }

  /** A stop, begun at `at`, has failed. The node's own clock says how long the service had run. */
  #unstopped(node: NodeName, rsc: string, at: EpochSeconds): void {
    const since = this.#active.get(node, rsc);
    if (since === undefined || at - since < LONG_RUN) return;
    this.#active.set(node, rsc, LONG_SINCE);
  }

  /** A node lost its power for the stop of a resource. What did not run there for long may do no better anywhere. */
  #lost(node: NodeName, rsc: string): void {
    const since = this.#active.get(node, rsc);
    const resets = this.#resets.get(node, rsc) ?? 0;
    if (since === undefined && this.#tried.has(node, rsc)) this.#inVain.add(withoutInstance(rsc));
    if (since !== undefined && since !== LONG_SINCE) this.#resets.set(node, rsc, resets + 1);
  }

  /** It was, or will be, worth a reset. */
  #worthwhile(rsc: string): void {
    this.#inVain.delete(withoutInstance(rsc));
    this.#resets.dropEverywhere(rsc);
  }
}

type Begun = Pick<Operation, "action" | "rsc" | "intervalMs">;

/** Whether it makes a service active, or is done only with one that is. */
const concernsActive = ({ action, intervalMs }: Begun): boolean =>
  bringsUp.has(action) || (action === "monitor" && intervalMs > 0);

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
