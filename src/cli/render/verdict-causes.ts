import { lookup } from "../../terms/index.ts";

/** One kind of thing that the verdict knows. */
interface CauseKind {
  /** `error`: the cluster is degraded by it; `warning`: a risk, or something that has to be known. */
  readonly level: "error" | "warning";
  /** When it is told, for docs/status-json.md. */
  readonly about: string;
}

const error = (about: string): CauseKind => ({ level: "error", about });
const warning = (about: string): CauseKind => ({ level: "warning", about });

const kinds = {
  "NO-QUORUM": error("too few votes, and `no-quorum-policy` does not ignore it"),
  "NO-DC": error("no node leads: nothing is decided"),
  "NO-DECISION": error("the leader cannot decide: the configuration makes it fail"),
  REPEATING: error("the leader does the same again and again, and slows down"),
  "STOP-ALL": error("`stop-all-resources` is set"),
  MAINTENANCE: error("`maintenance-mode` is set: nothing is started, stopped or recovered"),
  "CONFIG-FALLBACK": error(
    "a node has lost a version of the configuration that nobody else has kept: an older one is in force",
  ),
  "QUORUM-DIFFERS": error(
    "a node of the ring has another value of an option that decides who is quorate: only a majority counts meanwhile",
  ),
  "NAME-TAKEN": error(
    "a connection to a remote or guest node has the name of a cluster node: nothing is done with it",
  ),
  "NODE-UNCLEAN": error("a node is lost and not fenced yet"),
  "NODE-OFFLINE": error("a cluster node or remote node is not there, or has never joined"),
  "NODE-LEAVING": error("a node is being stopped: what it runs moves away or stops first"),
  "NODE-STATE": error("a node is in standby, in maintenance or pending"),
  "MANAGER-AWAY": error("a node's ring is there and its manager is not: it hangs, or is started again"),
  CONNECTIVITY: error("a node does not reach all of the hosts that are pinged"),
  BLOCKED: error("a resource stays as it is until somebody repairs it"),
  "LEFT-OUT": error(
    "a resource does without a node that was reset for it and cannot tell whether it runs there",
  ),
  FAILED: error("a resource has failed"),
  "MULTIPLE-ACTIVE": error("a resource is active on several nodes"),
  "EXCESS-INSTANCES": error("a clone has more active instances than it may have"),
  "EXCESS-PROMOTED": error("more instances of a clone are promoted than may be"),
  STOPPED: error("a resource is stopped that should run"),
  "CLONE-INCOMPLETE": error("a clone has fewer instances than it could have"),
  "NOT-PROMOTED": error("a promotable clone has no promoted instance"),
  FAILURE: error("an operation has failed whose failure has no other effect, or had one"),
  UNMANAGED: warning("resources are not managed: nobody recovers them"),
  RESTARTING: warning(
    "a restart has stopped a resource and not let it run again: it is under way, or was cut short",
  ),
  "REMOVED-ACTIVE": warning("a resource that is not configured any more is active"),
  TICKET: warning("a ticket that constraints name is not granted, or is in standby"),
  "FENCING-DISABLED": warning("`stonith-enabled` is false"),
  "NO-FENCE-DEVICE": error("fencing is enabled, and there is no device"),
  UNFENCEABLE: error("no device can fence a node, by what the configuration tells"),
  "FENCE-DEVICE-IDLE": warning("a device is for nodes that are gone: its list names none that is there"),
  "FENCE-DEVICE-OFF": warning("a device is not used, for the reason that is told"),
  "FENCING-FAILED": error("the last fencing of a node failed"),
  "FENCE-DEVICE-FAILED": warning(
    "the last fencing of a node failed, which is well now: its device may not work",
  ),
  "FENCING-UNTRUE": error(
    "a device said that it had reset a node, which is back without having been rebooted",
  ),
  "FENCING-TOPOLOGY": warning("levels of the topology name what is not there, or leave nodes out"),
  "NODE-FENCED": warning("a node was fenced within the last hour"),
  "LINK-DOWN": error("a link to a node that is there is down"),
  "STATE-DISK": error("a node cannot write its state directory or its run directory"),
  "ALERT-FAILING": warning("an alert agent fails on the node that was asked"),
  STRANGER: warning("somebody with another key or another node list speaks on the ring's ports"),
  "OPTIONS-DIFFER": warning(
    "a node of the ring has another value of an option that should be the same on all",
  ),
  "EXPECTED-VOTES": warning("votes were raised, and more are expected than are configured"),
  "CHANGE-WAITS": warning(
    "a node has read a changed hactl.toml that others have not read: it is not in force",
  ),
  CLOCK: warning("the clock of a node differs from that of another by more than some seconds"),
  HIDDEN: warning("access rules hide a part of the cluster from who asks: what is not shown may be there"),
  "LOCAL-WARNING": warning(
    "something is wrong with the node that was asked: no watchdog, no real-time priority, an address that no interface has, a log file that cannot be written",
  ),
} as const;

/** Stable name of a cause. */
export type CauseCode = keyof typeof kinds;

/**
 * Everything that the verdict of `hactl status` knows. Each has a test that makes it happen
 * (test/cli/verdict-causes.test.ts goes through this table).
 */
export const verdictCauses: Readonly<Record<CauseCode, CauseKind>> = lookup(kinds);

/** docs/status-json.md with the causes as they are. */
export function causesPage(page: string): string {
  const rows = Object.entries(verdictCauses).map(
    ([code, { level, about }]) => `| \`${code}\` | ${level} | ${about} |`,
  );
  const table = ["| code | level | when |", "|---|---|---|", ...rows].join("\n");
  return page.replace(
    /(<!-- causes -->\n)[\s\S]*(<!-- \/causes -->)/,
    (_, start, end) => `${start}${table}\n${end}`,
  );
}
