import { child, element, type XmlElement } from "../xml.ts";
import type { Note } from "./notes.ts";

const kinds = new Set(["read", "write", "deny"]);

/** Access rules of schemas before 2.0: `<acl_user>` with `<role_ref>` or rules of its own, `<read ref=…>`. */
export function upgradeAcls(configuration: XmlElement, note: Note): void {
  const acls = child(configuration, "acls");
  if (!acls) return;
  acls.children = acls.children.flatMap((item) => {
    if (item.name === "acl_role") return [withPermissions(item, note)];
    return item.name === "acl_user" ? upgradeUser(item, note) : [item];
  });
}

function upgradeUser(user: XmlElement, note: Note): XmlElement[] {
  const id = user.attributes.get("id") ?? "";
  const roles = user.children
    .filter(({ name }) => name === "role_ref")
    .map((reference) => element("role", { id: reference.attributes.get("id") }));
  const own = user.children.filter(({ name }) => kinds.has(name));
  if (roles.length > 0 || own.length === 0) return [{ ...user, name: "acl_target", children: roles }];
  const role = element("acl_role", { id: `auto-${id}` }, own);
  return [
    { ...user, name: "acl_target", children: [element("role", { id: `auto-${id}` })] },
    withPermissions(role, note),
  ];
}

function withPermissions(role: XmlElement, note: Note): XmlElement {
  return {
    ...role,
    children: role.children.map((item) => (kinds.has(item.name) ? permission(item, note) : item)),
  };
}

function permission(rule: XmlElement, note: Note): XmlElement {
  const { attributes } = rule;
  const attribute = attributes.get("attribute");
  const reference = attributes.get("ref");
  const tag = attributes.get("tag");
  const xpath = attributes.get("xpath");
  if (reference !== undefined && attribute !== undefined)
    note(
      "warning",
      rule,
      "a rule on a reference cannot name an attribute any more: it now covers the whole element",
    );
  return element("acl_permission", {
    id: attributes.get("id"),
    kind: rule.name,
    reference,
    "object-type": reference === undefined ? tag : undefined,
    attribute: reference === undefined && tag !== undefined ? attribute : undefined,
    xpath:
      reference !== undefined || tag !== undefined
        ? undefined
        : attribute === undefined
          ? xpath
          : `${xpath ?? ""}[@${attribute}]`,
  });
}
