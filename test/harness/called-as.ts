import { existsSync, symlinkSync } from "node:fs";
import { join, resolve } from "node:path";

const root = resolve(import.meta.dir, "../..");

/** The words that run this program by the name of another: a link in `directory`, or the source where nothing is built. */
export function calledAs(name: string, directory: string): string[] {
  const built = join(root, "dist/hactl");
  if (!existsSync(built)) return [process.execPath, join(root, "src/main.ts"), name];
  const link = join(directory, name);
  symlinkSync(built, link);
  return [link];
}
