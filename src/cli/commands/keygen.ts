import { randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { defineCommand } from "citty";
import { keyBytes } from "../../config/index.ts";
import { createSecret } from "../../platform/index.ts";
import { CrmExit, HactlError } from "../../terms/index.ts";
import { print, printJson, wantsJson } from "../output.ts";

const files = { cluster: "/etc/hactl/authkey", remote: "/etc/hactl/remote-authkey" } as const;

export default defineCommand({
  meta: {
    name: "keygen",
    description:
      "Make the secret key that the nodes (or the cluster and its remote hosts) share. Never overwrites one.",
  },
  args: {
    keyfile: {
      type: "string",
      alias: "k",
      valueHint: "file",
      description: `where to write it [default: ${files.cluster}]`,
    },
    size: {
      type: "string",
      alias: "s",
      valueHint: "bytes",
      description: "length of the key, 128 to 4096 [default: 256, remote 4096]",
    },
    remote: { type: "boolean", description: `the key for remote hosts [default file: ${files.remote}]` },
  },
  run: ({ args }) => {
    const remote = args.remote === true;
    const file = args.keyfile ?? (remote ? files.remote : files.cluster);
    const size = parseSize(args.size ?? (remote ? "4096" : "256"));
    if (args.keyfile === undefined) mkdirSync(dirname(file), { recursive: true, mode: 0o755 });
    createSecret(file, randomBytes(size));
    if (wantsJson()) return printJson({ file, bytes: size, mode: "0400" });
    print(`Wrote a key of ${size} bytes to ${file} (mode 0400).`);
    print(
      remote
        ? `Copy it to every node and every remote host: scp -p ${file} HOST:${file}`
        : `Copy it to every node: scp -p ${file} NODE:${file}`,
    );
  },
});

function parseSize(text: string): number {
  const size = Number(text);
  if (/^\d+$/.test(text) && size >= keyBytes.min && size <= keyBytes.max) return size;
  throw new HactlError({
    code: "USAGE",
    what: `A key cannot have ${JSON.stringify(text)} bytes`,
    cure: `Choose ${keyBytes.min} to ${keyBytes.max}`,
    exit: CrmExit.USAGE,
  });
}
