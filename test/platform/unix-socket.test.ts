import { describe, expect, test } from "bun:test";
import { lstatSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  connectFrames,
  type FrameConnection,
  FrameReader,
  FrameWriter,
  frameHeader,
  serveFrames,
} from "../../src/platform/index.ts";
import { temporaryDirectory } from "./temporary.ts";

const root = temporaryDirectory();
const bytes = (text: string) => new TextEncoder().encode(text);
const text = (body: Uint8Array) => new TextDecoder().decode(body);

describe("frames in a stream", () => {
  const frames: [number, string][] = [
    [1, "one"],
    [0, ""],
    [255, "x".repeat(300)],
    [7, "end"],
  ];
  const stream = Buffer.concat(
    frames.flatMap(([type, body]) => [frameHeader(type, body.length), bytes(body)]),
  );

  test("are the same however the stream is cut", () => {
    for (let size = 1; size <= stream.length; size++) {
      const reader = new FrameReader(1000);
      const got: [number, string][] = [];
      for (let at = 0; at < stream.length; at += size) {
        reader.take(stream.subarray(at, at + size), (type, body) => got.push([type, text(body)]));
      }
      expect(got).toEqual(frames);
    }
  });

  test("of impossible length are refused before anything is kept for them", () => {
    const take = (length: number) => () => {
      const header = new Uint8Array(5);
      new DataView(header.buffer).setUint32(0, length);
      new FrameReader(1000).take(header, () => {});
    };
    expect(take(0)).toThrow("0 bytes");
    expect(take(1002)).toThrow("1000 are allowed");
    expect(take(0xffff_ffff)).toThrow("4294967295 bytes");
    expect(take(1001)).not.toThrow();
  });

  test("of one turn go out in one write, and the rest of a short write follows first", async () => {
    const writes: Buffer[] = [];
    let room = 10;
    const writer = new FrameWriter((batch) => {
      const taken = Math.min(room, batch.length);
      room -= taken;
      writes.push(Buffer.from(batch.subarray(0, taken)));
      return taken;
    });
    for (const [type, body] of frames) writer.send(type, bytes(body));
    expect(writes).toHaveLength(0);
    await Promise.resolve();
    expect(writes).toHaveLength(1);
    expect(writer.pending).toBe(stream.length - 10);
    writer.send(9, bytes("later"));
    await Promise.resolve();
    expect(writes).toHaveLength(1);
    room = 1_000_000;
    writer.flush();
    expect(writer.pending).toBe(0);
    expect(Buffer.concat(writes)).toEqual(Buffer.concat([stream, frameHeader(9, 5), bytes("later")]));
  });
});

/** A server and a client that are connected, and what each got. */
async function pair(name: string, options: Parameters<typeof serveFrames>[2] = {}) {
  const path = join(root, name);
  const events: string[] = [];
  let changed = () => {};
  const happened = async (count: number) => {
    while (events.length < count) await new Promise<void>((resolve) => (changed = resolve));
  };
  const add = (event: string) => {
    events.push(event);
    changed();
  };
  let peer: FrameConnection | undefined;
  const server = serveFrames(
    path,
    {
      open: (connection) => (peer = connection),
      frame: (connection, type, body) => {
        add(`server ${type} ${text(body)}`);
        if (type === 1) connection.send(2, body);
      },
      close: (_, error) => add(`server closed ${error?.message ?? ""}`.trim()),
    },
    options,
  );
  const client = await connectFrames(path, {
    frame: (_, type, body) => add(`client ${type} ${text(body)}`),
    close: (_, error) => add(`client closed ${error?.message ?? ""}`.trim()),
  });
  return { path, server, client, events, happened, peer: () => peer };
}

describe("frames on a Unix socket", () => {
  test("a server that ends late leaves the socket of the one that took its place", async () => {
    const path = join(root, "replaced.sock");
    const nothing = { frame: () => {} };
    const late = serveFrames(path, nothing);
    const next = serveFrames(path, nothing);
    late.close();
    await Bun.sleep(50);
    expect(lstatSync(path).isSocket()).toBe(true);
    const client = await connectFrames(path, nothing);
    client.destroy();
    next.close();
    await Bun.sleep(50);
    expect(lstatSync(path, { throwIfNoEntry: false })).toBeUndefined();
  });

  test("go both ways, in order, and end in order", async () => {
    const { server, client, events, happened, peer } = await pair("echo");
    client.send(1, bytes("a"));
    client.send(1, bytes("b"));
    await happened(4);
    expect(events).toEqual(["server 1 a", "server 1 b", "client 2 a", "client 2 b"]);
    expect(peer()?.peer).toEqual({
      pid: process.pid,
      uid: process.getuid?.() ?? -1,
      gid: process.getgid?.() ?? -1,
      groups: expect.arrayContaining(process.getgroups?.() ?? []),
    });
    expect(client.peer?.pid).toBe(process.pid);
    client.send(3, bytes("last"));
    client.end();
    expect(client.send(3, bytes("too late"))).toBe(false);
    await happened(7);
    expect(events.slice(4).toSorted()).toEqual(["client closed", "server 3 last", "server closed"]);
    expect(server.connections.size).toBe(0);
    server.close();
    expect(lstatSync(server.path, { throwIfNoEntry: false })).toBeUndefined();
  });

  test("of many megabytes arrive whole, with backpressure", async () => {
    const path = join(root, "big");
    const size = 8 * 1024 * 1024;
    const received: Uint8Array[] = [];
    const done = Promise.withResolvers<void>();
    const server = serveFrames(path, {
      frame: (_, type, body) => {
        received.push(body);
        if (type === 9) done.resolve();
      },
    });
    const drained = Promise.withResolvers<void>();
    const client = await connectFrames(
      path,
      { frame: () => {}, drain: () => drained.resolve() },
      { highWater: 1024 },
    );
    const big = new Uint8Array(size).map((_, index) => index % 251);
    expect(client.send(1, big)).toBe(false);
    await drained.promise;
    expect(client.pendingBytes).toBe(0);
    expect(client.send(9, bytes("end"))).toBe(true);
    await done.promise;
    expect(received.map((body) => body.length)).toEqual([size, 3]);
    expect(Buffer.compare(received[0] ?? bytes(""), big)).toBe(0);
    client.destroy();
    server.close();
  });

  test("a paused reader makes the sender wait and gets everything afterwards", async () => {
    const { client, peer, happened, events, server } = await pair("pause");
    client.send(3, bytes("first"));
    await happened(1);
    peer()?.pause();
    const body = new Uint8Array(4 * 1024 * 1024).fill(0x61);
    expect(client.send(3, body)).toBe(false);
    // What the kernel holds is less than the body: some must wait here however long.
    await Bun.sleep(20);
    expect(client.pendingBytes).toBeGreaterThan(1024 * 1024);
    expect(events).toHaveLength(1);
    peer()?.resume();
    await happened(2);
    expect(events[1]?.length).toBe("server 3 ".length + body.length);
    server.close();
  });

  test("a peer that never reads is cut off", async () => {
    const path = join(root, "deaf");
    const closed = Promise.withResolvers<Error | undefined>();
    const server = serveFrames(
      path,
      {
        open: (connection) => {
          for (let count = 0; count < 40; count++) connection.send(1, new Uint8Array(64 * 1024));
        },
        frame: () => {},
        close: (_, error) => closed.resolve(error),
      },
      { maxPending: 1024 * 1024 },
    );
    await connectFrames(path, { frame: () => {} }).catch(() => {});
    expect((await closed.promise)?.message).toContain("does not read");
    server.close();
  });

  test("garbage ends the connection and nothing else", async () => {
    const { path, server, events, happened, client } = await pair("garbage");
    await Bun.connect({
      unix: path,
      socket: { open: (s) => void s.write("GET / HTTP/1.1\r\n\r\n"), data: () => {} },
    });
    await happened(1);
    expect(events[0]).toStartWith("server closed The other side announces a message of 1195725856 bytes");
    client.send(1, bytes("still here"));
    await happened(3);
    expect(events.slice(1)).toEqual(["server 1 still here", "client 2 still here"]);
    server.close();
  });

  test("only root and the group may connect; a left-over socket is replaced, another file is not", async () => {
    const path = join(root, "modes");
    serveFrames(path, { frame: () => {} });
    expect(lstatSync(path).mode & 0o777).toBe(0o660);
    const second = serveFrames(path, { frame: () => {} }, { mode: 0o600, group: "no-such-group" });
    expect(lstatSync(path).mode & 0o777).toBe(0o600);
    second.close();
    writeFileSync(join(root, "file"), "");
    expect(() => serveFrames(join(root, "file"), { frame: () => {} })).toThrow("socket cannot be made");
    expect(() => serveFrames(join(root, "x".repeat(200)), { frame: () => {} })).toThrow("shorter run_dir");
    expect(() => serveFrames(join(root, "none", "s"), { frame: () => {} })).toThrow("socket cannot be made");
  });

  test("nobody there: the client is told that hactl does not run", async () => {
    await expect(connectFrames(join(root, "nobody"), { frame: () => {} })).rejects.toMatchObject({
      code: "NOT_RUNNING",
      exit: 102,
    });
    const left = serveFrames(join(root, "left"), { frame: () => {} });
    left.close();
    writeFileSync(join(root, "plain"), "");
    await expect(connectFrames(join(root, "plain"), { frame: () => {} })).rejects.toMatchObject({
      code: "NOT_RUNNING",
    });
  });
});
