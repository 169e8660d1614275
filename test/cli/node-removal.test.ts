import { describe, expect, test } from "bun:test";
import { applyOperations, formatXml, parseXml } from "../../src/cib/index.ts";
import { nodeRemoval } from "../../src/cli/node-removal.ts";
import type { NodeReply } from "../../src/daemon/index.ts";

const reply: NodeReply = {
  id: 1,
  name: "n1",
  quorate: true,
  joined: true,
  pid: 1,
  members: [
    { id: 1, name: "n1", state: "member" },
    { id: 2, name: "n2", state: "lost" },
    { id: 3, name: "n3", state: "lost" },
  ],
};

const cib = (connected: boolean, resources = "") =>
  parseXml(`<cib admin_epoch="0" epoch="1" num_updates="1"><configuration><crm_config/>
<nodes><node id="1" uname="n1"/><node id="2" uname="n2"/></nodes><resources>${resources}</resources><constraints/>
</configuration><status><node_state id="1" uname="n1" in_ccm="true" crmd="online"><lrm id="1"><lrm_resources>
<lrm_resource id="far" class="ocf" provider="pacemaker" type="remote"><lrm_rsc_op id="far_last_0"/></lrm_resource>
<lrm_resource id="a" class="ocf" provider="test" type="A"/></lrm_resources></lrm></node_state>
<node_state id="2" uname="n2" in_ccm="false" crmd="offline"/>
<node_state id="far" uname="far" remote_node="true" in_ccm="${connected}"/></status></cib>`);

const after = (name: string, from = cib(false)) =>
  formatXml(applyOperations(from, nodeRemoval(from, reply, name)).cib);

describe("removing a node", () => {
  test("takes the entry and the state of a lost member", () => {
    expect(after("n2")).not.toContain('"n2"');
    expect(after("n2")).toContain('"far"');
  });

  test("knows a remote node that has a state alone, and takes what is remembered of its connection", () => {
    expect(after("far")).not.toContain('"far"');
    expect(after("far")).toContain('<lrm_resource id="a"');
  });

  test("leaves the connection of a remote node alone that is still configured", () => {
    const primitive = '<primitive id="far" class="ocf" provider="pacemaker" type="remote"/>';
    expect(after("far", cib(false, primitive))).toContain('<lrm_resource id="far"');
    expect(after("far", cib(false, primitive))).not.toContain('<node_state id="far"');
  });

  test("refuses a lost node of which it is not known that it is off, and runs something", () => {
    const lost = (op: string, property = "") =>
      parseXml(
        formatXml(cib(false), -1)
          .replace("<crm_config/>", `<crm_config>${property}</crm_config>`)
          .replace(
            /<node_state id="2"[^>]*\/>/,
            `<node_state id="2" uname="n2" in_ccm="false" crmd="offline"><lrm id="n2"><lrm_resources><lrm_resource id="db" class="ocf" provider="test" type="A"><lrm_rsc_op id="db_last_0" operation="${op}" call-id="3" op-status="${op === "pending" ? -1 : 0}" rc-code="0"/></lrm_resource></lrm_resources></lrm></node_state>`,
          ),
      );
    const refused = expect.objectContaining({ code: "NODE_MAY_RUN", exit: 107 });
    expect(() => after("n2", lost("start"))).toThrow(refused);
    expect(() => after("n2", lost("pending"))).toThrow(refused);
    expect(after("n2", lost("stop"))).not.toContain('"n2"');
    const off =
      '<cluster_property_set id="s"><nvpair id="e" name="stonith-enabled" value="false"/></cluster_property_set>';
    expect(after("n2", lost("start", off))).not.toContain('"n2"');
  });

  test("refuses whom it does not know, and who is there", () => {
    for (const [name, exit] of [
      ["nobody", 105],
      ["n3", 105],
      ["n1", 64],
    ] as const)
      expect(() => after(name)).toThrow(expect.objectContaining({ exit }));
    expect(() => after("far", cib(true))).toThrow(expect.objectContaining({ exit: 64 }));
  });
});
