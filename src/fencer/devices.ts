import {
  child,
  childrenOf,
  compilePattern,
  evaluateRule,
  type FindById,
  indexById,
  type Pattern,
  parseBoolean,
  parseHostList,
  parseHostMap,
  parseIntervalMs,
  parseScore,
  plainValues,
  type RuleContext,
  unpackNvpairs,
  type XmlElement,
} from "../cib/index.ts";
import {
  addScores,
  type EpochSeconds,
  HactlError,
  INFINITY,
  type Millis,
  type NodeName,
} from "../terms/index.ts";
import type { FenceDevice } from "./device.ts";
import type { Registered } from "./face.ts";
import { checkDeviceParameters } from "./parameters.ts";
import { levelElement, withRegistered } from "./registry.ts";

/** One level of a topology. */
export interface FenceLevel {
  readonly index: number;
  /** Ids, as written; some may not exist. */
  readonly devices: readonly string[];
}

/** Everything that the configuration says about fencing. */
export interface FenceConfiguration {
  readonly enabled: boolean;
  readonly devices: ReadonlyMap<string, FenceDevice>;
  /** Levels for a node in ascending order; empty when it has no topology. */
  readonly levelsFor: (target: NodeName) => readonly FenceLevel[];
  /** `stonith-timeout`. */
  readonly timeoutMs: Millis;
  readonly maxAttempts: number;
  /** What is wrong or remarkable, for the log and for checks. */
  readonly problems: readonly string[];
}

/** Agents that decide by probing a network that somebody is dead; they prove nothing about the node itself. */
const guessers = new Set(["external/stonith-helper", "fence_heuristics_ping"]);

/**
 * Reads devices, topology and properties from a `<configuration>`. Does not throw: what is wrong is in `problems`.
 * @param registered devices and levels beside it, by the node on which they were registered
 */
export function devicesFromCib(
  configuration: XmlElement,
  now: EpochSeconds,
  registered: ReadonlyMap<NodeName, Registered> = new Map(),
): FenceConfiguration {
  const reader = new Reader(configuration, now);
  const doubtful: string[] = [];
  const devices = withRegistered(reader.devices(), registered, doubtful);
  const properties = reader.properties();
  const property = (...names: string[]) =>
    names.map((name) => properties.get(name)).find((one) => one !== undefined);
  const attempts = Number(property("fencing-max-attempts", "stonith-max-attempts") ?? "10");
  const problems = [...doubtful, ...[...devices.values()].flatMap((device) => problemsOf(device))];
  const levels = [...registered.values()].flatMap((one) => one.levels.map(levelElement));
  return {
    enabled: parseBoolean(property("fencing-enabled", "stonith-enabled")) ?? true,
    devices,
    levelsFor: reader.topology(problems, devices, levels),
    timeoutMs: parseIntervalMs(property("fencing-timeout", "stonith-timeout")) || 60_000,
    maxAttempts: Number.isInteger(attempts) && attempts > 0 ? attempts : 10,
    problems,
  };
}

/** What is wrong or remarkable about a device, for the log and for who registers it. */
export function problemsOf(device: Pick<FenceDevice, "id" | "agent" | "params">): string[] {
  const found = checkDeviceParameters(device.params).map((text) => `fence device ${device.id}: ${text}`);
  if (guessers.has(device.agent))
    found.push(
      `fence device ${device.id}: ${device.agent} may report a node as fenced because a network does not answer; ` +
        "a dead network is not a dead node. Let it delay the inactive side at most (priority-fencing-delay does that), with a real device in every level that can succeed",
    );
  return found;
}

/** One primitive with what is around it. */
interface Found {
  readonly element: XmlElement;
  readonly template: XmlElement | undefined;
  /** Group, clone, … from the inside out. */
  readonly parents: readonly XmlElement[];
}

class Reader {
  private readonly find: FindById;
  private readonly nodes: ReadonlyMap<string, XmlElement>;
  private readonly context: RuleContext;

  constructor(
    private readonly configuration: XmlElement,
    private readonly now: EpochSeconds,
  ) {
    this.context = { now, looksAhead: false };
    const index = indexById(configuration);
    this.find = (id) => index.get(id);
    this.nodes = new Map(
      childrenOf(child(configuration, "nodes"), "node").map((one) => [
        one.attributes.get("uname") ?? "",
        one,
      ]),
    );
  }

  properties(): Map<string, string> {
    const parent = child(this.configuration, "crm_config");
    if (!parent) return new Map();
    const options = { find: this.find, alwaysFirst: "cib-bootstrap-options" };
    return plainValues(unpackNvpairs([parent], "cluster_property_set", this.context, options));
  }

  devices(): Map<string, FenceDevice> {
    const symmetric = parseBoolean(this.properties().get("symmetric-cluster")) ?? true;
    const devices = new Map<string, FenceDevice>();
    for (const found of this.primitives(child(this.configuration, "resources"), [])) {
      const device = this.device(found, symmetric);
      if (device) devices.set(device.id, device);
    }
    return devices;
  }

  private *primitives(parent: XmlElement | undefined, parents: readonly XmlElement[]): Generator<Found> {
    for (const element of parent?.children ?? []) {
      if (element.name === "primitive") {
        const reference = element.attributes.get("template");
        yield { element, template: reference === undefined ? undefined : this.find(reference), parents };
      } else if (["group", "clone", "master"].includes(element.name)) {
        yield* this.primitives(element, [element, ...parents]);
      }
    }
  }

  private device(found: Found, symmetric: boolean): FenceDevice | undefined {
    const { element, template, parents } = found;
    const attribute = (name: string) => element.attributes.get(name) ?? template?.attributes.get(name);
    const agent = attribute("type");
    const id = element.attributes.get("id");
    if (attribute("class") !== "stonith" || agent === undefined || id === undefined) return undefined;
    const own = template ? [element, template] : [element];
    const context: RuleContext = { ...this.context, agent: { class: "stonith", type: agent } };
    const options = { find: this.find };
    const params = plainValues(unpackNvpairs(own, "instance_attributes", context, options));
    const defaults = child(this.configuration, "rsc_defaults");
    const metaOf = (sources: readonly XmlElement[]) =>
      plainValues(unpackNvpairs(sources, "meta_attributes", context, options));
    const meta = metaOf([...own, ...parents, ...(defaults ? [defaults] : [])]);
    const stopped = [meta, ...parents.map((parent) => metaOf([parent]))].some(
      (one) => one.get("target-role")?.toLowerCase() === "stopped",
    );
    return {
      id,
      kind: agent === "fence_kdump" ? "kdump" : agent.startsWith("external/") ? "external" : "fence-agent",
      agent,
      params,
      disabled: stopped ? "its target-role is Stopped" : undefined,
      unfencing: meta.get("provides")?.toLowerCase() === "unfencing",
      scoreOn: this.scores(id, parents, symmetric),
    };
  }

  /** Sum of the location constraints that reach a device, node by node; computed when asked, and once. */
  private scores(id: string, parents: readonly XmlElement[], symmetric: boolean): (node: NodeName) => number {
    const names = new Set([id, ...parents.map((one) => one.attributes.get("id") ?? "")]);
    for (const tag of childrenOf(child(this.configuration, "tags"), "tag"))
      if (childrenOf(tag, "obj_ref").some((one) => names.has(one.attributes.get("id") ?? "")))
        names.add(tag.attributes.get("id") ?? "");
    const constraints = childrenOf(child(this.configuration, "constraints"), "rsc_location").filter((one) =>
      reaches(one, names),
    );
    const cache = new Map<NodeName, number>();
    return (node) => {
      const before = cache.get(node);
      if (before !== undefined) return before;
      const found = constraints
        .map((one) => this.locationScore(one, node))
        .filter((one) => one !== undefined);
      const score = found.reduce(addScores, found.length === 0 && !symmetric ? -INFINITY : 0);
      cache.set(node, score);
      return score;
    };
  }

  private locationScore(constraint: XmlElement, node: NodeName): number | undefined {
    const named = constraint.attributes.get("node");
    if (named !== undefined)
      return named.toLowerCase() === node.toLowerCase()
        ? (parseScore(constraint.attributes.get("score")) ?? 0)
        : undefined;
    const values = this.nodeAttributes(node);
    const context: RuleContext = { now: this.now, nodeAttribute: (name) => values.get(name) };
    let sum: number | undefined;
    for (const written of childrenOf(constraint, "rule")) {
      const rule = this.find(written.attributes.get("id-ref") ?? "") ?? written;
      if (!evaluateRule(rule, context).passed) continue;
      const source = rule.attributes.get("score-attribute");
      const score = parseScore(source === undefined ? rule.attributes.get("score") : values.get(source)) ?? 0;
      sum = addScores(sum ?? 0, score);
    }
    return sum;
  }

  private nodeAttributes(node: NodeName): ReadonlyMap<string, string> {
    const element = this.nodes.get(node);
    const values = element
      ? plainValues(unpackNvpairs([element], "instance_attributes", this.context, { find: this.find }))
      : new Map<string, string>();
    values
      .set("#uname", node)
      .set("#kind", element?.attributes.get("type") === "remote" ? "remote" : "cluster");
    const id = element?.attributes.get("id");
    if (id !== undefined) values.set("#id", id);
    return values;
  }

  topology(
    problems: string[],
    devices: ReadonlyMap<string, FenceDevice>,
    registered: readonly XmlElement[],
  ): FenceConfiguration["levelsFor"] {
    const written = childrenOf(child(this.configuration, "fencing-topology"), "fencing-level");
    const levels = [...written, ...registered].flatMap((level) => {
      const ids = parseHostList(level.attributes.get("devices"));
      for (const id of ids)
        if (!devices.has(id)) problems.push(`fencing level ${nameOf(level)}: there is no fence device ${id}`);
      const pattern = level.attributes.get("target-pattern");
      if (pattern !== undefined && !readable(pattern))
        problems.push(`fencing level ${nameOf(level)}: "${pattern}" is no regular expression`);
      const index = Number(level.attributes.get("index") ?? "0");
      if (Number.isFinite(index)) return [{ level, devices: ids, index }];
      problems.push(`fencing level ${nameOf(level)}: its index is no number`);
      return [];
    });
    const cache = new Map<NodeName, readonly FenceLevel[]>();
    return (target) => {
      const known = cache.get(target);
      if (known) return known;
      const ways = [byName, byPattern, (level: XmlElement, node: NodeName) => this.byAttribute(level, node)];
      const matching =
        ways.map((way) => levels.filter(({ level }) => way(level, target))).find((one) => one.length > 0) ??
        [];
      const merged = new Map<number, string[]>();
      for (const { index, devices: ids } of matching)
        merged.set(index, [...(merged.get(index) ?? []), ...ids]);
      const result = [...merged]
        .sort(([a], [b]) => a - b)
        .map(([index, ids]) => ({ index, devices: [...new Set(ids)] }));
      cache.set(target, result);
      return result;
    };
  }

  private byAttribute(level: XmlElement, node: NodeName): boolean {
    const name = level.attributes.get("target-attribute");
    return name !== undefined && this.nodeAttributes(node).get(name) === level.attributes.get("target-value");
  }
}

const nameOf = ({ attributes }: XmlElement) =>
  attributes.get("id") ?? `${attributes.get("index")} that is registered`;

const byName = (level: XmlElement, node: NodeName) =>
  level.attributes.get("target")?.toLowerCase() === node.toLowerCase();

function byPattern(level: XmlElement, node: NodeName): boolean {
  const pattern = level.attributes.get("target-pattern");
  return pattern !== undefined && matches(pattern, node);
}

const compiled = new Map<string, Pattern | undefined>();
/** Patterns that are kept compiled: a configuration has a handful. */
const mostCompiled = 100;

/** Whether a text matches a regular expression; one that cannot be read matches nothing. */
function matches(pattern: string, text: string): boolean {
  if (!compiled.has(pattern)) {
    if (compiled.size >= mostCompiled) compiled.clear();
    compiled.set(pattern, readable(pattern));
  }
  const match = compiled.get(pattern)?.match(text);
  return match !== undefined && match !== null;
}

function readable(pattern: string): Pattern | undefined {
  try {
    return compilePattern(pattern);
  } catch (error) {
    if (error instanceof HactlError) return undefined;
    throw error;
  }
}

function reaches(constraint: XmlElement, names: ReadonlySet<string>): boolean {
  const rsc = constraint.attributes.get("rsc");
  if (rsc !== undefined) return names.has(rsc);
  const pattern = constraint.attributes.get("rsc-pattern");
  if (pattern !== undefined) {
    const inverted = pattern.startsWith("!");
    const plain = inverted ? pattern.slice(1) : pattern;
    // One that cannot be read is ignored, which is something else than that it matches nothing.
    return readable(plain) !== undefined && [...names].some((name) => matches(plain, name) !== inverted);
  }
  return childrenOf(constraint, "resource_set").some((set) =>
    childrenOf(set, "resource_ref").some((one) => names.has(one.attributes.get("id") ?? "")),
  );
}

/** How to find out whether a device can fence a node (pcmk_host_check), by the given actions of its agent. */
export function hostCheck(
  device: FenceDevice,
  actions: readonly string[] | undefined,
): "static-list" | "dynamic-list" | "status" | "none" {
  const written = device.params.get("pcmk_host_check")?.toLowerCase();
  if (written === "static-list" || written === "dynamic-list" || written === "status" || written === "none")
    return written;
  if (device.params.has("pcmk_host_list") || device.params.has("pcmk_host_map")) return "static-list";
  if (device.kind === "kdump") return "none";
  if (actions?.includes("list")) return "dynamic-list";
  return actions?.includes("status") ? "status" : "none";
}

/** Whether pcmk_host_list or pcmk_host_map names the node. Names are compared without regard to case. */
export function listedStatically(device: FenceDevice, target: NodeName): boolean {
  const name = target.toLowerCase();
  return (
    parseHostMap(device.params.get("pcmk_host_map")).has(name) ||
    parseHostList(device.params.get("pcmk_host_list")).some((one) => one.toLowerCase() === name)
  );
}

/** Names in pcmk_host_list and pcmk_host_map. */
export function listedHosts({ params }: Pick<FenceDevice, "params">): string[] {
  const mapped = parseHostMap(params.get("pcmk_host_map")).keys();
  return [...new Set([...parseHostList(params.get("pcmk_host_list")), ...mapped])];
}

/** How the device names the node: by pcmk_host_map, else the node's own name. */
export function portOf(device: FenceDevice, target: NodeName): string {
  return parseHostMap(device.params.get("pcmk_host_map")).get(target.toLowerCase()) ?? target;
}

/** Names in what an agent's `list` prints: `port[,alias[,status]]` a line, or words separated by blanks. */
export function parseHostOutput(output: string): Set<string> {
  const names = new Set<string>();
  for (const line of output.split("\n")) {
    // With columns, only the first two are names; a third says "on" or "off".
    const words = line.includes(",") ? line.split(",").slice(0, 2) : line.split(/[\s;]+/);
    for (const word of words) if (word.trim() !== "") names.add(word.trim().toLowerCase());
  }
  return names;
}

/** UDP ports that the configured fence_kdump devices expect notices on. */
export function kdumpPorts(configuration: FenceConfiguration): number[] {
  const ports = [...configuration.devices.values()]
    .filter((device) => device.kind === "kdump")
    .map((device) => Number(device.params.get("ipport") ?? "7410"))
    .filter((port) => Number.isInteger(port) && port > 0 && port < 65_536);
  return [...new Set(ports)];
}

/** Names and addresses that a fence_kdump device lists for its node beyond what the node list knows. */
export function kdumpNames(configuration: FenceConfiguration, target: NodeName): string[] {
  return [...configuration.devices.values()]
    .filter(
      (device) =>
        device.kind === "kdump" && (listedStatically(device, target) || !device.params.has("pcmk_host_list")),
    )
    .flatMap((device) => [
      ...(device.params.has("pcmk_host_map") ? parseHostList(portOf(device, target)) : []),
      ...(listedStatically(device, target) ? parseHostList(device.params.get("nodename")) : []),
    ]);
}
