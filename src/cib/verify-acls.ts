import { HactlError, nearest } from "../terms/index.ts";
import { isObjectId, literalsIn, permissionName } from "./acl/named-ids.ts";
import { permissionXpath } from "./acl/permissions.ts";
import { type CibProblem, problemAt } from "./references.ts";
import { child, childrenOf, type XmlElement } from "./xml.ts";
import { checkHolderXpath } from "./xpath.ts";

/**
 * Access rules whose path is not understood: whom they are for may do nothing at all. And those whose path names an
 * object that there is not: they deny nothing, or permit what somebody will call so one day.
 */
export function findAclProblems(configuration: XmlElement): CibProblem[] {
  const roles = childrenOf(child(configuration, "acls"), "acl_role");
  if (roles.length === 0) return [];
  const ids = idsIn(configuration);
  return roles.flatMap((role) =>
    childrenOf(role, "acl_permission").flatMap((permission) => [
      ...checkPath(role, permission),
      ...checkIds(role, permission, ids),
    ]),
  );
}

function checkPath(role: XmlElement, permission: XmlElement): CibProblem[] {
  try {
    checkHolderXpath(permissionXpath(permission) ?? "/");
    return [];
  } catch (error) {
    if (!(error instanceof HactlError)) throw error;
    const text = `role "${role.attributes.get("id")}": ${error.what}; while access rules are in force, nothing is permitted to whoever has it`;
    return [problemAt(permission, "warning", "ACL_XPATH", text, error.cure ?? "write a simpler path")];
  }
}

/** Elements that the cluster and its tools make and take away as they need them, so that a rule may wait for one. */
const passing: ReadonlySet<string> = new Set([
  "nvpair",
  "instance_attributes",
  "meta_attributes",
  "utilization",
  "cluster_property_set",
  "lrm_resources",
  "lrm_resource",
  "lrm_rsc_op",
]);

/** Ids of constraints that commands make (`resource move`, `ban`). */
const isMadeByCommand = (id: string): boolean => id.startsWith("cli-");

function checkIds(role: XmlElement, permission: XmlElement, ids: ReadonlySet<string>): CibProblem[] {
  const path = permission.attributes.get("xpath") ?? "";
  const unknown = literalsIn(path)
    .filter((literal) => literal.whole && isObjectId(literal) && !passing.has(literal.element))
    .flatMap(({ text, attribute }) => (attribute === "devices" ? text.split(",") : [text]))
    .filter((id) => !ids.has(id) && !isMadeByCommand(id));
  return [...new Set(unknown)].map((id) => {
    const near = nearest(id, ids);
    const text = `${permissionName(role, permission)} names "${id}", which does not exist: ${path}`;
    const cure = near === undefined ? "correct it, or remove the permission" : `did you mean "${near}"?`;
    return problemAt(permission, "warning", "ACL_UNKNOWN_ID", text, cure);
  });
}

function idsIn(configuration: XmlElement): Set<string> {
  const ids = new Set<string>();
  const visit = (at: XmlElement) => {
    const id = at.attributes.get("id");
    if (id !== undefined) ids.add(id);
    at.children.forEach(visit);
  };
  configuration.children.forEach(visit);
  return ids;
}
