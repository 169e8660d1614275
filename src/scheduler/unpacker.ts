import {
  child,
  childrenOf,
  type FindById,
  type NvpairOptions,
  type NvpairResult,
  type RuleContext,
  unpackNvpairs,
  type XmlElement,
} from "../cib/index.ts";
import type { EpochSeconds } from "../terms/index.ts";
import type { Action, Cluster, Node, Resource } from "./model.ts";

/** An operation of the history to be compared with the configuration: a last failure, or what is active by it. */
export interface LateCheck {
  readonly rsc: Resource;
  readonly xml: XmlElement;
  readonly node: Node;
  readonly about: "failure" | "active";
}

/** State of reading one CIB into a working set. */
export class Unpacker {
  readonly find: FindById;
  readonly nvOptions: NvpairOptions;
  readonly rscDefaults: readonly XmlElement[];
  readonly opDefaults: readonly XmlElement[];
  readonly configuration: XmlElement | undefined;
  unfencing = false;
  /** What makes connections that go by the name of a member: nothing is done with them. */
  readonly toMembers = new Set<XmlElement>();
  /** Containers to be stopped once all histories have been read. */
  stopNeeded: { readonly container: Resource }[] = [];
  /** Resources by the id under which a node's history has them, where that is another one. */
  readonly byHistoryId = new Map<string, Resource>();
  /** Clearing of failures that must wait for the fencing of the remote node. */
  readonly afterRemoteFencing: { readonly clear: Action; readonly rsc: Resource }[] = [];
  /** Recurring operations of the history that failed so long ago that the failure counts no more, and go on. */
  readonly outlivedFailures = new Set<XmlElement>();
  /** Operations whose parameters can be compared only when places are known. */
  readonly lateChecks: LateCheck[] = [];

  constructor(
    readonly cluster: Cluster,
    cib: XmlElement,
    find: FindById,
  ) {
    this.find = find;
    this.nvOptions = { find };
    this.configuration = child(cib, "configuration");
    this.rscDefaults = childrenOf(this.configuration, "rsc_defaults");
    this.opDefaults = childrenOf(this.configuration, "op_defaults");
  }

  /** Unpacks blocks and remembers when their rules may change. */
  values(parents: readonly XmlElement[], block: string, context: RuleContext): NvpairResult["values"] {
    const result = unpackNvpairs(parents, block, context, this.nvOptions);
    this.noteRecheck(result.nextChange);
    return result.values;
  }

  /** Parameter of a resource that does not depend on a node. */
  parameter(rsc: Resource, name: string): string | undefined {
    for (let part: Resource | undefined = rsc; part; part = part.parent) {
      const found = this.values([part.xml], "instance_attributes", {
        now: this.cluster.now,
        utcOffset: this.cluster.utcOffset,
      }).get(name);
      if (found) return found.value;
    }
    return undefined;
  }

  noteRecheck(at: EpochSeconds | undefined): void {
    noteRecheck(this.cluster, at);
  }
}

/** Remembers the earliest time at which deciding again may give something else. */
export function noteRecheck(cluster: Cluster, at: EpochSeconds | undefined): void {
  if (at === undefined || at <= cluster.now) return;
  if (cluster.recheckAt === undefined || at < cluster.recheckAt) cluster.recheckAt = at;
}

const unpackers = new WeakMap<Cluster, Unpacker>();

/** Makes `unpackerOf` find it. */
export function registerUnpacker(unpacker: Unpacker): void {
  unpackers.set(unpacker.cluster, unpacker);
}

/** The unpacker that made a working set: op defaults and references are needed while actions are made. */
export function unpackerOf(cluster: Cluster): Unpacker {
  const unpacker = unpackers.get(cluster);
  if (!unpacker) throw new Error("the working set was not made by unpackCluster");
  return unpacker;
}
