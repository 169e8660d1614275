import type { Millis } from "../terms/index.ts";
import type { AdvisedTime } from "./agent-description.ts";
import { type FindById, unpackNvpairs } from "./nvpairs.ts";
import { isPromotable } from "./promotable.ts";
import { type CibProblem, problemAt } from "./references.ts";
import type { Settled } from "./settled.ts";
import { parseIntervalMs } from "./time.ts";
import { parseBoolean } from "./values.ts";
import { child, type XmlElement } from "./xml.ts";

/** What an operation has where nothing else is said. */
const builtInMs: Millis = 20_000;

/** An operation that is carried out, whether it is configured or not. */
interface Carried {
  readonly name: string;
  readonly op?: XmlElement;
}

/**
 * Operations that are given less time than their agent asks for, in one remark for each resource: what is cut off too early
 * counts as failed, and after a stop that failed the node is fenced.
 */
export function findShortTimes(
  rsc: Settled,
  word: string,
  advised: readonly AdvisedTime[],
  configuration: XmlElement,
  find: FindById,
): CibProblem[] {
  const short = carriedOut(rsc, find).flatMap((one) => {
    const wanted = wantedMs(one, advised);
    const given = givenMs(rsc, one, configuration, find);
    return wanted === undefined || given.ms >= wanted ? [] : [{ ...one, wanted, given }];
  });
  if (short.length === 0) return [];
  const id = rsc.xml.attributes.get("id") ?? "";
  const list = short.map(
    ({ name, op, wanted, given }) =>
      `${name}${roleWord(op)} ${timeText(wanted)} (has ${timeText(given.ms)}${given.own ? "" : " by default"})`,
  );
  const isDevice = rsc.class === "stonith";
  const stops = !isDevice && short.some(({ name }) => name === "stop");
  const effect = stops ? "; a stop that does not end in time gets its node fenced" : "";
  const text = `agent ${word} asks for more time than resource "${id}" gives it: ${list.join(", ")}${effect}`;
  const cure = short.map(({ name, op, wanted }) => statement(name, op, wanted)).join(" ");
  const [only] = short;
  const at = short.length === 1 && only?.op ? only.op : rsc.xml;
  return [problemAt(at, "warning", "SHORT_TIMEOUT", text, `write ${cure}`)];
}

/** Starts and stops there always are; the others where they are asked for. */
function carriedOut({ containers, meta, operations }: Settled, find: FindById): Carried[] {
  const named = (name: string) => operations.filter(({ attributes }) => attributes.get("name") === name);
  const isOn = (op: XmlElement) => parseBoolean(op.attributes.get("enabled")) !== false;
  const once = (name: string): Carried => {
    const [op] = named(name).filter(
      ({ attributes }) => (parseIntervalMs(attributes.get("interval")) ?? 0) === 0,
    );
    return op === undefined ? { name } : { name, op };
  };
  const promoted = containers.some((one) => isPromotable(one, find));
  const migrates = parseBoolean(meta.get("allow-migrate")?.value) === true;
  return [
    ...["start", "stop"].map(once),
    ...(promoted ? ["promote", "demote"].map(once) : []),
    ...(migrates ? ["migrate_to", "migrate_from"].map(once) : []),
    ...named("monitor")
      .filter(isOn)
      .map((op) => ({ name: "monitor", op })),
  ];
}

const roleOf = (text: string | undefined) => {
  const role = text?.toLowerCase() ?? "";
  return role === "master" || role === "promoted" ? "promoted" : "";
};

/** The least that is asked for in that role; where it is not told by roles, the least of all. */
function wantedMs({ name, op }: Carried, advised: readonly AdvisedTime[]): Millis | undefined {
  const all = advised.filter(({ action }) => action === name);
  const role = roleOf(op?.attributes.get("role"));
  const fitting = all.filter((one) => roleOf(one.role) === role);
  const times = (fitting.length > 0 ? fitting : all).map(({ timeoutMs }) => timeoutMs);
  return times.length === 0 ? undefined : Math.min(...times);
}

interface Given {
  readonly ms: Millis;
  /** Whether it stands at the operation, not among the defaults. */
  readonly own: boolean;
}

function givenMs(
  { xml, template, parameters, class: standard }: Settled,
  { name, op }: Carried,
  configuration: XmlElement,
  find: FindById,
): Given {
  const { attributes } = template ?? xml;
  const provider = attributes.get("provider");
  const type = attributes.get("type") ?? "";
  const context = {
    now: 0,
    agent: { class: standard, type, ...(provider === undefined ? {} : { provider }) },
    operation: { name, intervalMs: parseIntervalMs(op?.attributes.get("interval")) ?? 0 },
  };
  const inSets = (holder: XmlElement | undefined) =>
    holder && unpackNvpairs([holder], "meta_attributes", context, { find }).values.get("timeout")?.value;
  // A device is asked by its own time when it starts.
  const ofDevice =
    standard === "stonith" && name === "start" ? parameters.get("pcmk_monitor_timeout") : undefined;
  const own = ofDevice?.value ?? op?.attributes.get("timeout") ?? inSets(op);
  const written = parseIntervalMs(own ?? inSets(child(configuration, "op_defaults"))) ?? 0;
  return { ms: written > 0 ? written : builtInMs, own: own !== undefined };
}

const roleWord = (op: XmlElement | undefined) => {
  const role = op?.attributes.get("role");
  return role === undefined ? "" : ` (${role})`;
};

/** What has to be written in crm text. */
function statement(name: string, op: XmlElement | undefined, wanted: Millis): string {
  const role = op?.attributes.get("role");
  const interval = op?.attributes.get("interval") ?? "0";
  return `op ${name} interval=${interval}${role === undefined ? "" : ` role=${role}`} timeout=${timeText(wanted)}`;
}

const timeText = (ms: Millis): string => (ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`);
