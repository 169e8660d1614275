import type { ArgsDef, CommandDef } from "citty";

/** Chapters of `hactl --help`, in this order. */
export const groups = [
  { id: "look", title: "See what the cluster does" },
  { id: "change", title: "Steer resources and nodes" },
  { id: "configure", title: "Configure" },
  { id: "run", title: "Run the daemons" },
  { id: "understand", title: "Understand and rehearse" },
] as const;
export type GroupId = (typeof groups)[number]["id"];

/** One command of `hactl`: what the help says without loading it, and how to load it. */
export interface CommandEntry {
  readonly name: string;
  readonly aliases?: readonly string[];
  readonly group: GroupId;
  /** One line, begins with a small letter. */
  readonly description: string;
  /** Left out of the help. */
  readonly hidden?: boolean;
  readonly load: () => Promise<CommandDef>;
}

/** Loads the default export of a command's file when it is needed. */
const file =
  <T extends ArgsDef>(load: () => Promise<{ readonly default: CommandDef<T> }>): CommandEntry["load"] =>
  async () =>
    // Commands differ in the type of their arguments; the frame only hands the words on.
    (await load()).default as unknown as CommandDef;

/** Every command, in the order of the help. To add one: commands/NAME.ts and one entry here. */
export const commands: readonly CommandEntry[] = [
  {
    name: "status",
    group: "look",
    description: "how the cluster is, on one screen",
    load: file(() => import("./commands/status.ts")),
  },
  {
    name: "ring",
    group: "look",
    description: "members, token and links of the ring",
    load: file(() => import("./commands/ring.ts")),
  },
  {
    name: "quorum",
    group: "look",
    description: "votes and quorum",
    load: file(() => import("./commands/quorum.ts")),
  },
  {
    name: "resource",
    group: "change",
    description: "start, stop, move, clean up resources",
    load: file(() => import("./commands/resource.ts")),
  },
  {
    name: "config",
    group: "configure",
    description: "check, show, explain or import hactl.toml",
    load: file(() => import("./commands/config.ts")),
  },
  {
    name: "configure",
    group: "configure",
    description: "show and change resources, constraints and properties",
    load: file(() => import("./commands/configure.ts")),
  },
  {
    name: "property",
    group: "configure",
    description: "show and set the cluster's properties",
    load: file(() => import("./commands/property.ts")),
  },
  {
    name: "node",
    group: "change",
    description: "take a node out of service and back",
    load: file(() => import("./commands/node.ts")),
  },
  {
    name: "maintenance",
    group: "change",
    description: "leave all services alone for a while",
    load: file(() => import("./commands/maintenance.ts")),
  },
  {
    name: "wait",
    group: "change",
    description: "wait until the cluster has nothing left to do",
    load: file(() => import("./commands/wait.ts")),
  },
  {
    name: "history",
    group: "look",
    description: "what happened, and when",
    load: file(() => import("./commands/history.ts")),
  },
  {
    name: "reload",
    group: "run",
    description: "read hactl.toml again",
    load: file(() => import("./commands/reload.ts")),
  },
  {
    name: "start",
    group: "run",
    description: "run the cluster on this node",
    load: file(() => import("./commands/start.ts")),
  },
  {
    name: "stop",
    group: "run",
    description: "move the services away and leave the cluster",
    load: file(() => import("./commands/stop.ts")),
  },
  {
    name: "remote",
    group: "run",
    description: "run resources on this host without being a member",
    load: file(() => import("./commands/remote.ts")),
  },
  {
    name: "fence",
    group: "change",
    description: "fence a node, try the devices, confirm that a node is down",
    load: file(() => import("./commands/fence.ts")),
  },
  {
    name: "kdump",
    group: "configure",
    description: "let a node that writes a crash dump count as fenced",
    load: file(() => import("./commands/kdump.ts")),
  },
  {
    name: "kdump-send",
    group: "run",
    description: "tell the cluster that this node writes a crash dump",
    load: file(() => import("./commands/kdump-send.ts")),
  },
  {
    name: "keygen",
    group: "configure",
    description: "make the secret key that the nodes share",
    load: file(() => import("./commands/keygen.ts")),
  },
  {
    name: "verify",
    group: "understand",
    description: "check a configuration",
    load: file(() => import("./commands/verify.ts")),
  },
  {
    name: "simulate",
    group: "understand",
    description: "rehearse what the cluster would do",
    load: file(() => import("./commands/simulate.ts")),
  },
  {
    name: "explain",
    group: "understand",
    description: "why something is where it is; what an action waits for; an option",
    load: file(() => import("./commands/explain.ts")),
  },
  {
    name: "version",
    group: "understand",
    description: "print the version",
    load: file(() => import("./commands/version.ts")),
  },
];
