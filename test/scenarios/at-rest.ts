import {
  child,
  cibDigest,
  formatVersion,
  parseXml,
  versionOf,
  type XmlElement,
} from "../../src/cib/index.ts";
import { statusModel } from "../../src/cli/render/status-facts.ts";
import type { ResourceFacts, StatusModel } from "../../src/cli/render/status-model.ts";
import type { StatusReply } from "../../src/controller/index.ts";
import type { Placement, SceneCluster } from "./cluster.ts";

/** What a scenario makes true that is not true otherwise. */
export interface Allowances {
  /** Nodes that the scenario causes to be fenced. */
  readonly fencing: Set<string>;
  /** Lines of the logs at level error or worse that it explains. */
  readonly errors: RegExp[];
  /** Resources that may have failures, and a verdict other than NORMAL for them. */
  readonly failures: Set<string>;
  /** Causes that the verdict may tell. */
  readonly verdicts: RegExp[];
  /** Resources that need not be as the mix says. */
  readonly resources: Set<string>;
  /** Resources keep running where no daemon runs, or no quorum is: they are not managed. */
  unmanaged: boolean;
}

/** What all members said at one moment. */
interface Look {
  readonly replies: ReadonlyMap<string, StatusReply>;
  readonly cibs: ReadonlyMap<string, XmlElement>;
}

/** What is not as it has to be at rest, and a mark that changes whenever the cluster does something. */
export interface RestReport {
  readonly complaints: readonly string[];
  readonly mark: string;
}

/**
 * Looks at everything that holds whenever a cluster has nothing to do: members, one leader, idle, one configuration,
 * every resource where it belongs by its own files, and a status that says the same.
 */
export async function restReport(cluster: SceneCluster, allowed: Allowances): Promise<RestReport> {
  const complaints: string[] = leftovers(cluster, allowed);
  for (const name of cluster.booting) complaints.push(`${name} boots`);
  const up = [...cluster.expected].sort();
  complaints.push(...up.flatMap((name) => doubles(cluster, name)));
  if (up.length === 0) return { complaints, mark: "" };
  const replies = new Map<string, StatusReply>();
  await Promise.all(
    up.map(async (name) => {
      const reply = await cluster.status(name);
      if (reply) replies.set(name, reply);
      else complaints.push(`${name} does not answer`);
    }),
  );
  if (complaints.length > 0) return { complaints, mark: "" };
  const cibs = new Map([...replies].map(([name, { cib }]) => [name, parseXml(cib)]));
  const look = { replies, cibs };
  complaints.push(...membershipComplaints(cluster, look, up));
  // What the leader says counts only when it is the leader for all.
  if (complaints.length > 0) return { complaints, mark: "" };
  complaints.push(...cibComplaints(look));
  const leader = cluster.machineOf([...replies.values()][0]?.membership?.leader ?? "");
  const reply = replies.get(leader);
  const cib = cibs.get(leader);
  if (reply && cib) complaints.push(...resourceComplaints(cluster, reply, cib, allowed));
  return { complaints, mark: `${leader} ${cib ? formatVersion(versionOf(cib)) : ""}` };
}

/** A daemon has one process of each kind. */
const doubles = (cluster: SceneCluster, name: string): string[] =>
  (["ring", "manager", "executor"] as const).flatMap((part) => {
    const { length } = cluster.pidsOf(name, part);
    return length > 1 ? [`${length} processes are the ${part} of ${name}`] : [];
  });

/** Where no daemon shall run nothing runs. */
function leftovers(cluster: SceneCluster, allowed: Allowances): string[] {
  const placement = cluster.placement();
  return cluster.members
    .filter((name) => !cluster.expected.has(name))
    .flatMap((name) => {
      const left = cluster.leftOn([name]);
      const running = [...placement].filter(([, nodes]) => nodes.has(name)).map(([rsc]) => rsc);
      if (allowed.unmanaged) return [];
      return [
        ...(left === undefined ? [] : [`${name} is stopped, but there is ${left}`]),
        ...(running.length === 0 ? [] : [`${name} is stopped, but runs ${running.join(", ")}`]),
      ];
    });
}

function membershipComplaints(cluster: SceneCluster, { replies }: Look, up: readonly string[]): string[] {
  const complaints: string[] = [];
  const leaders = new Set<string>();
  const { length } = cluster.members;
  // Of two nodes one is enough, once both have been seen (two_node).
  const quorate = up.length * 2 > length || (length === 2 && up.length === 1);
  for (const [name, { membership, transition, fencing }] of replies) {
    const seen = (membership?.members ?? [])
      .filter(({ participates }) => participates)
      .map((member) => cluster.machineOf(member.name));
    if (seen.sort().join() !== up.join()) complaints.push(`${name} sees ${seen.join(", ")}`);
    if (membership?.quorate !== quorate) complaints.push(`${name} is ${quorate ? "not quorate" : "quorate"}`);
    const leader = membership?.leader;
    if (leader === undefined) complaints.push(`${name} knows no leader`);
    else leaders.add(leader);
    if (leader === cluster.nodeName(name) && transition?.state !== "idle")
      complaints.push(
        `the leader ${name} is ${transition?.state ?? "silent"}: ${transition?.actions.join(", ")}`,
      );
    for (const { target } of fencing.pending) complaints.push(`${name} still fences ${target}`);
  }
  if (leaders.size > 1) complaints.push(`leaders ${[...leaders].join(", ")}`);
  return complaints;
}

/** All members have the same configuration and status: version and content. */
function cibComplaints({ cibs }: Look): string[] {
  const [first, ...others] = [...cibs].map(([name, cib]) => ({
    name,
    version: formatVersion(versionOf(cib)),
    configuration: cibDigest(cib),
    status: canonical(child(cib, "status")),
  }));
  if (!first) return [];
  return others.flatMap((other) =>
    (["version", "configuration", "status"] as const)
      .filter((part) => first[part] !== other[part])
      .map(
        (part) =>
          `CIB: ${part} differs between ${first.name} and ${other.name}: ${difference(first[part], other[part])}`,
      ),
  );
}

/** A text that does not depend on the order of attributes and, in the status, of elements. */
function canonical(xml: XmlElement | undefined): string {
  if (!xml) return "";
  const attributes = [...xml.attributes].map(([name, value]) => `${name}=${value}`).sort();
  const inner = xml.children.map(canonical).sort();
  return `<${xml.name} ${attributes.join(" ")}>\n${inner.join("")}`;
}

/** The first line that only one of two texts has. */
function difference(one: string, other: string): string {
  const [a, b] = [one.split("\n"), other.split("\n")];
  const [onlyA, onlyB] = [a.find((line) => !b.includes(line)), b.find((line) => !a.includes(line))];
  return `${(onlyA ?? "nothing").slice(0, 200)} / ${(onlyB ?? "nothing").slice(0, 200)}`;
}

function resourceComplaints(
  cluster: SceneCluster,
  reply: StatusReply,
  cib: XmlElement,
  allowed: Allowances,
): string[] {
  const model = statusModel({ ...reply, cib });
  const placement = cluster.placement();
  if (!(reply.membership?.quorate ?? false)) {
    const running = [...placement].filter(([, nodes]) => nodes.size > 0).map(([rsc]) => rsc);
    return allowed.unmanaged || running.length === 0 ? [] : [`no quorum, but ${running.join(", ")} runs`];
  }
  const complaints = placementComplaints(cluster, model, placement, allowed);
  complaints.push(...statusComplaints(cluster, model, placement, allowed));
  for (const { rsc, task, node, rc } of model.failures)
    if (!allowed.failures.has(rsc)) complaints.push(`failure of ${rsc}: ${task} on ${node} gave ${rc}`);
  return complaints;
}

/** Every resource once, clones complete, groups whole and where they belong. */
function placementComplaints(
  cluster: SceneCluster,
  model: StatusModel,
  placement: Placement,
  allowed: Allowances,
): string[] {
  const complaints: string[] = [];
  const { mix } = cluster;
  const may = (rsc: string) => allowed.resources.has(rsc);
  const nodesOf = (rsc: string) => [...(placement.get(rsc)?.keys() ?? [])].sort();
  const usable = model.nodes.filter(({ state }) => state === "online");
  const members = usable.filter(({ kind }) => kind === "member").map(({ name }) => cluster.machineOf(name));
  const hosts = usable.filter(({ kind }) => kind === "remote").map(({ name }) => cluster.machineOf(name));
  for (const rsc of mix.singles) {
    const nodes = nodesOf(rsc);
    if (!may(rsc) && nodes.length !== 1) complaints.push(`${rsc} is on ${nodes.join(", ") || "no node"}`);
    if (!may(rsc) && nodes.some((node) => !members.includes(node)))
      complaints.push(`${rsc} is on ${nodes.join(", ")}, which shall be empty`);
  }
  for (const rsc of mix.clones) {
    const serving =
      rsc === mix.promotable.rsc ? hosts.filter((host) => mix.servingHosts.includes(host)) : hosts;
    const wanted = [...members, ...serving].sort();
    if (!may(rsc) && nodesOf(rsc).join() !== wanted.join())
      complaints.push(`${rsc} is on ${nodesOf(rsc).join(", ")}, not on ${wanted.join(", ")}`);
  }
  const promoted = cluster.promoted();
  const wanted = Math.min(mix.promotable.max, members.length);
  if (!may(mix.promotable.rsc) && promoted.length !== wanted)
    complaints.push(
      `${mix.promotable.rsc} is promoted on ${promoted.join(", ") || "no node"}, not on ${wanted}`,
    );
  if (mix.bundled) {
    const nodes = nodesOf(mix.bundled.rsc);
    const replicas = Math.min(mix.bundled.replicas, members.length);
    if (nodes.length !== replicas || nodes.some((node) => !members.includes(node)))
      complaints.push(`${mix.bundled.rsc} is on ${nodes.join(", ")}, wanted are ${replicas}`);
    const chosen = [...(placement.get(mix.bundled.rsc) ?? [])].filter(([, role]) => role === "promoted");
    if (chosen.length !== 1) complaints.push(`${mix.bundled.rsc} is promoted ${chosen.length} times`);
  }
  const [group, ...rest] = mix.withPromoted.filter((rsc) => !may(rsc)).map(nodesOf);
  if (group && rest.some((nodes) => nodes.join() !== group.join()))
    complaints.push("the group is not on one node");
  if (group?.some((node) => !promoted.includes(node)))
    complaints.push(`the group is on ${group.join(", ")}, promoted is ${promoted.join(", ")}`);
  return complaints;
}

/** What the cluster says is what the agents' files say. */
function statusComplaints(
  cluster: SceneCluster,
  model: StatusModel,
  placement: Placement,
  allowed: Allowances,
): string[] {
  const complaints: string[] = [];
  const said = new Map<string, string[]>();
  const walk = (resources: readonly ResourceFacts[]) => {
    for (const { id, kind, nodes, flags, children } of resources) {
      walk(children);
      if (kind !== "primitive") continue;
      const rsc = id.split(":")[0] ?? id;
      const names = nodes.map(({ node }) => cluster.machineOf(node));
      said.set(rsc, [...(said.get(rsc) ?? []), ...names].sort());
      if (flags.some((flag) => /orphan/i.test(flag))) complaints.push(`${id} is an orphan`);
    }
  };
  walk(model.resources);
  for (const rsc of [...cluster.mix.singles, ...cluster.mix.clones]) {
    const really = [...(placement.get(rsc)?.keys() ?? [])].sort();
    const told = said.get(rsc) ?? [];
    if (!allowed.resources.has(rsc) && told.join() !== really.join())
      complaints.push(`${rsc}: the status says ${told.join(", ")}, it is on ${really.join(", ")}`);
  }
  const whole = model.nodes.every(({ state }) => state === "online") && allowed.failures.size === 0;
  const { state, text } = model.verdict;
  const explained = allowed.verdicts.some((pattern) => pattern.test(text));
  if (whole && !explained && !allowed.unmanaged && state !== "NORMAL")
    complaints.push(`the verdict is ${state}: ${text}`);
  return complaints;
}
