import { element, type XmlElement } from "../../../src/cib/index.ts";
import { nvset } from "../nvset.ts";
import { generatedAt } from "../random-cluster.ts";
import { history } from "../random-status.ts";
import {
  every,
  type Feature,
  historiesOf,
  idOf,
  isFencing,
  isMember,
  nodeStates,
  primitivesOf,
  setValue,
  type Wide,
} from "./wide.ts";

/** What an operation of a history was and how it ended. */
export interface Done {
  readonly task: string;
  readonly rc?: number;
  readonly expected?: number;
  readonly interval?: number;
  readonly status?: number;
  readonly more?: Readonly<Record<string, string>>;
}

/** The entries of a resource of agent ocf:pacemaker:Dummy, or of another, oldest operation first. */
export function entries(
  id: string,
  operations: readonly Done[],
  firstCall: number,
  agent: { readonly class: string; readonly provider?: string; readonly type: string } = {
    class: "ocf",
    provider: "pacemaker",
    type: "Dummy",
  },
): XmlElement {
  return element(
    "lrm_resource",
    { id, class: agent.class, provider: agent.provider, type: agent.type },
    operations.map(({ task, rc = 0, expected = 0, interval = 0, status = 0, more = {} }, at) => {
      const key = `${at + 1}:7:${expected}:11111111-2222-4333-8444-666666666666`;
      return element("lrm_rsc_op", {
        id: `${id}_${task}_${interval}_${at}`,
        operation_key: `${id}_${task}_${interval}`,
        operation: task,
        crm_feature_set: "3.16.1",
        "transition-key": key,
        "transition-magic": `${status}:${rc};${key}`,
        "call-id": status < 0 ? -1 : firstCall + at,
        "rc-code": rc,
        "op-status": status,
        interval,
        "last-rc-change": generatedAt - (status < 0 ? 10 : 2000) + at,
        ...more,
      });
    }),
  );
}

const digest = (pairs: readonly (readonly [string, string])[]) =>
  new Bun.CryptoHasher("md5")
    .update(` <parameters${pairs.map(([name, value]) => ` ${name}="${value}"`).join("")}/>\n`)
    .digest("hex");

/** Parameters that changed since a resource was started: those that need a restart, those that can be reloaded. */
export const changedParameters: Feature = (wide) => {
  const { random } = wide;
  for (const primitive of primitivesOf(wide)) {
    if (isFencing(primitive) || !random.chance(0.5)) continue;
    const values = [
      ["fake", "new"],
      ["op_sleep", "1"],
    ] as const;
    const older = [
      ["fake", random.pick(["new", "old"])],
      ["op_sleep", random.pick(["1", "0"])],
    ] as const;
    primitive.children.push(...nvset("instance_attributes", `${idOf(primitive)}-changed`, values));
    const reloadable = random.chance(0.5);
    const timeout = ["CRM_meta_timeout", "20000"] as const;
    for (const entry of every(wide.cib, "lrm_resource")) {
      if ((entry.attributes.get("id") ?? "").replace(/:\d+$/, "") !== idOf(primitive)) continue;
      for (const op of entry.children) {
        const recurring = op.attributes.get("interval") !== "0";
        const task = op.attributes.get("operation") ?? "";
        if (recurring) op.attributes.set("op-digest", digest([timeout, ...older]));
        else op.attributes.set("op-digest", digest(older));
        if (!reloadable || recurring || task === "stop") continue;
        op.attributes.set("op-force-restart", " fake ");
        op.attributes.set("op-restart-digest", digest(older.slice(0, 1)));
      }
    }
  }
};

/** Histories of resources that are configured no more, or by another agent, and of nodes nobody knows. */
export const strangers: Feature = (wide) => {
  const { random } = wide;
  const gone = Array.from({ length: random.between(1, 2) }, (_, at) => ({
    id: random.pick([`gone${at}`, `gone${at}`, `gone${at}:1`]),
    class: "ocf" as const,
    type: random.pick(["Dummy", "Stateful"]),
    promotable: random.chance(0.3),
    copies: 1,
    unique: false,
    migratable: false,
  }));
  for (const [at, state] of nodeStates(wide).entries()) {
    const node = state.attributes.get("uname") ?? "";
    for (const rsc of gone) {
      if (!random.chance(0.5)) continue;
      const how = random.pick([
        "started",
        "stopped",
        "stopped",
        "failed-monitor",
        "failed-start",
        "failed-stop",
      ] as const);
      historiesOf(state).children.push(
        history(rsc, rsc.promotable && how === "started" ? "promoted" : how, node, at + 30),
      );
    }
  }
  for (const entry of every(wide.cib, "lrm_resource"))
    if (random.chance(0.03) && entry.attributes.get("type") === "Dummy")
      entry.attributes.set("type", "Stateful");
  if (!random.chance(0.4)) return;
  const [status] = every(wide.cib, "status");
  const member = random.chance(0.5);
  const state = element("node_state", {
    id: 99,
    uname: "stranger",
    in_ccm: member ? "true" : "false",
    crmd: member ? "online" : "offline",
    join: member ? "member" : "down",
    expected: member ? "member" : "down",
  });
  const rsc = random.pick(wide.sketch.instances);
  historiesOf(state).children.push(history(rsc, random.pick(["stopped", "started"]), "stranger", 40));
  status?.children.push(state);
};

/** Migrations that are under way, were interrupted or failed. */
export const migrations: Feature = (wide) => {
  const { random } = wide;
  const members = nodeStates(wide);
  if (members.length < 2) return;
  const inside = new Set(wide.sketch.instances.filter(({ copies }) => copies > 1).map(({ id }) => id));
  for (const primitive of primitivesOf(wide)) {
    const id = idOf(primitive);
    if (isFencing(primitive) || inside.has(id) || !random.chance(0.4)) continue;
    if (random.chance(0.8)) setValue(primitive, "meta_attributes", "allow-migrate", "true");
    const [source, target, third] = random.shuffle(members);
    if (!source || !target) continue;
    forget(wide, id);
    const names = {
      migrate_source: source.attributes.get("uname") ?? "",
      migrate_target: target.attributes.get("uname") ?? "",
    };
    const away: Done = { task: "migrate_to", more: names };
    const arrived: Done = { task: "migrate_from", more: names };
    const start: Done = { task: "start" };
    const monitor: Done = { task: "monitor", interval: 10_000 };
    const pending = { status: -1, rc: 193 };
    const failed = { rc: 1, status: 0 };
    const [onSource, onTarget] = random.pick<readonly [readonly Done[], readonly Done[]]>([
      [[start, { ...away, ...pending }], []],
      [[start, away], []],
      [[start, away], [{ ...arrived, ...pending }]],
      [[start, away], [arrived]],
      [
        [start, away],
        [arrived, monitor],
      ],
      [[start, away], [{ ...arrived, ...failed }]],
      [[start, { ...away, ...failed }], []],
      [[start, { ...away, ...failed }], [{ task: "stop" }]],
      [
        [start, away, { task: "stop" }],
        [arrived, monitor],
      ],
      [[start, away, { task: "stop" }], [{ ...arrived, ...failed }]],
    ]);
    if (onSource.length > 0) historiesOf(source).children.push(entries(id, onSource, 50));
    if (onTarget.length > 0) historiesOf(target).children.push(entries(id, onTarget, 60));
    const probed: Done = { task: "monitor", rc: 7, expected: 7 };
    if (onTarget.length === 0 && random.chance(0.7))
      historiesOf(target).children.push(entries(id, [probed], 20));
    if (third) historiesOf(third).children.push(entries(id, [probed], 20));
  }
};

/** Takes away what all nodes know of a resource. */
export function forget({ cib }: Pick<Wide, "cib">, id: string): void {
  for (const histories of every(cib, "lrm_resources"))
    histories.children = histories.children.filter((each) => idOf(each) !== id);
}

/** Operations that have no result yet, of every kind. */
export const pendingOperations: Feature = (wide) => {
  const { random } = wide;
  for (const state of nodeStates(wide)) {
    if (!isMember(state)) continue;
    for (const entry of every(state, "lrm_resource")) {
      if (!random.chance(0.15)) continue;
      const last = entry.children.at(-1);
      const [task, interval] = random.pick([
        ["monitor", 0],
        ["start", 0],
        ["stop", 0],
        ["monitor", 10_000],
      ] as const);
      // A node does one thing at a time with a resource.
      const busy = last?.attributes.get("op-status") === "-1";
      if (!last || busy || (entry.attributes.get("class") === "stonith" && task === "stop")) continue;
      const id = idOf(entry);
      const key = `30:9:${task === "monitor" && interval === 0 ? 7 : 0}:11111111-2222-4333-8444-777777777777`;
      if (task === "monitor" && interval === 0) entry.children = [];
      entry.children.push(
        element("lrm_rsc_op", {
          id: `${id}_pending_0`,
          operation_key: `${id}_${task}_${interval}`,
          operation: task,
          crm_feature_set: "3.16.1",
          "transition-key": key,
          "transition-magic": `-1:193;${key}`,
          "call-id": -1,
          "rc-code": 193,
          "op-status": -1,
          interval,
          "last-rc-change": generatedAt - 5,
        }),
      );
    }
  }
};
