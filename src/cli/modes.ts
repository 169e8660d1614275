/** What a process of the daemon offers to `main.ts`: runs until it ends and answers with the exit code. */
export interface Mode {
  readonly run: (args: readonly string[]) => Promise<number>;
}

/**
 * `hactl internal NAME …`: the processes that the daemon starts of itself; not for people and not in the help.
 * One line each.
 */
export const internalModes: Readonly<Record<string, () => Promise<Mode>>> = {
  ring: async () => {
    const { parseDaemonArguments, runRing } = await import("../daemon/index.ts");
    return { run: (args) => runRing(parseDaemonArguments(args)) };
  },
  manager: async () => {
    const { parseDaemonArguments, runNodeManager } = await import("../daemon/index.ts");
    const { version } = await import("./version.ts");
    return { run: (args) => runNodeManager(parseDaemonArguments(args), version) };
  },
  executor: async () => {
    const { parseDaemonArguments, runNodeExecutor } = await import("../daemon/index.ts");
    return { run: (args) => runNodeExecutor(parseDaemonArguments(args)) };
  },
  planner: async () => {
    const { runPlanner } = await import("../daemon/index.ts");
    return { run: runPlanner };
  },
};
