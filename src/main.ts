/**
 * Decides what this process is, by the name it was called by and its first argument, before it loads anything:
 * agents call these commands in every monitor, and what is not loaded takes no time.
 */
import { internalModes } from "./cli/modes.ts";
import { daemons, tools } from "./cli/tools.ts";
import { endByDefect, isRefusal, onUncaught } from "./platform/last-resort.ts";
import { HactlError } from "./terms/errors.ts";
import { CrmExit } from "./terms/exit-codes.ts";

const calledAs = process.argv0.slice(process.argv0.lastIndexOf("/") + 1);
const args = process.argv.slice(2);

// A process of the daemon says it in its log instead, as soon as it has one.
onUncaught({
  defect: (error) => void process.stderr.write(`${calledAs}: ${defectText(error)}\n`),
  // Whoever closes the output early, as `head` does, wants no more and no complaint.
  brokenPipe: () => CrmExit.IOERR,
  refused,
});

try {
  process.exitCode = await dispatch(calledAs, args);
} catch (error) {
  if (isRefusal(error)) process.exitCode = await refused(error);
  else if (!(error instanceof HactlError)) await endByDefect(error);
  else {
    process.stderr.write(`${calledAs}: ${error.message}\n`);
    process.exitCode = error.exit;
  }
}
if (process.exitCode !== 0) await flushOutput();

async function dispatch(name: string, args: readonly string[]): Promise<number> {
  const tool = own(tools, name) ?? own(daemons, name);
  if (tool) return (await tool()).run(args);
  const [first, ...rest] = args;
  if (first === "internal") {
    const mode = own(internalModes, rest[0]);
    if (mode) return (await mode()).run(rest.slice(1));
  }
  if (first === "--version" || first === "-V") return (await import("./cli/version.ts")).printVersion(rest);
  const named = own(tools, first) ?? own(daemons, first);
  if (named) return (await named()).run(rest);
  return (await import("./cli/index.ts")).runCli(args);
}

/** What a table has under a name that somebody has typed. */
function own<T>(table: Readonly<Record<string, T>>, name: string | undefined): T | undefined {
  return name !== undefined && Object.hasOwn(table, name) ? table[name] : undefined;
}

/** What the system has refused, in a line, and the exit code for it. */
async function refused(error: Error): Promise<number> {
  const { what, cure, exit } = (await import("./cli/output.ts")).describeError(error);
  process.stderr.write(`${calledAs}: ${what}${cure === undefined ? "" : ` (${cure})`}\n`);
  return exit;
}

/** One line; where it came from only for who looks for the mistake. */
function defectText(error: unknown): string {
  const known = error instanceof Error;
  const what = known ? `${error.name}: ${error.message}` : String(error);
  const line = `a defect of hactl: ${what.replaceAll("\n", " ")} (please report it with what HACTL_DEBUG=1 shows)`;
  return known && process.env.HACTL_DEBUG ? `${line}\n${error.stack}` : line;
}

/** A pipe may still hold what was written last; the process must not end before. */
async function flushOutput(): Promise<void> {
  await Promise.all(
    [process.stdout, process.stderr].map((s) => new Promise<void>((done) => s.write("", () => done()))),
  );
}
