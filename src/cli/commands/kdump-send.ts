import { defineCommand } from "citty";
import { run } from "../tools/fence_kdump_send.ts";

export default defineCommand({
  meta: {
    name: "kdump-send",
    description:
      "Tell the nodes of the cluster that this one writes a crash dump; for a crash kernel. The same as fence_kdump_send. " +
      "Without NODE, all other nodes of hactl.toml are told, at all their addresses.",
  },
  args: {
    ipport: { type: "string", alias: "p", valueHint: "port", description: "UDP port [default: 7410]" },
    family: {
      type: "string",
      alias: "f",
      valueHint: "family",
      description: "auto, ipv4 or ipv6 [default: auto]",
    },
    count: {
      type: "string",
      alias: "c",
      valueHint: "count",
      description: "notices to each node, 0 for ever [default: 0]",
    },
    interval: {
      type: "string",
      alias: "i",
      valueHint: "seconds",
      description: "time between notices [default: 10]",
    },
    key: { type: "string", alias: "k", valueHint: "file", description: "sign with this key" },
    verbose: { type: "boolean", alias: "v", description: "say what is sent" },
  },
  run: ({ rawArgs }) => run(rawArgs),
});
