import type { XmlElement } from "../../../src/cib/index.ts";
import { Random } from "../../sim/random.ts";
import { sketchCluster } from "../random-cluster.ts";
import { bundles } from "./bundles.ts";
import { changedParameters, migrations, pendingOperations, strangers } from "./history.ts";
import { maintenance, metaAttributes, targetRoles } from "./levels.ts";
import { discovery, health, nodeAttributes, options, shutdownLocks, topology, unfencing } from "./nodes.ts";
import { moreOperations, onFail } from "./operations.ts";
import { downOrders } from "./orders.ts";
import { references, tags, templates } from "./references.ts";
import { guestNodes, remoteNodes } from "./remotes.ts";
import { containers, lifetimes, privateParameters, ruledAttributes, ruledParameters } from "./ruled.ts";
import { datedValues, locationRules, operationValues, ruledDefaults } from "./rules.ts";
import { oldSchema } from "./schema.ts";
import { dropEmpty, type Feature } from "./wide.ts";

interface Part {
  /** Stream of its random numbers: stays when parts come and go. */
  readonly stream: number;
  readonly chance: number;
  readonly add: Feature;
}

/** In the order in which they are added: what makes resources comes before what changes them. */
const parts: Readonly<Record<string, Part>> = {
  remotes: { stream: 43, chance: 0.2, add: remoteNodes },
  guests: { stream: 44, chance: 0.15, add: guestNodes },
  bundles: { stream: 45, chance: 0.25, add: bundles },
  "down-orders": { stream: 52, chance: 0.15, add: downOrders },
  "on-fail": { stream: 20, chance: 0.25, add: onFail },
  operations: { stream: 21, chance: 0.25, add: moreOperations },
  maintenance: { stream: 22, chance: 0.15, add: maintenance },
  "target-role": { stream: 23, chance: 0.15, add: targetRoles },
  meta: { stream: 24, chance: 0.2, add: metaAttributes },
  "location-rules": { stream: 25, chance: 0.25, add: locationRules },
  "dated-values": { stream: 26, chance: 0.15, add: datedValues },
  "ruled-defaults": { stream: 27, chance: 0.15, add: ruledDefaults },
  "operation-values": { stream: 28, chance: 0.15, add: operationValues },
  tags: { stream: 29, chance: 0.15, add: tags },
  references: { stream: 30, chance: 0.15, add: references },
  options: { stream: 32, chance: 0.2, add: options },
  health: { stream: 33, chance: 0.1, add: health },
  "shutdown-locks": { stream: 34, chance: 0.1, add: shutdownLocks },
  topology: { stream: 35, chance: 0.05, add: topology },
  unfencing: { stream: 36, chance: 0.12, add: unfencing },
  discovery: { stream: 37, chance: 0.15, add: discovery },
  "node-attributes": { stream: 38, chance: 0.15, add: nodeAttributes },
  parameters: { stream: 39, chance: 0.15, add: changedParameters },
  strangers: { stream: 40, chance: 0.15, add: strangers },
  migrations: { stream: 41, chance: 0.15, add: migrations },
  pending: { stream: 42, chance: 0.12, add: pendingOperations },
  lifetimes: { stream: 47, chance: 0.1, add: lifetimes },
  "ruled-attributes": { stream: 48, chance: 0.12, add: ruledAttributes },
  "ruled-parameters": { stream: 49, chance: 0.12, add: ruledParameters },
  "private-parameters": { stream: 50, chance: 0.08, add: privateParameters },
  containers: { stream: 51, chance: 0.12, add: containers },
  templates: { stream: 31, chance: 0.15, add: templates },
  "old-schema": { stream: 46, chance: 0.1, add: oldSchema },
};

/** Names of the features that a wide cluster can have. */
export const featureNames: readonly string[] = Object.keys(parts);

/**
 * The cluster of the same seed from the plain generator, with some features more. With `only` it gets that feature
 * and no other.
 */
export function wideCluster(seed: number, only?: string): XmlElement {
  const { cib, sketch } = sketchCluster(seed);
  for (const [name, { stream, chance, add }] of Object.entries(parts)) {
    const random = new Random(seed, stream);
    const wanted = random.chance(chance);
    if (only === undefined ? wanted : only === name) add({ cib, sketch, random });
  }
  dropEmpty({ cib });
  return cib;
}
