import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect as connectTcp, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import { AdminFrame, adminSocketPath } from "../../src/daemon/admin-protocol.ts";
import { openRemote, type RunningRemote } from "../../src/daemon/remote.ts";
import { RemoteWatch } from "../../src/daemon/remote-watch.ts";
import type { ExecutorEvent } from "../../src/executor/index.ts";
import { connectFrames, handshakeLimits, openLog, serveTls, tlsIdentity } from "../../src/platform/index.ts";
import { ExecutorClient, type ExecutorState, remoteExecutor } from "../../src/remote/index.ts";
import { CrmExit, HactlError, nodeName, resourceId } from "../../src/terms/index.ts";

// Machines that run tests may be busy with others.
setDefaultTimeout(30_000);

const key = Buffer.alloc(4096, 7);

/** A remote host with one agent, on a port of its own. */
class RemoteBench {
  readonly dir = mkdtempSync(join(tmpdir(), "hactl-remote-"));
  readonly lines: string[] = [];
  remote: RunningRemote | undefined;
  readonly clients: ExecutorClient[] = [];

  async open(): Promise<RunningRemote> {
    mkdirSync(join(this.dir, "ra/test"), { recursive: true });
    writeFileSync(join(this.dir, "ra/test/Agent"), `#!/bin/sh\necho "$1" >>${this.dir}/calls\n`, {
      mode: 0o755,
    });
    this.remote = await openRemote({
      runDir: this.dir,
      log: openLog({
        tag: "t",
        thresholds: { stderr: "warning" },
        writeStderr: (line) => this.lines.push(line),
      }),
      sharedKey: key,
      address: "127.0.0.1",
      port: 0,
      ocfPath: [join(this.dir, "ra")],
      rscTmp: join(this.dir, "tmp"),
    });
    return this.remote;
  }

  /** Connects a manager; settles with its first state, and its events go to the list. */
  manage(sharedKey: Uint8Array, client: string, events: ExecutorEvent[] = []): Promise<ExecutorState> {
    return new Promise((resolve) => {
      const one = new ExecutorClient({
        connect: remoteExecutor({
          host: "127.0.0.1",
          port: this.remote?.port ?? 0,
          sharedKey,
          timeoutMs: 5000,
        }),
        client,
        reconnect: false,
        onEvent: (event) => events.push(event),
        onState: resolve,
      });
      this.clients.push(one);
      one.start();
    });
  }

  close(): void {
    for (const client of this.clients) client.close();
    this.remote?.close(true);
    rmSync(this.dir, { recursive: true });
  }
}

let bench: RemoteBench;
beforeEach(() => {
  bench = new RemoteBench();
});
afterEach(() => bench.close());

const until = async (condition: () => boolean) => {
  while (!condition()) await Bun.sleep(2);
};

describe("an identity from the shared key", () => {
  test("is the same on every host, and another one for another key", () => {
    const one = tlsIdentity(key);
    expect(tlsIdentity(Buffer.alloc(4096, 7)).publicKey).toEqual(one.publicKey);
    expect(tlsIdentity(Buffer.alloc(4096, 8)).publicKey).not.toEqual(one.publicKey);
    expect(tlsIdentity(key.subarray(0, 4095)).publicKey).not.toEqual(one.publicKey);
  });

  test("has a certificate that verifies itself", () => {
    const certificate = new X509Certificate(tlsIdentity(key).certPem);
    expect(certificate.verify(certificate.publicKey)).toBe(true);
    expect(certificate.checkIssued(certificate)).toBe(true);
    expect(certificate.subject).toBe("CN=hactl");
  });

  test.each([0, 31, 4097])("is not made of %d bytes", (size) => {
    expect(() => tlsIdentity(Buffer.alloc(size))).toThrow(HactlError);
  });
});

test("a client that never finishes its handshake is cut off", async () => {
  const refused: string[] = [];
  const server = await serveTls({
    identity: tlsIdentity(key),
    address: "127.0.0.1",
    port: 0,
    handshakes: { ...handshakeLimits, patienceMs: 30 },
    accept: (stream) => stream.destroy(),
    refused: (_from, reason) => refused.push(reason),
  });
  const silent = connectTcp(server.port, "127.0.0.1");
  silent.on("error", () => {});
  await new Promise((resolve) => silent.once("close", resolve));
  expect(refused).toEqual(["it did not say in time who it is"]);
  server.close();
});

test("a port that is in use is told as such", async () => {
  const { port } = await bench.open();
  const again = serveTls({
    identity: tlsIdentity(key),
    address: "127.0.0.1",
    port,
    accept: (stream) => stream.destroy(),
    refused: () => {},
  });
  await expect(again).rejects.toMatchObject({ code: "PORT", exit: CrmExit.OSERR });
});

describe("a remote host", () => {
  test("serves a manager with the same key", async () => {
    await bench.open();
    const events: ExecutorEvent[] = [];
    expect(await bench.manage(key, "n1", events)).toEqual({ up: true });
    bench.clients[0]?.send({
      type: "execute",
      operation: {
        callId: 1,
        rsc: { id: resourceId("a"), class: "ocf", provider: "test", type: "Agent" },
        action: "start",
        intervalMs: 0,
        timeoutMs: 20_000,
        startDelayMs: 0,
        params: {},
        transitionKey: "k",
      },
    });
    await until(() => events.some(({ type }) => type === "result"));
    expect(events.find(({ type }) => type === "result")).toMatchObject({ result: { callId: 1, rc: 0 } });
    expect(readFileSync(join(bench.dir, "calls"), "utf8")).toBe("start\n");
    expect(await bench.clients[0]?.ping(5000)).toBe(true);
  });

  test("and a manager with another key turn each other away, and both say so", async () => {
    await bench.open();
    const state = await bench.manage(Buffer.alloc(64, 9), "n1");
    expect(state).toMatchObject({ up: false });
    expect("reason" in state && state.reason).toContain("has another shared key than this node");
    await until(() => bench.lines.length > 0);
    expect(bench.lines[0]).toContain("turned a connection away: it has another shared key than this host");
    expect(bench.remote?.manager).toBeUndefined();
  });

  test("reads nothing from a client without a certificate", async () => {
    const { port } = await bench.open();
    const client = connectTls({ host: "127.0.0.1", port, rejectUnauthorized: false });
    client.on("error", () => {});
    client.write("anything at all");
    await new Promise((resolve) => client.once("close", resolve));
    await until(() => bench.lines.length > 0);
    expect(bench.lines[0]).toContain("turned a connection away: it showed no certificate");
    expect(bench.lines.join("")).not.toContain("GARBAGE");
  });

  test("turns away what is no TLS, and serves on", async () => {
    const { port } = await bench.open();
    const client = connectTcp(port, "127.0.0.1");
    client.on("error", () => {});
    client.write("GET / HTTP/1.0\r\n\r\n");
    await new Promise((resolve) => client.once("close", resolve));
    await until(() => bench.lines.length > 0);
    expect(bench.lines[0]).toContain("no TLS connection came about");
    expect(await bench.manage(key, "n1")).toEqual({ up: true });
  });

  test("goes over to another manager with everything that it knows", async () => {
    await bench.open();
    await bench.manage(key, "n1");
    const events: ExecutorEvent[] = [];
    expect(await bench.manage(key, "n2", events)).toEqual({ up: true });
    await until(() => bench.clients[0]?.up === false);
    expect(bench.remote?.manager).toBe("n2");
    expect(events[0]).toMatchObject({ type: "registered", results: [] });
  });

  test("carries the questions of its tools to the cluster", async () => {
    await bench.open();
    const events: ExecutorEvent[] = [];
    const answers: unknown[] = [];
    const tool = await connectFrames(adminSocketPath(bench.dir), {
      frame: (_connection, type, body) => {
        expect(type).toBe(AdminFrame.REPLY);
        answers.push(JSON.parse(new TextDecoder().decode(body)));
      },
    });
    const ask = (id: number, request: unknown) =>
      tool.send(AdminFrame.REQUEST, new TextEncoder().encode(JSON.stringify({ id, request })));
    // Before a manager is there: it waits.
    ask(41, { type: "node" });
    await bench.manage(key, "n1", events);
    await until(() => events.some(({ type }) => type === "tool"));
    const question = events.find((event) => event.type === "tool");
    expect(question).toMatchObject({
      type: "tool",
      request: { type: "node" },
      // Who runs the daemon is privileged there.
      user: { privileged: true },
    });
    if (question?.type !== "tool") throw new Error("no question");
    bench.clients[0]?.send({
      type: "tool-reply",
      requestId: question.requestId,
      reply: { value: { name: "r1" } },
    });
    await until(() => answers.length === 1);
    expect(answers).toEqual([{ id: 41, value: { name: "r1" } }]);
    // When the manager goes before it has answered, the tool is told.
    ask(42, { type: "cib" });
    await until(() => events.filter(({ type }) => type === "tool").length === 2);
    bench.clients[0]?.close();
    await until(() => answers.length === 2);
    expect(answers[1]).toMatchObject({ id: 42, error: { code: "CONNECTION_LOST" } });
    tool.destroy();
  });

  test("ends when the cluster has stopped what runs there, whoever is its manager by then", async () => {
    const remote = await bench.open();
    expect(await remote.drain()).toBe(false);
    const first: ExecutorEvent[] = [];
    const second: ExecutorEvent[] = [];
    await bench.manage(key, "n1", first);
    const drained = remote.drain();
    await until(() => first.some(({ type }) => type === "shutdown-request"));
    await bench.manage(key, "n2", second);
    await until(() => second.some(({ type }) => type === "shutdown-request"));
    bench.clients[1]?.send({ type: "shutdown-ack" });
    expect(await drained).toBe(true);
  });

  test("is noticed when it serves again, by those who have the key, and keeps its manager", async () => {
    const { port } = await bench.open();
    await bench.manage(key, "n1");
    const answered: string[] = [];
    const watch = (name: string, sharedKey: Uint8Array, at = port) => {
      const node = nodeName(name);
      const waits = { firstWaitMs: 5, longestWaitMs: 20 };
      const one = new RemoteWatch({ key: () => sharedKey, answers: (node) => answered.push(node), ...waits });
      one.watch([{ node, host: "127.0.0.1", port: at }]);
      return one;
    };
    const watches = [watch("far", key), watch("stranger", Buffer.alloc(4096, 8))];
    const closed = createServer().listen(0, "127.0.0.1");
    await once(closed, "listening");
    const address = closed.address();
    const free = typeof address === "object" && address ? address.port : 0;
    closed.close();
    watches.push(watch("gone", key, free));
    await until(() => answered.length > 2);
    watches[0]?.watch([]);
    const before = answered.length;
    watches[0]?.watch([{ node: nodeName("far"), host: "127.0.0.1", port }]);
    await until(() => answered.length > before);
    for (const one of watches) one.close();
    expect(new Set(answered)).toEqual(new Set(["far"]));
    expect(bench.remote?.manager).toBe("n1");
    expect(bench.clients[0]?.up).toBe(true);
    expect(bench.lines.join("")).not.toContain("GARBAGE");
  });

  test("that is not there is told in time", async () => {
    const { port } = await bench.open();
    bench.remote?.close(true);
    const connect = remoteExecutor({ host: "127.0.0.1", port, sharedKey: key, timeoutMs: 5000 });
    await expect(connect()).rejects.toMatchObject({ code: "UNREACHABLE" });
  });
});
