import { element, type XmlElement } from "../../../src/cib/index.ts";
import type { Named } from "../random-cluster.ts";
import { type Feature, section, type Wide } from "./wide.ts";

/** Orders in which something stops or is demoted first or then, of every kind, between two resources or in sets. */
export const downOrders: Feature = (wide) => {
  const { random, sketch } = wide;
  if (sketch.named.length < 2) return;
  const { children } = section(wide, "constraints");
  for (let left = random.between(1, 3), at = 1; left > 0; left--, at++)
    children.push(orderOfTwo(wide, `down-order${at}`));
  if (random.chance(0.4)) children.push(orderOfSets(wide, "down-sets"));
};

const downs = (rsc: Named) => (rsc.promotable ? ["demote", "stop"] : ["stop"]);
const all = (rsc: Named) => (rsc.promotable ? ["promote", "start", ...downs(rsc)] : ["start", "stop"]);

function orderOfTwo({ random, sketch }: Wide, id: string): XmlElement {
  const [first, second] = random.shuffle(sketch.named);
  if (!first || !second) throw new Error("an order needs two resources");
  const downFirst = random.chance(0.6);
  return element("rsc_order", {
    id,
    first: first.id,
    // biome-ignore lint/suspicious/noThenProperty: the attribute of the schema has this name
    then: second.id,
    "first-action": random.pick(downFirst ? downs(first) : all(first)),
    // Without an own action the second does what the first does.
    "then-action":
      downFirst && random.chance(0.4) ? undefined : random.pick(downFirst ? all(second) : downs(second)),
    kind: random.chance(0.4) ? random.pick(["Optional", "Mandatory", "Serialize"]) : undefined,
    symmetrical: random.chance(0.25) ? "false" : undefined,
    "require-all": first.clone && random.chance(0.2) ? "false" : undefined,
  });
}

function orderOfSets({ random, sketch }: Wide, id: string): XmlElement {
  const members = random.shuffle(sketch.named);
  const cut = random.between(1, members.length - 1);
  const sets = random.chance(0.7) ? [members.slice(0, cut), members.slice(cut)] : [members];
  const symmetrical = random.chance(0.25) ? "false" : undefined;
  return element(
    "rsc_order",
    {
      id,
      kind: random.chance(0.4) ? random.pick(["Optional", "Mandatory", "Serialize"]) : undefined,
      symmetrical,
    },
    sets.map((set, at) => {
      const sequential = random.chance(0.6);
      const roles = set.every(({ promotable }) => promotable);
      return element(
        "resource_set",
        {
          id: `${id}-${at}`,
          action: random.pick(roles ? ["stop", "demote", "promote"] : ["stop", "stop", "start"]),
          sequential: sequential ? undefined : "false",
          "require-all": !sequential && random.chance(0.3) ? "false" : undefined,
        },
        set.map((rsc) => element("resource_ref", { id: rsc.id })),
      );
    }),
  );
}
