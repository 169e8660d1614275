import { element } from "../../../src/cib/index.ts";
import { nvset } from "../nvset.ts";
import { every, type Feature, idOf, isFencing, primitivesOf, resourcesOf, section } from "./wide.ts";

/** Primitives from a template: agent, meta attributes, operations; their own come on top. */
export const templates: Feature = (wide) => {
  const { random } = wide;
  const resources = section(wide, "resources");
  for (const promotable of [false, true]) {
    const type = promotable ? "Stateful" : "Dummy";
    const users = primitivesOf(wide).filter(
      (each) => !isFencing(each) && each.attributes.get("type") === type && random.chance(0.6),
    );
    if (users.length === 0) continue;
    const id = `template-${type}`;
    const op = (name: string, interval: string, more: Record<string, string> = {}) =>
      element("op", { id: `${id}-${name}-${interval}`, name, interval, timeout: "20s", ...more });
    const operations = promotable
      ? [op("monitor", "10s", { role: "Master" }), op("monitor", "11s", { role: "Slave" })]
      : [op("monitor", "10s")];
    if (random.chance(0.4))
      operations.push(op("start", "0", { "on-fail": random.pick(["block", "restart", "stop"]) }));
    if (random.chance(0.4)) operations.push(op("stop", "0", { "on-fail": "block" }));
    const meta = random.chance(0.6)
      ? nvset("meta_attributes", id, [
          random.pick([
            ["resource-stickiness", "50"],
            ["migration-threshold", "1"],
            ["is-managed", "false"],
            ["allow-migrate", "true"],
            ["priority", "3"],
          ] as const),
        ])
      : [];
    resources.children.unshift(
      element("template", { id, class: "ocf", provider: "pacemaker", type }, [
        ...meta,
        ...(random.chance(0.3) ? nvset("utilization", id, [["cpu", "1"]]) : []),
        element("operations", {}, operations),
      ]),
    );
    for (const user of users) {
      for (const name of ["class", "provider", "type"]) user.attributes.delete(name);
      user.attributes.set("template", id);
      if (random.chance(0.6)) user.children = user.children.filter(({ name }) => name !== "operations");
    }
    if (users.length < 2 || !random.chance(0.5)) continue;
    // Constraints that name the template are for all its primitives.
    const other = random.pick(wide.sketch.named);
    const constraint = random.pick(["location", "colocation", "order"] as const);
    const within = users.some((user) => idOf(user) === other.id);
    const constraints = section(wide, "constraints");
    if (constraint === "location")
      constraints.children.push(
        element("rsc_location", {
          id: "wide-by-template",
          rsc: id,
          node: random.pick(wide.sketch.nodes),
          score: "50",
        }),
      );
    else if (!within && constraint === "colocation")
      constraints.children.push(
        element("rsc_colocation", {
          id: "wide-by-template",
          rsc: id,
          "with-rsc": other.id,
          score: "INFINITY",
        }),
      );
    else if (!within)
      constraints.children.push(
        // biome-ignore lint/suspicious/noThenProperty: the attribute of the schema has this name
        element("rsc_order", { id: "wide-by-template", first: other.id, then: id }),
      );
    return;
  }
};

/** Tags of resources, and constraints and sets that name them. */
export const tags: Feature = (wide) => {
  const { random, sketch } = wide;
  if (sketch.named.length < 2) return;
  const mixed = random.shuffle(sketch.named);
  const members = mixed.slice(0, random.between(1, Math.min(3, mixed.length - 1)));
  const other = random.pick(mixed.slice(members.length));
  const list = section(wide, "tags");
  list.children.push(
    element(
      "tag",
      { id: "tagA" },
      members.map(({ id }) => element("obj_ref", { id })),
    ),
  );
  const constraints = section(wide, "constraints");
  const set = (id: string, ids: readonly string[], more: Record<string, string> = {}) =>
    element(
      "resource_set",
      { id, ...more },
      ids.map((each) => element("resource_ref", { id: each })),
    );
  for (let at = 0; at < random.between(1, 2); at++) {
    const id = `wide-tag${at}`;
    const score = random.pick(["INFINITY", "100", "-INFINITY", "-50"]);
    const kind = random.between(0, 5);
    if (kind === 0)
      constraints.children.push(
        element("rsc_location", { id, rsc: "tagA", node: random.pick(sketch.nodes), score }),
      );
    else if (kind === 1)
      constraints.children.push(
        element("rsc_colocation", {
          id,
          ...(random.chance(0.5)
            ? { rsc: "tagA", "with-rsc": other.id }
            : { rsc: other.id, "with-rsc": "tagA" }),
          score,
        }),
      );
    else if (kind === 2)
      constraints.children.push(
        element("rsc_order", {
          id,
          // biome-ignore lint/suspicious/noThenProperty: the attribute of the schema has this name
          ...(random.chance(0.5) ? { first: "tagA", then: other.id } : { first: other.id, then: "tagA" }),
          kind: random.pick(["Mandatory", "Optional"]),
        }),
      );
    else if (kind === 3)
      constraints.children.push(
        element("rsc_order", { id }, [
          set(`${id}-s0`, ["tagA"], random.chance(0.5) ? { sequential: "false" } : {}),
          set(`${id}-s1`, [other.id]),
        ]),
      );
    else if (kind === 4)
      constraints.children.push(
        element("rsc_colocation", { id, score }, [
          set(`${id}-s0`, [other.id]),
          set(`${id}-s1`, ["tagA"], random.chance(0.5) ? { sequential: "false" } : {}),
        ]),
      );
    else
      constraints.children.push(
        element("rsc_location", { id, node: random.pick(sketch.nodes), score }, [
          set(`${id}-s`, ["tagA", other.id]),
        ]),
      );
  }
};

/** Sets, values, operations and rules that are written once and referred to elsewhere. */
export const references: Feature = (wide) => {
  const { random } = wide;
  const resources = random.shuffle(
    resourcesOf(wide).filter((each) => each.name === "primitive" && !isFencing(each)),
  );
  const [owner, ...others] = resources;
  if (!owner) return;
  const [shared] = nvset("meta_attributes", "shared", [
    random.pick([
      ["resource-stickiness", "75"],
      ["priority", "20"],
      ["migration-threshold", "2"],
      ["target-role", "Stopped"],
    ] as const),
    ["failure-timeout", "50s"],
  ]);
  if (!shared) return;
  owner.children.unshift(shared);
  for (const rsc of others) {
    if (!random.chance(0.5)) continue;
    if (random.chance(0.5))
      rsc.children.unshift(element("meta_attributes", { "id-ref": "shared-meta_attributes" }));
    else
      rsc.children.unshift(
        element("meta_attributes", { id: `${idOf(rsc)}-referring` }, [
          element("nvpair", {
            "id-ref": "shared-meta_attributes-failure-timeout",
            name: random.chance(0.3) ? "priority" : undefined,
          }),
        ]),
      );
  }
  const rules = every(section(wide, "constraints"), "rule");
  const rule = rules[0];
  if (rule && random.chance(0.6))
    section(wide, "constraints").children.push(
      element("rsc_location", { id: "wide-rule-ref", rsc: random.pick(wide.sketch.named).id }, [
        element("rule", { "id-ref": idOf(rule) }),
      ]),
    );
  const operations = owner.children.find((each) => each.name === "operations");
  const user = others.find((each) => each.attributes.get("type") === owner.attributes.get("type"));
  if (operations && user && random.chance(0.5)) {
    operations.attributes.set("id", "shared-operations");
    user.children = user.children.map((each) =>
      each.name === "operations" ? element("operations", { "id-ref": "shared-operations" }) : each,
    );
  }
};
