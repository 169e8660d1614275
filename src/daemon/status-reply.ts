import { child, childrenOf, formatXml, type XmlElement } from "../cib/index.ts";
import {
  type ControllerView,
  FEATURE_SET,
  type StatusDisk,
  type StatusReply,
  type StatusThrottle,
  type StatusTransition,
  type StatusWarning,
} from "../controller/index.ts";
import { type NodeId, type NodeName, nodeName } from "../terms/index.ts";
import { refusedCure, refusedText, strangerCure, strangerText } from "../totem/index.ts";
import type { FenceHistoryReply } from "./fencing.ts";
import type { RingProcessStatus } from "./ring-link.ts";
import type { NodeSetup } from "./setup.ts";

interface Sources {
  readonly setup: NodeSetup;
  readonly view: ControllerView;
  readonly ring: RingProcessStatus;
  readonly fencing: FenceHistoryReply;
  /** What the leader does again and again. */
  readonly repetition: readonly string[];
  /** Alert agents of this node that fail. */
  readonly alerts: readonly string[];
  /** By whom is seen whose clock is ahead. */
  readonly clocks: ReadonlyMap<NodeName, string>;
  readonly throttle: readonly StatusThrottle[];
  readonly version: string;
  readonly startedAt: number;
  readonly now: number;
  readonly disks: readonly StatusDisk[];
}

/** Everything that a status display shows, gathered from the processes of this node. */
export function statusReply({
  setup,
  view,
  ring,
  fencing,
  repetition,
  alerts,
  clocks,
  throttle,
  version,
  startedAt,
  now,
  disks,
}: Sources): StatusReply {
  const { nodes } = setup.config;
  const { quorum, links } = ring.core;
  const participants = new Set(view.membership?.participants.map(({ nodeId }) => nodeId));
  const members = new Set(view.membership?.members);
  return {
    cib: formatXml(view.cib, -1),
    now,
    localNode: setup.self.name,
    clusterName: setup.config.totem.clusterName,
    version,
    featureSet: FEATURE_SET,
    startedAt,
    membership: {
      ringId: `${ring.core.totem.ringId.representative}.${ring.core.totem.ringId.sequence}`,
      members: nodes
        .filter(({ id }) => members.has(id))
        .map(({ id, name }) => ({ id, name, participates: participants.has(id) })),
      absent: nodes.filter(({ id }) => !members.has(id)).map(({ id, name }) => ({ id, name })),
      quorate: view.membership?.quorate ?? false,
      quorumReason: quorum.reason,
      votes: quorum.votes,
      expectedVotes: quorum.expectedVotes,
      quorumVotes: quorum.needed,
      ...(view.leader === undefined ? {} : { leader: view.leader }),
      links: links.links.map(({ node, link, up, address }) => ({
        link,
        peer: nodes.find(({ id }) => id === node)?.name ?? nodeName(`node${node}`),
        up,
        address,
      })),
    },
    ...transitionOf(view),
    fencing: {
      history: [...fencing.entries].reverse(),
      remarks: fencing.remarks,
      pending: fencing.pending.map(({ request }) => ({
        target: request.target,
        action: request.action,
        origin: request.origin,
        client: request.client,
        startedAt: now,
        reason: request.reason,
      })),
    },
    throttle,
    disks,
    warnings: [
      ...view.warnings,
      ...repetition.map((text): StatusWarning => ({ code: "REPEATING", text })),
      ...ring.warnings.map((text): StatusWarning => ({ code: "LOCAL-WARNING", text })),
      ...alerts.map((text): StatusWarning => ({ code: "ALERT-FAILING", text })),
      ...strangersOf(ring, setup.config.totem.keyFile),
      ...disagreementsOf(ring),
      ...expectedVotesOf(ring),
      ...waitingChangeOf(ring),
      ...[...clocks].map(
        ([node, text]): StatusWarning => ({
          code: "CLOCK",
          node,
          text: `by the clock of ${node}, ${text}: look at the time service of both`,
        }),
      ),
    ],
  };
}

/** Hosts that the ring of this node ignores, and nodes with which it forms no ring. */
function strangersOf({ core, names }: RingProcessStatus, keyFile: string): StatusWarning[] {
  const name = (id: NodeId) => names[id] ?? `node ${id}`;
  const about = (id: NodeId | undefined) => {
    const found = id === undefined ? undefined : names[id];
    return found === undefined ? {} : { node: nodeName(found) };
  };
  return [
    ...core.links.strangers.map(
      (stranger): StatusWarning => ({
        code: "STRANGER",
        text: strangerText(stranger, name),
        cure: strangerCure(stranger.cause, keyFile),
        ...about(stranger.node),
      }),
    ),
    ...core.totem.refused.map(
      ({ node, reason }): StatusWarning => ({
        code: "STRANGER",
        text: refusedText(name(node), reason),
        cure: refusedCure,
        ...about(node),
      }),
    ),
  ];
}

/** Options in which members differ from this node. */
function disagreementsOf({ core, names }: RingProcessStatus): StatusWarning[] {
  return core.disagreements.map(({ node, text, quorum }) => {
    const name = names[node] ?? `node ${node}`;
    return {
      code: quorum ? "QUORUM-DIFFERS" : "OPTIONS-DIFFER",
      text: quorum
        ? `${name} ${text}; until it is the same on all, only a majority is quorate`
        : `${name} ${text}`,
      cure: "Make hactl.toml the same on both nodes, then hactl reload on each; it names what a restart needs",
      ...(names[node] === undefined ? {} : { node: nodeName(name) }),
    };
  });
}

/** More votes are expected than are configured. */
function expectedVotesOf({ core: { quorum } }: RingProcessStatus): StatusWarning[] {
  const { expectedVotes, configuredVotes } = quorum;
  if (configuredVotes === undefined) return [];
  return [
    {
      code: "EXPECTED-VOTES",
      text: `${expectedVotes} votes are expected, and ${configuredVotes} are configured: votes were raised, and not all nodes have been here since with their configured votes and the same hactl.toml`,
      cure: `Make hactl.toml the same on all nodes, then hactl reload on each, and start those that are missing; hactl quorum expected ${configuredVotes} lowers them at once`,
    },
  ];
}

/** Members have read what others have not. */
function waitingChangeOf({ core, names }: RingProcessStatus): StatusWarning[] {
  const { changeReadBy, totem } = core;
  const others = totem.members.filter((node) => !changeReadBy.includes(node));
  const listed = (ids: readonly NodeId[]) => ids.map((id) => names[id] ?? `node ${id}`).join(", ");
  if (changeReadBy.length === 0) return [];
  const readers = listed(changeReadBy);
  return [
    {
      code: "CHANGE-WAITS",
      text: `a changed hactl.toml was read on ${readers} and is not in force: it is when all have read the same`,
      cure:
        others.length > 0
          ? `Make hactl.toml the same on ${listed(others)}, then hactl reload there; to give it up, put it back on ${readers}, then hactl reload there`
          : "Make hactl.toml the same on all nodes, then hactl reload on each",
    },
  ];
}

function transitionOf({ transition, idle }: ControllerView): { transition?: StatusTransition } {
  if (idle === undefined) return {};
  if (!transition) {
    return {
      transition: {
        id: 0,
        state: idle ? "idle" : "deciding",
        total: 0,
        done: 0,
        flying: 0,
        failed: 0,
        actions: [],
      },
    };
  }
  const { id, total, done, flying, aborted } = transition;
  return {
    transition: {
      id,
      state: aborted === undefined ? "running" : "aborted",
      total,
      done,
      flying: flying.length,
      failed: 0,
      actions: flying,
      ...(aborted === undefined ? {} : { reason: aborted }),
    },
  };
}

/** Where resources of class stonith are started by the history: which node uses which device first. */
export function runningFenceDevices(cib: XmlElement): Map<string, NodeName> {
  const running = new Map<string, NodeName>();
  for (const state of childrenOf(child(cib, "status"), "node_state")) {
    const node = nodeName(state.attributes.get("uname") ?? "");
    for (const resource of child(child(state, "lrm"), "lrm_resources")?.children ?? []) {
      if (resource.attributes.get("class") !== "stonith") continue;
      const id = resource.attributes.get("id") ?? "";
      const last = resource.children.find((op) => op.attributes.get("id") === `${id}_last_0`);
      const started = last?.attributes.get("operation") === "start" && last.attributes.get("rc-code") === "0";
      if (started) running.set(id, node);
    }
  }
  return running;
}
