import { parseXml, type XmlElement } from "../../src/cib/index.ts";

/** A history entry: resource, task, interval, exit code, and what else differs from a plain success. */
export interface Done {
  readonly rsc: string;
  readonly task: string;
  readonly intervalMs?: number;
  readonly rc?: number;
  readonly expected?: number;
  readonly status?: number;
  readonly at?: number;
  readonly reason?: string;
  readonly failure?: boolean;
}

export interface NodeFixture {
  readonly name: string;
  readonly state?: "online" | "offline" | "lost";
  /** Permanent attributes. */
  readonly attributes?: Readonly<Record<string, string>>;
  readonly transient?: Readonly<Record<string, string>>;
  readonly done?: readonly Done[];
}

export interface ClusterFixture {
  readonly nodes: readonly NodeFixture[];
  readonly resources?: string;
  readonly constraints?: string;
  readonly properties?: Readonly<Record<string, string>>;
  readonly quorum?: boolean;
  readonly tickets?: string;
  readonly head?: string;
}

const agents: Readonly<Record<string, string>> = {
  ip: 'class="ocf" provider="heartbeat" type="IPaddr2"',
  web: 'class="ocf" provider="heartbeat" type="apache"',
  db: 'class="ocf" provider="heartbeat" type="pgsql"',
  ping: 'class="ocf" provider="pacemaker" type="ping"',
  fence: 'class="stonith" type="fence_ipmilan"',
};
/** Agent of a resource by the beginning of its id. */
export const agentOf = (rsc: string): string =>
  agents[rsc.replace(/[-:\d].*$/, "")] ?? 'class="ocf" provider="pacemaker" type="Dummy"';

/** A primitive with that agent and whatever is to stand inside. */
export const primitive = (id: string, inside = ""): string =>
  `<primitive id="${id}" ${agentOf(id)}>${inside}</primitive>`;

const pairs = (id: string, values: Readonly<Record<string, string>>): string =>
  Object.entries(values)
    .map(
      ([name, value]) =>
        `<nvpair id="${id}-${name.replace(/[^\w.-]/g, ".")}" name="${name}" value="${value}"/>`,
    )
    .join("");

/** Meta attributes. */
export const meta = (id: string, values: Readonly<Record<string, string>>): string =>
  `<meta_attributes id="${id}-meta">${pairs(`${id}-meta`, values)}</meta_attributes>`;

const states = {
  online: 'in_ccm="true" crmd="online" join="member" expected="member"',
  offline: 'in_ccm="false" crmd="offline" join="down" expected="down"',
  lost: 'in_ccm="false" crmd="offline" join="down" expected="member"',
} as const;

function history(node: string, done: readonly Done[]): string {
  const byRsc = Map.groupBy(done, ({ rsc }) => rsc);
  let call = 0;
  const resources = [...byRsc].map(([rsc, list]) => {
    const ops = list.map((entry) => {
      call++;
      const {
        task,
        intervalMs = 0,
        rc = 0,
        expected = rc,
        status = 0,
        at = 1_700_000_000,
        reason = "",
      } = entry;
      const id = entry.failure
        ? `${rsc}_last_failure_0`
        : intervalMs > 0
          ? `${rsc}_${task}_${intervalMs}`
          : `${rsc}_last_0`;
      const key = `${call}:1:${entry.failure ? 0 : expected}:00000000-0000-0000-0000-000000000000`;
      return (
        `<lrm_rsc_op id="${id}" operation_key="${rsc}_${task}_${intervalMs}" operation="${task}" interval="${intervalMs}" ` +
        `transition-key="${key}" transition-magic="${status}:${rc};${key}" call-id="${call}" rc-code="${rc}" op-status="${status}" ` +
        `last-rc-change="${at}" exec-time="20" queue-time="0" exit-reason="${reason}" on_node="${node}"/>`
      );
    });
    return `<lrm_resource id="${rsc}" ${agentOf(rsc)}>${ops.join("")}</lrm_resource>`;
  });
  return `<lrm id="${node}"><lrm_resources>${resources.join("")}</lrm_resources></lrm>`;
}

/** The `<cib>` of a cluster: node ids are their numbers, the first node is the DC. */
export function cibText(fixture: ClusterFixture): string {
  const { nodes, resources = "", constraints = "", properties = {}, quorum = true, tickets = "" } = fixture;
  const configured = nodes.map(({ name, attributes }, at) => {
    const inside = attributes
      ? `<instance_attributes id="nodes-${at + 1}">${pairs(`nodes-${at + 1}`, attributes)}</instance_attributes>`
      : "";
    return `<node id="${at + 1}" uname="${name}">${inside}</node>`;
  });
  const status = nodes.map(({ name, state = "online", transient, done = [] }, at) => {
    const id = at + 1;
    const attributes = transient
      ? `<transient_attributes id="${id}"><instance_attributes id="status-${id}">${pairs(`status-${id}`, transient)}</instance_attributes></transient_attributes>`
      : "";
    return `<node_state id="${id}" uname="${name}" ${states[state]}>${attributes}${history(name, done)}</node_state>`;
  });
  return (
    `<cib validate-with="pacemaker-3.9" admin_epoch="0" epoch="7" num_updates="3" crm_feature_set="3.19.0" ` +
    `have-quorum="${quorum ? 1 : 0}" dc-uuid="1" cib-last-written="Sat Nov 21 10:00:00 2026" update-origin="${nodes[0]?.name}" ` +
    `update-client="cibadmin" update-user="root" ${fixture.head ?? ""}><configuration><crm_config>` +
    `<cluster_property_set id="cib-bootstrap-options">${pairs("cib-bootstrap-options", properties)}</cluster_property_set>` +
    `</crm_config><nodes>${configured.join("")}</nodes><resources>${resources}</resources>` +
    `<constraints>${constraints}</constraints></configuration><status>${tickets}${status.join("")}</status></cib>`
  );
}

/** The same as elements. */
export const cib = (fixture: ClusterFixture): XmlElement => parseXml(cibText(fixture));

/** Two nodes, a group on the first, a clone on both, a promoted database on the first; all in order. */
export const healthy: ClusterFixture = {
  nodes: [
    {
      name: "alpha",
      transient: { default_ping_set: "100", "master-db": "100" },
      done: [
        { rsc: "fence1", task: "start" },
        { rsc: "ip", task: "start" },
        { rsc: "web", task: "start" },
        { rsc: "web", task: "monitor", intervalMs: 10_000 },
        { rsc: "ping", task: "start" },
        { rsc: "db", task: "promote" },
      ],
    },
    {
      name: "beta",
      transient: { default_ping_set: "100", "master-db": "10" },
      done: [
        { rsc: "ip", task: "monitor", rc: 7 },
        { rsc: "web", task: "monitor", rc: 7 },
        { rsc: "ping", task: "start" },
        { rsc: "db", task: "start" },
      ],
    },
  ],
  properties: { "cluster-infrastructure": "corosync", "dc-version": "0.1.0", "cluster-name": "demo" },
  resources:
    primitive("fence1") +
    `<group id="grp">${primitive("ip")}${primitive("web", '<operations><op id="web-m" name="monitor" interval="10s" timeout="20s"/></operations>')}</group>` +
    `<clone id="ping-clone">${primitive("ping", '<instance_attributes id="pa"><nvpair id="pa-h" name="host_list" value="192.0.2.1"/><nvpair id="pa-n" name="name" value="default_ping_set"/><nvpair id="pa-m" name="multiplier" value="100"/></instance_attributes>')}</clone>` +
    `<clone id="db-clone">${meta("db-clone", { promotable: "true" })}${primitive("db")}</clone>`,
};
