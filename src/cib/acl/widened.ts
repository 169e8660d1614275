import { HactlError, lookup } from "../../terms/index.ts";
import type { CibProblem } from "../references.ts";
import { child, childrenOf, type XmlElement } from "../xml.ts";
import { selectHolders } from "../xpath.ts";
import { pathAfterRename, permissionName } from "./named-ids.ts";
import { permissionXpath } from "./permissions.ts";

/** An object that a change gives another id. */
export interface Renaming {
  readonly from: string;
  readonly to: string;
}

/** A permission, and the path that it is for. */
interface Rule {
  readonly kind: "read" | "write" | "deny";
  readonly path: string;
  readonly name: string;
}

/**
 * Objects from which a change takes a deny although it leaves the rule as it is: one that named them by what they are in,
 * by where they are or by a part of their id. Whoever has the role would see from then on what was kept from him. Rules
 * that the change itself takes away or writes anew are meant so, and what it makes anew was kept from nobody.
 */
export function findLiftedDenies(before: XmlElement, after: XmlElement, renamed?: Renaming): CibProblem[] {
  const newRoles = new Map(rolesOf(after).map((role) => [role.attributes.get("id"), role]));
  return rolesOf(before).flatMap((role) => {
    const same = newRoles.get(role.attributes.get("id"));
    return same === undefined ? [] : liftedOf(role, same, { before, after, renamed });
  });
}

/** Whether any role denies something. */
export const denies = (cib: XmlElement): boolean =>
  rolesOf(cib).some((role) => rulesOf(role).some(({ kind }) => kind === "deny"));

const rolesOf = (cib: XmlElement) => childrenOf(child(child(cib, "configuration"), "acls"), "acl_role");

interface Change {
  readonly before: XmlElement;
  readonly after: XmlElement;
  readonly renamed: Renaming | undefined;
}

function liftedOf(
  oldRole: XmlElement,
  newRole: XmlElement,
  { before, after, renamed }: Change,
): CibProblem[] {
  const now = (path: string) =>
    renamed === undefined ? path : pathAfterRename(path, renamed.from, renamed.to);
  const newRules = rulesOf(newRole);
  const isKept = (rule: Rule) =>
    newRules.some(({ kind, path }) => kind === rule.kind && path === now(rule.path));
  const kept = rulesOf(oldRole).filter(isKept);
  if (!kept.some(({ kind }) => kind === "deny")) return [];
  const was = ruledIn(before, kept);
  const is = ruledIn(
    after,
    kept.map((rule) => ({ ...rule, path: now(rule.path) })),
  );
  const oldKey = (key: string) => (key === renamed?.to ? renamed.from : key);
  const isLifted = (key: string) =>
    was.get(oldKey(key))?.rule?.kind === "deny" && is.get(key)?.rule?.kind !== "deny";
  const lifted = [...is].filter(
    ([key, { around }]) => isLifted(key) && !(around !== undefined && isLifted(around)),
  );
  return kept.flatMap((rule) => {
    const keys = lifted.map(([key]) => key).filter((key) => was.get(oldKey(key))?.rule === rule);
    if (keys.length === 0) return [];
    const id = newRole.attributes.get("id") ?? "";
    const text = `${rule.name} does not cover ${keys.join(", ")} any more: ${now(rule.path)}; whoever has the role ${id} is no longer kept from it`;
    return [{ level: "error", code: "ACL_LIFTED", text, id, cure: "change the role first" }];
  });
}

const kinds: Readonly<Record<string, Rule["kind"]>> = lookup({ read: "read", write: "write", deny: "deny" });

function rulesOf(role: XmlElement): Rule[] {
  return childrenOf(role, "acl_permission").flatMap((permission) => {
    const kind = kinds[permission.attributes.get("kind") ?? ""];
    const path = permissionXpath(permission);
    return kind === undefined || path === undefined
      ? []
      : [{ kind, path, name: permissionName(role, permission) }];
  });
}

/** An object: the rule that counts for it, and the object that it is in. */
interface Ruled {
  readonly rule: Rule | undefined;
  readonly around: string | undefined;
}

const rank = lookup({ read: 0, write: 1, deny: 2 } as const);

/** The rule that counts for each object of a configuration, by its id: the nearest, as for `markTree`. */
function ruledIn(cib: XmlElement, rules: readonly Rule[]): Map<string, Ruled> {
  const marks = new Map<XmlElement, Rule>();
  for (const rule of rules)
    for (const found of holders(cib, rule.path)) {
      const known = marks.get(found);
      if (known === undefined || rank[rule.kind] > rank[known.kind]) marks.set(found, rule);
    }
  const objects = new Map<string, Ruled>();
  const visit = (at: XmlElement, outside: Rule | undefined, around: string | undefined) => {
    const rule = marks.get(at) ?? outside;
    const id = referring.has(at.name) ? undefined : at.attributes.get("id");
    const key = id === undefined || at.name !== "node" ? id : `node ${at.attributes.get("uname") ?? id}`;
    if (key !== undefined) objects.set(key, { rule, around });
    // What is in the status comes and goes by itself; what a path looks at may be there.
    for (const item of at.children)
      if (at !== cib || item.name === "configuration") visit(item, rule, key ?? around);
  };
  visit(cib, undefined, undefined);
  return objects;
}

/** Elements whose id is that of another. */
const referring: ReadonlySet<string> = new Set(["resource_ref", "obj_ref", "role"]);

/** What a path is for; nothing when it is not understood: then the role permits nothing at all (`markTree`). */
function holders(root: XmlElement, path: string): XmlElement[] {
  try {
    return selectHolders(root, path);
  } catch (error) {
    if (error instanceof HactlError) return [];
    throw error;
  }
}
