import { defineCommand } from "citty";

export default defineCommand({
  meta: {
    name: "kdump",
    description: "A node that writes a crash dump counts as fenced: set its sender up and check it.",
  },
  subCommands: {
    setup: () => import("./kdump-setup.ts").then((file) => file.default),
    check: () => import("./kdump-check.ts").then((file) => file.default),
  },
});
