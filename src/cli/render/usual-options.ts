import { lookup, type OptionSpec } from "../../terms/index.ts";

/** Cluster properties in the order of Pacemaker's lists; what others have besides stands behind. */
const order = [
  "dc-version",
  "cluster-infrastructure",
  "cluster-name",
  "dc-deadtime",
  "cluster-recheck-interval",
  "election-timeout",
  "shutdown-escalation",
  "join-integration-timeout",
  "join-finalization-timeout",
  "transition-delay",
  "no-quorum-policy",
  "shutdown-lock",
  "shutdown-lock-limit",
  "enable-acl",
  "symmetric-cluster",
  "maintenance-mode",
  "start-failure-is-fatal",
  "enable-startup-probes",
  "fence-remote-without-quorum",
  "fencing-enabled",
  "fencing-action",
  "fencing-reaction",
  "fencing-timeout",
  "have-watchdog",
  "fencing-watchdog-timeout",
  "fencing-max-attempts",
  "concurrent-fencing",
  "startup-fencing",
  "priority-fencing-delay",
  "node-pending-timeout",
  "cluster-delay",
  "load-threshold",
  "node-action-limit",
  "batch-limit",
  "migration-limit",
  "cluster-ipc-limit",
  "stop-all-resources",
  "stop-removed-resources",
  "cancel-removed-actions",
  "pe-error-series-max",
  "pe-warn-series-max",
  "pe-input-series-max",
  "node-health-strategy",
  "node-health-base",
  "node-health-green",
  "node-health-yellow",
  "node-health-red",
  "placement-strategy",
];

/** Options in that order. */
export function inUsualOrder(specs: readonly OptionSpec[]): OptionSpec[] {
  const place = ({ name }: OptionSpec) => (order.includes(name) ? order.indexOf(name) : order.length);
  return specs.toSorted((a, b) => place(a) - place(b));
}

/** What other programs take an option for, where it is not what its own kind says. */
interface Kind {
  /** In lists of options. */
  readonly list?: string;
  /** Nothing is shown as the default, since it depends on something else. */
  readonly noDefault?: boolean;
  readonly default?: string;
  readonly noValues?: boolean;
}

const timeout: Kind = { list: "timeout" };
/** What a fence device gets where nothing else is set (`fencing-timeout`). */
const deviceTimeout: Kind = { list: "timeout", default: "60s" };

const kinds: Readonly<Record<string, Kind>> = lookup({
  "dc-version": { list: "version" },
  "fencing-watchdog-timeout": timeout,
  "fencing-max-attempts": { list: "score" },
  "cluster-ipc-limit": { list: "nonnegative_integer" },
  "resource-stickiness": { noDefault: true },
  "allow-migrate": { noDefault: true },
  "container-attribute-target": { list: "string", noValues: true },
  "remote-connect-timeout": timeout,
  ...Object.fromEntries(
    ["reboot", "off", "on", "list", "monitor", "status"].map((action) => [
      `pcmk_${action}_timeout`,
      deviceTimeout,
    ]),
  ),
});

/** How lists of options show an option. */
export const kindOf = ({ name }: OptionSpec): Kind => kinds[name] ?? {};
