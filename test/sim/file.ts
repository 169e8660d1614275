import type { RingCoreChange, RingCoreOptions } from "../../src/daemon/ring-core.ts";
import type { QuorumOptions } from "../../src/quorum/index.ts";
import { nodeId } from "../../src/terms/index.ts";
import type { LinkMode, TotemOptions } from "../../src/totem/index.ts";
import { addressOf } from "./network.ts";

/** What the configuration file says; every node has a copy. */
export interface SimFile {
  /** config_version; 0: not kept. */
  readonly version: number;
  readonly nodes: readonly number[];
  /** Votes of a node; one when it is not named. */
  readonly votes: Readonly<Record<number, number>>;
  /** Numbers of the links that are in use. */
  readonly links: readonly number[];
  /** Priority of each link by its number; 1 when absent. */
  readonly priorities: readonly number[];
  readonly mode: LinkMode;
  readonly tokenMs: number;
  readonly pingIntervalMs: number;
  /** Constants that differ from corosync's. */
  readonly constants: Partial<TotemOptions>;
  readonly quorum: Partial<Omit<QuorumOptions, "votes">>;
}

/** Constants of the protocol for a token timeout, as corosync.conf(5) computes them. */
export function totemOptionsFor(tokenMs: number): TotemOptions {
  const tokenRetransmitMs = Math.max(30, Math.floor(tokenMs / 4.2));
  return {
    tokenMs,
    tokenWarning: 75,
    tokenRetransmitMs,
    holdMs: Math.max(10, Math.floor(tokenRetransmitMs * 0.8 - 10)),
    joinMs: 50,
    sendJoinMs: 0,
    consensusMs: Math.floor(tokenMs * 1.2),
    mergeMs: 200,
    failRecvConst: 2500,
    seqnoUnchangedConst: 30,
    missCountConst: 5,
    windowSize: 50,
    maxMessages: 17,
    netmtu: 1500,
    cancelTokenHoldOnRetransmit: false,
  };
}

/** What a node reads in the file. */
export function changeOf(file: SimFile): RingCoreChange {
  const { nodes, links, votes, tokenMs } = file;
  const votesOf = (node: number) => votes[node] ?? 1;
  return {
    totem: { ...totemOptionsFor(tokenMs), ...file.constants },
    quorum: {
      votes: new Map(nodes.map((node) => [nodeId(node), votesOf(node)])),
      twoNode: false,
      waitForAll: false,
      lastManStanding: false,
      lastManStandingWindowMs: 10_000,
      autoTieBreaker: false,
      autoTieBreakerNode: "lowest",
      allowDownscale: false,
      ...file.quorum,
    },
    links: {
      mode: file.mode,
      links: links.map((number) => ({
        number,
        priority: file.priorities[number] ?? 1,
        pingIntervalMs: file.pingIntervalMs,
        pingTimeoutMs: tokenMs / 2,
        pongCount: 2,
        pingPrecision: 2048,
      })),
      nodes: nodes.map((node) => ({
        node: nodeId(node),
        addresses: links.map((link) => ({ link, address: addressOf(link, node), port: 5405 + link })),
      })),
      blockUnlistedIps: true,
      reachLagMs: tokenMs,
    },
    configVersion: file.version,
    agreement: [
      ["token", String(tokenMs)],
      ["file", JSON.stringify(file)],
    ],
  };
}

/** Votes of all nodes of the file together. */
export const votesIn = ({ nodes, votes }: SimFile): number =>
  nodes.reduce((sum, node) => sum + (votes[node] ?? 1), 0);

/** What a node starts with that has this file and this key. */
export const optionsOf = (file: SimFile, self: number, key: Uint8Array): RingCoreOptions => ({
  ...changeOf(file),
  self: nodeId(self),
  key,
});
