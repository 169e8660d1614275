import { CrmExit, HactlError } from "../terms/index.ts";
import { type Named, removeFromRole } from "./acl/named-ids.ts";
import { constraintNames } from "./resource-kinds.ts";
import { parseBoolean } from "./values.ts";
import { child, childrenOf, element, type XmlElement } from "./xml.ts";
import { selectHolders } from "./xpath.ts";

/** What stands for what is gone: a member that stays of a group or clone, nothing for anything else. */
export type Heirs = ReadonlyMap<string, Heir | undefined>;

/** Members that stay of a container. One inherits each constraint, the others nothing. */
export interface Heir {
  /** The first: what the container followed, the container's first member followed. */
  readonly id: string;
  /** The last of a group: what followed the group followed that one, which runs when all before it do. */
  readonly last: string;
  readonly members: readonly string[];
}

const idOf = ({ attributes }: XmlElement) => attributes.get("id") ?? "";

/**
 * Takes out of a configuration what names something that is gone. @param named the ids of that and of all that was in it,
 * and the names of nodes @returns what was changed, for people
 */
export function withoutReferences(configuration: XmlElement, heirs: Heirs, named: Named): string[] {
  return [
    ...fromConstraints(child(configuration, "constraints"), heirs),
    ...fromTags(child(configuration, "tags"), heirs),
    ...fromAcls(configuration, heirs, named),
    ...fromLevels(child(configuration, "fencing-topology"), heirs),
  ];
}

function fromConstraints(section: XmlElement | undefined, heirs: Heirs): string[] {
  if (!section) return [];
  const remarks: string[] = [];
  section.children = section.children.filter((constraint) => {
    const changes = [...follow(constraint, heirs), ...leaveSets(constraint, heirs)];
    if (changes.length === 0) return true;
    const stays = !isPointless(constraint);
    remarks.push(
      stays
        ? `constraint ${idOf(constraint)} ${changes.join(", ")}`
        : `constraint ${idOf(constraint)} is removed, too`,
    );
    return stays;
  });
  return remarks;
}

/** Sides of a constraint that something else follows: it waited for the whole group, or was placed by where all of it is. */
const followed: ReadonlySet<string> = new Set(["first", "with-rsc"]);

/**
 * A constraint of a container is from now on one of its first member; of a group's last where something else follows it,
 * since only when that one runs all of the group does.
 */
function follow(constraint: XmlElement, heirs: Heirs): string[] {
  const changes: string[] = [];
  for (const name of constraintNames) {
    const rsc = constraint.attributes.get(name);
    if (rsc === undefined || !heirs.has(rsc)) continue;
    const heir = heirs.get(rsc);
    if (heir === undefined) constraint.attributes.delete(name);
    const one = followed.has(name) ? heir?.last : heir?.id;
    if (one !== undefined) constraint.attributes.set(name, one);
    const others = (heir?.members ?? []).filter((id) => id !== one);
    changes.push(
      `names ${one ?? "nothing"} in place of ${rsc}${others.length === 0 ? "" : ` and no longer holds for ${others.join(", ")}`}`,
    );
  }
  return changes;
}

/** Who is gone leaves the sets; a set without anybody goes; two that are left need no set. */
function leaveSets(constraint: XmlElement, heirs: Heirs): string[] {
  const left: string[] = [];
  for (const set of childrenOf(constraint, "resource_set"))
    set.children = set.children.filter((reference) => {
      if (reference.name !== "resource_ref" || !heirs.has(idOf(reference))) return true;
      left.push(idOf(reference));
      return false;
    });
  if (left.length === 0) return [];
  constraint.children = constraint.children.filter(
    ({ name, children }) => name !== "resource_set" || children.length > 0,
  );
  simplify(constraint);
  return [`does not name ${left.join(", ")} any more`];
}

/** Whether a constraint is about too few resources to say anything. */
function isPointless(constraint: XmlElement): boolean {
  const sets = childrenOf(constraint, "resource_set");
  const wanted = constraint.name === "rsc_location" || constraint.name === "rsc_ticket" ? 1 : 2;
  if (sets.length > 0) return sets.flatMap(({ children }) => children).length < wanted;
  const named = constraintNames.flatMap((name) => constraint.attributes.get(name) ?? []);
  return new Set(named).size < wanted && !constraint.attributes.has("rsc-pattern");
}

/** Attributes that a set has when it says nothing that a plain constraint could not say. */
const plainAttributes = new Set(["id", "sequential", "role", "action"]);

/**
 * A colocation or an order with two resources in all as a plain one. In a set of a colocation the second is placed by the
 * first, while a set is placed by the one after it (Pacemaker Explained, "Colocation Sets").
 */
function simplify(constraint: XmlElement): void {
  const sets = childrenOf(constraint, "resource_set");
  const parts = sets.flatMap((set) => set.children.map((reference) => ({ id: idOf(reference), set })));
  const [one, two] = parts;
  const isPlain = sets.every(
    ({ attributes, children }) =>
      [...attributes.keys()].every((name) => plainAttributes.has(name)) &&
      (children.length < 2 || (parseBoolean(attributes.get("sequential")) ?? true)),
  );
  if (parts.length !== 2 || !one || !two || !isPlain) return;
  const plain = element(constraint.name);
  const set = (name: string, value: string | undefined) => {
    if (value !== undefined) plain.attributes.set(name, value);
  };
  if (constraint.name === "rsc_colocation") {
    const [dependent, leader] = sets.length === 1 ? [two, one] : [one, two];
    set("rsc", dependent.id);
    set("rsc-role", dependent.set.attributes.get("role"));
    set("with-rsc", leader.id);
    set("with-rsc-role", leader.set.attributes.get("role"));
  } else if (constraint.name === "rsc_order") {
    set("first", one.id);
    set("first-action", one.set.attributes.get("action"));
    set("then", two.id);
    set("then-action", two.set.attributes.get("action"));
  } else return;
  constraint.children = constraint.children.filter(({ name }) => name !== "resource_set");
  for (const [name, value] of plain.attributes) constraint.attributes.set(name, value);
}

function fromTags(section: XmlElement | undefined, heirs: Heirs): string[] {
  if (!section) return [];
  const remarks: string[] = [];
  section.children = section.children.filter((tag) => {
    const before = tag.children.length;
    tag.children = tag.children.filter(({ name, attributes }) => {
      const id = attributes.get("id");
      return name !== "obj_ref" || id === undefined || !heirs.has(id);
    });
    if (tag.children.length === before) return true;
    const stays = tag.children.length > 0;
    remarks.push(stays ? `tag ${idOf(tag)} is shorter` : `tag ${idOf(tag)} is removed, too`);
    return stays;
  });
  return remarks;
}

/** Permissions for what is gone, and roles that are gone. */
function fromAcls(configuration: XmlElement, heirs: Heirs, named: Named): string[] {
  const root = element("cib", {}, [configuration]);
  const finds = (xpath: string) => {
    try {
      return selectHolders(root, xpath).length > 0;
    } catch (error) {
      // What takes too long to follow is left to whoever wrote it.
      if (error instanceof HactlError) return true;
      throw error;
    }
  };
  return (child(configuration, "acls")?.children ?? []).flatMap((entry) => {
    if (entry.name === "acl_role") return removeFromRole(entry, named, finds);
    const gone = childrenOf(entry, "role").filter((role) => heirs.has(idOf(role)));
    entry.children = entry.children.filter((item) => !gone.includes(item));
    return gone.map((role) => `${idOf(entry)} does not have role ${idOf(role)} any more`);
  });
}

/** A level without its only device goes. One of several devices is needed by the others: without it they prove less. */
function fromLevels(section: XmlElement | undefined, heirs: Heirs): string[] {
  if (!section) return [];
  const remarks: string[] = [];
  section.children = section.children.filter((level) => {
    const devices = (level.attributes.get("devices") ?? "").split(",").map((device) => device.trim());
    const left = devices.filter((device) => !heirs.has(device));
    if (left.length === devices.length) return true;
    if (left.length > 0)
      throw new HactlError({
        code: "IN_USE",
        what: `fencing level ${idOf(level)} needs all of ${devices.join(", ")}: the others alone would not prove that a node is down`,
        where: { id: idOf(level) },
        cure: `change the level first (fencing_topology), or remove it: hactl configure delete ${idOf(level)}`,
        exit: CrmExit.CONFIG,
      });
    remarks.push(`fencing level ${idOf(level)} is removed, too`);
    return false;
  });
  return remarks;
}
