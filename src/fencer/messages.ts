import type { FencerMessage } from "./face.ts";

const object = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const text = (value: unknown) => typeof value === "string";
const count = (value: unknown) => typeof value === "number" && Number.isFinite(value);
const flag = (value: unknown) => typeof value === "boolean";

const hasRequest = (value: unknown) =>
  object(value) &&
  text(value.id) &&
  text(value.target) &&
  (value.action === "off" || value.action === "reboot" || value.action === "on") &&
  count(value.timeoutMs) &&
  count(value.delayMs) &&
  text(value.origin) &&
  text(value.client) &&
  text(value.reason);

const hasResult = (value: unknown) =>
  object(value) &&
  ["id", "target", "action", "executor", "reason", "client", "origin", "deed"].every((name) =>
    text(value[name]),
  ) &&
  flag(value.ok) &&
  Array.isArray(value.devices) &&
  value.devices.every(text) &&
  count(value.completedAt) &&
  count(value.failures) &&
  flag(value.exhausted);

const checks: Readonly<Record<FencerMessage["type"], (message: Record<string, unknown>) => boolean>> = {
  request: ({ request }) => hasRequest(request),
  execute: ({ order }) =>
    object(order) &&
    ["op", "device", "target", "action", "phase", "executor"].every((name) => text(order[name])) &&
    ["attempt", "level", "timeoutMs", "delayMs"].every((name) => count(order[name])),
  answer: ({ answer }) =>
    object(answer) &&
    ["op", "device", "deed", "reason"].every((name) => text(answer[name])) &&
    count(answer.attempt) &&
    flag(answer.ok) &&
    flag(answer.ran),
  done: ({ op, result }) => text(op) && hasResult(result),
  notice: ({ node, signed }) => text(node) && flag(signed),
  confirm: ({ id, target, client, at }) => text(id) && text(target) && text(client) && count(at),
  agents: ({ agents }) =>
    object(agents) && Object.values(agents).every((one) => one === null || isMetadata(one)),
  history: ({ entries, failures }) =>
    Array.isArray(entries) &&
    entries.every(hasResult) &&
    object(failures) &&
    Object.values(failures).every(count),
  test: ({ id, target }) => text(id) && text(target),
  "test-answer": ({ id, rows }) => text(id) && Array.isArray(rows) && rows.every(isRow),
};

function isMetadata(value: unknown): boolean {
  return (
    object(value) &&
    Array.isArray(value.actions) &&
    value.actions.every(text) &&
    text(value.hostArgument) &&
    flag(value.onTarget) &&
    flag(value.automatic)
  );
}

function isRow(value: unknown): boolean {
  return (
    object(value) &&
    ["device", "node", "check", "text"].every((name) => text(value[name])) &&
    count(value.level) &&
    flag(value.ok)
  );
}

/** Whether a value is a message of this version; a newer peer may send kinds that are not known here. */
export function isFencerMessage(value: unknown): value is FencerMessage {
  if (!object(value) || typeof value.type !== "string" || !Object.hasOwn(checks, value.type)) return false;
  return checks[value.type as FencerMessage["type"]](value);
}
