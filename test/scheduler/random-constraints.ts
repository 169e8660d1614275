import { element, type XmlElement } from "../../src/cib/index.ts";
import type { Named, Sketch } from "./random-cluster.ts";

const scores = ["INFINITY", "-INFINITY", "100", "10", "1", "-10", "-100", "1000"];

/** Random constraints of every kind between the resources of a sketch. */
export function randomConstraints(sketch: Sketch): XmlElement[] {
  const { random, named } = sketch;
  if (named.length === 0) return [];
  const result: XmlElement[] = [];
  for (let left = random.between(0, 3), at = 1; left > 0; left--, at++)
    result.push(location(sketch, `loc${at}`));
  if (named.length > 1) {
    for (let left = random.between(0, 2), at = 1; left > 0; left--, at++)
      result.push(colocation(sketch, `col${at}`));
    for (let left = random.between(0, 2), at = 1; left > 0; left--, at++)
      result.push(order(sketch, `ord${at}`));
    if (random.chance(0.1)) result.push(orderSets(sketch, "ords"));
    if (random.chance(0.1)) result.push(colocationSets(sketch, "cols"));
  }
  for (const ticket of sketch.tickets) {
    const rsc = random.pick(named);
    result.push(
      element("rsc_ticket", {
        id: `t-${ticket}`,
        rsc: rsc.id,
        "rsc-role": rsc.promotable && random.chance(0.5) ? "Master" : undefined,
        ticket,
        "loss-policy": random.pick(["stop", "demote", "fence", "freeze"]),
      }),
    );
  }
  return result;
}

function location(sketch: Sketch, id: string): XmlElement {
  const { random } = sketch;
  const rsc = random.pick(sketch.named);
  const score = random.pick(scores);
  const role = rsc.promotable && random.chance(0.4) ? "Master" : undefined;
  if (random.chance(0.65)) {
    return element("rsc_location", {
      id,
      rsc: rsc.id,
      role,
      node: random.pick(sketch.nodes),
      score,
      "resource-discovery": random.chance(0.1) ? random.pick(["never", "exclusive"]) : undefined,
    });
  }
  const expressions = Array.from({ length: random.between(1, 2) }, (_, at) => {
    if (random.chance(0.5)) {
      return element("expression", {
        id: `${id}-e${at}`,
        attribute: sketch.attribute,
        operation: random.pick(["defined", "not_defined"]),
      });
    }
    const byName = random.chance(0.4);
    return element("expression", {
      id: `${id}-e${at}`,
      attribute: byName ? "#uname" : sketch.attribute,
      operation: random.pick(["eq", "ne"]),
      value: byName ? random.pick(sketch.nodes) : random.pick(["a", "b"]),
    });
  });
  return element("rsc_location", { id, rsc: rsc.id }, [
    element(
      "rule",
      { id: `${id}-r`, score, role, "boolean-op": random.chance(0.3) ? "or" : undefined },
      expressions,
    ),
  ]);
}

/** Two different resources, in the order of their configuration most of the time. */
function pair(sketch: Sketch): readonly [Named, Named] {
  const { random, named } = sketch;
  const [one, two] = random.shuffle(named) as [Named, Named];
  return [one, two];
}

const roleFor = (sketch: Sketch, rsc: Named, chance: number) =>
  rsc.promotable && sketch.random.chance(chance)
    ? sketch.random.pick(["Master", "Slave", "Master"])
    : undefined;

function colocation(sketch: Sketch, id: string): XmlElement {
  const { random } = sketch;
  const [dependent, target] = pair(sketch);
  return element("rsc_colocation", {
    id,
    rsc: dependent.id,
    "rsc-role": roleFor(sketch, dependent, 0.3),
    "with-rsc": target.id,
    "with-rsc-role": roleFor(sketch, target, 0.5),
    score: random.chance(0.5) ? "INFINITY" : random.pick(scores),
    "node-attribute": random.chance(0.05) ? sketch.attribute : undefined,
    influence: random.chance(0.07) ? "false" : undefined,
  });
}

function order(sketch: Sketch, id: string): XmlElement {
  const { random } = sketch;
  const [first, second] = pair(sketch);
  const promote = first.promotable && random.chance(0.5);
  return element("rsc_order", {
    id,
    first: first.id,
    // biome-ignore lint/suspicious/noThenProperty: the attribute of the schema has this name
    then: second.id,
    "first-action": promote ? "promote" : undefined,
    "then-action": promote ? (second.promotable && random.chance(0.3) ? "promote" : "start") : undefined,
    kind: random.chance(0.4) ? random.pick(["Optional", "Mandatory", "Serialize"]) : undefined,
    symmetrical: random.chance(0.1) ? "false" : undefined,
    "require-all": first.clone && random.chance(0.1) ? "false" : undefined,
  });
}

function sets(sketch: Sketch, id: string, least: number): readonly (readonly string[])[] {
  const { random, named } = sketch;
  const all = random.shuffle(named).map((rsc) => rsc.id);
  const cut = all.length > least + 1 && random.chance(0.6) ? random.between(1, all.length - 1) : all.length;
  return [all.slice(0, cut), all.slice(cut)].filter((part) => part.length > 0 && id !== "");
}

const resourceSet = (
  id: string,
  at: number,
  refs: readonly string[],
  more: Record<string, string | undefined>,
) =>
  element(
    "resource_set",
    { id: `${id}-s${at}`, ...more },
    refs.map((ref) => element("resource_ref", { id: ref })),
  );

function orderSets(sketch: Sketch, id: string): XmlElement {
  const { random } = sketch;
  return element(
    "rsc_order",
    { id, kind: random.chance(0.6) ? random.pick(["Optional", "Mandatory"]) : undefined },
    sets(sketch, id, 1).map((refs, at) => {
      const sequential = random.chance(0.6);
      return resourceSet(id, at, refs, {
        sequential: sequential ? undefined : "false",
        "require-all": !sequential && random.chance(0.4) ? "false" : undefined,
      });
    }),
  );
}

function colocationSets(sketch: Sketch, id: string): XmlElement {
  const { random } = sketch;
  return element(
    "rsc_colocation",
    { id, score: random.pick(["INFINITY", "100"]) },
    sets(sketch, id, 1).map((refs, at) =>
      resourceSet(id, at, refs, { sequential: random.chance(0.7) ? undefined : "false" }),
    ),
  );
}
