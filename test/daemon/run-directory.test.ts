import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RunDirectory } from "../../src/daemon/run-directory.ts";
import { unreachable } from "../../src/daemon/unreachable.ts";
import { connectFrames, type FrameServer, lockFile, openLog, serveFrames } from "../../src/platform/index.ts";

const base = mkdtempSync(join(tmpdir(), "hactl-run-"));
afterAll(() => rmSync(base, { recursive: true, force: true }));

let place = "";
let number = 0;
beforeEach(() => {
  place = join(base, String(++number));
  mkdirSync(join(place, "run"), { recursive: true });
});

/** A server in a run directory that answers with what it is sent, and one that sees to the directory. */
function stage(cares = () => true) {
  const lines: string[] = [];
  const log = openLog({
    tag: "test",
    thresholds: { stderr: "info" },
    writeStderr: (line) => void lines.push(line),
  });
  const path = join(place, "run");
  const server = serveFrames(join(path, "a.sock"), {
    frame: (connection, type, body) => void connection.send(type, body),
  });
  let files = 0;
  const directory = new RunDirectory(path, {
    log,
    cares,
    sockets: () => [server],
    names: ["a.sock", "b.sock"],
    files: () => {
      files++;
    },
  });
  return { path, server, directory, lines, files: () => files };
}

/** A connection that asks, and what it hears. */
async function client(path: string) {
  const heard: number[] = [];
  const connection = await connectFrames(path, { frame: (_connection, type) => void heard.push(type) });
  const ask = async (type: number) => {
    connection.send(type, new Uint8Array());
    for (let i = 0; i < 200 && !heard.includes(type); i++) await Bun.sleep(10);
    return heard.includes(type);
  };
  return { ask, close: () => connection.destroy() };
}

/** Both a connection from before and a new one are served. */
async function checkServed(server: FrameServer, old: Awaited<ReturnType<typeof client>>): Promise<void> {
  const fresh = await client(server.path);
  expect([await old.ask(2), await fresh.ask(3)]).toEqual([true, true]);
  fresh.close();
}

describe("a run directory", () => {
  const damages: Readonly<Record<string, (path: string) => void>> = {
    "that is removed": (path) => rmSync(path, { recursive: true }),
    "without its socket": (path) => rmSync(join(path, "a.sock")),
    "in whose place is a file": (path) => {
      rmSync(path, { recursive: true });
      writeFileSync(path, "somebody's");
    },
    "with a directory in the place of a socket": (path) => {
      rmSync(join(path, "a.sock"));
      mkdirSync(join(path, "a.sock"));
    },
  };
  for (const [name, damage] of Object.entries(damages))
    test(`${name} is made again, with its socket; connections go on`, async () => {
      const { path, server, directory, lines } = stage();
      const old = await client(server.path);
      expect(await old.ask(1)).toBe(true);
      damage(path);
      await directory.look();
      await checkServed(server, old);
      expect(directory.problem).toBeUndefined();
      expect(lines.filter((line) => line.includes("RUN-DIRECTORY"))).toHaveLength(1);
      await directory.look();
      expect(lines).toHaveLength(1);
      old.close();
      server.close();
      expect(existsSync(server.path)).toBe(false);
    });

  test("loses nothing that was in the way", async () => {
    const { path, server, directory } = stage();
    rmSync(path, { recursive: true });
    writeFileSync(path, "somebody's");
    await directory.look();
    expect(readFileSync(`${path}.found`, "utf8")).toBe("somebody's");
    expect(statSync(path).isDirectory()).toBe(true);
    server.close();
  });

  test("keeps a socket that another process serves: that is told, and what this one serves is not taken from it", async () => {
    const { server, directory, lines } = stage();
    rmSync(server.path);
    const other = serveFrames(server.path, { frame: () => {} });
    await directory.look();
    await directory.look();
    expect(directory.problem).toContain("another process serves there");
    expect(lines.filter((line) => line.includes("error: "))).toHaveLength(1);
    server.close();
    expect(existsSync(other.path)).toBe(true);
    other.close();
    const { connections } = other;
    expect(connections.size).toBe(0);
  });

  test("is left alone by a process that ends late", async () => {
    let cares = true;
    const { path, server, directory, files } = stage(() => cares);
    cares = false;
    rmSync(path, { recursive: true });
    await directory.look();
    expect([existsSync(path), files()]).toEqual([false, 0]);
    server.close();
  });

  test("that cannot be made is told once, and once more when it can", async () => {
    const { path, server, directory, lines } = stage();
    const parent = place;
    rmSync(parent, { recursive: true });
    writeFileSync(parent, "in the way of its parent");
    await directory.look();
    await directory.look();
    expect(directory.problem).toBeDefined();
    rmSync(parent);
    await directory.look();
    expect(directory.problem).toBeUndefined();
    expect(lines.map((line) => /(?:error|warning|notice): /.exec(line)?.[0])).toEqual([
      "error: ",
      "warning: ",
      "notice: ",
    ]);
    expect(existsSync(join(path, "a.sock"))).toBe(true);
    server.close();
  });
});

test("who asks a daemon that runs, and has no socket, hears that it runs and what is wrong", () => {
  const stateDir = place;
  const runDir = join(place, "run");
  expect(unreachable({ stateDir, runDir })).toBeUndefined();
  const lock = lockFile(join(stateDir, "lock"));
  const told = () => unreachable({ stateDir, runDir })?.what ?? "";
  expect(told()).toContain(`process ${process.pid}`);
  expect(told()).toContain("its socket is gone");
  mkdirSync(join(runDir, "admin.sock"));
  expect(told()).toContain("something else is in the place of its socket");
  rmSync(runDir, { recursive: true });
  expect(told()).toContain("the directory of its sockets is gone");
  writeFileSync(runDir, "");
  expect(told()).toContain("none any more");
  lock.release();
  expect(told()).toBe("");
});
