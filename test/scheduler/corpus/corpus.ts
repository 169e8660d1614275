import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { compareVersions, parseXml, type XmlElement } from "../../../src/cib/index.ts";
import { Random } from "../../sim/random.ts";
import { generatedAt } from "../random-cluster.ts";
import { every } from "../wide/wide.ts";
import { constraintChanges, newConstraints, ticketChanges } from "./constraint-changes.ts";
import { historyChanges } from "./history-changes.ts";
import { nodeAttributes, nodeConditions } from "./node-changes.ts";
import { optionChanges } from "./option-changes.ts";
import {
  cloneChanges,
  metaChanges,
  operationChanges,
  removals,
  utilizationChanges,
} from "./resource-changes.ts";
import { configured, type Topic, type Variant } from "./variant.ts";

/** Everything that can be changed, by topic. */
const topics: Readonly<Record<string, Topic>> = {
  nodes: { weight: 5, changes: nodeConditions },
  "node attributes": { weight: 3, changes: nodeAttributes },
  history: { weight: 6, changes: historyChanges },
  meta: { weight: 4, changes: metaChanges },
  clones: { weight: 2, changes: cloneChanges },
  operations: { weight: 2, changes: operationChanges },
  utilization: { weight: 1, changes: utilizationChanges },
  removals: { weight: 0.5, changes: removals },
  constraints: { weight: 4, changes: constraintChanges },
  "new constraints": { weight: 2, changes: newConstraints },
  tickets: { weight: 1, changes: ticketChanges },
  options: { weight: 3, changes: optionChanges },
};

/** A cluster of a file with some small changes. */
export interface PerturbedCluster {
  /** Name of the file, without `.xml`. */
  readonly name: string;
  /** `TOPIC: WHAT` of each change. */
  readonly changes: readonly string[];
  readonly cib: XmlElement;
}

/** Clusters in the CIB files of a directory, and what small changes make of them. */
export class Corpus {
  readonly names: readonly string[];

  constructor(
    private readonly directory: string,
    /** Changes that a cluster has at most. */
    private readonly most = 4,
  ) {
    this.names = readdirSync(directory)
      .filter((file) => file.endsWith(".xml"))
      .map((file) => file.slice(0, -".xml".length))
      .sort();
    if (this.names.length === 0) throw new Error(`no .xml files in ${directory}`);
  }

  /** A cluster as it is in its file, in words that Pacemaker 2.1 knows. */
  read(name: string): XmlElement {
    const file = join(this.directory, `${name}.xml`);
    return inOlderWords(parseXml(readFileSync(file, "utf8"), file));
  }

  /**
   * The cluster of a seed: one of the files with some changes, or with those of them whose numbers are in `only`.
   * The same seed gives the same cluster.
   */
  perturbed(seed: number, only?: readonly number[]): PerturbedCluster {
    const random = new Random(seed, 60);
    const name = random.pick(this.names);
    const cib = this.read(name);
    const now = Number(cib.attributes.get("execution-date"));
    const changes = Array.from({ length: random.between(1, this.most) }, (_, at) =>
      only && !only.includes(at) ? undefined : applyChange({ cib, now, random: new Random(seed, 61 + at) }),
    );
    return { name, changes: changes.filter((change) => change !== undefined), cib };
  }
}

/** Draws changes until the cluster has something that one can be made to; says which one was made. */
function applyChange(variant: Variant): string | undefined {
  const weighted = Object.entries(topics).map(([topic, { weight }]) => [weight, topic] as const);
  for (let tries = 0; tries < 40; tries++) {
    const topic = variant.random.weighted(weighted);
    const what = variant.random.pick(topics[topic]?.changes ?? [])(variant);
    if (what !== undefined) return `${topic}: ${what}`;
  }
  return undefined;
}

/** Names of options that are others since 3.0. */
const renamed: ReadonlyMap<string, string> = new Map([
  ["fencing-enabled", "stonith-enabled"],
  ["fencing-timeout", "stonith-timeout"],
  ["fencing-action", "stonith-action"],
  ["fencing-watchdog-timeout", "stonith-watchdog-timeout"],
  ["fencing-max-attempts", "stonith-max-attempts"],
  ["stop-removed-resources", "stop-orphan-resources"],
  ["cancel-removed-actions", "stop-orphan-actions"],
]);

/** The newest schema and the oldest feature set with fail counts by operation that 2.1.5 reads. */
const newestSchema = "pacemaker-3.9";
const oldestFeatures = "3.0.14";

/** Changes a cluster so that 2.1.5 reads in it what 3.x reads; gives it a time where it has none. */
function inOlderWords(cib: XmlElement): XmlElement {
  const { attributes } = cib;
  if (!attributes.has("execution-date")) attributes.set("execution-date", String(generatedAt));
  const schema = attributes.get("validate-with") ?? "none";
  if (/^pacemaker-(3\.1\d|4)/.test(schema)) attributes.set("validate-with", newestSchema);
  const features = attributes.get("crm_feature_set") ?? "0";
  if (compareVersions(features, oldestFeatures) < 0) attributes.set("crm_feature_set", oldestFeatures);
  for (const pair of configured({ cib, random: new Random(0), now: 0 }, "nvpair")) {
    const older = renamed.get(pair.attributes.get("name") ?? "");
    if (older !== undefined) pair.attributes.set("name", older);
  }
  for (const history of every(cib, "lrm_resource")) nameOperations(history);
  return cib;
}

/**
 * 2.1 looks for the options of an operation by the key in the history, 3.x by its name and interval. Files written by
 * hand have entries without a key and with any id: they get one, so that both find the same.
 */
function nameOperations(history: XmlElement): void {
  for (const { attributes } of history.children) {
    const [task, interval] = [attributes.get("operation"), attributes.get("interval")];
    if (task === undefined || attributes.has("operation_key")) continue;
    attributes.set("operation_key", `${history.attributes.get("id")}_${task}_${interval ?? 0}`);
  }
}
