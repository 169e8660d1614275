/** A connection with the name of a member is not taken; one that is there all the same is left alone, and so is the member. */
import { describe, expect, test } from "bun:test";
import { child, cibOf, formatXml, parseXml, type XmlElement } from "../../src/cib/index.ts";
import { emptyCib } from "../../src/controller/index.ts";
import { schedule } from "../../src/scheduler/index.ts";
import { nodeName } from "../../src/terms/index.ts";
import { ControllerBus } from "../harness/controller-bus.ts";

const n2 = nodeName("n2");
const pair = (id: string, name: string, value: string) =>
  `<meta_attributes id="${id}-m"><nvpair id="${id}-m-n" name="${name}" value="${value}"/></meta_attributes>`;
const dummy = (id: string, more = "") =>
  `<primitive id="${id}" class="ocf" provider="test" type="A">${more}<operations><op id="${id}-mon" name="monitor" interval="10s"/></operations></primitive>`;
const remote = (id: string) => `<primitive id="${id}" class="ocf" provider="pacemaker" type="remote"/>`;
const bundle = (id: string) =>
  `<bundle id="${id}"><podman image="x" replicas="3"/><network control-port="3121"/>${dummy("inside")}</bundle>`;

const namesakes: readonly (readonly [string, string])[] = [
  ["a connection", remote("n2")],
  ["a connection in capital letters", remote("N2")],
  [
    "a connection by its template",
    '<template id="t" class="ocf" provider="pacemaker" type="remote"/><primitive id="n2" template="t"/>',
  ],
  ["a guest", dummy("vm", pair("vm", "remote-node", "n2"))],
  ["a guest with the id of a member", dummy("vm", pair("vm", "remote-node", "2"))],
  ["a guest in a group", `<group id="g">${dummy("vm", pair("vm", "remote-node", "n2"))}</group>`],
];

/** Two members with a fence device, and a service at home on the one whose name is taken. */
const base = `<primitive id="power" class="stonith" type="fence_dummy"/>${dummy("a")}`;
const cibWith = (resources: string): XmlElement => {
  const cib = emptyCib();
  const configuration = child(cib, "configuration");
  const parts = {
    nodes: '<nodes><node id="1" uname="n1"/><node id="2" uname="n2"/></nodes>',
    resources: `<resources>${base}${resources}</resources>`,
    constraints: '<constraints><rsc_location id="home" rsc="a" node="n2" score="100"/></constraints>',
  };
  if (configuration)
    configuration.children = configuration.children.map((item) => {
      const text = Object.entries(parts).find(([name]) => name === item.name)?.[1];
      return text === undefined ? item : parseXml(text);
    });
  return cib;
};

describe("a connection with the name of a member", () => {
  test.each(namesakes)("%s is refused in every way of entry, whatever else is right", (_what, resources) => {
    const bus = new ControllerBus(2, () => cibWith(""));
    bus.boot("n1", "n2");
    bus.run(1000);
    const whole = child(bus.node("n1").controller.view().cib, "configuration");
    const configuration = (nodes = true) => {
      const copy = parseXml(formatXml(whole ?? cibWith("")));
      copy.children = copy.children.map((item) => {
        if (item.name === "nodes" && !nodes) return parseXml("<nodes/>");
        return item.name === "resources" ? parseXml(`<resources>${base}${resources}</resources>`) : item;
      });
      return copy;
    };
    const before = bus.cibs();
    const create = parseXml(`<resources>${resources}</resources>`).children.map((item) =>
      formatXml(item, -1),
    );
    for (const operations of [
      create.map((xml) => ({ op: "create" as const, scope: "resources" as const, xml })),
      [{ op: "modify" as const, scope: "resources" as const, xml: `<resources>${resources}</resources>` }],
      [{ op: "replace" as const, scope: "configuration" as const, xml: formatXml(configuration(), -1) }],
      // The members come back into it by themselves.
      [{ op: "replace" as const, scope: "configuration" as const, xml: formatXml(configuration(false), -1) }],
      [
        {
          op: "replace" as const,
          xml: formatXml(
            { ...cibOf(configuration()), attributes: new Map([...emptyCib().attributes, ["epoch", "9"]]) },
            -1,
          ),
        },
      ],
    ])
      expect(() => bus.apply(operations, "n1")).toThrow(/n2/i);
    expect(bus.cibs()).toEqual(before);
  });

  test.each(namesakes)(
    "%s that was found on the disk is left alone: the member is not fenced, and serves",
    (_what, resources) => {
      const bus = new ControllerBus(2, () => cibWith(resources));
      bus.boot("n1", "n2");
      bus.run(120_000);
      expect(bus.fenced).toEqual([]);
      expect(bus.where("a")).toEqual([n2]);
      expect(bus.cibs().join()).not.toContain("remote_node");
      const deeds = bus.executed.filter(
        ({ operation: { action, rsc } }) => action !== "monitor" && /^n?2$/i.test(rsc.id),
      );
      expect(deeds).toEqual([]);
      // What else there is to do is done.
      bus.configure("primitive b ocf:test:B op monitor interval=10s");
      bus.run(5000);
      expect(bus.where("b")).toHaveLength(1);
      expect(bus.leaders()).toHaveLength(1);
    },
  );
});

/** What a decision does with members, in a cluster that is well but for a namesake. */
function decided(resources: string, status = "", history = "") {
  const members = [1, 2].map(
    (id) =>
      `<node_state id="${id}" uname="n-${id}" in_ccm="true" crmd="online" join="member" expected="member">${id === 1 ? history : ""}</node_state>`,
  );
  const { actions, fencing } = schedule({
    cib: parseXml(`<cib validate-with="pacemaker-3.9" have-quorum="1" dc-uuid="1"><configuration><crm_config/>
<nodes><node id="1" uname="n-1"/><node id="2" uname="n-2"/></nodes><resources>${base}${resources}</resources><constraints/></configuration><status>${members.join("")}${status}</status></cib>`),
    now: 1_700_000_000,
  });
  const ended = actions.filter(({ task }) => task === "do_shutdown" || task === "stonith");
  return { fencing: fencing.map(({ node }) => node), ended: ended.map(({ node }) => node) };
}

describe("a decision ends no member because of", () => {
  const nothing = { fencing: [], ended: [] };
  const gone = (id: string, rc: number) =>
    `<lrm id="1"><lrm_resources><lrm_resource id="${id}" class="ocf" provider="pacemaker" type="remote"><lrm_rsc_op id="${id}_last_0" operation_key="${id}_start_0" operation="start" call-id="9" rc-code="${rc}" op-status="0" interval="0" transition-key="1:1:0:a" transition-magic="0:${rc};1:1:0:a"/></lrm_resource></lrm_resources></lrm>`;

  test.each<[string, string, string, string]>([
    ["a bundle whose replica has its name", bundle("n"), "", ""],
    ["a connection", remote("n-2"), "", ""],
    [
      "what was noted of its namesake",
      remote("n-2"),
      '<node_state id="n-2" uname="n-2" remote_node="true"/>',
      "",
    ],
    [
      "a namesake that was fenced",
      remote("n-2"),
      '<node_state id="n-2" uname="n-2" remote_node="true" in_ccm="false" node_fenced="1"/>',
      "",
    ],
    ["a connection that is gone from the configuration, and up", "", "", gone("n-2", 0)],
    ["one that is gone, and failed", "", "", gone("n-2", 1)],
    ["one that is gone, in capital letters", "", "", gone("N-2", 1)],
  ])("%s", (_what, resources, status, history) =>
    expect(decided(resources, status, history)).toEqual(nothing),
  );
});

test("who comes with the name of a remote node that is connected has to go", () => {
  const bus = new ControllerBus(3);
  bus.boot("n1", "n2");
  bus.run(100);
  bus.apply([{ op: "delete", xpath: "/cib/configuration/nodes/node[@uname='n3']", all: true }]);
  bus.configure(`
primitive fence stonith:fence_dummy op monitor interval=60s
primitive n3 ocf:pacemaker:remote op monitor interval=30s
primitive a ocf:test:A op monitor interval=10s
location prefer a 50: n3
`);
  bus.run(30_000);
  expect(bus.where("a")).toEqual([nodeName("n3")]);
  bus.boot("n3");
  bus.run(10_000);
  expect(bus.refused).toEqual([3]);
  expect(bus.fenced).toEqual([]);
  expect(bus.where("a")).toEqual([nodeName("n3")]);
});
