import { lstatSync, mkdirSync, readlinkSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { shellQuoted, toolNames } from "../terms/index.ts";

/** Names under which agents call back: those of all tools but the ones that only the kdump initrd calls. */
const agentTools = [
  "hactl",
  ...toolNames.filter((name) => name !== "fence_kdump_send" && name !== "kdump-send"),
];

/**
 * Makes a directory with the name of each tool, all for this program: agents find these before any that another
 * cluster stack may have installed.
 *
 * @param command how this program is called: the executable alone, then the names are links to it; or the engine and
 *   the source file, then they are scripts that pass their name on.
 */
export function makeToolsDirectory(directory: string, command: readonly string[]): void {
  mkdirSync(directory, { recursive: true, mode: 0o755 });
  const [executable, ...source] = command;
  if (executable === undefined) return;
  for (const name of agentTools) {
    const path = `${directory}/${name}`;
    // An agent may look for it at this very moment: it is replaced, never absent.
    const fresh = `${path}.${process.pid}`;
    if (source.length > 0) {
      const words = [executable, ...source].map(shellQuoted).join(" ");
      writeFileSync(fresh, `#!/bin/sh\nexec ${words} ${name === "hactl" ? "" : `${name} `}"$@"\n`, {
        mode: 0o755,
      });
    } else {
      if (pointsTo(path, executable)) continue;
      symlinkSync(executable, fresh);
    }
    renameSync(fresh, path);
  }
}

/** Whether one of the names is not there. */
export const toolsAreMissing = (directory: string): boolean =>
  agentTools.some((name) => !lstatSync(`${directory}/${name}`, { throwIfNoEntry: false }));

function pointsTo(path: string, executable: string): boolean {
  return (
    lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true && readlinkSync(path) === executable
  );
}
