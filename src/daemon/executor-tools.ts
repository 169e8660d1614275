import { lstatSync, mkdirSync, readlinkSync, renameSync, symlinkSync, writeFileSync } from "node:fs";

/** Names under which agents call back (features of the one executable, chosen by the name it is called by). */
export const AGENT_TOOLS = [
  "attrd_updater",
  "cibadmin",
  "corosync-cfgtool",
  "corosync-cmapctl",
  "corosync-quorumtool",
  "crm",
  "crm_attribute",
  "crm_diff",
  "crm_error",
  "crm_failcount",
  "crm_master",
  "crm_mon",
  "crm_node",
  "crm_resource",
  "crm_shadow",
  "crm_simulate",
  "crm_standby",
  "crm_ticket",
  "crm_verify",
  "crmadmin",
  "ha_logger",
  "hactl",
  "pacemakerd",
  "stonith_admin",
] as const;

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
  for (const name of AGENT_TOOLS) {
    const path = `${directory}/${name}`;
    // An agent may look for it at this very moment: it is replaced, never absent.
    const fresh = `${path}.${process.pid}`;
    if (source.length > 0) {
      const words = [executable, ...source].map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
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

function pointsTo(path: string, executable: string): boolean {
  return (
    lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true && readlinkSync(path) === executable
  );
}
