import { lstatSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";

/**
 * Puts what another node has sent, unpacked in a directory of its own, beside what is there. The node may be in other
 * hands: a link would be followed by whoever writes or reads the report, who is root. So only directories with files are
 * taken, and none that is there already.
 * @returns why nothing was taken
 */
export function takeReceived(from: string, into: string): string | undefined {
  const other = firstOther(from);
  if (other !== undefined) return `it sent something that is neither a file nor a directory: ${other}`;
  const names = readdirSync(from).filter((name) => lstatSync(join(from, name)).isDirectory());
  if (names.length === 0) return "it sent nothing";
  const known = names.find((name) => lstatSync(join(into, name), { throwIfNoEntry: false }));
  if (known !== undefined) return `it calls itself ${known}, of which there is something already`;
  for (const name of names) renameSync(join(from, name), join(into, name));
  return undefined;
}

/** An empty directory, gone when `use` is over. */
export function withDirectory<T>(path: string, use: (path: string) => T): T {
  mkdirSync(path, { mode: 0o700 });
  try {
    return use(path);
  } finally {
    rmSync(path, { recursive: true, force: true });
  }
}

function firstOther(directory: string): string | undefined {
  for (const name of readdirSync(directory)) {
    const facts = lstatSync(join(directory, name));
    if (facts.isDirectory()) {
      const inside = firstOther(join(directory, name));
      if (inside !== undefined) return `${name}/${inside}`;
    } else if (!facts.isFile() || facts.nlink > 1) return name;
  }
  return undefined;
}
