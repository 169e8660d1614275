import type { FindById, XmlElement } from "../cib/index.ts";
import {
  child,
  parseBoolean,
  parseInteger,
  parseIntervalMs,
  parseScore,
  plainValues,
  unpackNvpairs,
} from "../cib/index.ts";
import type { EpochSeconds } from "../terms/index.ts";
import { INFINITY, lookup } from "../terms/index.ts";
import type { Options } from "./model.ts";

/** Properties of `<crm_config>` in effect at a time; the newer names stand for the older ones. */
export function readProperties(
  cib: XmlElement,
  now: EpochSeconds,
  find: FindById,
  utcOffset?: number,
): { properties: Map<string, string>; nextChange?: EpochSeconds } {
  const config = child(child(cib, "configuration"), "crm_config");
  if (!config) return { properties: new Map() };
  const result = unpackNvpairs(
    [config],
    "cluster_property_set",
    { now, utcOffset },
    {
      find,
      alwaysFirst: "cib-bootstrap-options",
    },
  );
  const properties = plainValues(result);
  for (const [name, value] of [...properties]) {
    const modern =
      modernNames[name] ?? (name.startsWith("stonith-") ? `fencing-${name.slice(8)}` : undefined);
    if (modern !== undefined && !properties.has(modern)) properties.set(modern, value);
  }
  return result.nextChange === undefined ? { properties } : { properties, nextChange: result.nextChange };
}

const modernNames: Readonly<Record<string, string>> = lookup({
  "stop-orphan-resources": "stop-removed-resources",
  "stop-orphan-actions": "cancel-removed-actions",
  "stop-removed-actions": "cancel-removed-actions",
  "default-resource-stickiness": "resource-stickiness",
  "fence-reaction": "fencing-reaction",
});

/** Typed options with their defaults (Pacemaker Explained, "Cluster Options"). */
export function readOptions(properties: ReadonlyMap<string, string>, cib: XmlElement): Options {
  const flag = (name: string, fallback: boolean) => parseBoolean(properties.get(name)) ?? fallback;
  const time = (name: string, fallback: number) => parseIntervalMs(properties.get(name)) ?? fallback;
  const score = (name: string, fallback: number) => parseScore(properties.get(name)) ?? fallback;
  const fencingEnabled = flag("fencing-enabled", true);
  const watchdogTimeoutMs = time("fencing-watchdog-timeout", 0);
  const action = properties.get("fencing-action");
  const strategy = properties.get("placement-strategy");
  return {
    fencingEnabled,
    fencingAction: action === "off" || action === "poweroff" ? "off" : "reboot",
    fencingTimeoutMs: time("fencing-timeout", 60_000),
    concurrentFencing: flag("concurrent-fencing", true),
    startupFencing: fencingEnabled && flag("startup-fencing", true),
    startupProbes: flag("enable-startup-probes", true),
    haveWatchdog: flag("have-watchdog", false),
    watchdogTimeoutMs,
    noQuorumPolicy: quorumPolicy(properties.get("no-quorum-policy"), fencingEnabled, cib),
    symmetric: flag("symmetric-cluster", true),
    stopAll: flag("stop-all-resources", false),
    stopRemovedResources: flag("stop-removed-resources", true),
    cancelRemovedActions: flag("cancel-removed-actions", true),
    removeAfterStop: flag("remove-after-stop", false),
    maintenance: flag("maintenance-mode", false),
    startFailureFatal: flag("start-failure-is-fatal", true),
    placementStrategy:
      strategy === "utilization" || strategy === "minimal" || strategy === "balanced" ? strategy : "default",
    shutdownLock: flag("shutdown-lock", false),
    shutdownLockLimitMs: time("shutdown-lock-limit", 0),
    nodePendingTimeoutMs: time("node-pending-timeout", 0),
    priorityFencingDelayMs: time("priority-fencing-delay", 0),
    clusterDelayMs: time("cluster-delay", 60_000),
    batchLimit: parseInteger(properties.get("batch-limit")) ?? 0,
    migrationLimit: parseInteger(properties.get("migration-limit")) ?? -1,
    fenceRemoteWithoutQuorum: flag("fence-remote-without-quorum", false),
    healthStrategy: healthStrategy(properties.get("node-health-strategy")),
    healthBase: score("node-health-base", 0),
    healthGreen: score("node-health-green", 0),
    healthYellow: score("node-health-yellow", 0),
    healthRed: score("node-health-red", -INFINITY),
  };
}

function quorumPolicy(
  value: string | undefined,
  fencingEnabled: boolean,
  cib: XmlElement,
): Options["noQuorumPolicy"] {
  switch (value?.toLowerCase()) {
    case "ignore":
      return "ignore";
    case "freeze":
      return "freeze";
    case "demote":
      return "demote";
    case "suicide":
    case "fence": {
      // A partition that never had quorum must not fence itself: it would never come up.
      const hadQuorum =
        parseBoolean(cib.attributes.get("have-quorum")) === true ||
        (parseInteger(cib.attributes.get("no-quorum-panic")) ?? 0) !== 0;
      return fencingEnabled && hadQuorum ? "fence" : "stop";
    }
    default:
      return "stop";
  }
}

function healthStrategy(value: string | undefined): Options["healthStrategy"] {
  switch (value?.toLowerCase()) {
    case "migrate-on-red":
    case "only-green":
    case "progressive":
    case "custom":
      return value.toLowerCase() as Options["healthStrategy"];
    default:
      return "none";
  }
}
