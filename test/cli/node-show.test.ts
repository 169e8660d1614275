import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RehearsalStage, runHere } from "./rehearsal.ts";

const directory = mkdtempSync(join(tmpdir(), "hactl-node-show-"));
const stage = new RehearsalStage();
afterAll(() => {
  stage.stop();
  rmSync(directory, { recursive: true });
});

const ran = (rsc: string, type: string, on: string, provider = "pacemaker") =>
  `<lrm_resource id="${rsc}" class="ocf" provider="${provider}" type="${type}"><lrm_rsc_op id="${rsc}_last_0" operation_key="${rsc}_start_0"
 operation="start" crm_feature_set="3.16.1" transition-key="1:1:0:a" transition-magic="0:0;1:1:0:a" on_node="${on}" call-id="5"
 rc-code="0" op-status="0" interval="0" last-rc-change="1700000000" exec-time="1" queue-time="0" op-digest="x"/></lrm_resource>`;
const node = (id: string, name: string, attributes: string, history: string) =>
  `<node_state id="${id}" uname="${name}" ${attributes}><lrm id="${id}"><lrm_resources>${history}</lrm_resources></lrm></node_state>`;
const online = 'in_ccm="true" crmd="online" join="member" expected="member"';

/** n1 leads and connects far, which runs a; g is a guest on n1 that runs nothing; n2 is in standby; n3 is gone. */
const cib = `<cib crm_feature_set="3.16.1" validate-with="pacemaker-3.9" epoch="5" num_updates="3" admin_epoch="0" have-quorum="1" dc-uuid="1">
<configuration><crm_config><cluster_property_set id="o"><nvpair id="o1" name="stonith-enabled" value="false"/></cluster_property_set></crm_config>
<nodes><node id="1" uname="n1"/><node id="2" uname="n2"><instance_attributes id="i"><nvpair id="s" name="standby" value="on"/></instance_attributes></node><node id="3" uname="n3"/></nodes>
<resources>
<primitive id="far" class="ocf" provider="pacemaker" type="remote"/>
<primitive id="near" class="ocf" provider="pacemaker" type="remote"/>
<primitive id="vm" class="ocf" provider="heartbeat" type="VirtualDomain"><meta_attributes id="m"><nvpair id="mg" name="remote-node" value="g"/></meta_attributes></primitive>
<primitive id="a" class="ocf" provider="pacemaker" type="Dummy"/>
</resources><constraints/></configuration><status>
${node("1", "n1", online, ran("far", "remote", "n1") + ran("vm", "VirtualDomain", "n1", "heartbeat") + ran("g", "remote", "n1"))}
${node("2", "n2", online, "")}
${node("3", "n3", 'in_ccm="false" crmd="offline" join="down" expected="down"', "")}
${node("far", "far", 'remote_node="true" in_ccm="true"', ran("a", "Dummy", "far"))}
${node("g", "g", 'remote_node="true" in_ccm="true"', "")}
</status></cib>`;
const file = join(directory, "cib.xml");
writeFileSync(file, cib);

const show = (...words: string[]) =>
  runHere(["node", "show", ...words], {
    CIB_file: file,
    HACTL_SOCKET: join(directory, "nobody.sock"),
    HACTL_CONFIG: "/nonexistent/hactl.toml",
  });

describe("node show of a file", () => {
  test("lists members, remote and guest nodes with their state and how many resources they run", async () => {
    const { code, out, err } = await show();
    expect([code, err]).toEqual([0, ""]);
    expect(out.trimEnd().split("\n")).toEqual([
      "far far online (remote), runs 1 resource",
      "g g online (guest)",
      "1 n1 online (DC), runs 3 resources",
      "2 n2 standby",
      "3 n3 OFFLINE",
      "near near OFFLINE (remote)",
    ]);
  });

  test.each(["n1", "n2", "n3", "far", "near", "g"])("shows %s alone, as in the list", async (name) => {
    const all = (await show()).out.split("\n");
    const { code, out } = await show(name);
    expect(code).toBe(0);
    expect(out.trimEnd()).toBe(all.find((line) => line.split(" ")[1] === name) ?? "");
  });

  test("refuses a node that there is not, and says what helps", async () => {
    const { code, out, err } = await show("fer");
    expect([code, out]).toEqual([105, ""]);
    expect(err).toBe('error: there is no node "fer"\n  cure:  did you mean "far"?\n');
  });

  test("says the same as JSON", async () => {
    const { code, out } = await show("--json");
    expect(code).toBe(0);
    const { members, nodes } = JSON.parse(out);
    expect(members).toContainEqual({ id: "2", name: "n2", state: "standby" });
    expect(
      nodes.map(({ name, kind, state, leader, resources }: Record<string, unknown>) =>
        [name, kind, state, leader, resources].join(" "),
      ),
    ).toEqual([
      "far remote online false 1",
      "g guest online false 0",
      "n1 member online true 3",
      "n2 member standby false 0",
      "n3 member OFFLINE false 0",
      "near remote OFFLINE false 0",
    ]);
    const alone = await show("far", "--json");
    const far = { id: "far", name: "far", state: "online" };
    expect(JSON.parse(alone.out)).toMatchObject({
      members: [far],
      nodes: [{ ...far, kind: "remote", online: true }],
    });
    const unknown = await show("fer", "--json");
    expect([unknown.code, unknown.out]).toEqual([105, ""]);
  });
});

describe("node show of the cluster", () => {
  test("lists all nodes, or one", async () => {
    const first = "1 n1 standby (with active resources) (DC), runs 1 resource\n";
    expect(await stage.run(["node", "show"], "live")).toMatchObject({
      code: 0,
      out: `${first}2 n2 online\n`,
    });
    expect(await stage.run(["node", "show", "n1"], "live")).toMatchObject({ code: 0, out: first });
    expect(await stage.run(["node", "show", "n9"], "live")).toMatchObject({
      code: 105,
      out: "",
      err: expect.stringMatching(/there is no node "n9"\n *cure/),
    });
    const { out } = await stage.run(["node", "show", "n1", "--json"], "live");
    expect(JSON.parse(out)).toMatchObject({
      name: "n1",
      leader: "n1",
      members: [{ id: 1, name: "n1", state: "member" }, { name: "n2" }],
      nodes: [{ id: "1", name: "n1", kind: "member", leader: true, resources: 1 }],
    });
  });

  test("knows a draft, too", async () => {
    expect(await stage.run(["node", "show", "n2"], "shadow")).toMatchObject({
      code: 0,
      out: "2 n2 online\n",
      requests: [],
      changed: false,
    });
  });
});
