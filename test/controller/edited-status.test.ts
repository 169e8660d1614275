import { describe, expect, test } from "bun:test";
import type { CibOperation } from "../../src/cib/index.ts";
import { nodeName } from "../../src/terms/index.ts";
import { ControllerBus } from "../harness/controller-bus.ts";

const n1 = nodeName("n1");

/** A promoted instance with a group beside it, as scores and a rule about what a node reaches have it. */
function served(fencing = false): ControllerBus {
  const bus = new ControllerBus(3);
  bus.boot("n1", "n2", "n3");
  bus.run(100);
  bus.configure(`
property stonith-enabled=${fencing}
primitive power stonith:fence_dummy
primitive db ocf:test:Db op monitor interval=10s op monitor interval=9s role=Promoted
clone dbs db meta promotable=true
location reached dbs rule -inf: not_defined reach or reach lt 1
primitive app ocf:test:App op monitor interval=10s
colocation app-with-db inf: app dbs:Promoted
order app-after-db Mandatory: dbs:promote app:start
`);
  const updates = ["n1", "n2", "n3"].flatMap((name) => [
    { node: nodeName(name), name: "reach", value: "1" },
    { node: nodeName(name), name: "master-db", value: name === "n1" ? "10" : "5" },
  ]);
  bus.step("n1", { type: "attribute-request", request: "", updates });
  bus.run(10_000);
  expect([...bus.promoted("db"), ...bus.where("app")]).toEqual([n1, n1]);
  return bus;
}

const edits: readonly (readonly [string, CibOperation])[] = [
  ["are deleted", { op: "delete", xpath: "//node_state[@uname='n1']/transient_attributes" }],
  [
    "are added",
    {
      op: "modify",
      scope: "status",
      xml: `<node_state id="1" uname="n1"><transient_attributes id="1"><instance_attributes id="status-1"><nvpair id="status-1-standby" name="standby" value="on"/></instance_attributes></transient_attributes></node_state>`,
    },
  ],
  [
    "are replaced by older ones",
    {
      op: "modify",
      scope: "status",
      xml: `<node_state id="1" uname="n1"><transient_attributes id="1"><instance_attributes id="status-1"><nvpair id="status-1-reach" name="reach" value="0"/></instance_attributes></transient_attributes></node_state>`,
    },
  ],
];

/** A status that somebody has kept, with a node that was in standby. */
const whole = `<status><node_state id="1" uname="n1"><transient_attributes id="1"><instance_attributes id="status-1"><nvpair id="status-1-standby" name="standby" value="on"/></instance_attributes></transient_attributes></node_state></status>`;

describe("transient attributes that somebody edits in the CIB", () => {
  test.each(edits)("%s: what was told of them counts, and nothing moves", (_how, operation) => {
    const bus = served();
    const before = bus.executed.length;
    expect(() => bus.apply([operation], "n2")).toThrow(/are the managers' to write.*/);
    bus.apply([{ op: "replace", scope: "status", xml: whole }], "n2");
    bus.run(60_000);
    const changes = bus.executed.slice(before).filter(({ operation: { action } }) => action !== "monitor");
    expect(changes.map(({ node, operation: { action, rsc } }) => `${action} ${rsc.id} ${node}`)).toEqual([]);
    const [cib = ""] = new Set(bus.cibs());
    expect(new Set(bus.cibs()).size).toBe(1);
    expect(cib).toMatch(/id="status-1-reach" name="reach" value="1"/);
    expect(cib).toMatch(/id="status-1-master-db" name="master-db" value="10"/);
  });
});

test("a whole without a configuration, or a difference with a change that is none, is refused", () => {
  const bus = served();
  const [before] = bus.cibs();
  expect(() => bus.apply([{ op: "replace", xml: "<cib/>" }])).toThrow("<cib> lacks <configuration>");
  const xml = '<diff format="2"><change operation="nope" path="/cib/configuration"/></diff>';
  expect(() => bus.apply([{ op: "patch", xml }])).toThrow('"nope" is no operation');
  expect(bus.cibs()).toEqual([before ?? ""]);
});

const entryOf = (rsc: string, operation: string, call: string, rc = "0", id = `id="${rsc}_last_0"`) =>
  `<lrm_rsc_op ${id} operation="${operation}" operation_key="${rsc}_${operation}_0" interval="0" call-id="${call}" rc-code="${rc}" op-status="0" transition-key="1:1:0:x" transition-magic="0:${rc};1:1:0:x"/>`;
const stateOf = (node: string, attributes: string, entry: string) =>
  `<node_state id="${node}" uname="n${node}"><lrm id="${node}"><lrm_resources><lrm_resource ${attributes}>${entry}</lrm_resource></lrm_resources></lrm></node_state>`;
const resource = (attributes: string, call = "3") => stateOf("3", attributes, entryOf("x", "start", call));
/** Of the service that runs on n1. */
const ofApp = (operation: string, rc?: string, id?: string) =>
  stateOf("1", 'id="app" class="ocf" provider="test" type="App"', entryOf("app", operation, "9999", rc, id));

describe("a history that no executor has told", () => {
  test.each([
    ["of a resource without a name", resource('id="" class="ocf" provider="test" type="A"')],
    ["with an agent without a name", resource('id="x" class="ocf" provider="test" type=""')],
    ["with a call out of reach", resource('id="x" class="ocf" provider="test" type="A"', "9".repeat(30))],
    [
      "of a node that nobody knows",
      resource('id="x" class="ocf" provider="test" type="A"').replaceAll('"3"', '"9"').replace("n3", "n9"),
    ],
    ["of the same service: it was stopped", ofApp("stop")],
    ["of the same service: it failed", ofApp("monitor", "1")],
    ["of the same service: it never ran there", ofApp("monitor", "7", 'id="app_monitor_0"')],
    ["of the same service by another agent", ofApp("start").replace('type="App"', 'type="Other"')],
  ])("%s: is refused, and nothing moves", (_what, xml) => {
    const bus = served();
    const before = bus.executed.length;
    const write = (operation: CibOperation) => () => bus.apply([operation], "n2");
    const refusal =
      /what was done (?:with \S+ )?on node \S+ is told by the node's executor|it has another form/;
    expect(write({ op: "modify", scope: "status", xml, create: true })).toThrow(refusal);
    const status = `<status>${xml}</status>`;
    bus.apply([{ op: "replace", scope: "status", xml: status }], "n2");
    bus.run(60_000);
    const changes = bus.executed.slice(before).filter(({ operation: { action } }) => action !== "monitor");
    expect(changes.map(({ node, operation: { action, rsc } }) => `${action} ${rsc.id} ${node}`)).toEqual([]);
    expect([...bus.promoted("db"), ...bus.where("app")]).toEqual([n1, n1]);
    expect(bus.log.filter((line) => /REFUSED|DEFECT|NOT-APPLIED/.test(line))).toEqual([]);
    expect(new Set(bus.cibs()).size).toBe(1);
  });

  test.each([
    [
      "one entry in the place of another",
      {
        op: "replace",
        xpath: "//node_state[@id='1']//lrm_rsc_op[@id='app_last_0']",
        xml: entryOf("app", "stop", "9999"),
      },
    ],
    [
      "one more",
      {
        op: "create",
        xpath: "//node_state[@id='1']//lrm_resource[@id='app']",
        xml: entryOf("app", "stop", "9999").replace("_last_0", "_more_0"),
      },
    ],
    [
      "by a difference",
      {
        op: "patch",
        xml: `<diff format="2"><change operation="modify" path="/cib/status/node_state[@id='1']/lrm[@id='1']/lrm_resources/lrm_resource[@id='app']/lrm_rsc_op[@id='app_last_0']"><change-list><change-attr name="operation" operation="set" value="stop"/></change-list><change-result>${entryOf("app", "stop", "9999")}</change-result></change></diff>`,
      },
    ],
  ] as const)("%s is refused", (_what, operation) => {
    const bus = served();
    const cibs = bus.cibs();
    expect(() => bus.apply([operation], "n2")).toThrow(
      "what was done with app on node n1 is told by the node's executor",
    );
    expect(bus.cibs()).toEqual(cibs);
  });
});

const state = (id: string, attributes: string): CibOperation => ({
  op: "modify",
  scope: "status",
  xml: `<node_state id="${id}" ${attributes}/>`,
  create: true,
});
const removed = (xpath: string): CibOperation => ({ op: "delete", xpath });

/** Somebody writes that, who is told that it is not his to say; of what is put in place as a whole it is merely left out. */
function write(bus: ControllerBus, operation: CibOperation): void {
  const apply = () => bus.apply([operation], "n2");
  const isSaid =
    operation.op === "modify" ||
    (operation.op === "delete" && /@uname='n1'/.test(operation.xpath ?? "") && !bus.node("n1").up);
  if (isSaid) expect(apply).toThrow(/is told by the (?:ring|node)/);
  else apply();
}

describe("who is there is known, whatever somebody writes", () => {
  test.each([
    ["its ring is gone", state("1", 'in_ccm="false" crmd="offline"')],
    ["it has not joined", state("1", 'join="down"')],
    ["it has left", state("1", 'in_ccm="false" crmd="offline" join="down" expected="down"')],
    ["it is a remote node", state("1", 'remote_node="true" in_ccm="false"')],
    ["a second one has its name", state("99", 'uname="n1"')],
    ["it is called otherwise", state("1", 'uname="n9"')],
    [
      "a second one of its name is gone",
      state("99", 'uname="n1" in_ccm="false" crmd="offline" expected="down"'),
    ],
    [
      "its ring is gone, in a copy of the whole",
      {
        op: "replace",
        scope: "status",
        xml: '<status><node_state id="1" uname="n1" in_ccm="false" crmd="offline" join="down" expected="down"/></status>',
      },
    ],
    ["nothing", removed("//node_state[@uname='n1']")],
    ["nothing of what runs", removed("//node_state[@uname='n1']/lrm")],
    ["nothing of this service", removed("//node_state[@uname='n1']//lrm_resource[@id='db']")],
    ["nothing of anybody", { op: "replace", scope: "status", xml: "<status/>" }],
  ] as const)("of a member: %s", (_what, operation) => {
    const bus = served();
    const before = bus.executed.length;
    write(bus, operation);
    bus.run(60_000);
    const changes = bus.executed.slice(before).filter(({ operation: { action } }) => action !== "monitor");
    expect(changes.map(({ node, operation: { action, rsc } }) => `${action} ${rsc.id} ${node}`)).toEqual([]);
    expect([...bus.promoted("db"), ...bus.where("app")]).toEqual([n1, n1]);
    expect(new Set(bus.cibs()).size).toBe(1);
    const found = /<node_state id="1"[^>]*>/.exec(bus.cibs()[0] ?? "")?.[0];
    for (const part of ['uname="n1"', 'in_ccm="true"', 'crmd="online"', 'join="member"', 'expected="member"'])
      expect(found).toContain(part);
  });

  test.each([
    ["it has left in order", state("1", 'join="down" expected="down"')],
    ["it is there", state("1", 'in_ccm="true" crmd="online" join="member"')],
    ["it was fenced", state("1", 'node_fenced="1"')],
    ["nothing", removed("//node_state[@uname='n1']")],
    ["nothing of what ran", removed("//node_state[@uname='n1']/lrm")],
    ["nothing of anybody", { op: "replace", scope: "status", xml: "<status/>" }],
  ] as const)("of a node that was lost, and is not fenced yet: %s", (_what, operation) => {
    const bus = served(true);
    bus.fencing = () => undefined;
    const before = bus.executed.length;
    bus.crash("n1");
    bus.run(2000);
    write(bus, operation);
    bus.run(60_000);
    const starts = bus.executed
      .slice(before)
      .filter(({ operation: { action, rsc } }) => /start|promote/.test(action) && rsc.id !== "power");
    expect(starts.map(({ node, operation: { action, rsc } }) => `${action} ${rsc.id} ${node}`)).toEqual([]);
    expect(bus.fenced.map(({ target }) => target)).toContain(n1);
  });

  test.each([
    ["it is gone", state("far", 'in_ccm="false"')],
    ["it was fenced", state("far", 'in_ccm="false" node_fenced="99999999999"')],
    [
      "it is a member that has left",
      state("far", 'remote_node="false" crmd="offline" join="down" expected="down"'),
    ],
    ["nothing", removed("//node_state[@uname='far']")],
    ["nothing of what runs", removed("//node_state[@uname='far']/lrm")],
    ["nothing of anybody", { op: "replace", scope: "status", xml: "<status/>" }],
  ] as const)("of a remote host: %s", (_what, operation) => {
    const far = nodeName("far");
    const bus = new ControllerBus(2);
    bus.boot("n1", "n2");
    bus.run(100);
    bus.configure(`
primitive fence stonith:fence_dummy op monitor interval=60s
primitive far ocf:pacemaker:remote op monitor interval=30s
primitive a ocf:test:A op monitor interval=10s
location prefer a 50: far
`);
    bus.run(10_000);
    expect(bus.where("a")).toEqual([far]);
    const before = bus.executed.length;
    write(bus, operation);
    bus.run(60_000);
    const changes = bus.executed.slice(before).filter(({ operation: { action } }) => action !== "monitor");
    expect(changes.map(({ node, operation: { action, rsc } }) => `${action} ${rsc.id} ${node}`)).toEqual([]);
    expect([bus.where("a"), bus.fenced]).toEqual([[far], []]);
  });
});
