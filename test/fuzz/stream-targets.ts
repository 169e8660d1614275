import { decodeMessage } from "../../src/controller/message-parse.ts";
import { type ClusterMessage, encodeMessage as encodeClusterMessage } from "../../src/controller/messages.ts";
import { decodeDelivery, decodeRingRequest, encodeDelivery, toJson } from "../../src/daemon/ring-link.ts";
import { noticeKey, plainNotice, readNotice, signedNotice, verifyNotice } from "../../src/kdump/index.ts";
import { FrameReader, frameHeader } from "../../src/platform/index.ts";
import { decodeEvent, decodeRequest, encodeMessage, MessageReader } from "../../src/remote/index.ts";
import { nodeId, nodeName, resourceId } from "../../src/terms/index.ts";
import type { Random } from "../sim/random.ts";
import { broken, orRefused, same, type Target } from "./targets.ts";

const encoder = new TextEncoder();
const maxBody = 4096;

/** A stream comes in pieces that end anywhere. */
function pieces(data: Uint8Array, random: Random): Uint8Array[] {
  const cut = random.between(0, data.length);
  return random.chance(0.3) ? [data] : [data.subarray(0, cut), data.subarray(cut)];
}

function frames(): Target {
  const frame = (type: number, body: Uint8Array) => Buffer.concat([frameHeader(type, body.length), body]);
  const [short, long] = [frame(1, encoder.encode("{}")), frame(2, new Uint8Array(300).fill(7))];
  return {
    name: "local sockets: frames",
    samples: [short, long, frame(3, new Uint8Array()), Buffer.concat([short, long, short])],
    feed: (data, random) => {
      const reader = new FrameReader(maxBody);
      let bytes = 0;
      const outcome = orRefused(() => {
        for (const piece of pieces(data, random)) {
          reader.take(piece, (_type, body) => {
            bytes += body.length + 5;
          });
        }
      });
      if (bytes > data.length) broken("more came out than went in", data);
      return outcome;
    },
  };
}

function ringRequests(): Target {
  const requests = [
    { type: "status" },
    { type: "rekey" },
    { type: "reload" },
    { type: "reload", force: true },
    { type: "expected-votes", votes: 3 },
    { type: "node-votes", node: 2, votes: 3 },
  ].map((request, id) => toJson({ id, request }));
  return {
    name: "local sockets: what the manager asks of the ring",
    samples: [...requests, encodeDelivery(nodeId(3), encoder.encode("payload"))],
    feed: (data) => {
      decodeDelivery(data);
      return decodeRingRequest(data)?.request ? "accepted" : "refused";
    },
  };
}

function kdumpNotices(): Target {
  const key = noticeKey(new Uint8Array(64).fill(3), "node1");
  const genuine = signedNotice("node1", key, 1_800_000_000_000);
  return {
    name: "kdump: notices",
    samples: [plainNotice("LE"), plainNotice("BE"), genuine],
    feed: (data) => {
      const notice = readNotice(data);
      const proven = verifyNotice(data, key, 1_800_000_000_000, 0) === "";
      if (proven && !same(data, genuine)) broken("a forged notice was believed", data);
      return notice.kind === "invalid" ? "refused" : "accepted";
    },
  };
}

function clusterMessages(): Target {
  const node = nodeName("node1");
  const messages: ClusterMessage[] = [
    { type: "when-idle", request: "r1" },
    { type: "idle", requests: ["r1", "r2"] },
    { type: "shutdown", node, at: 1_800_000_000 },
    { type: "remote", node, up: true },
    { type: "results", node, results: [] },
    { type: "attributes", updates: [{ node, name: "a", value: "1" }] },
    { type: "forget", rsc: resourceId("vip"), failuresOnly: true, at: 1_700_000_000 },
    {
      type: "cib",
      request: "r",
      operations: [],
      user: "carol on far",
      client: "crm",
      askers: [
        { user: "far", groups: [] },
        { user: "carol", groups: ["haclient", "web"] },
      ],
      at: 5,
    },
  ];
  return {
    name: "cluster: messages between managers",
    samples: messages.map(encodeClusterMessage),
    feed: (data) => ("message" in decodeMessage(data) ? "accepted" : "refused"),
  };
}

function remoteMessages(): Target {
  const rsc = { id: resourceId("db"), class: "ocf", provider: "heartbeat", type: "Dummy" };
  const operation = {
    callId: 4,
    rsc,
    action: "monitor",
    intervalMs: 10_000,
    timeoutMs: 20_000,
    startDelayMs: 0,
    params: { state: "/run/x" },
    transitionKey: "1:2:0:abc",
  };
  const bodies: unknown[] = [
    { type: "register", client: "node1", version: 1 },
    { type: "execute", operation },
    { type: "cancel", rsc: "db", action: "monitor", intervalMs: 10_000 },
    { type: "metadata", requestId: 3, rsc },
    { type: "ping", requestId: 9 },
    {
      type: "registered",
      version: 1,
      hostname: "vm",
      bootId: "b",
      results: [],
      running: [operation],
      recurring: [],
      interrupted: [],
      complete: true,
    },
    { type: "pong", requestId: 9 },
    { type: "list", requestId: 1, names: ["Dummy"] },
    {
      type: "tool",
      requestId: 7,
      request: { type: "cib" },
      user: { name: "carol", groups: ["web"], privileged: false },
    },
  ];
  return {
    name: "remote: the executor protocol",
    samples: bodies.map(encodeMessage),
    feed: (data, random) => {
      let got = 0;
      const outcome = orRefused(() => {
        const reader = new MessageReader();
        for (const piece of pieces(data, random)) {
          for (const message of reader.take(piece)) {
            if (orRefused(() => decodeRequest(message)) === "accepted") got++;
            else if (orRefused(() => decodeEvent(message)) === "accepted") got++;
          }
        }
      });
      return outcome === "accepted" && got > 0 ? "accepted" : "refused";
    },
  };
}

/** What comes over local sockets, from crash kernels, from other managers and from remote hosts. */
export const streamTargets = (): Target[] => [
  frames(),
  ringRequests(),
  kdumpNotices(),
  clusterMessages(),
  remoteMessages(),
];
