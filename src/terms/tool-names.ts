/** Names other than `hactl` that the executable answers to. */
export const toolNames = [
  "attrd_updater",
  "cibadmin",
  "cibsecret",
  "corosync-blackbox",
  "corosync-cfgtool",
  "corosync-cmapctl",
  "corosync-cpgtool",
  "corosync-keygen",
  "corosync-quorumtool",
  "crm",
  "crm_attribute",
  "crm_diff",
  "crm_error",
  "crm_failcount",
  "crm_master",
  "crm_mon",
  "crm_node",
  "crm_report",
  "crm_resource",
  "crm_rule",
  "crm_shadow",
  "crm_simulate",
  "crm_standby",
  "crm_ticket",
  "crm_verify",
  "crmadmin",
  "fence_kdump_send",
  "ha_logger",
  "iso8601",
  "kdump-send",
  "pacemakerd",
  "stonith_admin",
] as const;

/**
 * Daemons of Pacemaker whose programs are asked for their options (`pacemaker-controld metadata`). They have a
 * directory of their own, where pcs and crmsh look.
 */
export const daemonNames = [
  "pacemaker-attrd",
  "pacemaker-based",
  "pacemaker-controld",
  "pacemaker-execd",
  "pacemaker-fenced",
  "pacemaker-schedulerd",
] as const;
export type DaemonName = (typeof daemonNames)[number];

export type ToolName = (typeof toolNames)[number];
