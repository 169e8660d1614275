import { describe, expect, test } from "bun:test";
import { parseXml } from "../../src/cib/index.ts";
import { type GraphAction, schedule } from "../../src/scheduler/index.ts";

const nodes = ["a", "b"];

/** A quorate cluster of two without fencing; `status` gives what each node has run. */
function transition(resources: string, status: Record<string, string> = {}, options = "") {
  const state = (name: string, index: number) => `<node_state id="${index + 1}" uname="${name}" in_ccm="true"
    crmd="online" join="member" expected="member"><lrm id="${index + 1}"><lrm_resources>${status[name] ?? ""}
    </lrm_resources></lrm></node_state>`;
  const cib =
    parseXml(`<cib validate-with="pacemaker-3.9" crm_feature_set="3.19.0" have-quorum="true"><configuration>
    <crm_config><cluster_property_set id="o"><nvpair id="o-f" name="stonith-enabled" value="false"/>${options}
    </cluster_property_set></crm_config>
    <nodes>${nodes.map((name, index) => `<node id="${index + 1}" uname="${name}"/>`).join("")}</nodes>
    <resources>${resources}</resources><constraints/></configuration>
    <status>${nodes.map(state).join("")}</status></cib>`);
  return schedule({ cib, now: 1_700_000_000 });
}

const keys = (actions: readonly GraphAction[]) =>
  actions.map(({ key, node }) => (node ? `${key} ${node}` : key));

/** Whether `first` must be done before `then`, directly or through others. */
function precedes(actions: readonly GraphAction[], first: string, then: string): boolean {
  const byId = new Map(actions.map((action) => [action.id, action]));
  const found = (name: string) => actions.find(({ key, node }) => `${key} ${node ?? ""}`.trim() === name);
  const goal = found(first)?.id;
  const pending = [...(found(then)?.inputs ?? [])];
  const seen = new Set<number>();
  for (let id = pending.pop(); id !== undefined; id = pending.pop()) {
    if (id === goal) return true;
    if (seen.has(id)) continue;
    seen.add(id);
    pending.push(...(byId.get(id)?.inputs ?? []));
  }
  return false;
}

const history = (id: string, operations: string, type = "Dummy", standard = "ocf") =>
  `<lrm_resource id="${id}" class="${standard}" provider="pacemaker" type="${type}">${operations}</lrm_resource>`;

const operation = (
  id: string,
  task: string,
  call: number,
  { rc = 0, interval = 0, digest = "", more = "" } = {},
) =>
  `<lrm_rsc_op id="${id}_${task}_${interval}" operation_key="${id}_${task}_${interval}" operation="${task}"
    interval="${interval}" call-id="${call}" rc-code="${rc}" op-status="0" crm_feature_set="3.19.0"
    transition-key="1:1:${rc}:x" op-digest="${digest}" ${more}/>`;

/** Digests of no parameters at all, and of a time-out of 20 s alone. */
const noParameters = "f2317cad3d54cec5d7d7aa7d0bf35cf8";
const timeoutOnly = "4811cef7f7f94e3a35a70be7916cb2fd";

const stopped = (id: string) => history(id, operation(id, "monitor", 1, { rc: 7 }));

describe("notifications", () => {
  const clone = `<clone id="c"><meta_attributes id="m"><nvpair id="m-n" name="notify" value="true"/></meta_attributes>
    <primitive id="r" class="ocf" provider="pacemaker" type="Dummy"/></clone>`;
  const { actions } = transition(clone, { a: stopped("r"), b: stopped("r") });

  test("stand around the starts of the instances", () => {
    const order = [
      "c_pre_notify_start_0",
      "c_confirmed-pre_notify_start_0",
      "c_start_0",
      "r_start_0 a",
      "c_running_0",
      "c_post_notify_running_0",
      "r_post_notify_start_0 a",
      "c_confirmed-post_notify_running_0",
    ];
    const known = keys(actions);
    for (const [index, key] of order.entries()) {
      const next = order[index + 1];
      expect(known).toContain(key);
      if (next !== undefined) expect([key, next, precedes(actions, key, next)]).toEqual([key, next, true]);
    }
  });

  test("tell who does what where", () => {
    const told = actions.find(({ key }) => key === "r_post_notify_start_0")?.params;
    expect(told).toMatchObject({
      CRM_meta_notify_type: "post",
      CRM_meta_notify_operation: "start",
      CRM_meta_notify_start_resource: "r:0 r:1",
      CRM_meta_notify_start_uname: "a b",
      CRM_meta_notify_inactive_resource: "r:0 r:1",
      CRM_meta_notify_active_resource: " ",
      CRM_meta_notify_master_uname: " ",
      CRM_meta_notify_available_uname: "a b",
      CRM_meta_notify_all_uname: "a b",
    });
  });

  test("are not sent to instances that do not run yet", () => {
    expect(keys(actions).filter((key) => /^r(:\d)?_pre_notify/.test(key))).toEqual([]);
  });
});

describe("bundles", () => {
  const bundle = `<bundle id="web"><podman image="httpd" replicas="2"/>
    <network ip-range-start="192.168.122.131" host-netmask="24"/>
    <primitive id="httpd" class="ocf" provider="heartbeat" type="apache"/></bundle>`;
  const probed = [
    "web-ip-192.168.122.131",
    "web-ip-192.168.122.132",
    "web-podman-0",
    "web-podman-1",
    "web-0",
    "web-1",
  ];
  const known = probed.map((id) => stopped(id)).join("");
  const { actions } = transition(bundle, { a: known, b: known });

  test("start address, container, connection and service in that order", () => {
    const order = [
      "web_start_0",
      "web-ip-192.168.122.131_start_0 a",
      "web-podman-0_start_0 a",
      "web-0_start_0 a",
      "httpd:0_start_0 web-0",
      "web_running_0",
    ];
    for (const key of order) expect(keys(actions)).toContain(key);
    for (const [index, key] of order.slice(1).entries()) {
      const next = order[index + 2];
      if (next !== undefined) expect([key, next, precedes(actions, key, next)]).toEqual([key, next, true]);
    }
  });

  test("are reached through the host of the connection", () => {
    const start = actions.find(({ key }) => key === "httpd:0_start_0");
    expect([start?.node, start?.router]).toEqual(["web-0", "a"] as never);
    expect(start?.params.CRM_meta_physical_host).toBe("a");
    expect(start?.params.pcmk_external_ip).toBe("192.168.122.131");
  });
});

describe("changed definitions", () => {
  const primitive = (inside: string) =>
    `<primitive id="r" class="ocf" provider="pacemaker" type="Dummy">${inside}</primitive>`;
  const monitor = `<operations><op id="r-m" name="monitor" interval="10s"/></operations>`;
  const runs = (start: string, recurring: string, type = "Dummy", more = "") =>
    history(
      "r",
      operation("r", "start", 2, { digest: start, more }) +
        operation("r", "monitor", 3, { interval: 10_000, digest: recurring }),
      type,
    );
  const tasks = (resources: string, onA: string) =>
    transition(resources, { a: onA, b: stopped("r") }).actions.map(({ task, key }) => `${task} ${key}`);

  test("nothing happens when nothing has changed", () => {
    expect(tasks(primitive(monitor), runs(noParameters, timeoutOnly))).toEqual([]);
  });

  test("other parameters restart it", () => {
    const done = tasks(primitive(monitor), runs("0".repeat(32), timeoutOnly));
    expect(done).toContain("stop r_stop_0");
    expect(done).toContain("start r_start_0");
  });

  test("an agent that can do so takes them over while it runs", () => {
    const more = `op-force-restart=" state " op-restart-digest="${noParameters}"`;
    const done = tasks(primitive(monitor), runs("0".repeat(32), timeoutOnly, "Dummy", more));
    expect(done).toContain("reload-agent r_reload-agent_0");
    expect(done).not.toContain("stop r_stop_0");
  });

  test("a recurring operation is scheduled anew, and cancelled when it is gone", () => {
    expect(tasks(primitive(monitor), runs(noParameters, "0".repeat(32)))).toEqual([
      "monitor r_monitor_10000",
    ]);
    expect(tasks(primitive(""), runs(noParameters, timeoutOnly))).toEqual(["cancel r_monitor_10000"]);
  });

  test("another agent: the old one is stopped, its history deleted, the new one started", () => {
    const { actions } = transition(primitive(monitor), {
      a: runs(noParameters, timeoutOnly, "Stateful"),
      b: stopped("r"),
    });
    expect(precedes(actions, "r_stop_0 a", "r_delete_0 a")).toBe(true);
    expect(precedes(actions, "r_delete_0 a", "r_start_0 a")).toBe(true);
  });

  test("what is not configured any more is stopped and forgotten", () => {
    const done = tasks("", runs(noParameters, timeoutOnly));
    expect(done).toContain("stop r_stop_0");
    expect(done).toContain("delete r_delete_0");
    expect(done.some((each) => each.startsWith("start"))).toBe(false);
  });
});
