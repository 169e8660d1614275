import { unpackConstraints } from "./constraints.ts";
import { type FailCount, failCount } from "./failcount.ts";
import type { Cluster, Node, Resource } from "./model.ts";
import { unpackerOf } from "./unpacker.ts";

/** What displays ask of a working set that was only unpacked. */

/** Reads the constraints: locations, and tickets that nothing but a constraint names. Once for a working set. */
export const readConstraints = (cluster: Cluster): void => unpackConstraints(unpackerOf(cluster));

/** Failures of a resource on a node as they are recorded, expired ones too. */
export const failuresOf = (cluster: Cluster, node: Node, rsc: Resource): FailCount =>
  failCount(unpackerOf(cluster), node, rsc);
