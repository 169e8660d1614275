import { readAttributeSnapshot, readAttributeUpdate } from "../attributes/index.ts";
import { readAgentFacts, readAsker, readCibOperation } from "../cib/index.ts";
import { readAgent, readAnyOperation, readAnyResult, readRemembered } from "../executor/index.ts";
import type { MaintenanceChange } from "../scheduler/index.ts";
import { HactlError, type Read, read } from "../terms/index.ts";
import type { KnownFencing } from "./fencings.ts";
import { type OrderPoint, readLosses, readVersion, type Summary } from "./join.ts";
import {
  type AskedAgents,
  type ClusterMessage,
  type Dispatch,
  type ExecutorHistory,
  type FailedOperation,
  MESSAGE_VERSION,
  MOST_AGENTS,
  MOST_ASKED_NODES,
  type Moving,
  type RemoteAddress,
  type RemoteHistory,
  type Seen,
  type Snapshot,
  type ToldAgent,
} from "./messages.ts";

/** Most characters of a whole CIB. */
const longestCib = 256 * 1024 * 1024;
/** Names a request, a membership or a transition. A membership names every participant. */
const key = read.text(1024 * 1024);
const count = read.whole(0, Number.MAX_SAFE_INTEGER);
/** The highest of a node, with room for those that follow. */
const heardCallId = read.whole(0, 2 ** 52);
const point: Read<OrderPoint> = read.pair(count, count);

const summary = read.shape<Summary>({
  node: read.nodeId,
  // Compared number by number.
  featureSet: (value, at) => {
    const text = read.text(100)(value, at);
    return /^\d{1,9}(\.\d{1,9})*$/.test(text) ? text : read.refuse(at, "is no version");
  },
  since: point,
  version: readVersion,
  fallback: read.maybe(readVersion),
  losses: read.maybe(readLosses),
  live: read.flag,
  companions: read.list(read.nodeId),
});

const history = read.shape<ExecutorHistory>({
  results: read.list(readAnyResult),
  running: read.list(readAnyOperation),
  interrupted: read.list(readAnyOperation),
  remembered: readRemembered,
  bootId: read.text(200),
  complete: read.flag,
});

const address = read.shape<RemoteAddress>({ host: read.text(1024), port: read.whole(1, 65_535) });
const remotes = read.list(
  read.shape<RemoteHistory>({ node: read.nodeName, history, address: read.maybe(address) }),
);

/** Reads an operation that is given out; also for the leader, before it gives one out. */
export const readDispatch = read.shape<Dispatch>({
  node: read.nodeName,
  executor: read.nodeName,
  operation: readAnyOperation,
  lockedSince: read.maybe(read.time),
});

/** Reads which agents are asked for, and where; also for the manager, before it asks the others. */
export const readAskedAgents = read.list(
  read.shape<AskedAgents>({ node: read.nodeName, agents: read.list(readAgent, MOST_AGENTS) }),
  MOST_ASKED_NODES,
);
const toldAgents = read.list(
  read.shape<ToldAgent>({ index: read.whole(0, MOST_AGENTS - 1), facts: readAgentFacts }),
  MOST_AGENTS,
);

/** Reads the operation of whose failures alone is spoken. */
export const readFailedOperation = read.shape<FailedOperation>({
  action: read.name,
  intervalMs: read.duration,
});

const boots = read.list(read.pair(read.nodeName, read.text(200)));
const timed = read.list(read.pair(read.nodeName, read.list(read.pair(read.name, read.time))));
const client = read.xmlText(1024);
const transitionKey = read.text(1024);

/** Reads what another manager says, with everything in it. Throws HactlError `PROTOCOL` for what is no message. */
export const readMessage = read.variants<ClusterMessage, "type">("type", {
  summary: {
    membership: key,
    summary,
    name: read.nodeName,
    at: read.time,
    history,
    remotes,
    attributes: readAttributeSnapshot,
    daemonIsNew: read.flag,
    leaving: read.flag,
  },
  snapshot: {
    membership: key,
    snapshot: read.shape<Snapshot>({
      cib: read.text(longestCib),
      attributes: readAttributeSnapshot,
      boots,
      untold: read.list(
        read.pair(read.nodeName, read.list(read.shape<Moving>({ rsc: read.name, to: read.nodeName }))),
      ),
      mayRun: read.list(read.pair(read.nodeName, read.list(readAnyOperation))),
      remembered: read.list(read.pair(read.nodeName, read.list(read.name))),
      seen: read.maybe(
        read.shape<Seen>({
          active: timed,
          tried: timed,
          added: read.list(read.name),
          changed: read.list(read.name),
          fencedFor: timed,
          resets: timed,
          inVain: read.list(read.name),
          boots,
          fencedIn: boots,
        }),
      ),
      callIds: read.list(read.pair(read.nodeName, heardCallId)),
      cancelled: read.maybe(read.list(read.pair(read.text(10_000), count), 1_000)),
      underWay: read.list(readDispatch),
      fencings: read.list(
        read.shape<KnownFencing>({
          op: read.name,
          target: read.nodeName,
          attempt: count,
          outlived: read.flag,
        }),
      ),
      fallback: read.maybe(readVersion),
    }),
  },
  cib: {
    request: key,
    operations: read.list(readCibOperation),
    user: client,
    client,
    askers: read.list(readAsker),
    at: read.time,
  },
  actions: { transition: key, membership: key, dispatches: read.list(readDispatch), at: read.time },
  results: { node: read.nodeName, results: read.list(readAnyResult) },
  described: { node: read.nodeName, results: read.list(readAnyResult) },
  history: { node: read.nodeName, history, seen: count, at: read.time },
  unanswered: { node: read.nodeName, result: readAnyResult },
  probed: { nodes: read.list(read.nodeName) },
  "managed-again": { resources: read.maybe(read.list(read.name)) },
  attributes: {
    updates: read.list(readAttributeUpdate),
    request: read.maybe(key),
    completes: read.maybe(transitionKey),
    forgetFailure: read.maybe(read.shape({ node: read.nodeName, rsc: read.name })),
  },
  flush: { name: read.name },
  // The fencer reads it for itself, by its own rules.
  fencer: { body: read.members },
  shutdown: { node: read.nodeName, at: read.time },
  release: { node: read.nodeName, completes: read.maybe(transitionKey) },
  maintenance: {
    changes: read.list(
      read.shape<MaintenanceChange>({
        node: read.nodeName,
        nodeId: read.name,
        inMaintenance: read.flag,
      }),
    ),
    completes: transitionKey,
  },
  "manager-lost": { node: read.nodeName },
  "when-idle": { request: key },
  idle: { requests: read.list(key) },
  "ask-agents": { request: key, asked: readAskedAgents },
  "agents-told": { request: key, node: read.nodeName, told: toldAgents },
  "remote-back": { node: read.nodeName },
  remote: { node: read.nodeName, up: read.flag, address: read.maybe(address) },
  fail: { rsc: read.resourceId, node: read.nodeName, at: read.time, request: key },
  forget: {
    rsc: read.maybe(read.resourceId),
    node: read.maybe(read.nodeName),
    failuresOnly: read.flag,
    failed: read.maybe(readFailedOperation),
    at: read.time,
    request: read.maybe(key),
    completes: read.maybe(transitionKey),
  },
});

/** What came of reading a message: the message, or why it is none that this node can apply. */
export type Decoded = { readonly message: ClusterMessage } | { readonly refused: string };

/**
 * Reads a message with everything in it. What does not say all that it has to, or says it by another version, is refused
 * by every member alike.
 */
export function decodeMessage(bytes: Uint8Array): Decoded {
  if (bytes[0] !== MESSAGE_VERSION)
    return { refused: `it is of version ${bytes[0] ?? "nothing"}, not ${MESSAGE_VERSION}` };
  try {
    return { message: readMessage(read.json(bytes.subarray(1), ""), "") };
  } catch (error) {
    if (error instanceof HactlError) return { refused: error.what };
    throw error;
  }
}
