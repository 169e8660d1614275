import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** The file in the run directory by which a daemon that leaves the cluster in order says so before it ends. */
export const leftMarkPath = (runDir: string): string => join(runDir, "left");

/** This daemon leaves in order: its services have gone. */
export function markLeft(runDir: string, pid: number): void {
  try {
    writeFileSync(leftMarkPath(runDir), `${pid}\n`, { mode: 0o644 });
  } catch {
    // It leaves all the same; who waits for it hears that it has ended.
  }
}

/** Whether the daemon that was this process has left in order. */
export function hasLeft(path: string, pid: number): boolean {
  try {
    return readFileSync(path, "latin1") === `${pid}\n`;
  } catch {
    return false;
  }
}
