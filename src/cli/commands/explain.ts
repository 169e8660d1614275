import { type CommandDef, defineCommand } from "citty";

export default defineCommand({
  meta: { name: "explain", description: "Explain something of hactl." },
  subCommands: {
    option: async () => (await import("./explain-option.ts")).default as unknown as CommandDef,
  },
});
