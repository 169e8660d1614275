import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readText } from "../../src/cli/read-text.ts";
import { HactlError } from "../../src/terms/index.ts";

const directory = mkdtempSync(join(tmpdir(), "hactl-read-"));
afterAll(() => rmSync(directory, { recursive: true }));

function file(name: string, content: string | Uint8Array): string {
  const path = join(directory, name);
  writeFileSync(path, content);
  return path;
}

function codeOf(path: string): string {
  try {
    readText(path);
  } catch (error) {
    if (error instanceof HactlError) return error.code;
    throw error;
  }
  return "none";
}

test("plain and packed files hold the same text", () => {
  const text = "<cib/>\n";
  expect(readText(file("plain.xml", text))).toBe(text);
  expect(readText(file("packed.xml.gz", Bun.gzipSync(new TextEncoder().encode(text))))).toBe(text);
});

test("what is not there, or damaged, is named", () => {
  expect(codeOf(join(directory, "nosuch"))).toBe("NO_FILE");
  expect(codeOf(file("damaged.bz2", "BZhnothing"))).toBe("COMPRESSED_INPUT");
  expect(codeOf(file("damaged.gz", new Uint8Array([0x1f, 0x8b, 1, 2, 3])))).toBe("COMPRESSED_INPUT");
});

test("other encodings are read by their mark or their declaration, and none is guessed", () => {
  const text = '<?xml version="1.0" encoding="ISO-8859-1"?><a b="ü"/>';
  expect(readText(file("latin1.xml", Buffer.from(text, "latin1")))).toBe(text);
  expect(readText(file("utf16.xml", Buffer.from("\ufeff<a b='ü'/>", "utf16le")))).toBe("<a b='ü'/>");
  expect(readText(file("utf8.xml", "\ufeff<a b='ü'/>"))).toBe("<a b='ü'/>");
  expect(codeOf(file("undeclared.xml", Buffer.from("<a>\n<b c='ü'/></a>", "latin1")))).toBe("BAD_ENCODING");
  expect(codeOf(file("unknown.xml", '<?xml version="1.0" encoding="klingon"?><a/>'))).toBe("BAD_ENCODING");
});

test("a device gives nothing that anybody means, and a pipe is read to its end", () => {
  expect(codeOf("/dev/zero")).toBe("FILE_KIND");
  expect(codeOf("/dev/null")).toBe("FILE_KIND");
  expect(codeOf(directory)).toBe("NO_FILE");
  const fifo = join(directory, "fifo");
  Bun.spawnSync(["mkfifo", fifo]);
  Bun.spawn(["sh", "-c", `echo '<cib/>' > ${fifo}`]);
  expect(readText(fifo)).toBe("<cib/>\n");
});
