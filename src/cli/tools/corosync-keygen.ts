import { randomBytes } from "node:crypto";
import { closeSync, mkdirSync, openSync, readSync } from "node:fs";
import { dirname } from "node:path";
import { keyBytes } from "../../config/index.ts";
import { createSecret } from "../../platform/index.ts";
import { CrmExit, HactlError } from "../../terms/index.ts";
import { keyFiles } from "../key-files.ts";
import { asTool, line, usage } from "./connection.ts";
import { type OptionRow, parseWords } from "./getopt.ts";

const table: readonly OptionRow[] = [
  {
    name: "key-file",
    short: "k",
    value: "FILE",
    description: "where to write it [default: as hactl.toml says, else /etc/hactl/authkey]",
  },
  { name: "size", short: "s", value: "BYTES", description: "its length, 128 to 4096 [default: 256]" },
  { name: "random-file", short: "r", value: "FILE", description: "where to take it from" },
  { name: "less-secure", short: "l", description: "accepted: the system's random numbers never block" },
  { name: "help", short: "h", description: "print this help" },
];

/** corosync-keygen(8): the key that the nodes share. A key that is there is never overwritten. */
export const run = (words: readonly string[]): Promise<number> =>
  asTool("corosync-keygen", "Make the secret key that the nodes share.", table, words, async () => {
    const given = parseWords("corosync-keygen", table, words);
    if (given.words.length > 0)
      throw usage("corosync-keygen", `"${given.words[0]}" does not belong to any option`);
    const text = given.value("size") ?? "256";
    const size = Number(text);
    if (!/^\d+$/.test(text) || size < keyBytes.min || size > keyBytes.max)
      throw usage("corosync-keygen", `a key has ${keyBytes.min} to ${keyBytes.max} bytes, not ${text}`);
    const source = given.value("random-file");
    const key = source === undefined ? randomBytes(size) : bytesOf(source, size);
    const file = given.value("key-file") ?? keyFiles().cluster;
    if (given.value("key-file") === undefined) mkdirSync(dirname(file), { recursive: true, mode: 0o755 });
    createSecret(file, key);
    line(`Wrote a key of ${size} bytes to ${file}.`);
    return CrmExit.OK;
  });

/** @throws HactlError USAGE when it cannot be read, or is too short */
function bytesOf(path: string, size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  try {
    const file = openSync(path, "r");
    try {
      for (let at = 0; at < size; ) {
        const count = readSync(file, bytes, at, size - at, null);
        if (count === 0) throw usage("corosync-keygen", `${path} holds only ${at} bytes`);
        at += count;
      }
    } finally {
      closeSync(file);
    }
  } catch (error) {
    if (error instanceof HactlError) throw error;
    throw usage("corosync-keygen", `${path} cannot be read: ${(error as NodeJS.ErrnoException).code}`);
  }
  return bytes;
}
