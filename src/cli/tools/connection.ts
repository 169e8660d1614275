import { AdminClient } from "../../daemon/index.ts";
import { CrmExit, HactlError } from "../../terms/index.ts";
import { type OptionRow, optionHelp } from "./getopt.ts";

/**
 * Connects a tool that agents call to its daemon: HACTL_SOCKET when the executor gave it, else as every command does.
 */
export async function connectTool(): Promise<AdminClient> {
  const socket = process.env.HACTL_SOCKET;
  if (socket !== undefined && socket !== "") return AdminClient.connect(socket);
  const { connectAdmin } = await import("../../daemon/index.ts");
  return connectAdmin();
}

/** Runs a tool: `--help` from its table of options; an error is one line on standard error and its exit code. */
export async function asTool(
  name: string,
  purpose: string,
  table: readonly OptionRow[],
  words: readonly string[],
  work: () => Promise<number>,
): Promise<number> {
  if (words.includes("--help") || words.includes("-?")) {
    process.stdout.write(`${name} - ${purpose}\n\n${optionHelp(table)}\n`);
    return CrmExit.OK;
  }
  if (words.includes("--version") || words.includes("-$")) {
    process.stdout.write("Pacemaker 3.0.0 (hactl)\n");
    return CrmExit.OK;
  }
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof HactlError)) throw error;
    process.stderr.write(`${name}: ${error.what}${error.cure === undefined ? "" : ` (${error.cure})`}\n`);
    return error.exit;
  }
}
