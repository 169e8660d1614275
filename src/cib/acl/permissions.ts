import { type EpochSeconds, read } from "../../terms/index.ts";
import { indexById, plainValues, unpackNvpairs } from "../nvpairs.ts";
import { parseBoolean } from "../values.ts";
import { child, childrenOf, type XmlElement } from "../xml.ts";

/**
 * Somebody whose rights the access rules of the CIB decide. Who asks is found out by the daemon that is asked, never told
 * by who asks. root and hacluster of a cluster node are not limited, so they are nobody's asker.
 */
export interface Asker {
  /** Name of the user; of the remote node for what its root does. */
  readonly user: string;
  /** Names of the groups that the user is in. */
  readonly groups: readonly string[];
  /** A remote host, which is limited to what is its own also while access rules are not in force. */
  readonly host?: boolean | undefined;
}

/** Reads an asker as another manager names him. */
export const readAsker = read.shape<Asker>({
  user: read.name,
  groups: read.list(read.name, 100_000),
  host: read.maybe(read.flag),
});

/** One rule of a role: what it permits or denies, and for which elements and all that is in them. */
export interface Permission {
  readonly kind: "read" | "write" | "deny";
  readonly xpath: string;
  /** Id of the rule, for messages. */
  readonly id: string;
}

/** Whether the access rules are in force (`enable-acl`). */
export function aclsEnabled(cib: XmlElement, now: EpochSeconds): boolean {
  const config = child(child(cib, "configuration"), "crm_config");
  if (config === undefined) return false;
  const index = indexById(config);
  const options = { alwaysFirst: "cib-bootstrap-options", find: (id: string) => index.get(id) };
  const properties = plainValues(unpackNvpairs([config], "cluster_property_set", { now }, options));
  return parseBoolean(properties.get("enable-acl")) ?? false;
}

/**
 * The rules for a user: those of the roles of its `<acl_target>` and of every `<acl_group>` that it is in (Pacemaker
 * Explained, "ACL Targets and Groups"; `name` counts before `id`). None means that nothing is permitted.
 */
export function permissionsOf(cib: XmlElement, { user, groups }: Asker): Permission[] {
  const acls = child(child(cib, "configuration"), "acls");
  const name = ({ attributes }: XmlElement) => attributes.get("name") ?? attributes.get("id");
  const holders = [
    ...childrenOf(acls, "acl_target").filter((target) => name(target) === user),
    ...childrenOf(acls, "acl_group").filter((group) => groups.includes(name(group) ?? "")),
  ];
  const roles = new Set(
    holders.flatMap((holder) => childrenOf(holder, "role").map(({ attributes }) => attributes.get("id"))),
  );
  return childrenOf(acls, "acl_role")
    .filter(({ attributes }) => roles.has(attributes.get("id")))
    .flatMap((role) => childrenOf(role, "acl_permission").flatMap(toPermission));
}

/**
 * What a remote host may while access rules are not in force: see everything, and change its own attributes, those until
 * it leaves and those that stay. Agents need that; to manage the cluster from there is for rules to permit.
 */
export function permissionsOfHost(node: string): Permission[] {
  const read: Permission = { kind: "read", xpath: "/cib", id: "remote-read" };
  // No path can name it.
  if (node.includes("'") && node.includes('"')) return [read];
  const name = quote(node);
  const own = [
    `/cib/status/node_state[@uname=${name}]/transient_attributes`,
    `/cib/configuration/nodes/node[@uname=${name} and @id=${name} and @type='remote']`,
  ];
  return [read, ...own.map((xpath, i): Permission => ({ kind: "write", xpath, id: `remote-own-${i + 1}` }))];
}

/** The path of what a rule is for; undefined when it does not say. The schema lets a rule name one of the three. */
export function permissionXpath({ attributes }: XmlElement): string | undefined {
  const xpath = attributes.get("xpath");
  const reference = attributes.get("reference");
  const type = attributes.get("object-type");
  const attribute = attributes.get("attribute");
  if (xpath !== undefined) return xpath;
  if (reference === undefined && type === undefined) return undefined;
  const tests = [
    ...(reference === undefined ? [] : [`@id=${quote(reference)}`]),
    ...(attribute === undefined ? [] : [`@${attribute}`]),
  ];
  return `//${type ?? "*"}${tests.length === 0 ? "" : `[${tests.join(" and ")}]`}`;
}

function toPermission(element: XmlElement): Permission[] {
  const kind = element.attributes.get("kind");
  const xpath = permissionXpath(element);
  const id = element.attributes.get("id") ?? "";
  return xpath !== undefined && (kind === "read" || kind === "write" || kind === "deny")
    ? [{ kind, xpath, id }]
    : [];
}

const quote = (text: string) => (text.includes("'") ? `"${text}"` : `'${text}'`);
