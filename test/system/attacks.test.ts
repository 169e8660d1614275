/**
 * Somebody who holds one part of the cluster and wants another: a remote host in the hands of somebody else, with its key
 * and the protocol at its disposal, and a client of the admin socket that sends what no tool would. Everything is tried on
 * a real cluster; that no process ended is looked at after each.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import type { Duplex } from "node:stream";
import { serveTls, type TlsServer } from "../../src/platform/index.ts";
import {
  encodeMessage,
  hostEnds,
  MessageReader,
  nodeKeyFile,
  parseRemoteKey,
} from "../../src/remote/index.ts";
import { nodeName } from "../../src/terms/index.ts";
import { Story } from "../harness/story.ts";

const evil = nodeName("evil");
let story: Story;
let server: TlsServer;
let line: Duplex | undefined;
let lines = 0;
const replies = new Map<number, { readonly value?: unknown; readonly error?: { readonly code: string } }>();
let asked = 0;

/** What a monitor or start of the real host would have told. */
const resultOf = (operation: { readonly action: string; readonly intervalMs: number }) => ({
  ...operation,
  rc: operation.action === "monitor" && operation.intervalMs === 0 ? 7 : 0,
  status: 0,
  exitReason: "",
  stdout: "",
  execMs: 1,
  queueMs: 0,
  lastRun: Math.floor(Date.now() / 1000),
  lastChange: Math.floor(Date.now() / 1000),
});

const say = (event: unknown) => line?.write(encodeMessage(event));

/** The host has its own key, made of that of the cluster, and answers as it is supposed to until it is told otherwise. */
function serve(stream: Duplex): void {
  lines++;
  line = stream;
  const reader = new MessageReader();
  stream.on("error", () => stream.destroy());
  stream.on("close", () => {
    if (line === stream) line = undefined;
  });
  stream.on("data", (piece: Uint8Array) => {
    for (const message of reader.take(piece) as Message[]) {
      if (message.type === "register") {
        const empty = { results: [], running: [], recurring: [], interrupted: [], remembered: [] };
        say({
          type: "registered",
          version: message.version,
          hostname: evil,
          bootId: "b",
          complete: true,
          ...empty,
        });
      }
      if (message.type === "ping") say({ type: "pong", requestId: message.requestId });
      if (message.type === "tool-reply") replies.set(message.requestId, message.reply);
      if (message.type === "execute") say({ type: "result", result: resultOf(message.operation) });
    }
  });
}

type Message =
  | { readonly type: "register"; readonly version: number }
  | { readonly type: "ping"; readonly requestId: number }
  | { readonly type: "tool-reply"; readonly requestId: number; readonly reply: { readonly value?: unknown } }
  | {
      readonly type: "execute";
      readonly operation: { readonly action: string; readonly intervalMs: number };
    };

/** A question of a tool of the host, with any claim about who asks. */
async function tool(request: unknown, user: unknown = { name: "root", groups: [], privileged: true }) {
  await story.until("the host is connected", 20_000, () => line && true);
  const requestId = ++asked;
  say({ type: "tool", requestId, request, user });
  return story.until(`an answer to ${JSON.stringify(request)?.slice(0, 80)}`, 20_000, () =>
    replies.get(requestId),
  );
}

/** Processes of all nodes that must live on. */
const processes = () =>
  story.names.map((name) => [
    story.nodes.pidOf(name),
    story.process(name, "manager"),
    story.process(name, "executor"),
  ]);

beforeAll(async () => {
  story = await Story.running({ nodes: 2, quorum: ["two_node = true"] });
  const whole = parseRemoteKey(readFileSync(story.nodes.remoteKey));
  const own = parseRemoteKey(Buffer.from(nodeKeyFile(whole, evil)));
  server = await serveTls({
    ...hostEnds(own, evil),
    address: "127.0.0.9",
    port: 0,
    accept: serve,
    refused: () => {},
  });
  await story.load(`property stonith-enabled=false
primitive evil ocf:pacemaker:remote params server=127.0.0.9 port=${server.port} op monitor interval=5s
primitive p ocf:pacemaker:Dummy op monitor interval=2s
location p-there p inf: node2
location p-not-far p resource-discovery=never -inf: evil`);
  await story.until("it runs", 20_000, () => (story.where("p").includes("node2") ? true : undefined));
  await story.until("the host is connected", 20_000, () => line && true);
  await story.idle();
}, 90_000);

afterAll(() => {
  server?.close();
  story?.close();
});

describe("a remote host in other hands", () => {
  test.each([
    ["rekey", {}],
    ["shutdown", {}],
    ["reload", {}],
    ["expected-votes", { votes: 1 }],
    ["fence.confirm", { target: "node2", client: "root@node1" }],
    ["fence.request", { target: "node2", action: "off", client: "root@node1", reason: "" }],
    ["fence.test", { target: "node2" }],
    ["fail", { rsc: "p", node: "node2" }],
    ["forget", { rsc: "p", node: "node2", failuresOnly: false }],
    ["attributes-update", { updates: [{ node: "node2", name: "mine", value: "1" }] }],
    ["cib-apply", { operations: [{ op: "erase" }], client: "root@node1" }],
    [
      "cib-apply",
      {
        operations: [
          { op: "create", xml: '<primitive id="planted" class="ocf" provider="pacemaker" type="Dummy"/>' },
        ],
        client: "root@node1",
      },
    ],
    [
      "cib-apply",
      {
        operations: [{ op: "create", xml: '<node id="evil" uname="evil" type="member"/>' }],
        client: "root@node1",
      },
    ],
  ] as const)(
    "may not ask for %s",
    async (type, fields) => {
      const before = processes();
      const { error } = await tool({ type, ...fields });
      // A member by its own name would be a mistake whoever makes it.
      expect(error?.code).toMatch(/^(?:PERMISSION|NAME_TAKEN)$/);
      expect(processes()).toEqual(before);
    },
    40_000,
  );

  test("changes its own attributes, as itself", async () => {
    expect(
      (await tool({ type: "attributes-update", updates: [{ node: evil, name: "mine", value: "7" }] })).error,
    ).toBeUndefined();
    await story.until("it is known", 20_000, async () =>
      /name="mine" value="7"/.test(await story.cib()) ? true : undefined,
    );
    const permanent = `<node id="evil" uname="evil" type="remote"><instance_attributes id="e"><nvpair id="e1" name="site" value="hall"/></instance_attributes></node>`;
    const made = await tool({
      type: "cib-apply",
      operations: [{ op: "modify", create: true, xml: permanent }],
      client: "root@node1",
    });
    expect(made.error).toBeUndefined();
    const cib = await story.cib();
    expect(cib).toContain('name="site" value="hall"');
    // Who asks is what the manager knows, not what the message says.
    expect(cib).toContain('update-user="root on evil"');
  }, 40_000);

  test("gets an answer to whatever it asks", async () => {
    const before = processes();
    for (const request of [
      null,
      "status",
      { type: "nonsense" },
      { type: "attributes-update", updates: [null] },
      { type: "attributes-update", updates: "x" },
      { type: "forget", rsc: 5 },
      { type: "fence.request" },
      { type: "expected-votes", votes: 1e15 },
      { type: "metadata" },
    ])
      expect([request, (await tool(request)).error?.code]).toEqual([request, "PROTOCOL"]);
    expect(processes()).toEqual(before);
  }, 60_000);

  test("tells results only of what it was given", async () => {
    const before = processes();
    const since = Date.now();
    const forged = (fields: object) => ({
      callId: 900,
      rsc: { id: "p", class: "ocf", provider: "pacemaker", type: "Dummy" },
      transitionKey: "1:1:0:x",
      params: {},
      ...resultOf({ action: "monitor", intervalMs: 2000 }),
      ...fields,
    });
    say({ type: "result", result: forged({}) });
    say({ type: "result", result: forged({ intervalMs: 0, rc: 0 }) });
    say({ type: "result", result: forged({ action: "start", intervalMs: 0 }) });
    await story.until("it is noticed", 20_000, () =>
      story.names.some((name) => story.nodes.logOf(name).includes("REMOTE-NOT-ASKED")) ? true : undefined,
    );
    await story.idle();
    expect((await story.plans(since)).join("\n")).not.toMatch(/ p\b/);
    expect(story.where("p")).toEqual(["node2"]);
    expect(processes()).toEqual(before);
  }, 60_000);

  test("ends nobody by times, numbers, names and lengths that no host has", async () => {
    const before = processes();
    const result = (fields: object) => ({
      callId: 900,
      rsc: { id: "p", class: "ocf", provider: "pacemaker", type: "Dummy" },
      transitionKey: "1:1:0:x",
      params: {},
      ...resultOf({ action: "monitor", intervalMs: 0 }),
      ...fields,
    });
    const endless = "r".repeat(12_000_000);
    for (const fields of [
      { lastRun: 1e300, lastChange: 1e300, execMs: 1e300, queueMs: -1e300 },
      { callId: 1e308 },
      { rsc: { id: `x"><\0${"y".repeat(1_000_000)}`, class: "ocf", provider: "pacemaker", type: "Dummy" } },
      { transitionKey: "::::", rc: 1e9, status: 99, action: "start" },
      { params: JSON.parse('{"__proto__":"x","constructor":"y"}') },
      { rc: 1, exitReason: endless },
      { rc: 1, exitReason: endless },
      { rc: 1, exitReason: endless },
    ]) {
      await story.until("the host is connected", 30_000, () => line && true);
      say({ type: "result", result: result(fields) });
    }
    const load = { type: "load", mode: "extreme", jobs: 1e300, reason: "no" };
    await story.until("the host is connected", 30_000, () => line && true);
    say(load);
    // What it floods with is waited for; then it is heard again, by the same processes.
    // A question on a connection that was cut off for one of these is lost, and asked again.
    await story.until("it is answered", 90_000, async () => {
      const reply = await tool({ type: "node" }).catch(() => undefined);
      return reply && reply.error === undefined ? true : undefined;
    });
    expect(story.where("p")).toEqual(["node2"]);
    expect(processes()).toEqual(before);
  }, 150_000);

  test("has what it says too long cut, and is cut off when it says nothing that can be", async () => {
    const before = processes();
    say({ type: "load", mode: "low", jobs: 1, reason: "z".repeat(8_000_000) });
    expect((await tool({ type: "node" })).error).toBeUndefined();
    for (const event of [{ type: "result", result: null }, { type: "nonsense" }, null]) {
      await story.until("the host is connected", 30_000, () => line && true);
      const known = lines;
      say(event);
      await story.until("the connection is made anew", 30_000, () => (lines > known ? true : undefined));
    }
    expect(processes()).toEqual(before);
  }, 150_000);
});

describe("a client of the admin socket", () => {
  const ask = (body: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const socket = connect(`${story.directory}/node1/run/admin.sock`);
      const head = Buffer.alloc(5);
      head.writeUInt32BE(Buffer.byteLength(body) + 1, 0);
      head[4] = 1;
      let text = "";
      socket.on("connect", () => socket.write(Buffer.concat([head, Buffer.from(body)])));
      socket.on("data", (piece) => {
        text += piece.toString("utf8");
        socket.destroy();
      });
      socket.on("error", reject);
      socket.on("close", () => resolve(text));
    });

  test("is refused with a reason, and ends nobody, by values that no tool sends", async () => {
    const before = processes();
    const updates = (fields: object) => ({
      type: "attributes-update",
      updates: [{ node: "node1", ...fields }],
    });
    for (const request of [
      updates({ name: null, value: "5" }),
      updates({ name: "a", value: {} }),
      updates({ name: "a", value: "5", dampenMs: 1e300 }),
      { type: "forget", rsc: {}, failuresOnly: true },
      { type: "forget" },
      { type: "attributes-query" },
      { type: "fence.confirm", target: 5, client: "x" },
      { type: "fence.test", target: null },
      { type: "history", since: {}, limit: {} },
      null,
    ])
      expect([request, await ask(JSON.stringify({ id: 1, request }))]).toEqual([
        request,
        expect.stringContaining('"PROTOCOL"'),
      ]);
    expect(processes()).toEqual(before);
  }, 60_000);

  test("is refused what no number is to be answered under, and what is nested without end", async () => {
    const before = processes();
    const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
    const open = `${'{"a":'.repeat(100_000)}1${"}".repeat(100_000)}`;
    const fence = `"type":"fence.request","target":"node2","client":"x","reason":""`;
    for (const body of [
      `{"id":${deep},"request":{"type":"node"}}`,
      `{"id":${open},"request":{"type":"node"}}`,
      `{"id":1,"request":{"type":"node","more":${deep}}}`,
      `{"id":1,"request":{${fence},"action":${deep}}}`,
      `{"id":1,"request":${open}}`,
      `{"id":1,"user":${deep},"request":{"type":"node"}}`,
      '{"id":{},"request":{"type":"node"}}',
      '{"request":{"type":"node"}}',
      deep,
      "[".repeat(1_000_000),
    ])
      expect([body.slice(0, 20), await ask(body)]).toEqual([
        body.slice(0, 20),
        expect.stringContaining('"PROTOCOL"'),
      ]);
    expect(processes()).toEqual(before);
    expect(story.nodes.logOf("node1")).not.toContain("ADMIN-REQUEST");
  }, 60_000);

  test("is cut off when it sends what is no request", async () => {
    const before = processes();
    const gone = await new Promise<boolean>((resolve) => {
      const socket = connect(`${story.directory}/node1/run/admin.sock`);
      socket.on("connect", () => socket.write(Buffer.from([0, 0, 0, 1, 9, 0, 0, 0, 1, 9])));
      socket.on("close", () => resolve(true));
      socket.on("error", () => {});
    });
    expect(gone).toBe(true);
    expect(processes()).toEqual(before);
  });

  test("has options called like what every object has, and the cluster goes on", async () => {
    const before = processes();
    for (const name of ["__proto__", "constructor", "toString", "hasOwnProperty"])
      await story.nodes.hactl("node1", "crm_attribute", "-n", name, "-v", "1");
    await story.idle();
    expect(processes()).toEqual(before);
    expect(story.where("p")).toEqual(["node2"]);
  }, 60_000);
});
