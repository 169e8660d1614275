import {
  child,
  childrenOf,
  parseBoolean,
  parseIntervalMs,
  parseTime,
  type RuleContext,
  type XmlElement,
} from "../cib/index.ts";
import type { Millis } from "../terms/index.ts";
import { parseRole, Role } from "./flags.ts";
import type { Cluster, Node, OnFail, OperationConfig, Requires, Resource } from "./model.ts";
import { parameters } from "./parameters.ts";
import type { Unpacker } from "./unpacker.ts";

const defaultTimeoutMs = 20_000;

/** Key of an operation: `RSC_TASK_INTERVALMS`. */
export const opKey = (rsc: string, task: string, intervalMs: Millis): string =>
  `${rsc}_${task}_${intervalMs}`;

const configCache = new WeakMap<XmlElement, OperationConfig[]>();

/** The `<op>` elements of a resource, references resolved. */
export function operationsOf(unpacker: Unpacker, rsc: Resource): readonly OperationConfig[] {
  const cached = configCache.get(rsc.xml);
  if (cached) return cached;
  const result: OperationConfig[] = [];
  for (const block of childrenOf(rsc.xml, "operations")) {
    const blockRef = block.attributes.get("id-ref");
    const source = blockRef === undefined ? block : unpacker.find(blockRef);
    for (const op of childrenOf(source, "op")) {
      const ref = op.attributes.get("id-ref");
      const xml = ref === undefined ? op : (unpacker.find(ref) ?? op);
      const name = xml.attributes.get("name");
      if (name === undefined) continue;
      const intervalMs = parseIntervalMs(xml.attributes.get("interval")) ?? 0;
      const enabled = parseBoolean(xml.attributes.get("enabled")) ?? true;
      result.push({ name, intervalMs, enabled, xml });
    }
  }
  configCache.set(rsc.xml, result);
  return result;
}

/** The `<op>` that configures an action, also when it is disabled if asked so. */
export function findOperation(
  unpacker: Unpacker,
  rsc: Resource,
  task: string,
  intervalMs: Millis,
  includeDisabled: boolean,
): XmlElement | undefined {
  const all = operationsOf(unpacker, rsc);
  const find = (name: string, interval: Millis) =>
    all.find((op) => op.name === name && op.intervalMs === interval && (includeDisabled || op.enabled))?.xml;
  const found = find(task, intervalMs);
  if (found) return found;
  if (task === "migrate_to" || task === "migrate_from") return find("migrate", 0);
  if (task === "notified") return find("notify", 0);
  return undefined;
}

/** Options of an operation: its `<op>`, the operation defaults, a probe's time-out from the monitors. */
export interface OperationOptions {
  readonly xml: XmlElement | undefined;
  readonly values: ReadonlyMap<string, string>;
  readonly timeoutMs: Millis;
  readonly startDelayMs: Millis;
}

const optionCache = new WeakMap<Unpacker, Map<string, OperationOptions>>();

/** Options of an action of a resource; the same object for all instances of a clone. */
export function operationOptions(
  unpacker: Unpacker,
  rsc: Resource,
  task: string,
  intervalMs: Millis,
): OperationOptions {
  let cache = optionCache.get(unpacker);
  if (!cache) {
    cache = new Map();
    optionCache.set(unpacker, cache);
  }
  const cacheKey = `${rsc.configId}/${rsc.removed}/${task}/${intervalMs}`;
  const cached = cache.get(cacheKey);
  if (cached) return cached;
  const made = makeOptions(unpacker, rsc, task, intervalMs);
  cache.set(cacheKey, made);
  return made;
}

function makeOptions(unpacker: Unpacker, rsc: Resource, task: string, intervalMs: Millis): OperationOptions {
  const { cluster } = unpacker;
  const xml = findOperation(unpacker, rsc, task, intervalMs, true);
  const context = ruleContext(cluster, rsc, task, intervalMs);
  const values = new Map<string, string>();
  for (const [name, { value }] of unpacker.values(unpacker.opDefaults, "meta_attributes", context))
    values.set(name, value);
  const probe = task === "monitor" && intervalMs === 0;
  if (probe) {
    const timeout = mostFrequentMonitor(unpacker, rsc)?.attributes.get("timeout");
    if (timeout !== undefined) values.set("timeout", timeout);
  }
  if (xml) {
    for (const [name, { value }] of unpacker.values([xml], "meta_attributes", context))
      values.set(name, value);
    for (const [name, value] of xml.attributes) values.set(name, value);
  }
  values.delete("id");
  if (intervalMs > 0) values.set("interval", String(intervalMs));
  else values.delete("interval");
  if (rsc.isFenceDevice && (task === "start" || probe)) {
    const timeout = parameters(unpacker, rsc, undefined).get("pcmk_monitor_timeout");
    if (timeout !== undefined) values.set("timeout", timeout);
  }
  const timeoutMs = positive(parseIntervalMs(values.get("timeout"))) ?? defaultTimeoutMs;
  values.set("timeout", String(timeoutMs));
  validateOnFail(unpacker, rsc, task, intervalMs, values);
  const startDelayMs = startDelay(unpacker, values, intervalMs);
  return { xml, values, timeoutMs, startDelayMs };
}

const ruleContext = (
  { now, utcOffset }: Cluster,
  { class: standard, provider, type }: Resource,
  task: string,
  intervalMs: Millis,
): RuleContext => ({
  now,
  utcOffset,
  agent: { class: standard, type, ...(provider === undefined ? {} : { provider }) },
  operation: { name: task, intervalMs },
});

/**
 * Parameters of an operation's own, given to the agent besides the resource's; like those they may be others on
 * another node (Pacemaker Explained, "Rules", on parameters).
 */
export function operationParameters(
  unpacker: Unpacker,
  rsc: Resource,
  task: string,
  intervalMs: Millis,
  node: Node | undefined,
): ReadonlyMap<string, string> {
  const { xml } = operationOptions(unpacker, rsc, task, intervalMs);
  if (!xml || !child(xml, "instance_attributes")) return noParameters;
  const context = {
    ...ruleContext(unpacker.cluster, rsc, task, intervalMs),
    ...(node && { nodeAttribute: (name: string) => node.attributes.get(name) }),
  };
  const values = unpacker.values([xml], "instance_attributes", context);
  return new Map([...values].map(([name, { value }]) => [name, value]));
}

const noParameters: ReadonlyMap<string, string> = new Map();

const positive = (value: number | undefined) => (value !== undefined && value > 0 ? value : undefined);

function mostFrequentMonitor(unpacker: Unpacker, rsc: Resource): XmlElement | undefined {
  let best: OperationConfig | undefined;
  for (const op of operationsOf(unpacker, rsc))
    if (op.name === "monitor" && op.enabled && op.intervalMs > 0)
      if (!best || op.intervalMs < best.intervalMs) best = op;
  return best?.xml;
}

/** Time until the first run: `start-delay`, or what `interval-origin` makes of the clock. */
function startDelay(unpacker: Unpacker, values: Map<string, string>, intervalMs: Millis): Millis {
  const given = values.get("start-delay");
  if (given !== undefined) {
    const delay = parseIntervalMs(given) ?? 0;
    values.set("start-delay", String(delay));
    return delay;
  }
  const origin = values.get("interval-origin");
  const start = origin === undefined ? undefined : parseTime(origin);
  if (start === undefined || intervalMs < 1000) return 0;
  const interval = intervalMs / 1000;
  const sinceOrigin = unpacker.cluster.now - start;
  const rest = ((sinceOrigin % interval) + interval) % interval;
  const delay = (rest === 0 ? 0 : interval - rest) * 1000;
  values.set("start-delay", String(delay));
  return delay;
}

/** Drops values of `on-fail` that its operation does not know; the defaults then hold. */
function validateOnFail(
  unpacker: Unpacker,
  rsc: Resource,
  task: string,
  intervalMs: Millis,
  values: Map<string, string>,
): void {
  const { cluster } = unpacker;
  const value = values.get("on-fail")?.toLowerCase();
  const reject = () => {
    cluster.error(
      `Resetting on-fail of ${rsc.id} ${task} to its default because "${value}" is not allowed for it`,
      rsc.id,
    );
    values.delete("on-fail");
  };
  if (task === "stop" && value !== undefined && !["ignore", "block", "fence"].includes(value)) {
    reject();
    return;
  }
  if (task === "demote" && value === undefined) {
    const monitor = operationsOf(unpacker, rsc).find(
      (op) =>
        op.name === "monitor" &&
        op.enabled &&
        op.intervalMs > 0 &&
        parseRole(op.xml.attributes.get("role")) === Role.Promoted &&
        op.xml.attributes.has("on-fail") &&
        op.xml.attributes.get("on-fail")?.toLowerCase() !== "demote",
    );
    const inherited = monitor?.xml.attributes.get("on-fail");
    if (inherited !== undefined) values.set("on-fail", inherited);
    return;
  }
  if (value === "demote") {
    if (task === "promote") return;
    if (task === "monitor" && intervalMs > 0 && parseRole(values.get("role")) === Role.Promoted) return;
    reject();
  }
}

/** What happens when an action of a resource fails (Pacemaker Explained, "on-fail"). */
export function onFailOf(unpacker: Unpacker, rsc: Resource, task: string, intervalMs: Millis): OnFail {
  const { options } = unpacker.cluster;
  let value = operationOptions(unpacker, rsc, task, intervalMs).values.get("on-fail")?.toLowerCase();
  let needsReset = false;
  const connection = rsc.isRemoteConnection && rsc.container === undefined;
  const probe = task === "monitor" && intervalMs === 0;
  if (connection && !probe && task !== "start") {
    needsReset = true;
    if (!rsc.managed) value = undefined;
  }
  switch (value) {
    case "block":
      return "block";
    case "fence":
      return options.fencingEnabled ? "fence" : "stop";
    case "standby":
      return "standby";
    case "ignore":
    case "nothing":
      return "ignore";
    case "migrate":
      return "ban";
    case "stop":
      return "stop";
    case "restart":
      return "restart";
    case "demote":
      return "demote";
    case "restart-container":
      if (rsc.container) return "restart-container";
      break;
    default:
      break;
  }
  if (rsc.container) return "restart-container";
  if (needsReset) return rsc.managed ? "reset-remote" : "stop";
  if (task === "stop") return options.fencingEnabled ? "fence" : "block";
  return "restart";
}

/** Role that a failure leaves a resource with. */
export function roleAfterFailure(
  unpacker: Unpacker,
  rsc: Resource,
  task: string,
  intervalMs: Millis,
  onFail: OnFail,
): Role {
  if (onFail === "stop") return Role.Stopped;
  if (onFail === "reset-remote" && rsc.remoteReconnectMs !== 0) return Role.Stopped;
  const given = parseRole(operationOptions(unpacker, rsc, task, intervalMs).values.get("role_after_failure"));
  if (given !== Role.Unknown) return given;
  return task === "promote" ? Role.Unpromoted : Role.Started;
}

/** What must be there before an action may run. */
export function requirementOf(rsc: Resource, task: string): Requires {
  if (task !== "start" && task !== "promote") return "nothing";
  if (rsc.needsFencing) return "fencing";
  if (rsc.needsQuorum) return "quorum";
  return "nothing";
}

const severity: readonly OnFail[] = [
  "ignore",
  "demote",
  "restart",
  "reset-remote",
  "restart-container",
  "ban",
  "block",
  "stop",
  "standby",
  "fence",
];

/** Orders the answers to a failure by how hard they are. */
export const compareOnFail = (a: OnFail, b: OnFail): number => severity.indexOf(a) - severity.indexOf(b);
