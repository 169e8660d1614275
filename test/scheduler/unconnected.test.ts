import { describe, expect, test } from "bun:test";
import { parseXml } from "../../src/cib/index.ts";
import { rulesOf, scheduleCluster, unpackCluster } from "../../src/scheduler/index.ts";

const now = 1_700_000_000;

interface Case {
  /** Exit code of the last start on each node; none: it was never started there. */
  readonly starts?: Readonly<Record<string, number>>;
  /** Where the failed start has not been cleaned up by a stop yet. */
  readonly unstopped?: string;
  readonly meta?: string;
  /** Attributes of the remote node's state, and transient ones. */
  readonly state?: string;
  readonly transient?: string;
  readonly params?: string;
  readonly release?: "2.1" | "3.0";
}

const entry = (id: string, rc: number, status: number) =>
  `<lrm_rsc_op id="${id}" operation_key="r_start_0" operation="start" interval="0" call-id="2" rc-code="${rc}"
    op-status="${status}" transition-key="1:1:0:x" last-rc-change="${now - 100}"/>`;

/** A remote node's connection on two nodes, of which each knows how its start has ended there. */
function decide({
  starts = {},
  unstopped,
  meta = "",
  state = "",
  transient = "",
  params = "",
  release = "3.0",
}: Case) {
  const node = (name: string, index: number) => {
    const rc = starts[name];
    const ops =
      rc === undefined
        ? `<lrm_rsc_op id="r_last_0" operation_key="r_monitor_0" operation="monitor" interval="0" call-id="1"
            rc-code="7" op-status="0" transition-key="1:1:7:x"/>`
        : rc === 0
          ? entry("r_last_0", 0, 0)
          : name === unstopped
            ? entry("r_last_failure_0", rc, 2) + entry("r_last_0", rc, 2)
            : `${entry("r_last_failure_0", rc, 2)}<lrm_rsc_op id="r_last_0" operation_key="r_stop_0" operation="stop" interval="0" call-id="3"
              rc-code="0" op-status="0" transition-key="1:1:0:x"/>`;
    const count =
      rc === undefined || rc === 0
        ? ""
        : `<nvpair id="f${index}" name="fail-count-r#start_0" value="INFINITY"/>`;
    return `<node_state id="${index}" uname="${name}" in_ccm="true" crmd="online" join="member" expected="member">
      <transient_attributes id="${index}"><instance_attributes id="t${index}">${count}</instance_attributes>
      </transient_attributes><lrm id="${index}"><lrm_resources>
      <lrm_resource id="r" class="ocf" provider="pacemaker" type="remote">${ops}</lrm_resource>
      </lrm_resources></lrm></node_state>`;
  };
  const cib = parseXml(`<cib validate-with="pacemaker-3.9" have-quorum="1"><configuration><crm_config>
    <cluster_property_set id="o"><nvpair id="o-f" name="stonith-enabled" value="true"/></cluster_property_set>
    </crm_config><nodes><node id="1" uname="n1"/><node id="2" uname="n2"/></nodes><resources>
    <primitive id="fence" class="stonith" type="fence_dummy"/>
    <primitive id="r" class="ocf" provider="pacemaker" type="remote">
    <instance_attributes id="p">${params}</instance_attributes><meta_attributes id="m">${meta}</meta_attributes>
    </primitive></resources><constraints/></configuration><status>${node("n1", 1)}${node("n2", 2)}
    <node_state id="r" uname="r" remote_node="true" in_ccm="false" ${state}>
    <transient_attributes id="r"><instance_attributes id="t">${transient}</instance_attributes>
    </transient_attributes></node_state></status></cib>`);
  return scheduleCluster(unpackCluster(cib, now, rulesOf[release]));
}

const nowhere = { n1: 1, n2: 1 };
const left = '<nvpair id="s" name="shutdown" value="1"/>';
const fenced = 'node_fenced="1"';
const pair = (name: string, value: string) => `<nvpair id="x-${name}" name="${name}" value="${value}"/>`;

describe("a remote node that is not connected", () => {
  test("is named with its place when its connection can be started nowhere, or it has left", () => {
    const params = pair("server", "far.example") + pair("port", "4000");
    const at = [{ node: "r" as never, host: "far.example", port: 4000 }];
    expect(decide({ starts: nowhere, state: fenced, params }).unconnected).toEqual(at);
    expect(decide({ transient: left }).unconnected).toEqual([{ node: "r" as never, host: "r", port: 3121 }]);
  });

  test("is not named while its connection is up, or is about to be started", () => {
    expect(decide({ starts: { n1: 0 } }).unconnected).toEqual([]);
    const decision = decide({ starts: { n1: 1 }, state: fenced });
    expect(decision.actions.some(({ key, node }) => key === "r_start_0" && node === "n2")).toBe(true);
    expect(decision.unconnected).toEqual([]);
  });

  test("is not named when it shall not be connected, is unmanaged, or its port makes no sense", () => {
    const away = { starts: nowhere, state: fenced };
    expect(decide({ ...away, meta: pair("target-role", "Stopped") }).unconnected).toEqual([]);
    expect(decide({ ...away, meta: pair("is-managed", "false") }).unconnected).toEqual([]);
    expect(decide({ ...away, params: pair("port", "many") }).unconnected).toEqual([]);
  });

  test("is fenced once when its connection can be started nowhere: by the rules of 2.1 again", () => {
    const targets = (of: Case) => decide(of).fencing.map(({ node }) => String(node));
    const failed = { starts: nowhere, unstopped: "n2" };
    expect(targets(failed)).toEqual(["r"]);
    expect(targets({ ...failed, state: fenced })).toEqual([]);
    expect(targets({ ...failed, state: fenced, release: "2.1" })).toEqual(["r"]);
  });
});
