import { setValue } from "../wide/wide.ts";
import { type Change, configured } from "./variant.ts";

const options: readonly (readonly [name: string, values: readonly string[]])[] = [
  ["no-quorum-policy", ["stop", "freeze", "ignore", "demote", "suicide"]],
  ["stonith-enabled", ["true", "false"]],
  ["symmetric-cluster", ["true", "false"]],
  ["stop-all-resources", ["true"]],
  ["maintenance-mode", ["true", "false"]],
  ["placement-strategy", ["default", "utilization", "minimal", "balanced"]],
  ["concurrent-fencing", ["true", "false"]],
  ["startup-fencing", ["true", "false"]],
  ["start-failure-is-fatal", ["true", "false"]],
  ["node-health-strategy", ["none", "migrate-on-red", "only-green", "progressive", "custom"]],
  ["stop-orphan-resources", ["true", "false"]],
  ["stop-orphan-actions", ["true", "false"]],
  ["enable-startup-probes", ["true", "false"]],
  ["stonith-action", ["reboot", "off"]],
  ["priority-fencing-delay", ["30s"]],
  ["shutdown-lock", ["true"]],
  ["have-watchdog", ["true", "false"]],
];

const option: Change = (variant) => {
  const section = configured(variant, "crm_config")[0];
  if (!section) return undefined;
  const [name, values] = variant.random.pick(options);
  const value = variant.random.pick(values);
  setValue(section, "cluster_property_set", name, value);
  return `${name}=${value}`;
};

const quorum: Change = ({ cib }) => {
  const value = cib.attributes.get("have-quorum") === "1" ? "0" : "1";
  cib.attributes.set("have-quorum", value);
  return `have-quorum=${value}`;
};

export const optionChanges: readonly Change[] = [option, option, option, option, option, quorum];
