import type { Millis } from "../terms/index.ts";
import { clusterProperty } from "./options/lookup.ts";
import { type CibProblem, problemAt } from "./references.ts";
import { parseIntervalMs } from "./time.ts";
import { parseInteger } from "./values.ts";
import { child, childrenOf, type XmlElement } from "./xml.ts";

/** A time below which something cannot work, such as one whose unit was mistaken. */
interface Least {
  readonly ms: Millis;
  /** Whether 0 has a sense of its own. */
  readonly zero: boolean;
  readonly effect: string;
  readonly cure: string;
}

const least: ReadonlyMap<string, Least> = new Map([
  [
    "cluster-delay",
    {
      ms: 1000,
      zero: false,
      effect: "what takes its whole time counts as lost before its node can say how it ended",
      cure: "write how long a message and its answer may take at most, such as 60s",
    },
  ],
  [
    "dc-deadtime",
    {
      ms: 1000,
      zero: false,
      effect: "after a start of the whole cluster, nodes that come a moment later count as lost",
      cure: "write how far apart nodes may come at most, such as 20s",
    },
  ],
  [
    "cluster-recheck-interval",
    {
      ms: 5000,
      zero: true,
      effect: "the leader does little else than to decide anew",
      cure: "write 1min or more, such as 15min, or 0 for never",
    },
  ],
  [
    "node-pending-timeout",
    {
      ms: 5000,
      zero: true,
      effect: "a node is fenced while it joins",
      cure: "write how long it may take to join at most, such as 2min, or 0 for ever",
    },
  ],
  [
    "shutdown-lock-limit",
    {
      ms: 1000,
      zero: true,
      effect: "no node is back that soon, and nothing waits for it",
      cure: "write how long it may be away, such as 30min, or 0 for ever",
    },
  ],
  [
    "priority-fencing-delay",
    {
      ms: 1000,
      zero: true,
      effect: "it decides nothing about who is fenced first",
      cure: "write more than the devices' own delays, such as 15s, or 0 for none",
    },
  ],
]);

/** Values that are some, and by which the cluster cannot do its work or does not do what they look like. */
export function findSettingProblems(configuration: XmlElement): CibProblem[] {
  const problems: CibProblem[] = [];
  for (const pair of pairsIn(child(configuration, "crm_config"), "cluster_property_set"))
    problems.push(...checkProperty(pair));
  const visit = (source: XmlElement) => {
    if (source.name === "op") problems.push(...checkInterval(source));
    if (source.name === "bundle") problems.push(...checkNetwork(source));
    if (source.name === "rkt") problems.push(noRuntime(source));
    for (const pair of pairsIn(source, "meta_attributes")) {
      if (source.name === "op_defaults" || source.name === "op") problems.push(...checkNoTime(pair));
      else problems.push(...checkExpiry(pair));
    }
    source.children.forEach(visit);
  };
  for (const part of ["resources", "rsc_defaults", "op_defaults"]) {
    const section = child(configuration, part);
    if (section) visit(section);
  }
  return problems;
}

const pairsIn = (holder: XmlElement | undefined, block: string): XmlElement[] =>
  childrenOf(holder, block).flatMap((set) => childrenOf(set, "nvpair"));

const named = ({ attributes }: XmlElement) => ({
  name: attributes.get("name") ?? "",
  value: attributes.get("value") ?? "",
});

function checkProperty(pair: XmlElement): CibProblem[] {
  const { name, value } = named(pair);
  const canonical = clusterProperty(name)?.name ?? name;
  const what = `${name}="${value}"`;
  const limit = least.get(canonical);
  const ms = parseIntervalMs(value);
  if (limit && ms !== undefined && ms < limit.ms && !(ms === 0 && limit.zero))
    return [problemAt(pair, "warning", "NO_TIME", `${what} is too short: ${limit.effect}`, limit.cure)];
  if (canonical === "batch-limit" && (parseInteger(value) ?? 0) < -1) {
    const text = `${what} is no limit: any number of actions may be under way`;
    return [problemAt(pair, "warning", "BAD_VALUE", text, "write how many there may be, or 0")];
  }
  // Who writes 0.8 means 80%.
  if (canonical === "load-threshold" && Number.parseFloat(value) < 5) {
    const text = `${what} is less than a host's load ever is: all of them get as few actions at a time as can be`;
    return [problemAt(pair, "warning", "BAD_VALUE", text, "write a percentage, such as 80%")];
  }
  return [];
}

/** rkt has ended, and Pacemaker 3.0 knows it no more. */
const noRuntime = (source: XmlElement): CibProblem =>
  problemAt(
    source,
    "warning",
    "NO_EFFECT",
    `<rkt> (image "${source.attributes.get("image") ?? ""}") names a runtime that hardly any host has, and that Pacemaker 3.0 does not know`,
    "write podman or docker",
  );

/** Who runs something in its containers has to reach them: the cluster leaves such a bundle, and what it holds, out of account. */
function checkNetwork(bundle: XmlElement): CibProblem[] {
  const primitive = child(bundle, "primitive");
  const network = child(bundle, "network")?.attributes;
  if (!primitive || network?.has("ip-range-start") || network?.has("control-port")) return [];
  const [id, inner] = [bundle, primitive].map(({ attributes }) => attributes.get("id"));
  const text = `bundle "${id}" has neither ip-range-start nor control-port: "${inner}" inside cannot be controlled, and neither is looked after`;
  return [
    problemAt(
      bundle,
      "error",
      "BUNDLE_NETWORK",
      text,
      'write <network control-port="3121"/>, or ip-range-start',
    ),
  ];
}

/** What recurs without a pause leaves a host no time for anything else. */
function checkInterval(op: XmlElement): CibProblem[] {
  const value = op.attributes.get("interval") ?? "";
  const ms = parseIntervalMs(value) ?? 0;
  if (ms === 0 || ms >= 1000) return [];
  const text = `interval="${value}" of <op> "${op.attributes.get("id")}" is too short: its agent is run almost without a pause`;
  return [problemAt(op, "warning", "NO_TIME", text, "write 1s or more, such as 10s")];
}

/** The same as at an operation itself. */
function checkNoTime(pair: XmlElement): CibProblem[] {
  const { name, value } = named(pair);
  if (name !== "timeout" || parseIntervalMs(value) !== 0) return [];
  const text = `timeout="${value}" of <nvpair> "${pair.attributes.get("id")}" is no time to wait: the default of 20s counts`;
  return [problemAt(pair, "warning", "NO_TIME", text, "write how long it may take, such as 60s")];
}

function checkExpiry(pair: XmlElement): CibProblem[] {
  const { name, value } = named(pair);
  const ms = parseIntervalMs(value) ?? 0;
  if ((name !== "failure-timeout" && name !== "failure_timeout") || ms === 0 || ms >= 1000) return [];
  const text = `${name}="${value}" is too short: failures are forgotten at once and never add up`;
  return [
    problemAt(pair, "warning", "NO_TIME", text, "write how long one counts, such as 10min, or 0 for ever"),
  ];
}
