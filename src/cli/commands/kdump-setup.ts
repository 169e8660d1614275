import { readFileSync } from "node:fs";
import { defineCommand } from "citty";
import { configFile, type HactlConfig, loadConfigFile } from "../../config/index.ts";
import { setUpKdump } from "../../kdump/index.ts";
import { hostname } from "../../platform/index.ts";
import { CrmExit, HactlError } from "../../terms/index.ts";
import { print, printJson, wantsJson } from "../output.ts";

/** This node's name: as told, that of the local addresses, or the host name. */
export function kdumpSelf(config: HactlConfig, told: string | undefined): string {
  const host = hostname();
  const short = host.split(".")[0];
  const named = config.nodes.find(({ name }) => name === host || name === short);
  return told ?? named?.name ?? host;
}

/** Nodes with their addresses on all links. */
export const kdumpNodes = (config: HactlConfig) =>
  config.nodes.map(({ name, id, addresses, written }) => ({
    name: name as string,
    id: id as number,
    addresses: addresses.size > 0 ? [...addresses.values()] : [...written.values()],
  }));

export default defineCommand({
  meta: {
    name: "setup",
    description:
      "Write /etc/kdump.conf and the sender, so that this node's crash kernel tells the other nodes of its dump.",
  },
  args: {
    root: { type: "string", valueHint: "directory", description: "directory that stands for / [default: /]" },
    node: { type: "string", valueHint: "name", description: "this node [default: by its host name]" },
    interval: { type: "string", valueHint: "seconds", description: "time between notices [default: 10]" },
    sender: {
      type: "string",
      valueHint: "which",
      description:
        "system: the one that is installed, else the small script; small: the script (bash only, 2 KB); hactl: this executable [default: system]",
    },
    sign: {
      type: "boolean",
      description: "sign the notices with a key derived from the cluster's (not by the script)",
    },
    "cluster-conf": {
      type: "boolean",
      description: "write /etc/cluster/cluster.conf as well (kexec-tools before 2.0.0-280)",
    },
  },
  run: ({ args }) => {
    const config = loadConfigFile(configFile(), "text");
    const sender = args.sender ?? "system";
    if (sender !== "system" && sender !== "small" && sender !== "hactl")
      throw usage(`"${sender}" is not a sender`, "Write system, small or hactl");
    if (args.sign === true && sender !== "hactl")
      throw usage("only hactl itself can sign", "Add --sender hactl, or leave --sign out");
    const intervalSeconds = Number(args.interval ?? "10");
    if (!Number.isInteger(intervalSeconds) || intervalSeconds < 1)
      throw usage(`"${args.interval}" is not a number of seconds`, "Write for example --interval 5");
    const steps = setUpKdump({
      root: args.root ?? "/",
      clusterName: config.totem.clusterName,
      self: kdumpSelf(config, args.node),
      nodes: kdumpNodes(config),
      port: config.kdump.port,
      intervalSeconds,
      sender,
      executable: process.execPath,
      signWith: args.sign === true ? readFileSync(config.totem.keyFile) : undefined,
      clusterConf: args["cluster-conf"] === true,
    });
    if (wantsJson()) return printJson(steps);
    for (const { changed, text } of steps) print(`${changed ? "written  " : "unchanged"} ${text}`);
    if (steps.some(({ changed }) => changed))
      print("Build the image anew: kdumpctl rebuild && kdumpctl restart, then: hactl kdump check");
  },
});

const usage = (what: string, cure: string) =>
  new HactlError({ code: "USAGE", what, cure, exit: CrmExit.USAGE });
