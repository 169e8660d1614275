import type { XmlElement } from "../../../src/cib/index.ts";
import { every, type Feature, section } from "./wide.ts";

/** What schemas before 3.0 do not know. */
const newer: ReadonlySet<string> = new Set([
  "rsc_expression",
  "op_expression",
  "podman",
  "bundle",
  "template",
  "tag",
  "tags",
]);

/** The cluster as an older release would have stored it: masters, older names of roles, an older schema. */
export const oldSchema: Feature = (wide) => {
  const { cib, random } = wide;
  if ([...newer].some((name) => every(cib, name).length > 0)) return;
  cib.attributes.set(
    "validate-with",
    random.pick([
      "pacemaker-2.10",
      "pacemaker-2.5",
      "pacemaker-2.0",
      "pacemaker-1.3",
      "pacemaker-1.2",
      "pacemaker-1.0",
    ]),
  );
  every(cib, "op").forEach((op) => {
    if (op.attributes.get("on-fail") === "demote") op.attributes.set("on-fail", "restart");
  });
  for (const clone of every(section(wide, "resources"), "clone")) makeMaster(clone);
  rename(cib);
};

/** Masters were elements of their own; and limited how many instances are promoted by another name. */
function makeMaster(clone: XmlElement): void {
  const pairs = clone.children
    .filter(({ name }) => name === "meta_attributes")
    .flatMap(({ children }) => children);
  const promotable = pairs.find(({ attributes }) => attributes.get("name") === "promotable");
  if (promotable?.attributes.get("value") !== "true") return;
  clone.name = "master";
  for (const set of clone.children)
    if (set.name === "meta_attributes") set.children = set.children.filter((pair) => pair !== promotable);
  for (const { attributes } of pairs) {
    const name = attributes.get("name");
    if (name === "promoted-max" || name === "promoted-node-max")
      attributes.set("name", name.replace("promoted", "master"));
  }
}

/** Roles by their older names. */
function rename(root: XmlElement): void {
  for (const [name, value] of root.attributes) {
    if (value === "Promoted") root.attributes.set(name, "Master");
    if (value === "Unpromoted") root.attributes.set(name, "Slave");
  }
  for (const child of root.children) rename(child);
}
