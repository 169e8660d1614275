import type { Json } from "./values.ts";

const at = 1_767_225_800;
const rsc = { id: "a", class: "ocf", provider: "test", type: "A" };
const operation = {
  callId: 40,
  rsc,
  action: "monitor",
  intervalMs: 10_000,
  timeoutMs: 20_000,
  startDelayMs: 0,
  params: { x: "y", CRM_meta_timeout: "20000", CRM_meta_interval: "10000", CRM_meta_operation: "monitor" },
  transitionKey: "3:1:0:i1-0",
};
const result = {
  callId: 41,
  rsc,
  action: "start",
  intervalMs: 0,
  transitionKey: "3:1:0:i1-0",
  rc: 0,
  status: 0,
  exitReason: "why",
  stdout: "",
  execMs: 12,
  queueMs: 0,
  lastRun: at,
  lastChange: at,
  params: { x: "y" },
};
const failed = {
  ...result,
  rc: 1,
  status: 4,
  action: "monitor",
  intervalMs: 10_000,
  rsc: { ...rsc, id: "b", type: "B" },
};
const history = {
  results: [result, failed],
  running: [{ ...operation, intervalMs: 0 }],
  interrupted: [{ ...operation, action: "stop", intervalMs: 0, callId: 39 }],
  remembered: ["b"],
  bootId: "boot-1",
  complete: true,
};
/** What a daemon tells that has found no trace of what ran before it. */
const untold = { ...history, results: [], running: [], bootId: "boot-9", complete: false };
/** Stands for the membership that the cluster is in, or that it is about to be in. */
export const MEMBERSHIP = "THE-MEMBERSHIP";
const updates = [
  { node: "n1", name: "pingd", value: "100", dampenMs: 0 },
  { node: "n2", name: "master-a", value: "value++", private: false, set: "attributes" },
  {
    node: "n3",
    name: "cpu",
    value: "4",
    set: "utilization",
    dampenMs: 1000,
    dampenIfNew: true,
    delayOnly: false,
  },
];
const diff =
  `<diff format="2"><version><source admin_epoch="0" epoch="2" num_updates="0"/></version><change operation="modify" path="/cib/status">` +
  `<change-list><change-attr name="x" operation="set" value="v"/></change-list></change><change operation="create" path="/cib/configuration/resources" position="1">` +
  `<primitive id="new" class="ocf" provider="test" type="A"/></change><change operation="move" path="/cib/configuration/resources/primitive[@id='a']" position="0"/>` +
  `<change operation="delete" path="/cib/configuration/constraints/rsc_order[@id='o']"/></diff>`;
const state =
  `<node_state id="2" uname="n2" in_ccm="true" crmd="online" join="member" expected="member"><transient_attributes id="2">` +
  `<instance_attributes id="status-2"><nvpair id="status-2-x" name="x" value="1"/></instance_attributes></transient_attributes>` +
  `<lrm id="2"><lrm_resources><lrm_resource id="a" class="ocf" provider="test" type="A"><lrm_rsc_op id="a_last_0" operation_key="a_start_0" operation="start" ` +
  `crm_feature_set="3.20.5" transition-key="3:1:0:x" transition-magic="0:0;3:1:0:x" call-id="7" rc-code="0" op-status="0" interval="0" last-rc-change="1767225600"/>` +
  `</lrm_resource></lrm_resources></lrm></node_state>`;

/** Operations on the CIB of every kind. */
const operations: Json[] = [
  {
    op: "create",
    xml: `<primitive id="d" class="ocf" provider="test" type="A"><meta_attributes id="dm"><nvpair id="dr" name="target-role" value="Stopped"/></meta_attributes></primitive>`,
  },
  {
    op: "create",
    scope: "constraints",
    xml: `<rsc_location id="l" rsc="a" rsc-role="Started"><rule id="lr" score="INFINITY" boolean-op="or"><expression id="le" attribute="#uname" operation="eq" value="n1"/><date_expression id="ld" operation="in_range" start="2026-01-01" end="2027-01-01"/></rule></rsc_location>`,
  },
  { op: "create", xml: `<rsc_location id="lp" rsc-pattern="^(a|b)$" node="n2" score="5"/>` },
  {
    op: "modify",
    create: true,
    xml: `<crm_config><cluster_property_set id="cps"><nvpair id="ps" name="no-quorum-policy" value="stop"/><nvpair id="pm" name="maintenance-mode" value="false"/></cluster_property_set></crm_config>`,
  },
  {
    op: "modify",
    xml: `<primitive id="a"><operations><op id="am" name="monitor" interval="10s" timeout="30s" on-fail="restart"/></operations><utilization id="au"><nvpair id="auc" name="cpu" value="1"/></utilization></primitive>`,
  },
  {
    op: "modify",
    create: true,
    scope: "nodes",
    xml: `<node id="1" uname="n1"><instance_attributes id="n1a"><nvpair id="n1s" name="standby" value="off"/></instance_attributes></node>`,
  },
  { op: "modify", create: true, scope: "status", xml: state },
  {
    op: "modify",
    create: true,
    xml: `<clone id="cl"><meta_attributes id="clm"><nvpair id="clmax" name="clone-max" value="3"/><nvpair id="clu" name="globally-unique" value="true"/><nvpair id="cln" name="clone-node-max" value="2"/></meta_attributes></clone>`,
  },
  { op: "replace", xml: `<primitive id="b" class="ocf" provider="test" type="B"/>`, create: false },
  { op: "replace", scope: "status", xml: `<status>${state}</status>` },
  {
    op: "replace",
    xml: `<cib admin_epoch="0" epoch="900" num_updates="0"><configuration><crm_config/><nodes/><resources><primitive id="a" class="ocf" provider="test" type="A"/></resources><constraints/></configuration></cib>`,
  },
  {
    op: "replace",
    xpath: "//primitive[@id='a']",
    xml: `<primitive id="a" class="ocf" provider="test" type="A"/>`,
  },
  { op: "delete", xml: `<rsc_colocation id="near"/>` },
  { op: "delete", xpath: "//node_state[@uname='n2']//lrm_resource", all: true },
  { op: "delete", xpath: "/cib/configuration/resources/*[2]|//rsc_order" },
  { op: "patch", xml: diff },
  { op: "erase" },
  { op: "bump" },
  { op: "accept" },
  { op: "require", adminEpoch: 0, epoch: 3 },
];
const changes: Json[] = [
  ...operations.map((one) => [one]),
  [operations[0] ?? null, operations[3] ?? null, operations[17] ?? null],
];

/** Messages that managers send each other. */
const agent = { class: "ocf", provider: "test", type: "A" };

export const messageSamples = (): Json[] => [
  {
    type: "ask-agents",
    request: "n1/7/agents/1",
    asked: [
      { node: "n1", agents: [agent, { class: "systemd", type: "httpd" }] },
      { node: "far", agents: [agent] },
    ],
  },
  {
    type: "agents-told",
    request: "n1/7/agents/1",
    node: "n2",
    told: [
      {
        index: 0,
        facts: {
          kind: "described",
          description: {
            parameters: [{ name: "ip", needs: ["ip", "address"] }, { name: "nic" }],
            actions: ["start", "stop"],
          },
        },
      },
      { index: 1, facts: { kind: "absent", reason: "no unit httpd.service" } },
      { index: 2, facts: { kind: "unknown", reason: "no answer for 5 s" } },
    ],
  },
  ...changes.map(
    (ops): Json => ({
      type: "cib",
      request: "n9/1/1",
      operations: ops,
      user: "carol",
      client: "root",
      askers: [{ user: "carol", groups: ["web"] }],
      at,
    }),
  ),
  ...[history, untold].map(
    (told): Json => ({
      type: "summary",
      membership: MEMBERSHIP,
      summary: {
        node: 2,
        featureSet: "3.20.5",
        since: [4, 0],
        version: [0, 3, 9],
        fallback: [0, 2, 1],
        losses: [{ node: "n2", version: [0, 4, 0], instead: [0, 2, 1], files: ["/state/cib.xml.corrupt-1"] }],
        live: true,
        companions: [1, 2, 3],
      },
      name: "n2",
      at,
      history: told,
      remotes: [{ node: "far", history: told }],
      attributes: updates,
      daemonIsNew: !told.complete,
      leaving: told.complete,
    }),
  ),
  {
    type: "snapshot",
    membership: MEMBERSHIP,
    snapshot: {
      cib: `<cib><configuration/><status>${state}</status></cib>`,
      attributes: [
        {
          name: "x",
          dampenMs: 0,
          private: false,
          set: "attributes",
          values: [["n1", "1"]],
          written: [["n1", "1"]],
        },
      ],
      boots: [
        ["n1", "boot-1"],
        ["far", "boot-f"],
      ],
      untold: [["n2", [{ rsc: "a", to: "n3" }]]],
      mayRun: [["n3", [{ ...operation, intervalMs: 0, callId: 38 }]]],
      remembered: [["n2", ["a"]]],
      underWay: [{ node: "n2", executor: "n2", operation: { ...operation, action: "start", intervalMs: 0 } }],
      fencings: [{ op: "r1", target: "n3", attempt: 1, outlived: true }],
      fallback: [0, 2, 1],
    },
  },
  {
    type: "actions",
    transition: "i1-0",
    membership: MEMBERSHIP,
    at,
    dispatches: [{ node: "n2", executor: "n2", operation }],
  },
  {
    type: "actions",
    transition: "i1-0",
    membership: "1.4/1=1,2=1",
    at,
    dispatches: [{ node: "n2", executor: "n2", operation }],
  },
  ...["start", "stop", "cancel", "delete", "notify", "promote"].map(
    (action): Json => ({
      type: "actions",
      transition: "i1-0",
      membership: MEMBERSHIP,
      at,
      dispatches: [
        { node: "n1", executor: "n1", operation: { ...operation, action, intervalMs: 0 } },
        { node: "far", executor: "n2", operation: { ...operation, action, intervalMs: 0, callId: 42 } },
      ],
    }),
  ),
  { type: "results", node: "n2", results: [result, failed] },
  { type: "results", node: "far", results: [failed] },
  { type: "history", node: "n3", history, seen: 40, at },
  { type: "history", node: "far", history: untold, seen: 0, at },
  { type: "unanswered", node: "n2", result: failed },
  { type: "probed", nodes: ["n2", "far"] },
  { type: "attributes", updates, request: "n9/1/2" },
  {
    type: "attributes",
    updates: [{ node: "n1", name: "fail-count-a#monitor_10000" }],
    completes: "9:1:0:i1-0",
    forgetFailure: { node: "n1", rsc: "a" },
  },
  { type: "flush", name: "cpu" },
  { type: "fencer", body: { type: "notice", node: "n2", signed: true } },
  { type: "shutdown", node: "n3", at },
  { type: "release", node: "n3", completes: "9:1:0:x" },
  { type: "fail", rsc: "a", node: "n1", at, request: "n9/1/5" },
  {
    type: "maintenance",
    changes: [{ node: "far", nodeId: "far", inMaintenance: true }],
    completes: "9:1:0:x",
  },
  { type: "manager-lost", node: "n2" },
  { type: "when-idle", request: "n9/1/3" },
  { type: "idle", requests: ["n9/1/3"] },
  { type: "remote", node: "far", up: true },
  { type: "forget", rsc: "a", node: "n1", failuresOnly: true, request: "n9/1/4" },
  { type: "forget", failuresOnly: false, completes: "9:1:0:x" },
  { type: "forget", failuresOnly: true, failed: { action: "monitor", intervalMs: 10_000 } },
];

/** Requests of administrators and agents' tools. */
export const adminSamples = (): Json[] => [
  ...changes.map((ops): Json => ({ type: "cib-apply", operations: ops, client: "cibadmin" })),
  { type: "attributes-update", updates },
  { type: "attributes-query", name: "pingd" },
  { type: "attributes-names" },
  { type: "forget", rsc: "a", node: "n1", failuresOnly: true },
  { type: "forget", failuresOnly: false },
  { type: "forget", rsc: "a", failuresOnly: true, failed: { action: "monitor", intervalMs: 10_000 } },
  { type: "fail", rsc: "a", node: "n1" },
  ...[
    "status",
    "cib",
    "node",
    "ring-status",
    "reload",
    "rekey",
    "shutdown",
    "watch",
    "fence.history",
    "fence.devices",
  ].map((type): Json => ({ type })),
  { type: "expected-votes", votes: 3 },
  { type: "node-votes", node: 2, votes: 3 },
  { type: "wait-idle", timeoutMs: 1000 },
  { type: "history", since: 0, limit: 5 },
  { type: "metadata", class: "ocf", provider: "test", agent: "A" },
  { type: "agents", asked: [{ node: "n2", agents: [agent, { class: "stonith", type: "fence_x" }] }] },
  { type: "fence.request", target: "n2", action: "off", timeoutMs: 1000, client: "root", reason: "why" },
  { type: "fence.confirm", target: "n2", client: "root" },
  { type: "fence.forget", target: "n2", client: "root" },
  { type: "fence.test", target: "n2" },
  {
    type: "fence.register",
    device: "extra",
    agent: "fence_x",
    params: { ip: "10.0.0.1", pcmk_host_list: "n2" },
    client: "root",
  },
  { type: "fence.register-level", target: "n2", index: 1, devices: ["extra"], client: "root" },
  { type: "fence.deregister-level", target: "n2", index: 0, client: "root" },
  { type: "fence.deregister", device: "extra", client: "root" },
];

/** What executors tell managers. */
export const eventSamples = (): Json[] => [
  {
    type: "registered",
    version: 1,
    hostname: "far",
    bootId: "b",
    results: [result, failed],
    running: [operation],
    recurring: [operation],
    interrupted: [{ ...operation, action: "stop", intervalMs: 0 }],
    remembered: ["c"],
    complete: true,
  },
  {
    type: "registered",
    version: 1,
    hostname: "far",
    bootId: "b2",
    results: [],
    running: [],
    recurring: [],
    interrupted: [],
    complete: false,
  },
  { type: "result", result },
  { type: "result", result: failed },
  { type: "cancelled", rsc: "a", action: "monitor", intervalMs: 10_000 },
  { type: "metadata", requestId: 3, xml: "<resource-agent/>", error: "why", absent: true },
  { type: "list", requestId: 1, names: ["Dummy"] },
  { type: "pong", requestId: 9 },
  { type: "tool", requestId: 4, request: { type: "node" } },
  {
    type: "tool",
    requestId: 5,
    request: { type: "cib" },
    user: { name: "carol", groups: ["web"], privileged: false },
  },
  { type: "load", mode: "high", jobs: 2, reason: "load" },
  { type: "shutdown-request" },
];

/** What managers ask of executors. */
export const executorSamples = (): Json[] => [
  { type: "register", client: "n1", version: 1 },
  ...["start", "stop", "monitor", "promote", "notify", "meta-data", "validate-all"].map(
    (action): Json => ({ type: "execute", operation: { ...operation, action, intervalMs: 0 } }),
  ),
  { type: "execute", operation },
  { type: "execute", operation: { ...operation, rsc: { id: "s", class: "systemd", type: "cups.service" } } },
  { type: "execute", operation: { ...operation, rsc: { id: "l", class: "lsb", type: "cups" } } },
  { type: "cancel", rsc: "a", action: "monitor", intervalMs: 10_000 },
  { type: "forget", rsc: "a" },
  { type: "look-again", rsc: "a" },
  { type: "probed" },
  { type: "metadata", requestId: 3, rsc, looks: true },
  { type: "list", requestId: 1, class: "ocf", provider: "heartbeat" },
  { type: "ping", requestId: 9 },
  { type: "tool-reply", requestId: 2, reply: { value: 1 } },
  { type: "shutdown-ack" },
  { type: "configure", nodeActionLimit: 4, loadThreshold: 80 },
];

const request = {
  id: "r1",
  target: "c",
  action: "off",
  timeoutMs: 1000,
  delayMs: 0,
  origin: "a",
  client: "controller",
  reason: "lost",
};
const fenced = {
  id: "r1",
  target: "c",
  action: "off",
  ok: true,
  executor: "b",
  devices: ["power"],
  reason: "",
  client: "controller",
  origin: "a",
  completedAt: at,
  deed: "off",
  failures: 0,
  exhausted: false,
};

/** What fencers tell each other. */
export const fencerSamples = (): Json[] => [
  { type: "request", request },
  { type: "request", request: { ...request, id: "r2", target: "b", action: "reboot", delayMs: -1 } },
  {
    type: "execute",
    order: {
      op: "r1",
      attempt: 1,
      level: 0,
      device: "power",
      target: "c",
      action: "off",
      phase: "main",
      executor: "b",
      timeoutMs: 1000,
      delayMs: 0,
    },
  },
  {
    type: "answer",
    answer: { op: "r1", attempt: 1, device: "power", ok: true, ran: true, deed: "off", reason: "" },
  },
  { type: "done", op: "r1", result: fenced },
  { type: "notice", node: "c", signed: false },
  { type: "confirm", id: "c1", target: "c", client: "root", at },
  {
    type: "registered",
    id: "g1",
    devices: [{ id: "extra", agent: "fence_power", params: { ip: "10.0.0.1", pcmk_host_list: "c" } }],
    levels: [{ target: "@c.*", index: 1, devices: ["extra", "power"] }],
  },
  {
    type: "agents",
    agents: {
      fence_power: { actions: ["off"], hostArgument: "port", onTarget: false, automatic: false },
      missing: null,
    },
  },
  { type: "history", entries: [fenced, { ...fenced, id: "r0", ok: false, failures: 2 }], failures: { c: 1 } },
  { type: "test", id: "t1", target: "c" },
  {
    type: "test-answer",
    id: "t1",
    rows: [{ level: 1, device: "power", node: "b", ok: true, check: "status", text: "on" }],
  },
];
