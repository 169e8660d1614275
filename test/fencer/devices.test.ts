import { describe, expect, test } from "bun:test";
import { parseHostMap, parseXml } from "../../src/cib/index.ts";
import {
  devicesFromCib,
  kdumpNames,
  kdumpPorts,
  parseAgentMetadata,
  readFencerMessage,
} from "../../src/fencer/index.ts";
import {
  actionLimit,
  actionTries,
  checkDeviceParameters,
  delayBase,
  deviceDelay,
} from "../../src/fencer/parameters.ts";
import { HactlError, INFINITY, nodeName } from "../../src/terms/index.ts";

const a = nodeName("vm01");
const b = nodeName("vm02");

/** A configuration with these parts. */
const read = (parts: {
  resources?: string;
  constraints?: string;
  topology?: string;
  properties?: string;
  tags?: string;
  defaults?: string;
}) =>
  devicesFromCib(
    parseXml(`<configuration>
      <crm_config><cluster_property_set id="cib-bootstrap-options">${parts.properties ?? ""}</cluster_property_set></crm_config>
      <nodes><node id="1" uname="vm01"><instance_attributes id="n1"><nvpair id="n1r" name="rack" value="1"/></instance_attributes></node><node id="2" uname="vm02"/></nodes>
      <resources>${parts.resources ?? ""}</resources><constraints>${parts.constraints ?? ""}</constraints>
      <fencing-topology>${parts.topology ?? ""}</fencing-topology><tags>${parts.tags ?? ""}</tags>${parts.defaults ?? ""}</configuration>`),
    1_800_000_000,
  );

const ipmi = (id: string, meta = "", inner = "") =>
  `<primitive id="${id}" class="stonith" type="fence_ipmilan">${inner}<instance_attributes id="${id}-i"><nvpair id="${id}-ip" name="ip" value="192.0.2.1"/></instance_attributes>${meta}</primitive>`;
const role = (id: string, value: string) =>
  `<meta_attributes id="${id}-m"><nvpair id="${id}-tr" name="target-role" value="${value}"/></meta_attributes>`;

describe("devices of a configuration", () => {
  test("stonith primitives are found in groups and clones, with parameters of their template", () => {
    const found = read({
      resources: `<template id="t" class="stonith" type="fence_apc"><instance_attributes id="ti"><nvpair id="ti1" name="ip" value="192.0.2.9"/><nvpair id="ti2" name="ssl" value="1"/></instance_attributes></template>
        <group id="g"><primitive id="inner" template="t"><instance_attributes id="ii"><nvpair id="ii1" name="ip" value="192.0.2.8"/></instance_attributes></primitive></group>
        <clone id="c">${ipmi("cloned")}</clone><primitive id="app" class="ocf" provider="heartbeat" type="Dummy"/>`,
    });
    expect([...found.devices.keys()]).toEqual(["inner", "cloned"]);
    expect(found.devices.get("inner")?.agent).toBe("fence_apc");
    expect(Object.fromEntries(found.devices.get("inner")?.params ?? [])).toEqual({
      ip: "192.0.2.8",
      ssl: "1",
    });
  });

  test("a device is not used when it, its group or the defaults say Stopped", () => {
    const used = (parts: Parameters<typeof read>[0]) => read(parts).devices.get("d")?.disabled === undefined;
    expect(used({ resources: ipmi("d") })).toBe(true);
    expect(used({ resources: ipmi("d", role("d", "Stopped")) })).toBe(false);
    expect(
      used({ resources: `<group id="g">${ipmi("d", role("d", "Started"))}${role("g", "stopped")}</group>` }),
    ).toBe(false);
    expect(
      used({ resources: ipmi("d"), defaults: `<rsc_defaults>${role("rd", "Stopped")}</rsc_defaults>` }),
    ).toBe(false);
  });

  test("location constraints reach a device directly, by rule, group, tag, pattern and set", () => {
    const group = `<group id="g">${ipmi("d")}</group>`;
    const scores = (constraints: string, tags = "") => {
      const device = read({ resources: group, constraints, tags }).devices.get("d");
      return [device?.scoreOn(a), device?.scoreOn(b)];
    };
    expect(scores("")).toEqual([0, 0]);
    expect(scores('<rsc_location id="l" rsc="d" node="vm01" score="-INFINITY"/>')).toEqual([-INFINITY, 0]);
    expect(
      scores(
        '<rsc_location id="l" rsc="g"><rule id="r" score="-INFINITY"><expression id="e" attribute="#uname" operation="eq" value="vm01"/></rule></rsc_location>',
      ),
    ).toEqual([-INFINITY, 0]);
    expect(
      scores('<rsc_location id="l" rsc="tg" node="vm02" score="7"/>', '<tag id="tg"><obj_ref id="d"/></tag>'),
    ).toEqual([0, 7]);
    expect(scores('<rsc_location id="l" rsc-pattern="^d$" node="vm02" score="3"/>')).toEqual([0, 3]);
    expect(scores('<rsc_location id="l" rsc-pattern="[" node="vm02" score="3"/>')).toEqual([0, 0]);
    expect(
      scores(
        '<rsc_location id="l" node="vm01" score="-5"><resource_set id="s"><resource_ref id="d"/></resource_set></rsc_location>',
      ),
    ).toEqual([-5, 0]);
    expect(
      scores(
        '<rsc_location id="l" rsc="d"><rule id="r" score="-INFINITY"><expression id="e" attribute="rack" operation="eq" value="1"/></rule></rsc_location>',
      ),
    ).toEqual([-INFINITY, 0]);
  });

  test("in a cluster that is not symmetric a device runs only where it is allowed", () => {
    const device = read({
      resources: ipmi("d"),
      constraints: '<rsc_location id="l" rsc="d" node="vm02" score="0"/>',
      properties: '<nvpair id="p" name="symmetric-cluster" value="false"/>',
    }).devices.get("d");
    expect([device?.scoreOn(a), device?.scoreOn(b)]).toEqual([-INFINITY, 0]);
  });

  test("old and new names of the properties", () => {
    const found = read({
      properties:
        '<nvpair id="p1" name="fencing-timeout" value="90s"/><nvpair id="p2" name="stonith-enabled" value="no"/><nvpair id="p3" name="stonith-max-attempts" value="4"/>',
    });
    expect(found).toMatchObject({ timeoutMs: 90_000, enabled: false, maxAttempts: 4 });
    expect(read({})).toMatchObject({ timeoutMs: 60_000, enabled: true, maxAttempts: 10 });
  });

  test("levels go by index; a level without its device and a mistyped parameter are told", () => {
    const found = read({
      resources: ipmi("d", "", ""),
      topology:
        '<fencing-level id="l2" target="VM01" index="2" devices="d"/><fencing-level id="l1" target="vm01" index="1" devices="gone,d"/><fencing-level id="l3" target-attribute="rack" target-value="1" index="1" devices="d"/>',
    });
    expect(found.levelsFor(a)).toEqual([
      { index: 1, devices: ["gone", "d"] },
      { index: 2, devices: ["d"] },
    ]);
    expect(found.levelsFor(b)).toEqual([]);
    expect(found.problems).toEqual(["fencing level l1: there is no fence device gone"]);
  });

  test("what guesses by a network is warned about", () => {
    const { problems } = read({
      resources: '<primitive id="h" class="stonith" type="external/stonith-helper"/>',
    });
    expect(problems.join()).toContain("a dead network is not a dead node");
  });

  test("ports and names that kdump devices expect notices by", () => {
    const device = (id: string, pairs: string) =>
      `<primitive id="${id}" class="stonith" type="fence_kdump"><instance_attributes id="${id}i">${pairs}</instance_attributes></primitive>`;
    const found = read({
      resources:
        device(
          "k1",
          '<nvpair id="k1a" name="pcmk_host_list" value="vm01"/><nvpair id="k1b" name="nodename" value="192.0.2.1,10.0.0.1"/>',
        ) +
        device(
          "k2",
          '<nvpair id="k2a" name="pcmk_host_list" value="vm02"/><nvpair id="k2b" name="ipport" value="7411"/>',
        ),
    });
    expect(kdumpPorts(found)).toEqual([7410, 7411]);
    expect(kdumpNames(found, a)).toEqual(["192.0.2.1", "10.0.0.1"]);
    expect(kdumpNames(found, b)).toEqual([]);
  });
});

describe("parameters for the cluster", () => {
  test("maps of hosts and delays", () => {
    expect([...parseHostMap("node1:1;Node2:2,3 node3=x:y")]).toEqual([
      ["node1", "1"],
      ["node2", "2,3"],
      ["node3", "x:y"],
    ]);
    expect([
      delayBase("5s", "x"),
      delayBase("a:1s;b:10", "B"),
      delayBase("a:1s", "x"),
      delayBase(undefined, "x"),
    ]).toEqual([5000, 10_000, 0, 0]);
  });

  test("base and random part together stay within the maximum", () => {
    const delay = (base: string, max: string, random: number) =>
      deviceDelay(
        new Map([
          ["pcmk_delay_base", base],
          ["pcmk_delay_max", max],
        ]),
        "n",
        () => random,
      );
    expect([delay("2s", "10s", 0), delay("2s", "10s", 0.999999), delay("2s", "10s", 0.25)]).toEqual([
      2000, 10_000, 4000,
    ]);
    expect([delay("12s", "10s", 0.5), delay("12s", "0s", 0.5)]).toEqual([10_000, 12_000]);
  });

  test("tries and limits hold their defaults against nonsense", () => {
    const map = (name: string, value: string) => new Map([[name, value]]);
    expect(["0", "1", "5", "x"].map((value) => actionTries(map("pcmk_off_retries", value), "off"))).toEqual([
      1, 1, 5, 2,
    ]);
    expect(["-1", "0", "3", "x"].map((value) => actionLimit(map("pcmk_action_limit", value)))).toEqual([
      Number.POSITIVE_INFINITY,
      1,
      3,
      1,
    ]);
  });

  test("mistakes are named", () => {
    const complaints = (name: string, value: string) => checkDeviceParameters(new Map([[name, value]]));
    expect(complaints("pcmk_host_lst", "a")[0]).toContain("did you mean pcmk_host_list?");
    expect(complaints("pcmk_off_timeout", "soon")[0]).toContain("not a duration");
    expect(complaints("pcmk_off_retries", "two")[0]).toContain("not a number");
    expect(complaints("passwd", "two\nlines")[0]).toContain("more than one line");
    expect(complaints("pcmk_off_timeout", "2min")).toEqual([]);
    expect(complaints("pcmk_off_timeout", "0")[0]).toContain("stonith-timeout counts");
    expect(complaints("pcmk_delay_base", "node1:5s;node2:1x")).toEqual([
      'pcmk_delay_base: "node2:1x" does not name a node and a duration such as 5s',
    ]);
    expect(complaints("pcmk_delay_base", "node1:5s node2=1min;")).toEqual([]);
    expect(complaints("pcmk_delay_base", "5x")[0]).toContain("not a duration");
    // What it calls is believed to have cut the power.
    for (const action of ["monitor", "Status", "on", "list", "metadata"])
      for (const wanted of ["off", "reboot"])
        expect(complaints(`pcmk_${wanted}_action`, action)[0]).toContain("cuts nothing");
    for (const action of ["off", "reboot", "poweroff", "cycle"])
      expect(complaints("pcmk_reboot_action", action)).toEqual([]);
    expect(complaints("pcmk_monitor_action", "status")).toEqual([]);
  });
});

describe("what comes from outside", () => {
  test("metadata: actions, host argument, unfencing", () => {
    expect(
      parseAgentMetadata(
        '<resource-agent><parameters><parameter name="plug"/></parameters><actions><action name="on" on_target="1" automatic="1"/><action name="off"/></actions></resource-agent>',
      ),
    ).toEqual({ actions: ["on", "off"], hostArgument: "plug", onTarget: true, automatic: true });
    expect(() => parseAgentMetadata("usage: fence_x")).toThrow("not well-formed");
  });

  test("messages of other kinds and shapes are refused", () => {
    const request = {
      id: "1",
      target: "b",
      action: "off",
      timeoutMs: 0,
      delayMs: 0,
      origin: "a",
      client: "c",
      reason: "",
    };
    expect(readFencerMessage({ type: "request", request }, "")).toEqual({
      type: "request",
      request,
    } as never);
    for (const wrong of [
      null,
      7,
      [],
      {},
      { type: "constructor" },
      { type: "request" },
      { type: "request", request: { ...request, action: "melt" } },
      { type: "request", request: { ...request, delayMs: "0" } },
      {
        type: "answer",
        answer: { op: "1", attempt: 1, device: "d", ok: "yes", ran: true, deed: "off", reason: "" },
      },
      { type: "history", entries: [{}], failures: {} },
    ])
      expect(() => readFencerMessage(wrong, "")).toThrow(HactlError);
  });
});
