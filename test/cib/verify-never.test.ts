/** Conditions that never hold, options that need another one, and what is said twice are told by name. */
import { describe, expect, test } from "bun:test";
import { parseXml, verifyCib } from "../../src/cib/index.ts";

interface Parts {
  readonly properties?: string;
  readonly resources?: string;
  readonly constraints?: string;
  readonly rest?: string;
}

const pair = (name: string, value: string, id = `x-${name}`) =>
  `<nvpair id="${id}" name="${name}" value="${value}"/>`;
const dummy = (id: string, inner = "") =>
  `<primitive id="${id}" class="ocf" provider="heartbeat" type="Dummy">${inner}</primitive>`;
const meta = (inner: string) => `<meta_attributes id="m">${inner}</meta_attributes>`;
const rule = (inner: string, operator = "and", id = "l") =>
  `<rsc_location id="${id}" rsc="st"><rule id="r" score="1" boolean-op="${operator}">${inner}</rule></rsc_location>`;
const now = Date.UTC(2026, 10, 30) / 1000;

/** `LEVEL CODE ID: TEXT (CURE)` of all that is found. */
const told = (
  { properties = "", resources = "", constraints = "", rest = "" }: Parts,
  at?: number,
): string[] =>
  verifyCib(
    parseXml(`<cib validate-with="pacemaker-3.7"><configuration>
<crm_config><cluster_property_set id="cib-bootstrap-options">${properties}</cluster_property_set></crm_config>
<nodes><node id="1" uname="n1"/><node id="2" uname="n2"/></nodes>
<resources><primitive id="st" class="stonith" type="x"/>${resources}</resources><constraints>${constraints}</constraints>${rest}</configuration><status/></cib>`),
    at,
  ).map((problem) => {
    expect(problem.line).toBeGreaterThan(0);
    return `${problem.level} ${problem.code} ${problem.id ?? ""}: ${problem.text} (${problem.cure})`;
  });

function only(found: readonly string[], ...expected: readonly RegExp[]): void {
  expect(found.length === expected.length ? [] : found).toEqual([]);
  for (const [at, one] of expected.entries()) expect(found[at]).toMatch(one);
}

const spec = (words: string) =>
  `<date_expression id="d" operation="date_spec"><date_spec id="ds" ${words}/></date_expression>`;
const date = (words: string, id = "d", inner = "") =>
  `<date_expression id="${id}" ${words}>${inner}</date_expression>`;

describe("dates", () => {
  test.each([
    'months="2" monthdays="30"',
    'months="2" monthdays="30-31"',
    'months="4-" monthdays="31" yeardays="-100"',
    'months="1" weeks="30"',
    'years="2027" months="2" monthdays="29"',
    'years="2030" weekyears="2035"',
    'weeks="53" weekyears="2027"',
  ])("no day is %s", (words) => {
    only(
      told({ constraints: rule(spec(words)) }),
      /^warning NEVER_HOLDS ds: the date specification "ds" never holds: there is no such day/,
    );
  });

  test.each([
    'months="2" monthdays="29"',
    'months="2" monthdays="30-31" id="x"'.replace(' id="x"', "").replace("30-31", "28-31"),
    'months="12" weeks="1"',
    'weeks="53" weekdays="7"',
    'years="2028" months="2" monthdays="29"',
    'years="2029" weekyears="2030"',
    'hours="9-16" weekdays="1-5"',
    'years="2027-" months="3"',
  ])("a day is %s", (words) => {
    expect(told({ constraints: rule(spec(words)) }, now)).toEqual([]);
  });

  test.each([
    ['operation="lt" end="2020-01-01"', "", "2019-12-31|2020-01-01"],
    ['operation="in_range" end="2026-11-28 12:00:00Z"', "", "2026-11-28"],
    ['operation="in_range" start="2026-01-01 00:00:00Z"', '<duration id="du" days="2"/>', "2026-01-0"],
    ['operation="date_spec"', '<date_spec id="ds" years="2025"/>', "2026-01-0"],
  ])("%s %s is over", (words, inner, when) => {
    const constraints = rule(date(words, "d", inner));
    only(told({ constraints }, now), new RegExp(`^warning OVER d: .* is over for good since (?:${when})`));
    // Who does not say what time it is hears nothing of it.
    expect(told({ constraints })).toEqual([]);
  });

  test("what a command has made for a time is a remark", () => {
    const constraints = rule(date('operation="lt" end="2020-01-01"'), "and", "cli-prefer-st");
    only(told({ constraints }, now), /^info OVER d: .*hactl resource clear/);
  });

  test.each([
    ['operation="gt" start="2020-01-01"', ""],
    ['operation="lt" end="2027-01-01"', ""],
    ['operation="in_range" start="2020-01-01" end="2026-12-01"', ""],
    ['operation="date_spec"', '<date_spec id="ds" years="2025-2026"/>'],
    ['operation="date_spec"', '<date_spec id="ds" hours="1"/>'],
  ])("%s %s is not", (words, inner) => {
    expect(told({ constraints: rule(date(words, "d", inner)) }, now)).toEqual([]);
  });

  test("two that have no time in common", () => {
    const both =
      date('operation="gt" start="2027-05-01"', "d1") + date('operation="lt" end="2027-01-01"', "d2");
    only(
      told({ constraints: rule(both) }),
      /^warning NEVER_HOLDS r: the rule "r" never holds: "d1" and "d2" have no time in common/,
    );
    expect(told({ constraints: rule(both, "or") })).toEqual([]);
    const apart =
      date('operation="gt" start="2027-01-01"', "d1") + date('operation="lt" end="2027-05-01"', "d2");
    expect(told({ constraints: rule(apart) })).toEqual([]);
    const years = date('operation="lt" end="2027-01-01"', "d1") + spec('years="2029"');
    only(told({ constraints: rule(years) }), /"d1" and "d" have no time in common/);
  });
});

describe("expressions", () => {
  const is = (id: string, value: string) =>
    `<expression id="${id}" attribute="#uname" operation="eq" value="${value}"/>`;
  test("one attribute that should have two values", () => {
    only(
      told({ constraints: rule(is("e1", "n1") + is("e2", "n2")) }),
      /^warning NEVER_HOLDS r: .*#uname cannot be "n1" and "n2" at once/,
    );
    expect(told({ constraints: rule(is("e1", "n1") + is("e2", "n2"), "or") })).toEqual([]);
    expect(told({ constraints: rule(is("e1", "n1") + is("e2", "N1")) })).toEqual([]);
  });

  const defaults = (condition: string, resources = dummy("a")) =>
    told({
      resources,
      rest: `<op_defaults><meta_attributes id="od"><rule id="r" boolean-op="and">${condition}</rule>${pair("timeout", "60s")}</meta_attributes></op_defaults>`,
    });
  test.each([
    [
      'class="zzocf"',
      /^warning NEVER_HOLDS e: .*no class of agents is called "zzocf" \(did you mean "ocf"\?\)/,
    ],
    [
      'class="ocf" provider="heartbeat" type="Dumy"',
      /^warning IN_VAIN e: .*matches no resource: none is of class ocf, provider heartbeat, type Dumy \(did you mean "Dummy"\?\)/,
    ],
    ['type="zzDummy"', /^warning IN_VAIN e: /],
    ['class="stonith" type="Dummy"', /^warning IN_VAIN e: .*class stonith, type Dummy/],
  ])("agents: %s", (words, expected) => {
    only(defaults(`<rsc_expression id="e" ${words}/>`), expected);
  });
  test("agents that there are", () => {
    for (const words of ['class="ocf"', 'class="systemd"', 'type="Dummy"', 'class="stonith" type="x"'])
      expect(defaults(`<rsc_expression id="e" ${words}/>`)).toEqual([]);
  });

  const recurring = dummy("a", '<operations><op id="o" name="monitor" interval="10s"/></operations>');
  test.each([
    [
      'name="mointor"',
      /^warning NEVER_HOLDS e: .*no operation is called "mointor" \(did you mean "monitor"\?\)/,
    ],
    ['name="monitor" interval="often"', /^warning NEVER_HOLDS e: .*is no time/],
    ['name="monitor" interval="17s"', /^warning IN_VAIN e: .*no monitor recurs after 17s/],
  ])("operations: %s", (words, expected) => {
    only(defaults(`<op_expression id="e" ${words}/>`, recurring), expected);
  });
  test("operations that there are", () => {
    for (const words of ['name="monitor" interval="10000ms"', 'name="start"', 'name="monitor" interval="0"'])
      expect(defaults(`<op_expression id="e" ${words}/>`, recurring)).toEqual([]);
  });
});

describe("what counts with something else only", () => {
  test("the connection of a guest node that nobody names, once for all that have it", () => {
    const guest = meta(pair("remote-addr", "1.2.3.4") + pair("remote-port", "3000"));
    only(
      told({ resources: dummy("a", guest) }),
      /^warning NEEDS_OPTION x-remote-addr: remote-addr="1.2.3.4" of resource "a" has no effect: .*remote-node/,
      /^warning NEEDS_OPTION x-remote-port: /,
    );
    const group = `<group id="g">${meta(pair("remote-connect-timeout", "9s"))}${dummy("a")}${dummy("b")}</group>`;
    only(told({ resources: group }), /^warning NEEDS_OPTION x-remote-connect-timeout: /);
    const named = meta(pair("remote-addr", "1.2.3.4") + pair("remote-node", "g1"));
    expect(told({ resources: dummy("a", named) })).toEqual([]);
  });

  test.each([
    ["node-health-base", "5", "node-health-strategy", "progressive"],
    ["node-health-red", "-5", "node-health-strategy", "custom"],
    ["node-health-yellow", "-5", "node-health-strategy", "progressive"],
    ["shutdown-lock-limit", "5min", "shutdown-lock", "true"],
  ])("property %s=%s without %s", (name, value, other, enough) => {
    only(
      told({ properties: pair(name, value) }),
      new RegExp(`^warning NEEDS_OPTION x-${name}: .*has no effect: ${other} is `),
    );
    expect(told({ properties: pair(name, value) + pair(other, enough) })).toEqual([]);
  });
  test("what holds anyway is not missed", () => {
    expect(told({ properties: pair("node-health-red", "-INFINITY") })).toEqual([]);
  });

  test("an origin of what does not recur", () => {
    const op = (interval: string) =>
      dummy(
        "a",
        `<operations><op id="o" name="monitor" interval="${interval}" interval-origin="2026-01-01"/></operations>`,
      );
    only(told({ resources: op("0") }), /^warning NEEDS_OPTION o: interval-origin of operation monitor/);
    expect(told({ resources: op("1h") })).toEqual([]);
  });
});

describe("what is said twice", () => {
  test("an option under two names", () => {
    const clone = (inner: string) =>
      `<clone id="c">${meta(pair("promotable", "true") + inner)}<primitive id="a" class="ocf" provider="pacemaker" type="Stateful"/></clone>`;
    only(
      told({ resources: clone(pair("promoted-max", "1") + pair("master-max", "2")) }),
      /^warning UPGRADED x-master-max: master-max="2" has no effect: promoted-max="1", which is the same, counts/,
    );
    const group = `<group id="g">${meta(pair("colocated", "true") + pair("collocated", "false"))}${dummy("a")}</group>`;
    only(
      told({ resources: group }),
      /^warning IN_VAIN x-collocated: group "g" has .*, which are one option: only one of them counts/,
    );
    expect(told({ resources: clone(pair("promoted-max", "2") + pair("master-max", "2")) })).toEqual([]);
  });
  test("a value, a parameter, a default", () => {
    const twice = (kind: string, name: string) =>
      `<${kind} id="s">${pair(name, "1", "p1")}${pair(name, "2", "p2")}</${kind}>`;
    only(
      told({ resources: dummy("a", twice("meta_attributes", "priority")) }),
      /^warning IN_VAIN p2: primitive "a" has priority="1" and priority="2": only one of them counts/,
    );
    only(told({ resources: dummy("a", twice("instance_attributes", "fake")) }), /^warning IN_VAIN p2: /);
    only(
      told({ rest: `<rsc_defaults>${twice("meta_attributes", "priority")}</rsc_defaults>` }),
      /^warning IN_VAIN p2: <rsc_defaults> has/,
    );
  });
  test("a member of a set or tag, a device of a level, a role, a user", () => {
    const refs = '<resource_ref id="a"/><resource_ref id="b"/><resource_ref id="a"/>';
    const resources = dummy("a") + dummy("b");
    only(
      told({
        resources,
        constraints: `<rsc_order id="o"><resource_set id="s">${refs}</resource_set></rsc_order>`,
      }),
      /^warning TWICE s: <resource_set> "s" names resource "a" twice/,
    );
    only(
      told({ resources, rest: `<tags><tag id="t"><obj_ref id="a"/><obj_ref id="a"/></tag></tags>` }),
      /^warning TWICE t: /,
    );
    only(
      told({
        rest: '<fencing-topology><fencing-level id="f" target="n1" index="1" devices="st,st"/></fencing-topology>',
      }),
      /^warning TWICE f: level 1 .*device "st" twice/,
    );
    const role = '<acl_role id="r"><acl_permission id="p" kind="read" xpath="/cib"/></acl_role>';
    only(
      told({ rest: `<acls>${role}<acl_target id="joe"><role id="r"/><role id="r"/></acl_target></acls>` }),
      /^warning TWICE joe: .*role "r" twice/,
    );
    const user = '<acl_target id="joe"><role id="r"/></acl_target>';
    only(
      told({ rest: `<acls>${role}${user}${user}</acls>` }),
      /^warning TWICE joe: <acl_target> for "joe" is there twice/,
    );
  });
});

describe("what says nothing", () => {
  test("a pair without a value", () => {
    only(
      told({ properties: '<nvpair id="q" name="no-quorum-policy"/>' }),
      /^warning NO_VALUE q: "no-quorum-policy" .* has no value: it is not in force \(write value/,
    );
    only(
      told({
        rest: '<op_defaults><meta_attributes id="od"><nvpair id="q" name="timeout"/></meta_attributes></op_defaults>',
      }),
      /^warning NO_VALUE q: /,
    );
    only(
      told({
        resources: dummy(
          "a",
          '<instance_attributes id="i"><nvpair id="q" name="fake"/></instance_attributes>',
        ),
      }),
      /^warning NO_VALUE q: /,
    );
  });
  test("an empty pattern, which is for all", () => {
    only(
      told({
        rest: '<fencing-topology><fencing-level id="f" target-pattern="" index="1" devices="st"/></fencing-topology>',
      }),
      /^warning EMPTY_PATTERN f: .*it is for every node/,
    );
    only(
      told({ constraints: '<rsc_location id="l" rsc-pattern="" node="n1" score="1"/>' }),
      /^warning EMPTY_PATTERN l: .*it is for every resource/,
    );
  });
});
