import { lookup, nearest, type OptionSpec } from "../terms/index.ts";
import { badUtilization, cureOfNodeValue } from "./node-values.ts";
import { indexById, plainValues, unpackNvpairs } from "./nvpairs.ts";
import { cureFor } from "./option-value.ts";
import { clusterProperties } from "./options/cluster.ts";
import { byName, canonicalProperties } from "./options/lookup.ts";
import { cloneMeta, groupMeta, nodeOptions, operationOptions, resourceMeta } from "./options/resource.ts";
import { isPromotable } from "./promotable.ts";
import { type CibProblem, problemAt, remoteNames } from "./references.ts";
import { type Settled, settledPrimitives } from "./settled.ts";
import { parseIntervalMs, parseTime } from "./time.ts";
import { parseBoolean, parseInteger } from "./values.ts";
import { propertyNameIn } from "./verify-names.ts";
import { lengthProblems } from "./verify-values.ts";
import { child, childrenOf, type XmlElement } from "./xml.ts";

const cluster = byName(clusterProperties);
const operation = byName(operationOptions);
const node = byName(nodeOptions);
/** What a container has, what it holds inherits. */
const metaTables: Readonly<Record<string, ReadonlyMap<string, OptionSpec>>> = lookup({
  primitive: byName(resourceMeta),
  template: byName(resourceMeta),
  group: byName([...resourceMeta, ...groupMeta]),
  clone: byName([...resourceMeta, ...cloneMeta, ...groupMeta]),
  bundle: byName([...resourceMeta, ...cloneMeta]),
});
const cloned = byName(cloneMeta);
const anyMeta = byName([...resourceMeta, ...cloneMeta, ...groupMeta]);

/** Options that nobody knows or whose values are none, and a configuration without fencing. */
export function findOptionProblems(configuration: XmlElement): CibProblem[] {
  const problems: CibProblem[] = [];
  const check = (
    parent: XmlElement | undefined,
    block: string,
    table: ReadonlyMap<string, OptionSpec>,
    what: string,
  ) => {
    for (const set of childrenOf(parent, block))
      for (const pair of childrenOf(set, "nvpair")) problems.push(...checkPair(pair, table, what));
  };
  check(child(configuration, "crm_config"), "cluster_property_set", cluster, "cluster property");
  check(child(configuration, "rsc_defaults"), "meta_attributes", anyMeta, "resource default");
  check(child(configuration, "op_defaults"), "meta_attributes", operation, "operation default");
  const index = indexById(configuration);
  const members = childrenOf(child(configuration, "nodes"), "node");
  // A remote node may run an instance as any other; one that is not configured yet cannot be counted.
  const far = remoteNames(child(configuration, "resources"));
  const names = members.flatMap(({ attributes }) => attributes.get("uname") ?? []);
  const places = members.length === 0 ? 0 : new Set([...names, ...far]).size;
  const promotes = (resource: XmlElement) => isPromotable(resource, (id) => index.get(id));
  const visit = (parent: XmlElement, promotable = false) => {
    for (const resource of parent.children) {
      const table = metaTables[resource.name];
      if (table === undefined) continue;
      check(resource, "meta_attributes", table, "meta attribute");
      problems.push(...checkTargetRole(resource, promotable || promotes(resource)));
      problems.push(...checkMisplaced(resource, table));
      problems.push(...checkCloned(resource, parent, table));
      problems.push(...checkUtilization(resource), ...checkUnfenced(resource));
      problems.push(...checkInstances(resource, places));
      for (const op of childrenOf(child(resource, "operations"), "op")) {
        problems.push(...unusedAt(op));
        check(op, "meta_attributes", operation, "operation property");
        // What crm text does not know of an operation is for the agent: a slip of the pen would be, too.
        for (const pair of childrenOf(op, "instance_attributes").flatMap((set) => childrenOf(set, "nvpair")))
          if (!operation.has(pair.attributes.get("name") ?? ""))
            problems.push(...checkPair(pair, operation, "operation property"));
      }
      visit(resource, promotable || promotes(resource));
    }
  };
  const resources = child(configuration, "resources");
  if (resources) visit(resources);
  const nodes = childrenOf(child(configuration, "nodes"), "node");
  problems.push(...nodes.flatMap(checkUtilization));
  for (const item of nodes)
    for (const set of childrenOf(item, "instance_attributes"))
      for (const pair of childrenOf(set, "nvpair")) problems.push(...checkNodePair(pair));
  problems.push(...checkFencing(configuration), ...findUnfenced(configuration));
  return problems;
}

/** Meta attributes that were given as parameters have no effect; a clone has no parameters of its own at all. */
function checkMisplaced(resource: XmlElement, table: ReadonlyMap<string, OptionSpec>): CibProblem[] {
  const suspects: { has(name: string): boolean } =
    resource.name === "primitive" || resource.name === "template" ? unmistakable : table;
  return childrenOf(resource, "instance_attributes").flatMap((set) =>
    childrenOf(set, "nvpair").flatMap((pair) => {
      const name = pair.attributes.get("name") ?? "";
      if (!suspects.has(name)) return [];
      const text = `"${name}" of ${resource.name} "${resource.attributes.get("id")}" is a meta attribute but stands among the parameters`;
      return [
        problemAt(
          pair,
          "warning",
          "MISPLACED_OPTION",
          text,
          "put it among the meta attributes (crm text: behind meta)",
        ),
      ];
    }),
  );
}

/** What is for clones counts for nothing at a resource that is in none. */
function checkCloned(
  resource: XmlElement,
  parent: XmlElement,
  table: ReadonlyMap<string, OptionSpec>,
): CibProblem[] {
  if ((resource.name !== "primitive" && resource.name !== "group") || parent.name !== "resources") return [];
  return childrenOf(resource, "meta_attributes").flatMap((set) =>
    childrenOf(set, "nvpair").flatMap((pair) => {
      const name = pair.attributes.get("name") ?? "";
      if (table.has(name) || !cloned.has(name)) return [];
      const text = `"${name}" of ${resource.name} "${resource.attributes.get("id")}" has no effect: it is for clones`;
      const cure = "put it among the meta attributes of a clone, or remove it";
      return [problemAt(pair, "warning", "UNUSED_OPTION", text, cure)];
    }),
  );
}

/** A fence device cannot wait for what only fence devices bring about. */
function checkUnfenced(resource: XmlElement): CibProblem[] {
  if (resource.attributes.get("class") !== "stonith") return [];
  return childrenOf(resource, "meta_attributes").flatMap((set) =>
    childrenOf(set, "nvpair").flatMap((pair) => {
      const { attributes } = pair;
      if (attributes.get("name") !== "requires" || attributes.get("value")?.toLowerCase() !== "unfencing")
        return [];
      const text = `requires=unfencing of fence device "${resource.attributes.get("id")}" counts as quorum`;
      return [problemAt(pair, "warning", "DEVICE_UNFENCING", text, "remove it")];
    }),
  );
}

/** More instances than there are can neither run nor be promoted. */
function checkInstances(clone: XmlElement, nodes: number): CibProblem[] {
  if (clone.name !== "clone" && clone.name !== "master") return [];
  const pairs = childrenOf(clone, "meta_attributes").flatMap((set) => childrenOf(set, "nvpair"));
  const named = (name: string) => {
    const spec = cloned.get(name);
    const pair = pairs.find(({ attributes }) => cloned.get(attributes.get("name") ?? "") === spec);
    return { pair, count: parseInteger(pair?.attributes.get("value")) };
  };
  const { count: most } = named("clone-max");
  const perNode = Math.max(1, named("clone-node-max").count ?? 1);
  const { pair: leastPair, count: least } = named("clone-min");
  const beyondNodes = nodes > 0 && least !== undefined && least > nodes * perNode;
  if (leastPair && beyondNodes && !(most !== undefined && least > most)) {
    const text = `clone-min=${least} of clone "${clone.attributes.get("id")}" is more than ${nodes} nodes can run: what is ordered after it never starts`;
    return [problemAt(leastPair, "warning", "BAD_VALUE", text, `write ${nodes * perNode} or less`)];
  }
  return [
    ["clone-min", "what is ordered after it never starts"],
    ["promoted-max", "no more than that are promoted"],
  ].flatMap(([name = "", effect]) => {
    const { pair, count } = named(name);
    if (most === undefined || pair === undefined || count === undefined || count <= most) return [];
    const text = `${name}=${count} of clone "${clone.attributes.get("id")}" is more than its clone-max=${most}: ${effect}`;
    return [problemAt(pair, "warning", "BAD_VALUE", text, `write ${most} or less, or raise clone-max`)];
  });
}

/** What is used up is counted in whole numbers. */
function checkUtilization(owner: XmlElement): CibProblem[] {
  return childrenOf(owner, "utilization").flatMap((set) =>
    childrenOf(set, "nvpair").flatMap((pair) => {
      const { name = "", value } = Object.fromEntries(pair.attributes);
      const whose = `${owner.name} "${owner.attributes.get("uname") ?? owner.attributes.get("id")}"`;
      const text = value === undefined ? undefined : badUtilization(name, value, whose);
      if (text === undefined) return [];
      return [problemAt(pair, "warning", "BAD_VALUE", text, "write a whole number")];
    }),
  );
}

/** Only what can be promoted can be asked to be: anything else is merely started. */
function checkTargetRole(resource: XmlElement, promotable: boolean): CibProblem[] {
  if (promotable || resource.name === "template") return [];
  return childrenOf(resource, "meta_attributes").flatMap((set) =>
    childrenOf(set, "nvpair").flatMap((pair) => {
      const value = pair.attributes.get("value") ?? "";
      if (
        pair.attributes.get("name") !== "target-role" ||
        !/^(promoted|master|unpromoted|slave)$/i.test(value)
      )
        return [];
      const text = `target-role="${value}" of ${resource.name} "${resource.attributes.get("id")}" only makes sense in a promotable clone`;
      return [problemAt(pair, "error", "BAD_VALUE", text, "write Started, or make a promotable clone of it")];
    }),
  );
}

/** Names that no agent has for a parameter. */
export const unmistakable: ReadonlySet<string> = new Set([
  "target-role",
  "is-managed",
  "resource-stickiness",
  "migration-threshold",
  "failure-timeout",
  "multiple-active",
  "allow-migrate",
]);

/** A name that is near a known one is a slip; any other may be somebody's own (agents read meta attributes). */
function checkPair(pair: XmlElement, table: ReadonlyMap<string, OptionSpec>, what: string): CibProblem[] {
  const name = pair.attributes.get("name");
  const value = pair.attributes.get("value");
  if (name === undefined) return [];
  const spec = table.get(name);
  if (spec === undefined) {
    const near = nearest(name, table.keys());
    if (near !== undefined)
      return [
        problemAt(pair, "warning", "UNKNOWN_OPTION", `unknown ${what} "${name}"`, `did you mean "${near}"?`),
      ];
    if (what !== "cluster property") return [];
    const text = `cluster property "${name}" is not one of the cluster's own`;
    return [problemAt(pair, "info", "UNKNOWN_OPTION", text, "some agents keep values there; else remove it")];
  }
  if (value === undefined || value.toLowerCase() === "#default") return [];
  const cure = cureFor(spec, value);
  if (cure === undefined)
    return [
      ...unusedProblems(pair, spec, value, `${what} "${name}"`),
      ...(spec.type === "duration"
        ? lengthProblems(pair, name, value, `<nvpair> "${pair.attributes.get("id")}"`)
        : []),
      ...(table === operation ? originProblems(pair, name, value) : []),
    ];
  return [problemAt(pair, "error", "BAD_VALUE", `${what} ${name}="${value}" is not valid`, cure)];
}

/** What the table cannot say of a value, as that it is a colour, is asked of what refuses it elsewhere. */
function checkNodePair(pair: XmlElement): CibProblem[] {
  const problems = checkPair(pair, node, "node attribute");
  const [name, value] = [pair.attributes.get("name"), pair.attributes.get("value")];
  const cure = name === undefined || value === undefined ? undefined : cureOfNodeValue(name, value);
  if (problems.length > 0 || cure === undefined) return problems;
  return [
    problemAt(
      pair,
      "warning",
      "BAD_VALUE",
      `node attribute ${name}="${value}" has no effect: it is not valid`,
      cure,
    ),
  ];
}

/** An option that does nothing is named; not where it asks for what holds anyway. */
function unusedProblems(at: XmlElement, spec: OptionSpec, value: string, what: string): CibProblem[] {
  const isDefault =
    spec.default !== undefined &&
    (value.toLowerCase() === spec.default ||
      (spec.type === "duration" && parseIntervalMs(value) === parseIntervalMs(spec.default)) ||
      (spec.type === "boolean" && parseBoolean(value) === parseBoolean(spec.default)));
  const why = spec.unused ?? spec.unusedValues?.[value.toLowerCase()];
  if (why === undefined || isDefault) return [];
  const said = spec.unused === undefined ? `${what} has no effect as "${value}"` : `${what} has no effect`;
  return [problemAt(at, "warning", "UNUSED_OPTION", `${said}: ${why}`, "remove it")];
}

/** What stands at an operation itself. */
const unusedAt = (op: XmlElement): CibProblem[] =>
  [...op.attributes].flatMap(([name, value]) => {
    const spec = operation.get(name);
    const unused = spec ? unusedProblems(op, spec, value, `operation property "${name}"`) : [];
    return [...unused, ...originProblems(op, name, value)];
  });

/** An origin that is no time is none. */
function originProblems(at: XmlElement, name: string, value: string): CibProblem[] {
  if (name !== "interval-origin" || parseTime(value) !== undefined) return [];
  const text = `operation property interval-origin="${value}" is no time and has no effect`;
  return [
    problemAt(at, "warning", "BAD_VALUE", text, "write a time of ISO 8601, such as 2026-01-31 02:00:00"),
  ];
}

const configOf = (configuration: XmlElement) => child(configuration, "crm_config") ?? configuration;

/** Cluster properties as they are written, under their newest names. */
export function writtenProperties(configuration: XmlElement): Map<string, string> {
  const sets = unpackNvpairs(
    [configOf(configuration)],
    "cluster_property_set",
    { now: 0 },
    { alwaysFirst: "cib-bootstrap-options" },
  );
  return canonicalProperties(plainValues(sets));
}

/** What a partition without quorum cannot do to itself or others unless nodes are fenced. */
const fencingPolicies = new Set(["suicide", "fence"]);
/** What resources can wait for that only fencing brings about. */
const fencingNeeds = new Set(["fencing", "unfencing"]);

/** What asks for fencing where it is disabled: something less than that is done. */
function findUnfenced(configuration: XmlElement): CibProblem[] {
  if (parseBoolean(writtenProperties(configuration).get("fencing-enabled")) !== false) return [];
  const problems: CibProblem[] = [];
  const onFail = (at: XmlElement) => {
    const text = "on-fail=fence needs fencing, which is disabled: it counts as stop";
    const cure = "write on-fail=stop or restart, or enable fencing";
    problems.push(problemAt(at, "warning", "NEEDS_FENCING", text, cure));
  };
  const visit = (source: XmlElement) => {
    if (source.name === "op" && source.attributes.get("on-fail")?.toLowerCase() === "fence") onFail(source);
    for (const pair of childrenOf(source, "nvpair")) {
      const name = pair.attributes.get("name");
      const value = pair.attributes.get("value") ?? "";
      const word = value.toLowerCase();
      const policy =
        source.name === "cluster_property_set" &&
        (name === "no-quorum-policy" || name === "no_quorum_policy");
      if (policy && fencingPolicies.has(word)) {
        const text = `no-quorum-policy=${value} needs fencing, which is disabled: resources are stopped instead`;
        const cure = "write no-quorum-policy=stop, or enable fencing";
        problems.push(problemAt(pair, "error", "NEEDS_FENCING", text, cure));
      }
      if (source.name === "meta_attributes" && name === "on-fail" && word === "fence") onFail(pair);
      if (source.name === "meta_attributes" && name === "requires" && fencingNeeds.has(word)) {
        const less = word === "fencing" ? "nothing is waited for" : "it counts as quorum";
        const text = `requires=${value} needs fencing, which is disabled: ${less}`;
        const cure = "write requires=quorum, or enable fencing";
        problems.push(problemAt(pair, "warning", "NEEDS_FENCING", text, cure));
      }
    }
    source.children.forEach(visit);
  };
  visit(configuration);
  return problems;
}

const isStopped = ({ meta }: Settled): boolean => meta.get("target-role")?.value.toLowerCase() === "stopped";

/** Enabled fencing without a device means that nothing starts. */
function checkFencing(configuration: XmlElement): CibProblem[] {
  const config = configOf(configuration);
  const properties = writtenProperties(configuration);
  const all = settledPrimitives(configuration);
  const devices = all.filter((one) => one.class === "stonith");
  const real = devices.length < all.length;
  const device = devices.length > 0;
  const watchdog = (parseIntervalMs(properties.get("fencing-watchdog-timeout")) ?? 0) > 0;
  const enabled = parseBoolean(properties.get("fencing-enabled")) ?? true;
  const option = propertyNameIn(configuration, "fencing-enabled");
  if (device && !enabled) {
    const text =
      "fencing is disabled although fence devices are configured: none of them is used, and data that nodes share can be damaged";
    const cure = `set ${option}=true, or remove the devices`;
    return [problemAt(config, "warning", "NO_FENCING", text, cure)];
  }
  if (real && enabled && !watchdog && device && devices.every(isStopped)) {
    const ids = devices.map(({ xml }) => xml.attributes.get("id") ?? "").join(", ");
    const text = `all fence devices are to be stopped (${ids}): no node can be fenced, and one that is lost blocks its services`;
    const cure = `hactl resource start ${devices[0]?.xml.attributes.get("id")}`;
    return [problemAt(config, "warning", "NO_FENCING", text, cure)];
  }
  if (!real || device || watchdog) {
    return [];
  }
  if (enabled) {
    const text = "no fence device is configured, but fencing is enabled: no resource will be started";
    return [
      problemAt(
        config,
        "error",
        "NO_FENCING",
        text,
        `configure a fence device, or set ${option}=false where no data is shared`,
      ),
    ];
  }
  const text = "fencing is disabled: data that nodes share can be damaged when a node fails";
  return [problemAt(config, "warning", "NO_FENCING", text, `configure fence devices and set ${option}=true`)];
}
