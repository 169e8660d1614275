import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readCrm } from "../../src/cib/crm/read.ts";
import { checkCrm, child, cibOf, formatCrm, formatXml, loadCrm, parseXml } from "../../src/cib/index.ts";
import { HactlError } from "../../src/terms/index.ts";

const base = `node 1: n1
node 2: n2
primitive a Dummy params x=1 op monitor interval=10s
primitive b Dummy
primitive c Dummy
primitive f1 stonith:null
primitive f2 stonith:null
group g b c
location l1 a 100: n1
order o1 Mandatory: a g
property no-quorum-policy=ignore dc-version=2.1.5
rsc_defaults resource-stickiness=1
tag t: a b
`;
const loaded = (text: string, mode: "update" | "replace" | "push" = "update") =>
  loadCrm(text, loadCrm(base, undefined, "update"), mode);
const xml = (configuration: ReturnType<typeof loaded>, ...path: string[]) =>
  formatXml(
    path.reduce((found, name) => child(found, name) ?? found, configuration),
    -1,
  );

describe("statements", () => {
  const cases = readFileSync(join(import.meta.dir, "crm-statements.txt"), "utf8")
    .split("\n\n")
    .map((part) => part.trim().split("\n"))
    .filter(([first = "#"]) => !first.startsWith("#"));

  test("there are cases", () => {
    expect(cases.length).toBeGreaterThan(50);
  });

  test.each(cases.map(([text = "", ...elements]) => [text, elements.map((line) => line.trim())] as const))(
    "%s",
    (text, elements) => {
      const { objects, errors } = readCrm(text);
      expect(errors).toEqual([]);
      expect(objects.map((object) => formatXml(object.element, -1))).toEqual([...elements]);
    },
  );

  test("lines go on after a backslash, quotes keep blanks, # begins a comment only at the beginning", () => {
    const text = `# comment \\
primitive p Dummy \\
  params a="x y" b='"' c="\\"q\\" \\\\ \\n" \\
    d=a\\ b e=#1
  # comment
property x=1¥
  y=2`;
    const { objects, errors } = readCrm(text);
    expect(errors).toEqual([]);
    expect(objects.map(({ line }) => line)).toEqual([2, 6]);
    const pairs = objects[0]?.element.children[0]?.children.map(({ attributes }) => attributes.get("value"));
    expect(pairs).toEqual(["x y", '"', '"q" \\ \\n', "a b", "#1"]);
    expect(objects[1]?.element.children.length).toBe(2);
  });
});

describe("mistakes", () => {
  test.each<[string, string, string]>([
    ["primitve a Dummy", "1:1", 'did you mean "primitive"?'],
    ["node n1\nprimitive p Dummy parms a=b", "2:19", 'did you mean "params"?'],
    ["primitive p Dummy params a=b opp monitor", "1:30", 'did you mean "op"?'],
    ["primitive p Dummy \\\n  op monitor \\\n  interval='10s", "3:12", "add '"],
    ["primitive p ofc:heartbeat:Dummy", "1:13", 'did you mean "ocf"?'],
    ["primitive 1p Dummy", "1:11", "an id begins"],
    ["primitive p", "1", "add its type"],
    ["primitive p Dummy op interval=10", "1:22", "write op NAME"],
    ["primitive p Dummy op_params a=b", "1:19", "put it behind an op"],
    ["group g meta a=b", "1:9", "name the resource"],
    ["location l a", "1", "add SCORE"],
    ["location l a inf n1", "1:14", "write SCORE: NODE"],
    ["location l { a b inf: n1", "1:18", "name a resource"],
    ["location l a rule #uname eqq n1", "1:26", 'did you mean "eq"?'],
    ["location l a rule #uname eq", "1", "add a value"],
    ["location l a rule a eq 1 and b eq 2 or c eq 3", "1:37", "write two rules"],
    ["location l a rule date sepc hours=1", "1:24", 'did you mean "spec"?'],
    ["location l a role=Maser inf: n1", "1:14", 'did you mean "Master"?'],
    ["colocation k a b", "1:14", "write a score"],
    ["colocation k inf: a", "1", "name them"],
    ["colocation k inf: ( a b", "1:19", 'add ")"'],
    ["colocation k inf: a b )", "1:23", "take it out"],
    ["colocation k inf: a:Mastr b", "1:19", 'did you mean "Master"?'],
    ["order o Mandatroy: a b", "1:9", 'did you mean "Mandatory"?'],
    ["order o Mandatory: a:strat b", "1:20", 'did you mean "start"?'],
    ["order o Mandatory: a b symetrical=true", "1:24", ""],
    ["rsc_ticket t T a", "1:14", "write TICKET:"],
    ["property =x", "1:10", "write NAME=VALUE"],
    ["property", "1", "add NAME=VALUE"],
    ["property stonith-enabled", "1:10", "write NAME=VALUE"],
    ["rsc_defaults", "1", "add NAME=VALUE"],
    ["op_defaults $id=x timeout", "1:13", "write NAME=VALUE"],
    ["location l a 100: n1 extra", "1:22", "take it out"],
    ["location l a rule #uname eq n1 xor defined x", "1:32", "take it out"],
    ["monitor a 10s more", "1:15", "take it out"],
    ["primitive p Dummy op monitor interval=10s interval", "1:22", "write interval=VALUE"],
    ["rsc_template t @other", "1:16", "write its type"],
    ["clone k a b", "1:11", "make a group"],
    ["ms k a b", "1:8", "make a group"],
    ["fencing_topology n1: f n2:", "1:24", "name its fence devices"],
    ["fencing_topology n1: n2: f", "1:18", "name its fence devices"],
    ["acl_target u", "1", "add a role"],
    ["acl_group u", "1", "add a role"],
    ["user u", "1", "write role:ROLE"],
    ["role r read meta:a:b:c", "1:13", "short form"],
    ["tag t:", "1", "name the elements"],
    ["alert x", "1", "add the path"],
    ["alert x /bin/x tto y", "1:16", 'did you mean "to"?'],
    ["role r read propety", "1:13", 'did you mean "property"?'],
    ["role r raed status", "1:8", 'did you mean "read"?'],
    ["node n1:membr", "1:6", 'did you mean "member"?'],
    ["\n\nxml <rsc_location>\n<", "3", "correct the XML"],
    ["xml <prmitive id='p'/>", "1", "did you mean <primitive>?"],
    ["tag t: a\ntag t: b", "2", "line 1"],
    ["node n1\nnode n1", "2", "line 1"],
  ])("%p", (text, place, cure) => {
    const [error] = readCrm(text).errors;
    expect(error).toBeInstanceOf(HactlError);
    expect([error?.where?.line, error?.where?.column].filter((part) => part !== undefined).join(":")).toBe(
      place,
    );
    expect(error?.cure ?? "").toContain(cure);
  });

  test("all mistakes are found at once, in the order of their lines", () => {
    const errors = checkCrm("primitve a Dummy\nnode n1\nlocation l a\nproperty", undefined, "update");
    expect(errors.map(({ where }) => where?.line)).toEqual([1, 3, 4]);
    expect(() => loadCrm("primitve a Dummy\nlocation l a", undefined, "update")).toThrow("(and 1 more)");
  });

  test.each<[string, string, number]>([
    ["location l missing 5: n1", "DANGLING_REFERENCE", 1],
    ["\ngroup g2 missing", "DANGLING_REFERENCE", 2],
    ["primitive p @missing", "DANGLING_REFERENCE", 1],
    ["primitive p Dummy params @missing", "DANGLING_REFERENCE", 1],
    ["acl_target u missing", "DANGLING_REFERENCE", 1],
    ["clone k b", "CRM_CONFLICT", 1],
    ["clone k g\nclone k2 g", "CRM_CONFLICT", 2],
    ["group g2 g", "CRM_CONFLICT", 1],
    ["location o1 a 5: n1", "CRM_CONFLICT", 1],
    ["group a b", "CRM_CONFLICT", 1],
    ["primitive l1 Dummy", "DUPLICATE_ID", 0],
    ["monitor missing 10s", "CRM_SYNTAX", 1],
  ])("%p is refused with code and line", (text, code, line) => {
    const [error] = checkCrm(text, loadCrm(base, undefined, "update"), "update");
    expect(error?.code).toBe(code);
    if (line > 0) expect(error?.where?.line).toBe(line);
  });

  test("a refused text changes nothing", () => {
    const configuration = loadCrm(base, undefined, "update");
    const before = formatXml(configuration);
    expect(() => loadCrm("property a=1\ngroup g2 a missing", configuration, "update")).toThrow(HactlError);
    expect(formatXml(configuration)).toBe(before);
  });
});

describe("ids", () => {
  test("are those that the crm shell gives", () => {
    const text = `node 10.0.0.1 attributes x=1
primitive p Dummy params a=b params c=d meta e=f op monitor interval=10s OCF_CHECK_LEVEL=1 op monitor interval=11s op_meta timeout=1 op start
primitive q Dummy operations $id=qops op monitor interval=1m
location l p rule 5: #uname eq n1 and date spec hours=1 rule 6: date in start=2020-01-01 hours=1
colocation k inf: p ( q )
alert al /x select attributes { a } to y meta m=1
role r read status write status
fencing_topology n1: p q`;
    const ids: string[] = [];
    const visit = (source: ReturnType<typeof parseXml>) => {
      const id = source.attributes.get("id");
      if (id !== undefined) ids.push(id);
      source.children.forEach(visit);
    };
    visit(loadCrm(text, undefined, "update"));
    const expected = `10.0.0.1 id-10.0.0.1-instance_attributes id-10.0.0.1-instance_attributes-x
      p p-instance_attributes p-instance_attributes-a p-instance_attributes-0 p-instance_attributes-0-c p-meta_attributes p-meta_attributes-e
      p-monitor-10s p-monitor-10s-instance_attributes p-monitor-10s-instance_attributes-OCF_CHECK_LEVEL
      p-monitor-11s p-monitor-11s-meta_attributes p-monitor-11s-meta_attributes-timeout p-start-0 q qops qops-monitor-1m
      l l-rule l-rule-expression l-rule-expression-0 l-rule-expression-0-date_spec
      l-rule-0 l-rule-0-expression l-rule-0-expression-duration k k-0 p k-1 q fencing fencing-0
      r r-0 r-1 al al-0 al-recipient-1 al-recipient-1-meta_attributes al-recipient-1-meta_attributes-m`;
    expect(ids).toEqual(expected.trim().split(/\s+/));
  });

  test("one that is taken gets a number", () => {
    const text = "primitive p-meta_attributes Dummy\nprimitive p Dummy meta a=b";
    expect(xml(loadCrm(text, undefined, "update"), "resources")).toContain(
      '<meta_attributes id="p-meta_attributes-0">',
    );
  });
});

describe("modes", () => {
  test("update replaces resources by id, in their place, and sets properties one by one", () => {
    const result = loaded(
      "primitive c Dummy params y=2\nproperty stonith-enabled=false\nlocation l2 a 5: n2\nnode n2 attributes standby=on",
    );
    expect(xml(result, "resources", "group")).toBe(
      '<group id="g"><primitive id="b" class="ocf" provider="heartbeat" type="Dummy"/><primitive id="c" class="ocf" provider="heartbeat" type="Dummy"><instance_attributes id="c-instance_attributes"><nvpair name="y" value="2" id="c-instance_attributes-y"/></instance_attributes></primitive></group>',
    );
    expect(formatCrm(result)).toContain(
      "property cib-bootstrap-options: \\\n\tno-quorum-policy=ignore \\\n\tdc-version=2.1.5 \\\n\tstonith-enabled=false\n",
    );
    expect(formatCrm(result, ["l1", "l2"])).toBe("location l1 a 100: n1\nlocation l2 a 5: n2\n");
    expect(xml(result, "nodes")).toContain('<node id="2" uname="n2"><instance_attributes');
  });

  test("a container that changes lets its former members go", () => {
    const result = loaded("group g c");
    expect(formatCrm(result, ["b", "g"])).toBe("primitive b Dummy\ngroup g c\n");
    const cloned = loaded("clone k g meta interleave=true");
    expect(xml(cloned, "resources", "clone", "group")).toStartWith('<group id="g"><primitive id="b"');
  });

  test("replace leaves only the text, the nodes and what the cluster wrote", () => {
    const result = loaded("primitive z Dummy\nproperty x=1", "replace");
    expect(formatCrm(result)).toBe(
      "node 1: n1\nnode 2: n2\nprimitive z Dummy\nproperty cib-bootstrap-options: \\\n\tdc-version=2.1.5 \\\n\tx=1\n",
    );
  });

  test("push removes what the text does not have", () => {
    const result = loaded(
      "primitive a Dummy params x=1\nprimitive b Dummy\ngroup g b\nlocation l1 a 7: n1\nproperty x=1",
      "push",
    );
    expect(formatCrm(result)).toBe(
      "node 1: n1\nnode 2: n2\nprimitive a Dummy \\\n\tparams x=1\nprimitive b Dummy\ngroup g b\nlocation l1 a 7: n1\nproperty cib-bootstrap-options: \\\n\tdc-version=2.1.5 \\\n\tx=1\n",
    );
  });

  test("monitor adds an operation, or changes its own", () => {
    const result = loaded("monitor b:Started 60s:30s\nmonitor a 10s:5s");
    expect(formatCrm(result, ["a", "b"])).toBe(
      "primitive a Dummy \\\n\tparams x=1 \\\n\top monitor interval=10s timeout=5s\nprimitive b Dummy \\\n\top monitor role=Started interval=60s timeout=30s\n",
    );
  });

  test("levels without a target are for every node; equal levels are written once", () => {
    const result = loaded("fencing_topology f1 f2");
    expect(
      child(result, "fencing-topology")?.children.map(({ attributes }) => attributes.get("target")),
    ).toEqual(["n1", "n1", "n2", "n2"]);
    expect(formatCrm(result, ["fencing-topology"])).toBe("fencing_topology f1 f2\n");
  });

  test("operations of another resource, also named before they have an id", () => {
    const result = loaded("primitive z Dummy operations $id-ref=a");
    expect(formatCrm(result, ["a", "z"])).toBe(
      "primitive a Dummy \\\n\tparams x=1 \\\n\toperations $id=a-operations \\\n\top monitor interval=10s\nprimitive z Dummy \\\n\toperations $id-ref=a-operations\n",
    );
  });

  test("old words become the present ones", () => {
    const result = loaded("ms m a meta master-max=1\nlocation l9 m role=Slave inf: n1");
    expect(formatCrm(result, ["m", "l9"])).toBe(
      "clone m a \\\n\tmeta promoted-max=1 promotable=true\nlocation l9 m role=Unpromoted inf: n1\n",
    );
  });
});

describe("round trip", () => {
  test("text, XML, text, XML", () => {
    const text = readFileSync(join(import.meta.dir, "everything.crm"), "utf8");
    const first = loadCrm(text, undefined, "update");
    const printed = formatCrm(first);
    const second = loadCrm(printed, undefined, "update");
    expect(formatCrm(second)).toBe(printed);
    expect(formatCrm(parseXml(formatXml(cibOf(second))))).toBe(printed);
    expect(printed.match(/^xml /gm)).toBeNull();
  });

  test("what the text cannot say is written as xml, and read again", () => {
    const document = `<cib><configuration><crm_config/><nodes/><resources><primitive id="a" class="ocf" provider="heartbeat" type="Dummy"/><clone id="k"><meta_attributes id="km"><rule id="r"><rule id="r1"><expression id="e1" attribute="x" operation="defined"/></rule></rule><nvpair id="n" name="m" value="1"/></meta_attributes><primitive id="b" class="ocf" provider="heartbeat" type="Dummy"/></clone></resources>
      <constraints><rsc_location id="l" rsc="a" score="5" node="n1"><lifetime><rule id="r2"><expression id="e2" attribute="x" operation="defined"/></rule></lifetime></rsc_location><rsc_colocation id="c" rsc="a" with-rsc="k" score="5" influence="false"/></constraints>
      <rsc_defaults><meta_attributes id="d"><rule id="r3"><rsc_expression id="e3" class="ocf"/></rule><nvpair id="n2" name="x" value="1"/></meta_attributes></rsc_defaults></configuration></cib>`;
    const printed = formatCrm(parseXml(document));
    expect(printed.match(/^xml <(\w+)/gm)).toEqual([
      "xml <clone",
      "xml <rsc_colocation",
      "xml <rsc_location",
      "xml <rsc_defaults",
    ]);
    const back = loadCrm(printed, undefined, "update");
    expect(formatXml(child(back, "constraints") ?? back, -1)).toContain('<lifetime><rule id="r2">');
    expect(formatXml(child(back, "resources") ?? back, -1)).toContain(
      '<nvpair id="n" name="m" value="1"/></meta_attributes><primitive id="b"',
    );
    expect(formatCrm(back)).toBe(printed);
  });

  test("ids that others refer to are kept", () => {
    const text =
      "primitive a Dummy \\\n\tparams $s:state=1\nprimitive b Dummy \\\n\tparams @s\nprimitive c Dummy \\\n\tmeta $id=cm x=1\nprimitive d Dummy \\\n\tmeta $id-ref=cm\n";
    expect(formatCrm(loadCrm(text, undefined, "update"))).toBe(text);
  });
});
