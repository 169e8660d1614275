/**
 * Decides what this process is, by the name it was called by and its first argument, before it loads anything:
 * agents call these commands in every monitor, and what is not loaded takes no time.
 */
import { internalModes } from "./cli/modes.ts";
import { daemons, tools } from "./cli/tools.ts";

const calledAs = process.argv0.slice(process.argv0.lastIndexOf("/") + 1);
const args = process.argv.slice(2);

process.exitCode = await dispatch(calledAs, args);
if (process.exitCode !== 0) await flushOutput();

async function dispatch(name: string, args: readonly string[]): Promise<number> {
  const tool = tools[name] ?? daemons[name];
  if (tool) return (await tool()).run(args);
  const [first, ...rest] = args;
  if (first === "internal") {
    const mode = internalModes[rest[0] ?? ""];
    if (mode) return (await mode()).run(rest.slice(1));
  }
  if (first === "--version" || first === "-V") return (await import("./cli/version.ts")).printVersion(rest);
  const named = first === undefined ? undefined : (tools[first] ?? daemons[first]);
  if (named) return (await named()).run(rest);
  return (await import("./cli/index.ts")).runCli(args);
}

/** A pipe may still hold what was written last; the process must not end before. */
async function flushOutput(): Promise<void> {
  await Promise.all(
    [process.stdout, process.stderr].map((s) => new Promise<void>((done) => s.write("", () => done()))),
  );
}
