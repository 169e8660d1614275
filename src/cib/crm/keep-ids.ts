import { lookup } from "../../terms/index.ts";
import { resourceKinds } from "../resource-kinds.ts";
import type { XmlElement } from "../xml.ts";

/** What parts of an object are told apart by, besides their order; others by their order alone. */
const marks: Readonly<Record<string, readonly string[]>> = lookup({
  nvpair: ["name"],
  op: ["name", "interval", "role"],
  rule: ["score", "score-attribute", "role"],
  expression: ["attribute", "operation", "value"],
  date_expression: ["operation"],
  acl_permission: ["kind", "xpath", "reference", "object-type", "attribute"],
  recipient: ["value"],
  "fencing-level": ["target", "target-pattern", "target-attribute", "target-value", "index", "devices"],
});
/** Their ids name something else. */
const referring = new Set(["resource_ref", "obj_ref", "crm:member", "role"]);

/**
 * An object that takes the place of another keeps the ids of those of its parts that stay and have none in the text: others may
 * refer to them (`$id-ref`), and less of the configuration changes.
 */
export function keepIds(present: XmlElement, replacement: XmlElement): void {
  const taken = new Set(replacement.children.flatMap(({ attributes }) => attributes.get("id") ?? []));
  const left = present.children.filter(
    ({ name, attributes }) => !resourceKinds.has(name) && !taken.has(attributes.get("id") ?? ""),
  );
  for (const item of replacement.children) {
    if (referring.has(item.name) || resourceKinds.has(item.name) || item.attributes.has("id-ref")) continue;
    const own = item.attributes.get("id");
    const same =
      own === undefined
        ? left.find((other) => isSame(other, item))
        : present.children.find((other) => other.name === item.name && other.attributes.get("id") === own);
    if (same === undefined) continue;
    if (left.includes(same)) left.splice(left.indexOf(same), 1);
    const id = same.attributes.get("id");
    if (own === undefined && id !== undefined) item.attributes.set("id", id);
    keepIds(same, item);
  }
}

const isSame = (present: XmlElement, item: XmlElement): boolean =>
  present.name === item.name &&
  (marks[item.name] ?? []).every((name) => present.attributes.get(name) === item.attributes.get(name));
