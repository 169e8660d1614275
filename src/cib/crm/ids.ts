import type { XmlElement } from "../xml.ts";

/** Elements whose `id` names another element or something outside, and so need not be unique. */
const referring = new Set([
  "resource_ref",
  "obj_ref",
  "crm:member",
  "crmsh-ref",
  "node",
  "acl_target",
  "acl_group",
]);

/** Whether an element's id is its own and unique in the configuration. */
export function ownsId(source: XmlElement, parent: XmlElement | undefined): boolean {
  if (referring.has(source.name)) return false;
  return source.name !== "role" || (parent?.name !== "acl_target" && parent?.name !== "acl_group");
}

/**
 * Gives ids to all elements of a configuration that need one and have none, by the rules that the crm shell follows:
 * `RSC-instance_attributes`, `BLOCK-NAME`, `RSC-OP-INTERVAL`, `CONSTRAINT-rule`, `RULE-expression`, `CONSTRAINT-0`, …
 */
export function assignIds(configuration: XmlElement): void {
  const taken = new Set<string>();
  const collect = (source: XmlElement, parent?: XmlElement) => {
    const id = source.attributes.get("id");
    if (id !== undefined && ownsId(source, parent)) taken.add(id);
    for (const item of source.children) collect(item, source);
  };
  collect(configuration);
  const next = new Map<string, number>();
  const unique = (base: string, first?: number): string => {
    const clean = base.replace(/[^\w.-]/g, "_").replace(/^(?=[^A-Za-z_])/, "id-");
    const start = first ?? -1;
    // Ids are never given back: the search goes on where the one before it ended.
    const key = `${start}/${clean}`;
    for (let number = next.get(key) ?? start; ; number++) {
      const id = number < (first ?? 0) ? clean : `${clean}-${number}`;
      if (taken.has(id)) continue;
      taken.add(id);
      next.set(key, number + 1);
      return id;
    }
  };
  const visit = (source: XmlElement, key: string) => {
    for (const item of source.children) {
      const [base, first] = idBase(item, source, key) ?? [];
      if (base !== undefined && !item.attributes.has("id") && !item.attributes.has("id-ref"))
        item.attributes.set("id", unique(base, first));
      visit(item, keyOf(item, key));
    }
  };
  visit(configuration, "");
}

/** What the ids of the children begin with. */
function keyOf(source: XmlElement, key: string): string {
  if (source.name === "node") return source.attributes.get("uname") ?? key;
  return source.attributes.get("id") ?? key;
}

/** Beginning of an element's id, and the first number behind it where there is always one. */
function idBase(
  source: XmlElement,
  parent: XmlElement,
  key: string,
): [base: string, first?: number] | undefined {
  const get = (name: string) => source.attributes.get(name) ?? "";
  switch (source.name) {
    case "instance_attributes":
    case "meta_attributes":
    case "utilization":
    case "cluster_property_set":
      return [`${key === "" ? parent.name : key}-${source.name}`];
    case "nvpair":
      return [`${key}-${get("name")}`];
    case "rule":
      return [`${key}-rule`];
    case "expression":
    case "date_expression":
    case "rsc_expression":
    case "op_expression":
      return [`${key}-expression`];
    case "duration":
    case "date_spec":
      return [`${key}-${source.name}`];
    case "op":
      return [`${key}-${get("name")}-${get("interval")}`];
    case "resource_set":
    case "port-mapping":
    case "storage-mapping":
    case "acl_permission":
    case "attribute":
      return [key, 0];
    case "recipient":
      return [`${key}-recipient`, 1];
    case "fencing-level":
      return ["fencing"];
    default:
      return undefined;
  }
}
