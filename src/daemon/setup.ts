import {
  type HactlConfig,
  loadConfig,
  type NodeConfig,
  readConfigText,
  thisMachine,
} from "../config/index.ts";
import { type Log, type LogSettings, onUncaught, openLog, readLimited } from "../platform/index.ts";
import { isNodeKey, parseRemoteKey, type RemoteKey } from "../remote/index.ts";
import { CrmExit, defectLine, HactlError } from "../terms/index.ts";
import { ownDirectory } from "./own-directory.ts";
import type { RingCoreOptions } from "./ring-core-face.ts";

/** How the daemon was called; the same words go to all its processes. */
export interface DaemonArguments {
  readonly configPath: string;
  /** Name of this node, when neither host name nor addresses tell. */
  readonly node?: string | undefined;
  /** The ring process that started this one. */
  readonly parent?: number;
}

/** What every process of a node needs. */
export interface NodeSetup {
  readonly arguments: DaemonArguments;
  readonly config: HactlConfig;
  /** What it was read from. */
  readonly text: string;
  readonly self: NodeConfig;
}

/** Most bytes of a key file (corosync-keygen(8): 128 to 4096). */
const maxKeyBytes = 4096;

/**
 * Reads the configuration of a cluster node.
 * @throws HactlError when it is wrong, or when it does not say which node this machine is.
 */
export function loadNode(args: DaemonArguments): NodeSetup {
  const { configPath, node } = args;
  const text = readConfigText(configPath);
  const config = loadConfig(text, configPath, { purpose: "start", node, machine: thisMachine() });
  if (!config.localNode) {
    throw new HactlError({
      code: "WHICH_NODE",
      what: "no node of the node list is this machine",
      where: { file: args.configPath },
      cure: "add it under [[nodelist.node]], or name it with --node",
      exit: CrmExit.CONFIG,
    });
  }
  return { arguments: args, config, text, self: config.localNode };
}

/**
 * Makes the directories of a daemon. What is in the run directory has permissions of its own, and members of the
 * admin group have to reach their socket there; the state directory is closed to other users.
 * @returns what was wrong with them @throws HactlError as `ownDirectory`
 */
export function makeDirectories({ stateDir, runDir }: DaemonDirectories): string[] {
  return [...(stateDir === undefined ? [] : ownDirectory(stateDir, 0o750)), ...ownDirectory(runDir, 0o755)];
}

/** Where a daemon keeps what it needs again, if it does, and its sockets. */
export interface DaemonDirectories {
  readonly stateDir?: string | undefined;
  readonly runDir: string;
}

/** The targets and levels that `[logging]` names. */
export const logSettings = ({ logging }: HactlConfig): LogSettings => ({
  facility: logging.facility,
  file: logging.file,
  thresholds: logging.thresholds,
  parts: logging.parts,
});

/** The log of one process. */
export const nodeLog = (config: HactlConfig, tag: string): Log => openLog({ tag, ...logSettings(config) });

/**
 * The log of a process of the daemon, which also takes its last words: an error that nobody has caught ends the process
 * with a status that is not 0, and whoever started it starts it again.
 */
export function processLog(config: HactlConfig, tag: string): Log {
  const log = nodeLog(config, tag);
  onUncaught({
    defect: async (error) => {
      log.critical("DEFECT", `this process ends because of a defect of hactl: ${defectLine(error)}`);
      await log.close();
    },
    // Nobody reads what it prints any more; it goes on.
    brokenPipe: () => undefined,
  });
  return log;
}

/**
 * The key of the ring.
 * @throws HactlError KEY_MISSING, KEY_KIND
 */
export function readKey(path: string): Uint8Array {
  const cure = `make it with 'hactl keygen -k ${path}' on one node and copy it to the others`;
  const key = keyIn(path, "the cluster's key", cure);
  if (!isNodeKey(key)) return key;
  const what = "a key of a remote node is in the place of the cluster's key";
  throw new HactlError({ code: "KEY_KIND", what, where: { file: path }, cure, exit: CrmExit.CONFIG });
}

/**
 * The key for remote nodes. The key of the ring never takes its place: whoever has that is a member, and guests must not
 * have it.
 * @throws HactlError KEY_MISSING, KEY_SIZE, KEY_FORMAT
 */
export const readRemoteKey = (path: string): RemoteKey =>
  parseRemoteKey(
    keyIn(
      path,
      "the key for remote hosts",
      `make it with 'hactl keygen --remote -k ${path}' on one node, and copy it to the other nodes and to the remote hosts`,
    ),
  );

function keyIn(path: string, whose: string, cure: string): Uint8Array {
  const key = readLimited(path, maxKeyBytes);
  if (key) return key;
  throw new HactlError({
    code: "KEY_MISSING",
    what: `${whose} is missing`,
    where: { file: path },
    cure,
    exit: CrmExit.NOINPUT,
  });
}

/** Round trips that a link's average latency looks back on (corosync.conf(5), knet_ping_precision). */
const pingPrecision = 2048;

/** What the ring core has to know, from the configuration. */
export function ringOptions({ config, self }: NodeSetup, key: Uint8Array): RingCoreOptions {
  const { totem, links, nodes, quorum } = config;
  return {
    self: self.id,
    totem: totem.effective,
    quorum,
    key,
    clusterName: totem.clusterName,
    configVersion: totem.configVersion,
    links: {
      mode: totem.linkMode,
      blockUnlistedIps: totem.blockUnlistedIps,
      reachLagMs: totem.effective.tokenMs,
      links: links.map(({ number, priority, pingIntervalMs, pingTimeoutMs, pongCount }) => ({
        pingPrecision,
        number,
        priority,
        pingIntervalMs,
        pingTimeoutMs,
        pongCount,
      })),
      nodes: nodes.map(({ id, addresses }) => ({
        node: id,
        addresses: [...addresses].map(([link, address]) => ({
          link,
          address,
          port: links.find(({ number }) => number === link)?.port ?? 0,
        })),
      })),
    },
    agreement: agreement(config),
  };
}

/** What has to be the same in every node's file: all that the ring decides by. */
function agreement({ totem, links, nodes, quorum }: HactlConfig): [string, string][] {
  const effective = totem.effective;
  const ofNodes = (text: (node: NodeConfig) => string) =>
    nodes
      .map((node) => `${node.id}=${text(node)}`)
      .sort()
      .join(" ");
  const options: [string, unknown][] = [
    ["token", effective.tokenMs],
    ["consensus", effective.consensusMs],
    ["join", effective.joinMs],
    ["token_warning", effective.tokenWarning],
    ["token_retransmit", effective.tokenRetransmitMs],
    ["hold", effective.holdMs],
    ["send_join", effective.sendJoinMs],
    ["merge", effective.mergeMs],
    ["fail_recv_const", effective.failRecvConst],
    ["seqno_unchanged_const", effective.seqnoUnchangedConst],
    ["miss_count_const", effective.missCountConst],
    ["window_size", effective.windowSize],
    ["max_messages", effective.maxMessages],
    ["netmtu", effective.netmtu],
    ["cancel_token_hold_on_retransmit", effective.cancelTokenHoldOnRetransmit],
    ["cluster_name", totem.clusterName],
    ["link_mode", totem.linkMode],
    ["mcastport", links.map(({ number, port }) => `${number}=${port}`).join(" ")],
    ["nodelist", ofNodes(({ name }) => name)],
    ["addresses of nodes", ofNodes(({ addresses }) => [...addresses].flat().join(" "))],
    ["quorum_votes", ofNodes(({ votes }) => String(votes))],
    ["expected_votes", quorum.expectedVotes ?? "the sum"],
    ["two_node", quorum.twoNode],
    ["wait_for_all", quorum.waitForAll],
    ["last_man_standing", quorum.lastManStanding],
    ["last_man_standing_window", quorum.lastManStandingWindowMs],
    ["auto_tie_breaker", quorum.autoTieBreaker],
    ["auto_tie_breaker_node", [quorum.autoTieBreakerNode].flat().join(" ")],
    ["allow_downscale", quorum.allowDownscale],
  ];
  return options.map(([name, value]) => [name, String(value)]);
}

/** What is remarkable in a configuration, as it is logged. Whether an address is there the ring finds out, and says. */
export const toldWarnings = ({ warnings }: HactlConfig): string[] =>
  warnings.flatMap(({ code, what, cure }) => (code === "ADDRESS_NOT_LOCAL" ? [] : [`${what} (${cure})`]));
