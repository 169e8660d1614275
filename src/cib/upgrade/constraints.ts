import { parseBoolean } from "../values.ts";
import { child, type XmlElement } from "../xml.ts";
import type { Note } from "./notes.ts";
import { modernRoles, renameAttributes } from "./nvsets.ts";

/** Location, colocation, order and ticket constraints, and the rules in them. */
export function upgradeConstraints(configuration: XmlElement, note: Note): void {
  const constraints = child(configuration, "constraints");
  for (const constraint of constraints?.children ?? []) {
    switch (constraint.name) {
      case "rsc_colocation":
        upgradeColocation(constraint, note);
        break;
      case "rsc_order":
        upgradeOrder(constraint);
        break;
      case "rsc_location":
        modernRoles(constraint, "role");
        break;
      case "rsc_ticket":
        modernRoles(constraint, "rsc-role");
        break;
    }
    for (const item of constraint.children) if (item.name === "resource_set") modernRoles(item, "role");
  }
  upgradeRules(configuration);
  normaliseBooleans(configuration);
}

const booleans = ["symmetrical", "sequential", "require-all", "enabled", "record-pending", "add-host"];

/** The schema takes only `true` and `false` where Pacemaker takes `yes` and `on` too. */
function normaliseBooleans(parent: XmlElement): void {
  for (const item of parent.children) {
    for (const name of booleans) {
      const value = parseBoolean(item.attributes.get(name));
      if (value !== undefined) item.attributes.set(name, String(value));
    }
    normaliseBooleans(item);
  }
}

/** Rules are everywhere: in constraints, in blocks of values, in other rules. */
function upgradeRules(parent: XmlElement): void {
  for (const item of parent.children) {
    if (item.name === "rule") {
      renameAttributes(item, { boolean_op: "boolean-op", score_attribute: "score-attribute" });
      modernRoles(item, "role");
    }
    if (item.children.length > 0) upgradeRules(item);
  }
}

function upgradeColocation(constraint: XmlElement, note: Note): void {
  // Before 1.0: "from" is placed with "to".
  renameAttributes(constraint, {
    from: "rsc",
    to: "with-rsc",
    from_role: "rsc-role",
    to_role: "with-rsc-role",
    node_attribute: "node-attribute",
  });
  for (const name of ["score-attribute", "score-attribute-mangle"]) {
    if (constraint.attributes.delete(name))
      note("info", constraint, `"${name}" never had an effect and is dropped`);
  }
  modernRoles(constraint, "rsc-role", "with-rsc-role");
}

/** Before 1.0: "from" is after "to", unless the type is "before". */
function upgradeOrder(constraint: XmlElement): void {
  const { attributes } = constraint;
  if (!attributes.has("from") || !attributes.has("to")) return;
  const before = attributes.get("type") === "before";
  attributes.delete("type");
  renameAttributes(
    constraint,
    before
      ? { from: "first", to: "then", action: "first-action", to_action: "then-action" }
      : { from: "then", to: "first", action: "then-action", to_action: "first-action" },
  );
}
