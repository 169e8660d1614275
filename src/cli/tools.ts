/** A command under a name of its own, which agents and old habits call: no frame, no colours, exact output. */
export interface Tool {
  readonly run: (args: readonly string[]) => Promise<number>;
}

/**
 * Names other than `hactl` that the executable answers to, by a link of that name or as `hactl NAME …`.
 * One line each; the file is `tools/NAME.ts` and exports `run`.
 */
export const tools: Readonly<Record<string, () => Promise<Tool>>> = {
  attrd_updater: () => import("./tools/attrd_updater.ts"),
  crm_attribute: () => import("./tools/crm_attribute.ts"),
  crm_master: () => import("./tools/crm_master.ts"),
  crm_node: () => import("./tools/crm_node.ts"),
  crm_mon: () => import("./tools/crm_mon.ts"),
  crm_simulate: () => import("./tools/crm_simulate.ts"),
  crm_verify: () => import("./tools/crm_verify.ts"),
  fence_kdump_send: () => import("./tools/fence_kdump_send.ts"),
  "kdump-send": () => import("./tools/fence_kdump_send.ts"),
};
