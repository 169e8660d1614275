/** What is shown, looks right and does nothing is told by name: at fence devices, at operations, in tickets, in times. */
import { describe, expect, test } from "bun:test";
import { parseXml, refuseBadTicketValue, verifyCib } from "../../src/cib/index.ts";

interface Parts {
  readonly properties?: string;
  readonly resources?: string;
  readonly rest?: string;
  readonly status?: string;
  readonly nodes?: string;
  readonly nodeValues?: string;
}

const pair = (name: string, value: string) =>
  `<nvpair id="x-${name.replace("#", "")}" name="${name}" value="${value}"/>`;
const dummy = (inner: string) =>
  `<primitive id="a" class="ocf" provider="heartbeat" type="Dummy">${inner}</primitive>`;
const device = (parameters: string, more = "", id = "st") =>
  `<primitive id="${id}" class="stonith" type="x"><instance_attributes id="${id}-i">${parameters}</instance_attributes>${more}</primitive>`;
const operation = (words: string, inner = "") => `<operations><op id="o" ${words}>${inner}</op></operations>`;

/** `LEVEL CODE ID: TEXT (CURE)` of all that is found. */
const told = ({
  properties = "",
  resources = "",
  rest = "",
  status = "",
  nodes,
  nodeValues = "",
}: Parts): string[] =>
  verifyCib(
    parseXml(`<cib validate-with="pacemaker-3.7"><configuration><crm_config><cluster_property_set id="cps">${properties}</cluster_property_set></crm_config>
<nodes>${nodes ?? `<node id="1" uname="n1"><instance_attributes id="nv">${nodeValues}</instance_attributes></node><node id="2" uname="n2"/>`}</nodes>
<resources>${resources}${resources.includes("stonith") ? "" : '<primitive id="fence" class="stonith" type="x"/>'}</resources><constraints/>${rest}</configuration><status>${status}</status></cib>`),
  ).map((problem) => {
    expect(problem.line).toBeGreaterThan(0);
    return `${problem.level} ${problem.code} ${problem.id ?? ""}: ${problem.text} (${problem.cure})`;
  });

const only = (parts: Parts, ...expected: readonly RegExp[]) => {
  const found = told(parts);
  expect(found.length === expected.length ? [] : found).toEqual([]);
  for (const [at, one] of expected.entries()) expect(found[at]).toMatch(one);
};

describe("fence devices", () => {
  test.each(["off", "reboot", "on", "list", "status"])("operation %s is not looked at", (name) => {
    only(
      { resources: device("", operation(`name="${name}" interval="0" timeout="120s"`)) },
      new RegExp(
        `^warning NO_EFFECT o: operation ${name} .*"st".*timeout="120s".*write pcmk_${name}_timeout=120s`,
      ),
    );
  });

  test.each(["start", "stop", "monitor"])("operation %s is", (name) => {
    const interval = name === "monitor" ? "60s" : "0";
    expect(
      told({ resources: device("", operation(`name="${name}" interval="${interval}" timeout="9s"`)) }),
    ).toEqual([]);
  });

  test.each([
    ["pcmk_host_list", "n1 N2,nn2"],
    ["pcmk_host_map", "n1:1;nn2:2"],
    ["pcmk_delay_base", "n1:5s;nn2:0s"],
  ])("%s names nodes that there are", (name, value) => {
    only(
      { resources: device(pair(name, value)) },
      new RegExp(`^warning UNKNOWN_NODE x-${name}: .*"nn2".*mean "n2"`),
    );
    expect(told({ resources: device(pair(name, value.replace("nn2", "n2"))) })).toEqual([]);
    // Nothing can be said while no node has joined; a delay for all is no map.
    expect(told({ resources: device(pair(name, value)), nodes: "" })).toEqual([]);
    expect(told({ resources: device(pair("pcmk_delay_base", "5s")) })).toEqual([]);
  });

  test("remote nodes and guests are nodes; what stands in a template is told once", () => {
    const far = `<primitive id="far" class="ocf" provider="pacemaker" type="remote"/>${dummy(
      `<meta_attributes id="gm">${pair("remote-node", "guest")}</meta_attributes>`,
    )}`;
    expect(told({ resources: device(pair("pcmk_host_list", "n1 far guest")) + far })).toEqual([]);
    const template = `<template id="t" class="stonith" type="x"><instance_attributes id="ti">${pair("pcmk_host_list", "gone1")}</instance_attributes></template>`;
    only(
      { resources: `${template}<primitive id="s1" template="t"/><primitive id="s2" template="t"/>` },
      /^warning UNKNOWN_NODE x-pcmk_host_list: .*"s1".*"gone1"/,
    );
  });

  test.each(["1ms", "0", "900ms", "1"])("a fencing cannot have succeeded within %s", (time) => {
    const isNone = time === "0";
    const effect = isNone ? "is no time to wait: the default of 60s counts" : "is less than";
    const expected = new RegExp(`^warning NO_TIME x-stonith-timeout: stonith-timeout="${time}" ${effect}`);
    only({ properties: pair("stonith-timeout", time) }, expected);
    only(
      { resources: device(pair("pcmk_reboot_timeout", time)) },
      isNone
        ? /^warning NO_TIME x-pcmk_reboot_timeout: .* of fence device "st" is no time .*'s fencing-timeout counts/
        : /^warning NO_TIME x-pcmk_reboot_timeout: .* of fence device "st" is less/,
    );
    expect(told({ properties: pair("stonith-timeout", "60s") })).toEqual([]);
    expect(told({ resources: device(pair("pcmk_off_timeout", "2s")) })).toEqual([]);
  });

  test("a level needs devices that run", () => {
    const rest =
      '<fencing-topology><fencing-level id="f" target="n1" index="1" devices="st"/></fencing-topology>';
    const stopped = `<meta_attributes id="m">${pair("target-role", "Stopped")}</meta_attributes>`;
    const expected = /^warning DEVICE_STOPPED f: .*\(n1, level 1\).*"st".*'hactl resource start st'/;
    only({ resources: device("", stopped), rest }, expected);
    only({ resources: `<group id="g">${stopped}${device("")}</group>`, rest }, expected);
    only({ resources: device(""), rest: `${rest}<rsc_defaults>${stopped}</rsc_defaults>` }, expected);
    expect(told({ resources: device(""), rest })).toEqual([]);
    expect(told({ resources: device("", stopped) })).toEqual([]);
  });
});

describe("options of the other kind", () => {
  test("requires at an operation is what the schema refuses, whatever operation it is", () => {
    for (const name of ["start", "monitor"])
      expect(
        told({
          resources: dummy(
            operation(
              `name="${name}" interval="0"`,
              `<meta_attributes id="om">${pair("requires", "nothing")}</meta_attributes>`,
            ),
          ),
        })[0],
      ).toMatch(/^error OLD_FORM x-requires: .*pacemaker-3\.7 does not allow.*write requires=nothing among/);
  });

  test.each(["target-role", "migration-threshold", "failure-timeout"])("%s at an operation", (name) => {
    const value = name === "target-role" ? "Stopped" : "3";
    for (const block of ["meta_attributes", "instance_attributes"])
      only(
        {
          resources: dummy(
            operation('name="start" interval="0"', `<${block} id="om">${pair(name, value)}</${block}>`),
          ),
        },
        new RegExp(`^warning MISPLACED_OPTION x-${name}: .*<op> "o".*behind meta`),
      );
    only(
      { rest: `<op_defaults><meta_attributes id="d">${pair(name, value)}</meta_attributes></op_defaults>` },
      /^warning MISPLACED_OPTION .*<op_defaults>.*rsc_defaults/,
    );
  });

  test.each(["interval", "role", "name"])("%s as a default of operations", (name) => {
    const value = { interval: "10s", role: "Started", name: "monitor" }[name] ?? "";
    const block = `<meta_attributes id="d">${pair(name, value)}</meta_attributes>`;
    only(
      { rest: `<op_defaults>${block}</op_defaults>` },
      new RegExp(`^warning MISPLACED_OPTION x-${name}: .*op_defaults.*op monitor ${name}=`),
    );
    only(
      { resources: dummy(operation('name="monitor" interval="5s"', block)) },
      new RegExp(`^warning MISPLACED_OPTION x-${name}: .*<op> "o"`),
    );
  });

  test.each(["timeout", "interval", "on-fail"])("%s at a resource", (name) => {
    const value = name === "on-fail" ? "block" : "60s";
    const block = `<meta_attributes id="rm">${pair(name, value)}</meta_attributes>`;
    only(
      { resources: dummy(block) },
      new RegExp(`^warning MISPLACED_OPTION x-${name}: .*op monitor ${name}=`),
    );
    only(
      { rest: `<rsc_defaults>${block}</rsc_defaults>` },
      new RegExp(
        `^warning MISPLACED_OPTION x-${name}: .*${name === "interval" ? "op monitor" : "op_defaults"} ${name}=`,
      ),
    );
    // An agent may have a parameter of that name, and an alert has a timeout.
    expect(
      told({ resources: dummy(`<instance_attributes id="ri">${pair(name, value)}</instance_attributes>`) }),
    ).toEqual([]);
  });
});

test("a failure that blocks does not expire", () => {
  const expiring = `<meta_attributes id="m">${pair("failure-timeout", "60s")}</meta_attributes>`;
  const blocking = operation('name="monitor" interval="10s" on-fail="block"');
  const expected = /^warning NO_EFFECT o: failure-timeout="60s" .*"a".*monitor.*on-fail=block.*cleanup/;
  only({ resources: dummy(expiring + blocking) }, expected);
  only({ resources: dummy(blocking), rest: `<rsc_defaults>${expiring}</rsc_defaults>` }, expected);
  only({ resources: `<group id="g">${expiring}${dummy(blocking)}</group>` }, expected);
  only(
    { resources: dummy(expiring + operation('name="stop" interval="0" on-fail="block"')) },
    /^info NO_EFFECT o: .*operation stop/,
  );
  expect(told({ resources: dummy(blocking) })).toEqual([]);
  expect(told({ resources: dummy(expiring + operation('name="monitor" interval="10s"')) })).toEqual([]);
});

test("times that nobody counts", () => {
  const recurring = (interval: string) =>
    dummy(operation(`name="monitor" interval="${interval}" timeout="20s"`));
  for (const long of ["4294968s", "2000h", "99999999999999999999", "P9999Y"])
    only({ resources: recurring(long) }, /^warning LONG_TIME o: interval=.*longer than 49 days/);
  expect(told({ resources: recurring("4294967s") })).toEqual([]);
  only(
    {
      resources: dummy('<operations><op id="o" name="start" interval="0" timeout="9999999s"/></operations>'),
    },
    /^warning LONG_TIME o: timeout=/,
  );
  only(
    {
      resources: dummy(`<meta_attributes id="m">${pair("failure-timeout", "99999999")}</meta_attributes>`),
    },
    /^warning LONG_TIME x-failure-timeout: /,
  );
});

describe("tickets", () => {
  test.each([
    ["granted", "maybe", "counts as no"],
    ["standby", "perhaps", "counts as no"],
    ["last-granted", "yesterday", "counts as never"],
  ])("%s=%s", (name, value, counts) => {
    const status = `<tickets><ticket_state id="T" ${name}="${value}" own="maybe"/></tickets>`;
    only({ status }, new RegExp(`^warning BAD_VALUE T: ${name}="${value}" .*${counts}.*write`));
    expect(() => refuseBadTicketValue("T", name, value)).toThrow(`${name}="${value}" of ticket "T"`);
  });

  test("what is right, and what is the booth's own", () => {
    const status =
      '<tickets><ticket_state id="T" granted="no" standby="on" last-granted="17" own="maybe"/></tickets>';
    expect(told({ status })).toEqual([]);
    expect(() => refuseBadTicketValue("T", "own", "maybe")).not.toThrow();
  });
});

test("attributes of nodes that the cluster goes by", () => {
  only(
    { nodeValues: pair("#health-disk", "redd") },
    /^warning BAD_VALUE .*#health-disk="redd" has no effect/,
  );
  only({ nodeValues: pair("standby", "maybe") }, /^error BAD_VALUE /);
  expect(told({ nodeValues: pair("#health-disk", "red") + pair("mine", "maybe") })).toEqual([]);
});
