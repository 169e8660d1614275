import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cibOf, formatXml, loadCrm, parseXml, type XmlElement } from "../../src/cib/index.ts";
import { checkChange } from "../../src/cli/acceptance.ts";
import { hactl, type Run } from "./run.ts";

/** Mistakes are refused before they are taken, all at once; what is merely remarkable passes, and is said. */

const directory = mkdtempSync(join(tmpdir(), "hactl-acceptance-"));
afterAll(() => rmSync(directory, { recursive: true }));
const file = join(directory, "cib.xml");
const agents = join(directory, "ocf", "resource.d");
mkdirSync(join(agents, "test"), { recursive: true });
writeFileSync(
  join(agents, "test", "Told"),
  `#!/bin/sh
cat <<X
<resource-agent name="Told"><parameters>
<parameter name="ip" required="1"><content type="string"/></parameter>
<parameter name="old" obsoletes="none"><content type="string"/></parameter>
</parameters><actions><action name="start"/><action name="stop" timeout="20s"/><action name="monitor"/></actions></resource-agent>
X
`,
  { mode: 0o755 },
);
const config = join(directory, "hactl.toml");
writeFileSync(
  config,
  `[totem]
cluster_name = "c"
[[nodelist.node]]
name = "n1"
nodeid = 1
ring0_addr = "127.0.0.1"
[system]
ocf_path = ["${agents}"]
`,
);

const base = "property stonith-enabled=false\nprimitive d1 ocf:test:Told params ip=1\n";
beforeEach(() => writeFileSync(file, formatXml(cibOf(loadCrm(base, undefined, "replace")))));
const content = () => readFileSync(file, "utf8");
const run = (words: readonly string[], name?: string): Promise<Run> =>
  hactl(words, { CIB_file: file, HACTL_CONFIG: config }, name);
const xml = (text: string) => ["-C", "-o", "resources", "--xml-text", text];

describe("refused with what, where and cure, and nothing is changed", () => {
  test.each<[string, readonly string[], string, RegExp]>([
    ["a value", ["property", "stonith-enabled=maybe"], "hactl", /"maybe" is not valid/],
    ["a value, by crm_attribute", ["-n", "no-quorum-policy", "-v", "x"], "crm_attribute", /no-quorum-policy/],
    [
      "a time",
      [
        "configure",
        "primitive",
        "a",
        "ocf:test:Told",
        "params",
        "ip=1",
        "op",
        "monitor",
        "interval=tenseconds",
      ],
      "hactl",
      /tenseconds/,
    ],
    [
      "an operation",
      ["configure", "primitive", "a", "ocf:test:Told", "params", "ip=1", "op", "monitr", "interval=10s"],
      "hactl",
      /did you mean "monitor"/,
    ],
    [
      "a parameter",
      ["configure", "primitive", "a", "ocf:test:Told", "params", "ip=1", "odl=2"],
      "hactl",
      /did you mean "old"/,
    ],
    [
      "a missing parameter",
      ["configure", "primitive", "a", "ocf:test:Told"],
      "hactl",
      /lacks the parameter "ip"/,
    ],
    [
      "a meta attribute",
      ["configure", "primitive", "a", "ocf:test:Told", "params", "ip=1", "meta", "is-managed=perhaps"],
      "hactl",
      /is-managed/,
    ],
    [
      "an operation, by cibadmin",
      xml(
        '<primitive id="q" class="ocf" provider="test" type="Told"><operations><op id="o" name="monitr" interval="1"/></operations></primitive>',
      ),
      "cibadmin",
      /monitor/,
    ],
    [
      "a connection in a group",
      ["configure", "load", "update", join(directory, "far.crm")],
      "hactl",
      /connects a remote node/,
    ],
  ])("%s", async (_, words, name, message) => {
    writeFileSync(
      join(directory, "far.crm"),
      "primitive far ocf:pacemaker:remote params server=192.0.2.7\ngroup g far\n",
    );
    const before = content();
    const { code, err } = await run(words, name);
    expect(err).toMatch(message);
    expect([code, content()]).toEqual([78, before]);
  });

  test("all mistakes of a file at once, each with its line; --force takes what can be stored", async () => {
    const text = join(directory, "many.crm");
    writeFileSync(
      text,
      "property stonith-enabled=maybe\nprimitive a ocf:test:Told params ip=1 op monitr interval=tenseconds\nlocation l nix 5: n1\n",
    );
    const before = content();
    const { code, err } = await run(["configure", "load", "update", text]);
    expect(err).toMatch(/4 mistakes/);
    for (const line of [
      "many.crm:2: interval",
      'many.crm:2: "monitr"',
      "many.crm:3: constraint",
      "stonith-enabled",
    ])
      expect(err).toContain(line);
    expect([code, content()]).toEqual([78, before]);
    writeFileSync(text, readFileSync(text, "utf8").replace(/location.*\n/, ""));
    expect((await run(["configure", "load", "update", text])).code).toBe(78);
    expect((await run(["configure", "load", "update", text, "--force"])).code).toBe(0);
    expect(content()).toContain('name="monitr"');
  });

  test("agents are asked about what can be read of a text that is wrong elsewhere", async () => {
    const text = join(directory, "many.crm");
    writeFileSync(
      text,
      "primitive a ocf:test:Told params ipp=1\ngrup g a\nprimitive b ocf:test:Told\n" +
        "primitive c ocf:test:Told op monitor interval=tenseconds\nlocation l nix 5: n1\n",
    );
    const { code, err } = await run(["configure", "load", "update", text]);
    const lines = err.split("\n").filter((line) => line.includes("many.crm:"));
    expect(lines.map((line) => line.replace(/.*many\.crm:(\d+): /, "$1 "))).toEqual([
      expect.stringMatching(/^1 agent .* has no parameter "ipp" .*did you mean "ip"/),
      expect.stringMatching(/^1 resource "a" lacks the parameter "ip"/),
      expect.stringMatching(/^2 unknown statement "grup"/),
      expect.stringMatching(/^3 resource "b" lacks the parameter "ip"/),
      expect.stringMatching(/^4 interval="tenseconds"/),
      expect.stringMatching(/^4 resource "c" lacks the parameter "ip"/),
      expect.stringMatching(/^5 constraint "l" names resource "nix"/),
    ]);
    expect(code).toBe(78);
    const verified = await run(["verify", text]);
    for (const line of lines) expect(verified.out).toContain(line.replace(/^.*many\.crm:\d+: | \(.*/g, ""));
  });
});

describe("a whole in the place of what there is", () => {
  test("with mistakes that stand there already is taken: what was saved can be loaded", async () => {
    const saved = join(directory, "saved.crm");
    expect((await run(["-r", "d1", "-p", "odl", "-v", "2", "--force"], "crm_resource")).code).toBe(0);
    expect((await run(["-r", "d1", "-d", "ip", "--force"], "crm_resource")).code).toBe(0);
    expect((await run(["configure", "save", saved])).code).toBe(0);
    expect(await run(["configure", "load", "replace", saved])).toMatchObject({ code: 0 });
    expect(content()).toContain('name="odl"');
    // One more is one more.
    writeFileSync(saved, `${readFileSync(saved, "utf8")}primitive d2 ocf:test:Told params ip=1 odl=3\n`);
    const { code, err } = await run(["configure", "load", "replace", saved]);
    expect([code, err]).toEqual([78, expect.stringContaining('resource "d2" has no parameter "odl"')]);
    expect(err).not.toContain("d1");
  });

  test("with a mistake that gets another id is taken, too", async () => {
    const saved = join(directory, "saved.crm");
    const bad =
      '<primitive id="d1"><meta_attributes id="odd"><nvpair id="odd-1" name="is-managed" value="perhaps"/></meta_attributes></primitive>';
    expect((await run(["-M", "-c", "-o", "resources", "--force", "-X", bad], "cibadmin")).code).toBe(0);
    expect((await run(["configure", "save", saved])).code).toBe(0);
    writeFileSync(saved, readFileSync(saved, "utf8").replace(/\$id="?odd"? /, ""));
    expect(await run(["configure", "load", "replace", saved])).toMatchObject({ code: 0 });
    expect(content()).toContain('value="perhaps"');
    expect(content()).not.toContain('"odd-1"');
    writeFileSync(
      saved,
      `${readFileSync(saved, "utf8")}primitive d2 ocf:test:Told params ip=1 meta is-managed=perhaps\n`,
    );
    expect(await run(["configure", "load", "replace", saved])).toMatchObject({ code: 78 });
  });

  test.each([
    ["by cibadmin", ["-R", "-X", "WHOLE"], "cibadmin"],
    ["by cibadmin, of the configuration", ["-R", "--scope", "configuration", "-X", "PART"], "cibadmin"],
    ["by load, with --force too", ["configure", "load", "replace", "FILE", "--force"], "hactl"],
  ])("that lacks a section is refused %s", async (_, words, name) => {
    const before = content();
    const part = "<configuration><crm_config/><nodes/><resources/></configuration>";
    const whole = `<cib validate-with="pacemaker-3.9" admin_epoch="9" epoch="0" num_updates="0">${part}<status/></cib>`;
    const torn = join(directory, "torn.xml");
    writeFileSync(torn, whole);
    const given: Readonly<Record<string, string>> = { WHOLE: whole, PART: part, FILE: torn };
    const { code, err } = await run(
      words.map((word) => given[word] ?? word),
      name,
    );
    expect([code, content()]).toEqual([78, before]);
    expect(err).toContain("<configuration> lacks <constraints>");
  });
});

describe("--force takes it all the same, wherever a refusal says so", () => {
  test.each<[string, readonly string[], string]>([
    [
      "a statement",
      ["configure", "primitive", "a", "ocf:test:Told", "params", "ip=1", "meta", "priority=x"],
      "hactl",
    ],
    [
      "the same, by crm",
      ["configure", "primitive", "a", "ocf:test:Told", "params", "ip=1", "meta", "priority=x"],
      "crm",
    ],
    ["a property, as a statement", ["configure", "property", "batch-limit=x"], "hactl"],
    ["set", ["configure", "set", "d2.priority", "x"], "hactl"],
    ["XML", ["configure", "xml", '<primitive id="x" class="ocf" provider="test" type="Told"/>'], "hactl"],
    ["crm_attribute", ["-n", "batch-limit", "-v", "x"], "crm_attribute"],
    ["crm_resource", ["-r", "d1", "--meta", "-p", "priority", "-v", "x"], "crm_resource"],
    [
      "cibadmin",
      xml(
        '<primitive id="x" class="ocf" provider="test" type="Told"><meta_attributes id="m"><nvpair id="n" name="priority" value="x"/></meta_attributes></primitive>',
      ),
      "cibadmin",
    ],
    ["property", ["property", "batch-limit=x"], "hactl"],
  ])("%s", async (_, words, name) => {
    await run(["configure", "primitive", "d2", "ocf:test:Told", "params", "ip=1", "meta", "priority=5"]);
    const before = content();
    const refused = await run(words, name);
    expect(refused.code).toBe(78);
    expect(refused.err).toContain("--force takes it all the same");
    expect(content()).toBe(before);
    // crm's own flag comes first.
    const forced = await run(name === "crm" ? ["-F", ...words] : [...words, "--force"], name);
    expect([forced.err, forced.code]).toEqual([expect.not.stringContaining("error"), 0]);
    expect(content()).not.toBe(before);
  });
});

describe("what is remarkable passes, and is said", () => {
  test("two names of one option", async () => {
    await run(["configure", "primitive", "a", "ocf:test:Told", "params", "ip=1"]);
    const words = ["configure", "clone", "c", "a", "meta", "promoted-max=1", "master-max=2"];
    expect((await run(words)).err).toContain('master-max="2" has no effect: promoted-max="1"');
  });

  test("a time that is shorter than its agent asks for", async () => {
    const words = [
      "configure",
      "primitive",
      "a",
      "ocf:test:Told",
      "params",
      "ip=1",
      "op",
      "stop",
      "timeout=20ms",
    ];
    const made = await run(words);
    expect(made.code).toBe(0);
    expect(made.err).toMatch(
      /warning: agent ocf:test:Told asks for more time .*stop 20s \(has 20ms\).*timeout=20s/,
    );
    const verified = await run(["verify"]);
    expect(verified.out).toContain("stop 20s (has 20ms)");
  });

  test.each<[string, readonly string[], RegExp]>([
    [
      "an agent that is not here",
      ["configure", "primitive", "a", "ocf:test:Nowhere"],
      /Nowhere of resource "a" is not there/,
    ],
    [
      "a parameter of a fence device that is for the cluster",
      [
        "configure",
        "primitive",
        "f",
        "stonith:nowhere",
        "params",
        "pcmk_host_map=n1;1",
        "pcmk_host_check=dynamc",
      ],
      /pcmk_host_map: "n1", "1" does not name a node(.|\n)*pcmk_host_check="dynamc" is none of/,
    ],
    ["a node that nobody knows", ["configure", "location", "l", "d1", "5:", "nix"], /names node "nix"/],
    [
      "a parameter that nothing is like",
      ["configure", "primitive", "a", "ocf:test:Told", "params", "ip=1", "elsewhere=1"],
      /no parameter "elsewhere"/,
    ],
    [
      "what recurs and the agent does not offer",
      ["configure", "primitive", "a", "ocf:test:Told", "params", "ip=1", "op", "status", "interval=10s"],
      /Told of resource "a" does not offer the operation "status": as often as it recurs it fails/,
    ],
    [
      "what cannot recur is told once, whether the agent offers it or not",
      [
        "configure",
        "primitive",
        "a",
        "ocf:test:Told",
        "params",
        "ip=1",
        "op",
        "validate-all",
        "interval=10s",
      ],
      /^warning: operation validate-all of resource "a" cannot recur(?!(.|\n)*does not offer)/,
    ],
  ])("%s", async (_, words, message) => {
    if (words[2] === "l") await run(["configure", "node", "n1"]);
    const { code, err } = await run(words);
    expect(err).toMatch(message);
    expect(code).toBe(0);
  });

  test("mistakes that are there already keep nobody from changing something else", async () => {
    expect((await run(["property", "stonith-enabled=maybe", "--force"])).code).toBe(0);
    expect((await run(["property", "maintenance-mode=true"])).code).toBe(0);
    expect(content()).toContain('name="maintenance-mode"');
  });
});

describe("another agent for something that runs", () => {
  const cib = (type: string, rc: number): XmlElement =>
    parseXml(`<cib validate-with="pacemaker-3.9"><configuration><crm_config/><nodes><node id="1" uname="n1"/></nodes><resources>
<primitive id="d" class="ocf" provider="test" type="${type}"/></resources><constraints/></configuration><status>
<node_state id="1" uname="n1" in_ccm="true" crmd="online" join="member" expected="member"><lrm id="1"><lrm_resources>
<lrm_resource id="d" class="ocf" provider="test" type="A"><lrm_rsc_op id="d_last_0" operation_key="d_monitor_0" operation="monitor"
 transition-key="1:1:7:x" transition-magic="0:${rc};1:1:7:x" call-id="5" rc-code="${rc}" op-status="0" interval="0"/></lrm_resource>
</lrm_resources></lrm></node_state></status></cib>`);

  test("is taken, since the one that started it ends it, and said where it does run", async () => {
    expect(await checkChange(cib("A", 0), cib("B", 0), { live: true })).toMatchObject([
      { level: "warning", text: expect.stringContaining("as ocf:test:A, which will stop it") },
    ]);
    expect(await checkChange(cib("A", 7), cib("B", 7), { live: true })).toEqual([]);
    // What a file says is running runs nowhere.
    expect(await checkChange(cib("A", 0), cib("B", 0), {})).toEqual([]);
  });
});
