import { HactlError } from "../terms/index.ts";
import { permissionXpath } from "./acl/permissions.ts";
import { type CibProblem, problemAt } from "./references.ts";
import { child, childrenOf, type XmlElement } from "./xml.ts";
import { checkHolderXpath } from "./xpath.ts";

/** Access rules whose path is not understood: whom they are for may do nothing at all. */
export function findAclProblems(configuration: XmlElement): CibProblem[] {
  return childrenOf(child(configuration, "acls"), "acl_role").flatMap((role) =>
    childrenOf(role, "acl_permission").flatMap((permission) => checkPath(role, permission)),
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
