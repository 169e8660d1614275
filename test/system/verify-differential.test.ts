/**
 * What `crm_verify` makes of configurations that are wrong in some way, beside the real one of Debian's
 * pacemaker-cli-utils (2.1.5), and what it costs to check a very large one. Needs no root.
 */
import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { calledAs } from "../harness/called-as.ts";

setDefaultTimeout(120_000);

const directory = mkdtempSync(join(tmpdir(), "hactl-verify-"));
afterAll(() => rmSync(directory, { recursive: true }));

const ours = calledAs("crm_verify", directory);

const head =
  'validate-with="pacemaker-3.7" crm_feature_set="3.15.1" admin_epoch="0" epoch="5" num_updates="0"';
const dummy = (id: string, inner = "", agent = 'class="ocf" provider="heartbeat" type="Dummy"') =>
  `<primitive id="${id}" ${agent}>${inner}</primitive>`;
const op = (attributes: string) => `<operations><op id="x" name="monitor" ${attributes}/></operations>`;
const meta = (name: string, value: string) =>
  `<meta_attributes id="m"><nvpair id="m1" name="${name}" value="${value}"/></meta_attributes>`;

interface Parts {
  readonly head?: string;
  readonly options?: string;
  readonly nodes?: string;
  readonly resources?: string;
  readonly constraints?: string;
  readonly more?: string;
  readonly status?: string;
}

const cib = (parts: Parts = {}): string => `<cib ${parts.head ?? head}>
<configuration>
<crm_config><cluster_property_set id="o"><nvpair id="o-s" name="stonith-enabled" value="false"/>${parts.options ?? ""}</cluster_property_set></crm_config>
<nodes>${parts.nodes ?? '<node id="1" uname="n1"/>'}</nodes>
<resources>
${parts.resources ?? dummy("a")}
</resources>
<constraints>
${parts.constraints ?? ""}
</constraints>${parts.more ?? ""}
</configuration>
<status>${parts.status ?? ""}</status>
</cib>
`;

/** Inputs that both judge alike. */
const alike: Readonly<Record<string, string | Uint8Array>> = {
  "nothing wrong": cib(),
  "no fence device": cib().replace("false", "true"),
  "a missing end tag": cib().replace("</primitive>", ""),
  "a missing quote": cib().replace('id="a"', 'id="a'),
  "an attribute given twice": cib().replace('id="a"', 'id="a" id="b"'),
  "half a file": cib().slice(0, 400),
  nothing: "",
  "only blanks": "\n\n",
  "another document": "<html><body/></html>",
  "only a configuration": "<configuration><crm_config/><nodes/><resources/><constraints/></configuration>",
  "no configuration": '<cib validate-with="pacemaker-3.7" admin_epoch="0" epoch="1" num_updates="0"/>',
  "an unknown element": cib({ resources: `${dummy("a")}<primitve id="b"/>` }),
  "an unknown attribute": cib({ resources: dummy("a").replace("type=", 'clas="x" type=') }),
  "an id twice": cib({ resources: dummy("a") + dummy("a") }),
  "an id that is none": cib({ resources: dummy("1 a") }),
  "no id": cib({ resources: dummy("a").replace('id="a" ', "") }),
  "no provider": cib({ resources: dummy("a", "", 'class="ocf" type="Dummy"') }),
  "no class": cib({ resources: dummy("a", "", 'type="Dummy"') }),
  "an operation twice": cib({
    resources: dummy("a", op('interval="10"').replace("</", '<op id="y" name="monitor" interval="10s"/></')),
  }),
  "a role that is none": cib({ resources: dummy("a", op('interval="10" role="Boss"')) }),
  "an on-fail that is none": cib({ resources: dummy("a", op('interval="10" on-fail="cry"')) }),
  "a target-role that is none": cib({ resources: dummy("a", meta("target-role", "Boss")) }),
  "a target-role for others": cib({ resources: dummy("a", meta("target-role", "Promoted")) }),
  "an empty group": cib({ resources: '<group id="g"/>' }),
  "an empty clone": cib({ resources: '<clone id="c"/>' }),
  "a clone of two": cib({ resources: `<clone id="c">${dummy("a")}${dummy("b")}</clone>` }),
  "a group in a group": cib({ resources: `<group id="g"><group id="h">${dummy("a")}</group></group>` }),
  "a bundle of nothing": cib({ resources: '<bundle id="b"/>' }),
  "a bundle without image": cib({ resources: '<bundle id="b"><podman/></bundle>' }),
  "a template that is not there": cib({ resources: '<primitive id="a" template="t"/>' }),
  "a reference to nothing": cib({ resources: dummy("a", '<instance_attributes id-ref="nosuch"/>') }),
  "a colocation with nothing": cib({
    constraints: '<rsc_colocation id="c" rsc="a" with-rsc="nosuch" score="INFINITY"/>',
  }),
  "an order of nothing": cib({ constraints: '<rsc_order id="c" first="a" then="nosuch"/>' }),
  "a set with nothing": cib({
    constraints:
      '<rsc_order id="c"><resource_set id="s"><resource_ref id="nosuch"/></resource_set></rsc_order>',
  }),
  "a location of nothing": cib({ constraints: '<rsc_location id="c" rsc="nosuch" node="n1" score="1"/>' }),
  "a node that is not there": cib({ constraints: '<rsc_location id="c" rsc="a" node="nosuch" score="1"/>' }),
  "a score that is none": cib({ constraints: '<rsc_location id="c" rsc="a" node="n1" score="lots"/>' }),
  "a score beyond all": cib({
    constraints: `<rsc_location id="c" rsc="a" node="n1" score="${"9".repeat(20)}"/>`,
  }),
  "an empty rule": cib({
    constraints: '<rsc_location id="c" rsc="a"><rule id="r" score="1"/></rsc_location>',
  }),
  "an unknown operation of a rule": cib({
    constraints:
      '<rsc_location id="c" rsc="a"><rule id="r" score="1"><expression id="e" attribute="x" operation="foo" value="1"/></rule></rsc_location>',
  }),
  "a loss-policy that is none": cib({
    constraints: '<rsc_ticket id="t" rsc="a" ticket="T" loss-policy="explode"/>',
  }),
  "colocations in a circle": cib({
    resources: dummy("a") + dummy("b"),
    constraints:
      '<rsc_colocation id="c" rsc="a" with-rsc="b" score="INFINITY"/><rsc_colocation id="d" rsc="b" with-rsc="a" score="INFINITY"/>',
  }),
  "orders in a circle": cib({
    resources: dummy("a") + dummy("b"),
    constraints: '<rsc_order id="c" first="a" then="b"/><rsc_order id="d" first="b" then="a"/>',
  }),
  "a property that is none": cib({ options: '<nvpair id="p" name="no-quorum-policy" value="wheee"/>' }),
  "an unknown property": cib({ options: '<nvpair id="p" name="no-quorum-polic" value="stop"/>' }),
  "a time below nothing": cib({ options: '<nvpair id="p" name="stonith-timeout" value="-1"/>' }),
  "a delay below nothing": cib({ options: '<nvpair id="p" name="priority-fencing-delay" value="-1"/>' }),
  "suicide without fencing": cib({ options: '<nvpair id="p" name="no-quorum-policy" value="suicide"/>' }),
  "fence without fencing": cib({ options: '<nvpair id="p" name="no-quorum-policy" value="fence"/>' }),
  "fencing that is required and disabled": cib({ resources: dummy("a", meta("requires", "fencing")) }),
  "unfencing that is required and disabled": cib({ resources: dummy("a", meta("requires", "unfencing")) }),
  "fencing that all require and that is disabled": cib({
    more: `<rsc_defaults>${meta("requires", "fencing")}</rsc_defaults>`,
  }),
  "a fence device that needs unfencing": cib({
    resources: dummy("a", meta("requires", "unfencing"), 'class="stonith" type="x"'),
  }).replace('"false"', '"true"'),
  "a fence device, and nodes that nobody has seen": cib({
    resources: dummy("a", "", 'class="stonith" type="x"'),
  }).replace('"false"', '"true"'),
  "a start that recurs": cib({
    resources: dummy("a", op('interval="10s"').replace('"monitor"', '"start"')),
  }),
  "a migration that recurs": cib({
    resources: dummy("a", op('interval="10s"').replace('"monitor"', '"migrate_from"')),
  }),
  "a notification that recurs": cib({
    resources: dummy("a", op('interval="10s"').replace('"monitor"', '"notify"')),
  }),
  "several replicas on a host with one port": cib({
    resources: `<bundle id="b"><podman image="i" replicas="4" replicas-per-host="2"/><network control-port="3121"/>${dummy("a")}</bundle>`,
  }),
  "a rule without a score": cib({
    constraints:
      '<rsc_location id="c" rsc="a"><rule id="r"><expression id="e" attribute="x" operation="defined"/></rule></rsc_location>',
  }),
  ...Object.fromEntries(
    [
      '<rsc_location id="c" rsc="t" node="n1" score="1"/>',
      '<rsc_colocation id="c" rsc="a" with-rsc="t" score="1"/>',
      '<rsc_order id="c" first="a" then="t"/>',
      '<rsc_ticket id="c" rsc="t" ticket="T"/>',
      '<rsc_order id="c"><resource_set id="s"><resource_ref id="t"/><resource_ref id="a"/></resource_set></rsc_order>',
    ].map((constraints, at) => [
      `a template that nobody is made of, in constraint ${at}`,
      cib({
        resources: `${dummy("t").replace("primitive", "template").replace("</primitive>", "</template>")}${dummy("a")}`,
        constraints,
      }),
    ]),
  ),
  "no replicas": cib({ resources: '<bundle id="b"><podman image="i" replicas="0"/></bundle>' }),
  "hours that are no number": cib({
    constraints:
      '<rsc_location id="c" rsc="a"><rule id="r" score="1"><date_expression id="e" operation="in_range" start="2026-01-01"><duration id="d" hours="x"/></date_expression></rule></rsc_location>',
  }),
  "a node twice": cib({ nodes: '<node id="1" uname="n1"/><node id="2" uname="n1"/>' }),
  "a fencing level below 1": cib({
    more: '<fencing-topology><fencing-level id="f" target="n1" index="0" devices="d"/></fencing-topology>',
  }),
  "a role that nobody defined": cib({
    more: '<acls><acl_target id="u"><role id="nosuch"/></acl_target></acls>',
  }),
  "a state of no node": cib({ status: '<node_state id="9" uname="gone" in_ccm="true" crmd="online"/>' }),
  "an unknown schema": cib({ head: head.replace("3.7", "99.9") }),
  "a version that is none": cib({ head: head.replace('"5"', '"x"') }),
  "no version": cib({ head: 'validate-with="pacemaker-3.7"' }),
  "no schema": cib({ head: 'validate-with="none"' }),
  "a byte order mark": `\ufeff${cib()}`,
  "UTF-16": Buffer.from(`\ufeff${cib()}`, "utf16le"),
  "ISO 8859-1": Buffer.from(
    `<?xml version="1.0" encoding="ISO-8859-1"?>${cib({ resources: dummy("a", meta("description", "grün")) })}`,
    "latin1",
  ),
  "a character that no text has": cib().replace('id="a"', 'id="a\0"'),
  "nesting without end": `<cib>${"<a>".repeat(100_000)}`,
};

interface Answer {
  readonly code: number;
  readonly text: string;
}

function call(command: readonly string[], args: readonly string[]): Answer {
  const { stdout, stderr, exitCode } = Bun.spawnSync([...command, ...args], {
    env: { ...process.env, LC_ALL: "C", CIB_shadow_dir: directory },
    timeout: 100_000,
  });
  return { code: exitCode, text: stdout.toString() + stderr.toString() };
}

const file = (content: string | Uint8Array): string => {
  const path = join(directory, "cib.xml");
  writeFileSync(path, content);
  return path;
};

test.each(Object.entries(alike))("%s: the same exit code, and a place", (_, content) => {
  const path = file(content);
  const theirs = call(["crm_verify"], ["-x", path, "-V"]);
  const mine = call(ours, ["-x", path, "-VVV"]);
  expect(mine.code).toBe(theirs.code);
  expect(call(ours, ["-x", path, "-Q"])).toEqual({ code: theirs.code, text: "" });
  if (theirs.code !== 0) expect(mine.text).toMatch(/cib\.xml(?::\d+)?: (?:error|warning): /);
});

test("files that are not there, and directories, have the exit code that they have there", () => {
  mkdirSync(join(directory, "folder"));
  for (const path of [join(directory, "absent.xml"), join(directory, "folder")]) {
    const mine = call(ours, ["-x", path]);
    expect(mine.code).toBe(call(["crm_verify"], ["-x", path]).code);
    expect(mine.text).toContain(path);
  }
});

test("entities that multiply without end cost nothing", () => {
  const entities = Array.from(
    { length: 12 },
    (_, level) => `<!ENTITY e${level + 1} "${`&e${level};`.repeat(10)}">`,
  );
  const bomb = `<!DOCTYPE c [<!ENTITY e0 "boom">${entities.join("")}]><cib><configuration>&e12;</configuration></cib>`;
  const mine = call(ours, ["-x", file(bomb)]);
  expect(mine.code).toBe(78);
  expect(mine.text).toContain("cib.xml:1: error: ");
});

test("100 MB are checked, with every problem at its line", () => {
  const pair = (at: number) => `<nvpair id="p${at}" name="note${at}" value="${"x".repeat(1000)}"/>`;
  const big = cib({
    resources: dummy(
      "a",
      `<instance_attributes id="i">\n${Array.from({ length: 100_000 }, (_, at) => pair(at)).join("\n")}\n</instance_attributes>`,
    ),
    constraints: '<rsc_order id="c" first="a" then="nosuch"/>',
  });
  expect(big.length).toBeGreaterThan(100_000_000);
  const mine = call(ours, ["-x", file(big)]);
  expect(mine.code).toBe(78);
  expect(mine.text).toContain('cib.xml:100010: error: constraint "c" names resource "nosuch"');
});
