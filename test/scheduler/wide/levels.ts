import { every, type Feature, isFencing, resourcesOf, section, setOption, setValue } from "./wide.ts";

/** Maintenance and unmanaged resources at every level: cluster, node, defaults, collective, primitive. */
export const maintenance: Feature = (wide) => {
  const { random } = wide;
  if (random.chance(0.15)) setOption(wide, "maintenance-mode", "true");
  for (const node of every(section(wide, "nodes"), "node"))
    if (random.chance(0.15)) setValue(node, "instance_attributes", "maintenance", "true");
  for (const state of every(wide.cib, "transient_attributes"))
    if (random.chance(0.05))
      setValue(state, "instance_attributes", "maintenance", random.pick(["true", "false"]));
  const defaults = section(wide, "rsc_defaults");
  if (random.chance(0.1)) setValue(defaults, "meta_attributes", "is-managed", "false");
  if (random.chance(0.05)) setValue(defaults, "meta_attributes", "maintenance", "true");
  for (const rsc of resourcesOf(wide)) {
    if (random.chance(0.12))
      setValue(rsc, "meta_attributes", "is-managed", random.pick(["false", "false", "true"]));
    if (random.chance(0.08))
      setValue(rsc, "meta_attributes", "maintenance", random.pick(["true", "true", "false"]));
  }
};

/** Roles that resources are limited to, on every level. */
export const targetRoles: Feature = (wide) => {
  const { random } = wide;
  if (random.chance(0.15))
    setValue(
      section(wide, "rsc_defaults"),
      "meta_attributes",
      "target-role",
      random.pick(["Stopped", "Started", "Slave", "Unpromoted"]),
    );
  for (const rsc of resourcesOf(wide))
    if (random.chance(0.25))
      setValue(
        rsc,
        "meta_attributes",
        "target-role",
        random.pick(["Stopped", "Stopped", "Started", "Slave", "Master", "Unpromoted", "Promoted"]),
      );
};

/** The remaining meta attributes, at every level, and numbers that are less usual. */
export const metaAttributes: Feature = (wide) => {
  const { random } = wide;
  const defaults = section(wide, "rsc_defaults");
  const targets = [defaults, ...resourcesOf(wide).filter((rsc) => !isFencing(rsc))];
  for (const rsc of targets) {
    const maybe = (chance: number, name: string, values: readonly string[]) => {
      if (random.chance(chance)) setValue(rsc, "meta_attributes", name, random.pick(values));
    };
    maybe(0.12, "migration-threshold", ["0", "1", "2", "INFINITY", "5"]);
    maybe(0.12, "failure-timeout", ["60s", "0", "10min", "PT1H", "3000s"]);
    maybe(0.1, "critical", ["false", "true"]);
    maybe(0.1, "priority", ["INFINITY", "-INFINITY", "0", "7", "+3"]);
    maybe(0.1, "resource-stickiness", ["-INFINITY", "200", "INFINITY", "0", "-10"]);
    maybe(0.08, "multiple-active", ["block", "stop_only", "stop_start", "stop_unexpected"]);
    maybe(0.08, "requires", ["nothing", "quorum", "fencing", "unfencing"]);
    maybe(0.1, "allow-migrate", ["true", "false"]);
    maybe(0.05, "restart-type", ["restart", "ignore"]);
    maybe(0.05, "allow-unhealthy-nodes", ["true"]);
    if (rsc.name !== "clone") continue;
    maybe(0.1, "clone-max", ["0", "1", "2", "3"]);
    maybe(0.1, "clone-min", ["1", "2", "3"]);
    maybe(0.15, "promoted-max", ["0", "2", "3"]);
    maybe(0.05, "promoted-node-max", ["2"]);
    maybe(0.15, "notify", ["true", "false"]);
    maybe(0.15, "ordered", ["true", "false"]);
    maybe(0.1, "interleave", ["true", "false"]);
  }
};
