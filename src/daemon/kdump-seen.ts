import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { NewestNotices } from "../kdump/index.ts";
import { type Log, writeDurably } from "../platform/index.ts";
import { read } from "../terms/index.ts";

const fileIn = (runDir: string) => join(runDir, "kdump-notices");
const readTimes = read.list(read.pair(read.text(255), read.number(0, Number.MAX_SAFE_INTEGER)), 10_000);

/**
 * Times of the newest signed crash notices, kept where they outlive this process but not the boot: somebody who has recorded
 * a notice must not get it believed again by a manager that was started anew.
 */
export function keptNotices(runDir: string, log: Pick<Log, "warning">): NewestNotices {
  const times = new Map<string, number>(before(runDir));
  // One after the other: what is written last stays.
  let written: Promise<void> = Promise.resolve();
  let isQueued = false;
  return {
    get: (node) => times.get(node),
    set: (node, atMs) => {
      times.set(node, atMs);
      // What waits for its turn writes this, too.
      if (isQueued) return;
      isQueued = true;
      written = written
        .then(() => {
          isQueued = false;
          return writeDurably(fileIn(runDir), JSON.stringify([...times]));
        })
        .catch((error: unknown) =>
          log.warning("KDUMP", `the time of a crash notice could not be kept: ${error}`),
        );
    },
  };
}

function before(runDir: string): readonly (readonly [string, number])[] {
  try {
    return readTimes(JSON.parse(readFileSync(fileIn(runDir), "utf8")), "kdump-notices");
  } catch {
    // There were none, or it is damaged: then they count as never heard.
    return [];
  }
}
