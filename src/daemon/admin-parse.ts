import { readAttributeUpdate } from "../attributes/index.ts";
import { readCibOperation } from "../cib/index.ts";
import { readAskedAgents, readFailedOperation } from "../controller/index.ts";
import { isDeviceName, isParameterName } from "../fencer/index.ts";
import { type Read, read } from "../terms/index.ts";
import type { AdminRequest } from "./admin-protocol.ts";
import { MOST_NODE_VOTES, MOST_VOTES } from "./ring-link.ts";

/** How long somebody waits who does not say how long. */
const idlePatienceMs = 60_000;
/** Who asks, in the client's own words; one that does not say is named by its process. */
const client: Read<string> = (value, at) => (value === undefined ? "" : read.saying(256)(value, at));
const reason = read.saying(1024);
/** Fencing itself says what is wrong with an empty one. */
const target = read.xmlText(1024);
const oneLine: Read<string> = (value, at) => {
  const found = read.xmlText(64 * 1024)(value, at);
  return /[\r\n]/.test(found) ? read.refuse(at, "has more than one line") : found;
};
const parameterName: Read<string> = (value, at) => {
  const found = read.name(value, at);
  return isParameterName(found) ? found : read.refuse(at, `is "${found}", which no parameter has`);
};
const deviceName: Read<string> = (value, at) => {
  const found = read.name(value, at);
  return isDeviceName(found) ? found : read.refuse(at, `is "${found}", which is no name of a device`);
};
const parameters = read.dictionary(oneLine, parameterName);

/**
 * Reads what a tool asks, on this node's own socket or on that of a remote host: every request is answered, and what is
 * not all that it has to be is answered by HactlError `PROTOCOL`, which says where it is wrong.
 */
export const readAdminRequest = read.variants<AdminRequest, "type">("type", {
  status: {},
  cib: {},
  "cib-apply": { operations: read.list(readCibOperation, 100_000), client },
  "attributes-update": {
    updates: read.list(readAttributeUpdate, 100_000),
    keepsUnknown: read.maybe(read.flag),
  },
  "attributes-query": { name: read.name, node: read.maybe(read.nodeName) },
  "attributes-names": {},
  fail: { rsc: read.name, node: read.nodeName },
  forget: {
    rsc: read.maybe(read.name),
    node: read.maybe(read.nodeName),
    failuresOnly: read.flag,
    failed: read.maybe(readFailedOperation),
  },
  node: {},
  "ring-status": {},
  "expected-votes": { votes: read.whole(1, MOST_VOTES) },
  "node-votes": { node: read.whole(1, 0xffff_ffff), votes: read.whole(0, MOST_NODE_VOTES) },
  reload: { force: read.maybe(read.flag) },
  rekey: { brought: read.maybe(read.flag) },
  shutdown: {},
  "wait-idle": {
    timeoutMs: (value, at) => (value === undefined ? idlePatienceMs : read.duration(value, at)),
  },
  watch: {},
  history: {
    since: read.maybe(read.number(-Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)),
    limit: read.maybe(read.number(0, Number.MAX_SAFE_INTEGER)),
  },
  metadata: { class: read.name, provider: read.maybe(read.name), agent: read.name },
  agents: { asked: readAskedAgents },
  "fence.request": {
    target,
    action: read.oneOf("off", "reboot", "on"),
    timeoutMs: read.maybe(read.duration),
    delayMs: read.maybe(read.number(-1, Number.MAX_SAFE_INTEGER)),
    client,
    reason,
  },
  "fence.history": {},
  "fence.forget": { target: read.maybe(target), client },
  "fence.confirm": { target, client },
  "fence.register": { device: deviceName, agent: read.name, params: parameters, client },
  "fence.deregister": { device: read.name, client },
  "fence.register-level": {
    target: read.name,
    index: read.whole(1, 9),
    devices: read.list(deviceName, 1024),
    client,
  },
  "fence.deregister-level": { target: read.name, index: read.whole(0, 9), client },
  "fence.test": { target },
  "fence.devices": {},
  "fence.ask": {
    ask: read.oneOf("monitor", "list", "able"),
    device: read.maybe(read.name),
    target: read.maybe(target),
    timeoutMs: read.maybe(read.duration),
  },
});

/** A frame of a client: the number to answer under, what it asks, and in whose name. */
export interface AdminRequestFrame {
  readonly id: number;
  readonly request: unknown;
  /** Empty when it asks for itself. */
  readonly user: unknown;
}

/** Reads a frame of a client. Throws HactlError `PROTOCOL`. */
export function readAdminFrame(value: unknown): AdminRequestFrame {
  const { id, request, user } = read.members(value, "request");
  return { id: read.whole(0, Number.MAX_SAFE_INTEGER)(id, "id"), request, user };
}

/** Reads the user in whose name a client asks; undefined when it asks for itself. Throws HactlError `PROTOCOL`. */
export const readInNameOf: Read<string | undefined> = (value, at) =>
  value === undefined || value === "" ? undefined : read.name(value, at);
