import type { ConfigOption } from "./option.ts";

/** [quorum]: votequorum(5). */
export const quorumOptions = [
  {
    name: "provider",
    type: "enum",
    values: ["corosync_votequorum"],
    default: "corosync_votequorum",
    description: "how quorum is decided; by votes is the only way",
  },
  {
    name: "expected_votes",
    type: "integer",
    min: 1,
    max: 65535,
    reload: true,
    example: "2",
    description: "votes of the whole cluster",
    detail: "Default: the sum of quorum_votes in the node list.",
  },
  {
    name: "two_node",
    type: "boolean",
    default: "false",
    reload: true,
    description: "two nodes: one alone stays quorate; needs fencing that works, and switches wait_for_all on",
  },
  {
    name: "wait_for_all",
    type: "boolean",
    reload: true,
    example: "true",
    description: "no quorum before all nodes were seen together once after the start",
    detail: "Default: as two_node.",
  },
  {
    name: "last_man_standing",
    type: "boolean",
    default: "false",
    reload: true,
    description: "after each loss the expected votes become those that are left, down to two nodes",
  },
  {
    name: "last_man_standing_window",
    type: "duration",
    unit: "ms",
    default: "10000",
    min: 0,
    reload: true,
    description: "time after a loss before last_man_standing lowers the expected votes",
  },
  {
    name: "auto_tie_breaker",
    type: "boolean",
    default: "false",
    reload: true,
    description: "of two equal halves, the one with auto_tie_breaker_node stays quorate",
  },
  {
    name: "auto_tie_breaker_node",
    type: "list",
    default: "lowest",
    reload: true,
    description:
      "lowest, highest, or node ids in order of preference; where members differ in it, no half stays quorate",
  },
  {
    name: "allow_downscale",
    type: "boolean",
    default: "false",
    reload: true,
    description: "a node that leaves in an orderly way takes its votes with it",
  },
  {
    name: "expected_votes_tracking",
    type: "boolean",
    default: "false",
    description: "remember the highest expected votes over restarts",
    unused: "expected votes come from the node list",
  },
] as const satisfies readonly ConfigOption[];

const priorities = ["emerg", "alert", "crit", "err", "error", "warning", "notice", "info", "debug"] as const;
const facilityNames = [
  "daemon",
  "user",
  "local0",
  "local1",
  "local2",
  "local3",
  "local4",
  "local5",
  "local6",
  "local7",
] as const;

/** What [logging] and its subsystems share. */
const targets = {
  logfilePriority: {
    name: "logfile_priority",
    type: "enum",
    values: priorities,
    reload: true,
    description: "least urgent messages that go to the file",
  },
  syslogPriority: {
    name: "syslog_priority",
    type: "enum",
    values: priorities,
    reload: true,
    description: "least urgent messages that go to syslog",
  },
  debug: {
    name: "debug",
    type: "enum",
    values: ["off", "on", "trace"],
    reload: true,
    description: "debug messages too (on), or everything (trace)",
  },
} as const;

/** [logging]: corosync.conf(5), section logging. */
export const loggingOptions = [
  { name: "to_syslog", type: "boolean", default: "true", reload: true, description: "log to syslog" },
  { name: "to_logfile", type: "boolean", default: "false", reload: true, description: "log to logfile" },
  {
    name: "to_stderr",
    type: "boolean",
    default: "false",
    reload: true,
    description: "log to standard error",
  },
  {
    name: "logfile",
    type: "path",
    example: '"/var/log/hactl/hactl.log"',
    reload: true,
    description: "file for to_logfile",
  },
  { ...targets.logfilePriority, default: "info" },
  {
    name: "syslog_facility",
    type: "enum",
    values: facilityNames,
    default: "daemon",
    reload: true,
    description: "facility of the messages in syslog; conf/rsyslog-hactl.conf collects local1 in one file",
  },
  { ...targets.syslogPriority, default: "info" },
  { ...targets.debug, default: "off" },
  {
    name: "timestamp",
    type: "enum",
    values: ["on", "off", "hires"],
    default: "on",
    description: "time in each line",
    unused: "every line in a file has one",
  },
  {
    name: "fileline",
    type: "boolean",
    default: "false",
    description: "source file and line in each message",
    unused: "every message has an id",
  },
  {
    name: "function_name",
    type: "boolean",
    default: "false",
    description: "function in each message",
    unused: "every message has an id",
  },
  {
    name: "blackbox",
    type: "boolean",
    default: "true",
    description: "flight recorder",
    unused: "the event history keeps what happened (hactl history)",
  },
] as const satisfies readonly ConfigOption[];

/** [[logging.logger_subsys]]: other levels for a part of the program. */
export const subsystemOptions = [
  {
    name: "subsys",
    type: "enum",
    values: [
      "TOTEM",
      "LINK",
      "QUORUM",
      "CIB",
      "CONTROLLER",
      "SCHEDULER",
      "EXECUTOR",
      "FENCER",
      "ALERTS",
      "ATTRIBUTES",
      "REMOTE",
      "KDUMP",
      "IPC",
      "MAIN",
      "KNET",
      "NETWORK",
      "VOTEQ",
      "CPG",
      "SYNC",
      "SERV",
      "CFG",
      "CMAP",
      "CONFDB",
      "MON",
      "WD",
      "QB",
    ],
    example: '"TOTEM"',
    reload: true,
    description: "part of the program",
    detail: "KNET and the names behind it are corosync's; they mean the part that does their work.",
  },
  { ...targets.logfilePriority, example: '"debug"' },
  { ...targets.syslogPriority, example: '"debug"' },
  { ...targets.debug, example: '"on"' },
] as const satisfies readonly ConfigOption[];
