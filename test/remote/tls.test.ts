import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect as connectTcp, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import { AdminFrame, adminSocketPath } from "../../src/daemon/admin-protocol.ts";
import { openRemote, type RunningRemote } from "../../src/daemon/remote.ts";
import { RemoteWatch } from "../../src/daemon/remote-watch.ts";
import type { ExecutorEvent } from "../../src/executor/index.ts";
import {
  connectFrames,
  connectTls as connectPeer,
  handshakeLimits,
  openLog,
  serveTls,
  tlsIdentity,
  tlsPublicKey,
} from "../../src/platform/index.ts";
import {
  ANY_NODE,
  ExecutorClient,
  type ExecutorState,
  hostEnds,
  managerEnds,
  nodeKeyFile,
  parseRemoteKey,
  type RemoteKey,
  remoteExecutor,
} from "../../src/remote/index.ts";
import { CrmExit, HactlError, nodeName, resourceId } from "../../src/terms/index.ts";

// Machines that run tests may be busy with others.
setDefaultTimeout(30_000);

const key = parseRemoteKey(Buffer.alloc(4096, 7));
const otherKey = parseRemoteKey(Buffer.alloc(64, 9));
const far = nodeName("far");
const near = nodeName("near");
/** The key of one remote node alone, as it comes out of its file. */
const keyOf = (node: typeof far) => parseRemoteKey(Buffer.from(nodeKeyFile(key, node)));

/** A remote host with one agent, on a port of its own. */
class RemoteBench {
  readonly dir = mkdtempSync(join(tmpdir(), "hactl-remote-"));
  readonly lines: string[] = [];
  remote: RunningRemote | undefined;
  readonly clients: ExecutorClient[] = [];

  async open(node: typeof far | "unnamed" = far, nodeKey: RemoteKey = key): Promise<RunningRemote> {
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
      node: node === "unnamed" ? undefined : node,
      key: nodeKey,
      address: "127.0.0.1",
      port: 0,
      ocfPath: [join(this.dir, "ra")],
      rscTmp: join(this.dir, "tmp"),
      stateDir: this.dir,
    });
    return this.remote;
  }

  /** Connects a manager; settles with its first state, and its events go to the list. */
  manage(
    managerKey: RemoteKey,
    client: string,
    events: ExecutorEvent[] = [],
    node = far,
    port = this.remote?.port ?? 0,
  ): Promise<ExecutorState> {
    return new Promise((resolve) => {
      const one = new ExecutorClient({
        connect: remoteExecutor({
          host: "127.0.0.1",
          port,
          node,
          key: managerKey,
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

describe("a key for remote nodes", () => {
  test("gives each node and each end an identity of its own, the same on every host", () => {
    const secret = (byte: number) => Buffer.alloc(32, byte);
    const { publicKey } = tlsIdentity(secret(1), "host", "far");
    expect(tlsIdentity(secret(1), "host", "far").publicKey).toEqual(publicKey);
    expect(tlsIdentity(secret(2), "host", "far").publicKey).not.toEqual(publicKey);
    expect(tlsIdentity(secret(1), "manager", "far").publicKey).not.toEqual(publicKey);
    expect(tlsPublicKey(secret(1), "host")).toEqual(publicKey);
    const ends = [hostEnds(key, far), hostEnds(key, near), hostEnds(otherKey, far), managerEnds(key, far)];
    const keys = ends.map(({ identity }) => Buffer.from(identity.publicKey).toString("hex"));
    expect(new Set(keys).size).toBe(4);
  });

  test("has a certificate that verifies itself", () => {
    const certificate = new X509Certificate(hostEnds(key, far).identity.certPem);
    expect(certificate.verify(certificate.publicKey)).toBe(true);
    expect(certificate.checkIssued(certificate)).toBe(true);
    expect(certificate.subject).toBe("CN=hactl remote far");
  });

  test.each([0, 31, 4097])("has no %d bytes", (size) => {
    expect(() => parseRemoteKey(Buffer.alloc(size))).toThrow("32 to 4096 are possible");
  });

  test("of one node is that one's and no other's", () => {
    const own = keyOf(far);
    expect(own).toMatchObject({ kind: "node", node: "far" });
    expect(hostEnds(own, far).identity.publicKey).toEqual(hostEnds(key, far).identity.publicKey);
    for (const use of [hostEnds, managerEnds]) expect(() => use(own, near)).toThrow("that of far alone");
    expect(() => nodeKeyFile(own, near)).toThrow(HactlError);
    // The secret of one tells nothing of the whole, from which another one could be made.
    expect(nodeKeyFile(key, near)).not.toContain(Buffer.from(own.secret).toString("hex"));
    const damaged = nodeKeyFile(key, far).replace(/^key .*$/m, "key 12");
    expect(() => parseRemoteKey(Buffer.from(damaged))).toThrow("damaged");
  });
});

test("a client that never finishes its handshake is cut off", async () => {
  const refused: string[] = [];
  const server = await serveTls({
    ...hostEnds(key, far),
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

test.each([
  ["silent", ""],
  ["such that say something", "\x16\x03\x01"],
])("a host that has just started is reached among a thousand connections, %s", async (_, said) => {
  const { port } = await bench.open();
  const others = Array.from({ length: 1000 }, (_, i) => {
    const one = connectTcp({ port, host: "127.0.0.1", localAddress: `127.77.${i % 250}.${1 + (i >> 2)}` });
    one.on("error", () => {});
    if (said !== "") one.write(Buffer.from(said, "latin1"));
    return one;
  });
  await Promise.all(others.map((one) => one.connecting && once(one, "connect").catch(() => {})));
  // More come all the time, so that the places run out again and again.
  const more = setInterval(() => {
    for (let i = 0; i < 20; i++) {
      const one = connectTcp({
        port,
        host: "127.0.0.1",
        localAddress: `127.78.${i}.${1 + (others.length % 250)}`,
      });
      one.on("error", () => {});
      others.push(one);
    }
  }, 20);
  const connected = await bench.manage(key, "n1");
  clearInterval(more);
  for (const one of others) one.destroy();
  expect(connected).toEqual({ up: true });
});

test("where a manager came from is known to the next process of the host", async () => {
  await bench.open();
  expect(await bench.manage(key, "n1")).toEqual({ up: true });
  const file = join(bench.dir, "manager-addresses");
  await until(() => existsSync(file));
  expect(readFileSync(file, "utf8")).toBe("127.0.0.1\n");
});

test("a port that is in use is told as such", async () => {
  const { port } = await bench.open();
  const again = serveTls({
    ...hostEnds(key, far),
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
    const state = await bench.manage(otherKey, "n1");
    expect(state).toMatchObject({ up: false });
    expect("reason" in state && state.reason).toContain(
      'another key for remote nodes than this node (it says that it is "far")',
    );
    await until(() => bench.lines.length > 0);
    expect(bench.lines[0]).toContain(
      "turned a connection away: it has another key for remote nodes than this host",
    );
    expect(bench.remote?.manager).toBeUndefined();
  });

  test.each([
    ["the whole key", key],
    ["a key of its own", keyOf(far)],
  ])("with %s is served as itself, and as no other node", async (_, nodeKey) => {
    const { port } = await bench.open(far, nodeKey);
    expect(await bench.manage(key, "n1")).toEqual({ up: true });
    // Somebody without any key sends the connection that is meant for another host here.
    const relay = createServer((one) => {
      const on = connectTcp(port, "127.0.0.1");
      one.pipe(on).pipe(one);
      for (const end of [one, on]) end.on("error", () => end.destroy());
    }).listen(0, "127.0.0.1");
    await once(relay, "listening");
    const address = relay.address();
    const through = typeof address === "object" && address ? address.port : 0;
    const state = await bench.manage(key, "n2", [], near, through);
    relay.close();
    expect("reason" in state && state.reason).toContain("it is remote node far, not near");
    await until(() => bench.lines.length > 0);
    expect(bench.lines[0]).toMatch(/looks for remote node "?near"?.* and this is far/);
    // The one that is served is not disturbed.
    expect(bench.remote?.manager).toBe("n1");
    expect(bench.clients[0]?.up).toBe(true);
  });

  test("that is any node is found under every name, by managers of the cluster alone", async () => {
    await bench.open(ANY_NODE);
    expect(await bench.manage(key, "n1", [], far)).toEqual({ up: true });
    expect(await bench.manage(key, "n2", [], near)).toEqual({ up: true });
    expect(await bench.manage(otherKey, "n3", [], near)).toMatchObject({ up: false });
    expect(bench.remote?.manager).toBe("n2");
    const one = keyOf(far);
    expect(() => hostEnds(one, ANY_NODE)).toThrow(HactlError);
    expect(() => managerEnds(one, far)).toThrow("cannot be used for any other");
    expect(() => nodeKeyFile(key, ANY_NODE)).toThrow(HactlError);
  });

  test("that was not told its name is the one that is looked for first, and no other while it is in use", async () => {
    await bench.open("unnamed");
    expect(await bench.manage(otherKey, "n0", [], near)).toMatchObject({ up: false });
    expect(await bench.manage(key, "n1", [], far)).toEqual({ up: true });
    expect(await bench.manage(key, "n2", [], near)).toMatchObject({ up: false });
    await until(() => bench.lines.length > 1);
    expect(bench.lines[1]).toContain("looks for remote node near here, and this is far, which is in use");
    expect(bench.remote?.manager).toBe("n1");
    expect(await bench.manage(key, "n3", [], far)).toEqual({ up: true });
  });

  test("cannot act as a manager of another one, with its key or with what it shows itself", async () => {
    const { port } = await bench.open(near);
    const own = keyOf(far);
    const { peer } = managerEnds(key, near);
    const ends = [
      hostEnds(own, far).identity,
      tlsIdentity(own.secret, "manager", "far"),
      hostEnds(key, near).identity,
      tlsIdentity(own.secret, "manager", "near"),
    ];
    for (const identity of ends) {
      const stream = await connectPeer({ identity, peer, host: "127.0.0.1", port, timeoutMs: 5000 });
      await once(stream, "close");
    }
    await until(() => bench.lines.length > 0);
    expect(bench.remote?.manager).toBeUndefined();
    expect(bench.lines.join("")).not.toContain("MANAGER-CONNECTED");
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

  test.each(["TLSv1.1", "TLSv1.2"] as const)("has no connection of %s", async (version) => {
    const { port } = await bench.open();
    const client = connectTls({
      host: "127.0.0.1",
      port,
      rejectUnauthorized: false,
      minVersion: version,
      maxVersion: version,
    });
    let connected = false;
    client.once("secureConnect", () => {
      connected = true;
    });
    client.on("error", () => {});
    await new Promise((resolve) => client.once("close", resolve));
    expect(connected).toBe(false);
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
    const watch = (label: string, node: typeof far, managerKey: RemoteKey, at = port) => {
      const waits = { firstWaitMs: 5, longestWaitMs: 20 };
      const one = new RemoteWatch({ key: () => managerKey, answers: () => answered.push(label), ...waits });
      one.watch([{ node, host: "127.0.0.1", port: at }]);
      return one;
    };
    const watches = [watch("far", far, key), watch("another", near, key), watch("stranger", far, otherKey)];
    const closed = createServer().listen(0, "127.0.0.1");
    await once(closed, "listening");
    const address = closed.address();
    const free = typeof address === "object" && address ? address.port : 0;
    closed.close();
    watches.push(watch("gone", far, key, free));
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
    const connect = remoteExecutor({ host: "127.0.0.1", port, node: far, key, timeoutMs: 5000 });
    await expect(connect()).rejects.toMatchObject({ code: "UNREACHABLE" });
  });
});
