import { element, type XmlElement } from "../../src/cib/index.ts";
import { nvset } from "../scheduler/nvset.ts";

/** What a big cluster consists of. */
export interface BigCluster {
  readonly nodes: number;
  readonly primitives?: number;
  readonly groups?: number;
  /** Members of each group. */
  readonly members?: number;
  readonly clones?: number;
  /** Promotable clones, each with a primitive that runs where it is promoted. */
  readonly promotable?: number;
  /** Nodes have capacities, primitives need some of them, and placement is balanced. */
  readonly utilization?: boolean;
  /** Every fifth group starts after the one before it, and every fifth after that stays away from it. */
  readonly constraints?: boolean;
}

/** Everything runs, evenly spread; the same but the last node was lost; or nothing was ever looked for. */
export type BigState = "running" | "lost" | "new";

/** The clusters that the benchmark decides about. */
export const bigClusters = {
  p512n2: { nodes: 2, primitives: 512 },
  p240n16: { nodes: 16, primitives: 240 },
  p1000n32u: { nodes: 32, primitives: 1000, utilization: true },
  c200n16: { nodes: 16, clones: 200 },
  g100n16: { nodes: 16, groups: 100, members: 5, constraints: true },
  m50n16: { nodes: 16, promotable: 50 },
} as const satisfies Readonly<Record<string, BigCluster>>;

/** One resource as far as its history goes: where it is active, and promoted. */
interface Life {
  readonly id: string;
  readonly agent: Readonly<Record<string, string>>;
  readonly on: readonly number[];
  readonly promotedOn?: number;
}

const now = 1_700_000_000;
/** Digests of no parameters, and of a timeout of 20 s alone. */
const digests = {
  start: "f2317cad3d54cec5d7d7aa7d0bf35cf8",
  promote: "f2317cad3d54cec5d7d7aa7d0bf35cf8",
  monitor: "4811cef7f7f94e3a35a70be7916cb2fd",
} as const;
const dummy = { class: "ocf", provider: "pacemaker", type: "Dummy" };
const stateful = { ...dummy, type: "Stateful" };
const numbered = (prefix: string, at: number): string => `${prefix}${String(at + 1).padStart(4, "0")}`;

// biome-ignore lint/suspicious/noThenProperty: the attribute of the schema has this name
const following = (rsc: string) => ({ then: rsc });

/** The cluster as a whole CIB; the same words give the same cluster. */
export function bigCluster(shape: BigCluster, state: BigState): XmlElement {
  const sketch = new Sketch(shape);
  const properties: [string, string][] = [
    ["stonith-enabled", "true"],
    ["no-quorum-policy", "stop"],
  ];
  // Where primitives only are spread evenly nothing has to move; groups would, without a reason to stay.
  const defaults: [string, string][] = shape.groups ? [["resource-stickiness", "1000"]] : [];
  if (shape.utilization) properties.push(["placement-strategy", "balanced"]);
  return element(
    "cib",
    {
      "validate-with": "pacemaker-3.9",
      crm_feature_set: "3.16.1",
      admin_epoch: 0,
      epoch: 1,
      num_updates: 0,
      "have-quorum": 1,
      "dc-uuid": 1,
      "execution-date": now,
    },
    [
      element("configuration", {}, [
        element("crm_config", {}, nvset("cluster_property_set", "options", properties)),
        element("nodes", {}, sketch.nodes),
        element("resources", {}, sketch.resources),
        element("constraints", {}, sketch.constraints),
        element("rsc_defaults", {}, nvset("meta_attributes", "defaults", defaults)),
      ]),
      element(
        "status",
        {},
        Array.from({ length: shape.nodes }, (_, at) => sketch.nodeState(at, state)),
      ),
    ],
  );
}

class Sketch {
  readonly nodes: XmlElement[];
  readonly resources: XmlElement[] = [];
  readonly constraints: XmlElement[] = [];
  readonly #shape: BigCluster;
  readonly #lives: Life[] = [];
  /** Node that the next primitive runs on. */
  #next = 0;

  constructor(shape: BigCluster) {
    this.#shape = shape;
    this.nodes = Array.from({ length: shape.nodes }, (_, at) => {
      const capacity = nvset("utilization", numbered("node", at), [
        ["cpu", "64"],
        ["memory", "131072"],
      ]);
      return element("node", { id: at + 1, uname: numbered("node", at) }, shape.utilization ? capacity : []);
    });
    this.#addFencing();
    for (let at = 0; at < (shape.primitives ?? 0); at++)
      this.resources.push(this.#primitive(numbered("p", at), dummy, [this.#turn()]));
    for (let at = 0; at < (shape.groups ?? 0); at++) this.#addGroup(at);
    for (let at = 0; at < (shape.clones ?? 0); at++) this.#addClone(at);
    for (let at = 0; at < (shape.promotable ?? 0); at++) this.#addPromotable(at);
  }

  #turn(): number {
    const at = this.#next;
    this.#next = (at + 1) % this.#shape.nodes;
    return at;
  }

  get #everywhere(): number[] {
    return this.nodes.map((_, at) => at);
  }

  #addFencing(): void {
    const agent = { class: "stonith", type: "fence_dummy" };
    this.resources.push(this.#primitive("fencing", agent, [this.#turn()]));
  }

  #primitive(
    id: string,
    agent: Readonly<Record<string, string>>,
    on: readonly number[],
    promotedOn?: number,
  ): XmlElement {
    this.#lives.push({ id, agent, on, ...(promotedOn === undefined ? {} : { promotedOn }) });
    const monitor = (name: string, interval: number, role?: string) =>
      element("op", { id: `${id}-${name}`, name: "monitor", interval: `${interval}s`, timeout: "20s", role });
    const monitors =
      promotedOn === undefined
        ? [monitor("monitor", 10)]
        : [monitor("promoted", 10, "Master"), monitor("unpromoted", 11, "Slave")];
    const need = nvset("utilization", id, [
      ["cpu", "1"],
      ["memory", "512"],
    ]);
    const utilization = this.#shape.utilization && agent === dummy ? need : [];
    return element("primitive", { id, ...agent }, [...utilization, element("operations", {}, monitors)]);
  }

  #addGroup(at: number): void {
    const id = numbered("g", at);
    const node = this.#turn();
    const members = Array.from({ length: this.#shape.members ?? 3 }, (_, member) =>
      this.#primitive(`${id}m${member + 1}`, dummy, [node]),
    );
    this.resources.push(element("group", { id }, members));
    const before = numbered("g", at - 1);
    if (!this.#shape.constraints || at === 0) return;
    if (at % 5 === 3)
      this.constraints.push(element("rsc_order", { id: `order-${id}`, first: before, ...following(id) }));
    if (at % 5 === 0)
      this.constraints.push(
        element("rsc_colocation", { id: `apart-${id}`, rsc: id, "with-rsc": before, score: -100 }),
      );
  }

  #addClone(at: number): void {
    const id = numbered("c", at);
    const meta = nvset("meta_attributes", id, [["interleave", "true"]]);
    this.resources.push(
      element("clone", { id }, [...meta, this.#primitive(`${id}p`, dummy, this.#everywhere)]),
    );
  }

  #addPromotable(at: number): void {
    const id = numbered("m", at);
    const node = this.#turn();
    const meta = nvset("meta_attributes", id, [
      ["promotable", "true"],
      ["clone-max", "3"],
      ["notify", "true"],
    ]);
    const { length } = this.nodes;
    const on = [node, (node + 1) % length, (node + 2) % length];
    this.resources.push(element("clone", { id }, [...meta, this.#primitive(`${id}p`, stateful, on, node)]));
    const beside = numbered("with-m", at);
    this.resources.push(this.#primitive(beside, dummy, [node]));
    this.constraints.push(
      element("rsc_colocation", {
        id: `colocation-${id}`,
        rsc: beside,
        "with-rsc": id,
        "with-rsc-role": "Master",
        score: "INFINITY",
      }),
      element("rsc_order", {
        id: `order-${id}`,
        first: id,
        "first-action": "promote",
        ...following(beside),
        "then-action": "start",
      }),
    );
  }

  nodeState(at: number, state: BigState): XmlElement {
    const id = at + 1;
    const uname = numbered("node", at);
    const gone = state === "lost" && at === this.nodes.length - 1;
    const scores = this.#lives.flatMap(({ id: rsc, on, promotedOn }): [string, string][] =>
      promotedOn !== undefined && on.includes(at) ? [[`master-${rsc}`, promotedOn === at ? "10" : "5"]] : [],
    );
    const histories = this.#lives.map((life, index) => this.#history(life, index, at, uname));
    return element(
      "node_state",
      {
        id,
        uname,
        in_ccm: gone ? "false" : "true",
        crmd: gone ? "offline" : "online",
        join: gone ? "down" : "member",
        expected: "member",
      },
      state === "new"
        ? []
        : [
            ...(scores.length > 0
              ? [
                  element(
                    "transient_attributes",
                    { id },
                    nvset("instance_attributes", `status-${id}`, scores),
                  ),
                ]
              : []),
            element("lrm", { id }, [element("lrm_resources", {}, histories)]),
          ],
    );
  }

  #history({ id, agent, on, promotedOn }: Life, index: number, at: number, uname: string): XmlElement {
    const entry = (name: string, task: keyof typeof digests, seconds: number, rc: number, call: number) => {
      const key = `${call}:1:${rc}:00000000-0000-4000-8000-000000000000`;
      return element("lrm_rsc_op", {
        id: `${id}_${name}`,
        operation_key: `${id}_${task}_${seconds * 1000}`,
        operation: task,
        crm_feature_set: "3.16.1",
        "transition-key": key,
        "transition-magic": `0:${rc};${key}`,
        "call-id": call,
        "rc-code": rc,
        "op-status": 0,
        interval: seconds * 1000,
        "last-rc-change": now - 10_000,
        "op-digest": task === "monitor" && seconds === 0 ? digests.start : digests[task],
        on_node: uname,
      });
    };
    const call = 3 * index + 1;
    const promoted = promotedOn === at;
    const seconds = promotedOn === undefined || promoted ? 10 : 11;
    const operations = on.includes(at)
      ? [
          entry("last_0", promoted ? "promote" : "start", 0, 0, call),
          entry(`monitor_${seconds * 1000}`, "monitor", seconds, promoted ? 8 : 0, call + 1),
        ]
      : [entry("last_0", "monitor", 0, 7, call)];
    return element("lrm_resource", { id, ...agent }, operations);
  }
}
