import { randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { defineCommand } from "citty";
import { keyBytes } from "../../config/index.ts";
import { createSecret, readLimited } from "../../platform/index.ts";
import { nodeKeyFile, parseRemoteKey } from "../../remote/index.ts";
import { CrmExit, HactlError, nodeName } from "../../terms/index.ts";
import { keyFiles } from "../key-files.ts";
import { print, printJson, wantsJson } from "../output.ts";

export default defineCommand({
  meta: {
    name: "keygen",
    description:
      "Make the secret key that the nodes (or the cluster and its remote hosts) share. Never overwrites one. With --remote " +
      "--node NAME, make of the key for remote hosts one that is good for that remote node alone: nobody who takes it from " +
      "there can be another one or connect to another one.",
  },
  args: {
    keyfile: {
      type: "string",
      alias: "k",
      valueHint: "file",
      description: "where to write it [default: as hactl.toml says, else /etc/hactl/authkey]",
    },
    size: {
      type: "string",
      alias: "s",
      valueHint: "bytes",
      description: "length of the key, 128 to 4096 [default: 256, remote 4096]",
    },
    remote: {
      type: "boolean",
      description:
        "the key for remote hosts [default file: as hactl.toml says, else /etc/hactl/remote-authkey]",
    },
    node: {
      type: "string",
      valueHint: "name",
      description:
        "with --remote: a key for this remote node alone, made of the whole one [default file: that of the whole one with .NAME]",
    },
    from: {
      type: "string",
      valueHint: "file",
      description: "with --node: where the whole key for remote hosts is [default: as hactl.toml says]",
    },
  },
  run: ({ args }) => {
    const remote = args.remote === true;
    if (args.node !== undefined || args.from !== undefined) {
      if (!remote || !args.node || args.size !== undefined) throw forNodeOnly();
      const whole = args.from ?? keyFiles().remote;
      return makeNodeKey(args.node, whole, args.keyfile ?? `${whole}.${args.node}`);
    }
    const file = args.keyfile ?? keyFiles()[remote ? "remote" : "cluster"];
    const size = parseSize(args.size ?? (remote ? "4096" : "256"));
    if (args.keyfile === undefined) mkdirSync(dirname(file), { recursive: true, mode: 0o755 });
    createSecret(file, randomBytes(size));
    if (wantsJson()) return printJson({ file, bytes: size, mode: "0400" });
    print(`Wrote a key of ${size} bytes to ${file} (mode 0400).`);
    print(
      remote
        ? `Copy it to every node: scp -p ${file} NODE:${file}; for each remote node make one of its own: hactl keygen --remote --node NAME`
        : `Copy it to every node: scp -p ${file} NODE:${file}`,
    );
  },
});

function makeNodeKey(name: string, from: string, file: string): void {
  const unusable =
    [...name].some((character) => character < " ") || /[/*]/.test(name) || name.trim() !== name;
  if (unusable) {
    throw new HactlError({
      code: "USAGE",
      what: `${JSON.stringify(name)} is no name of a remote node`,
      cure: "Name it as its connection resource, or as the remote-node of its guest",
      exit: CrmExit.USAGE,
    });
  }
  const whole = readLimited(from, keyBytes.max);
  if (!whole) {
    throw new HactlError({
      code: "KEY_MISSING",
      what: "The key for remote hosts, of which that of one is made, is missing",
      where: { file: from },
      cure: "Call it on a node of the cluster that has the key (--from FILE), or make it there: hactl keygen --remote",
      exit: CrmExit.NOINPUT,
    });
  }
  const content = Buffer.from(nodeKeyFile(parseRemoteKey(whole), nodeName(name)));
  createSecret(file, content);
  if (wantsJson()) return printJson({ file, bytes: content.length, mode: "0400", node: name });
  print(`Wrote the key of remote node ${name} to ${file} (mode 0400).`);
  print(
    `Copy it to that host alone, to where its hactl.toml names it: scp -p ${file} ${name}:/etc/hactl/remote-authkey`,
  );
}

const forNodeOnly = () =>
  new HactlError({
    code: "USAGE",
    what: "--node and --from are for a key of one remote node, which has one size",
    cure: "Write hactl keygen --remote --node NAME",
    exit: CrmExit.USAGE,
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
