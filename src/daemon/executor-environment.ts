/** What every agent's environment is made from. */
export interface AgentEnvironmentOptions {
  readonly toolsDir: string;
  /** Scratch directory of agents, HA_RSCTMP. */
  readonly rscTmp: string;
  /** Configuration of the daemon that the tools shall speak to. */
  readonly configPath?: string | undefined;
  /** Admin socket of that daemon: the tools then need not read the configuration. */
  readonly socket?: string | undefined;
  /** The host's language, which services have once an agent has taken LC_ALL away (ocf-shellfuncs). */
  readonly lang?: string | undefined;
  /** PCMK_* and HA_* values of `[sysconfig]` and those that follow from `[logging]`. */
  readonly sysconfig?: Readonly<Record<string, string>>;
}

const SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const PASSED_ON = /^(?:PCMK_|HA_|OCF_|CIB_)[A-Za-z0-9_]*$/;

/**
 * The environment that all agents share: the documented names and nothing else, whatever the daemon's own environment
 * holds (OCF resource agent API; ocf-directories of resource-agents for HA_*).
 */
export function agentEnvironment(options: AgentEnvironmentOptions): Record<string, string> {
  const settings = Object.entries(options.sysconfig ?? {}).filter(([name]) => PASSED_ON.test(name));
  return {
    HA_cluster_type: "corosync",
    HA_LOGFACILITY: "daemon",
    ...Object.fromEntries(settings),
    HA_SBIN_DIR: options.toolsDir,
    HA_RSCTMP: options.rscTmp,
    ...(options.configPath === undefined ? {} : { HACTL_CONFIG: options.configPath }),
    ...(options.socket === undefined ? {} : { HACTL_SOCKET: options.socket }),
    PATH: `${options.toolsDir}:${SYSTEM_PATH}`,
    LC_ALL: "C",
    ...(options.lang === undefined ? {} : { LANG: options.lang }),
  };
}
