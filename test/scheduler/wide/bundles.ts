import { element, type XmlElement } from "../../../src/cib/index.ts";
import { nvset } from "../nvset.ts";
import { history } from "../random-status.ts";
import { type Done, entries } from "./history.ts";
import { every, type Feature, historiesOf, isMember, nodeStates, section, type Wide } from "./wide.ts";

interface Plan {
  readonly id: string;
  readonly engine: "docker" | "podman";
  readonly replicas: number;
  readonly perHost: number;
  readonly promotedMax: number;
  readonly firstAddress: string | undefined;
  readonly port: string | undefined;
  /** The resource inside; absent for a bundle that only runs containers. */
  readonly inner: string | undefined;
}

/** Bundles, with and without a resource inside, in all states. */
export const bundles: Feature = (wide) => {
  const { random, sketch } = wide;
  for (let at = 1; at <= random.between(1, 2); at++) {
    const id = `bundle${at}`;
    const filled = random.chance(0.75);
    const addressed = random.chance(0.7);
    const promotedMax = filled && random.chance(0.4) ? random.between(1, 2) : 0;
    const replicas = random.between(1, Math.min(4, sketch.nodes.length + 1));
    const plan: Plan = {
      id,
      engine: random.pick(["docker", "podman"]),
      replicas: Math.max(replicas, promotedMax),
      perHost: addressed && random.chance(0.2) ? 2 : 1,
      promotedMax,
      firstAddress: addressed ? `192.168.${at}.131` : undefined,
      port: (filled && !addressed) || random.chance(0.3) ? "3121" : undefined,
      inner: filled ? `inner${at}` : undefined,
    };
    section(wide, "resources").children.push(definition(wide, plan));
    constrain(wide, plan);
    occupy(wide, plan);
  }
};

function definition({ random }: Wide, plan: Plan): XmlElement {
  const { id, engine, inner, firstAddress, port, promotedMax, perHost } = plan;
  const children: XmlElement[] = [];
  const meta: [string, string][] = [];
  if (random.chance(0.15)) meta.push(["target-role", random.pick(["Stopped", "Started", "Slave"])]);
  if (random.chance(0.1)) meta.push(["is-managed", "false"]);
  if (random.chance(0.2)) meta.push(["resource-stickiness", "100"]);
  if (random.chance(0.1)) meta.push(["priority", "10"]);
  if (random.chance(0.2)) meta.push(["interleave", "true"]);
  children.push(...nvset("meta_attributes", id, meta));
  children.push(
    element(engine, {
      image: "registry/image:1",
      replicas: plan.replicas,
      "replicas-per-host": perHost > 1 ? perHost : undefined,
      "promoted-max": promotedMax > 0 ? promotedMax : undefined,
      network: random.chance(0.2) ? "host" : undefined,
      options: random.chance(0.2) ? "--log-driver=journald" : undefined,
      "run-command": random.chance(0.2) ? "/bin/sh" : undefined,
    }),
  );
  if (firstAddress !== undefined || port !== undefined)
    children.push(
      element(
        "network",
        {
          "ip-range-start": firstAddress,
          "control-port": port,
          "host-interface": random.chance(0.3) ? "eth0" : undefined,
          "host-netmask": random.chance(0.3) ? "24" : undefined,
          "add-host": random.chance(0.1) ? "false" : undefined,
        },
        random.chance(0.5) ? [element("port-mapping", { id: `${id}-port`, port: "80" })] : [],
      ),
    );
  if (random.chance(0.5))
    children.push(
      element("storage", {}, [
        element("storage-mapping", {
          id: `${id}-storage`,
          ...(random.chance(0.5) ? { "source-dir": "/srv/html" } : { "source-dir-root": "/var/local" }),
          "target-dir": "/var/www/html",
          options: random.chance(0.5) ? "rw" : undefined,
        }),
      ]),
    );
  if (inner !== undefined) children.push(innerPrimitive(inner, promotedMax > 0));
  return element("bundle", { id }, children);
}

function innerPrimitive(id: string, promotable: boolean): XmlElement {
  const op = (interval: string, role?: string) =>
    element("op", { id: `${id}-monitor-${interval}`, name: "monitor", interval, timeout: "20s", role });
  return element(
    "primitive",
    { id, class: "ocf", provider: "pacemaker", type: promotable ? "Stateful" : "Dummy" },
    [element("operations", {}, promotable ? [op("10s", "Master"), op("11s", "Slave")] : [op("10s")])],
  );
}

/** Constraints between a bundle and the rest. */
function constrain(wide: Wide, { id, promotedMax }: Plan): void {
  const { random, sketch } = wide;
  const constraints = section(wide, "constraints");
  if (random.chance(0.3))
    constraints.children.push(
      element("rsc_location", {
        id: `${id}-location`,
        rsc: id,
        node: random.pick(sketch.nodes),
        score: random.pick(["100", "-INFINITY", "INFINITY", "-10"]),
        role: promotedMax > 0 && random.chance(0.4) ? "Promoted" : undefined,
      }),
    );
  const other = sketch.named.length > 0 ? random.pick(sketch.named) : undefined;
  if (!other) return;
  if (random.chance(0.3)) {
    const [first, second] = random.shuffle([id, other.id]);
    constraints.children.push(
      element("rsc_order", {
        id: `${id}-order`,
        first,
        // biome-ignore lint/suspicious/noThenProperty: the attribute of the schema has this name
        then: second,
        kind: random.chance(0.3) ? "Optional" : undefined,
      }),
    );
  }
  if (random.chance(0.3)) {
    const inverse = random.chance(0.5);
    constraints.children.push(
      element("rsc_colocation", {
        id: `${id}-colocation`,
        rsc: inverse ? other.id : id,
        "with-rsc": inverse ? id : other.id,
        "with-rsc-role": inverse && promotedMax > 0 && random.chance(0.5) ? "Promoted" : undefined,
        score: random.pick(["INFINITY", "100", "-INFINITY", "-50"]),
      }),
    );
  }
}

const start: Done = { task: "start" };
const failure = { rc: 1, status: 4 };
const watched = (interval: number): Done => ({ task: "monitor", interval });
const probed: Done = { task: "monitor", rc: 7, expected: 7 };

/** Where the replicas are, what runs in them, and what went wrong. */
function occupy(wide: Wide, plan: Plan): void {
  const { random } = wide;
  const hosts = nodeStates(wide).filter(
    (state) => state.attributes.get("remote_node") === undefined && isMember(state),
  );
  if (random.chance(0.2) || hosts.length === 0) return;
  const places = random.shuffle(hosts);
  const [status] = every(wide.cib, "status");
  for (let replica = 0; replica < plan.replicas; replica++) {
    const host = places[replica % places.length];
    const active = random.chance(0.8) && replica < places.length * plan.perHost;
    for (const state of hosts) {
      if (state !== host || !active) {
        if (random.chance(0.85)) probe(plan, replica, state);
      } else run(wide, plan, replica, state);
    }
    if (plan.inner === undefined || !random.chance(0.9)) continue;
    const name = `${plan.id}-${replica}`;
    const up = active && random.chance(0.85);
    const state = element("node_state", { id: name, uname: name, remote_node: "true", in_ccm: String(up) });
    const promotable = plan.promotedMax > 0;
    if (up) {
      const how = random.chance(0.15)
        ? random.pick(["failed-monitor", "failed-start", "stopped", "none"] as const)
        : promotable && replica === 0
          ? "promoted"
          : "started";
      const instance = {
        id: plan.perHost > 1 ? `${plan.inner}:${replica}` : plan.inner,
        class: "ocf" as const,
        type: promotable ? "Stateful" : "Dummy",
        promotable,
        copies: 1,
        unique: false,
        migratable: false,
      };
      if (how !== "none") historiesOf(state).children.push(history(instance, how, name, 90));
      const score = promotable && random.chance(0.85) ? [[`master-${plan.inner}`, "10"] as const] : [];
      state.children.unshift(
        element("transient_attributes", { id: name }, nvset("instance_attributes", `status-${name}`, score)),
      );
    }
    status?.children.push(state);
  }
}

/** Ids and agents of what a replica consists of, on the nodes of the cluster. */
function partsOf({ id, engine, inner, firstAddress }: Plan, replica: number) {
  const container = `${id}-${engine}-${replica}`;
  return {
    container: { id: container, agent: { class: "ocf", provider: "heartbeat", type: engine } },
    address:
      firstAddress === undefined
        ? undefined
        : {
            id: `${id}-ip-${firstAddress.replace(/131$/, String(131 + replica))}`,
            agent: { class: "ocf", provider: "heartbeat", type: "IPaddr2" },
          },
    connection:
      inner === undefined
        ? undefined
        : { id: `${id}-${replica}`, agent: { class: "ocf", provider: "pacemaker", type: "remote" } },
  };
}

function probe(plan: Plan, replica: number, state: XmlElement): void {
  const { container, address, connection } = partsOf(plan, replica);
  for (const part of [container, address, connection])
    if (part) historiesOf(state).children.push(entries(part.id, [probed], 100 + replica, part.agent));
}

function run({ random }: Wide, plan: Plan, replica: number, state: XmlElement): void {
  const { container, address, connection } = partsOf(plan, replica);
  const list = historiesOf(state).children;
  const trouble = random.chance(0.25) ? random.between(0, 5) : -1;
  const add = (
    part: { id: string; agent: { class: string; provider: string; type: string } },
    ops: readonly Done[],
  ) => list.push(entries(part.id, ops, 110 + 10 * replica, part.agent));
  if (trouble === 0) add(container, [{ ...start, ...failure }]);
  else if (trouble === 1) add(container, [start, { ...watched(60_000), ...failure }]);
  else if (trouble === 2) add(container, [start, { task: "stop", ...failure }]);
  else add(container, [start, watched(60_000)]);
  if (address)
    add(address, trouble === 3 ? [start, { ...watched(60_000), ...failure }] : [start, watched(60_000)]);
  if (!connection) return;
  if (trouble === 4) add(connection, [start, { ...watched(30_000), ...failure }]);
  else if (trouble === 5) add(connection, [{ ...start, ...failure }]);
  else add(connection, [start, watched(30_000)]);
  const last = list.at(-1);
  last?.attributes.set("container", container.id);
}
