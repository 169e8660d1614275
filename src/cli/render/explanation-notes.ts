import { child, childrenOf, parseBoolean, propertyNameIn, type XmlElement } from "../../cib/index.ts";
import { type Cluster, parseRole, type Resource, Role, type Transition } from "../../scheduler/index.ts";
import { agentName, lookup, withoutInstance } from "../../terms/index.ts";
import { isWithheld, stoppingRestart, targetRole } from "./cluster-view.ts";
import { sparedText } from "./spared.ts";

/** Something that holds for a resource everywhere, and what would have to change. */
export interface GeneralNote {
  readonly source: string;
  readonly text: string;
  readonly change?: string;
}

/** The constraint of that id. */
export const constraintOf = (cluster: Cluster, id: string): XmlElement | undefined =>
  constraints(cluster).find(({ attributes }) => attributes.get("id") === id);

const constraints = (cluster: Cluster): readonly XmlElement[] =>
  child(child(cluster.cib, "configuration"), "constraints")?.children ?? [];

/** What keeps a resource from running, or from being touched, on any node. `planned`: what the summary says of it. */
export function generalNotes(
  cluster: Cluster,
  transition: Transition,
  rsc: Resource,
  planned: readonly string[],
): GeneralNote[] {
  return [
    ...ofConfiguration(cluster, rsc),
    ...ofCluster(cluster, rsc),
    ...ofState(rsc),
    ...ofOrder(cluster, rsc, planned),
    ...ofPromotion(cluster, transition, rsc),
  ];
}

function ofConfiguration(cluster: Cluster, rsc: Resource): GeneralNote[] {
  if (rsc.removed)
    return [{ source: "removed", text: "it is not configured any more: what is left of it is stopped" }];
  const target = targetRole(rsc);
  if (target === undefined || parseRole(target) === Role.Started) return [];
  const change =
    parseRole(target) === Role.Stopped ? `start it: hactl resource start ${rsc.configId}` : undefined;
  const text = `its target-role is ${target}${stoppingRestart(cluster, rsc) === undefined ? "" : ", by a restart that has not ended"}`;
  return [
    { source: "target-role", text, ...(change === undefined || cluster.options.stopAll ? {} : { change }) },
  ];
}

function ofCluster(cluster: Cluster, rsc: Resource): GeneralNote[] {
  const { options } = cluster;
  const notes: GeneralNote[] = [];
  if (options.stopAll)
    notes.push({
      source: "property",
      text: "stop-all-resources is set",
      change: "set stop-all-resources=false",
    });
  if (options.maintenance)
    notes.push({
      source: "property",
      text: "the cluster is in maintenance mode: it starts and stops nothing",
      change: "end the maintenance: hactl maintenance off",
    });
  if (options.fencingEnabled && !cluster.haveFenceDevice && rsc.class !== "stonith")
    notes.push({
      source: "fencing",
      text: "fencing is enabled, but there is no fence device: the cluster starts nothing",
      change: `configure a fence device, or set ${propertyNameIn(child(cluster.cib, "configuration") ?? cluster.cib, "fencing-enabled")}=false where no data is shared`,
    });
  if (!cluster.quorate && options.noQuorumPolicy !== "ignore")
    notes.push({
      source: "quorum",
      text: `there is no quorum (no-quorum-policy=${options.noQuorumPolicy})`,
      change: "bring nodes back until there is quorum",
    });
  return notes;
}

/** That it is left alone because of a failure, its node or itself; or that it is active too often. */
function ofState(rsc: Resource): GeneralNote[] {
  if (rsc.blocked)
    return [
      {
        source: "blocked",
        text: `it is blocked after a failure: ${sparedText(rsc) ?? "nothing is done with it until somebody cleans up"}`,
        change: `repair it, then: hactl resource cleanup ${rsc.configId}`,
      },
    ];
  if (isWithheld(rsc))
    return [
      {
        source: "agent",
        text: `${agentName(rsc)} cannot be executed where it runs: nothing is done with it there, nor is it stopped`,
        change: "make the agent executable there; hactl status names the file",
      },
    ];
  if (!rsc.managed) return ofManagement(rsc);
  if (rsc.runningOn.length < 2) return [];
  return [
    {
      source: "multiple-active",
      text: `it is active on ${rsc.runningOn.length} nodes: ${tooOften[rsc.multipleActive]}`,
    },
  ];
}

const tooOften: Readonly<Record<Resource["multipleActive"], string>> = lookup({
  stop_start: "it is stopped on all of them and started on one (multiple-active=stop_start)",
  stop_only: "it is stopped on all of them and stays so (multiple-active=stop_only)",
  block: "the cluster leaves it as it is (multiple-active=block)",
  stop_unexpected: "it is stopped where it should not be (multiple-active=stop_unexpected)",
});

function ofManagement(rsc: Resource): GeneralNote[] {
  const node = rsc.runningOn.find(({ maintenance }) => maintenance);
  if (node)
    return [
      {
        source: "maintenance",
        text: `${node.name} is in maintenance: the cluster leaves it as it is`,
        change: `end the maintenance: hactl node ready ${node.name}`,
      },
    ];
  const unmanaged = parseBoolean(rsc.meta.get("is-managed")) === false;
  if (!unmanaged && parseBoolean(rsc.meta.get("maintenance")) !== true) return [];
  return [
    {
      source: "managed",
      text: "it is unmanaged: the cluster leaves it as it is",
      change: unmanaged
        ? `manage it again: hactl resource manage ${rsc.configId}`
        : `end its maintenance: hactl resource maintenance ${rsc.configId} off`,
    },
  ];
}

/** What it waits for in vain, and by which orders. */
function ofOrder(cluster: Cluster, rsc: Resource, planned: readonly string[]): GeneralNote[] {
  return planned.flatMap((line) => {
    const [, other, task] = /due to unrunnable (\S+) (\S+) \(blocked\)$/.exec(line) ?? [];
    if (other === undefined || task === undefined) return [];
    const orders = ordersBetween(cluster, other, rsc);
    const by = orders.length === 0 ? "" : ` (${orders.map((id) => `order ${id}`).join(", ")})`;
    return [
      {
        source: "order",
        text: `it waits for the ${task} of ${other}, which cannot be done${by}`,
        change: `see why: hactl explain ${other}`,
      },
    ];
  });
}

function ordersBetween(cluster: Cluster, first: string, then: Resource): string[] {
  const before = cluster.resourceById.get(first);
  const names = (rsc: Resource | undefined): string[] =>
    rsc === undefined ? [] : [rsc.id, rsc.configId, ...names(rsc.parent)];
  const [a, b] = [new Set(names(before)), new Set(names(then))];
  return constraints(cluster)
    .filter(({ name }) => name === "rsc_order")
    .filter((order) => {
      const members = [
        ...["first", "then"].map((name) => order.attributes.get(name) ?? ""),
        ...childrenOf(order, "resource_set").flatMap((set) =>
          set.children.map(({ attributes }) => attributes.get("id") ?? ""),
        ),
      ];
      return members.some((id) => a.has(id)) && members.some((id) => b.has(id));
    })
    .map(({ attributes }) => attributes.get("id") ?? "");
}

/** Who is promoted: those with the highest promotion scores. */
function ofPromotion(cluster: Cluster, { scores }: Transition, rsc: Resource): GeneralNote[] {
  const clone = promotableOf(rsc);
  if (!clone?.clone) return [];
  const found = scores.flatMap((line) => {
    const [, id, node, score] = /^(\S+) promotion score on (\S+): (\S+)$/.exec(line) ?? [];
    return withoutInstance(id ?? "") === rsc.configId ? [`${node} ${score}`] : [];
  });
  if (found.length === 0) return [];
  const by = constraints(cluster)
    .filter((item) => item.attributes.get("rsc") === clone.configId && speaksOfPromotion(item))
    .map(({ attributes }) => attributes.get("id") ?? "");
  const which = by.length === 0 ? "" : `, with what ${by.join(", ")} ${by.length === 1 ? "adds" : "add"}`;
  const text = `promotion scores: ${found.join(", ")}${which}; the best ${clone.clone.promotedMax} of at least 0 ${clone.clone.promotedMax === 1 ? "is" : "are"} promoted`;
  return [{ source: "promotion", text }];
}

function promotableOf(rsc: Resource): Resource | undefined {
  for (let outer = rsc.parent; outer; outer = outer.parent) if (outer.promotable) return outer;
  return undefined;
}

const speaksOfPromotion = (item: XmlElement): boolean =>
  [item, ...childrenOf(item, "rule")].some(({ attributes }) =>
    ["role", "rsc-role"].some((name) => /^(promoted|master)$/i.test(attributes.get(name) ?? "")),
  );
