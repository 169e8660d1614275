import type { Millis, NodeId, NodeName } from "../terms/index.ts";
import type { LoadedTable } from "./parse.ts";
import type { ConfigProblem } from "./problem.ts";

/** A checked hactl.toml: every value effective, every rule between the values kept. */
export interface HactlConfig {
  readonly file: string;
  readonly totem: TotemConfig;
  /** By link number, those that the nodes have addresses on. */
  readonly links: readonly LinkConfig[];
  /** In the order of the file. */
  readonly nodes: readonly NodeConfig[];
  /** The node that this machine is; `undefined` for a remote host or when nobody asked for it. */
  readonly localNode: NodeConfig | undefined;
  readonly quorum: QuorumConfig;
  readonly logging: LoggingConfig;
  readonly system: SystemConfig;
  readonly remote: RemoteConfig;
  readonly kdump: KdumpConfig;
  readonly sysconfig: SysconfigConfig;
  /** What is doubtful but allowed. */
  readonly warnings: readonly ConfigProblem[];
  /** Tables as read, with the lines of their values; for `hactl config show` and `explain`. */
  readonly tables: readonly LoadedTable[];
}

/** Effective constants of the protocol: the same shape as totem's options (corosync.conf(5), totem). */
export interface EffectiveTotem {
  readonly tokenMs: Millis;
  readonly tokenWarning: number;
  readonly tokenRetransmitMs: Millis;
  readonly holdMs: Millis;
  readonly joinMs: Millis;
  readonly sendJoinMs: Millis;
  readonly consensusMs: Millis;
  readonly mergeMs: Millis;
  readonly failRecvConst: number;
  readonly seqnoUnchangedConst: number;
  readonly missCountConst: number;
  readonly windowSize: number;
  readonly maxMessages: number;
  readonly netmtu: number;
  readonly cancelTokenHoldOnRetransmit: boolean;
}

export interface TotemConfig {
  /** The empty text when there is none. */
  readonly clusterName: string;
  readonly configVersion: number;
  readonly keyFile: string;
  readonly linkMode: "passive" | "active" | "rr";
  readonly ipDscp: number;
  readonly blockUnlistedIps: boolean;
  readonly effective: EffectiveTotem;
}

/** One link: a UDP port and how it is watched. */
export interface LinkConfig {
  readonly number: number;
  readonly family: 4 | 6;
  readonly port: number;
  /** Higher is better (link_mode passive). */
  readonly priority: number;
  readonly pingIntervalMs: Millis;
  readonly pingTimeoutMs: Millis;
  readonly pongCount: number;
}

export interface NodeConfig {
  readonly id: NodeId;
  readonly name: NodeName;
  readonly votes: number;
  /** Numeric address on each link, by link number. */
  readonly addresses: ReadonlyMap<number, string>;
  /** Addresses as written, by link number: maybe host names. */
  readonly written: ReadonlyMap<number, string>;
}

/** The same shape as quorum's options (votequorum(5)). */
export interface QuorumConfig {
  readonly votes: ReadonlyMap<NodeId, number>;
  readonly expectedVotes?: number;
  readonly twoNode: boolean;
  readonly waitForAll: boolean;
  readonly lastManStanding: boolean;
  readonly lastManStandingWindowMs: Millis;
  readonly autoTieBreaker: boolean;
  readonly autoTieBreakerNode: "lowest" | "highest" | readonly NodeId[];
  readonly allowDownscale: boolean;
}

export type ConfigLevel = "critical" | "error" | "warning" | "notice" | "info" | "debug" | "trace";
export type ConfigFacility =
  | "daemon"
  | "user"
  | "local0"
  | "local1"
  | "local2"
  | "local3"
  | "local4"
  | "local5"
  | "local6"
  | "local7";

/** Least urgent level that a target gets; `undefined` switches it off. The shape of platform's log thresholds. */
export interface LevelThresholds {
  readonly syslog?: ConfigLevel | undefined;
  readonly file?: ConfigLevel | undefined;
  readonly stderr?: ConfigLevel | undefined;
}

/** [logging] with what [sysconfig] says where [logging] is silent: fits platform's `openLog`. */
export interface LoggingConfig {
  readonly facility: ConfigFacility;
  readonly file: string | undefined;
  readonly thresholds: LevelThresholds;
  /** By name of the part, upper case. */
  readonly parts: ReadonlyMap<string, LevelThresholds>;
  /** Facility for what agents log; `none` for not at all. */
  readonly agentFacility: string;
}

export interface SystemConfig {
  readonly stateDir: string;
  readonly runDir: string;
  readonly realtime: boolean;
  readonly realtimePriority: number;
  readonly lockMemory: boolean;
  /** `undefined`: no watchdog. */
  readonly watchdogDevice: string | undefined;
  readonly watchdogTimeoutMs: Millis;
  readonly ocfPath: readonly string[];
  readonly fencePath: readonly string[];
  readonly stonithPluginPath: readonly string[];
  readonly lsbPath: readonly string[];
  readonly secretsDir: string;
  readonly toolsDir: string;
  readonly group: string;
}

export interface RemoteConfig {
  /** Which remote node this host is; `undefined`: the one that its key is for, or that of its host name. */
  readonly name: string | undefined;
  readonly listen: string;
  readonly port: number;
  readonly keyFile: string;
}

export interface KdumpConfig {
  readonly listen: boolean;
  readonly port: number;
  /** Whether notices without a signature count. */
  readonly plain: boolean;
}

export interface SysconfigConfig {
  readonly nodeStartState: "default" | "online" | "standby";
  /** `undefined`: the cluster's node-action-limit. */
  readonly nodeActionLimit: number | undefined;
  readonly failFast: boolean;
  readonly panicAction: "reboot" | "off" | "crash" | "sync-reboot" | "sync-off" | "sync-crash";
  readonly remotePid1: "default" | "full" | "vars";
  /** Variables as the file gives them, for the environment of agents. */
  readonly environment: Readonly<Record<string, string>>;
}
