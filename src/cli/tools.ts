import { type DaemonName, daemonNames, type ToolName } from "../terms/index.ts";

/** A command under a name of its own, which agents and old habits call: no frame, no colours, exact output. */
export interface Tool {
  readonly run: (args: readonly string[]) => Promise<number>;
}

/** One line each; the file is `tools/NAME.ts` and exports `run`. */
const byName: Readonly<Record<ToolName, () => Promise<Tool>>> = {
  attrd_updater: () => import("./tools/attrd_updater.ts"),
  cibadmin: () => import("./tools/cibadmin.ts"),
  cibsecret: () => import("./tools/cibsecret.ts"),
  "corosync-blackbox": () => import("./tools/corosync-blackbox.ts"),
  "corosync-cfgtool": () => import("./tools/corosync-cfgtool.ts"),
  "corosync-cmapctl": () => import("./tools/corosync-cmapctl.ts"),
  "corosync-cpgtool": () => import("./tools/corosync-cpgtool.ts"),
  "corosync-keygen": () => import("./tools/corosync-keygen.ts"),
  "corosync-quorumtool": () => import("./tools/corosync-quorumtool.ts"),
  crm: () => import("./tools/crm.ts"),
  crm_attribute: () => import("./tools/crm_attribute.ts"),
  crm_diff: () => import("./tools/crm_diff.ts"),
  crm_error: () => import("./tools/crm_error.ts"),
  crm_failcount: () => import("./tools/crm_failcount.ts"),
  crm_master: () => import("./tools/crm_master.ts"),
  crm_mon: () => import("./tools/crm_mon.ts"),
  crm_node: () => import("./tools/crm_node.ts"),
  crm_report: () => import("./tools/crm_report.ts"),
  crm_resource: () => import("./tools/crm_resource.ts"),
  crm_rule: () => import("./tools/crm_rule.ts"),
  crm_shadow: () => import("./tools/crm_shadow.ts"),
  crm_simulate: () => import("./tools/crm_simulate.ts"),
  crm_standby: () => import("./tools/crm_standby.ts"),
  crm_ticket: () => import("./tools/crm_ticket.ts"),
  crm_verify: () => import("./tools/crm_verify.ts"),
  crmadmin: () => import("./tools/crmadmin.ts"),
  fence_kdump_send: () => import("./tools/fence_kdump_send.ts"),
  ha_logger: () => import("./tools/ha_logger.ts"),
  iso8601: () => import("./tools/iso8601.ts"),
  "kdump-send": () => import("./tools/fence_kdump_send.ts"),
  pacemakerd: () => import("./tools/pacemakerd.ts"),
  stonith_admin: () => import("./tools/stonith_admin.ts"),
};

const daemon = (name: DaemonName) => async (): Promise<Tool> => {
  const { runAs } = await import("./tools/daemon-metadata.ts");
  return { run: (words) => runAs(name, words) };
};

/** Programs of the daemons that others ask for their options. */
export const daemons: Readonly<Record<string, () => Promise<Tool>>> = Object.fromEntries(
  daemonNames.map((name) => [name, daemon(name)]),
);

/** The tools by their names: called by a link of that name or as `hactl NAME …`. */
export const tools: Readonly<Record<string, () => Promise<Tool>>> = byName;
