import { join } from "node:path";

/** What a run of hactl did. */
export interface Run {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** The program as source. */
export const main = join(import.meta.dir, "../../src/main.ts");

/** Runs hactl with these words as a process of its own, called by a name where one is given. */
export async function hactl(
  words: readonly string[],
  environment: Record<string, string> = {},
  name = "hactl",
): Promise<Run> {
  const child = Bun.spawn([process.execPath, main, ...words], {
    argv0: name,
    env: { PATH: process.env.PATH ?? "", HACTL_CONFIG: "/nonexistent/hactl.toml", ...environment },
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return { code, out, err };
}
