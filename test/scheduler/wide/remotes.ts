import { element, type XmlElement } from "../../../src/cib/index.ts";
import { nvset } from "../nvset.ts";
import { generatedAt } from "../random-cluster.ts";
import { history } from "../random-status.ts";
import { type Done, entries, forget } from "./history.ts";
import {
  every,
  type Feature,
  historiesOf,
  idOf,
  isFencing,
  isMember,
  nodeStates,
  primitivesOf,
  section,
  setOption,
  setValue,
  type Wide,
} from "./wide.ts";

const remoteAgent = { class: "ocf", provider: "pacemaker", type: "remote" } as const;
const start: Done = { task: "start" };
const monitor: Done = { task: "monitor", interval: 60_000 };
const probed: Done = { task: "monitor", rc: 7, expected: 7 };

/** The state that the cluster keeps of a node that is reached through a connection. */
function remoteState({ random }: Wide, id: string, up: boolean): XmlElement {
  const attributes: [string, string][] = [];
  if (random.chance(0.1)) attributes.push(["standby", "on"]);
  if (random.chance(0.1)) attributes.push(["maintenance", "true"]);
  if (random.chance(0.1)) attributes.push(["shutdown", String(generatedAt - 5)]);
  if (random.chance(0.3)) attributes.push(["rack", random.pick(["a", "b"])]);
  const state = element("node_state", { id, uname: id, remote_node: "true", in_ccm: up ? "true" : "false" });
  if (random.chance(0.08)) state.attributes.set("node_fenced", "1");
  state.children.push(
    element("transient_attributes", { id }, nvset("instance_attributes", `status-${id}`, attributes)),
  );
  return state;
}

/** Resources that run, or have been looked for, on a node behind a connection. */
function occupy(wide: Wide, state: XmlElement, active: boolean): void {
  const { random, sketch } = wide;
  for (const instance of sketch.instances) {
    if (instance.class === "stonith" || instance.unique || !random.chance(0.7)) continue;
    const runs = active && random.chance(0.4);
    if (runs && instance.copies === 1) forget(wide, instance.id);
    const how = runs
      ? random.chance(0.2)
        ? random.pick(["failed-monitor", "failed-start", "failed-stop"] as const)
        : "started"
      : "stopped";
    historiesOf(state).children.push(history(instance, how, idOf(state), 70));
  }
}

/** Constraints for nodes that are not in the list of nodes. */
function prefer(wide: Wide, node: string): void {
  const { random, sketch } = wide;
  if (sketch.named.length === 0) return;
  for (let at = 0; at < random.between(0, 2); at++)
    section(wide, "constraints").children.push(
      element("rsc_location", {
        id: `wide-${node}-${at}`,
        rsc: random.pick(sketch.named).id,
        node,
        score: random.pick(["INFINITY", "100", "-INFINITY", "10"]),
      }),
    );
}

/** What the cluster nodes know of a connection. */
function connectionHistory(wide: Wide, id: string, up: boolean, container?: string): boolean {
  const { random } = wide;
  let reached = false;
  const hosts = nodeStates(wide).filter(
    (state) => state.attributes.get("remote_node") === undefined && isMember(state),
  );
  const host = random.pick(hosts);
  for (const state of hosts) {
    let operations: readonly Done[] = random.chance(0.7) ? [probed] : [];
    if (state === host && up) {
      const failed = { rc: 1 };
      operations = random.pick<readonly Done[]>([
        [start, monitor],
        [start, monitor],
        [start, monitor],
        [start],
        [start, { ...monitor, ...failed, status: 4 }],
        [{ ...start, ...failed, status: 4 }],
        [start, { task: "stop", ...failed, status: 4 }],
      ]);
      reached = operations.every(({ rc = 0 }) => rc === 0);
    }
    if (operations.length === 0) continue;
    const entry = entries(id, operations, 80, remoteAgent);
    if (container !== undefined) entry.attributes.set("container", container);
    historiesOf(state).children.push(entry);
  }
  return reached;
}

/** Remote nodes: up, down, failed, and such that nobody has connected to yet. */
export const remoteNodes: Feature = (wide) => {
  const { random } = wide;
  const [status] = every(wide.cib, "status");
  for (let at = 1; at <= random.between(1, 2); at++) {
    const id = `remote${at}`;
    const parameters: [string, string][] = [];
    if (random.chance(0.5)) parameters.push(["server", `10.0.0.${at}`]);
    if (random.chance(0.25)) parameters.push(["reconnect_interval", random.pick(["60s", "2h"])]);
    const meta: [string, string][] = [];
    if (random.chance(0.1)) meta.push(["allow-migrate", "false"]);
    if (random.chance(0.08)) meta.push(["target-role", "Stopped"]);
    if (random.chance(0.05)) meta.push(["is-managed", "false"]);
    section(wide, "resources").children.push(
      element("primitive", { id, ...remoteAgent }, [
        ...nvset("meta_attributes", id, meta),
        ...nvset("instance_attributes", id, parameters),
        element("operations", {}, [
          element("op", { id: `${id}-monitor`, name: "monitor", interval: "60s", timeout: "20s" }),
        ]),
      ]),
    );
    if (random.chance(0.6))
      section(wide, "nodes").children.push(element("node", { id, type: "remote", uname: id }));
    prefer(wide, id);
    const reached = connectionHistory(wide, id, random.chance(0.75));
    if (!random.chance(0.9)) continue;
    const state = remoteState(wide, id, random.chance(0.9) ? reached : !reached);
    occupy(wide, state, reached || random.chance(0.5));
    status?.children.push(state);
  }
  if (random.chance(0.05)) setOption(wide, "maintenance-mode", "true");
};

/** Guest nodes: resources that are nodes themselves. */
export const guestNodes: Feature = (wide) => {
  const { random, sketch } = wide;
  const [status] = every(wide.cib, "status");
  const single = new Set(sketch.instances.filter(({ copies }) => copies === 1).map(({ id }) => id));
  const hosts = random
    .shuffle(primitivesOf(wide).filter((each) => !isFencing(each) && single.has(idOf(each))))
    .slice(0, random.between(1, 2));
  for (const [at, host] of hosts.entries()) {
    const id = `guest${at + 1}`;
    setValue(host, "meta_attributes", "remote-node", id);
    if (random.chance(0.3)) setValue(host, "meta_attributes", "remote-addr", `10.0.1.${at + 1}`);
    if (random.chance(0.2)) setValue(host, "meta_attributes", "remote-port", "3131");
    if (random.chance(0.2)) setValue(host, "meta_attributes", "remote-allow-migrate", "false");
    prefer(wide, id);
    const container = idOf(host);
    const running = nodeStates(wide).filter(
      (state) =>
        isMember(state) &&
        every(state, "lrm_resource").some(
          (entry) =>
            idOf(entry) === container &&
            entry.children.some((op) => op.attributes.get("operation") === "start"),
        ),
    );
    const up = running.length > 0 && random.chance(0.8);
    if (up) for (const state of running) historiesOf(state).children.push(connection(wide, id, container));
    if (!random.chance(0.85)) continue;
    const state = remoteState(wide, id, up);
    // What makes the node cannot run on it.
    occupy(
      { ...wide, sketch: { ...sketch, instances: sketch.instances.filter((each) => each.id !== container) } },
      state,
      up,
    );
    status?.children.push(state);
  }
};

function connection({ random }: Wide, id: string, container: string): XmlElement {
  const guestMonitor: Done = { task: "monitor", interval: 30_000 };
  const operations = random.pick<readonly Done[]>([
    [start, guestMonitor],
    [start, guestMonitor],
    [start, guestMonitor],
    [start],
    [start, { ...guestMonitor, rc: 1, status: 4 }],
    [{ ...start, rc: 1, status: 4 }],
  ]);
  const entry = entries(id, operations, 80, remoteAgent);
  entry.attributes.set("container", container);
  return entry;
}
