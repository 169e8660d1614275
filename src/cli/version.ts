import { writeOut } from "./output.ts";
/** Version of this hactl; package.json and the RPM say the same (a test compares them). */
export const version = "0.1.0";

/** `hactl --version`, with `--json` for programs. */
export function printVersion(args: readonly string[]): number {
  const facts = { name: "hactl", version, runtime: `Bun ${Bun.version}` };
  writeOut(args.includes("--json") ? `${JSON.stringify(facts)}\n` : `hactl ${version}\n`);
  return 0;
}
