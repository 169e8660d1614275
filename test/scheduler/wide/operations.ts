import { element } from "../../../src/cib/index.ts";
import { type Feature, idOf, isFencing, isPromotable, operationsOf, primitivesOf } from "./wide.ts";

/** What is done when an operation fails, of every kind. */
export const onFail: Feature = (wide) => {
  const { random } = wide;
  for (const primitive of primitivesOf(wide)) {
    for (const op of operationsOf(primitive)) {
      if (!random.chance(0.4)) continue;
      const name = op.attributes.get("name") ?? "";
      const kinds =
        name === "stop"
          ? ["block", "ignore", "fence"]
          : ["ignore", "block", "stop", "restart", "standby", "fence"];
      // A demotion is for what watches a promoted instance.
      if (op.attributes.get("role") === "Master") kinds.push("demote", "demote");
      op.attributes.set("on-fail", random.pick(kinds));
    }
  }
};

/** More operations: further monitors, for roles, disabled, with delays, and with time-outs of their own. */
export const moreOperations: Feature = (wide) => {
  const { random } = wide;
  for (const primitive of primitivesOf(wide)) {
    if (isFencing(primitive) || !random.chance(0.5)) continue;
    const operations = primitive.children.find((each) => each.name === "operations");
    const promotable = isPromotable(wide, primitive);
    const id = idOf(primitive);
    const add = (name: string, interval: string, role?: string) =>
      operations?.children.push(
        element("op", {
          id: `${id}-more-${operations.children.length}`,
          name,
          interval,
          role,
          timeout: random.chance(0.5) ? random.pick(["20s", "30", "1min", "PT1M"]) : undefined,
          enabled: random.chance(0.15) ? "false" : undefined,
          "on-fail": random.chance(0.2) ? random.pick(["ignore", "block", "standby", "restart"]) : undefined,
        }),
      );
    if (random.chance(0.4))
      add("monitor", random.pick(["30s", "1min", "40"]), promotable ? "Promoted" : "Started");
    if (random.chance(0.3)) add("monitor", "45s", "Stopped");
    if (promotable && random.chance(0.4)) add("monitor", "50s", "Unpromoted");
    if (promotable && random.chance(0.3)) add("promote", "0");
    if (promotable && random.chance(0.3)) add("demote", "0");
    if (random.chance(0.2)) add("migrate_to", "0");
    if (random.chance(0.2)) add("notify", "0");
    if (random.chance(0.15))
      for (const op of operationsOf(primitive)) if (random.chance(0.3)) op.attributes.set("enabled", "false");
    if (random.chance(0.15))
      for (const op of operationsOf(primitive))
        if (op.attributes.get("name") === "monitor" && random.chance(0.5))
          op.attributes.set("start-delay", "15s");
  }
};
