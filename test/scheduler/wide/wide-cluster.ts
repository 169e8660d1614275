import type { XmlElement } from "../../../src/cib/index.ts";
import { Random } from "../../sim/random.ts";
import { sketchCluster } from "../random-cluster.ts";
import { maintenance, metaAttributes, targetRoles } from "./levels.ts";
import { moreOperations, onFail } from "./operations.ts";
import { references, tags, templates } from "./references.ts";
import { datedValues, locationRules, operationValues, ruledDefaults } from "./rules.ts";
import { dropEmpty, type Feature } from "./wide.ts";

interface Part {
  /** Stream of its random numbers: stays when parts come and go. */
  readonly stream: number;
  readonly chance: number;
  readonly add: Feature;
}

/** In the order in which they are added: what makes resources comes before what changes them. */
const parts: Readonly<Record<string, Part>> = {
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
  templates: { stream: 31, chance: 0.15, add: templates },
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
