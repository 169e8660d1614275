/**
 * Somebody who may speak, and does nothing else: a remote host in other hands, and a user of a node without any rights, send
 * as fast as they can. The cluster answers others meanwhile, and neither memory, logs nor the configuration grow by it.
 * Needs: root, util-linux (setpriv), python3.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
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
let replies = 0;
let refused = 0;

function serve(stream: Duplex): void {
  line = stream;
  const reader = new MessageReader();
  const say = (event: unknown) => stream.write(encodeMessage(event));
  stream.on("error", () => stream.destroy());
  stream.on("close", () => {
    if (line === stream) line = undefined;
  });
  stream.on("data", (piece: Uint8Array) => {
    for (const message of reader.take(piece) as Message[]) {
      if (message.type === "register") {
        const nothing = { results: [], running: [], recurring: [], interrupted: [], remembered: [] };
        const who = { version: message.version, hostname: evil, bootId: "b", complete: true };
        say({ type: "registered", ...who, ...nothing });
      }
      if (message.type === "ping") say({ type: "pong", requestId: message.requestId });
      if (message.type === "tool-reply") {
        replies++;
        if (message.reply.error) refused++;
      }
    }
  });
}

interface Message {
  readonly type: string;
  readonly version: number;
  readonly requestId: number;
  readonly reply: { readonly error?: unknown };
}

const processes = () =>
  story.names.map((name) => [
    story.nodes.pidOf(name),
    story.process(name, "manager"),
    story.process(name, "executor"),
  ]);

/** Largest manager, MB. */
const memory = () =>
  Math.max(
    ...story.names.map((name) => {
      const status = readFileSync(`/proc/${story.process(name, "manager")}/status`, "utf8");
      return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024;
    }),
  );
const logBytes = () => story.names.reduce((sum, name) => sum + story.nodes.logOf(name).length, 0);
/** What of the cluster is kept for good. */
const history = () =>
  story.names.reduce((sum, name) => {
    const file = join(story.directory, name, "state", "history.sqlite");
    return sum + (existsSync(file) ? statSync(file).size : 0);
  }, 0);

beforeAll(async () => {
  story = await Story.running({ nodes: 2, quorum: ["two_node = true"] });
  chmodSync(story.directory, 0o755);
  const whole = parseRemoteKey(readFileSync(story.nodes.remoteKey));
  const own = parseRemoteKey(Buffer.from(nodeKeyFile(whole, evil)));
  server = await serveTls({
    ...hostEnds(own, evil),
    address: "127.0.0.9",
    port: 0,
    accept: serve,
    refused: () => {},
  });
  await story.load(`property stonith-enabled=false enable-acl=true
primitive evil ocf:pacemaker:remote params server=127.0.0.9 port=${server.port} op monitor interval=30s timeout=120s
primitive p ocf:pacemaker:Dummy op monitor interval=2s
location p-not-far p resource-discovery=never -inf: evil
role own write xpath:"//node_state[@id='evil']" write xpath:"//node[@id='evil']"
acl_target evil own`);
  await story.on("p", ["node1", "node2"].slice(0, 1)).catch(() => story.somewhere("p"));
  await story.until("the host is connected", 30_000, () => line && true);
  await story.idle();
}, 120_000);

afterAll(() => {
  server?.close();
  story?.close();
});

/** Does something, with `more` going on beside it, and looks at what must not happen. */
async function unharmed(flood: () => Promise<number>): Promise<number> {
  const before = { processes: processes(), memory: memory(), log: logBytes(), history: history() };
  let answered = 0;
  let over = false;
  const others = (async () => {
    while (!over) {
      for (const name of story.names) {
        const { code } = await story.hactl(name, "status", "--json");
        expect(code).toBeLessThan(3);
        answered++;
      }
    }
  })();
  const sent = await flood();
  over = true;
  await others;
  expect(answered).toBeGreaterThan(2);
  expect(processes()).toEqual(before.processes);
  expect(memory()).toBeLessThan(before.memory + 150);
  expect(logBytes()).toBeLessThan(before.log + 400_000);
  expect(history()).toBeLessThan(before.history + 4_000_000);
  expect(await story.somewhere("p")).toBeTruthy();
  return sent;
}

/** Settles when the stream takes more, is closed, or after a while. */
function drained(stream: Duplex): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      stream.off("drain", done);
      resolve();
    };
    const timer = setTimeout(done, 500);
    stream.once("drain", done);
  });
}

/** Sends as fast as the other side reads, for some seconds. */
async function pour(event: (i: number) => unknown, seconds = 8): Promise<number> {
  await story.until("the host is connected", 60_000, () => line && true);
  const end = performance.now() + seconds * 1000;
  let sent = 0;
  while (performance.now() < end && line) {
    const stream = line;
    const batch = Array.from({ length: 200 }, (_, i) => encodeMessage(event(sent + i)));
    sent += batch.length;
    if (stream.write(Buffer.concat(batch))) await Bun.sleep(1);
    else await drained(stream);
  }
  // What is still on the way is nobody's any more.
  line?.destroy();
  await story.until("the host is connected again", 60_000, () => line && true);
  return sent;
}

describe("a remote host that sends as fast as it can", () => {
  const tool = (request: unknown, i: number) => ({
    type: "tool",
    requestId: i,
    request,
    user: { name: "root", groups: [], privileged: true },
  });

  test("questions", async () => {
    await unharmed(() => pour((i) => tool({ type: "cib" }, i)));
    expect(replies).toBeGreaterThan(0);
  }, 180_000);

  test("changes of its attributes: no more than there is room for", async () => {
    await unharmed(() =>
      pour((i) =>
        tool(
          { type: "attributes-update", updates: [{ node: evil, name: `a${i}`, value: "x".repeat(2000) }] },
          i,
        ),
      ),
    );
    const cib = await story.cib();
    expect(cib.length).toBeLessThan(1_500_000);
    expect(refused).toBeGreaterThan(0);
  }, 180_000);

  test("changes of its part of the configuration", async () => {
    await unharmed(() =>
      pour((i) =>
        tool(
          {
            type: "cib-apply",
            operations: [
              {
                op: "modify",
                create: true,
                xml: `<node id="evil" uname="evil" type="remote"><instance_attributes id="e"><nvpair id="e${i}" name="n${i}" value="${"x".repeat(5000)}"/></instance_attributes></node>`,
              },
            ],
            client: "x",
          },
          i,
        ),
      ),
    );
    expect((await story.configuration()).length).toBeLessThan(200_000);
  }, 180_000);

  test("its load, results that nobody asked for, requests to end", async () => {
    const dummy = { id: "p", class: "ocf", provider: "pacemaker", type: "Dummy" };
    const forged = {
      callId: 1,
      rsc: dummy,
      action: "monitor",
      intervalMs: 2000,
      transitionKey: "1:1:0:x",
      params: {},
      rc: 1,
      status: 0,
      exitReason: "r".repeat(3000),
      stdout: "",
      execMs: 1,
      queueMs: 0,
      lastRun: 1,
      lastChange: 1,
    };
    await unharmed(() =>
      pour((i) =>
        i % 2 === 0
          ? { type: "load", mode: i % 4 === 0 ? "low" : "high", jobs: i, reason: "z".repeat(3000) }
          : { type: "result", result: { ...forged, callId: i, rsc: { ...dummy, id: `p${i}` } } },
      ),
    );
  }, 180_000);

  test("is named, in the log once a minute and in the status", async () => {
    const { stdout } = await story.hactl("node1", "status");
    const other = await story.hactl("node2", "status");
    expect(stdout + other.stdout).toContain("remote node evil sends more than a host has to say");
    const lines = story.names.flatMap((name) => story.nodes.logOf(name).match(/REMOTE-FLOOD/g) ?? []);
    expect(lines.length).toBeGreaterThan(0);
    expect(lines.length).toBeLessThan(20);
  }, 60_000);
});

describe("a user without rights who asks as fast as he can", () => {
  /** Many connections, each asking without reading; one more that announces more than it may, and one that says half. */
  const flooder = `import os, select, socket, struct, sys, time
path, body, seconds = sys.argv[1], sys.argv[2].encode(), float(sys.argv[3])
frame = struct.pack(">IB", len(body) + 1, 1) + body
socks = []
for i in range(200):
    s = socket.socket(socket.AF_UNIX); s.setblocking(False)
    try: s.connect(path)
    except OSError: continue
    socks.append(s)
sent, end, read = 0, time.time() + seconds, 0
while time.time() < end:
    _, ready, _ = select.select([], socks, [], 0.1)
    for s in ready:
        try: sent += s.send(frame * 50)
        except BlockingIOError: pass
        except OSError: socks.remove(s)
print(sent // len(frame), len(socks))
`;

  test.each([
    ["status", { type: "status" }],
    ["cib", { type: "cib" }],
    [
      "a change that is refused",
      { type: "attributes-update", updates: [{ node: "node1", name: "x", value: "y" }] },
    ],
    ["whether there is something to do", { type: "wait-idle", timeoutMs: 3_600_000 }],
    ["what is no request", { type: "nonsense" }],
  ])(
    "%s",
    async (_what, request) => {
      const script = join(story.directory, "flooder.py");
      writeFileSync(script, flooder, { mode: 0o644 });
      await unharmed(async () => {
        const socket = join(story.directory, "node1", "run", "admin.sock");
        const as = ["setpriv", "--reuid", "nobody", "--regid", "nogroup", "--groups", "haclient"];
        const words = ["/usr/bin/python3", script, socket, JSON.stringify({ id: 1, request }), "8"];
        const run = Bun.spawn([...as, ...words], { stdout: "pipe", stderr: "pipe" });
        const [text, wrong] = await Promise.all([
          new Response(run.stdout).text(),
          new Response(run.stderr).text(),
        ]);
        expect(wrong).toBe("");
        const [sent, connections] = text.trim().split(" ").map(Number);
        expect(sent).toBeGreaterThan(100);
        // Those that were too many were ended.
        expect(connections).toBeLessThanOrEqual(64);
        return sent ?? 0;
      });
    },
    120_000,
  );

  test("is named, once", async () => {
    const { stdout } = await story.hactl("node1", "status");
    expect(stdout).toContain("asks more than a user is answered");
    const lines = story.nodes.logOf("node1").match(/ADMIN-FLOOD/g) ?? [];
    expect(lines.length).toBeGreaterThan(0);
    expect(lines.length).toBeLessThan(5);
  }, 60_000);
});
