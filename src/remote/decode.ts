import type {
  AgentResource,
  ExecutorEvent,
  ExecutorRequest,
  Operation,
  OperationResult,
  ToolUser,
} from "../executor/index.ts";
import { resourceId } from "../terms/index.ts";
import { protocolError } from "./framing.ts";

type Fields = Readonly<Record<string, unknown>>;

/**
 * A request as it came from the line, checked.
 * @throws HactlError PROTOCOL when it is none.
 */
export function decodeRequest(message: unknown): ExecutorRequest {
  const fields = object(message, "request");
  const type = text(fields, "type");
  switch (type) {
    case "register":
      return { type, client: text(fields, "client"), version: number(fields, "version") };
    case "execute":
      return { type, operation: operation(fields.operation) };
    case "cancel":
      return {
        type,
        rsc: resourceId(text(fields, "rsc")),
        action: text(fields, "action"),
        intervalMs: number(fields, "intervalMs"),
      };
    case "probed":
      return { type };
    case "forget":
      return { type, rsc: resourceId(text(fields, "rsc")) };
    case "metadata":
      return { type, requestId: number(fields, "requestId"), rsc: agent(fields.rsc) };
    case "list":
      return {
        type,
        requestId: number(fields, "requestId"),
        class: text(fields, "class"),
        ...(fields.provider === undefined ? {} : { provider: text(fields, "provider") }),
      };
    case "ping":
      return { type, requestId: number(fields, "requestId") };
    case "tool-reply":
      return { type, requestId: number(fields, "requestId"), reply: fields.reply };
    case "shutdown-ack":
      return { type };
    case "configure":
      return {
        type,
        ...(fields.nodeActionLimit === undefined
          ? {}
          : { nodeActionLimit: number(fields, "nodeActionLimit") }),
        ...(fields.loadThreshold === undefined ? {} : { loadThreshold: number(fields, "loadThreshold") }),
      };
    default:
      throw protocolError(`There is no request "${type}"`);
  }
}

/**
 * An event as it came from the line, checked.
 * @throws HactlError PROTOCOL when it is none.
 */
export function decodeEvent(message: unknown): ExecutorEvent {
  const fields = object(message, "event");
  const type = text(fields, "type");
  switch (type) {
    case "registered":
      return {
        type,
        version: number(fields, "version"),
        hostname: text(fields, "hostname"),
        bootId: text(fields, "bootId"),
        results: list(fields, "results").map(result),
        running: list(fields, "running").map(operation),
        recurring: list(fields, "recurring").map(operation),
        complete: fields.complete === true,
      };
    case "result":
      return { type, result: result(fields.result) };
    case "cancelled":
      return {
        type,
        rsc: resourceId(text(fields, "rsc")),
        action: text(fields, "action"),
        intervalMs: number(fields, "intervalMs"),
      };
    case "metadata":
      return {
        type,
        requestId: number(fields, "requestId"),
        xml: text(fields, "xml"),
        ...(fields.error === undefined ? {} : { error: text(fields, "error") }),
      };
    case "list":
      return {
        type,
        requestId: number(fields, "requestId"),
        names: list(fields, "names").map((name) => string(name, "names")),
      };
    case "pong":
      return { type, requestId: number(fields, "requestId") };
    case "tool":
      return {
        type,
        requestId: number(fields, "requestId"),
        request: fields.request,
        ...(fields.user === undefined ? {} : { user: toolUser(fields.user) }),
      };
    case "load":
      return {
        type,
        mode: oneOf(fields, "mode", ["none", "low", "medium", "high", "extreme"]),
        jobs: number(fields, "jobs"),
        reason: text(fields, "reason"),
      };
    case "shutdown-request":
      return { type };
    default:
      throw protocolError(`There is no event "${type}"`);
  }
}

function operation(value: unknown): Operation {
  const fields = object(value, "operation");
  return {
    callId: number(fields, "callId"),
    rsc: resource(fields.rsc),
    action: text(fields, "action"),
    intervalMs: number(fields, "intervalMs"),
    timeoutMs: number(fields, "timeoutMs"),
    startDelayMs: number(fields, "startDelayMs"),
    params: texts(fields.params),
    transitionKey: text(fields, "transitionKey"),
  };
}

function result(value: unknown): OperationResult {
  const fields = object(value, "result");
  return {
    callId: number(fields, "callId"),
    rsc: resource(fields.rsc),
    action: text(fields, "action"),
    intervalMs: number(fields, "intervalMs"),
    transitionKey: text(fields, "transitionKey"),
    rc: number(fields, "rc"),
    status: number(fields, "status") as OperationResult["status"],
    exitReason: text(fields, "exitReason"),
    stdout: text(fields, "stdout"),
    execMs: number(fields, "execMs"),
    queueMs: number(fields, "queueMs"),
    lastRun: number(fields, "lastRun"),
    lastChange: number(fields, "lastChange"),
    params: texts(fields.params),
  };
}

function resource(value: unknown): AgentResource {
  const fields = object(value, "rsc");
  return { id: resourceId(text(fields, "id")), ...agent(value) };
}

function toolUser(value: unknown): ToolUser {
  const fields = object(value, "user");
  return {
    name: text(fields, "name"),
    groups: list(fields, "groups").map((group) => string(group, "groups")),
    privileged: fields.privileged === true,
  };
}

function agent(value: unknown): Omit<AgentResource, "id"> {
  const fields = object(value, "rsc");
  return {
    class: oneOf(fields, "class", ["ocf", "lsb", "systemd", "service", "stonith"]),
    ...(fields.provider === undefined ? {} : { provider: text(fields, "provider") }),
    type: text(fields, "type"),
  };
}

function object(value: unknown, name: string): Fields {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Fields;
  throw protocolError(`"${name}" is missing or no object`);
}

function string(value: unknown, name: string): string {
  if (typeof value === "string") return value;
  throw protocolError(`"${name}" is missing or no text`);
}

function text(fields: Fields, name: string): string {
  return string(fields[name], name);
}

function number(fields: Fields, name: string): number {
  const value = fields[name];
  if (typeof value === "number" && Number.isFinite(value)) return value;
  throw protocolError(`"${name}" is missing or no number`);
}

function list(fields: Fields, name: string): readonly unknown[] {
  const value = fields[name];
  if (Array.isArray(value)) return value;
  throw protocolError(`"${name}" is missing or no list`);
}

function texts(value: unknown): Readonly<Record<string, string>> {
  const fields = object(value, "params");
  return Object.fromEntries(Object.entries(fields).map(([name, entry]) => [name, string(entry, name)]));
}

function oneOf<const T extends string>(fields: Fields, name: string, allowed: readonly T[]): T {
  const value = text(fields, name);
  const found = allowed.find((one) => one === value);
  if (found !== undefined) return found;
  throw protocolError(`"${name}" is "${value}"; possible are ${allowed.join(", ")}`);
}
