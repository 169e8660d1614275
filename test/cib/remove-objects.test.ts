import { describe, expect, test } from "bun:test";
import {
  child,
  cibOf,
  formatXml,
  parseXml,
  queryCib,
  removeObjects,
  verifyCib,
} from "../../src/cib/index.ts";
import { HactlError } from "../../src/terms/index.ts";

const dummy = (id: string) => `<primitive id="${id}" class="ocf" provider="pacemaker" type="Dummy"/>`;
const set = (id: string, members: string, more = "") =>
  `<resource_set id="${id}"${more}>${members
    .split(" ")
    .map((one) => `<resource_ref id="${one}"/>`)
    .join("")}</resource_set>`;
const configuration = parseXml(`<configuration><crm_config/><nodes><node id="1" uname="n1"/></nodes>
  <resources>${["a", "b", "c"].map(dummy).join("")}
    <group id="g"><meta_attributes id="gm"><nvpair id="gm1" name="target-role" value="Started"/></meta_attributes>${dummy("g1")}${dummy("g2")}</group>
    <group id="single">${dummy("s1")}</group>
    <clone id="k">${dummy("k1")}</clone>
    <clone id="kg"><group id="kgg">${dummy("kg1")}${dummy("kg2")}</group></clone>
    <template id="t" class="ocf" provider="pacemaker" type="Dummy"/><primitive id="of-t" template="t"/>
    <primitive id="f1" class="stonith" type="fence_a"/><primitive id="f2" class="stonith" type="fence_b"/><primitive id="f3" class="stonith" type="fence_c"/>
  </resources>
  <constraints>
    <rsc_location id="on-g" rsc="g" node="n1" score="100"/>
    <rsc_colocation id="g-with-a" rsc="g" with-rsc="a" score="INFINITY"/>
    <rsc_colocation id="g-with-g1" rsc="g" with-rsc="g1" score="INFINITY"/>
    <rsc_order id="k-then-a" first="k" then="a"/>
    <rsc_ticket id="ticket" ticket="T" rsc="kg"/>
    <rsc_location id="many" node="n1" score="1">${set("many-0", "a b")}</rsc_location>
    <rsc_order id="three">${set("three-0", "a b c")}</rsc_order>
    <rsc_order id="loose">${set("loose-0", "a b", ' sequential="false"')}${set("loose-1", "c")}</rsc_order>
    <rsc_colocation id="one-set" score="5">${set("one-set-0", "a b s1")}</rsc_colocation>
    <rsc_colocation id="two-sets" score="5">${set("two-sets-0", "a", ' role="Started"')}${set("two-sets-1", "b g")}</rsc_colocation>
    <rsc_colocation id="set-by-set" score="5">${set("set-by-set-0", "a c", ' role="Started" sequential="false"')}${set("set-by-set-1", "b")}</rsc_colocation>
  </constraints>
  <fencing-topology><fencing-level id="both" target="n1" index="1" devices="f1,f2"/><fencing-level id="alone" target="n1" index="2" devices="f3"/></fencing-topology>
  <acls><acl_role id="role"><acl_permission id="p1" kind="read" reference="a"/><acl_permission id="p2" kind="read" xpath="/cib"/></acl_role><acl_target id="joe"><role id="role"/></acl_target></acls>
  <tags><tag id="only-a"><obj_ref id="a"/></tag><tag id="two"><obj_ref id="g"/><obj_ref id="b"/></tag></tags>
</configuration>`);

/** What the removal leaves, which has to be a valid configuration. */
function without(...ids: string[]) {
  const before = formatXml(configuration);
  const { configuration: after, remarks } = removeObjects(configuration, ids);
  expect(formatXml(configuration)).toBe(before);
  const errors = verifyCib(cibOf(after)).filter(
    ({ level, code }) => level === "error" && code !== "NO_FENCING",
  );
  expect(errors).toEqual([]);
  const all = (xpath: string) =>
    child(after, "resources") &&
    safely(() => queryCib(cibOf(after), { xpath }).map((item) => formatXml(item, -1)));
  return { at: (xpath: string) => all(xpath)?.join("") ?? "", remarks, ids: idsIn(after, "resources") };
}
const safely = <T>(look: () => T[]): T[] => {
  try {
    return look();
  } catch (error) {
    if (error instanceof HactlError) return [];
    throw error;
  }
};
const idsIn = (root: typeof configuration, section: string) =>
  child(root, section)?.children.map(({ attributes }) => attributes.get("id"));

function refusal(...ids: string[]): HactlError {
  try {
    removeObjects(configuration, ids);
  } catch (error) {
    if (error instanceof HactlError) return error;
    throw error;
  }
  throw new Error("it was not refused");
}

describe("a container that goes", () => {
  test("leaves its members in its place, and the first of them inherits its constraints", () => {
    const { at, ids, remarks } = without("g");
    expect(ids?.slice(0, 5)).toEqual(["a", "b", "c", "g1", "g2"]);
    expect(at("//*[@id='gm']")).toBe("");
    expect(at("//rsc_location[@id='on-g']")).toContain('rsc="g1"');
    expect(at("//rsc_colocation[@id='g-with-a']")).toContain('rsc="g1" with-rsc="a"');
    expect(remarks).toContain("g1, g2 stay as resources of their own");
    for (const id of ["on-g", "g-with-a"])
      expect(remarks).toContain(`constraint ${id} names g1 in place of g and no longer holds for g2`);
    expect(without("k").remarks).toContain("constraint k-then-a names k1 in place of k");
  });

  test("a group's last member has what follows the group, its first what the group follows", () => {
    const rules = `<rsc_order id="o1" first="g" then="x"/><rsc_order id="o2" first="x" then="g"/>
      <rsc_colocation id="c1" rsc="x" with-rsc="g" score="INFINITY"/><rsc_colocation id="c2" rsc="g" with-rsc="x" score="INFINITY"/>
      <rsc_location id="l" rsc="g" node="n1" score="1"/><rsc_order id="o3" first="c" then="x"/>`;
    const p = (id: string) => `<primitive id="${id}" class="ocf" provider="test" type="a"/>`;
    const root = parseXml(
      `<configuration><resources><group id="g">${p("g1")}${p("g2")}${p("g3")}</group>${p("x")}<clone id="c">${p("k")}</clone></resources><constraints>${rules}</constraints></configuration>`,
    );
    const { configuration: after, remarks } = removeObjects(root, ["g", "c"]);
    const constraint = (id: string) => {
      const found = child(after, "constraints")?.children.find((one) => one.attributes.get("id") === id);
      return [...(found?.attributes ?? [])].map(([name, value]) => `${name}=${value}`).join(" ");
    };
    expect(["o1", "o2", "c1", "c2", "l", "o3"].map(constraint)).toEqual([
      "id=o1 first=g3 then=x",
      "id=o2 first=x then=g1",
      "id=c1 rsc=x with-rsc=g3 score=INFINITY",
      "id=c2 rsc=g1 with-rsc=x score=INFINITY",
      "id=l rsc=g1 node=n1 score=1",
      "id=o3 first=k then=x",
    ]);
    expect(remarks).toContain("constraint o1 names g3 in place of g and no longer holds for g1, g2");
    expect(remarks).toContain("constraint c2 names g1 in place of g and no longer holds for g2, g3");
  });

  test("leaves no constraint of a resource with itself", () => {
    expect(without("g").at("//rsc_colocation[@id='g-with-g1']")).toBe("");
  });

  test("leaves the sets and tags that named it", () => {
    const { at } = without("g");
    expect(at("//rsc_colocation[@id='two-sets']")).toBe(
      '<rsc_colocation id="two-sets" score="5" rsc="a" rsc-role="Started" with-rsc="b"/>',
    );
    expect(at("//tag[@id='two']")).toBe('<tag id="two"><obj_ref id="b"/></tag>');
  });

  test("may be a clone, of a group, too", () => {
    const clone = without("k");
    expect(clone.ids).toContain("k1");
    expect(clone.at("//rsc_order[@id='k-then-a']")).toContain('first="k1"');
    const group = without("kg");
    expect(group.at("/cib/configuration/resources/group[@id='kgg']/primitive[@id='kg2']")).not.toBe("");
    expect(group.at("//rsc_ticket")).toContain('rsc="kgg"');
  });

  test("takes the clone around it along", () => {
    const { ids, at } = without("kgg");
    expect(ids).toContain("kg1");
    expect(ids).not.toContain("kg");
    expect(at("//rsc_ticket")).toContain('rsc="kg1"');
  });

  test("with all its members leaves nothing", () => {
    const { ids, at } = without("g", "g1", "g2");
    expect(ids).not.toContain("g1");
    expect(at("//rsc_location[@id='on-g']")).toBe("");
  });
});

describe("a resource that goes", () => {
  test("takes along the group or clone of which it was the last", () => {
    for (const [id, container] of [
      ["s1", "single"],
      ["k1", "k"],
    ] as const)
      expect(without(id).ids).not.toContain(container);
    expect(without("g1").at("//group[@id='g']/primitive")).toContain('id="g2"');
    expect(without("kg1", "kg2").ids).not.toContain("kg");
  });

  test("takes its constraints and tags along", () => {
    const { at, remarks } = without("a");
    for (const id of ["g-with-a", "k-then-a", "only-a"]) expect(at(`//*[@id='${id}']`)).toBe("");
    expect(at("//tag[@id='only-a']")).toBe("");
    expect(remarks).toContain("constraint g-with-a is removed, too");
    expect(remarks).toContain("tag only-a is removed, too");
  });

  test("leaves sets; two that are left need none, unless they are in no order", () => {
    const { at } = without("a");
    expect(at("//rsc_order[@id='three']")).toBe('<rsc_order id="three" first="b" then="c"/>');
    expect(at("//rsc_colocation[@id='one-set']")).toBe(
      '<rsc_colocation id="one-set" score="5" rsc="s1" with-rsc="b"/>',
    );
    expect(at("//rsc_location[@id='many']")).toContain(
      '<resource_set id="many-0"><resource_ref id="b"/></resource_set>',
    );
    const loose = without("c");
    expect(loose.at("//rsc_order[@id='loose']")).toBe(
      '<rsc_order id="loose"><resource_set id="loose-0" sequential="false"><resource_ref id="a"/><resource_ref id="b"/></resource_set></rsc_order>',
    );
    expect(loose.at("//rsc_colocation[@id='set-by-set']")).toBe(
      '<rsc_colocation id="set-by-set" score="5" rsc="a" rsc-role="Started" with-rsc="b"/>',
    );
    expect(without("a", "b").at("//rsc_location[@id='many']")).toBe("");
  });

  test("is in no permission any more", () => {
    const { at } = without("a");
    expect(at("//acl_permission")).toBe('<acl_permission id="p2" kind="read" xpath="/cib"/>');
    expect(without("role").at("//acl_target")).toBe('<acl_target id="joe"/>');
  });

  test("a device takes its own level along, but no level that needs others as well", () => {
    const { at } = without("f3");
    expect(at("//fencing-level[@id='alone']")).toBe("");
    expect(at("//fencing-level[@id='both']")).toContain('devices="f1,f2"');
    expect(refusal("f1")).toMatchObject({ code: "IN_USE", where: { id: "both" } });
    expect(without("f1", "both").at("//fencing-level[@id='both']")).toBe("");
  });

  test("a template stays as long as something is made from it", () => {
    expect(refusal("t")).toMatchObject({ code: "IN_USE", where: { id: "t" } });
    expect(without("t", "of-t").ids).not.toContain("t");
  });
});

test("what is not there is refused, and a node may be called by its name", () => {
  expect(refusal("a", "nosuch")).toMatchObject({ code: "NO_SUCH_OBJECT" });
  expect(without("n1").at("//node")).toBe("");
});

test("of a resource and a node of one name the resource is meant", () => {
  const both = parseXml(`<configuration><crm_config/><nodes><node id="2" uname="n2"/></nodes>
<resources><primitive id="n2" class="ocf" provider="pacemaker" type="remote"/></resources><constraints/></configuration>`);
  const { configuration: after } = removeObjects(both, ["n2"]);
  expect(idsIn(after, "resources")).toEqual([]);
  expect(idsIn(after, "nodes")).toEqual(["2"]);
  expect(idsIn(removeObjects(after, ["n2"]).configuration, "nodes")).toEqual([]);
});
