import type { XmlElement } from "../../src/cib/index.ts";

/** How a node may stand to the cluster, as its `<node_state>` says it. */
export const conditions = {
  online: { in_ccm: "true", crmd: "online", join: "member", expected: "member" },
  offline: { in_ccm: "false", crmd: "offline", join: "down", expected: "down" },
  unclean: { in_ccm: "false", crmd: "offline", join: "down", expected: "member" },
  "without controller": { in_ccm: "true", crmd: "offline", join: "down", expected: "member" },
  pending: { in_ccm: "true", crmd: "online", join: "down", expected: "member" },
  "pending anew": { in_ccm: "true", crmd: "online", join: "pending", expected: "down" },
} as const;

/** Lets a `<node_state>` say so. */
export function setCondition(state: XmlElement, condition: keyof typeof conditions): void {
  for (const [name, value] of Object.entries(conditions[condition])) state.attributes.set(name, value);
}
