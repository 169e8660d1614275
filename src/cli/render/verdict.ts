import { child, childrenOf, connectionsToMembers } from "../../cib/index.ts";
import type { Cluster, Resource } from "../../scheduler/index.ts";
import { lookup } from "../../terms/index.ts";
import { hiddenCure, hiddenText } from "../hidden.ts";
import { connectingFrom, isDisabled, type Keeping, keptBy, primitivesOf } from "./cluster-view.ts";
import type { StatusInput, StatusWarning } from "./input.ts";
import { connectivityRemark, shownAttributes } from "./mon-sections.ts";
import {
  type Cause,
  type CauseWithoutLevel,
  type ClusterFacts,
  type FailureFacts,
  type FencingFacts,
  NEVER_SEEN,
  type NodeFacts,
  type Verdict,
  type VerdictState,
} from "./status-model.ts";
import { type CauseCode, verdictCauses } from "./verdict-causes.ts";
import { fencingCauses } from "./verdict-fencing.ts";
import { resourceCauses } from "./verdict-resources.ts";

interface Facts {
  readonly cluster: ClusterFacts;
  readonly nodes: readonly NodeFacts[];
  readonly failures: readonly FailureFacts[];
  readonly fencing: FencingFacts;
}

const ranks = lookup({ error: 0, warning: 1 } as const);

/** The state of the whole cluster and its causes, the most important first: what gives the verdict before what does not. */
export function verdictOf(input: StatusInput, cluster: Cluster, facts: Facts): Verdict {
  const { apart, others } = diskCauses(input);
  const { hidden = [] } = facts.cluster;
  const found: readonly CauseWithoutLevel[] = [
    ...apart,
    ...quorumCauses(input, cluster, facts),
    ...known(hidden, basis, stopCauses(cluster)),
    ...known(hidden, basis, namesakeCauses(cluster)),
    ...input.warnings.filter(isOfAll),
    ...known(hidden, basis, nodeCauses(input, cluster, facts)),
    ...managerCauses(input, facts),
    ...known(hidden, basis, connectivityCauses(cluster)),
    ...known(hidden, basis, seen(hidden, resourceCauses(cluster, facts))),
    ...known(hidden, ["constraints", "status"], ticketCauses(cluster)),
    ...seen(hidden, fencingCauses(facts.fencing, nodeStates(facts), facts.cluster.now)),
    ...linkCauses(facts),
    ...hiddenCauses(hidden),
    ...others,
    ...input.warnings.filter((one) => !isOfAll(one)),
  ];
  const causes = found
    .map((cause): Cause => ({ ...cause, level: verdictCauses[cause.code].level }))
    .sort((one, other) => ranks[one.level] - ranks[other.level]);
  const state = stateOf(cluster, facts, causes);
  return { state, text: verdictText(state, facts, causes), causes };
}

const basis = ["crm_config", "nodes", "status"];

/** Causes that follow from these sections: none where something in them is hidden. */
const known = (
  hidden: readonly string[],
  sections: readonly string[],
  causes: readonly CauseWithoutLevel[],
): readonly CauseWithoutLevel[] => (sections.some((name) => hidden.includes(name)) ? [] : causes);

/** What is true whatever else there is: it was seen, and does not follow from something that is missing. */
const evident: ReadonlySet<CauseCode> = new Set([
  "FAILED",
  "FAILURE",
  "BLOCKED",
  "LEFT-OUT",
  "FENCING-FAILED",
  "FENCING-UNTRUE",
  "NODE-FENCED",
]);

const seen = (
  hidden: readonly string[],
  causes: readonly CauseWithoutLevel[],
): readonly CauseWithoutLevel[] =>
  hidden.length === 0 ? causes : causes.filter(({ code }) => evident.has(code));

const hiddenCauses = (hidden: readonly string[]): readonly CauseWithoutLevel[] =>
  hidden.length === 0
    ? []
    : [
        {
          code: "HIDDEN",
          text: `whether all is well is not known: ${hiddenText(hidden)}`,
          cure: `To see all, ${hiddenCure}`,
        },
      ];

/** Whether each node is there and well, or may have to be fenced yet. */
const nodeStates = ({ nodes }: Facts): ReadonlyMap<string, "well" | "open"> =>
  new Map(nodes.map(({ name, online, unclean }) => [name, online && !unclean ? "well" : "open"] as const));

/** What concerns the whole cluster comes before what concerns a part. */
const isOfAll = ({ code }: StatusWarning): boolean => verdictCauses[code].level === "error";

function stateOf(cluster: Cluster, facts: Facts, causes: readonly Cause[]): VerdictState {
  const { hidden = [], quorate, instances } = facts.cluster;
  if (!quorate && cluster.options.noQuorumPolicy !== "ignore") return "NO QUORUM";
  const wanted = expectedPrimitives(cluster);
  if (wanted.length > 0 && instances.running === 0 && hidden.length === 0) return "STOPPED";
  if (causes.some(({ code }) => code === "NO-DC" || code === "STOP-ALL")) return "STOPPED";
  if (causes.some(({ level }) => level === "error")) return "DEGRADED";
  return hidden.length === 0 ? "NORMAL" : "UNKNOWN";
}

function verdictText(state: VerdictState, facts: Facts, causes: readonly Cause[]): string {
  const { total, disabled, running, surplus } = facts.cluster.instances;
  const errors = causes.filter(({ level }) => level === "error");
  const warnings = causes.filter(({ level }) => level === "warning");
  const [first] = errors;
  const partly = causes.find(({ code }) => code === "HIDDEN");
  if (state === "UNKNOWN" && partly) return partly.text;
  if (state !== "NORMAL" && first) {
    return `${first.text}${errors.length > 1 ? ` (and ${errors.length - 1} more)` : ""}`;
  }
  const online = facts.nodes.filter((node) => node.online && node.kind === "member").length;
  const nodes = `${online} node${online === 1 ? "" : "s"} online`;
  const wanted = total - disabled;
  const resources =
    total === 0
      ? "no resources configured"
      : `${running - surplus} of ${wanted} resource instances running${surplus === 0 ? "" : `, and ${surplus} more`}`;
  const [risk] = warnings;
  const remark = risk
    ? `; ${risk.text}${warnings.length > 1 ? ` (and ${warnings.length - 1} more warnings)` : ""}`
    : "";
  return `${nodes}, ${resources}${remark}`;
}

/** What ought to run: neither switched off nor removed nor unmanaged. */
const expectedPrimitives = (cluster: Cluster): Resource[] =>
  cluster.resources
    .filter((rsc) => !rsc.removed)
    .flatMap(primitivesOf)
    .filter((rsc) => !isDisabled(rsc) && rsc.managed);

const policyEffects: Readonly<Record<string, string>> = lookup({
  stop: "resources are stopped",
  freeze: "what runs goes on, nothing is recovered",
  demote: "promoted resources are demoted, others stopped",
  fence: "the nodes without quorum are fenced",
});

/** The ring's own words, with the numbers where they have none. */
function quorumWords({
  votes,
  expectedVotes,
  quorumVotes,
  quorumReason,
}: NonNullable<StatusInput["membership"]>): string {
  if (/votes/.test(quorumReason)) return quorumReason;
  return `${votes} of ${expectedVotes} votes, ${quorumVotes} needed${quorumReason === "" ? "" : `; ${quorumReason}`}`;
}

function quorumCauses(input: StatusInput, cluster: Cluster, { cluster: facts }: Facts): CauseWithoutLevel[] {
  const policy = cluster.options.noQuorumPolicy;
  const causes: CauseWithoutLevel[] = [];
  if (!facts.quorate && policy !== "ignore") {
    const effect = `; ${policyEffects[policy] ?? policy} (no-quorum-policy=${policy})`;
    const isKnown = !facts.hidden?.includes("crm_config");
    const why = input.membership ? quorumWords(input.membership) : "the configuration says so";
    // Nodes that are there and are not listened to are no missing ones: no restart brings them back.
    const [ignored, ...more] = input.warnings.filter(({ code }) => code === "STRANGER");
    const because = ignored === undefined ? "" : `; ${ignored.text}`;
    const others = more.length === 0 ? "" : `; the same for ${more.length} more, see below`;
    causes.push({
      code: "NO-QUORUM",
      text: `${why}${because}${isKnown ? effect : ""}`,
      cure:
        ignored === undefined
          ? "Bring the missing nodes back, or look at hactl quorum status"
          : `${ignored.cure ?? "Make key and node list the same on all nodes"}${others}`,
    });
  }
  if (facts.leader === undefined) {
    causes.push({
      code: "NO-DC",
      text: "no node leads the cluster (no DC); nothing is decided",
      cure: "It is settling, or the managers are not running: see the log of this node",
    });
  }
  return causes;
}

function stopCauses(cluster: Cluster): CauseWithoutLevel[] {
  const causes: CauseWithoutLevel[] = [];
  if (cluster.options.stopAll) {
    causes.push({
      code: "STOP-ALL",
      text: "stop-all-resources is set",
      cure: "crm configure property stop-all-resources=false",
    });
  }
  if (cluster.options.maintenance) {
    causes.push({
      code: "MAINTENANCE",
      text: "maintenance mode: nothing is started, stopped or recovered",
      cure: "hactl maintenance off",
    });
  }
  return causes;
}

/** Connections that would be taken for members. */
const namesakeCauses = ({ cib }: Cluster): CauseWithoutLevel[] =>
  connectionsToMembers(child(cib, "configuration")).map(({ id, member, text }) => ({
    code: "NAME-TAKEN",
    node: member,
    text: `${text}: nothing is done with that connection`,
    cure: `Remove it, or give it a name of its own: hactl configure delete ${id}`,
  }));

function nodeCauses(input: StatusInput, cluster: Cluster, { nodes, fencing }: Facts): CauseWithoutLevel[] {
  const wasFenced = new Set<string>(
    fencing.history.filter(({ ok, action }) => ok && action !== "on").map(({ target }) => target),
  );
  return nodes.flatMap((node): CauseWithoutLevel[] => {
    const { name, state, reason, unclean, online, kind } = node;
    const ignored = input.warnings.find((one) => one.code === "STRANGER" && one.node === name);
    if (unclean) {
      const why = [reason, ignored?.text].filter((words) => words !== undefined).map((words) => `: ${words}`);
      return [
        {
          code: "NODE-UNCLEAN",
          node: name,
          text: `node ${name} is ${state}${why.join("")}; its resources wait for its fencing`,
          cure: ignored?.cure ?? `Let it be fenced, or confirm that it is off: hactl fence confirm ${name}`,
        },
      ];
    }
    if (!online && state === "pending")
      return [
        { code: "NODE-STATE", node: name, text: `node ${name} is pending: it is there and has not joined` },
      ];
    if (!online && kind !== "guest") {
      const why = ignored
        ? { text: `: ${ignored.text}`, cure: ignored.cure }
        : kind === "remote"
          ? unconnectedWords(cluster, name)
          : leftInOrder(cluster, node) && !wasFenced.has(name)
            ? { text: ": it has left in order", cure: "To have it back, hactl start there" }
            : apartWords(node);
      const what = state === NEVER_SEEN ? "has never joined" : "is offline";
      return [
        {
          code: "NODE-OFFLINE",
          node: name,
          text: `node ${name} ${what}${why.text}`,
          ...(why.cure === undefined ? {} : { cure: why.cure }),
        },
      ];
    }
    if (node.leaving) return [leavingCause(name, keptBy(cluster, name))];
    if (online && state !== "online") {
      const inMaintenance = state === "maintenance";
      const cure = inMaintenance
        ? { cure: `hactl node ready ${name}` }
        : /^standby/.test(state)
          ? { cure: `hactl node online ${name}` }
          : {};
      const text = `node ${name} is ${inMaintenance ? "in maintenance: its services are left alone" : state}`;
      return [{ code: "NODE-STATE", node: name, text, ...cure }];
    }
    return [];
  });
}

/** A remote node that does not answer. */
function unconnectedWords(cluster: Cluster, name: string): { readonly text: string; readonly cure: string } {
  const node = cluster.nodes.find((one) => one.name === name);
  const from = node && connectingFrom(node);
  const connection = node?.remoteRsc;
  if (from === undefined && connection && isDisabled(connection))
    return {
      text: ": nobody connects to it, as it is configured as stopped",
      cure: `To have it back: hactl resource start ${connection.configId}`,
    };
  return {
    text: from === undefined ? "" : `: ${from.name} tries to connect to it`,
    cure: `Start hactl remote there, and see that its address and port can be reached: hactl explain ${name}`,
  };
}

const leftInOrder = ({ nodes }: Cluster, { name, state }: NodeFacts): boolean =>
  state !== NEVER_SEEN &&
  nodes.some((node) => node.name === name && !node.expectedUp && !node.unclean && !node.unseen);

/** A node whose ring answers this one, and is another ring. */
function apartWords({ name, links = [], state }: NodeFacts): {
  readonly text: string;
  readonly cure?: string;
} {
  const [up] = links.filter((link) => link.up);
  if (up)
    return {
      text: `: it answers on link ${up.link}, and forms no ring with this node`,
      cure: `See hactl status on ${name}: it may not reach every other node, or have another node list`,
    };
  if (state !== NEVER_SEEN)
    return { text: "", cure: `Start hactl there; where it runs, see hactl status on ${name}` };
  return {
    text: ": it is in the node list, and nothing is heard of it",
    cure: `Start hactl there, or see hactl status on ${name}: its node list, addresses and ports may be other ones`,
  };
}

function leavingCause(node: string, { stuck, withheld, stopping }: Keeping): CauseWithoutLevel {
  const about = { code: "NODE-LEAVING", node } as const;
  if (stuck.length > 0)
    return {
      ...about,
      text: `node ${node} is being stopped and cannot leave: ${stuck.join(", ")} could not be stopped there`,
      cure: `Stop it by hand, then: hactl resource cleanup ${stuck[0]}`,
    };
  if (withheld.length > 0)
    return {
      ...about,
      text: `node ${node} is being stopped and cannot leave: ${withheld.join(", ")} cannot be stopped there, since the agent cannot be executed`,
      cure: `Make the agent executable on ${node}: it is stopped then`,
    };
  const what =
    stopping.length > 0
      ? `it waits until ${stopping.join(", ")} ${stopping.length === 1 ? "has" : "have"} stopped`
      : "what it runs moves away or stops first";
  return { ...about, text: `node ${node} is being stopped: ${what}` };
}

/** A ring without its manager: nothing is decided there, nor carried out. */
function managerCauses({ membership }: StatusInput, { nodes }: Facts): CauseWithoutLevel[] {
  const told = new Set(nodes.filter(({ unclean, online }) => unclean || !online).map(({ name }) => name));
  return (membership?.members ?? [])
    .filter(({ participates, name }) => !participates && !told.has(name))
    .map(({ name }) => ({
      code: "MANAGER-AWAY",
      node: name,
      text: `the manager of ${name} is away although its ring is there: it hangs, or is being started again`,
      cure: `See the log of ${name}; it counts as lost when it does not come back`,
    }));
}

/** Tickets that something depends on and that are not there. A passive site lacks them by right. */
function ticketCauses(cluster: Cluster): CauseWithoutLevel[] {
  const constraints = child(child(cluster.cib, "configuration"), "constraints");
  const names = new Set(
    childrenOf(constraints, "rsc_ticket").flatMap(({ attributes }) => attributes.get("ticket") ?? []),
  );
  return [...names].flatMap((name): CauseWithoutLevel[] => {
    const ticket = cluster.tickets.get(name);
    if (ticket?.granted && !ticket.standby) return [];
    const what = ticket?.granted ? "is in standby" : "is not granted to this site";
    return [{ code: "TICKET", text: `ticket ${name} ${what}: what depends on it does not run here` }];
  });
}

/** A node that does not reach what its ping resource looks for. */
function connectivityCauses(cluster: Cluster): CauseWithoutLevel[] {
  return cluster.nodes
    .filter(({ online }) => online)
    .flatMap((node) =>
      shownAttributes(cluster, node).flatMap(({ name, value, expected: wanted }): CauseWithoutLevel[] => {
        const remark = connectivityRemark(value, wanted);
        if (remark === "") return [];
        return [
          {
            code: "CONNECTIVITY",
            node: node.name,
            text: `${node.name}: ${name} is ${value} of ${wanted}: ${remark.startsWith("Connectivity is lost") ? "it reaches none" : "it does not reach all"} of the hosts that are pinged`,
            cure: "Look at the network of that node, and at the hosts that are pinged",
          },
        ];
      }),
    );
}

/**
 * What is acknowledged is on the disks of the others only. A node that cannot write its state when it comes joins no other:
 * `apart`, that comes before all that follows from it.
 */
function diskCauses({ disks, localNode, membership }: StatusInput): {
  readonly apart: CauseWithoutLevel[];
  readonly others: CauseWithoutLevel[];
} {
  const isApart = (node: string) => node === localNode && membership?.members.length === 0;
  const causeOf = ({ node, problem }: StatusInput["disks"][number]): CauseWithoutLevel => ({
    code: "STATE-DISK",
    node,
    text: `${isApart(node) ? `${node} cannot join the others: its state` : `the state of ${node}`} cannot be written: ${problem}`,
    cure: `Make room on that disk of ${node}, or repair it; it is tried again until then`,
  });
  return {
    apart: disks.filter(({ node }) => isApart(node)).map(causeOf),
    others: disks.filter(({ node }) => !isApart(node)).map(causeOf),
  };
}

function linkCauses({ nodes }: Facts): CauseWithoutLevel[] {
  return nodes.flatMap(({ name, links }) =>
    (links ?? [])
      .filter(({ up }) => !up)
      .filter(() => nodes.some((node) => node.name === name && node.online))
      .map(
        ({ link, address }): CauseWithoutLevel => ({
          code: "LINK-DOWN",
          node: name,
          text: `link ${link} to ${name}${address === undefined ? "" : ` (${address})`} is down`,
          cure: "Look at the interface, the switch and the firewall of that network",
        }),
      ),
  );
}
