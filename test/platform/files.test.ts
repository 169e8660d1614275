import { describe, expect, test } from "bun:test";
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import {
  createSecret,
  lockFile,
  pathFacts,
  readLimited,
  readPid,
  writeDurably,
} from "../../src/platform/index.ts";
import { temporaryDirectory } from "./temporary.ts";

const root = temporaryDirectory();
const text = (bytes: Uint8Array | undefined) => (bytes ? new TextDecoder().decode(bytes) : undefined);

describe("durable files", () => {
  test("replace the old content whole and leave nothing beside it", async () => {
    const directory = join(root, "a");
    mkdirSync(directory);
    const path = join(directory, "cib.xml");
    await writeDurably(path, "one");
    await writeDurably(path, new TextEncoder().encode("two"), { mode: 0o640 });
    expect(readFileSync(path, "utf8")).toBe("two");
    expect(statSync(path).mode & 0o777).toBe(0o640);
    expect(readdirSync(directory)).toEqual(["cib.xml"]);
  });

  test("are for root alone unless told otherwise, whatever the umask", async () => {
    await writeDurably(join(root, "private"), "x");
    expect(statSync(join(root, "private")).mode & 0o777).toBe(0o600);
    const mask = process.umask(0o077);
    await writeDurably(join(root, "public"), "x", { mode: 0o644 });
    process.umask(mask);
    expect(statSync(join(root, "public")).mode & 0o777).toBe(0o644);
  });

  test("that cannot be written leave the old one and no rest", async () => {
    const directory = join(root, "b");
    mkdirSync(join(directory, "taken"), { recursive: true });
    writeFileSync(join(directory, "taken", "inside"), "");
    // A directory that is not empty cannot be replaced by a file.
    for (const [path, code] of [
      [join(directory, "taken"), "EISDIR"],
      [join(directory, "missing", "x"), "ENOENT"],
      [join(directory, "taken", "inside", "x"), "ENOTDIR"],
    ] as const) {
      const error = await writeDurably(path, "x").catch((cause: unknown) => cause);
      // The name that was given, not that of the file that takes its place.
      if (!(error instanceof Error)) throw new Error("it was written");
      expect({ ...error, message: error.message }).toMatchObject({ code, path });
      expect(error.message).toEndWith(` '${path}'`);
    }
    expect(readdirSync(directory)).toEqual(["taken"]);
  });

  test("replace a link instead of writing where it leads", async () => {
    writeFileSync(join(root, "target"), "keep");
    symlinkSync(join(root, "target"), join(root, "link"));
    await writeDurably(join(root, "link"), "new");
    expect(readFileSync(join(root, "target"), "utf8")).toBe("keep");
    expect(readFileSync(join(root, "link"), "utf8")).toBe("new");
  });
});

describe("limited reading", () => {
  test("gives the whole content, or nothing where there is no file", () => {
    writeFileSync(join(root, "small"), "abc");
    writeFileSync(join(root, "empty"), "");
    expect(text(readLimited(join(root, "small"), 3))).toBe("abc");
    expect(text(readLimited(join(root, "empty"), 3))).toBe("");
    expect(readLimited(join(root, "none"), 3)).toBeUndefined();
  });

  test("gives more than one piece in order", () => {
    const long = Array.from({ length: 30_000 }, (_, index) => `${index}\n`).join("");
    writeFileSync(join(root, "long"), long);
    expect(text(readLimited(join(root, "long"), 1_000_000))).toBe(long);
  });

  test("refuses what is too large, also where the size is not known before", () => {
    expect(() => readLimited(join(root, "small"), 2)).toThrow("more than the 2 allowed");
    expect(() => readLimited("/proc/self/status", 10)).toThrow("more than 10 bytes");
    expect(text(readLimited("/proc/self/comm", 100))).not.toBe("");
  });

  test("refuses a FIFO instead of waiting for its writer, and a directory", () => {
    expect(Bun.spawnSync(["mkfifo", join(root, "fifo")]).exitCode).toBe(0);
    expect(() => readLimited(join(root, "fifo"), 10)).toThrow("not a regular file");
    expect(() => readLimited(root, 10)).toThrow("not a regular file");
  });
});

describe("secrets", () => {
  test("are for the owner's eyes and never overwritten", () => {
    const path = join(root, "key");
    createSecret(path, new Uint8Array(300).fill(7));
    expect(pathFacts(path)).toMatchObject({ kind: "file", size: 300, mode: 0o400 });
    expect(() => createSecret(path, new Uint8Array(1))).toThrow("not overwritten");
    symlinkSync("/nonexistent", join(root, "dangling"));
    expect(() => createSecret(join(root, "dangling"), new Uint8Array(1))).toThrow("not overwritten");
    expect(statSync(path).size).toBe(300);
  });
});

describe("locks", () => {
  const held = (path: string) => Bun.spawnSync(["flock", "-n", path, "true"]).exitCode === 1;

  test("keep others out until they are released, and name the holder", () => {
    const path = join(root, "lock");
    const lock = lockFile(path);
    expect(readPid(path)).toBe(process.pid);
    expect(held(path)).toBe(true);
    expect(() => lockFile(path)).toThrow(`process ${process.pid}`);
    expect(readPid(path)).toBe(process.pid);
    lock.release();
    lock.release();
    expect(held(path)).toBe(false);
    lockFile(path).release();
  });

  test("that cannot be made name the file", () => {
    const path = join(root, "nothing", "lock");
    expect(() => lockFile(path)).toThrow(`${path}: it cannot be written: ENOENT`);
  });

  test("are not inherited by children", async () => {
    const lock = lockFile(join(root, "lock2"));
    const child = Bun.spawn(["sleep", "10"]);
    lock.release();
    expect(held(join(root, "lock2"))).toBe(false);
    child.kill();
    await child.exited;
  });
});

test("facts of a path", () => {
  writeFileSync(join(root, "facts"), "12345");
  chmodSync(join(root, "facts"), 0o4751);
  expect(pathFacts(join(root, "facts"))).toEqual({
    kind: "file",
    size: 5,
    mode: 0o4751,
    uid: process.getuid?.() ?? -1,
    gid: process.getgid?.() ?? -1,
  });
  expect(pathFacts(root)?.kind).toBe("directory");
  expect(pathFacts("/dev/null")?.kind).toBe("other");
  expect(pathFacts(join(root, "nothing"))).toBeUndefined();
});
