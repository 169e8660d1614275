import { child, childrenOf, indexById, parseBoolean, parseInteger, type XmlElement } from "../cib/index.ts";
import { type AgentResource, isMereLook, type Operation, type OperationResult } from "../executor/index.ts";
import {
  type EpochSeconds,
  type NodeName,
  OpStatus,
  type ResourceId,
  withoutInstance,
} from "../terms/index.ts";
import { pendingResult } from "./history.ts";
import type { ExecutorHistory, MayRun, RememberedResources } from "./messages.ts";

/** A resource on a node. */
export interface Place {
  readonly node: NodeName;
  readonly rsc: ResourceId;
}

/** That a resource is made active, or promoted, on a node. */
export interface Activation {
  readonly node: NodeName | undefined;
  readonly rsc: string;
  readonly promotes: boolean;
}

/** Where a resource is only remembered not to be active, or promoted. */
export interface UnseenPlace extends Place {
  /** Id of the node in `<nodes>`. */
  readonly nodeId: string;
  /** It is remembered to be active. */
  readonly active: boolean;
  /** A recurring operation is about to tell. */
  readonly watched: boolean;
}

/**
 * What nobody has seen since a daemon died: resources that may be active, or not, on a node, whatever its history says or
 * does not say. The same on all members.
 */
export class Unseen {
  #mayRun = new Map<NodeName, readonly Operation[]>();
  #remembered = new Map<NodeName, ReadonlySet<string>>();

  constructor(mayRun: MayRun = [], remembered: RememberedResources = []) {
    this.#mayRun = new Map(mayRun);
    this.#remembered = new Map(remembered.map(([node, resources]) => [node, new Set(resources)]));
  }

  copy(): Unseen {
    return new Unseen(this.mayRun, this.remembered);
  }

  /** What may have left a service active on each node, of which nothing is known there. */
  get mayRun(): MayRun {
    return [...this.#mayRun];
  }

  mayRunOn(node: NodeName): readonly Operation[] {
    return this.#mayRun.get(node) ?? [];
  }

  get remembered(): RememberedResources {
    return [...this.#remembered].map(([node, resources]) => [node, [...resources]]);
  }

  /** A node has told all that it knows. */
  told(node: NodeName, { interrupted, remembered }: ExecutorHistory): void {
    this.lost(node);
    // What was only looked for in vain is looked for again where it is configured, and was never begun.
    const begun = interrupted.filter((operation) => !isMereLook(operation));
    if (begun.length > 0) this.#mayRun.set(node, begun);
    if (remembered.length > 0) this.#remembered.set(node, new Set(remembered));
  }

  /** A node is off, and runs nothing. */
  lost(node: NodeName): void {
    this.#mayRun.delete(node);
    this.#remembered.delete(node);
  }

  /** An operation has ended there: something is known of its resource. */
  saw(node: NodeName, { rsc, intervalMs, status }: OperationResult): void {
    if (status === OpStatus.CANCELLED || status === OpStatus.PENDING) return;
    this.#believed(node, rsc.id);
    if (intervalMs === 0) this.#drop(node, rsc.id);
  }

  /** The history of a resource on a node is forgotten, as is what is remembered of it. It may run if `still` says so. */
  forgotten(node: NodeName, rsc: string, still: Operation | undefined): void {
    this.#believed(node, rsc);
    if (!still) return;
    this.#drop(node, rsc);
    this.#mayRun.set(node, [...(this.#mayRun.get(node) ?? []), still]);
  }

  /** What is known of a resource on a node may not hold any more, as if an earlier daemon had known it. */
  doubt(node: NodeName, rsc: string): void {
    this.#remembered.set(node, new Set([...(this.#remembered.get(node) ?? []), rsc]));
  }

  get remembersAnything(): boolean {
    return this.#remembered.size > 0;
  }

  /** Whether what is known of a resource on a node is what a daemon before remembered. */
  isRemembered(node: NodeName, rsc: string): boolean {
    return this.#remembered.get(node)?.has(rsc) === true;
  }

  /** Where of these resources nothing is known but what a daemon before remembered. */
  rememberedOf(isMeant: (rsc: string) => boolean): readonly Place[] {
    return [...this.#remembered].flatMap(([node, resources]) =>
      [...resources].filter(isMeant).map((rsc) => ({ node, rsc: rsc as ResourceId })),
    );
  }

  #believed(node: NodeName, rsc: string): void {
    const before = this.#remembered.get(node);
    if (!before?.has(rsc)) return;
    const rest = new Set(before);
    rest.delete(rsc);
    if (rest.size > 0) this.#remembered.set(node, rest);
    else this.#remembered.delete(node);
  }

  #drop(node: NodeName, rsc: string): void {
    const rest = this.#mayRun.get(node)?.filter((operation) => operation.rsc.id !== rsc) ?? [];
    if (rest.length > 0) this.#mayRun.set(node, rest);
    else this.#mayRun.delete(node);
  }
}

/**
 * What the history of a node says of a service that may run there and that no configuration knows any more, so that
 * nobody looks for it: as of one that was to be started and has not answered. It is shown, and stopped as any other that
 * was removed.
 */
export function supposedActive(operation: Operation, at: EpochSeconds): OperationResult {
  const promoted = operation.action === "promote" || operation.action === "demote";
  return {
    ...pendingResult({ ...operation, action: promoted ? "promote" : "start", intervalMs: 0 }, at),
    exitReason: "it may run: the daemon died before that was known",
  };
}

/** By which ids the instances of a clone are looked for: those with a number below this, or only by the one without. */
type Numbering = { readonly below: number } | "plain";

type FindById = (id: string | undefined) => XmlElement | undefined;

/** Of options that are given several times (for several rules) those count that leave less to be looked for. */
function numberingOf(clone: XmlElement, find: FindById): Numbering {
  const given = (name: string): string[] =>
    childrenOf(clone, "meta_attributes")
      .map((set) => find(set.attributes.get("id-ref")) ?? set)
      .flatMap((set) => childrenOf(set, "nvpair"))
      .filter(({ attributes }) => attributes.get("name") === name)
      .map(({ attributes }) => attributes.get("value") ?? "");
  const unique = given("globally-unique").map((text) => parseBoolean(text) ?? false);
  if (!unique.includes(true)) return "plain";
  if (unique.includes(false)) return { below: 0 };
  const most = given("clone-max").map((text) => parseInteger(text) ?? 0);
  return { below: Math.min(...most, Number.MAX_SAFE_INTEGER) };
}

function isLookedFor(id: string, plain: string, numbering: Numbering | undefined): boolean {
  if (numbering === undefined) return true;
  const number = id === plain ? undefined : Number(id.slice(plain.length + 1));
  if (numbering === "plain") return number === undefined;
  return number !== undefined && number < numbering.below;
}

/**
 * Tells whether a resource of that name and agent is configured, so that the cluster looks for it by itself: of an instance
 * that had a number, or has none, only as the clone has it now. Parts of bundles and what a template gives its agent count
 * by their name alone.
 */
export function isConfigured(
  configuration: XmlElement | undefined,
  familyOf: (rsc: string) => string,
): (rsc: AgentResource) => boolean {
  /** Inside bundles names are made in other ways: without numbering. */
  const primitives = new Map<
    string,
    { readonly xml: XmlElement; readonly numbering: Numbering | undefined }
  >();
  const families = new Set<string>();
  const note = (xml: XmlElement, numbering: Numbering | undefined) => {
    const id = xml.attributes.get("id");
    if (xml.name === "primitive" && id !== undefined) primitives.set(id, { xml, numbering });
    for (const inner of xml.children) note(inner, numbering);
  };
  const resources = child(configuration, "resources");
  let index: ReadonlyMap<string, XmlElement> | undefined;
  const find: FindById = (id) => {
    if (id === undefined || !resources) return undefined;
    index ??= indexById(resources);
    return index.get(id);
  };
  for (const xml of resources?.children ?? []) {
    const id = xml.attributes.get("id");
    if (xml.name === "template") continue;
    if (id !== undefined) families.add(id);
    const isClone = xml.name === "clone" || xml.name === "master";
    note(xml, isClone ? numberingOf(xml, find) : xml.name === "bundle" ? undefined : "plain");
  }
  return (rsc) => {
    const plain = withoutInstance(rsc.id);
    const primitive = primitives.get(plain);
    const family = familyOf(plain);
    if (!primitive) return family !== plain && families.has(family);
    if (!isLookedFor(rsc.id, plain, primitive.numbering)) return false;
    const { attributes } = primitive.xml;
    if (attributes.get("template") !== undefined) return true;
    return (
      attributes.get("class") === rsc.class &&
      attributes.get("type") === rsc.type &&
      (attributes.get("provider") ?? "") === (rsc.provider ?? "")
    );
  };
}

/** The CIB as it is without what the histories say of resources on some nodes: as if nobody had looked for them there. */
export function withoutHistories(cib: XmlElement, places: readonly UnseenPlace[]): XmlElement {
  const gone = Map.groupBy(places, ({ nodeId }) => nodeId);
  const within = (
    parent: XmlElement,
    name: string,
    change: (inner: XmlElement) => XmlElement,
  ): XmlElement => ({
    ...parent,
    children: parent.children.map((inner) => (inner.name === name ? change(inner) : inner)),
  });
  return within(cib, "status", (status) =>
    within(status, "node_state", (state) => {
      const resources = new Set<string>(gone.get(state.attributes.get("id") ?? "")?.map(({ rsc }) => rsc));
      if (resources.size === 0) return state;
      return within(state, "lrm", (lrm) =>
        within(lrm, "lrm_resources", (list) => ({
          ...list,
          children: list.children.filter(({ attributes }) => !resources.has(attributes.get("id") ?? "")),
        })),
      );
    }),
  );
}
