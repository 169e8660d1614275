import { describe, expect, test } from "bun:test";
import {
  applyOperations,
  type CibOperation,
  child,
  cibDigest,
  compareCibVersions,
  formatVersion,
  formatXml,
  parseXml,
  queryCib,
  selectXpath,
  versionOf,
} from "../../src/cib/index.ts";
import { CrmExit, HactlError } from "../../src/terms/index.ts";

const document = `<cib admin_epoch="1" epoch="5" num_updates="9" validate-with="pacemaker-3.9"><configuration>
  <crm_config><cluster_property_set id="cib-bootstrap-options"><nvpair id="p1" name="stonith-enabled" value="false"/></cluster_property_set></crm_config>
  <nodes><node id="1" uname="n1"/></nodes>
  <resources><primitive id="a" class="ocf" provider="heartbeat" type="Dummy"><meta_attributes id="am"><nvpair id="am-x" name="x" value="1"/></meta_attributes></primitive>
    <clone id="k"><primitive id="b" class="ocf" provider="heartbeat" type="Dummy"/></clone></resources>
  <constraints><rsc_location id="l" rsc="a" node="n1" score="5"/></constraints></configuration>
  <status><node_state id="1" uname="n1" crmd="online"/></status></cib>`;
const cib = () => parseXml(document);
const apply = (...operations: CibOperation[]) => applyOperations(cib(), operations);
const at = (root: ReturnType<typeof cib>, xpath: string) =>
  queryCib(root, { xpath })
    .map((item) => formatXml(item, -1))
    .join("");

function refusal(...operations: CibOperation[]): HactlError {
  const root = cib();
  const before = formatXml(root);
  try {
    applyOperations(root, operations);
  } catch (error) {
    if (!(error instanceof HactlError)) throw error;
    expect(formatXml(root)).toBe(before);
    return error;
  }
  throw new Error("was not refused");
}

describe("operations", () => {
  test("create puts an element into its section and gives it ids", () => {
    const {
      cib: after,
      configurationChanged,
      statusChanged,
      value,
    } = apply({
      op: "create",
      xml: '<primitive id="c" class="ocf" provider="heartbeat" type="Dummy"><operations><op name="monitor" interval="5s"/></operations></primitive>',
    });
    expect(at(after, "//primitive[@id='c']//op")).toBe(
      '<op name="monitor" interval="5s" id="c-monitor-5s"/>',
    );
    expect([configurationChanged, statusChanged, value]).toEqual([true, false, "1.6.0"]);
  });

  test("create within what an XPath finds, and of a section's children", () => {
    const { cib: after } = apply(
      { op: "create", xml: '<nvpair id="y" name="y" value="2"/>', xpath: "//meta_attributes[@id='am']" },
      { op: "create", xml: '<tags><tag id="t"><obj_ref id="a"/></tag></tags>' },
      { op: "create", xml: '<meta_attributes id="d"/>', scope: "rsc_defaults" },
    );
    expect(at(after, "//meta_attributes[@id='am']/nvpair[2]")).toContain('name="y"');
    expect(at(after, "/cib/configuration/tags/tag")).toContain('id="t"');
    expect(at(after, "/cib/configuration/rsc_defaults")).toContain('id="d"');
  });

  test("modify merges by name and id", () => {
    const { cib: after } = apply(
      {
        op: "modify",
        xml: '<primitive id="a" description="d"><meta_attributes id="am"><nvpair id="am-x" value="7"/><nvpair id="am-z" name="z" value="3"/></meta_attributes></primitive>',
      },
      {
        op: "modify",
        xml: '<crm_config><cluster_property_set id="cib-bootstrap-options"><nvpair id="p2" name="batch-limit" value="3"/></cluster_property_set></crm_config>',
      },
    );
    expect(at(after, "//primitive[@id='a']")).toBe(
      '<primitive id="a" class="ocf" provider="heartbeat" type="Dummy" description="d"><meta_attributes id="am"><nvpair id="am-x" name="x" value="7"/><nvpair id="am-z" name="z" value="3"/></meta_attributes></primitive>',
    );
    expect(at(after, "//crm_config//nvpair")).toContain('name="batch-limit"');
  });

  test("modify and replace can create; else the missing is an error", () => {
    const xml = '<rsc_location id="l2" rsc="k" node="n1" score="1"/>';
    expect(refusal({ op: "modify", xml })).toMatchObject({ code: "NO_SUCH", exit: CrmExit.NOSUCH });
    expect(refusal({ op: "replace", xml }).code).toBe("NO_SUCH");
    expect(at(apply({ op: "modify", xml, create: true }).cib, "//rsc_location[2]")).toContain('id="l2"');
  });

  test("what a path finds is not replaced by what has no id", () => {
    for (const [xpath, xml] of [
      ["//nvpair", '<nvpair name="q" value="true"/>'],
      ["//primitive", '<primitive class="ocf" provider="heartbeat" type="Dummy"/>'],
    ])
      expect(refusal({ op: "replace", xpath, xml: xml ?? "" } as CibOperation)).toMatchObject({
        code: "MISSING_ATTRIBUTE",
        exit: CrmExit.CONFIG,
      });
  });

  test("replace of an element, a section, a configuration", () => {
    const element = apply({ op: "replace", xml: '<primitive id="b" class="systemd" type="x"/>' }).cib;
    expect(at(element, "//clone")).toBe('<clone id="k"><primitive id="b" class="systemd" type="x"/></clone>');
    const section = apply({ op: "replace", xml: "<constraints/>" }).cib;
    expect(at(section, "//constraints")).toBe("<constraints/>");
    const whole = apply({ op: "replace", xml: "<configuration><nodes/></configuration>" }).cib;
    expect(at(whole, "//configuration")).toBe(
      "<configuration><nodes/><crm_config/><resources/><constraints/></configuration>",
    );
    expect(at(whole, "//node_state")).toContain("online");
  });

  test("replace of the document: a higher version counts on, a lower is refused", () => {
    const newer = apply({ op: "replace", xml: '<cib admin_epoch="2" epoch="1"><configuration/></cib>' });
    expect(newer.value).toBe("2.2.0");
    expect(at(newer.cib, "/cib/status")).toBe("<status/>");
    expect(
      refusal({ op: "replace", xml: '<cib admin_epoch="1" epoch="5" num_updates="8"><configuration/></cib>' })
        .exit,
    ).toBe(CrmExit.OLD);
    expect(refusal({ op: "replace", xml: '<cib admin_epoch="1" epoch="4"/>' })).toMatchObject({
      code: "OLD",
      exit: CrmExit.OLD,
    });
    expect(apply({ op: "replace", xml: '<cib admin_epoch="1" epoch="5"><configuration/></cib>' }).value).toBe(
      "1.6.0",
    );
  });

  test("replace of a running cluster's document by an older one is refused, unless it says the same", () => {
    const live = (xml: string) => applyOperations(cib(), [{ op: "replace", xml }], { live: true });
    const older = formatXml(cib()).replace('num_updates="9"', 'num_updates="8"');
    const other = older.replace("</resources>", '<primitive id="mine" class="lsb" type="x"/></resources>');
    expect(() => live(other)).toThrow("version 1.5.8 is older than the present 1.5.9");
    expect(live(other.replace('num_updates="8"', 'num_updates="9"')).value).toBe("1.6.0");
    expect(live(older).configurationChanged).toBe(false);
  });

  test("delete by pattern, by path, of several; nothing found is no error", () => {
    expect(apply({ op: "delete", xml: '<rsc_location id="l"/>' }).cib.children.length).toBe(2);
    expect(() => at(apply({ op: "delete", xml: '<rsc_location id="l"/>' }).cib, "//rsc_location")).toThrow();
    expect(apply({ op: "delete", xpath: "//nvpair[@name='x']" }).configurationChanged).toBe(true);
    expect(() => at(apply({ op: "delete", xpath: "//nvpair", all: true }).cib, "//nvpair")).toThrow();
    expect(apply({ op: "delete", xml: '<primitive id="none"/>' })).toMatchObject({
      configurationChanged: false,
      value: "1.5.9",
    });
  });

  test("the status counts updates, the configuration epochs", () => {
    const status = apply({ op: "modify", xml: '<node_state id="1" crmd="offline"/>', scope: "status" });
    expect(status).toMatchObject({ configurationChanged: false, statusChanged: true, value: "1.5.10" });
    const both = apply(
      { op: "modify", xml: '<node_state id="1" crmd="offline"/>', scope: "status" },
      { op: "delete", xml: '<rsc_location id="l"/>' },
    );
    expect(both).toMatchObject({ configurationChanged: true, statusChanged: true, value: "1.6.0" });
    expect(apply({ op: "bump" }).value).toBe("1.6.0");
    expect(apply({ op: "modify", xml: '<cib admin_epoch="7"/>' }).value).toBe("7.5.10");
    expect(refusal({ op: "modify", xml: '<cib epoch="4"/>' }).exit).toBe(CrmExit.OLD);
  });

  test("erase leaves nothing, and wins over every copy", () => {
    const { cib: after, value } = apply({ op: "erase" });
    expect(at(after, "/cib/*")).toBe(
      "<configuration><crm_config/><nodes/><resources/><constraints/></configuration><status/>",
    );
    expect(value).toBe("2.6.0");
  });

  test.each<[string, CibOperation]>([
    ["erase", { op: "erase" }],
    ["an empty section of nodes", { op: "replace", xml: "<nodes/>" }],
    ["a configuration without nodes", { op: "replace", xml: "<configuration/>" }],
    [
      "a whole document",
      { op: "replace", xml: '<cib epoch="9" admin_epoch="1"><configuration/><status/></cib>' },
    ],
    ["its own entry deleted", { op: "delete", xml: '<node id="1"/>', scope: "nodes" }],
    ["its state deleted", { op: "delete", xpath: "//node_state" }],
    ["another one under its id", { op: "replace", xml: '<nodes><node id="1" uname="other"/></nodes>' }],
    ["another id under its name", { op: "replace", xml: '<nodes><node id="9" uname="n1"/></nodes>' }],
  ])("members of a running cluster stay: %s", (name, operation) => {
    const running = parseXml(
      document.replace(
        'crmd="online"/>',
        'crmd="online" in_ccm="true" join="member" expected="member"/><node_state id="2" uname="n2" crmd="offline" in_ccm="false" expected="member"/><node_state id="3" uname="n3" crmd="offline" expected="down"/><node_state id="r" uname="r" remote_node="true" expected="member"/>',
      ),
    );
    const { cib: after } = applyOperations(running, [operation], { live: true });
    const nodes = queryCib(after, { scope: "nodes" }).flatMap(({ children }) =>
      children.map(({ attributes }) => `${attributes.get("id")} ${attributes.get("uname")}`),
    );
    expect(nodes).toContain("1 n1");
    if (name !== "its state deleted") expect(nodes).toEqual(["1 n1", "2 n2"]);
    expect(at(after, "//node_state[@id='1']")).toContain("online");
  });

  test("what a member is called is refused where it would be taken back in silence", () => {
    const running = parseXml(
      document.replace(
        'crmd="online"/>',
        'crmd="online" in_ccm="true" join="member" expected="member"/><node_state id="3" uname="n3" crmd="offline" expected="down"/>',
      ),
    );
    const live = (operation: CibOperation) => () => applyOperations(running, [operation], { live: true });
    const renamed = { code: "PRESENCE", what: expect.stringContaining("the name of node n1"), exit: 107 };
    for (const op of ["modify", "replace"] as const)
      expect(live({ op, xml: '<node id="1" uname="other"/>', scope: "nodes" })).toThrow(
        expect.objectContaining(renamed),
      );
    // Of a file nobody else tells it.
    const { cib: file } = applyOperations(running, [{ op: "modify", xml: '<node id="1" uname="other"/>' }]);
    expect(at(file, "//node[@id='1']")).toContain('uname="other"');
    expect(live({ op: "modify", xml: '<node id="1" uname="n1"/>' })).not.toThrow();
  });

  test("what no schema has at the outermost element is refused, and what is there already hinders nothing", () => {
    const odd = { code: "UNKNOWN_ATTRIBUTE", exit: 78 };
    for (const live of [true, false]) {
      const put = (on: ReturnType<typeof cib>, operation: CibOperation) => () =>
        applyOperations(on, [operation], { live });
      expect(put(cib(), { op: "modify", xml: '<cib zork="1"/>' })).toThrow(expect.objectContaining(odd));
      const before = parseXml(document.replace("<cib ", '<cib zork="1" '));
      expect(put(before, { op: "modify", xml: '<cib zork="2"/>' })).not.toThrow();
      expect(put(cib(), { op: "modify", xml: '<cib remote-tls-port="2000"/>' })).not.toThrow();
    }
  });

  test("require holds a version fast", () => {
    expect(apply({ op: "require", adminEpoch: 1, epoch: 5 }).value).toBe("1.5.9");
    expect(refusal({ op: "require", adminEpoch: 1, epoch: 4 }, { op: "erase" }).code).toBe("OLD");
  });

  test("a master is a promotable clone in every operation", () => {
    const { cib: after } = apply({
      op: "replace",
      xml: '<master id="k"><primitive id="b" class="ocf" provider="pacemaker" type="Stateful"/></master>',
    });
    expect(at(after, "//resources/*[2]")).toStartWith(
      '<clone id="k"><meta_attributes id="k-meta_attributes"><nvpair id="k-meta_attributes-promotable"',
    );
  });

  test("what did not change is the same object as before", () => {
    const root = cib();
    const configuration = applyOperations(root, [{ op: "delete", xml: '<rsc_location id="l"/>' }]).cib;
    expect(child(configuration, "status")).toBe(child(root, "status") as never);
    const status = applyOperations(root, [
      { op: "create", xml: '<node_state id="2"/>', scope: "status" },
    ]).cib;
    expect(child(status, "configuration")).toBe(child(root, "configuration") as never);
  });

  test.each<[string, CibOperation, string]>([
    ["not XML", { op: "create", xml: "<a" }, "XML_SYNTAX"],
    ["an id that is used", { op: "create", xml: '<primitive id="a" class="lsb" type="x"/>' }, "EXISTS"],
    [
      "an id of another kind",
      { op: "create", xml: '<primitive id="l" class="lsb" type="x"/>' },
      "DUPLICATE_ID",
    ],
    [
      "a reference to nothing",
      { op: "create", xml: '<rsc_location id="l2" rsc="zz" node="n1" score="1"/>' },
      "DANGLING_REFERENCE",
    ],
    ["what others refer to deleted", { op: "delete", xml: '<primitive id="a"/>' }, "DANGLING_REFERENCE"],
    [
      "an unknown element",
      { op: "create", xml: '<primitve id="z"/>', scope: "resources" },
      "UNKNOWN_ELEMENT",
    ],
    ["an unknown attribute", { op: "modify", xml: '<primitive id="a" typ="x"/>' }, "UNKNOWN_ATTRIBUTE"],
    ["a missing attribute", { op: "create", xml: '<rsc_ticket id="t" rsc="a"/>' }, "MISSING_ATTRIBUTE"],
    ["a word that is none", { op: "modify", xml: '<node id="1" uname="n1" type="strange"/>' }, "BAD_VALUE"],
    ["a score that is none", { op: "modify", xml: '<rsc_location id="l" score="much"/>' }, "BAD_VALUE"],
    ["a number that is none", { op: "modify", xml: '<rsc_location id="l" score="1.5"/>' }, "BAD_VALUE"],
    ["a class that is none", { op: "create", xml: '<primitive id="z" class="osf" type="x"/>' }, "BAD_VALUE"],
    ["an id that is none", { op: "create", xml: '<primitive id="1 a" class="lsb" type="x"/>' }, "BAD_ID"],
    ["an unknown schema", { op: "modify", xml: '<cib validate-with="pacemaker-99.1"/>' }, "UNKNOWN_SCHEMA"],
    ["an empty clone", { op: "delete", xml: '<primitive id="b"/>' }, "WRONG_FORM"],
    [
      "what excludes each other",
      { op: "create", xml: '<rsc_order id="o" first="a" then="b" kind="Optional" score="1"/>' },
      "WRONG_FORM",
    ],
    ["an element without a place", { op: "create", xml: "<nvpair/>" }, "NO_PLACE"],
    ["an unknown section", { op: "create", xml: '<nvpair id="q"/>', scope: "resorces" }, "NO_SUCH"],
    ["a path to nothing", { op: "create", xml: '<nvpair id="q"/>', xpath: "//nothing" }, "NO_SUCH"],
    ["a broken path", { op: "delete", xpath: "//a[" }, "XPATH_SYNTAX"],
    ["a patch of another kind", { op: "patch", xml: "<diff/>" }, "PATCH"],
  ])("%s is refused as a whole", (_, operation, code) => {
    const error = refusal({ op: "bump" }, operation);
    expect(error.code).toBe(code);
    expect(error.cure).toBeString();
  });

  test.each<[string, CibOperation, string]>([
    [
      "an update without an id, for the first of several",
      { op: "modify", xml: '<primitive description="x"/>', xpath: "//primitive" },
      "NO_SUCH",
    ],
    [
      "one for the only match",
      { op: "modify", xml: '<primitive description="x"/>', xpath: "//primitive[@id='b']" },
      "NO_SUCH",
    ],
    ["one of another kind", { op: "modify", xml: '<op description="x"/>', xpath: "//primitive" }, "NO_SUCH"],
    [
      "one for another than the first",
      { op: "modify", xml: '<primitive id="b" description="x"/>', xpath: "//primitive" },
      "NO_SUCH",
    ],
    [
      "one for nothing below",
      { op: "modify", xml: '<primitive id="c" description="x"/>', xpath: "//clone" },
      "NO_SUCH",
    ],
    [
      "a whole CIB in place of a part",
      { op: "replace", xml: formatXml(cib()), xpath: "//primitive" },
      "UNKNOWN_ELEMENT",
    ],
    [
      "an element added to one of its name",
      { op: "create", xml: '<primitive id="c" class="lsb" type="x"/>', xpath: "//primitive" },
      "UNKNOWN_ELEMENT",
    ],
    ["the whole deleted", { op: "delete", xpath: "/cib" }, "MISSING_ELEMENT"],
  ])("by a path nothing is changed that was not meant: %s", (_, operation, code) => {
    expect(refusal(operation).code).toBe(code);
  });

  test.each<[string, string, string]>([
    ["the match itself", "//primitive[@id='b']", '<primitive id="b" description="x"/>'],
    ["what is below it", "//clone", '<primitive id="b" description="x"/>'],
    ["what is below the whole", "/cib", '<primitive id="b" description="x"/>'],
    [
      "what is in a section",
      "//resources",
      '<resources><clone id="k"><primitive id="b" description="x"/></clone></resources>',
    ],
  ])("an update by a path is for %s of the same name and id", (_, xpath, xml) => {
    const { cib: after } = apply({ op: "modify", xml, xpath });
    expect(at(after, "//clone")).toBe(
      '<clone id="k"><primitive id="b" class="ocf" provider="heartbeat" type="Dummy" description="x"/></clone>',
    );
  });

  test("what the schema forbids ends with the code that tools look for", () => {
    for (const xml of ['<rsc_location id="l" score="much"/>', '<cib validate-with="pacemaker-99.1"/>'])
      expect([xml, refusal({ op: "modify", xml }).exit]).toEqual([xml, CrmExit.CONFIG]);
  });

  test("a schema's name that is there already hinders no change", () => {
    const newer = parseXml(document.replace("pacemaker-3.9", "pacemaker-99.1"));
    const xml = '<node_state id="1" crmd="offline"/>';
    const { cib: after } = applyOperations(newer, [{ op: "modify", xml, scope: "status" }]);
    expect(after.attributes.get("validate-with")).toBe("pacemaker-99.1");
  });
});

describe("patches", () => {
  const patch = (changes: string, source = 'admin_epoch="1" epoch="5" num_updates="0"') =>
    apply({
      op: "patch",
      xml: `<diff format="2"><version><source ${source}/><target admin_epoch="1" epoch="6" num_updates="0"/></version>${changes}</diff>`,
    });

  test("attributes, deletions, creations and moves", () => {
    const { cib: after, value } = patch(`
      <change operation="modify" path="/cib"><change-list><change-attr name="epoch" operation="set" value="6"/></change-list></change>
      <change operation="modify" path="/cib/configuration/resources/primitive[@id='a']"><change-list><change-attr name="type" operation="set" value="Stateful"/><change-attr name="provider" operation="set" value="pacemaker"/></change-list></change>
      <change operation="delete" path="/cib/configuration/resources/primitive[@id='a']/meta_attributes[@id='am']"/>
      <change operation="create" path="/cib/configuration/resources" position="0"><primitive id="z" class="lsb" type="x"/></change>
      <change operation="move" path="/cib/configuration/resources/primitive[@id='a']" position="2"/>`);
    expect(at(after, "//resources")).toBe(
      '<resources><primitive id="z" class="lsb" type="x"/><clone id="k"><primitive id="b" class="ocf" provider="heartbeat" type="Dummy"/></clone><primitive id="a" class="ocf" provider="pacemaker" type="Stateful"/></resources>',
    );
    expect(value).toBe("1.6.0");
  });

  test("from another version it is refused, and when it does not fit", () => {
    expect(() => patch("", 'admin_epoch="1" epoch="4" num_updates="0"')).toThrow("starts from version 1.4.0");
    expect(() => patch('<change operation="delete" path="/cib/configuration/nothing"/>')).toThrow(
      "nothing is at",
    );
  });
});

describe("selectXpath", () => {
  const root = parseXml(
    `<cib><a id="1" n="x"><b id="2"/><b id="3" n="y"/><c id="4"><b id="5" n="x y"/></c></a><a id="6"/></cib>`,
  );
  test.each<[string, string]>([
    ["/cib", ""],
    ["/", ""],
    ["/cib/a", "1 6"],
    ["//b", "2 3 5"],
    ["//a//b", "2 3 5"],
    ["/cib/a/b", "2 3"],
    ["//b[@n]", "3 5"],
    ["//b[@n='y']", "3"],
    ['//b[@n="y"]', "3"],
    ["//b[@n!='y']", "5"],
    ["//b[not(@n)]", "2"],
    ["//b[@n='y' or @id='2']", "2 3"],
    ["//b[@n and @id='5']", "5"],
    ["//b[(@n='q' or @n='y') and @id='3']", "3"],
    ["/cib/a/b[2]", "3"],
    ["/cib/a/b[last()]", "3"],
    ["/cib/a/b[position()=1]", "2"],
    ["//b[contains(@n,'x')]", "5"],
    ["//b[starts-with(@n, 'y')]", "3"],
    ["//*[name()='c']", "4"],
    ["//a[b]", "1"],
    ["//a[c/b[@id='5']]", "1"],
    ["//a[.//b[@id='5']]", "1"],
    ["//b[@id='5']/..", "4"],
    ["//b[@id='5']/../../b", "2 3"],
    ["//a/*", "2 3 4"],
    ["//c|//a[@id='6']|//c", "4 6"],
    ["//b[@id='2'] | //a[1]", "1 2"],
    ["//zzz", ""],
    ["/a", ""],
    ["/cib/..", ""],
    ["//a/child::b", "2 3"],
    ["//c/descendant::b", "5"],
    ["/descendant-or-self::node()/c", "4"],
    ["//b[@id='5']/ancestor::a", "1"],
    ["//b[@id='5']/parent::c", "4"],
    ["//b[@id='5']/ancestor-or-self::*[@n]", "1 5"],
    ["//b[@id='3']/following-sibling::*", "4"],
    ["//c/preceding-sibling::b[1]", "3"],
    ["//a[b/@n='y']", "1"],
    ["//*[c/b/@n!='y']", "1"],
    ["//b[../@id='4']", "5"],
    ["//b[contains(../@n,'x')]", "2 3"],
    ["//b[attribute::n='y']", "3"],
    ["//*[@*='y']", "3"],
    ["//b[/cib/a[@id='6']]", "2 3 5"],
    ["//b[/cib/a[@id='7']]", ""],
  ])("%s finds %p", (xpath, ids) => {
    const found = selectXpath(root, xpath).map(({ element }) => element.attributes.get("id") ?? "");
    expect(found.join(" ").trim()).toBe(ids);
  });

  test.each([
    "",
    "//",
    "//a[",
    "//a[@]",
    "//a[@n=]",
    "//a]",
    "//a[@n='x]",
    "//a/@n",
    "//a[foo('x')]",
    "a b",
    "//a[@n=x]",
    "//a[]",
    "//a/wrong::b",
    "//a/@*",
    "//a/text()",
  ])("%p is not understood", (xpath) => {
    expect(() => selectXpath(root, xpath)).toThrow(HactlError);
  });
});

describe("versions and digests", () => {
  test("compare from the left", () => {
    expect(compareCibVersions([1, 0, 0], [0, 9, 9])).toBeGreaterThan(0);
    expect(compareCibVersions([1, 2, 3], [1, 3, 0])).toBeLessThan(0);
    expect(compareCibVersions([1, 2, 3], [1, 2, 3])).toBe(0);
    expect(formatVersion(versionOf(parseXml('<cib epoch="7" num_updates="x" admin_epoch="-3"/>')))).toBe(
      "0.7.0",
    );
  });

  test("the digest is of the configuration, not of how or when it was written", () => {
    const same = document
      .replace('id="l" rsc="a"', 'rsc="a" id="l"')
      .replace('num_updates="9"', 'num_updates="10" cib-last-written="now"')
      .replace("online", "offline");
    expect(cibDigest(parseXml(same))).toBe(cibDigest(cib()));
    expect(cibDigest(parseXml(document.replace('value="1"', 'value="2"')))).not.toBe(cibDigest(cib()));
    expect(cibDigest(parseXml(document.replace('epoch="5"', 'epoch="6"')))).not.toBe(cibDigest(cib()));
    expect(cibDigest(cib())).toMatch(/^[0-9a-f]{64}$/);
  });

  test("a section is not replaced where another one was named", () => {
    const given = { op: "replace", scope: "resources", xml: "<constraints/>" } as const;
    expect(refusal(given)).toMatchObject({ code: "NO_SUCH", exit: 105 });
    expect(refusal({ ...given, op: "modify" })).toMatchObject({ code: "NO_SUCH", exit: 105 });
    for (const scope of ["constraints", "configuration"])
      expect(formatXml(apply({ ...given, scope }).cib)).not.toContain('<rsc_location id="l"');
  });
});
