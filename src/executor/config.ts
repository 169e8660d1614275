import type { Millis } from "../terms/index.ts";

/** What an executor is told at its start. */
export interface ExecutorConfig {
  readonly hostname: string;
  /** Changes with each boot of the machine (/proc/sys/kernel/random/boot_id). */
  readonly bootId: string;
  /** OCF_ROOT of the agents, `/usr/lib/ocf`. */
  readonly ocfRoot: string;
  /** Directories that hold PROVIDER/TYPE, in the order of search. */
  readonly ocfPath: readonly string[];
  /** Directories of LSB init scripts, in the order of search. */
  readonly lsbPath: readonly string[];
  /** Environment of every agent, before what its standard adds. */
  readonly environment: Readonly<Record<string, string>>;
  /** Value of OCF_RESKEY_crm_feature_set. */
  readonly featureSet: string;
  readonly cores: number;
  /** PCMK_node_action_limit; 0 when not set, then node-action-limit and at last 2 × cores. */
  readonly nodeActionLimit: number;
  /** From SIGTERM to SIGKILL. */
  readonly killGraceMs: Millis;
}

/** Version of the protocol between managers and executors. */
export const PROTOCOL_VERSION = 1;
/** Time limit of an operation that brings none (Pacemaker Explained, "Operation properties": 20 s). */
export const DEFAULT_TIMEOUT_MS = 20_000;
/** Where OCF agents are when nothing else is said (OCF resource agent API, "Paths"). */
export const DEFAULT_OCF_ROOT = "/usr/lib/ocf";
