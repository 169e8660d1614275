import { element, type XmlElement } from "../../src/cib/index.ts";
import { Random } from "../sim/random.ts";
import { nvset, type Pairs } from "./nvset.ts";
import { randomConstraints } from "./random-constraints.ts";
import { randomStatus } from "./random-status.ts";

/** A primitive of a generated cluster, and what its history can look like. */
export interface Instance {
  readonly id: string;
  readonly class: "ocf" | "stonith";
  readonly type: string;
  readonly promotable: boolean;
  /** Instances that may run at a time; more than one for clones. */
  readonly copies: number;
  /** The history keeps `:n` behind the name. */
  readonly unique: boolean;
  readonly migratable: boolean;
}

/** A resource that constraints can name. */
export interface Named {
  readonly id: string;
  readonly clone: boolean;
  readonly promotable: boolean;
}

/** What later parts of the generator know of a cluster. */
export interface Sketch {
  readonly random: Random;
  readonly nodes: readonly string[];
  readonly instances: Instance[];
  readonly named: Named[];
  /** Nodes carry the attribute that rules and colocations may use. */
  readonly attribute: "rack";
  readonly tickets: string[];
}

/** Time of every generated cluster, in seconds. */
export const generatedAt = 1_700_000_000;

/**
 * A random cluster as a whole CIB; the same seed gives the same cluster. Every feature has its own chance, so that
 * most clusters mix a few and none has all. All are valid against the schema.
 */
export function randomCluster(seed: number): XmlElement {
  return sketchCluster(seed).cib;
}

/** A random cluster together with what the generator knows of it. */
export function sketchCluster(seed: number): { readonly cib: XmlElement; readonly sketch: Sketch } {
  const random = new Random(seed, 4);
  const count = random.chance(0.8) ? random.between(2, 4) : random.between(5, 16);
  const nodes = Array.from({ length: count }, (_, at) => `node${String(at + 1).padStart(2, "0")}`);
  const sketch: Sketch = {
    random,
    nodes,
    instances: [],
    named: [],
    attribute: "rack",
    tickets: random.chance(0.1) ? ["ticketA"] : [],
  };
  const utilization = random.chance(0.2);
  const properties = clusterProperties(random, utilization);
  const nodeElements = nodes.map((name, at) => nodeElement(sketch, name, at + 1, utilization));
  const resources = randomResources(sketch, utilization);
  const constraints = randomConstraints(sketch);
  const defaults: Pairs = random.chance(0.3)
    ? [["resource-stickiness", random.pick(["1", "100", "INFINITY"])]]
    : [];
  const status = randomStatus(sketch);
  const cib = element(
    "cib",
    {
      "validate-with": "pacemaker-3.9",
      crm_feature_set: "3.16.1",
      admin_epoch: 0,
      epoch: 1,
      num_updates: 0,
      "have-quorum": random.chance(0.9) ? 1 : 0,
      "dc-uuid": 1,
      "execution-date": generatedAt,
    },
    [
      element("configuration", {}, [
        element("crm_config", {}, nvset("cluster_property_set", "cib-bootstrap", properties)),
        element("nodes", {}, nodeElements),
        element("resources", {}, resources),
        element("constraints", {}, constraints),
        element("rsc_defaults", {}, nvset("meta_attributes", "rsc-defaults", defaults)),
      ]),
      status,
    ],
  );
  return { cib, sketch };
}

function clusterProperties(random: Random, utilization: boolean): Pairs {
  // Devices in parallel are the default since 3.0, and were not before.
  const pairs: [string, string][] = [
    ["stonith-enabled", random.chance(0.7) ? "true" : "false"],
    ["concurrent-fencing", "true"],
  ];
  const maybe = (chance: number, name: string, values: readonly string[]) => {
    if (random.chance(chance)) pairs.push([name, random.pick(values)]);
  };
  maybe(0.3, "no-quorum-policy", ["stop", "freeze", "ignore", "demote"]);
  maybe(0.08, "symmetric-cluster", ["false"]);
  maybe(0.03, "maintenance-mode", ["true"]);
  maybe(0.1, "start-failure-is-fatal", ["false"]);
  maybe(0.05, "startup-fencing", ["false"]);
  maybe(0.05, "stop-all-resources", ["true"]);
  maybe(0.05, "stop-orphan-resources", ["false"]);
  maybe(0.05, "enable-startup-probes", ["false"]);
  maybe(0.05, "stonith-action", ["off"]);
  if (utilization) pairs.push(["placement-strategy", random.pick(["utilization", "minimal", "balanced"])]);
  return pairs;
}

function nodeElement(sketch: Sketch, name: string, id: number, utilization: boolean): XmlElement {
  const { random } = sketch;
  const pairs: [string, string][] = [];
  if (random.chance(0.08)) pairs.push(["standby", "on"]);
  if (random.chance(0.04)) pairs.push(["maintenance", "true"]);
  if (random.chance(0.5)) pairs.push([sketch.attribute, random.pick(["a", "b"])]);
  const children = nvset("instance_attributes", name, pairs);
  if (utilization) {
    children.push(
      ...nvset("utilization", name, [
        ["cpu", String(random.between(1, 8))],
        ...(random.chance(0.5) ? [["memory", String(random.between(1, 8))] as const] : []),
      ]),
    );
  }
  return element("node", { id, uname: name }, children);
}

function randomResources(sketch: Sketch, utilization: boolean): XmlElement[] {
  const { random } = sketch;
  const result: XmlElement[] = [];
  if (random.chance(0.7)) {
    result.push(primitive(sketch, "fencing", { class: "stonith", utilization: false }));
    sketch.named.push({ id: "fencing", clone: false, promotable: false });
  }
  const count = random.between(1, 6);
  for (let at = 1; at <= count; at++) {
    const kind = random.unit();
    if (kind < 0.5) {
      const id = `p${at}`;
      result.push(primitive(sketch, id, { utilization }));
      sketch.named.push({ id, clone: false, promotable: false });
    } else if (kind < 0.7) result.push(group(sketch, `g${at}`, { utilization }));
    else result.push(clone(sketch, at, utilization));
  }
  return result;
}

interface PartOptions {
  readonly class?: "ocf" | "stonith";
  readonly utilization: boolean;
  readonly promotable?: boolean;
  readonly copies?: number;
  readonly unique?: boolean;
}

function primitive(sketch: Sketch, id: string, options: PartOptions): XmlElement {
  const { random } = sketch;
  const { promotable = false, copies = 1, unique = false } = options;
  const standard = options.class ?? "ocf";
  const type = standard === "stonith" ? "fence_dummy" : promotable ? "Stateful" : "Dummy";
  const migratable = standard === "ocf" && !promotable && random.chance(0.15);
  const meta = resourceMeta(random);
  if (migratable) meta.push(["allow-migrate", "true"]);
  sketch.instances.push({ id, class: standard, type, promotable, copies, unique, migratable });
  return element(
    "primitive",
    { id, class: standard, ...(standard === "ocf" ? { provider: "pacemaker" } : {}), type },
    [
      ...nvset("meta_attributes", id, meta),
      ...(options.utilization ? nvset("utilization", id, [["cpu", String(random.between(1, 4))]]) : []),
      element("operations", {}, operations(random, id, promotable)),
    ],
  );
}

/** Meta attributes that any resource may have; most have none. */
function resourceMeta(random: Random): [string, string][] {
  const pairs: [string, string][] = [];
  const maybe = (chance: number, name: string, values: readonly string[]) => {
    if (random.chance(chance)) pairs.push([name, random.pick(values)]);
  };
  maybe(0.1, "priority", ["1", "5", "10", "-1"]);
  maybe(0.06, "target-role", ["Stopped", "Started", "Slave"]);
  maybe(0.05, "is-managed", ["false"]);
  maybe(0.15, "resource-stickiness", ["0", "1", "50", "INFINITY", "-1"]);
  maybe(0.15, "migration-threshold", ["1", "2", "3"]);
  maybe(0.1, "failure-timeout", ["60s", "10h"]);
  maybe(0.08, "multiple-active", ["block", "stop_only", "stop_start"]);
  maybe(0.08, "requires", ["nothing", "quorum", "fencing"]);
  maybe(0.05, "critical", ["false"]);
  return pairs;
}

function operations(random: Random, id: string, promotable: boolean): XmlElement[] {
  const result: XmlElement[] = [];
  const add = (name: string, interval: number, role?: string) =>
    result.push(
      element("op", {
        id: `${id}-${name}-${interval}`,
        name,
        interval: `${interval}s`,
        timeout: "20s",
        role,
        "on-fail": random.chance(0.12)
          ? random.pick(
              name === "stop"
                ? ["block", "ignore"]
                : ["ignore", "block", "stop", "restart", "standby", "fence"],
            )
          : undefined,
      }),
    );
  if (promotable) {
    if (random.chance(0.9)) add("monitor", 10, "Master");
    if (random.chance(0.9)) add("monitor", 11, "Slave");
  } else if (random.chance(0.85)) add("monitor", 10);
  if (random.chance(0.06)) add("monitor", 12, "Stopped");
  if (random.chance(0.1)) add("start", 0);
  if (random.chance(0.1)) add("stop", 0);
  return result;
}

function group(sketch: Sketch, id: string, options: PartOptions): XmlElement {
  const { random } = sketch;
  const members = Array.from({ length: random.between(1, 3) }, (_, at) =>
    primitive(sketch, `${id}m${at + 1}`, options),
  );
  if ((options.copies ?? 1) === 1) sketch.named.push({ id, clone: false, promotable: false });
  return element("group", { id }, [...nvset("meta_attributes", id, resourceMeta(random)), ...members]);
}

function clone(sketch: Sketch, at: number, utilization: boolean): XmlElement {
  const { random } = sketch;
  const promotable = random.chance(0.5);
  const unique = random.chance(0.15);
  const id = `c${at}`;
  const meta = resourceMeta(random);
  const maybe = (chance: number, name: string, values: readonly string[]) => {
    if (random.chance(chance)) meta.push([name, random.pick(values)]);
  };
  let copies = sketch.nodes.length;
  if (random.chance(0.4)) {
    copies = random.between(1, Math.min(4, sketch.nodes.length + 1));
    meta.push(["clone-max", String(copies)]);
  }
  maybe(0.5, "interleave", ["true"]);
  maybe(0.2, "ordered", ["true"]);
  maybe(0.3, "notify", ["true"]);
  maybe(0.1, "clone-min", ["1", "2"]);
  if (unique) {
    meta.push(["globally-unique", "true"]);
    maybe(0.5, "clone-node-max", ["2", "3"]);
  }
  if (promotable) {
    meta.push(["promotable", "true"]);
    maybe(0.2, "promoted-max", ["1", "2"]);
  }
  sketch.named.push({ id, clone: true, promotable });
  const options: PartOptions = { utilization, promotable, copies: Math.max(copies, 2), unique };
  const inner = random.chance(0.25)
    ? group(sketch, `cg${at}`, options)
    : primitive(sketch, `cp${at}`, options);
  return element("clone", { id }, [...nvset("meta_attributes", id, meta), inner]);
}
