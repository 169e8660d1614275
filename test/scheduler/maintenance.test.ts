import { expect, test } from "bun:test";
import { parseXml } from "../../src/cib/index.ts";
import { schedule } from "../../src/scheduler/index.ts";

/** Decides about a remote node that is connected; `state` are more attributes of its node state. */
function remoteNode(maintenance: boolean, state = "") {
  const start =
    '<lrm_rsc_op id="r_last_0" operation_key="r_start_0" operation="start" interval="0" call-id="1" rc-code="0" ' +
    'op-status="0" op-digest="f2317cad3d54cec5d7d7aa7d0bf35cf8" transition-key="1:1:0:x"/>';
  const cib = parseXml(`<cib validate-with="pacemaker-3.9" have-quorum="1"><configuration><crm_config>
    <cluster_property_set id="o"><nvpair id="o-f" name="stonith-enabled" value="false"/></cluster_property_set>
    </crm_config><nodes><node id="1" uname="n1"/><node id="r" uname="r" type="remote"><instance_attributes id="a">
    <nvpair id="a-m" name="maintenance" value="${maintenance}"/></instance_attributes></node></nodes>
    <resources><primitive id="r" class="ocf" provider="pacemaker" type="remote"/></resources><constraints/>
    </configuration><status><node_state id="1" uname="n1" in_ccm="true" crmd="online" join="member" expected="member">
    <lrm id="1"><lrm_resources><lrm_resource id="r" class="ocf" provider="pacemaker" type="remote">${start}
    </lrm_resource></lrm_resources></lrm></node_state>
    <node_state id="r" uname="r" remote_node="true" in_ccm="true" ${state}/></status></cib>`);
  return schedule({ cib, now: 1_700_000_000 }).actions.map(({ key, kind, maintenance: changes }) => ({
    key,
    kind,
    changes,
  }));
}

const told = (inMaintenance: boolean) => [
  {
    key: "maintenance_nodes",
    kind: "pseudo" as const,
    changes: [{ node: "r" as never, nodeId: "r", inMaintenance }],
  },
];

test("a remote node learns that it is in maintenance, and when it is not any more", () => {
  expect(remoteNode(true)).toEqual(told(true));
  expect(remoteNode(true, 'node_in_maintenance="1"')).toEqual([]);
  expect(remoteNode(false, 'node_in_maintenance="1"')).toEqual(told(false));
  expect(remoteNode(false)).toEqual([]);
});
