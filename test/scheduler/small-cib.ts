import { parseXml } from "../../src/cib/index.ts";
import {
  type GraphAction,
  rulesOf,
  scheduleCluster,
  type Transition,
  unpackCluster,
} from "../../src/scheduler/index.ts";

/** Time at which the small clusters are scheduled. */
export const smallNow = 1_700_000_000;

/** Parts of a small cluster, as XML. */
export interface SmallCluster {
  readonly properties?: Readonly<Record<string, string>>;
  /** Names of the nodes; all are members unless `states` says otherwise. */
  readonly nodes?: readonly string[];
  /** What is inside the definitions of the nodes, such as their capacity. */
  readonly nodeContents?: Readonly<Record<string, string>>;
  readonly resources: string;
  readonly constraints?: string;
  /** Attributes of the node states that differ from those of a member. */
  readonly states?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** History of each node: what `history` makes. */
  readonly histories?: Readonly<Record<string, string>>;
  readonly quorate?: boolean;
  /** More of the node states, such as transient attributes. */
  readonly extra?: Readonly<Record<string, string>>;
}

/** Digest of no parameters at all. */
const emptyDigest = "f2317cad3d54cec5d7d7aa7d0bf35cf8";
/** Digest of a monitor's time-out of 20 s alone. */
const timeoutDigest = "4811cef7f7f94e3a35a70be7916cb2fd";

/** A primitive of the agent ocf:heartbeat:Dummy with a monitor every 10 s, or with `inner` instead. */
export const primitive = (id: string, inner?: string): string =>
  `<primitive id="${id}" class="ocf" provider="heartbeat" type="Dummy">${
    inner ?? `<operations><op id="${id}-monitor" name="monitor" interval="10s"/></operations>`
  }</primitive>`;

/** A block of meta attributes. */
export const meta = (id: string, values: Readonly<Record<string, string>>): string => {
  const pairs = Object.entries(values).map(
    ([name, value]) => `<nvpair id="${id}-meta-${name}" name="${name}" value="${value}"/>`,
  );
  return `<meta_attributes id="${id}-meta">${pairs.join("")}</meta_attributes>`;
};

/** A block of utilization attributes: what a resource needs, or what a node has. */
export const utilization = (id: string, values: Readonly<Record<string, number>>): string => {
  const pairs = Object.entries(values).map(
    ([name, value]) => `<nvpair id="${id}-use-${name}" name="${name}" value="${value}"/>`,
  );
  return `<utilization id="${id}-use">${pairs.join("")}</utilization>`;
};

/** One operation of a history, in the order in which they are given. */
export interface Done {
  readonly task: string;
  readonly interval?: number;
  readonly rc?: number;
  /** Exit code that was expected. */
  readonly expected?: number;
  readonly attributes?: string;
}

/** The history of a resource on a node. Results differ from what was expected only where `rc` says so. */
export function history(id: string, ...operations: readonly Done[]): string {
  const entries = operations.map(({ task, interval = 0, rc, expected, attributes = "" }, index) => {
    const wanted = expected ?? (task === "monitor" && interval === 0 ? 7 : 0);
    const code = rc ?? wanted;
    const status = code === wanted ? 0 : 4;
    const digest = interval > 0 ? timeoutDigest : emptyDigest;
    return (
      `<lrm_rsc_op id="${id}_${task}_${interval}" operation="${task}" operation_key="${id}_${task}_${interval}" ` +
      `interval="${interval}" call-id="${index + 1}" rc-code="${code}" op-status="${status}" op-digest="${digest}" ` +
      `transition-key="1:1:${wanted}:x" transition-magic="${status}:${code};1:1:${wanted}:x" ` +
      `last-rc-change="${smallNow - 100 + index}" ${attributes}/>`
    );
  });
  return `<lrm_resource id="${id}" class="ocf" provider="heartbeat" type="Dummy">${entries.join("")}</lrm_resource>`;
}

/** It runs, with its monitor. */
export const running = (id: string): string =>
  history(id, { task: "start" }, { task: "monitor", interval: 10_000 });

/** It was looked for and not found. */
export const stopped = (id: string): string => history(id, { task: "monitor" });

/** Schedules a small cluster, by the rules of a release. Without fencing, unless the properties say otherwise. */
export function decideSmall(cluster: SmallCluster, release: "2.1" | "3.0" = "3.0"): Transition {
  return scheduleCluster(unpackCluster(parseXml(smallCib(cluster)), smallNow, rulesOf[release]));
}

export function smallCib({
  properties = {},
  nodes = ["n1", "n2"],
  nodeContents = {},
  resources,
  constraints = "",
  states = {},
  histories = {},
  quorate = true,
  extra = {},
}: SmallCluster): string {
  const options = { "stonith-enabled": "false", ...properties };
  const pairs = Object.entries(options).map(
    ([name, value]) => `<nvpair id="o-${name}" name="${name}" value="${value}"/>`,
  );
  const state = (name: string, index: number) => {
    const attributes = {
      in_ccm: "true",
      crmd: "online",
      join: "member",
      expected: "member",
      ...states[name],
    };
    const text = Object.entries(attributes).map(([key, value]) => `${key}="${value}"`);
    return (
      `<node_state id="${index + 1}" uname="${name}" ${text.join(" ")}><lrm id="${index + 1}"><lrm_resources>` +
      `${histories[name] ?? ""}</lrm_resources></lrm>${extra[name] ?? ""}</node_state>`
    );
  };
  return (
    `<cib validate-with="pacemaker-3.9" have-quorum="${quorate ? 1 : 0}" dc-uuid="1"><configuration><crm_config>` +
    `<cluster_property_set id="o">${pairs.join("")}</cluster_property_set></crm_config><nodes>` +
    `${nodes.map((name, index) => `<node id="${index + 1}" uname="${name}">${nodeContents[name] ?? ""}</node>`).join("")}</nodes>` +
    `<resources>${resources}</resources><constraints>${constraints}</constraints></configuration>` +
    `<status>${nodes.map(state).join("")}</status></cib>`
  );
}

/** Keys of the actions with their nodes, sorted; pseudo actions in brackets. */
export const shownActions = ({ actions }: Transition): string[] =>
  actions
    .map(({ key, node, kind }) => (kind === "pseudo" ? `[${key}]` : `${key} ${node ?? ""}`.trim()))
    .sort();

/** Whether an action comes, directly or not, before another. Throws when one of them is not in the transition. */
export function isBefore({ actions }: Transition, first: string, then: string): boolean {
  const byId = new Map(actions.map((action) => [action.id, action]));
  const find = (key: string): GraphAction => {
    const [wanted, node] = key.split(" ");
    const found = actions.find(
      (action) => action.key === wanted && (node === undefined || action.node === node),
    );
    if (!found) throw new Error(`no action ${key} among ${actions.map((action) => action.key).join(", ")}`);
    return found;
  };
  const target = find(first);
  const pending = [find(then)];
  const seen = new Set<number>();
  for (let action = pending.pop(); action; action = pending.pop())
    for (const id of action.inputs) {
      if (id === target.id) return true;
      const input = byId.get(id);
      if (!input || seen.has(id)) continue;
      seen.add(id);
      pending.push(input);
    }
  return false;
}

/** Keys of what the action with a key waits for itself, not through others. */
export function waitsFor({ actions }: Transition, key: string): string[] {
  const inputs = actions.find((action) => action.key === key)?.inputs ?? [];
  return actions.filter(({ id }) => inputs.includes(id)).map((action) => action.key);
}
