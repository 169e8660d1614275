import { read } from "../terms/index.ts";
import type {
  Attempt,
  ExecuteAnswer,
  ExecuteOrder,
  FenceDeed,
  FenceRequest,
  FenceResult,
  FencerMessage,
  FenceTestRow,
  KeptRun,
  RegisteredDevice,
  RegisteredLevel,
  ToldOperation,
} from "./face.ts";
import type { AgentMetadata } from "./metadata.ts";

/** Longest words of a reason, a client or a person. */
const longestSaying = 4096;
/** Longest list of what has ended that fencers tell each other. */
const longestHistory = 10_000;

/** Longest value of a parameter. */
const longestParameter = 64 * 1024;
/** Most devices, and most levels, of one node. */
const mostRegistered = 10_000;

const id = read.name;
const saying = read.saying(longestSaying);
const action = read.oneOf("off", "reboot", "on");
const deed = read.oneOf<FenceDeed>("reset", "off", "off-on", "on", "kdump", "confirmed", "none");
const count = read.whole(0, Number.MAX_SAFE_INTEGER);
/** Levels run from 1 to 9; 0 is for devices without one, and what the configuration says is not checked here. */
const level = read.number(-1_000_000, 1_000_000);

const request = read.shape<FenceRequest>({
  id,
  target: read.nodeName,
  action,
  timeoutMs: read.duration,
  // -1 switches every delay off.
  delayMs: read.number(-1, Number.MAX_SAFE_INTEGER),
  origin: read.nodeName,
  client: saying,
  reason: saying,
  ring: read.maybe(saying),
});

const result = read.shape<FenceResult>({
  id,
  target: read.nodeName,
  action,
  ok: read.flag,
  executor: read.nodeName,
  devices: read.list(id, 1024),
  reason: saying,
  client: saying,
  origin: read.nodeName,
  completedAt: read.time,
  deed,
  failures: count,
  exhausted: read.flag,
  untried: read.maybe(read.flag),
});

const ordered = {
  attempt: read.whole(1, 1_000_000),
  level,
  device: id,
  action,
  phase: read.oneOf<"main" | "on">("main", "on"),
  executor: read.nodeName,
  timeoutMs: read.duration,
  delayMs: read.number(-1, Number.MAX_SAFE_INTEGER),
};

const order = read.shape<ExecuteOrder>({ op: id, target: read.nodeName, ...ordered });

const operation = read.shape<ToldOperation>({
  request,
  merged: read.list(request, 10_000),
  attempts: read.list(
    read.shape<Attempt>({
      ...ordered,
      state: read.oneOf<Attempt["state"]>("running", "ok", "failed"),
      ran: read.flag,
      deed,
      reason: saying,
      disproved: read.maybe(read.flag),
    }),
    10_000,
  ),
  outlived: read.flag,
});

/** Reads what a manager has written down of a run. @throws HactlError `PROTOCOL` */
export const readKeptRun = read.shape<KeptRun>({
  order,
  deed,
  triesLeft: read.number(-1_000_000, 1_000_000),
  ring: read.text(200),
});

const answer = read.shape<ExecuteAnswer>({
  op: id,
  attempt: read.whole(1, 1_000_000),
  device: id,
  ok: read.flag,
  ran: read.flag,
  deed,
  reason: saying,
  disproved: read.maybe(read.flag),
});

const metadata = read.shape<AgentMetadata>({
  actions: read.list(read.text(1024), 1000),
  hostArgument: read.oneOf("port", "plug", "none"),
  onTarget: read.flag,
  automatic: read.flag,
});

const row = read.shape<FenceTestRow>({
  level,
  device: id,
  node: read.nodeName,
  ok: read.flag,
  check: saying,
  text: saying,
});

/** Reads the parameters of a device: names and values of one line each. @throws HactlError `PROTOCOL` */
const parameters = read.dictionary(read.text(longestParameter));
const deviceIds = read.list(id, 1024);
const registered = {
  devices: read.list(read.shape<RegisteredDevice>({ id, agent: id, params: parameters }), mostRegistered),
  levels: read.list(
    read.shape<RegisteredLevel>({ target: id, index: read.whole(1, 9), devices: deviceIds }),
    mostRegistered,
  ),
};

/**
 * Reads what another fencer says. Throws HactlError `PROTOCOL` for what is none of this version's messages; a newer peer
 * may send kinds that are not known here.
 */
export const readFencerMessage = read.variants<FencerMessage, "type">("type", {
  request: { request },
  execute: { order },
  answer: { answer },
  done: { op: id, result, goneAgain: read.maybe(read.text(200)) },
  notice: { node: read.nodeName, signed: read.flag },
  confirm: { id, target: read.nodeName, client: saying, at: read.time },
  forget: { id, target: read.maybe(read.nodeName), client: saying },
  registered: { id: read.maybe(id), ...registered },
  agents: { agents: read.dictionary(read.orNull(metadata)) },
  history: {
    entries: read.list(result, longestHistory),
    failures: read.dictionary(count),
    forgotten: read.maybe(read.list(id, longestHistory)),
    operations: read.maybe(read.list(operation, 10_000)),
  },
  test: { id, target: read.nodeName },
  "test-answer": { id, rows: read.list(row, 100_000) },
});
