import { element, type XmlElement } from "../../../src/cib/index.ts";
import type { Random } from "../../sim/random.ts";
import { nvset } from "../nvset.ts";
import { generatedAt } from "../random-cluster.ts";
import {
  every,
  type Feature,
  idOf,
  isFencing,
  operationsOf,
  primitivesOf,
  resourcesOf,
  section,
} from "./wide.ts";

/** A time as rules write it, some seconds from when the cluster is looked at. */
const time = (offset: number) =>
  new Date((generatedAt + offset) * 1000).toISOString().slice(0, 19).replace("T", " ");

const offsets = [-90_000, -3600, -60, 60, 3600, 90_000];

/** A condition on the time, around the time that counts (Tuesday, 2023-11-14, 22:13:20 UTC). */
export function dateExpression(random: Random, id: string): XmlElement {
  const kind = random.pick(["in_range", "duration", "gt", "lt", "date_spec", "date_spec"]);
  const date = (operation: string, more: Record<string, string>, children: XmlElement[] = []) =>
    element("date_expression", { id, operation, ...more }, children);
  switch (kind) {
    case "in_range": {
      const start = random.pick(offsets);
      return date("in_range", { start: time(start), end: time(start + random.pick([30, 3600, 200_000])) });
    }
    case "duration":
      return date("in_range", { start: time(random.pick(offsets)) }, [
        element("duration", {
          id: `${id}-d`,
          ...random.pick([{ hours: "2" }, { months: "1" }, { hours: "1" }, { weeks: "1" }, { years: "1" }]),
        }),
      ]);
    case "gt":
      return date("gt", { start: time(random.pick(offsets)) });
    case "lt":
      return date("lt", { end: time(random.pick(offsets)) });
    default:
      return date("date_spec", {}, [
        element("date_spec", {
          id: `${id}-s`,
          ...random.pick([
            { hours: "9-17" },
            { hours: "22" },
            { weekdays: "1-5" },
            { weekdays: "2", hours: "20-23" },
            { monthdays: "14" },
            { months: "1-6" },
            { months: "11", years: "2023" },
            { years: "2023-" },
            { weeks: "46" },
            { weekyears: "2022-2023" },
          ]),
        }),
      ]);
  }
}

/** A condition on attributes of the node, compared as text, number or version. */
export function nodeExpression(random: Random, id: string): XmlElement {
  const [attribute, value, type] = random.pick([
    ["rack", "a", "string"],
    ["load", "5", "number"],
    ["load", "5", "integer"],
    ["load", "10", "string"],
    ["load", "7", undefined],
    ["release", "1.2.3", "version"],
    ["release", "1.10", "version"],
    ["#kind", "cluster", undefined],
    ["#id", "2", undefined],
  ] as const);
  const operation = random.pick(["lt", "gt", "lte", "gte", "eq", "ne", "defined", "not_defined"]);
  const valued = operation !== "defined" && operation !== "not_defined";
  return element("expression", {
    id,
    attribute,
    operation,
    value: valued ? value : undefined,
    type: valued ? type : undefined,
  });
}

/** How the conditions of a rule are joined. */
export const operator = (random: Random) => (random.chance(0.6) ? random.pick(["or", "and"]) : undefined);

/** Expressions, perhaps with a rule inside. */
export function conditions(
  random: Random,
  id: string,
  make: (random: Random, id: string) => XmlElement,
): XmlElement[] {
  const list = Array.from({ length: random.between(1, 2) }, (_, at) => make(random, `${id}-${at}`));
  if (!random.chance(0.25)) return list;
  const inner = Array.from({ length: random.between(1, 2) }, (_, at) => make(random, `${id}-i${at}`));
  return [...list, element("rule", { id: `${id}-i`, score: "0", "boolean-op": operator(random) }, inner)];
}

/** Location rules with dates, typed comparisons, rules inside rules and scores from attributes; patterns. */
export const locationRules: Feature = (wide) => {
  const { random, sketch } = wide;
  for (const node of every(section(wide, "nodes"), "node"))
    if (random.chance(0.7))
      node.children.push(
        ...nvset("instance_attributes", `${node.attributes.get("uname")}-typed`, [
          ["load", random.pick(["1", "5", "7.5", "10", "-3", "many"])],
          ["release", random.pick(["1.2", "1.2.3", "1.10", "2", "1.9.9"])],
          ["preference", random.pick(["10", "-INFINITY", "INFINITY", "200", "none"])],
        ]),
      );
  const constraints = section(wide, "constraints");
  const named = random.shuffle(sketch.named).slice(0, random.between(1, 3));
  for (const [at, rsc] of named.entries()) {
    const id = `wide-loc${at}`;
    const dated = random.chance(0.4);
    const rules = Array.from({ length: random.chance(0.2) ? 2 : 1 }, (_, which) => {
      const own = `${id}-r${which}`;
      const byAttribute = random.chance(0.15);
      return element(
        "rule",
        {
          id: own,
          score: byAttribute ? undefined : random.pick(["100", "-INFINITY", "INFINITY", "-10", "0"]),
          "score-attribute": byAttribute ? "preference" : undefined,
          "boolean-op": operator(random),
          role: rsc.promotable && random.chance(0.3) ? "Promoted" : undefined,
        },
        conditions(random, `${own}-e`, (numbers, name) =>
          dated && numbers.chance(0.6) ? dateExpression(numbers, name) : nodeExpression(numbers, name),
        ),
      );
    });
    const target = random.chance(0.15)
      ? { "rsc-pattern": random.pick(["^p", "m1$", "!^p", "c.*"]) }
      : { rsc: rsc.id };
    constraints.children.push(element("rsc_location", { id, ...target }, rules));
  }
};

/** Sets of meta attributes and options that are in effect at some times only. */
export const datedValues: Feature = (wide) => {
  const { random } = wide;
  const dated = (id: string, kind: string, values: readonly (readonly [string, string])[]) => {
    const [set] = nvset(kind, id, values);
    if (!set) return [];
    set.attributes.set("score", String(random.between(1, 9)));
    set.children.unshift(
      element(
        "rule",
        { id: `${id}-rule`, score: "0", "boolean-op": operator(random) },
        conditions(random, `${id}-e`, dateExpression),
      ),
    );
    return [set];
  };
  for (const rsc of resourcesOf(wide))
    if (random.chance(0.3))
      rsc.children.unshift(
        ...dated(`${idOf(rsc)}-dated`, "meta_attributes", [
          random.pick([
            ["resource-stickiness", "INFINITY"],
            ["target-role", "Stopped"],
            ["is-managed", "false"],
            ["priority", "50"],
            ["migration-threshold", "1"],
          ] as const),
        ]),
      );
  if (random.chance(0.3))
    section(wide, "crm_config").children.push(
      ...dated("dated-options", "cluster_property_set", [
        random.pick([
          ["no-quorum-policy", "freeze"],
          ["maintenance-mode", "true"],
          ["stop-all-resources", "true"],
          ["symmetric-cluster", "false"],
        ] as const),
      ]),
    );
};

/** Defaults for some agents and some operations only. */
export const ruledDefaults: Feature = (wide) => {
  const { random } = wide;
  // Without provider an expression matches no agent that has one up to 2.1.7, and all of them since.
  const agent = (id: string) =>
    element("rsc_expression", {
      id,
      ...random.pick([
        { class: "ocf", provider: "pacemaker" },
        { class: "stonith" },
        { class: "ocf", provider: "pacemaker", type: "Stateful" },
        { provider: "pacemaker", type: "Dummy" },
        { provider: "heartbeat" },
      ]),
    });
  const task = (id: string) =>
    element("op_expression", {
      id,
      name: random.pick(["monitor", "start", "stop"]),
      interval: random.chance(0.3) ? random.pick(["10s", "0", "30s"]) : undefined,
    });
  const set = (
    owner: string,
    at: number,
    make: (id: string) => XmlElement,
    pair: readonly [string, string],
  ): XmlElement[] => {
    const id = `${owner}-ruled${at}`;
    const [block] = nvset("meta_attributes", id, [pair]);
    if (!block) return [];
    block.attributes.set("score", String(at));
    const parts = [make(`${id}-x`)];
    if (random.chance(0.3))
      parts.push(random.chance(0.5) ? make(`${id}-y`) : dateExpression(random, `${id}-z`));
    block.children.unshift(
      element("rule", { id: `${id}-rule`, score: "0", "boolean-op": operator(random) }, parts),
    );
    return [block];
  };
  const forResources = section(wide, "rsc_defaults");
  for (let at = 1; at <= random.between(1, 2); at++)
    forResources.children.push(
      ...set(
        "rsc",
        at,
        agent,
        random.pick([
          ["resource-stickiness", "500"],
          ["migration-threshold", "1"],
          ["is-managed", "false"],
          ["target-role", "Stopped"],
          ["failure-timeout", "60s"],
        ] as const),
      ),
    );
  const forOperations = section(wide, "op_defaults");
  for (let at = 1; at <= random.between(1, 2); at++)
    forOperations.children.push(
      ...set(
        "op",
        at,
        random.chance(0.5) ? task : agent,
        random.pick([
          ["timeout", "40s"],
          ["on-fail", "block"],
          ["on-fail", "standby"],
          ["enabled", "false"],
          ["on-fail", "ignore"],
        ] as const),
      ),
    );
};

/** Values of operations in sets of their own, under rules too. */
export const operationValues: Feature = (wide) => {
  const { random } = wide;
  for (const primitive of primitivesOf(wide)) {
    if (isFencing(primitive)) continue;
    for (const op of operationsOf(primitive)) {
      if (!random.chance(0.35)) continue;
      const [meta] = nvset("meta_attributes", `${idOf(op)}-own`, [
        random.pick([
          ["on-fail", "block"],
          ["on-fail", "restart"],
          ["timeout", "50s"],
          ["enabled", "false"],
        ] as const),
      ]);
      if (!meta) continue;
      if (random.chance(0.4))
        meta.children.unshift(
          element("rule", { id: `${idOf(op)}-rule`, score: "0" }, [
            dateExpression(random, `${idOf(op)}-date`),
          ]),
        );
      op.children.push(meta);
      if (random.chance(0.3))
        op.children.push(...nvset("instance_attributes", `${idOf(op)}-own`, [["OCF_CHECK_LEVEL", "10"]]));
    }
  }
};
