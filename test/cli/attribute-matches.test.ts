/** Who is changed where a name stands in several sets, and which element a meta attribute of a resource belongs to. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseXml, selectXpath } from "../../src/cib/index.ts";
import { runHere } from "./rehearsal.ts";

const pair = (id: string, name: string, value: string) =>
  `<nvpair id="${id}" name="${name}" value="${value}"/>`;
const dummy = (id: string, inner = "") =>
  `<primitive id="${id}" class="ocf" provider="pacemaker" type="Dummy">${inner}</primitive>`;
const managed = (id: string) =>
  `<meta_attributes id="${id}m">${pair(`${id}m1`, "is-managed", "false")}</meta_attributes>`;
const rule = '<rule id="r" score="5"><expression id="e" attribute="x" operation="defined"/></rule>';
const cib = `<cib validate-with="pacemaker-3.9" epoch="5" num_updates="3" admin_epoch="0"><configuration>
  <crm_config><cluster_property_set id="cib-bootstrap-options">${pair("o1", "stonith-enabled", "false")}</cluster_property_set>
    <cluster_property_set id="first">${pair("o2", "twice", "1")}</cluster_property_set><cluster_property_set id="second">${pair("o3", "twice", "2")}</cluster_property_set></crm_config>
  <nodes><node id="1" uname="n1"><instance_attributes id="ruled">${rule}${pair("na1", "standby", "on")}${pair("na2", "a", "1")}</instance_attributes><instance_attributes id="nodes-1">${pair("na3", "standby", "off")}</instance_attributes></node></nodes>
  <resources>
    ${dummy("d", `<meta_attributes id="dm">${pair("dm1", "x", "1")}${pair("dm4", "y", "1")}</meta_attributes><meta_attributes id="dm-b">${pair("dm2", "x", "2")}</meta_attributes><instance_attributes id="di">${rule.replaceAll('"r"', '"dr"').replaceAll('"e"', '"de"')}${pair("di1", "p", "1")}</instance_attributes><instance_attributes id="di-b">${pair("di2", "p", "2")}</instance_attributes>`)}
    <group id="g">${dummy("g1")}${dummy("g2")}</group>
    <clone id="bare">${dummy("b1")}</clone>
    <clone id="outer">${managed("outer")}${dummy("o-1")}</clone>
    <clone id="inner">${dummy("i1", managed("i1"))}</clone>
    <clone id="of-group"><group id="gg">${dummy("gg1")}</group></clone>
    <clone id="prom"><meta_attributes id="promm">${pair("promm1", "promotable", "true")}</meta_attributes><primitive id="st" class="ocf" provider="pacemaker" type="Stateful"/></clone>
  </resources>
  <constraints><rsc_colocation id="c1" rsc="g1" with-rsc="d" score="INFINITY"/><rsc_colocation id="c2" rsc="inner" with-rsc="g1" score="5"/><rsc_colocation id="c3" rsc="bare" with-rsc="d" score="-INFINITY"/></constraints>
  <rsc_defaults><meta_attributes id="mine">${pair("rd1", "resource-stickiness", "1")}</meta_attributes></rsc_defaults>
</configuration><status><node_state id="1" uname="n1"><transient_attributes id="1"><instance_attributes id="status-1">${pair("t1", "t", "1")}</instance_attributes><instance_attributes id="other">${pair("t2", "t", "2")}</instance_attributes></transient_attributes></node_state></status></cib>`;

let directory = "";
let file = "";
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "hactl-matches-"));
  file = join(directory, "cib.xml");
});
beforeEach(() => writeFileSync(file, cib));
afterAll(() => rmSync(directory, { recursive: true }));

const tool = (words: string) =>
  runHere(words.split(" "), { CIB_file: file, CIB_shadow: undefined, HACTL_CONFIG: "/nonexistent" });
const valueIn = (id: string) =>
  selectXpath(parseXml(readFileSync(file, "utf8")), `//nvpair[@id='${id}']`)[0]?.element.attributes.get(
    "value",
  );

describe("a name that stands in several sets", () => {
  test.each([
    ["crm_attribute -n twice -v 9", ["o2", "o3"]],
    ["crm_attribute -n twice -D", ["o2", "o3"]],
    ["crm_attribute -N n1 -n standby -v off", ["na1", "na3"]],
    ["crm_attribute -N n1 -n standby -D", ["na1", "na3"]],
    ["crm_attribute -N n1 -l reboot -n t -v 9", ["t1", "t2"]],
    ["crm_attribute -N n1 -l reboot -P ^t$ -v 9", ["t1", "t2"]],
    ["crm_standby -N n1 -v on", ["na1", "na3"]],
    ["crm_standby -N n1 -D", ["na1", "na3"]],
    ["crm_resource -r d -p p -v 9", ["di1", "di2"]],
    ["crm_resource -r d -d p", ["di1", "di2"]],
    ["crm_resource -r d -m -p x -v 9", ["dm1", "dm2"]],
    ["crm_resource -r d -m -d x", ["dm1", "dm2"]],
  ])("%s is refused with 109, and the ids are listed", async (words, ids) => {
    const { code, out } = await tool(words);
    expect(code).toBe(109);
    for (const id of ids) expect(out).toContain(`(id=${id})`);
    expect(readFileSync(file, "utf8")).toBe(cib);
  });

  test.each(["property twice=9", "node standby n1", "resource maintenance d on"])(
    "hactl %s names them, or changes the only one",
    async (words) => {
      const { code, err } = await tool(words);
      if (words.startsWith("resource")) expect([code, valueIn("dm-maintenance")]).toEqual([0, "true"]);
      else {
        expect(code).toBe(109);
        expect(err).toMatch(/o2 \(1\), o3 \(2\)|na1 \(on\), na3 \(off\)/);
        expect(readFileSync(file, "utf8")).toBe(cib);
      }
    },
  );

  test.each([
    ["crm_attribute -n twice -s second -v 9", "o3", "o2", "1"],
    ["crm_attribute -n twice -i o2 -v 9", "o2", "o3", "2"],
    ["crm_standby -N n1 -i na1 -v no", "na1", "na3", "off"],
    ["crm_resource -r d -p p -v 9 -s di-b", "di2", "di1", "1"],
    ["crm_resource -r d -p p -v 9 -i di1", "di1", "di2", "2"],
    ["crm_resource -r d -m -p x -v 9 -s dm", "dm1", "dm2", "2"],
  ])("%s changes the one that is meant", async (words, changed, other, value) => {
    expect((await tool(words)).code).toBe(0);
    const given = words.split(" ")[words.split(" ").indexOf("-v") + 1];
    expect([valueIn(changed), valueIn(other)]).toEqual([given, value]);
  });

  test("is printed with every value", async () => {
    expect((await tool("crm_attribute -n twice -G -q")).out).toBe("1\n2\n");
  });
});

describe("a new one", () => {
  test.each([
    ["crm_attribute -N n1 -n fresh -v 1", "nodes-1-fresh"],
    ["crm_attribute -n fresh -v 1", "cib-bootstrap-options-fresh"],
    ["crm_attribute -n #fresh -v 1", "cib-bootstrap-options-.fresh"],
    ["crm_attribute -N n1 -l reboot -n fresh -v 1", "status-1-fresh"],
    ["crm_attribute -t rsc_defaults -n fresh -v 1", "mine-fresh"],
    ["crm_attribute -t op_defaults -n fresh -v 1", "op_defaults-options-fresh"],
    ["configure rsc_defaults fresh=1", "mine-fresh"],
    ["configure rsc_defaults rsc-options: fresh=1", "rsc-options-fresh"],
    ["configure op_defaults fresh=1", "op-options-fresh"],
    ["crm_resource -r d -p fresh -v 1", "d-instance_attributes-fresh"],
    ["crm_resource -r d -m -p fresh -v 1", "d-meta_attributes-fresh"],
  ])("%s goes into the set for it, never into one with a rule", async (words, id) => {
    expect((await tool(words)).code).toBe(0);
    expect(valueIn(id)).toBe("1");
  });

  test("parameter of a meta attribute's name needs --force", async () => {
    const refused = await tool("crm_resource -r d -p y -v 9");
    expect([refused.code, refused.err.includes("dm4")]).toEqual([109, true]);
    expect((await tool("crm_resource -r d -p y -v 9 --force")).code).toBe(0);
    expect([valueIn("d-instance_attributes-y"), valueIn("dm4")]).toEqual(["9", "1"]);
  });
});

describe("a meta attribute", () => {
  test.each([
    ["crm_resource -r b1 -m -p is-managed -v no", "bare-meta_attributes-is-managed", "its clone"],
    ["crm_resource -r b1 -m -p is-managed -v no --force", "b1-meta_attributes-is-managed", "itself by force"],
    ["crm_resource -r bare -m -p is-managed -v no", "bare-meta_attributes-is-managed", "the clone"],
    ["crm_resource -r o-1 -m -p is-managed -v no", "outerm1", "its clone, which has it"],
    [
      "crm_resource -r o-1 -m -p is-managed -v no --force",
      "o-1-meta_attributes-is-managed",
      "itself by force",
    ],
    ["crm_resource -r inner -m -p is-managed -v no", "i1m1", "what is in the clone, which has it"],
    [
      "crm_resource -r inner -m -p is-managed -v no --force",
      "inner-meta_attributes-is-managed",
      "itself by force",
    ],
    ["crm_resource -r i1 -m -p is-managed -v no", "i1m1", "itself, which has it"],
    [
      "crm_resource -r gg -m -p is-managed -v no",
      "of-group-meta_attributes-is-managed",
      "the clone of a group",
    ],
    [
      "crm_resource -r gg1 -m -p is-managed -v no",
      "gg1-meta_attributes-is-managed",
      "a member of a cloned group",
    ],
    ["crm_resource -r g -m -p is-managed -v no", "g-meta_attributes-is-managed", "a group"],
    ["crm_resource -r g1 -m -p is-managed -v no", "g1-meta_attributes-is-managed", "a member of a group"],
    [
      "crm_resource -r st:0 -m -p is-managed -v no",
      "prom-meta_attributes-is-managed",
      "the clone of an instance",
    ],
  ])("%s belongs to %s (%s)", async (words, id) => {
    expect((await tool(words)).code).toBe(0);
    expect(valueIn(id)).toBe("no");
    expect(readFileSync(file, "utf8").match(/value="no"/g)?.length).toBe(1);
  });

  test("is removed where it is", async () => {
    await tool("crm_resource -r o-1 -m -d is-managed");
    await tool("crm_resource -r inner -m -d is-managed");
    expect([valueIn("outerm1"), valueIn("i1m1")]).toEqual([undefined, undefined]);
  });

  test("with --recursive is one of all that has to be in the same place, and of what has to be where that is", async () => {
    expect((await tool("crm_resource -r d -m -p target-role -v Stopped --recursive")).code).toBe(0);
    expect(["d", "g1", "inner", "bare"].map((id) => valueIn(`${id}-meta_attributes-target-role`))).toEqual([
      "Stopped",
      "Stopped",
      "Stopped",
      undefined,
    ]);
  });
});

describe("one instance of a clone", () => {
  test.each([
    ["crm_resource -r st:0 -M -N n1", 2],
    ["crm_resource -r st:1 -B -N n1", 2],
    ["crm_resource -r b1:0 -U", 2],
    ["crm_resource -r prom:0 -M -N n1", 105],
  ])("%s cannot be steered", async (words, status) => {
    expect((await tool(words)).code).toBe(status);
    expect(readFileSync(file, "utf8")).toBe(cib);
  });
});

test("what counts on in a change of XML: the versions, and values", async () => {
  const modify = (xml: string) =>
    runHere(["cibadmin", "-M", "--score", "-X", xml], { CIB_file: file, CIB_shadow: undefined });
  expect((await modify('<cib admin_epoch="admin_epoch++"/>')).code).toBe(0);
  expect((await modify('<nvpair id="o2" value="value+=5"/>')).code).toBe(0);
  expect(readFileSync(file, "utf8")).toContain('admin_epoch="1"');
  expect(valueIn("o2")).toBe("6");
});
