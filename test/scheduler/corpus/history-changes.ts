import { cloneElement, type XmlElement } from "../../../src/cib/index.ts";
import { every } from "../wide/wide.ts";
import { setTransient } from "./node-changes.ts";
import { type Change, freshId, get, pick, remove, type Variant } from "./variant.ts";

const entries = ({ cib }: Variant) => every(cib, "lrm_rsc_op");
const histories = ({ cib }: Variant) => every(cib, "lrm_resource");

const named = (entry: XmlElement) =>
  `${get(entry, "id")}${get(entry, "on_node") && ` on ${get(entry, "on_node")}`}`;

/** Writes a result as an executor does: the result itself, and once more before the key of the action. */
function setResult(entry: XmlElement, status: number, rc: number): void {
  entry.attributes.set("op-status", String(status));
  entry.attributes.set("rc-code", String(rc));
  const key = get(entry, "transition-key");
  if (key !== "") entry.attributes.set("transition-magic", `${status}:${rc};${key}`);
}

const result: Change = (variant) => {
  const entry = pick(variant, entries(variant));
  if (!entry) return undefined;
  const [status, rc] = variant.random.pick([
    [0, 0],
    [0, 7],
    [0, 8],
    [0, 9],
    [4, 1],
    [4, 5],
    [4, 6],
    [4, 7],
    [2, 1],
    [0, 1],
    [1, 1],
    [7, 5],
  ] as const);
  setResult(entry, status, rc);
  return `${named(entry)} ended with ${status}:${rc}`;
};

const pending: Change = (variant) => {
  const entry = pick(variant, entries(variant));
  if (!entry) return undefined;
  setResult(entry, -1, 193);
  return `${named(entry)} pending`;
};

const entryGone: Change = (variant) => {
  const entry = pick(variant, entries(variant));
  if (!entry) return undefined;
  remove(variant.cib, entry);
  return `${named(entry)} gone`;
};

const historyGone: Change = (variant) => {
  const history = pick(variant, histories(variant));
  if (!history) return undefined;
  remove(variant.cib, history);
  return `history of ${get(history, "id")} gone`;
};

/** Histories of a resource on two nodes change places, or one has the other's as well. */
const elsewhere: Change = (variant) => {
  const history = pick(variant, histories(variant));
  if (!history) return undefined;
  const id = get(history, "id");
  const others = every(variant.cib, "lrm_resources").filter((list) => !list.children.includes(history));
  const target = pick(variant, others);
  if (!target) return undefined;
  const there = target.children.find((each) => get(each, "id") === id);
  const copied = variant.random.chance(0.4);
  const copy = cloneElement(history);
  target.children = [...target.children.filter((each) => each !== there), copy];
  if (!copied && there) history.children = cloneElement(there).children;
  else if (!copied) remove(variant.cib, history);
  return `history of ${id} ${copied ? "on another node, too" : "on another node"}`;
};

/** The newest entry of a history is followed by one that failed. */
const failure: Change = (variant) => {
  const { random, now } = variant;
  const history = pick(
    variant,
    histories(variant).filter(({ children }) => children.length > 0),
  );
  if (!history) return undefined;
  const like = random.pick(history.children);
  const made = cloneElement(like);
  const id = get(history, "id");
  const calls = history.children.map((each) => Number(get(each, "call-id")) || 0);
  const task = random.pick([get(like, "operation"), "stop", "start", "promote", "demote", "monitor"]);
  const own = task === get(like, "operation");
  made.attributes.set("id", `${id}_last_failure_0`);
  made.attributes.set("operation", task);
  made.attributes.set("interval", own ? get(like, "interval") : "0");
  made.attributes.set("operation_key", `${id}_${task}_${own ? get(like, "interval") : 0}`);
  made.attributes.set("call-id", String(Math.max(...calls) + 1));
  made.attributes.set("last-rc-change", String(now - 100));
  setResult(made, random.pick([4, 2]), random.pick([1, 1, 5, 7]));
  history.children = [...history.children.filter((each) => get(each, "id") !== get(made, "id")), made];
  return `${task} of ${id} failed`;
};

const failCount: Change = (variant) => {
  const { random, now, cib } = variant;
  const state = pick(variant, every(cib, "node_state"));
  const histories = state ? every(state, "lrm_resource") : [];
  const history = pick(variant, histories);
  if (!state || !history) return undefined;
  const operations = history.children.map(
    (each) => `${get(each, "operation")}_${get(each, "interval") || 0}`,
  );
  const id = get(history, "id");
  const key = `${id}#${random.pick([...operations, "start_0", "stop_0"])}`;
  const count = random.pick(["1", "2", "3", "INFINITY"]);
  setTransient(variant, state, `fail-count-${key}`, count);
  if (random.chance(0.8))
    setTransient(variant, state, `last-failure-${key}`, String(now - random.pick([30, 1000, 100_000])));
  return `fail-count-${key}=${count}`;
};

const time: Change = (variant) => {
  const entry = pick(variant, entries(variant));
  if (!entry) return undefined;
  const at = variant.now - variant.random.pick([5, 300, 10_000]);
  entry.attributes.set("last-rc-change", String(at));
  return `${named(entry)} at ${at}`;
};

const digest: Change = (variant) => {
  const entry = pick(
    variant,
    entries(variant).filter(({ attributes }) => attributes.has("op-digest")),
  );
  if (!entry) return undefined;
  entry.attributes.set("op-digest", "0123456789abcdef0123456789abcdef");
  return `${named(entry)} with other parameters`;
};

/** A history without a configured resource: of one that has been removed. */
const stranger: Change = (variant) => {
  const list = pick(
    variant,
    every(variant.cib, "lrm_resources").filter(({ children }) => children.length > 0),
  );
  if (!list) return undefined;
  const like = variant.random.pick(list.children);
  const made = cloneElement(like);
  const id = freshId(variant, "stranger");
  made.attributes.set("id", id);
  for (const entry of made.children) {
    entry.attributes.set("id", get(entry, "id").replace(get(like, "id"), id));
    const key = entry.attributes.get("operation_key");
    if (key !== undefined) entry.attributes.set("operation_key", key.replace(get(like, "id"), id));
  }
  list.children.push(made);
  return `history of ${id} like that of ${get(like, "id")}`;
};

export const historyChanges: readonly Change[] = [
  result,
  result,
  result,
  pending,
  entryGone,
  historyGone,
  elsewhere,
  elsewhere,
  failure,
  failure,
  failCount,
  failCount,
  time,
  digest,
  stranger,
];
