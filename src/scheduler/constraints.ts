import { child, element, evaluateRules, type XmlElement } from "../cib/index.ts";
import { unpackColocation } from "./colocation-unpack.ts";
import { constraintResource, setsOf } from "./constraint-sets.ts";
import { unpackLocation } from "./location.ts";
import { unpackOrdering } from "./ordering-unpack.ts";
import { unpackTicketConstraint } from "./tickets.ts";
import type { Unpacker } from "./unpacker.ts";

/** Reads `<constraints>`. One whose lifetime is over, or has not begun, is left out. */
export function unpackConstraints(unpacker: Unpacker): void {
  const { cluster } = unpacker;
  const section = child(unpacker.configuration, "constraints");
  for (const source of section?.children ?? []) {
    const id = source.attributes.get("id");
    if (id === undefined) {
      cluster.error(`Ignoring <${source.name}> without id`);
      continue;
    }
    const lifetime = child(source, "lifetime");
    if (lifetime) {
      const result = evaluateRules(lifetime, { now: cluster.now, utcOffset: cluster.utcOffset });
      unpacker.noteRecheck(result.nextChange);
      if (!result.passed) continue;
    }
    switch (source.name) {
      case "rsc_location":
        for (const xml of expandTags(unpacker, source, ["rsc"])) unpackLocation(unpacker, xml);
        break;
      case "rsc_colocation":
        for (const xml of expandTags(unpacker, source, ["rsc", "with-rsc"])) unpackColocation(unpacker, xml);
        break;
      case "rsc_order":
        for (const xml of expandTags(unpacker, source, ["first", "then"])) unpackOrdering(unpacker, xml);
        break;
      case "rsc_ticket":
        for (const xml of expandTags(unpacker, source, ["rsc"])) unpackTicketConstraint(unpacker, xml);
        break;
      default:
        cluster.error(`Unsupported constraint <${source.name}>`, id);
    }
  }
}

/** Members of a tag, or the resources made from a template. */
function membersOfTag(unpacker: Unpacker, id: string): readonly string[] | undefined {
  const { cluster } = unpacker;
  return cluster.tags.get(id) ?? cluster.templates.get(id);
}

const roleAttributes: ReadonlyMap<string, string> = new Map([
  ["rsc", "rsc-role"],
  ["with-rsc", "with-rsc-role"],
  ["first", "first-action"],
  ["then", "then-action"],
]);

/**
 * Replaces tags and templates that a constraint names, or that its sets contain, by sets of the resources that
 * they stand for (Pacemaker Explained, "Tags", "Reusing Resource Definitions").
 */
function expandTags(unpacker: Unpacker, source: XmlElement, names: readonly string[]): XmlElement[] {
  const { cluster } = unpacker;
  const sets = setsOf(unpacker, source);
  if (sets.length > 0) {
    const expanded = sets.map((set) => expandSet(unpacker, set));
    const others = source.children.filter(({ name }) => name !== "resource_set");
    return [{ ...source, children: [...others, ...expanded] }];
  }
  const known = names.map((name) => source.attributes.get(name));
  const isTag = (id: string | undefined) =>
    id !== undefined && !constraintResource(cluster, id) && membersOfTag(unpacker, id) !== undefined;
  if (!known.some(isTag)) return [source];
  if (source.name === "rsc_colocation" && known.every(isTag)) {
    // Whom of the others each should be with is not said.
    const id = source.attributes.get("id") ?? "";
    cluster.error(`Ignoring constraint "${id}" because it colocates a tag or template with another one`, id);
    return [];
  }
  const attributes = new Map(source.attributes);
  const children: XmlElement[] = [];
  for (const [index, name] of names.entries()) {
    const id = known[index];
    if (id === undefined) continue;
    const members = isTag(id) ? (membersOfTag(unpacker, id) ?? []) : [id];
    const set = element("resource_set", { id, ...(isTag(id) ? { sequential: "false" } : {}) });
    set.children = members.map((member) => element("resource_ref", { id: member }));
    attributes.delete(name);
    const roleName = roleAttributes.get(name) ?? "";
    const own = source.name === "rsc_location" ? "role" : roleName;
    const role = attributes.get(own);
    if (role !== undefined) {
      set.attributes.set(own.endsWith("action") ? "action" : "role", role);
      attributes.delete(own);
    }
    children.push(set);
  }
  return [{ ...source, attributes, children: [...source.children, ...children] }];
}

function expandSet(unpacker: Unpacker, set: XmlElement): XmlElement {
  const { cluster } = unpacker;
  const children = set.children.flatMap((ref) => {
    const id = ref.attributes.get("id");
    if (ref.name !== "resource_ref" || id === undefined || constraintResource(cluster, id)) return [ref];
    const members = membersOfTag(unpacker, id);
    return members ? members.map((member) => element("resource_ref", { id: member })) : [ref];
  });
  return { ...set, children };
}
