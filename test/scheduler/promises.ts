import { childrenOf, type XmlElement } from "../../src/cib/index.ts";
import type { GraphAction, Transition } from "../../src/scheduler/index.ts";

/** What a decision must never do, whatever the cluster; each breach in words. */
export function brokenPromises(cib: XmlElement, transition: Transition): string[] {
  return [
    ...cycles(transition.actions),
    ...startsOnLostNodes(cib, transition.actions),
    ...overCapacity(cib, transition),
    ...tooManyInstances(cib, transition),
  ];
}

/** Actions that wait for each other, or for what is not in the transition. */
function cycles(actions: readonly GraphAction[]): string[] {
  const open = new Map(actions.map(({ id, inputs }) => [id, new Set(inputs)]));
  const strange = actions.flatMap(({ key, inputs }) =>
    inputs
      .filter((input) => !open.has(input))
      .map((input) => `${key} waits for ${input}, which is not there`),
  );
  const followers = new Map<number, number[]>();
  for (const { id, inputs } of actions)
    for (const input of new Set(inputs)) followers.set(input, [...(followers.get(input) ?? []), id]);
  const ready = actions.filter(({ inputs }) => inputs.length === 0).map(({ id }) => id);
  for (let id = ready.pop(); id !== undefined; id = ready.pop()) {
    open.get(id)?.clear();
    for (const next of followers.get(id) ?? []) {
      const waiting = open.get(next);
      if (waiting?.delete(id) && waiting.size === 0) ready.push(next);
    }
  }
  const stuck = actions.filter(({ id }) => (open.get(id)?.size ?? 0) > 0);
  return stuck.length > 0 ? [...strange, `cycle: ${stuck.map(({ key }) => key).join(", ")}`] : strange;
}

/** Every action on a node that is not a member, or before the fencing of the node that it is on. */
function startsOnLostNodes(cib: XmlElement, actions: readonly GraphAction[]): string[] {
  const members = new Set(
    childrenOf(cib, "status")
      .flatMap((status) => childrenOf(status, "node_state"))
      .filter(({ attributes }) => attributes.get("crmd") === "online" && attributes.get("join") === "member")
      .map(({ attributes }) => attributes.get("uname")),
  );
  const fencings = new Set(
    actions.filter(({ task, key }) => task === "stonith" && !key.endsWith("-on")).map(({ node }) => node),
  );
  return actions
    .filter(({ kind, task }) => kind === "rsc" && task !== "notify")
    .flatMap(({ key, node, task, router }) => {
      // A remote or guest node is as good as the host of its connection.
      if (router !== undefined)
        return members.has(router) ? [] : [`${key} on ${node} through ${router}, which is no member`];
      if (!members.has(node)) return [`${key} on ${node}, which is no member`];
      const changes = task === "start" || task === "promote" || task === "migrate_from";
      return changes && fencings.has(node) ? [`${key} on ${node}, which is fenced`] : [];
    });
}

const pairsOf = (owner: XmlElement, set: string) =>
  childrenOf(owner, set).flatMap((each) =>
    childrenOf(each, "nvpair").map(
      ({ attributes }) => [attributes.get("name") ?? "", attributes.get("value") ?? ""] as const,
    ),
  );

const section = (cib: XmlElement, name: string) =>
  childrenOf(cib, "configuration").flatMap((each) => childrenOf(each, name));

function every(root: XmlElement, name: string): XmlElement[] {
  return root.children.flatMap((each) => (each.name === name ? [each] : every(each, name)));
}

/** Nodes where more is started than they have room for; what ran there before may stay. */
function overCapacity(cib: XmlElement, { placement, actions }: Transition): string[] {
  const strategy = section(cib, "crm_config")
    .flatMap((config) => pairsOf(config, "cluster_property_set"))
    .find(([name]) => name === "placement-strategy")?.[1];
  if (strategy === undefined || strategy === "default") return [];
  // Which sets hold where rules decide about them is for the scheduler to find out.
  if (every(cib, "utilization").some((set) => childrenOf(set, "rule").length > 0)) return [];
  const needs = new Map(
    section(cib, "resources")
      .flatMap((resources) => every(resources, "primitive"))
      .map((rsc) => [rsc.attributes.get("id") ?? "", pairsOf(rsc, "utilization")]),
  );
  const started = new Set(
    actions.filter(({ task }) => task === "start").map(({ rsc, node }) => `${rsc?.id ?? ""} ${node}`),
  );
  return section(cib, "nodes")
    .flatMap((nodes) => childrenOf(nodes, "node"))
    .flatMap((node) => {
      const name = node.attributes.get("uname") ?? "";
      const here = placement.filter((each) => each.node === name);
      if (!here.some(({ rsc }) => started.has(`${rsc} ${name}`))) return [];
      return pairsOf(node, "utilization").flatMap(([resource, capacity]) => {
        const used = here
          .flatMap(({ rsc }) => needs.get(rsc) ?? needs.get(rsc.replace(/:\d+$/, "")) ?? [])
          .reduce((sum, [each, amount]) => (each === resource ? sum + Number(amount) : sum), 0);
        return used > Number(capacity) ? [`${name}: ${used} of ${capacity} ${resource} used`] : [];
      });
    });
}

/** Clones with more instances, or more promoted ones, than they may have. */
function tooManyInstances(cib: XmlElement, { placement, actions }: Transition): string[] {
  return section(cib, "resources")
    .flatMap((resources) => every(resources, "clone"))
    .flatMap((clone) => {
      const meta = new Map(pairsOf(clone, "meta_attributes"));
      const perNode = meta.get("globally-unique") === "true" ? Number(meta.get("clone-node-max") ?? 1) : 1;
      const promotedMost = Number(meta.get("promoted-max") ?? 1);
      const unmanaged =
        formatPairs(cib).includes("is-managed=false") || formatPairs(cib).includes("maintenance");
      return every(clone, "primitive").flatMap((inner) => {
        const id = inner.attributes.get("id") ?? "";
        const mine = (rsc: string) => rsc === id || rsc.startsWith(`${id}:`);
        const changed = actions.some(
          ({ rsc, task }) => rsc && mine(rsc.id) && (task === "start" || task === "promote"),
        );
        if (!changed || unmanaged) return [];
        const here = placement.filter(({ rsc }) => mine(rsc));
        const nodes = new Map<string, number>();
        for (const { node } of here) nodes.set(node, (nodes.get(node) ?? 0) + 1);
        const crowded = [...nodes]
          .filter(([, count]) => count > perNode)
          .map(([node]) => `${node} has too many ${id}`);
        const promoted = here.filter(({ role }) => role === "Promoted").length;
        return promoted > promotedMost ? [...crowded, `${promoted} of ${id} promoted`] : crowded;
      });
    });
}

const formatPairs = (cib: XmlElement) =>
  every(cib, "nvpair")
    .map(({ attributes }) => `${attributes.get("name")}=${attributes.get("value")}`)
    .join(" ");
