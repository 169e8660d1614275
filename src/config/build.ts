import { levelOfPriority } from "../platform/index.ts";
import { lookup, nodeId, nodeName } from "../terms/index.ts";
import type {
  ConfigFacility,
  ConfigLevel,
  LevelThresholds,
  LoggingConfig,
  NodeConfig,
  QuorumConfig,
  RemoteConfig,
  SysconfigConfig,
  SystemConfig,
} from "./face.ts";
import type { OptionValue, Values } from "./option.ts";
import type { LoadedTable } from "./parse.ts";
import type { loggingOptions, quorumOptions, subsystemOptions } from "./table-quorum.ts";
import type { sysconfigOptions } from "./table-sysconfig.ts";
import type { remoteOptions, systemOptions } from "./table-system.ts";

/**
 * The values of a table under the types of its rows. The reader has checked each value against its row, so the
 * types hold; only the tie between the two is not visible to the compiler.
 */
export const valuesOf = <Rows extends readonly { readonly name: string }[]>(
  table: LoadedTable,
): Values<Rows> => table.values as Readonly<Record<string, OptionValue>> as Values<Rows>;

/** [quorum] with the votes of the nodes. */
export function buildQuorum(table: LoadedTable, nodes: readonly NodeConfig[]): QuorumConfig {
  const values = valuesOf<typeof quorumOptions>(table);
  return {
    votes: new Map(nodes.map((node) => [node.id, node.votes])),
    ...(values.expected_votes !== undefined && { expectedVotes: values.expected_votes }),
    twoNode: values.two_node,
    waitForAll: values.wait_for_all ?? values.two_node,
    lastManStanding: values.last_man_standing,
    lastManStandingWindowMs: values.last_man_standing_window,
    autoTieBreaker: values.auto_tie_breaker,
    autoTieBreakerNode: tieBreaker(values.auto_tie_breaker_node),
    allowDownscale: values.allow_downscale,
  };
}

function tieBreaker(words: readonly string[]): QuorumConfig["autoTieBreakerNode"] {
  const [first] = words;
  if (first === "highest") return "highest";
  const ids = words.map(Number).filter((id) => Number.isInteger(id) && id > 0);
  return ids.length === 0 ? "lowest" : ids.map(nodeId);
}

/** [logging], with the PCMK_ names where it says nothing. */
export function buildLogging(
  table: LoadedTable,
  parts: readonly LoadedTable[],
  sysconfigTable: LoadedTable,
): LoggingConfig {
  const values = valuesOf<typeof loggingOptions>(table);
  const old = valuesOf<typeof sysconfigOptions>(sysconfigTable);
  const given = (name: string) => table.lines.has(name);
  const oldFile = old.PCMK_logfile;
  const toSyslog = given("to_syslog") ? values.to_syslog : old.PCMK_logfacility !== "none";
  const file = values.logfile ?? (oldFile === undefined || oldFile === "none" ? undefined : oldFile);
  const toFile = given("to_logfile")
    ? values.to_logfile
    : oldFile !== "none" && (oldFile !== undefined || given("logfile"));
  const toStderr = given("to_stderr") ? values.to_stderr : isYes(old.PCMK_stderr);
  const debug = given("debug") ? values.debug : isYes(old.PCMK_debug) ? "on" : "off";
  const syslogWord = given("syslog_priority")
    ? values.syslog_priority
    : (old.PCMK_logpriority ?? values.syslog_priority);
  const oldFacility = old.PCMK_logfacility === "none" ? undefined : old.PCMK_logfacility;
  const facility: ConfigFacility = given("syslog_facility")
    ? values.syslog_facility
    : (oldFacility ?? values.syslog_facility);
  const level = (word: string) => raised(levelOfPriority(word) ?? "info", debug);
  const thresholds: LevelThresholds = {
    syslog: toSyslog ? level(syslogWord) : undefined,
    file: toFile && file !== undefined ? level(values.logfile_priority) : undefined,
    stderr: toStderr ? level(values.logfile_priority) : undefined,
  };
  return {
    facility,
    file,
    thresholds,
    parts: new Map(parts.flatMap((part) => partThresholds(part, thresholds))),
    agentFacility: old.HA_LOGFACILITY ?? facility,
  };
}

const isYes = (word: string | undefined) => word !== undefined && /^(?:yes|y|true|on|1)$/i.test(word);

function raised(level: ConfigLevel, debug: string): ConfigLevel {
  if (debug === "trace") return "trace";
  return debug === "on" && level !== "trace" ? "debug" : level;
}

/** Corosync's and Pacemaker's names of the parts of a cluster stack, and who does their work here. */
const partAliases: Readonly<Record<string, string>> = lookup({
  KNET: "LINK",
  NETWORK: "LINK",
  VOTEQ: "QUORUM",
  CPG: "TOTEM",
  SYNC: "TOTEM",
  SERV: "MAIN",
  CFG: "MAIN",
  CMAP: "MAIN",
  CONFDB: "MAIN",
  MON: "MAIN",
  WD: "MAIN",
  QB: "IPC",
});

/** The part of hactl that a subsystem's name means: itself, or who does its work here. */
export const partNamed = (name: string): string => partAliases[name.toUpperCase()] ?? name.toUpperCase();

function partThresholds(table: LoadedTable, whole: LevelThresholds): [string, LevelThresholds][] {
  const values = valuesOf<typeof subsystemOptions>(table);
  if (values.subsys === undefined) return [];
  const level = (word: string | undefined, target: ConfigLevel | undefined) =>
    target === undefined
      ? undefined
      : raised(word === undefined ? target : (levelOfPriority(word) ?? target), values.debug ?? "off");
  const thresholds = {
    syslog: level(values.syslog_priority, whole.syslog),
    file: level(values.logfile_priority, whole.file),
    stderr: level(values.logfile_priority, whole.stderr),
  };
  return [[partNamed(values.subsys), thresholds]];
}

/** [system], with SBD's names for the watchdog where it says nothing. */
export function buildSystem(table: LoadedTable, sysconfigTable: LoadedTable): SystemConfig {
  const values = valuesOf<typeof systemOptions>(table);
  const old = valuesOf<typeof sysconfigOptions>(sysconfigTable);
  const device = table.lines.has("watchdog_device")
    ? values.watchdog_device
    : (old.SBD_WATCHDOG_DEV ?? "off");
  const timeout = table.lines.has("watchdog_timeout")
    ? values.watchdog_timeout
    : (old.SBD_WATCHDOG_TIMEOUT ?? values.watchdog_timeout);
  return {
    stateDir: values.state_dir,
    runDir: values.run_dir,
    realtime: values.sched_rr,
    realtimePriority: values.priority,
    lockMemory: values.lock_memory,
    watchdogDevice: /^(?:off|no|none|)$/.test(device) ? undefined : device,
    watchdogTimeoutMs: timeout,
    ocfPath: values.ocf_path,
    fencePath: values.fence_path,
    stonithPluginPath: values.stonith_plugin_path,
    lsbPath: values.lsb_path,
    secretsDir: values.secrets_dir,
    toolsDir: values.tools_dir,
    group: values.group,
  };
}

/** [remote], with the PCMK_ names where it says nothing. */
export function buildRemote(table: LoadedTable, sysconfigTable: LoadedTable): RemoteConfig {
  const values = valuesOf<typeof remoteOptions>(table);
  const old = valuesOf<typeof sysconfigOptions>(sysconfigTable);
  const given = (name: string) => table.lines.has(name);
  return {
    name: values.name === "" ? undefined : values.name,
    listen: given("listen") ? values.listen : (old.PCMK_remote_address ?? values.listen),
    port: given("port") ? values.port : (old.PCMK_remote_port ?? values.port),
    keyFile: given("keyfile") ? values.keyfile : (old.PCMK_authkey_location ?? values.keyfile),
  };
}

/** [sysconfig] as far as it is not only another name for an option elsewhere. */
export function buildSysconfig(table: LoadedTable): SysconfigConfig {
  const values = valuesOf<typeof sysconfigOptions>(table);
  const given = [...table.lines.keys()].filter((name) => table.values[name] !== undefined);
  return {
    nodeStartState: values.PCMK_node_start_state,
    nodeActionLimit: values.PCMK_node_action_limit,
    failFast: values.PCMK_fail_fast,
    panicAction: values.PCMK_panic_action,
    remotePid1: values.PCMK_remote_pid1,
    environment: Object.fromEntries(given.map((name) => [name, shellValue(name, table.values[name])])),
  };
}

function shellValue(name: string, value: OptionValue | undefined): string {
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (name === "SBD_WATCHDOG_TIMEOUT") return String(Math.round(Number(value) / 1000));
  return String(value ?? "");
}

/** A node of the list as far as it is right by itself. */
export function buildNode(
  table: LoadedTable,
  name: string,
  id: number,
  addresses: ReadonlyMap<number, string>,
  written: ReadonlyMap<number, string>,
): NodeConfig {
  return {
    id: nodeId(id),
    name: nodeName(name),
    votes: Number(table.values.quorum_votes ?? 1),
    addresses,
    written,
  };
}
