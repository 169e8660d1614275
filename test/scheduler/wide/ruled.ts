import { element, type XmlElement } from "../../../src/cib/index.ts";
import type { Random } from "../../sim/random.ts";
import { nvset } from "../nvset.ts";
import { conditions, dateExpression, nodeExpression, operator } from "./rules.ts";
import {
  every,
  type Feature,
  idOf,
  isFencing,
  nodeStates,
  operationsOf,
  primitivesOf,
  section,
  transientOf,
  type Wide,
} from "./wide.ts";

type Make = (random: Random, id: string) => XmlElement;

/** A set of values that a rule decides about. */
function ruled(
  random: Random,
  kind: string,
  id: string,
  make: Make,
  pairs: readonly (readonly [string, string])[],
): XmlElement[] {
  const [set] = nvset(kind, id, pairs);
  if (!set) return [];
  if (random.chance(0.7)) set.attributes.set("score", random.pick(["5", "-3", "INFINITY", "0"]));
  set.children.unshift(
    element(
      "rule",
      { id: `${id}-rule`, score: "0", "boolean-op": operator(random) },
      conditions(random, `${id}-e`, make),
    ),
  );
  return [set];
}

const either: Make = (random, id) => (random.chance(0.5) ? dateExpression : nodeExpression)(random, id);

/** Constraints that hold for some time only. */
export const lifetimes: Feature = (wide) => {
  const { random } = wide;
  for (const constraint of section(wide, "constraints").children) {
    if (constraint.name === "rsc_ticket" || !random.chance(0.4)) continue;
    const id = `${idOf(constraint)}-life`;
    const rules = Array.from({ length: random.chance(0.2) ? 2 : 1 }, (_, at) =>
      element(
        "rule",
        { id: `${id}${at}`, score: "0", "boolean-op": operator(random) },
        conditions(random, `${id}${at}-e`, dateExpression),
      ),
    );
    // The schema wants it behind the rules of a location, but before the sets of the others.
    const at = constraint.name === "rsc_location" ? constraint.children.length : 0;
    constraint.children.splice(at, 0, element("lifetime", {}, rules));
  }
};

/** Attributes and capacities of nodes, and needs of resources, that rules decide about. */
export const ruledAttributes: Feature = (wide) => {
  const { random } = wide;
  for (const node of every(section(wide, "nodes"), "node")) {
    const id = idOf(node);
    if (random.chance(0.5))
      node.children.push(
        ...ruled(random, "instance_attributes", `node${id}-ruled`, dateExpression, [
          random.pick([
            ["standby", "on"],
            ["rack", "a"],
            ["maintenance", "true"],
            ["load", "5"],
          ] as const),
        ]),
      );
    if (random.chance(0.3))
      node.children.push(...ruled(random, "utilization", `node${id}-room`, dateExpression, [["cpu", "9"]]));
  }
  for (const state of nodeStates(wide)) {
    const transient = transientOf(state);
    if (transient && random.chance(0.15))
      transient.children.push(
        ...ruled(random, "instance_attributes", `state${idOf(state)}-ruled`, dateExpression, [["rack", "b"]]),
      );
  }
  for (const primitive of primitivesOf(wide))
    if (!isFencing(primitive) && random.chance(0.25))
      primitive.children.push(
        ...ruled(random, "utilization", `${idOf(primitive)}-need`, dateExpression, [
          ["cpu", random.pick(["1", "3", "20"])],
        ]),
      );
};

/** Parameters that depend on the node and the time, of resources and of their operations. */
export const ruledParameters: Feature = (wide) => {
  const { random } = wide;
  for (const primitive of primitivesOf(wide)) {
    if (isFencing(primitive) || !random.chance(0.4)) continue;
    const id = idOf(primitive);
    primitive.children.push(
      ...ruled(random, "instance_attributes", `${id}-param`, either, [["fake", random.pick(["x", "y"])]]),
    );
    if (random.chance(0.4))
      primitive.children.push(...nvset("instance_attributes", `${id}-param-else`, [["fake", "z"]]));
    for (const op of operationsOf(primitive))
      if (random.chance(0.3))
        op.children.push(
          ...ruled(random, "instance_attributes", `${idOf(op)}-param`, either, [["OCF_CHECK_LEVEL", "10"]]),
        );
  }
};

/** Private parameters, which histories keep digests without. */
export const privateParameters: Feature = (wide) => {
  const { random } = wide;
  for (const primitive of primitivesOf(wide)) {
    if (isFencing(primitive) || !random.chance(0.4)) continue;
    const id = idOf(primitive);
    primitive.children.push(
      ...nvset("instance_attributes", `${id}-private`, [["passwd", random.pick(["secret", "other"])]]),
    );
    for (const entry of every(wide.cib, "lrm_resource")) {
      if (idOf(entry).replace(/:\d+$/, "") !== id) continue;
      for (const op of entry.children) {
        op.attributes.set("op-secure-params", " passwd ");
        op.attributes.set("op-secure-digest", random.pick(["f2317cad3d54cec5d7d7aa7d0bf35cf8", "0000"]));
      }
    }
  }
};

/** Failures of what is in a container that restart the container; and other ends of failures beside them. */
export const containers: Feature = (wide) => {
  const { random } = wide;
  const inside = [
    ...every(section(wide, "resources"), "bundle").flatMap((bundle) => every(bundle, "primitive")),
    ...contained(wide),
  ];
  for (const primitive of inside)
    for (const op of operationsOf(primitive))
      if (random.chance(0.6))
        op.attributes.set(
          "on-fail",
          random.pick(["restart-container", "restart-container", "standby", "block"]),
        );
};

/** Makes some resources run inside others by the meta attribute `container`, as older releases could. */
function contained(wide: Wide): XmlElement[] {
  const { random, sketch } = wide;
  const single = new Set(sketch.instances.filter(({ copies }) => copies === 1).map(({ id }) => id));
  const candidates = primitivesOf(wide).filter((each) => !isFencing(each) && single.has(idOf(each)));
  const [host, ...rest] = random.shuffle(candidates);
  if (!host) return [];
  const chosen = rest.slice(0, random.between(0, 2));
  for (const each of chosen)
    each.children.unshift(...nvset("meta_attributes", `${idOf(each)}-in`, [["container", idOf(host)]]));
  return chosen;
}
