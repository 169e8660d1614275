import { defineCommand } from "citty";
import { configFile } from "../../config/index.ts";
import { runRemoteHost } from "../../daemon/index.ts";
import { CrmExit, HactlError } from "../../terms/index.ts";
import { requireLive } from "../target.ts";

export default defineCommand({
  meta: {
    name: "remote",
    description:
      "Run resources for the cluster on this host, without being a member of it (in the foreground, as " +
      "hactl-remote.service does). The cluster connects by TLS with the shared key. At SIGTERM the cluster is asked to " +
      "stop what runs here; a second one does not wait for it.",
  },
  args: {
    node: {
      type: "string",
      valueHint: "name",
      description:
        "which remote node this host is [default: the name in [remote], else that of the key or the host]",
    },
    listen: {
      type: "string",
      valueHint: "address",
      description: "address to listen on [default: that of [remote], else all]",
    },
    port: {
      type: "string",
      valueHint: "number",
      description: "TCP port [default: that of [remote], else 3121]",
    },
    keyfile: {
      type: "string",
      valueHint: "file",
      description: "key that the cluster and its remote hosts share [default: that of [remote]]",
    },
    "run-dir": { type: "string", valueHint: "directory", description: "directory for sockets and state" },
  },
  run: ({ args }) => {
    requireLive("the executor of a remote host");
    return runRemoteHost({
      configPath: configFile(),
      node: args.node,
      address: args.listen,
      port: args.port === undefined ? undefined : portNumber(args.port),
      keyFile: args.keyfile,
      runDir: args["run-dir"],
    });
  },
});

function portNumber(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port > 0 && port < 65536) return port;
  throw new HactlError({
    code: "USAGE",
    what: `"${text}" is not a port`,
    cure: "Write a number from 1 to 65535",
    exit: CrmExit.USAGE,
  });
}
