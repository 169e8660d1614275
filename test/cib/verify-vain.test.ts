/** What a configuration says in vain, or what the cluster makes something else of, is told by name. */
import { describe, expect, test } from "bun:test";
import { parseXml, verifyCib } from "../../src/cib/index.ts";

interface Parts {
  readonly properties?: string;
  readonly nodes?: string;
  readonly resources?: string;
  readonly constraints?: string;
  readonly rest?: string;
}

const dummy = (id: string, inner = "") =>
  `<primitive id="${id}" class="ocf" provider="heartbeat" type="Dummy">${inner}</primitive>`;
const meta = (name: string, value: string, id = "m") =>
  `<meta_attributes id="${id}"><nvpair id="${id}-n" name="${name}" value="${value}"/></meta_attributes>`;
const property = (name: string, value: string) => `<nvpair id="q" name="${name}" value="${value}"/>`;
const noFencing = '<nvpair id="f" name="stonith-enabled" value="false"/>';
const device = '<primitive id="st" class="stonith" type="x"/>';

/** `LEVEL CODE ID: TEXT` of all that is found, apart from fencing that is disabled as a whole. */
const told = ({ properties = "", nodes, resources = "", constraints = "", rest = "" }: Parts): string[] =>
  verifyCib(
    parseXml(`<cib validate-with="pacemaker-3.9"><configuration>
<crm_config><cluster_property_set id="cib-bootstrap-options">${properties}</cluster_property_set></crm_config>
<nodes>${nodes ?? '<node id="1" uname="n1"/><node id="2" uname="n2"/>'}</nodes>
<resources>${device}${resources}</resources><constraints>${constraints}</constraints>${rest}</configuration><status/></cib>`),
  ).flatMap((problem) => {
    if (problem.code === "NO_FENCING") return [];
    expect(problem.cure ?? "").not.toBe("");
    expect(problem.line).toBeGreaterThan(0);
    return `${problem.level} ${problem.code} ${problem.id ?? ""}: ${problem.text}`;
  });

const only = (parts: Parts, expected: RegExp) => {
  const found = told(parts);
  expect(found).toHaveLength(1);
  expect(found[0]).toMatch(expected);
};

describe("properties", () => {
  test("no time is below nothing, but for that of the watchdog", () => {
    for (const name of ["stonith-timeout", "priority-fencing-delay", "cluster-delay", "dc-deadtime"])
      only({ properties: property(name, "-1") }, /^error BAD_VALUE q: .*="-1" is not valid$/);
    only({ properties: property("stonith-watchdog-timeout", "-1") }, /^warning UNUSED_OPTION q: /);
    expect(told({ properties: property("stonith-timeout", "90s") })).toEqual([]);
  });

  test.each(["suicide", "fence"])("no-quorum-policy=%s needs fencing", (policy) => {
    const properties = property("no-quorum-policy", policy);
    only({ properties: properties + noFencing }, /^error NEEDS_FENCING q: .*resources are stopped instead/);
    expect(told({ properties })).toEqual([]);
    expect(told({ properties: property("no-quorum-policy", "demote") + noFencing })).toEqual([]);
  });

  test("resources, defaults and operations that need fencing are told where it is disabled", () => {
    const needs = (parts: Parts, expected: RegExp) => {
      only({ ...parts, properties: noFencing }, expected);
      expect(told(parts)).toEqual([]);
    };
    needs({ resources: dummy("a", meta("requires", "fencing")) }, /^warning NEEDS_FENCING m-n: /);
    needs({ resources: dummy("a", meta("requires", "unfencing")) }, /^warning NEEDS_FENCING m-n: .*quorum/);
    needs(
      { resources: `<group id="g">${meta("requires", "fencing")}${dummy("a")}</group>` },
      /^warning NEEDS_FENCING m-n: /,
    );
    needs(
      { rest: `<rsc_defaults>${meta("requires", "fencing")}</rsc_defaults>` },
      /^warning NEEDS_FENCING m-n: /,
    );
    const op = '<operations><op id="o" name="monitor" interval="5" on-fail="fence"/></operations>';
    needs({ resources: dummy("a", op) }, /^warning NEEDS_FENCING o: on-fail=fence .* counts as stop/);
    expect(told({ properties: noFencing, resources: dummy("a", meta("requires", "quorum")) })).toEqual([]);
  });

  test("a fence device cannot wait for unfencing", () => {
    const resources = `<primitive id="d" class="stonith" type="x">${meta("requires", "unfencing")}</primitive>`;
    only({ resources }, /^warning DEVICE_UNFENCING m-n: .*"d" counts as quorum/);
  });
});

describe("operations", () => {
  const op = (attributes: string) => ({
    resources: dummy("a", `<operations><op id="o" ${attributes}/></operations>`),
  });

  test.each(["start", "stop", "promote", "demote", "migrate_to", "migrate_from"])(
    "%s cannot recur",
    (name) => {
      only(op(`name="${name}" interval="10s"`), /^error NOT_RECURRING o: /);
      for (const none of ["0", "0s"]) expect(told(op(`name="${name}" interval="${none}"`))).toEqual([]);
    },
  );

  test("nor can what tells nothing of the service; a status can", () => {
    for (const name of ["notify", "reload", "validate-all", "meta-data"])
      only(op(`name="${name}" interval="10s"`), /^warning NOT_RECURRING o: /);
    only(op('name="reload-agent" interval="10s"'), /^error NOT_RECURRING o: /);
    expect(told(op('name="status" interval="10s"'))).toEqual([]);
  });

  test.each([
    ["stop", "0", "", ["ignore", "block", "fence", "Block"], ["restart", "stop", "standby", "demote"]],
    ["start", "0", "", ["restart", "standby", "block"], ["demote"]],
    ["promote", "0", "", ["demote", "restart"], []],
    ["demote", "0", "", ["block", "fence"], ["demote"]],
    ["monitor", "10s", "", ["restart", "block"], ["demote", "Demote"]],
    ["monitor", "10s", 'role="Started"', ["restart"], ["demote"]],
  ])("on-fail of %s every %s %s", (name, interval, more, good, bad) => {
    const of = (value: string) =>
      told(op(`name="${name}" interval="${interval}" ${more} on-fail="${value}"`)).filter((line) =>
        line.includes("ON_FAIL"),
      );
    for (const value of good) expect(of(value)).toEqual([]);
    for (const value of bad)
      expect(of(value)).toEqual([expect.stringMatching(/^error ON_FAIL o: .*not in force/)]);
  });

  test("a failed monitor of what is promoted can lead to a demotion", () => {
    for (const role of ["Promoted", "Master"]) {
      const found = told(op(`name="monitor" interval="10s" role="${role}" on-fail="demote"`));
      expect(found.filter((line) => line.includes("ON_FAIL"))).toEqual([]);
    }
    const inside = `<operations><op id="o" name="stop" interval="0">${meta("on-fail", "restart")}</op></operations>`;
    only({ resources: dummy("a", inside) }, /^error ON_FAIL o: /);
  });

  test("nothing ends at once", () => {
    for (const none of ["0", "0s", "0ms"])
      only(
        op(`name="start" interval="0" timeout="${none}"`),
        /^warning NO_TIME o: .* default of 20s counts$/,
      );
    expect(told(op('name="start" interval="0" timeout="1ms"'))).toEqual([]);
  });

  test("an origin is a time", () => {
    only(
      op('name="monitor" interval="10s" interval-origin="yesterday"'),
      /^warning BAD_VALUE o: .*no effect/,
    );
    expect(told(op('name="monitor" interval="10s" interval-origin="2026-01-01 02:00:00"'))).toEqual([]);
  });

  test("refer to operations", () => {
    const resources = dummy("a", '<operations id-ref="b"/>') + dummy("b");
    only({ resources }, /^error DANGLING_REFERENCE : <operations> refers to "b", which is a <primitive>$/);
  });
});

test("references name their kind", () => {
  const set = '<instance_attributes id="i"><nvpair id="p" name="fake" value="1"/></instance_attributes>';
  const resources = dummy("a", '<meta_attributes id-ref="i"/>') + dummy("b", set);
  only(
    { resources },
    /^error DANGLING_REFERENCE : <meta_attributes> refers to "i", which is a <instance_attributes>$/,
  );
});

describe("constraints", () => {
  const template = '<template id="t" class="ocf" provider="heartbeat" type="Dummy"/>';

  test.each([
    '<rsc_location id="c" rsc="t" node="n1" score="1"/>',
    '<rsc_colocation id="c" rsc="a" with-rsc="t" score="1"/>',
    '<rsc_order id="c" first="a" then="t"/>',
    '<rsc_ticket id="c" rsc="t" ticket="T"/>',
    '<rsc_order id="c"><resource_set id="s"><resource_ref id="t"/><resource_ref id="a"/></resource_set></rsc_order>',
  ])("a template that nothing is made of: %s", (constraints) => {
    only({ resources: template + dummy("a"), constraints }, /^error UNUSED_TEMPLATE c: .*"t"/);
    const derived = `${template}${dummy("a")}<group id="g"><primitive id="b" template="t"/></group>`;
    expect(told({ resources: derived, constraints })).toEqual([]);
  });

  const roles = [
    '<rsc_order id="c" first="a" then="b" first-action="promote" then-action="start"/>',
    '<rsc_colocation id="c" rsc="b" with-rsc="a" with-rsc-role="Promoted" score="1"/>',
    '<rsc_location id="c" rsc="a" role="Promoted" node="n1" score="1"/>',
    '<rsc_ticket id="c" rsc="a" rsc-role="Promoted" ticket="T"/>',
    '<rsc_colocation id="k" score="1"><resource_set id="c" role="Promoted"><resource_ref id="a"/></resource_set></rsc_colocation>',
    '<rsc_location id="l" rsc="a"><rule id="c" role="Promoted" score="1"><expression id="e" attribute="x" operation="defined"/></rule></rsc_location>',
  ];
  test.each(roles)("a role of what cannot be promoted: %s", (constraints) => {
    only({ resources: dummy("a") + dummy("b"), constraints }, /^warning NOT_PROMOTABLE c: .*"a"/);
  });
  test.each(roles)("but not of what can: %s", (constraints) => {
    const clone = (inside: string) => `<clone id="a">${inside}${dummy("x")}</clone>${dummy("b")}`;
    expect(told({ resources: clone(meta("promotable", "true")), constraints })).toEqual([]);
    expect(
      told({
        resources: `<clone id="y">${meta("promotable", "true", "s")}${dummy("z")}</clone>${clone('<meta_attributes id-ref="s"/>')}`,
        constraints,
      }),
    ).toEqual([]);
    const bundle = `<bundle id="a"><podman image="i" promoted-max="1"/></bundle>${dummy("b")}`;
    expect(told({ resources: bundle, constraints })).toEqual([]);
  });
});

describe("rules", () => {
  const rule = (inside: string, attributes = 'score="1"') => ({
    resources: dummy("a"),
    constraints: `<rsc_location id="l" rsc="a"><rule id="r" ${attributes}>${inside}</rule></rsc_location>`,
  });
  const expression = (attributes: string) => rule(`<expression id="e" attribute="x" ${attributes}/>`);
  const date = (attributes: string, inside = "") =>
    rule(`<date_expression id="d" ${attributes}>${inside}</date_expression>`);
  const spec = (attributes: string) => date('operation="date_spec"', `<date_spec id="s" ${attributes}/>`);

  test("of a location have a score", () => {
    const defined = '<expression id="e" attribute="x" operation="defined"/>';
    only(rule(defined, ""), /^error NO_SCORE r: /);
    expect(told(rule(defined, 'score-attribute="y"'))).toEqual([]);
    // Inside of another it is that one's that counts.
    expect(told(rule(`<rule id="i">${defined}</rule>`))).toEqual([]);
  });

  test.each<[string, RegExp]>([
    ['operation="eq"', /^warning NEVER_HOLDS e: /],
    ['operation="defined" value="1"', /^warning UNUSED_OPTION e: /],
    ['operation="eq" type="number" value="ten"', /^warning BAD_VALUE e: .*compared as text/],
    ['operation="lt" type="integer" value="4.6"', /^warning BAD_VALUE e: .*no whole number: it counts 4/],
    ['operation="gte" value="ten"', /^warning BAD_VALUE e: .*compared as text/],
    ['operation="lt" type="version" value="x"', /^warning BAD_VALUE e: .*no version/],
  ])("an expression with %s", (attributes, expected) => only(expression(attributes), expected));

  test.each([
    'operation="defined"',
    'operation="eq" value="ten"',
    'operation="lt" value="1.5"',
    'operation="gt" type="number" value="-1.5e3"',
    'operation="lt" type="version" value="5.14.0-70.el9"',
    'operation="gt" type="integer" value="limit" value-source="param"',
    'operation="gt" type="string" value="ten"',
  ])("nothing against an expression with %s", (attributes) =>
    expect(told(expression(attributes))).toEqual([]),
  );

  test("ask for agents and operations only where there are any", () => {
    only(rule('<rsc_expression id="e" class="ocf"/>'), /^warning NEVER_HOLDS e: .*agent/);
    only(rule('<op_expression id="e" name="start"/>'), /^warning NEVER_HOLDS e: .*operation/);
    const defaults = (section: string, inside: string) =>
      `<${section}><meta_attributes id="m"><rule id="r" score="1">${inside}</rule></meta_attributes></${section}>`;
    expect(told({ rest: defaults("rsc_defaults", '<rsc_expression id="e" class="ocf"/>') })).toEqual([]);
    expect(told({ rest: defaults("op_defaults", '<op_expression id="e" name="start"/>') })).toEqual([]);
    only(
      { rest: defaults("rsc_defaults", '<op_expression id="e" name="start"/>') },
      /^warning NEVER_HOLDS e: /,
    );
  });

  test.each<[string, string, RegExp]>([
    ['operation="in_range" start="2026-12-01" end="2025-01-01"', "", /^warning NEVER_HOLDS d: /],
    [
      'operation="in_range" start="2026-01-01"',
      '<duration id="u" hours="x"/>',
      /^warning BAD_VALUE u: hours="x" .*counts 0/,
    ],
    [
      'operation="in_range" start="2026-01-01"',
      '<duration id="u" hours="1" months="2.5"/>',
      /^warning BAD_VALUE u: months="2.5" .*counts 2/,
    ],
    ['operation="in_range" start="2026-01-01"', '<duration id="u"/>', /^warning BAD_VALUE u: .*one second/],
    [
      'operation="in_range" start="2026-01-01" end="2026-01-02"',
      '<duration id="u" hours="1"/>',
      /^warning UNUSED_OPTION d: duration .*the end is given/,
    ],
    [
      'operation="in_range" end="2026-01-02"',
      '<duration id="u" hours="1"/>',
      /^warning UNUSED_OPTION d: duration .*no start/,
    ],
    ['operation="gt" start="2026-01-01" end="2026-01-02"', "", /^warning UNUSED_OPTION d: end /],
    ['operation="lt" start="2026-01-01" end="2026-01-02"', "", /^warning UNUSED_OPTION d: start /],
  ])("a date with %s %s", (attributes, inside, expected) => only(date(attributes, inside), expected));

  test.each<[string, RegExp]>([
    ['hours="9-25"', /^warning BAD_VALUE s: .*in part only: hours go from 0 to 23/],
    ['weekdays="0-6"', /^warning BAD_VALUE s: .*in part only: weekdays go from 1 to 7/],
    ['hours="17-9"', /^warning NEVER_HOLDS s: .*ends before it begins/],
    ['months="13"', /^warning NEVER_HOLDS s: .*months go from 1 to 12/],
    ['monthdays="0"', /^warning NEVER_HOLDS s: /],
    ['moon="4"', /^warning UNUSED_OPTION s: moon="4" .*no effect/],
    ["", /^warning BAD_VALUE s: .*always holds/],
  ])("a date specification with %s", (attributes, expected) => only(spec(attributes), expected));

  test("nothing against dates that can be", () => {
    for (const attributes of [
      'hours="9-16" weekdays="1-5"',
      'hours="0-23"',
      'yeardays="366"',
      'weeks="53"',
      'years="2026-"',
      'seconds="-30"',
      'months="12"',
    ])
      expect(told(spec(attributes))).toEqual([]);
    expect(told(date('operation="in_range" start="2026-01-01" end="2026-01-01"'))).toEqual([]);
    expect(told(date('operation="in_range" start="2026-01-01"', '<duration id="u" weeks="1"/>'))).toEqual([]);
  });
});

describe("bundles", () => {
  const bundle = (container: string, network = "", inside = dummy("a")) => ({
    resources: `<bundle id="b"><podman image="i" ${container}/>${network === "" ? "" : `<network ${network}/>`}${inside}</bundle>`,
  });
  const port = 'control-port="3121"';

  test.each<[string, string, RegExp]>([
    ['replicas="0"', port, /^warning BAD_VALUE b: replicas="0" .*counts as 1/],
    ['replicas-per-host="0"', port, /^warning BAD_VALUE b: replicas-per-host="0" .*counts as 1/],
    ['promoted-max="-1"', port, /^warning BAD_VALUE b: promoted-max="-1" .*counts as 0/],
    ['replicas="1" promoted-max="3"', port, /^warning BAD_VALUE b: 3 replicas .*has 1$/],
    ['replicas="4" replicas-per-host="2"', port, /^error ONE_PER_HOST b: /],
    ["", 'ip-range-start="300.1.1.1"', /^warning BAD_VALUE b: .*no address/],
    ["", 'ip-range-start="somewhere"', /^warning BAD_VALUE b: .*no address/],
    [
      'replicas="9"',
      'ip-range-start="10.0.0.250" host-netmask="24"',
      /^warning ADDRESS_RANGE b: .*10\.0\.1\.1 is not in its network/,
    ],
    [
      'replicas="3"',
      'ip-range-start="10.0.0.2" host-netmask="30"',
      /^warning ADDRESS_RANGE b: .*10\.0\.0\.4 is not in its network/,
    ],
    ['replicas="9"', 'ip-range-start="10.0.254.250"', /^warning ADDRESS_RANGE b: .*none left/],
  ])("%s %s is told", (container, network, expected) => only(bundle(container, network), expected));

  test.each([
    ['replicas="3" promoted-max="1"', port],
    ['promoted-max="3"', 'ip-range-start="10.0.0.1" host-netmask="24"'],
    ['replicas="4" replicas-per-host="2"', 'ip-range-start="10.0.0.1" control-port="3121"'],
    ['replicas="9"', 'ip-range-start="10.0.0.250" host-netmask="16"'],
    ['replicas="9"', 'ip-range-start="10.0.0.250"'],
    ["", 'ip-range-start="fd00::1"'],
  ])("nothing against %s %s", (container, network) => expect(told(bundle(container, network))).toEqual([]));
});

describe("alerts", () => {
  const alert = (inside: string, path = "/bin/true") => ({
    rest: `<alerts><alert id="a" path="${path}">${inside}</alert></alerts>`,
  });
  const named = (name: string, value: string) => alert(meta(name, value));

  test.each<[string, string, RegExp]>([
    ["timeout", "x", /^warning BAD_VALUE m-n: .*30s count/],
    ["enabled", "perhaps", /^warning BAD_VALUE m-n: .*switches the alert off/],
    ["timestamp-format", "%", /^warning BAD_VALUE m-n: /],
    ["timestamp-format", "%H %Q", /^warning BAD_VALUE m-n: /],
    ["timestamp-format", "%999999999d", /^warning BAD_VALUE m-n: .*width over 99/],
    ["timestamp-format", "%-0100Y", /^warning BAD_VALUE m-n: .*width over 99/],
    ["timestamp-format", "%H".repeat(501), /^warning BAD_VALUE m-n: .*longer than 1000 characters/],
    ["foo", "x", /^warning UNKNOWN_OPTION m-n: "foo" of alert "a" .*no effect/],
  ])("meta %s=%s is told", (name, value, expected) => only(named(name, value), expected));

  test("of a recipient, too", () => {
    const recipient = `<recipient id="r" value="x">${meta("enabled", "perhaps")}</recipient>`;
    only(alert(recipient), /^warning BAD_VALUE m-n: .*of recipient "r"/);
  });

  test("nothing against what is in force", () => {
    expect(told(named("timeout", "15s"))).toEqual([]);
    expect(told(named("enabled", "false"))).toEqual([]);
    expect(told(named("timestamp-format", "%Y-%m-%d,%H:%M:%S.%06N %%"))).toEqual([]);
  });

  test("have a whole path", () => {
    only(alert("", "alert.sh"), /^warning RELATIVE_PATH a: /);
    only(alert("", ""), /^error MISSING_ATTRIBUTE a: the attribute "path" of <alert> "a" is empty$/);
  });
});

test("required attributes say something", () => {
  only(
    { resources: dummy("a", meta("", "x")) },
    /^error MISSING_ATTRIBUTE m-n: .*"name" of <nvpair>.*empty$/,
  );
  only(
    { resources: '<bundle id="b"><docker image=""/></bundle>' },
    /^error MISSING_ATTRIBUTE : .*"image".*empty$/,
  );
  only(
    { resources: dummy("a"), constraints: '<rsc_ticket id="c" rsc="a" ticket=""/>' },
    /^error MISSING_ATTRIBUTE c: .*"ticket".*empty$/,
  );
});

describe("names of remote nodes", () => {
  const guest = (id: string, name: string) => dummy(id, meta("remote-node", name, `${id}-m`));
  const remote = (id: string) => `<primitive id="${id}" class="ocf" provider="pacemaker" type="remote"/>`;

  test.each<[string, string, RegExp]>([
    ["a connection that is a member", remote("n1"), /^error NAME_TAKEN n1: /],
    [
      "one by its template",
      '<template id="t" class="ocf" provider="pacemaker" type="remote"/><primitive id="N1" template="t"/>',
      /^error NAME_TAKEN N1: .*name or the id of node n1/,
    ],
    ["a guest that is a member", guest("a", "n2"), /^error NAME_TAKEN a-m-n: .*node of the cluster/],
    ["a guest that is a member's id", guest("a", "1"), /^error NAME_TAKEN a-m-n: .*the id of node n1/],
    [
      "a guest that is a resource",
      guest("a", "b") + dummy("b"),
      /^warning NAME_TAKEN a-m-n: .*id of a primitive/,
    ],
    ["a guest that is itself", guest("a", "a"), /^warning NAME_TAKEN a-m-n: /],
    [
      "a guest twice",
      guest("a", "g") + guest("b", "g"),
      /^warning NAME_TAKEN b-m-n: .*of resource "a" already/,
    ],
  ])("%s", (_, resources, expected) => only({ resources }, expected));

  test("their own entries among the nodes take nothing away", () => {
    const nodes =
      '<node id="1" uname="n1"/><node id="far" uname="far" type="remote"/><node id="g" uname="g" type="remote"/>';
    expect(told({ nodes, resources: remote("far") + guest("a", "g") })).toEqual([]);
  });
});

describe("numbers and options of resources", () => {
  const utilization = (value: string) =>
    `<utilization id="u"><nvpair id="p" name="cpu" value="${value}"/></utilization>`;

  test("utilization is a whole number", () => {
    const properties = property("placement-strategy", "balanced");
    only(
      { properties, resources: dummy("a", utilization("many")) },
      /^warning BAD_VALUE p: .*"a".*counts 0$/,
    );
    only({ properties, resources: dummy("a", utilization("1.5")) }, /^warning BAD_VALUE p: .*counts 1$/);
    only({ nodes: `<node id="1" uname="n1">${utilization("many")}</node>` }, /^warning BAD_VALUE p: .*"n1"/);
    expect(told({ properties, resources: dummy("a", utilization("4096")) })).toEqual([]);
  });

  test("what is for clones counts in clones", () => {
    for (const name of ["clone-max", "clone-node-max", "promoted-max"])
      only({ resources: dummy("a", meta(name, "3")) }, /^warning UNUSED_OPTION m-n: .*it is for clones$/);
    only(
      { resources: `<group id="g">${meta("interleave", "true")}${dummy("a")}</group>` },
      /^warning UNUSED_OPTION m-n: .*group "g"/,
    );
    expect(told({ resources: `<group id="g">${meta("ordered", "true")}${dummy("a")}</group>` })).toEqual([]);
    expect(told({ resources: `<clone id="c">${dummy("a", meta("clone-max", "3"))}</clone>` })).toEqual([]);
  });

  test("no more instances are waited for or promoted than there are", () => {
    const clone = (name: string, value: string) =>
      `<clone id="c"><meta_attributes id="m"><nvpair id="x" name="clone-max" value="2"/><nvpair id="y" name="promotable" value="true"/><nvpair id="n" name="${name}" value="${value}"/></meta_attributes>${dummy("a")}</clone>`;
    for (const name of ["clone-min", "promoted-max", "master-max"]) {
      only({ resources: clone(name, "3") }, /^warning BAD_VALUE n: .*more than its clone-max=2/);
      expect(told({ resources: clone(name, "2") })).toEqual([]);
    }
  });
});

describe("what has no case", () => {
  test("no instance of a clone", () => {
    for (const name of ["clone-max", "clone-node-max"]) {
      const clone = (value: string) => ({
        resources: `<clone id="c">${meta(name, value)}${dummy("a")}</clone>`,
      });
      only(clone("0"), /^warning IN_VAIN m-n: .*no instance of clone "c" runs anywhere/);
      expect(told(clone("1"))).toEqual([]);
    }
  });

  test("promoted instances of what is not promotable", () => {
    for (const role of ["Promoted", "Master", "Slave", "Unpromoted"]) {
      const op = `<operations><op id="o" name="monitor" interval="5" role="${role}"/></operations>`;
      only({ resources: dummy("a", op) }, /^warning NOT_PROMOTABLE o: .* is never carried out/);
      const promotable = `<clone id="c">${meta("promotable", "true")}${dummy("a", op)}</clone>`;
      expect(told({ resources: promotable })).toEqual([]);
    }
    for (const name of ["promoted-max", "promoted-node-max", "master-max"])
      only(
        { resources: `<clone id="c">${meta(name, "1")}${dummy("a")}</clone>` },
        /^warning NOT_PROMOTABLE m-n: .* of "c" has no effect/,
      );
  });

  test("together and apart at any cost", () => {
    const both = (more = "", score = "-INFINITY") => ({
      resources: dummy("a") + dummy("b"),
      constraints: `<rsc_colocation id="x" rsc="a" with-rsc="b" score="INFINITY"/><rsc_colocation id="y" rsc="a" with-rsc="b" score="${score}"${more}/>`,
    });
    only(both(), /^warning CONTRADICTION y: .*"x" and "y" want "a" with "b" and never with it/);
    expect(told(both("", "-100"))).toEqual([]);
    expect(told(both(' node-attribute="site"'))).toEqual([]);
  });

  test("names that the cluster has otherwise", () => {
    const rule = (attribute: string) => ({
      resources: dummy("a"),
      constraints: `<rsc_location id="l" rsc="a"><rule id="r" score="5"><expression id="e" attribute="${attribute}" operation="eq" value="n1"/></rule></rsc_location>`,
    });
    only(rule("#unname"), /^warning UNKNOWN_ATTRIBUTE e: .*"#unname"/);
    for (const name of ["#uname", "#site-name", "#health-cpu", "unname"])
      expect(told(rule(name))).toEqual([]);
    const node = (name: string) => ({
      nodes: `<node id="1" uname="n1"><instance_attributes id="i"><nvpair id="p" name="${name}" value="true"/></instance_attributes></node>`,
    });
    only(node("maintenence"), /^warning UNKNOWN_OPTION p: unknown node attribute "maintenence"/);
    expect(told(node("rack"))).toEqual([]);
    const op = (name: string) => ({
      resources: dummy(
        "a",
        `<operations><op id="o" name="monitor" interval="5"><instance_attributes id="i"><nvpair id="p" name="${name}" value="0"/></instance_attributes></op></operations>`,
      ),
    });
    only(op("enabld"), /^warning UNKNOWN_OPTION p: unknown operation property "enabld"/);
    expect(told(op("OCF_CHECK_LEVEL"))).toEqual([]);
  });
});

test("a pattern of the fencing topology is a regular expression", () => {
  const level = (pattern: string) => ({
    rest: `<fencing-topology><fencing-level id="v" target-pattern="${pattern}" index="1" devices="st"/></fencing-topology>`,
  });
  only(level("n["), /^warning BAD_PATTERN v: /);
  expect(told(level("n[12]"))).toEqual([]);
});

describe("what is looked at for nothing", () => {
  test.each(["rsc_defaults", "op_defaults"])("a node attribute in a rule of %s", (section) => {
    only(
      {
        rest: `<${section}><meta_attributes id="d"><rule id="r" score="0"><expression id="e" attribute="site" operation="eq" value="a"/></rule><nvpair id="d-n" name="${section === "rsc_defaults" ? "resource-stickiness" : "timeout"}" value="9"/></meta_attributes></${section}>`,
      },
      /^warning NO_NODE e: .*"site"; in <\w+> no node is looked at/,
    );
  });

  test("the control port of a bundle without a resource", () => {
    const bundle = (inner: string) =>
      `<bundle id="b"><docker image="i" replicas="2"/><network control-port="3121" ip-range-start="192.0.2.7"/>${inner}</bundle>`;
    only({ resources: bundle("") }, /^warning UNUSED_OPTION b: control-port of bundle "b" has no effect/);
    expect(told({ resources: bundle(dummy("in")) })).toEqual([]);
  });

  test("more instances asked for than there can be", () => {
    const clone = (...pairs: readonly (readonly [string, string])[]) =>
      `<clone id="c"><meta_attributes id="cm">${pairs.map(([name, value]) => `<nvpair id="c-${name}" name="${name}" value="${value}"/>`).join("")}</meta_attributes>${dummy("a")}</clone>`;
    only(
      { resources: clone(["clone-min", "3"]) },
      /^warning BAD_VALUE c-clone-min: .*more than 2 nodes can run/,
    );
    only(
      { resources: clone(["clone-max", "1"], ["clone-min", "2"]) },
      /^warning BAD_VALUE c-clone-min: .*more than its clone-max=1/,
    );
    expect(told({ resources: clone(["clone-min", "2"]) })).toEqual([]);
    expect(told({ resources: clone(["clone-min", "4"], ["clone-node-max", "2"]) })).toEqual([]);
    expect(told({ nodes: " ", resources: clone(["clone-min", "3"]) })).toEqual([]);
  });

  test("a tag that names itself", () => {
    only(
      { rest: '<tags><tag id="t"><obj_ref id="st"/><obj_ref id="t"/></tag></tags>' },
      /^warning NAMES_ITSELF \w*: tag "t" names itself/,
    );
  });
});

describe("what names nothing", () => {
  const location = (pattern: string) => ({
    resources: `${dummy("web1")}<group id="g">${dummy("m")}</group>`,
    constraints: `<rsc_location id="l" rsc-pattern="${pattern}" node="n1" score="5"/>`,
  });

  test("a pattern that is none, or that no resource matches", () => {
    for (const pattern of ["web.*", "!web.*", "^g$", "!nothing"]) expect(told(location(pattern))).toEqual([]);
    only(location("[web"), /^error BAD_PATTERN l: constraint "l" is for nothing: "\[web": /);
    // Members go by the name of their group.
    for (const pattern of ["wbe.*", "^m$", "!.*"])
      only(location(pattern), /^warning IN_VAIN l: .* matches no resource$/);
  });

  test("a container", () => {
    expect(told({ resources: dummy("a", meta("container", "b")) + dummy("b") })).toEqual([]);
    only(
      { resources: dummy("a", meta("container", "b")) },
      /^error NO_CONTAINER m-n: container="b" names no resource/,
    );
  });
});

describe("utilization", () => {
  const needs = dummy("big", '<utilization id="u"><nvpair id="u-m" name="memory" value="4"/></utilization>');
  const inGroup = `<group id="g">${needs}</group>`;

  test("does not count by the default placement strategy", () => {
    const expected = /^warning IN_VAIN big: resource "big" has utilization, which does not count/;
    only({ properties: noFencing, resources: needs }, expected);
    only({ properties: noFencing + property("placement-strategy", "default"), resources: inGroup }, expected);
  });

  test("counts by another one", () => {
    const properties = noFencing + property("placement-strategy", "balanced");
    expect(told({ properties, resources: inGroup })).toEqual([]);
    expect(told({ properties: noFencing, resources: dummy("small", '<utilization id="u"/>') })).toEqual([]);
  });
});

describe("constraints about what is inside of something", () => {
  const resources = `<group id="g">${dummy("a")}${dummy("b")}${dummy("c")}</group><clone id="cl">${dummy("i")}</clone>${dummy("x")}`;
  const order = (more: string) => `<rsc_order id="o" ${more}/>`;
  const colocation = (more: string) => `<rsc_colocation id="k" ${more}/>`;
  const clashing = [
    [
      order('first="c" then="a"'),
      /AGAINST_GROUP o: .*starts "c" before "a", and group "g" the other way round: neither/,
    ],
    [
      order('first="b" then="g"'),
      /AGAINST_GROUP o: .*before group "g", which it is in: nothing of the group starts/,
    ],
    [
      '<rsc_order id="o"><resource_set id="s"><resource_ref id="x"/><resource_ref id="b"/><resource_ref id="a"/></resource_set></rsc_order>',
      /AGAINST_GROUP o: .*starts "b" before "a"/,
    ],
    [colocation('rsc="a" with-rsc="b" score="-INFINITY"'), /AGAINST_GROUP k: .*keeps "a" and "b" apart/],
    [colocation('rsc="c" with-rsc="a" score="-INFINITY"'), /AGAINST_GROUP k: .*keeps "c" and "a" apart/],
    [order('first="i" then="x"'), /INSIDE o: .*names "i", which is inside "cl"/],
    [colocation('rsc="x" with-rsc="i" score="INFINITY"'), /INSIDE k: .*names "i"/],
    ['<rsc_location id="l" rsc="i" node="n1" score="5"/>', /INSIDE l: .*names "i"/],
  ] as const;
  test.each(clashing)("%s", (constraints, expected) => only({ resources, constraints }, expected));

  test("those that agree with the group, or say nothing against it, are taken without a word", () => {
    const fine = [
      order('first="a" then="c"'),
      order('first="c" then="a" kind="Optional"'),
      order('first="c" first-action="stop" then="a" then-action="stop"'),
      order('first="g" then="x"'),
      colocation('rsc="a" with-rsc="b" score="-10"'),
      colocation('rsc="x" with-rsc="b" score="-INFINITY"'),
      colocation('rsc="x" with-rsc="cl" score="INFINITY"'),
    ];
    for (const constraints of fine) expect(told({ resources, constraints })).toEqual([]);
  });

  test("a group that is neither ordered nor kept together may be", () => {
    const loose = `<group id="g">${meta("ordered", "false", "m1")}${meta("collocated", "false", "m2")}${dummy("a")}${dummy("b")}</group>`;
    expect(told({ resources: loose, constraints: order('first="b" then="a"') })).toEqual([]);
    const apart = colocation('rsc="b" with-rsc="a" score="-INFINITY"');
    expect(told({ resources: loose, constraints: apart })).toEqual([]);
  });
});
