import { defineCommand } from "citty";

export default defineCommand({
  meta: { name: "resource", description: "See resources, start, stop and move them." },
  subCommands: {
    list: () => import("./resource-status.ts").then((file) => file.list),
    status: () => import("./resource-status.ts").then((file) => file.status),
    locate: () => import("./resource-status.ts").then((file) => file.locate),
    start: () => import("./resource-role.ts").then((file) => file.start),
    stop: () => import("./resource-role.ts").then((file) => file.stop),
    restart: () => import("./resource-role.ts").then((file) => file.restart),
    promote: () => import("./resource-role.ts").then((file) => file.promote),
    demote: () => import("./resource-role.ts").then((file) => file.demote),
    manage: () => import("./resource-role.ts").then((file) => file.manage),
    unmanage: () => import("./resource-role.ts").then((file) => file.unmanage),
    maintenance: () => import("./resource-role.ts").then((file) => file.maintenance),
    move: () => import("./resource-move.ts").then((file) => file.move),
    ban: () => import("./resource-move.ts").then((file) => file.ban),
    clear: () => import("./resource-move.ts").then((file) => file.clear),
    cleanup: () => import("./resource-forget.ts").then((file) => file.cleanup),
    refresh: () => import("./resource-forget.ts").then((file) => file.refresh),
  },
});
