import { describe, expect, test } from "bun:test";
import {
  alertMeta,
  byName,
  canonicalProperties,
  cloneMeta,
  clusterProperties,
  clusterProperty,
  groupMeta,
  nodeOptions,
  operationOptions,
  parseBoolean,
  parseIntervalMs,
  parseScore,
  parseXml,
  resourceMeta,
  verifyCib,
} from "../../src/cib/index.ts";

const sound = {
  crm_config:
    '<cluster_property_set id="cib-bootstrap-options"><nvpair id="p" name="stonith-enabled" value="true"/></cluster_property_set>',
  nodes: '<node id="1" uname="n1"/>',
  resources:
    '<primitive id="st" class="stonith" type="x"/><primitive id="a" class="ocf" provider="heartbeat" type="Dummy"/>',
  constraints: '<rsc_location id="l" rsc="a" node="n1" score="5"/>',
  rest: "",
};
function verify(parts: Partial<typeof sound>) {
  const { crm_config, nodes, resources, constraints, rest } = { ...sound, ...parts };
  return verifyCib(
    parseXml(`<cib validate-with="pacemaker-3.9"><configuration>
<crm_config>${crm_config}</crm_config>
<nodes>${nodes}</nodes>
<resources>${resources}</resources>
<constraints>${constraints}</constraints>
${rest}</configuration><status/></cib>`),
  );
}

test("a sound configuration has no problems", () => {
  expect(verify({})).toEqual([]);
});

describe("every problem has level, code, id, line and cure", () => {
  const primitive = (inner: string, id = "b") =>
    `${sound.resources}<primitive id="${id}" class="ocf" provider="heartbeat" type="Dummy">${inner}</primitive>`;
  const meta = (name: string, value: string) =>
    `<meta_attributes id="m"><nvpair id="n" name="${name}" value="${value}"/></meta_attributes>`;
  const property = (name: string, value: string) =>
    `${sound.crm_config}<cluster_property_set id="o"><nvpair id="q" name="${name}" value="${value}"/></cluster_property_set>`;
  const op = (attributes: string) => `<operations><op id="o" name="monitor" ${attributes}/></operations>`;
  test.each<[string, Partial<typeof sound>, string, string, string, number, string]>([
    ["unknown element", { rest: "<tgas/>" }, "error", "UNKNOWN_ELEMENT", "", 6, "<tags>"],
    [
      "unknown attribute",
      { constraints: '<rsc_location id="l" rsc="a" node="n1" scoer="5"/>' },
      "error",
      "UNKNOWN_ATTRIBUTE",
      "l",
      5,
      '"score"',
    ],
    [
      "missing attribute",
      { constraints: '<rsc_ticket id="l" rsc="a"/>' },
      "error",
      "MISSING_ATTRIBUTE",
      "l",
      5,
      "ticket",
    ],
    [
      "double id",
      { constraints: '<rsc_location id="a" rsc="a" node="n1" score="5"/>' },
      "error",
      "DUPLICATE_ID",
      "a",
      5,
      "another id",
    ],
    [
      "double node",
      { nodes: '<node id="1" uname="n1"/><node id="2" uname="n1"/>' },
      "error",
      "DUPLICATE_NODE",
      "2",
      3,
      "remove",
    ],
    [
      "dangling constraint",
      { constraints: '<rsc_order id="l" first="a" then="zz"/>' },
      "error",
      "DANGLING_REFERENCE",
      "l",
      5,
      "define",
    ],
    [
      "dangling template",
      { resources: `${sound.resources}<primitive id="b" template="zz"/>` },
      "error",
      "DANGLING_REFERENCE",
      "b",
      4,
      "rsc_template",
    ],
    [
      "dangling tag",
      { rest: '<tags><tag id="t"><obj_ref id="zz"/></tag></tags>' },
      "warning",
      "DANGLING_REFERENCE",
      "t",
      6,
      "remove",
    ],
    [
      "bad score",
      { constraints: '<rsc_location id="l" rsc="a" node="n1" score="much"/>' },
      "error",
      "BAD_VALUE",
      "l",
      5,
      "INFINITY",
    ],
    [
      "bad kind",
      { constraints: '<rsc_order id="l" first="a" then="st" kind="Mandatroy"/>' },
      "error",
      "BAD_VALUE",
      "l",
      5,
      "Mandatory",
    ],
    [
      "bad role",
      { constraints: '<rsc_location id="l" rsc="a" node="n1" score="5" role="Promotd"/>' },
      "error",
      "BAD_VALUE",
      "l",
      5,
      "Promoted",
    ],
    [
      "bad boolean",
      { constraints: '<rsc_order id="l" first="a" then="st" symmetrical="perhaps"/>' },
      "error",
      "BAD_VALUE",
      "l",
      5,
      "true or false",
    ],
    [
      "bad date",
      {
        constraints:
          '<rsc_location id="l" rsc="a"><rule id="r" score="1"><date_expression id="d" operation="lt" end="soon"/></rule></rsc_location>',
      },
      "error",
      "BAD_VALUE",
      "d",
      5,
      "ISO 8601",
    ],
    [
      "bad interval",
      { resources: primitive(op('interval="10 parsecs"')) },
      "error",
      "BAD_VALUE",
      "o",
      4,
      "10s",
    ],
    [
      "bad on-fail",
      { resources: primitive(op('interval="5" on-fail="fnce"')) },
      "error",
      "BAD_VALUE",
      "o",
      4,
      "fence",
    ],
    [
      "equal intervals",
      {
        resources: primitive(
          '<operations><op id="o1" name="monitor" interval="60"/><op id="o" name="monitor" interval="1min"/></operations>',
        ),
      },
      "error",
      "SAME_INTERVAL",
      "o",
      4,
      "11s",
    ],
    [
      "mistyped meta attribute",
      { resources: primitive(meta("resource-stickines", "5")) },
      "warning",
      "UNKNOWN_OPTION",
      "n",
      4,
      "resource-stickiness",
    ],
    [
      "bad meta value",
      { resources: primitive(meta("is-managed", "maybe")) },
      "error",
      "BAD_VALUE",
      "n",
      4,
      "true or false",
    ],
    [
      "score with a tail",
      { resources: primitive(meta("priority", "1.0")) },
      "error",
      "BAD_VALUE",
      "n",
      4,
      "whole number",
    ],
    [
      "meta attribute among parameters",
      {
        resources: primitive(
          meta("target-role", "Stopped").replaceAll("meta_attributes", "instance_attributes"),
        ),
      },
      "warning",
      "MISPLACED_OPTION",
      "n",
      4,
      "behind meta",
    ],
    [
      "mistyped property",
      { crm_config: property("no-quorum-polcy", "ignore") },
      "warning",
      "UNKNOWN_OPTION",
      "q",
      2,
      "no-quorum-policy",
    ],
    [
      "foreign property",
      { crm_config: property("hana_prd_site", "x") },
      "info",
      "UNKNOWN_OPTION",
      "q",
      2,
      "agents",
    ],
    [
      "bad property value",
      { crm_config: property("no-quorum-policy", "ignroe") },
      "error",
      "BAD_VALUE",
      "q",
      2,
      '"ignore"',
    ],
    [
      "no fence device",
      { resources: '<primitive id="a" class="ocf" provider="heartbeat" type="Dummy"/>' },
      "error",
      "NO_FENCING",
      "",
      2,
      "fence device",
    ],
    [
      "old property",
      { crm_config: property("default-resource-stickiness", "1") },
      "info",
      "UPGRADED",
      "q",
      2,
      "",
    ],
    [
      "empty group",
      { resources: `${sound.resources}<group id="g"/>` },
      "error",
      "WRONG_FORM",
      "g",
      4,
      "put a primitive",
    ],
  ])("%s", (_, parts, level, code, id, line, cure) => {
    const [problem, ...others] = verify(parts);
    expect(problem).toMatchObject({ level, code, line } as object);
    if (id !== "") expect(problem?.id).toBe(id);
    expect(problem?.cure ?? "").toContain(cure);
    expect(others).toEqual([]);
  });

  test("fencing that is switched off is remarked upon", () => {
    const crm_config = sound.crm_config.replace("true", "false");
    const [problem] = verify({ crm_config, resources: '<primitive id="a" class="lsb" type="x"/>' });
    expect(problem).toMatchObject({ level: "warning", code: "NO_FENCING" });
    // Devices that look as if they were in force are the worse case.
    const device = '<primitive id="f" class="stonith" type="fence_x"/>';
    const [unused, ...others] = verify({ crm_config, resources: device, constraints: "" });
    expect(unused).toMatchObject({
      level: "warning",
      code: "NO_FENCING",
      text: expect.stringContaining("although fence devices are configured"),
    });
    expect(unused?.cure).toStartWith("set stonith-enabled=true");
    expect(others).toEqual([]);
  });

  test("fence devices that are all to be stopped are remarked upon", () => {
    const device = (id: string, role: string) =>
      `<primitive id="${id}" class="stonith" type="fence_x"><meta_attributes id="${id}-m"><nvpair id="${id}-r" name="target-role" value="${role}"/></meta_attributes></primitive>`;
    const found = (...roles: string[]) =>
      verify({
        resources: `<primitive id="a" class="lsb" type="x"/>${roles.map((role, n) => device(`f${n}`, role)).join("")}`,
        constraints: "",
      }).filter(({ code }) => code === "NO_FENCING");
    expect(found("Stopped", "Started")).toEqual([]);
    expect(found("Stopped", "stopped")).toMatchObject([
      { level: "warning", text: expect.stringContaining("(f0, f1)"), cure: "hactl resource start f0" },
    ]);
  });

  test("problems come in the order of the lines", () => {
    const problems = verify({
      nodes: '<node id="1"/>',
      constraints: '<rsc_location id="l" rsc="zz" node="n1" score="x"/>',
      resources: "<foo/>",
    });
    expect(problems.map(({ line }) => line)).toEqual([3, 4, 5, 5]);
  });
});

describe("option tables", () => {
  const tables = {
    alertMeta,
    clusterProperties,
    resourceMeta,
    cloneMeta,
    groupMeta,
    operationOptions,
    nodeOptions,
  };
  for (const [name, table] of Object.entries(tables)) {
    test(`${name}: names are unique, defaults are valid, descriptions are a line`, () => {
      const names = table.flatMap((spec) => [spec.name, ...(spec.aliases ?? [])]);
      expect(new Set(names).size).toBe(names.length);
      expect(byName(table).size).toBe(names.length);
      for (const spec of table) {
        expect(spec.description).toMatch(/^[A-Z].*[^.]$/);
        const value = spec.default;
        if (value === undefined) continue;
        if (spec.type === "boolean") expect(parseBoolean(value)).toBeBoolean();
        if (spec.type === "duration") expect(parseIntervalMs(value)).toBeNumber();
        if (spec.type === "score" || spec.type === "integer") expect(parseScore(value)).toBeNumber();
        if (spec.type === "enum") expect(spec.values).toContain(value);
      }
    });
  }

  test("old and new names of a property mean the same; the newest that is set wins", () => {
    expect(clusterProperty("stonith-enabled")?.name).toBe("fencing-enabled");
    const values = new Map([
      ["stonith_enabled", "1"],
      ["fencing-enabled", "2"],
      ["stonith-enabled", "3"],
      ["stonith-timeout", "60s"],
      ["own", "x"],
    ]);
    expect(Object.fromEntries(canonicalProperties(values))).toEqual({
      "fencing-enabled": "2",
      "fencing-timeout": "60s",
      own: "x",
    });
  });
});

describe("circles", () => {
  const cib = (constraints: string) =>
    parseXml(
      `<cib><configuration><crm_config><cluster_property_set id="o"><nvpair id="p" name="stonith-enabled" value="true"/>` +
        `</cluster_property_set></crm_config><nodes/><resources><primitive id="st" class="stonith" type="x"/>` +
        ["a", "b", "c"]
          .map((id) => `<primitive id="${id}" class="ocf" provider="heartbeat" type="Dummy"/>`)
          .join("") +
        `</resources><constraints>${constraints}</constraints></configuration></cib>`,
    );
  const circles = (constraints: string) =>
    verifyCib(cib(constraints))
      .filter(({ code }) => code === "CIRCLE")
      .map(({ text, id, level }) => `${level} ${id}: ${text}`);
  const with_ = (id: string, rsc: string, other: string) =>
    `<rsc_colocation id="${id}" rsc="${rsc}" with-rsc="${other}" score="INFINITY"/>`;

  test("of colocations and of orders are told, with the way around", () => {
    expect(circles(with_("1", "a", "b") + with_("2", "b", "c") + with_("3", "c", "a"))).toEqual([
      "warning 3: the colocations 1, 2, 3 form a circle: a → b → c → a",
    ]);
    expect(circles('<rsc_order id="1" first="a" then="b"/><rsc_order id="2" first="b" then="a"/>')).toEqual([
      "warning 2: the orders 1, 2 form a circle: a → b → a",
    ]);
  });

  test("are not what only looks like one", () => {
    expect(circles(with_("1", "a", "b") + with_("2", "b", "c") + with_("3", "a", "c"))).toEqual([]);
    expect(
      circles('<rsc_order id="1" first="a" then="b"/><rsc_order id="2" first="b" then="a" kind="Optional"/>'),
    ).toEqual([]);
    expect(
      circles(
        '<rsc_order id="1" first="a" then="b"/><rsc_order id="2" first="b" then="a" first-action="stop"/>',
      ),
    ).toEqual([]);
  });
});

describe("connections to remote nodes stand where no service does", () => {
  const remote = '<primitive id="far" class="ocf" provider="pacemaker" type="remote"/>';
  const codes = (parts: Partial<typeof sound>) =>
    verify(parts)
      .filter(({ code }) => code === "CONNECTION_AS_SERVICE")
      .map(({ id }) => id);

  test.each<[string, Partial<typeof sound>, string]>([
    ["a group", { resources: `${sound.resources}<group id="g">${remote}</group>` }, "far"],
    ["a clone", { resources: `${sound.resources}<clone id="c">${remote}</clone>` }, "far"],
    [
      "a template of one in a group",
      {
        resources: `${sound.resources}<template id="t" class="ocf" provider="pacemaker" type="remote"/><group id="g"><primitive id="far" template="t"/></group>`,
      },
      "far",
    ],
    [
      "a colocation",
      {
        resources: sound.resources + remote,
        constraints: '<rsc_colocation id="x" rsc="a" with-rsc="far" score="5"/>',
      },
      "x",
    ],
    [
      "an order",
      { resources: sound.resources + remote, constraints: '<rsc_order id="x" first="far" then="a"/>' },
      "x",
    ],
    [
      "an order of sets",
      {
        resources: sound.resources + remote,
        constraints:
          '<rsc_order id="x"><resource_set id="s"><resource_ref id="a"/><resource_ref id="far"/></resource_set></rsc_order>',
      },
      "x",
    ],
  ])("not in %s", (_, parts, id) => {
    expect(codes(parts)).toEqual([id]);
  });

  test("but alone, and in a location", () => {
    const constraints = '<rsc_location id="x" rsc="far" node="n1" score="5"/>';
    expect(codes({ resources: sound.resources + remote, constraints })).toEqual([]);
  });
});

test("operations that no agent has are told: near ones as mistakes, others as remarks", () => {
  const named = (name: string) =>
    verify({
      resources: `${sound.resources}<primitive id="b" class="ocf" provider="heartbeat" type="Dummy"><operations><op id="o" name="${name}" interval="10s"/></operations></primitive>`,
    }).flatMap(({ code, level }) => (code === "UNKNOWN_OPERATION" ? [level] : []));
  expect(named("monitr")).toEqual(["error"]);
  expect(named("prmote")).toEqual(["error"]);
  expect(named("backup-everything")).toEqual(["warning"]);
  for (const name of ["monitor", "status", "reload-agent", "migrate_from", "force-reload"])
    expect(named(name)).toEqual([]);
});

describe("the fencing topology", () => {
  const level = (target: string, devices: string) =>
    verify({
      rest: `<fencing-topology><fencing-level id="v" ${target} index="1" devices="${devices}"/></fencing-topology>`,
    }).map(({ level: grade, code, text, cure }) => [grade, code, text, cure].join("; "));

  test("names fence devices and nodes that are there", () => {
    expect(level('target="n1"', "st")).toEqual([]);
    expect(level('target-pattern="x.*"', "st")).toEqual([]);
  });

  test.each([
    [
      'target="n1"',
      "sta",
      /^warning; NO_SUCH_DEVICE; .*\(n1, level 1\) names "sta", which does not exist.*did you mean "st"/,
    ],
    ['target="n1"', "st,a", /^warning; NO_SUCH_DEVICE; .*names "a", which is no fence device/],
    [
      'target="n2"',
      "st",
      /^warning; UNKNOWN_NODE; .*for node "n2", which is not configured; did you mean "n1"/,
    ],
  ])("%s %s is told", (target, devices, what) => {
    const problems = level(target, devices);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(what);
  });
});
