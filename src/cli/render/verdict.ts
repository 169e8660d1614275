import { type Cluster, type Resource, Role } from "../../scheduler/index.ts";
import { lookup } from "../../terms/index.ts";
import { activeNodes, highestRole, isDisabled, primitivesOf } from "./cluster-view.ts";
import type { StatusInput } from "./input.ts";
import { connectivityRemark, shownAttributes } from "./mon-sections.ts";
import { isImplied } from "./resource-list.ts";
import type {
  Cause,
  ClusterFacts,
  FailureFacts,
  FencingFacts,
  NodeFacts,
  Verdict,
  VerdictState,
} from "./status-model.ts";

interface Facts {
  readonly cluster: ClusterFacts;
  readonly nodes: readonly NodeFacts[];
  readonly failures: readonly FailureFacts[];
  readonly fencing: FencingFacts;
}

/** The state of the whole cluster and its causes, the most important first. */
export function verdictOf(input: StatusInput, cluster: Cluster, facts: Facts): Verdict {
  const { apart, others } = diskCauses(input);
  const causes = [
    ...apart,
    ...quorumCauses(input, cluster, facts),
    ...stopCauses(cluster),
    ...nodeCauses(facts),
    ...connectivityCauses(cluster),
    ...resourceCauses(cluster, facts),
    ...fencingCauses(facts),
    ...linkCauses(facts),
    ...others,
    ...input.warnings.map((text): Cause => ({ code: "LOCAL-WARNING", level: "warning", text })),
  ];
  const state = stateOf(cluster, facts, causes);
  return { state, text: verdictText(state, facts, causes), causes };
}

function stateOf(cluster: Cluster, facts: Facts, causes: readonly Cause[]): VerdictState {
  if (!facts.cluster.quorate && cluster.options.noQuorumPolicy !== "ignore") return "NO QUORUM";
  const wanted = expectedPrimitives(cluster);
  if (wanted.length > 0 && facts.cluster.instances.running === 0) return "STOPPED";
  if (causes.some(({ code }) => code === "NO-DC" || code === "STOP-ALL")) return "STOPPED";
  return causes.some(({ level }) => level === "error") ? "DEGRADED" : "NORMAL";
}

function verdictText(state: VerdictState, facts: Facts, causes: readonly Cause[]): string {
  const { total, disabled, running } = facts.cluster.instances;
  const errors = causes.filter(({ level }) => level === "error");
  const warnings = causes.filter(({ level }) => level === "warning");
  const [first] = errors;
  if (state !== "NORMAL" && first) {
    return `${first.text}${errors.length > 1 ? ` (and ${errors.length - 1} more)` : ""}`;
  }
  const online = facts.nodes.filter((node) => node.online && node.kind === "member").length;
  const nodes = `${online} node${online === 1 ? "" : "s"} online`;
  const wanted = total - disabled;
  const resources =
    total === 0 ? "no resources configured" : `${running} of ${wanted} resource instances running`;
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

function quorumCauses(input: StatusInput, cluster: Cluster, { cluster: facts }: Facts): Cause[] {
  const policy = cluster.options.noQuorumPolicy;
  const causes: Cause[] = [];
  if (!facts.quorate && policy !== "ignore") {
    const why = input.membership ? quorumWords(input.membership) : "the configuration says so";
    causes.push({
      code: "NO-QUORUM",
      level: "error",
      text: `${why}; ${policyEffects[policy] ?? policy} (no-quorum-policy=${policy})`,
      cure: "Bring the missing nodes back, or look at hactl quorum status",
    });
  }
  if (facts.leader === undefined) {
    causes.push({
      code: "NO-DC",
      level: "error",
      text: "no node leads the cluster (no DC); nothing is decided",
      cure: "It is settling, or the managers are not running: see the log of this node",
    });
  }
  return causes;
}

function stopCauses(cluster: Cluster): Cause[] {
  const causes: Cause[] = [];
  if (cluster.options.stopAll) {
    causes.push({
      code: "STOP-ALL",
      level: "error",
      text: "stop-all-resources is set",
      cure: "crm configure property stop-all-resources=false",
    });
  }
  if (cluster.options.maintenance) {
    causes.push({
      code: "MAINTENANCE",
      level: "error",
      text: "maintenance mode: nothing is started, stopped or recovered",
      cure: "crm configure property maintenance-mode=false",
    });
  }
  return causes;
}

function nodeCauses({ nodes }: Facts): Cause[] {
  return nodes.flatMap((node): Cause[] => {
    const { name, state, reason, unclean, online, kind } = node;
    if (unclean) {
      const why = reason === undefined ? "" : `: ${reason}`;
      return [
        {
          code: "NODE-UNCLEAN",
          level: "error",
          node: name,
          text: `node ${name} is ${state}${why}; its resources wait for its fencing`,
          cure: `Let it be fenced, or confirm that it is off: hactl fence confirm ${name}`,
        },
      ];
    }
    if (!online && kind !== "guest") {
      return [{ code: "NODE-OFFLINE", level: "error", node: name, text: `node ${name} is offline` }];
    }
    if (online && state !== "online") {
      const cure = /^standby/.test(state) ? { cure: `hactl node online ${name}` } : {};
      return [{ code: "NODE-STATE", level: "error", node: name, text: `node ${name} is ${state}`, ...cure }];
    }
    return [];
  });
}

/** A node that does not reach what its ping resource looks for. */
function connectivityCauses(cluster: Cluster): Cause[] {
  return cluster.nodes
    .filter(({ online }) => online)
    .flatMap((node) =>
      shownAttributes(cluster, node).flatMap(({ name, value, expected: wanted }): Cause[] => {
        const remark = connectivityRemark(value, wanted);
        if (remark === "") return [];
        return [
          {
            code: "CONNECTIVITY",
            level: "error",
            node: node.name,
            text: `${node.name}: ${name} is ${value} of ${wanted}: ${remark.startsWith("Connectivity is lost") ? "it reaches none" : "it does not reach all"} of the hosts that are pinged`,
            cure: "Look at the network of that node, and at the hosts that are pinged",
          },
        ];
      }),
    );
}

function resourceCauses(cluster: Cluster, { failures }: Facts): Cause[] {
  const causes: Cause[] = [];
  for (const rsc of cluster.resources.filter((top) => !isImplied(top)))
    causes.push(...causesOf(cluster, rsc, failures));
  for (const failure of failures) {
    if (causes.some(({ rsc, node }) => rsc === failure.rsc && (node === undefined || node === failure.node)))
      continue;
    causes.push({
      code: "FAILURE",
      level: "error",
      rsc: failure.rsc,
      node: failure.node,
      text: `${failure.rsc} has failed on ${failure.node} (${failure.task}: ${failure.outcome})`,
      cure: `hactl resource cleanup ${failure.rsc}`,
    });
  }
  return causes;
}

function causesOf(cluster: Cluster, rsc: Resource, failures: readonly FailureFacts[]): Cause[] {
  if (isDisabled(rsc) || rsc.removed) return [];
  if (rsc.isClone) return cloneCauses(cluster, rsc, failures);
  return primitivesOf(rsc).flatMap((part) => primitiveCauses(part, failures));
}

function primitiveCauses(rsc: Resource, failures: readonly FailureFacts[]): Cause[] {
  if (isDisabled(rsc)) return [];
  const why = failures.find((failure) => failure.rsc === rsc.id || failure.rsc === rsc.historyId);
  const reason =
    why === undefined
      ? ""
      : ` (${why.task}: ${why.outcome}${why.exitReason === "" ? "" : ` – ${why.exitReason}`})`;
  const cleanup = `hactl resource cleanup ${rsc.configId}`;
  const about = { rsc: why?.rsc ?? rsc.id, level: "error" } as const;
  if (rsc.blocked) {
    return [
      {
        ...about,
        code: "BLOCKED",
        text: `${rsc.id} is blocked${reason}: it stays as it is until somebody repairs it`,
        cure: cleanup,
      },
    ];
  }
  if (rsc.failed) return [{ ...about, code: "FAILED", text: `${rsc.id} has failed${reason}`, cure: cleanup }];
  if (rsc.runningOn.length > 1 && !rsc.partialMigrationSource) {
    const nodes = rsc.runningOn.map(({ name }) => name).join(", ");
    return [{ ...about, code: "MULTIPLE-ACTIVE", text: `${rsc.id} is active on several nodes: ${nodes}` }];
  }
  if (rsc.role === Role.Stopped && rsc.managed) {
    return [
      {
        ...about,
        code: "STOPPED",
        text: `${rsc.id} is stopped${reason}`,
        cure: `hactl explain ${rsc.configId}`,
      },
    ];
  }
  return [];
}

function cloneCauses(cluster: Cluster, clone: Resource, failures: readonly FailureFacts[]): Cause[] {
  const parts = primitivesOf(clone).filter(
    (part) => part.failed || part.blocked || part.runningOn.length > 1,
  );
  const causes = parts.flatMap((part) => primitiveCauses(part, failures));
  const settings = clone.clone;
  const usable = cluster.nodes.filter(
    (node) => node.online && !node.standby && !node.unclean && !node.maintenance && node.kind === "member",
  );
  const wanted = Math.min(settings?.cloneMax ?? 0, usable.length * (settings?.cloneNodeMax ?? 1));
  const active = clone.unique
    ? clone.children.filter((instance) => activeNodes(instance).length > 0).length
    : activeNodes(clone).filter((node) => usable.includes(node)).length;
  if (active < wanted && active < usable.length && clone.managed) {
    causes.push({
      code: "CLONE-INCOMPLETE",
      level: "error",
      rsc: clone.id,
      text: `${clone.id} runs ${active} of ${wanted} instances`,
      cure: `hactl explain ${clone.id}`,
    });
  }
  if (
    clone.promotable &&
    active > 0 &&
    clone.children.every((instance) => highestRole(instance) < Role.Promoted)
  ) {
    causes.push({
      code: "NOT-PROMOTED",
      level: "error",
      rsc: clone.id,
      text: `${clone.id} has no promoted instance`,
      cure: `hactl explain ${clone.id}`,
    });
  }
  return causes;
}

function fencingCauses({ fencing }: Facts): Cause[] {
  const warnings: Cause[] = [];
  if (!fencing.enabled) {
    warnings.push({
      code: "FENCING-DISABLED",
      level: "warning",
      text: "fencing is DISABLED: after the loss of a node, data may be written from two nodes at once",
      cure: "Configure a fence device and set stonith-enabled=true",
    });
  } else if (fencing.devices.length === 0) {
    warnings.push({
      code: "NO-FENCE-DEVICE",
      level: "error",
      text: "fencing is enabled but no fence device is configured: a lost node blocks its services, and nothing starts",
      cure: "Configure a stonith: resource for every node",
    });
  }
  const last = new Map(fencing.history.toReversed().map((result) => [result.target, result]));
  for (const { target, ok, reason } of last.values()) {
    if (ok) continue;
    warnings.push({
      code: "FENCING-FAILED",
      level: "error",
      node: target,
      text: `the last fencing of ${target} failed${reason === "" ? "" : `: ${reason}`}`,
      cure: `Repair the device, or confirm that the node is off: hactl fence confirm ${target}`,
    });
  }
  for (const text of fencing.warnings) warnings.push({ code: "FENCING-TOPOLOGY", level: "warning", text });
  return warnings;
}

/**
 * What is acknowledged is on the disks of the others only. A node that cannot write its state when it comes joins no other:
 * `apart`, that comes before all that follows from it.
 */
function diskCauses({ disks, localNode, membership }: StatusInput): {
  readonly apart: Cause[];
  readonly others: Cause[];
} {
  const isApart = (node: string) => node === localNode && membership?.members.length === 0;
  const causeOf = ({ node, problem }: StatusInput["disks"][number]): Cause => ({
    code: "STATE-DISK",
    level: "error",
    node,
    text: `${isApart(node) ? `${node} cannot join the others: its state` : `the state of ${node}`} cannot be written: ${problem}`,
    cure: `Make room on that disk of ${node}, or repair it; it is tried again until then`,
  });
  return {
    apart: disks.filter(({ node }) => isApart(node)).map(causeOf),
    others: disks.filter(({ node }) => !isApart(node)).map(causeOf),
  };
}

function linkCauses({ nodes }: Facts): Cause[] {
  return nodes.flatMap(({ name, links }) =>
    (links ?? [])
      .filter(({ up }) => !up)
      .filter(() => nodes.some((node) => node.name === name && node.online))
      .map(
        ({ link, address }): Cause => ({
          code: "LINK-DOWN",
          level: "error",
          node: name,
          text: `link ${link} to ${name}${address === undefined ? "" : ` (${address})`} is down`,
          cure: "Look at the interface, the switch and the firewall of that network",
        }),
      ),
  );
}
