import { type CommandDef, defineCommand } from "citty";

export default defineCommand({
  meta: { name: "config", description: "The configuration of the cluster stack, hactl.toml." },
  subCommands: {
    check: () => import("./config-check.ts").then((module) => module.default as unknown as CommandDef),
  },
});
