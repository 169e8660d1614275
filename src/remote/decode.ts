import {
  type ExecutorEvent,
  type ExecutorRequest,
  readAgent,
  readOperation,
  readRemembered,
  readResult,
  readToolUser,
} from "../executor/index.ts";
import { read } from "../terms/index.ts";

const word = read.xmlText(1024);
const requestId = read.whole(0, Number.MAX_SAFE_INTEGER);
/** Longest meta-data of an agent. */
const longestMetadata = 4 * 1024 * 1024;
/** Operations that a host tells of at connecting, of a kind: many times what one machine runs. */
const mostTold = 20_000;
/** A configuration as text; Linux takes no longer one in the environment of a process. */
const mostInForce = 128 * 1024;
const anything = (value: unknown): unknown => value;
/** Version of the protocol. */
const version = read.whole(0, 1_000_000);

const readRequest = read.variants<ExecutorRequest, "type">("type", {
  register: { client: word, version },
  execute: { operation: readOperation },
  cancel: { rsc: read.resourceId, action: read.name, intervalMs: read.duration },
  probed: {},
  forget: { rsc: read.resourceId },
  "look-again": { rsc: read.resourceId },
  metadata: { requestId, rsc: readAgent, looks: read.maybe(read.flag) },
  list: { requestId, class: word, provider: read.maybe(word) },
  ping: { requestId },
  "tool-reply": { requestId, reply: anything },
  "shutdown-ack": {},
  configure: {
    nodeActionLimit: read.maybe(read.whole(0, 1_000_000)),
    loadThreshold: read.maybe(read.number(0, Number.MAX_SAFE_INTEGER)),
    inForce: read.maybe(read.text(mostInForce)),
  },
});

const readEvent = read.variants<ExecutorEvent, "type">("type", {
  registered: {
    version,
    hostname: word,
    bootId: word,
    results: read.list(readResult, mostTold),
    running: read.list(readOperation, mostTold),
    recurring: read.list(readOperation, mostTold),
    interrupted: read.list(readOperation, mostTold),
    remembered: readRemembered,
    complete: read.flag,
  },
  result: { result: readResult },
  cancelled: { rsc: read.resourceId, action: read.name, intervalMs: read.duration },
  metadata: {
    requestId,
    xml: read.text(longestMetadata),
    error: read.maybe(read.saying(4096)),
    absent: read.maybe(read.flag),
  },
  list: { requestId, names: read.list(word, 100_000) },
  pong: { requestId },
  // The manager reads it as it reads what comes to its own socket.
  tool: { requestId, request: anything, user: read.maybe(readToolUser) },
  load: {
    mode: read.oneOf("none", "low", "medium", "high", "extreme"),
    jobs: read.number(0, Number.MAX_SAFE_INTEGER),
    reason: read.saying(4096),
  },
  "shutdown-request": {},
});

/**
 * A request as it came from the line, checked.
 * @throws HactlError PROTOCOL when it is none.
 */
export const decodeRequest = (message: unknown): ExecutorRequest => readRequest(message, "request");

/**
 * An event as it came from the line, checked.
 * @throws HactlError PROTOCOL when it is none.
 */
export const decodeEvent = (message: unknown): ExecutorEvent => readEvent(message, "event");
