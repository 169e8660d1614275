import { defineCommand } from "citty";

export default defineCommand({
  meta: { name: "explain", description: "Explain an option." },
  subCommands: {},
});
