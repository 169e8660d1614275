import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import {
  chmodSync,
  closeSync,
  linkSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { holdFile, leftCopies, writeDurably } from "../../src/platform/index.ts";

const directory = mkdtempSync(join(tmpdir(), "hactl-held-"));
const path = join(directory, "kept.xml");
afterAll(() => rmSync(directory, { recursive: true, force: true }));
beforeEach(() => {
  for (const name of readdirSync(directory)) rmSync(join(directory, name), { force: true });
  writeFileSync(path, "the content before\n");
});

async function overwrite(content: string): Promise<void> {
  const file = await holdFile(path);
  try {
    file.overwrite(content);
  } finally {
    file.release();
  }
}

describe("a file that is changed in place", () => {
  test.each(["short\n", "the content after\n", `much longer\n${"x".repeat(200_000)}\n`, ""])(
    "has the new content, whole (%#)",
    async (content) => {
      await overwrite(content);
      expect(readFileSync(path, "utf8")).toBe(content);
      expect(readdirSync(directory)).toEqual(["kept.xml"]);
    },
  );

  test("stays the same file, with its permissions and names, and whoever has it open sees the change", async () => {
    chmodSync(path, 0o640);
    linkSync(path, join(directory, "other-name.xml"));
    const before = statSync(path);
    const reader = openSync(path, "r");
    try {
      await overwrite("the content after\n");
      const after = statSync(path);
      expect([after.ino, after.mode, after.uid, after.gid]).toEqual([
        before.ino,
        before.mode,
        before.uid,
        before.gid,
      ]);
      const seen = Buffer.alloc(100);
      expect(seen.toString("utf8", 0, readSync(reader, seen, 0, 100, 0))).toBe("the content after\n");
      expect(readFileSync(join(directory, "other-name.xml"), "utf8")).toBe("the content after\n");
    } finally {
      closeSync(reader);
    }
  });

  test("is what a link leads to; the link stays", async () => {
    const link = join(directory, "link.xml");
    symlinkSync(path, link);
    const file = await holdFile(link);
    file.overwrite("through the link\n");
    file.release();
    expect(readFileSync(path, "utf8")).toBe("through the link\n");
    expect(readdirSync(directory).sort()).toEqual(["kept.xml", "link.xml"]);
  });

  test("one waits for the other, and then reads what that one wrote", async () => {
    const first = await holdFile(path);
    const second = holdFile(path).then((file) => {
      const seen = new TextDecoder().decode(file.read());
      file.release();
      return seen;
    });
    first.overwrite("by the first\n");
    first.release();
    expect(await second).toBe("by the first\n");
  });

  test("with no room for more the old content is all there, and nothing is left behind", () => {
    const old = `${"o".repeat(3000)}\n`;
    writeFileSync(path, old);
    // A limit on the size of files stands for a full disk: the write fails in its midst.
    const script = `
      const { holdFile } = await import(${JSON.stringify(join(import.meta.dir, "../../src/platform/index.ts"))});
      const file = await holdFile(${JSON.stringify(path)});
      try { file.overwrite("n".repeat(100_000)); console.log("written"); } catch (error) { console.log(error.code); }`;
    const ran = Bun.spawnSync(
      ["bash", "-c", `trap '' XFSZ; ulimit -f 16; exec "$0" -e "$1"`, process.execPath, script],
      { stderr: "pipe" },
    );
    expect(ran.stdout.toString().trim()).toBe("EFBIG");
    expect(readFileSync(path, "utf8")).toBe(old);
    expect(readdirSync(directory)).toEqual(["kept.xml"]);
  });

  test("a copy that an overwriting has left behind is found", () => {
    const copy = join(directory, ".kept.xml.before-0123");
    writeFileSync(copy, "the content before\n");
    expect(leftCopies(path)).toEqual([copy]);
    expect(leftCopies(join(directory, "other.xml"))).toEqual([]);
  });

  test("has to be a regular file that is there", async () => {
    await expect(holdFile(directory)).rejects.toMatchObject({ code: "EISDIR" });
    await expect(holdFile(join(directory, "absent"))).rejects.toMatchObject({ code: "ENOENT" });
    await expect(holdFile("/dev/zero")).rejects.toMatchObject({ code: "FILE_KIND" });
  });
});

test("what is no file is never replaced by one", async () => {
  const pipe = join(directory, "pipe");
  expect(Bun.spawnSync(["mkfifo", pipe]).exitCode).toBe(0);
  await expect(writeDurably(pipe, "text")).rejects.toMatchObject({ code: "FILE_KIND" });
  expect(statSync(pipe).isFIFO()).toBe(true);
});
