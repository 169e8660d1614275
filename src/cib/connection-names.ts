import { type CibProblem, problemAt } from "./references.ts";
import { parseInteger } from "./values.ts";
import { child, childrenOf, type XmlElement } from "./xml.ts";

/** Whether a primitive, or a template of some, is the connection to a remote node. */
export const isRemote = ({ attributes }: XmlElement): boolean =>
  attributes.get("class")?.toLowerCase() === "ocf" &&
  attributes.get("provider")?.toLowerCase() === "pacemaker" &&
  attributes.get("type") === "remote";

const containers: ReadonlySet<string> = new Set(["docker", "podman", "rkt"]);

/** The container of a bundle that makes nodes: of one in which something runs. */
export const bundleContainer = (bundle: XmlElement): string | undefined =>
  child(bundle, "primitive") && bundle.children.find(({ name }) => containers.has(name))?.name;

/** As many as a bundle's container asks for; without a number as many as may be promoted. */
export function bundleReplicas(bundle: XmlElement): number {
  for (const { attributes } of bundle.children) {
    const wanted = ["replicas", "promoted-max", "masters"]
      .map((name) => parseInteger(attributes.get(name)))
      .find((count) => count !== undefined);
    if (wanted !== undefined) return Math.max(wanted, 1);
  }
  return 1;
}

/** A connection that goes by the name of a member of the cluster. */
export interface MemberConnection {
  /** The primitive of a remote host, the pair that names a guest, or the bundle. */
  readonly source: XmlElement;
  /** The resource. */
  readonly id: string;
  readonly member: string;
  /** What is wrong, in words. */
  readonly text: string;
}

/**
 * Connections to remote hosts, guests (`remote-node`) and replicas of bundles with the name, or the id, of a member of the
 * cluster: what is known of the one would be taken for what is known of the other, and the member be fenced, or
 * stopped, for what its namesake has failed in. Small and capital letters are the same in names of nodes. What is noted of
 * remote nodes stands among the nodes, too.
 */
export function connectionsToMembers(configuration: XmlElement | undefined): MemberConnection[] {
  const resources = child(configuration, "resources");
  const members = membersByWord(configuration);
  if (!resources || members.size === 0) return [];
  const templates = new Set(childrenOf(resources, "template").filter(isRemote).map(idOf));
  const found: MemberConnection[] = [];
  const take = (node: string, source: XmlElement, id: string, what: string) => {
    const member = members.get(node.toLowerCase());
    if (member === undefined) return;
    const whose =
      node === member
        ? "but a node of the cluster has that name"
        : `but that is the name or the id of node ${member} of the cluster`;
    found.push({ source, id, member, text: `${what}, ${whose}` });
  };
  const visit = (at: XmlElement): void => {
    const id = idOf(at);
    if (at.name === "template") return;
    if (at.name === "bundle" && bundleContainer(at) !== undefined)
      for (const word of members.keys())
        if (isReplica(word, id.toLowerCase(), bundleReplicas(at)))
          take(word, at, id, `bundle "${id}" makes node ${word}`);
    if (at.name !== "primitive") return at.children.forEach(visit);
    if (isRemote(at) || templates.has(at.attributes.get("template") ?? ""))
      take(id, at, id, `"${id}" connects a remote node of its name`);
    for (const set of childrenOf(at, "meta_attributes"))
      for (const pair of childrenOf(set, "nvpair"))
        if (pair.attributes.get("name") === "remote-node") {
          const guest = pair.attributes.get("value") ?? "";
          take(guest, pair, id, `remote-node of resource "${id}" makes a guest node ${guest}`);
        }
  };
  resources.children.forEach(visit);
  return found;
}

/** Whether a bundle that is called so has a replica whose node is called so. */
const isReplica = (node: string, bundle: string, replicas: number): boolean =>
  node.startsWith(`${bundle}-`) &&
  /^(?:0|[1-9]\d*)$/.test(node.slice(bundle.length + 1)) &&
  Number(node.slice(bundle.length + 1)) < replicas;

/** Names of members by all that they are called by, in small letters. */
function membersByWord(configuration: XmlElement | undefined): ReadonlyMap<string, string> {
  const words = new Map<string, string>();
  for (const { attributes } of childrenOf(child(configuration, "nodes"), "node")) {
    if (attributes.get("type")?.toLowerCase() === "remote") continue;
    const { id, uname = id } = Object.fromEntries(attributes);
    for (const word of [id, uname]) if (word && uname) words.set(word.toLowerCase(), uname);
  }
  return words;
}

/** The same as a mistake: the cluster takes no such configuration, and does nothing with such a connection if it has one. */
export const memberConnectionProblem = ({ source, text }: MemberConnection): CibProblem =>
  problemAt(
    source,
    "error",
    "NAME_TAKEN",
    text,
    source.name === "bundle"
      ? "give the bundle another name"
      : "give the remote node a name of its own; an entry of a remote node among the nodes has type=remote",
  );

const idOf = ({ attributes }: XmlElement): string => attributes.get("id") ?? "";
