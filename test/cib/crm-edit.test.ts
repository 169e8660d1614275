import { describe, expect, test } from "bun:test";
import {
  formatCrm,
  loadCrm,
  modifyGroup,
  parseXml,
  renameObject,
  selectXpath,
  setConfigured,
  type XmlElement,
} from "../../src/cib/index.ts";
import { HactlError } from "../../src/terms/index.ts";

const text = `node 1: node1
primitive d1 ocf:pacemaker:Dummy op monitor interval=10s
primitive d2 Dummy params mondelay=60 meta priority=1 op start timeout=60 op monitor interval=10s
primitive d3 Dummy params a.b=1
primitive d4 @t
primitive fence stonith:fence_sbd
rsc_template t Dummy
group g1 d1 d2
colocation c1 inf: d3 g1
order o1 Mandatory: d3 g1
colocation c2 inf: ( d3 d4 )
location l2 d3 rule 50: #uname eq node1
rsc_ticket rt T: d3
tag t1 d3 d1
fencing_topology fence
role reader read ref:d3
acl_target joe reader
property no-quorum-policy=stop
`;
const base = loadCrm(text, undefined, "replace");
const shown = (configuration: XmlElement) => formatCrm(configuration);
const code = (action: () => unknown) => {
  try {
    action();
  } catch (error) {
    if (error instanceof HactlError) return error.code;
    throw error;
  }
  return "none";
};
/** Lines of the text that differ from those of the base. */
const changed = (configuration: XmlElement) => {
  const before = new Set(shown(base).split("\n"));
  return shown(configuration)
    .split("\n")
    .filter((line) => !before.has(line));
};

describe("rename", () => {
  test("takes along all that refers to the object", () => {
    const renamed = renameObject(base, "d3", "p3").configuration;
    expect(shown(renamed)).not.toMatch(/\bd3\b/);
    const lines = (configuration: XmlElement) => shown(configuration).split("\n").sort();
    expect(lines(renamed)).toEqual(
      shown(base)
        .replaceAll(/\bd3\b/g, "p3")
        .split("\n")
        .sort(),
    );
    expect(shown(base)).toMatch(/\bd3\b/);
  });

  test("knows groups, templates, roles and fence devices", () => {
    expect(changed(renameObject(base, "g1", "grp").configuration)).toEqual([
      "group grp d1 d2",
      "colocation c1 inf: d3 grp",
      "order o1 Mandatory: d3 grp",
    ]);
    expect(shown(renameObject(base, "t", "template1").configuration)).toContain("primitive d4 @template1");
    expect(shown(renameObject(base, "reader", "looker").configuration)).toContain(
      "acl_target joe \\\n\tlooker",
    );
    expect(shown(renameObject(base, "fence", "sbd").configuration)).toContain("fencing_topology sbd");
  });

  test("tells of constraints whose pattern is about the one id and not about the other", () => {
    const patterns = "location x1 /^d3$/ 5: node1\nlocation x2 /^p/ 5: node1\nlocation x3 /3/ 5: node1\n";
    expect(renameObject(loadCrm(patterns, base, "update"), "d3", "p3").remarks).toEqual([
      "constraint x1 was about d3 and is not about p3, as its pattern has it: ^d3$",
      "constraint x2 is about p3 from now on, as its pattern has it: ^p",
    ]);
  });

  test("refuses what is not there, what is there already, and what is no id", () => {
    expect(code(() => renameObject(base, "d9", "x"))).toBe("NO_SUCH_OBJECT");
    expect(code(() => renameObject(base, "d1", "d2"))).toBe("CRM_CONFLICT");
    expect(code(() => renameObject(base, "d1", "2 x"))).toBe("CRM_SYNTAX");
    expect(code(() => renameObject(base, "node1", "x"))).toBe("NO_SUCH_OBJECT");
    const remote = loadCrm("primitive far ocf:pacemaker:remote params server=far\n", base, "update");
    expect(code(() => renameObject(remote, "far", "near"))).toBe("CRM_CONFLICT");
  });
});

describe("modgroup", () => {
  const members = (configuration: XmlElement) =>
    selectXpath(configuration, "//group/primitive").map(({ element }) => element.attributes.get("id"));

  test("adds at the end, before and after", () => {
    expect(members(modifyGroup(base, "g1", { do: "add", member: "d3" }))).toEqual(["d1", "d2", "d3"]);
    const beside = (where: "before" | "after", member: string) =>
      members(modifyGroup(base, "g1", { do: "add", member: "d3", beside: { where, member } }));
    expect(beside("before", "d1")).toEqual(["d3", "d1", "d2"]);
    expect(beside("after", "d1")).toEqual(["d1", "d3", "d2"]);
    expect(code(() => beside("after", "d4"))).toBe("NO_SUCH_OBJECT");
  });

  test("removes: the resource goes on for itself", () => {
    const removed = modifyGroup(base, "g1", { do: "remove", member: "d1" });
    expect(members(removed)).toEqual(["d2"]);
    expect(selectXpath(removed, "//resources/primitive[@id='d1']")).toHaveLength(1);
    expect(code(() => modifyGroup(removed, "g1", { do: "remove", member: "d2" }))).toBe("CRM_CONFLICT");
  });

  test("refuses what is no group, no member, or in another one", () => {
    expect(code(() => modifyGroup(base, "d3", { do: "add", member: "d4" }))).toBe("CRM_CONFLICT");
    expect(code(() => modifyGroup(base, "g9", { do: "add", member: "d4" }))).toBe("NO_SUCH_OBJECT");
    expect(code(() => modifyGroup(base, "g1", { do: "remove", member: "d3" }))).toBe("NO_SUCH_OBJECT");
    expect(code(() => modifyGroup(base, "g1", { do: "add", member: "d1" }))).toBe("CRM_CONFLICT");
  });
});

describe("set", () => {
  test.each([
    ["d2.mondelay", "45", "params mondelay=45"],
    ["d2.priority", "5", "meta priority=5"],
    ["d2.monitor.interval", "20s", "op monitor interval=20s"],
    ["d2.op.start.timeout", "90", "op start timeout=90 interval=0"],
    ["d3.a.b", "2", "params a.b=2"],
    ["d2.monitor.on-fail", "block", "op monitor interval=10s on-fail=block"],
    ["cib-bootstrap-options.no-quorum-policy", "freeze", "no-quorum-policy=freeze"],
  ])("%s becomes %s", (path, value, expected) => {
    expect(changed(setConfigured(base, path, value)).map((line) => line.replace(/ \\$/, "").trim())).toEqual([
      expected,
    ]);
  });

  test("refuses what several sets have", () => {
    const twice = loadCrm(
      "primitive two ocf:pacemaker:Dummy params rule #uname eq n1 state=/a params state=/b",
      base,
      "update",
    );
    expect(code(() => setConfigured(twice, "two.state", "/x"))).toBe("AMBIGUOUS");
  });

  test("refuses what is not configured", () => {
    for (const path of ["d2.fake", "d9.mondelay", "d2", "d3.monitor.interval", "d2.monitor.fake"])
      expect([path, code(() => setConfigured(base, path, "1"))]).toEqual([path, "NO_SUCH_OBJECT"]);
  });
});

describe("crm text", () => {
  const load = (more: string) => loadCrm(more, base, "update");

  test("takes a description among meta attributes for one of them, and prints it so", () => {
    const loaded = load('primitive n Dummy meta description="some text" requires=nothing\n');
    expect(changed(loaded)).toEqual([
      "primitive n Dummy \\",
      '\tmeta description="some text" requires=nothing',
    ]);
    const own = load('primitive n Dummy description="some text" meta requires=nothing\n');
    expect(selectXpath(own, "//primitive[@id='n']")[0]?.element.attributes.get("description")).toBe(
      "some text",
    );
  });

  test("takes a rule's reference to a constraint for one to its rule", () => {
    const [rule] = selectXpath(load("location l7 d4 rule $id-ref=l2\n"), "//rsc_location[@id='l7']/rule");
    expect(rule?.element.attributes.get("id-ref")).toBe("l2-rule");
  });

  test("is printed whatever the order of an object's parts", () => {
    const configuration = parseXml(`<configuration><resources>
      <clone id="c"><group id="g"><primitive id="a" class="ocf" provider="heartbeat" type="Dummy"><operations>
      <op id="a-m" name="monitor" interval="10s"/></operations><meta_attributes id="a-meta"><nvpair id="a-p" name="priority" value="1"/></meta_attributes>
      <instance_attributes id="a-ia"><nvpair id="a-f" name="fake" value="x"/></instance_attributes></primitive>
      <meta_attributes id="g-meta"><nvpair id="g-r" name="target-role" value="Stopped"/></meta_attributes></group>
      <meta_attributes id="c-meta"><nvpair id="c-i" name="interleave" value="true"/></meta_attributes></clone></resources></configuration>`);
    const crm = formatCrm(configuration);
    expect(crm).not.toContain("xml ");
    expect(crm).toContain("group g a \\\n\tmeta target-role=Stopped");
    expect(crm).toContain("clone c g \\\n\tmeta interleave=true");
    expect(formatCrm(loadCrm(crm, undefined, "replace"))).toBe(crm);
  });
});
