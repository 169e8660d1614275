import { lstatSync, mkdirSync, readlinkSync, renameSync, symlinkSync } from "node:fs";

/** Names under which agents call back (features of the one executable, chosen by the name it is called by). */
export const AGENT_TOOLS = [
  "attrd_updater",
  "cibadmin",
  "corosync-quorumtool",
  "crm_attribute",
  "crm_error",
  "crm_failcount",
  "crm_master",
  "crm_mon",
  "crm_node",
  "crm_resource",
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
 * Makes a directory with a link for each tool, all to the executable: agents find these before any that another
 * cluster stack may have installed.
 */
export function makeToolsDirectory(directory: string, executable: string): void {
  mkdirSync(directory, { recursive: true, mode: 0o755 });
  for (const name of AGENT_TOOLS) {
    const path = `${directory}/${name}`;
    if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() && readlinkSync(path) === executable)
      continue;
    // An agent may look for it at this very moment.
    const fresh = `${path}.${process.pid}`;
    symlinkSync(executable, fresh);
    renameSync(fresh, path);
  }
}
