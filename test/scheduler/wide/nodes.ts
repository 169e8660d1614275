import { element } from "../../../src/cib/index.ts";
import { setCondition } from "../node-condition.ts";
import { nvset } from "../nvset.ts";
import { generatedAt } from "../random-cluster.ts";
import {
  every,
  type Feature,
  firstSet,
  idOf,
  isFencing,
  nodeStates,
  primitivesOf,
  resourcesOf,
  section,
  setOption,
  setValue,
  transientOf,
} from "./wide.ts";

/** Options of the whole cluster that the plain generator leaves alone. */
export const options: Feature = (wide) => {
  const { random } = wide;
  const maybe = (chance: number, name: string, values: readonly string[]) => {
    if (random.chance(chance)) setOption(wide, name, random.pick(values));
  };
  maybe(0.2, "priority-fencing-delay", ["10s", "0", "60"]);
  maybe(0.1, "no-quorum-policy", ["suicide"]);
  maybe(0.1, "stonith-action", ["reboot", "off", "poweroff"]);
  maybe(0.1, "stonith-timeout", ["30s", "2min"]);
  maybe(0.1, "stop-orphan-actions", ["false"]);
  maybe(0.1, "cluster-delay", ["20s"]);
  maybe(0.1, "migration-limit", ["1", "0", "-1"]);
  maybe(0.1, "batch-limit", ["5"]);
  maybe(0.05, "remove-after-stop", ["true"]);
  maybe(0.1, "start-failure-is-fatal", ["false", "true"]);
  maybe(0.1, "startup-fencing", ["false"]);
  maybe(0.1, "placement-strategy", ["default", "balanced", "minimal", "utilization"]);
  maybe(0.1, "symmetric-cluster", ["false"]);
  if (random.chance(0.3))
    for (const rsc of resourcesOf(wide))
      if (random.chance(0.4)) setValue(rsc, "meta_attributes", "priority", String(random.between(1, 20)));
};

/** Node health of every strategy. */
export const health: Feature = (wide) => {
  const { random } = wide;
  setOption(
    wide,
    "node-health-strategy",
    random.pick(["migrate-on-red", "only-green", "progressive", "custom", "progressive"]),
  );
  const maybe = (name: string, values: readonly string[]) => {
    if (random.chance(0.4)) setOption(wide, name, random.pick(values));
  };
  maybe("node-health-base", ["5", "100", "-10"]);
  maybe("node-health-green", ["10", "0"]);
  maybe("node-health-yellow", ["-5", "-INFINITY", "3"]);
  maybe("node-health-red", ["-100", "-INFINITY"]);
  for (const node of every(section(wide, "nodes"), "node"))
    for (const attribute of ["#health-cpu", "#health_disk"])
      if (random.chance(0.25))
        setValue(
          node,
          "instance_attributes",
          attribute,
          random.pick(["green", "yellow", "red", "10", "-20", "green"]),
        );
  for (const state of nodeStates(wide)) {
    const transient = transientOf(state);
    if (transient && random.chance(0.2))
      setValue(transient, "instance_attributes", "#health-smart", random.pick(["red", "yellow", "green"]));
  }
  for (const rsc of resourcesOf(wide))
    if (random.chance(0.2)) setValue(rsc, "meta_attributes", "allow-unhealthy-nodes", "true");
};

/** Nodes that were shut down in an orderly way and keep their resources for some time. */
export const shutdownLocks: Feature = (wide) => {
  const { random } = wide;
  setOption(wide, "shutdown-lock", "true");
  if (random.chance(0.4)) setOption(wide, "shutdown-lock-limit", random.pick(["1min", "2h", "0"]));
  const states = nodeStates(wide);
  for (const [at, state] of states.entries()) {
    if (at === 0) continue;
    const dice = random.unit();
    if (dice < 0.2 && state.attributes.get("crmd") === "online") {
      const transient = transientOf(state);
      if (transient) setValue(transient, "instance_attributes", "shutdown", String(generatedAt - 20));
      state.attributes.set("expected", "down");
    } else if (dice < 0.5) {
      setCondition(state, "offline");
      for (const rsc of every(state, "lrm_resource"))
        if (random.chance(0.5))
          rsc.attributes.set("shutdown-lock", String(generatedAt - random.pick([30, 600, 90_000])));
    }
  }
};

/** Levels of devices for nodes. Who fences does not change what has to be done. */
export const topology: Feature = (wide) => {
  const { random, sketch } = wide;
  const devices = primitivesOf(wide).filter(isFencing).map(idOf);
  if (devices.length === 0) return;
  const list = section(wide, "fencing-topology");
  for (const [at, node] of sketch.nodes.entries())
    if (random.chance(0.6))
      list.children.push(
        element("fencing-level", {
          id: `level-${at}`,
          ...random.pick([
            { target: node },
            { "target-pattern": `^${node}$` },
            { "target-attribute": "rack", "target-value": "a" },
          ]),
          index: random.between(1, 3),
          devices: devices.join(","),
        }),
      );
};

/** Devices that give nodes access again after fencing, and nodes that remember it. */
export const unfencing: Feature = (wide) => {
  const { random } = wide;
  const devices = primitivesOf(wide).filter(isFencing);
  for (const device of devices) setValue(device, "meta_attributes", "provides", "unfencing");
  if (devices.length === 0) return;
  setOption(wide, "stonith-enabled", "true");
  for (const state of nodeStates(wide)) {
    const transient = transientOf(state);
    if (!transient) continue;
    if (random.chance(0.6))
      setValue(
        transient,
        "instance_attributes",
        "#node-unfenced",
        random.pick([String(generatedAt - 5000), "0"]),
      );
    if (random.chance(0.4)) {
      const text = `fencing:fence_dummy:${random.pick(["f2317cad3d54cec5d7d7aa7d0bf35cf8", "0000"])},`;
      setValue(transient, "instance_attributes", "#digests-all", text);
      setValue(transient, "instance_attributes", "#digests-secure", text);
    }
  }
  for (const rsc of primitivesOf(wide))
    if (!isFencing(rsc) && random.chance(0.3))
      setValue(
        rsc,
        "meta_attributes",
        "requires",
        random.pick(["unfencing", "fencing", "quorum", "nothing"]),
      );
};

/** Where resources are looked for: constraints that say so, in clusters of both kinds. */
export const discovery: Feature = (wide) => {
  const { random, sketch } = wide;
  const constraints = section(wide, "constraints");
  for (const [at, rsc] of random.shuffle(sketch.named).slice(0, 2).entries())
    for (const [which, node] of random.some(sketch.nodes).slice(0, 3).entries())
      constraints.children.push(
        element("rsc_location", {
          id: `wide-discovery-${at}-${which}`,
          rsc: rsc.id,
          node,
          score: random.pick(["0", "100", "-INFINITY", "INFINITY", "-5"]),
          "resource-discovery": random.pick(["never", "exclusive", "always"]),
        }),
      );
  if (random.chance(0.3)) setOption(wide, "enable-startup-probes", "false");
};

/** Instance attributes of nodes that the scheduler reads: standby, terminate, and those that are transient. */
export const nodeAttributes: Feature = (wide) => {
  const { random } = wide;
  for (const node of every(section(wide, "nodes"), "node")) {
    if (random.chance(0.1))
      setValue(node, "instance_attributes", "standby", random.pick(["on", "true", "off"]));
    if (random.chance(0.1)) firstSet(node, "instance_attributes").attributes.set("score", "5");
  }
  for (const state of nodeStates(wide)) {
    const transient = transientOf(state);
    if (!transient) continue;
    if (random.chance(0.12))
      setValue(transient, "instance_attributes", "standby", random.pick(["on", "off"]));
    if (random.chance(0.06))
      setValue(transient, "instance_attributes", "terminate", random.pick(["true", "1", "false"]));
    if (random.chance(0.2)) setValue(transient, "instance_attributes", "rack", random.pick(["a", "b"]));
  }
  if (random.chance(0.3))
    section(wide, "crm_config").children.push(
      ...nvset("cluster_property_set", "wide-more", [
        ["no-quorum-policy", random.pick(["freeze", "ignore"])],
      ]),
    );
};
