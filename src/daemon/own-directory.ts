import { chmodSync, chownSync, mkdirSync, statSync } from "node:fs";
import { writing } from "../platform/index.ts";
import { CrmExit, HactlError } from "../terms/index.ts";

const othersWrite = 0o022;
const sticky = 0o1000;

/**
 * Sees to it that a directory of the daemon is there, and that nobody else may write in it: root would follow the links that
 * others put there. One that was given away is taken back. One that all share is left as it is.
 *
 * @returns what was wrong @throws HactlError NOT_WRITABLE, SHARED_DIRECTORY
 */
export function ownDirectory(path: string, mode: number): string[] {
  writing(path, () => mkdirSync(path, { recursive: true, mode }));
  const found = writing(path, () => statSync(path));
  const own = process.geteuid?.() ?? 0;
  const isOpen = (found.mode & othersWrite) !== 0;
  if ((found.mode & sticky) !== 0 && isOpen)
    throw new HactlError({
      code: "SHARED_DIRECTORY",
      what: `others share ${path}: they could put links in the place of what the daemon writes`,
      where: { file: path },
      cure: "name a directory of its own in [system] (state_dir, run_dir)",
      exit: CrmExit.CONFIG,
    });
  const wrong: string[] = [];
  if (found.uid !== own) {
    writing(path, () => chownSync(path, own, process.getegid?.() ?? 0));
    wrong.push(`${path} belonged to user ${found.uid}`);
  }
  if (isOpen) {
    writing(path, () => chmodSync(path, found.mode & 0o7777 & ~othersWrite));
    wrong.push(`others could write in ${path}`);
  }
  return wrong;
}
