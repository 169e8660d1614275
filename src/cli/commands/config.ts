import { type ArgsDef, type CommandDef, defineCommand } from "citty";

const file =
  <T extends ArgsDef>(load: () => Promise<{ readonly default: CommandDef<T> }>) =>
  async () =>
    (await load()).default as unknown as CommandDef;

export default defineCommand({
  meta: { name: "config", description: "The configuration of the cluster stack, hactl.toml." },
  subCommands: {
    check: file(() => import("./config-check.ts")),
    show: file(() => import("./config-show.ts")),
    explain: file(() => import("./config-explain.ts")),
    import: file(() => import("./config-import.ts")),
  },
});
