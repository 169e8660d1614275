/** The crm shell's `resource` level in a file: attributes, constraints, fail counts; what move and ban have made. */
import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseXml, selectXpath } from "../../src/cib/index.ts";
import { setOutputStyle } from "../../src/cli/output.ts";
import { runHere } from "./rehearsal.ts";

const directory = mkdtempSync(join(tmpdir(), "hactl-crm-resource-"));
const file = join(directory, "cib.xml");
const dummy = (id: string) => `<primitive id="${id}" class="ocf" provider="pacemaker" type="Dummy"/>`;
const steering = (id: string, rsc: string, score = "-INFINITY") =>
  `<rsc_location id="${id}" rsc="${rsc}" role="Started" node="n2" score="${score}"/>`;
const cib = (
  constraints = "",
) => `<cib validate-with="pacemaker-3.9" admin_epoch="0" epoch="5" num_updates="2"><configuration>
  <crm_config><cluster_property_set id="cib-bootstrap-options"><nvpair id="f" name="stonith-enabled" value="false"/></cluster_property_set></crm_config>
  <nodes><node id="1" uname="n1"/><node id="2" uname="n2"/></nodes>
  <resources>${dummy("d")}<group id="g">${dummy("a")}${dummy("b")}</group><clone id="c">${dummy("e")}</clone></resources>
  <constraints>${constraints}</constraints></configuration>
  <status><node_state id="1" uname="n1" in_ccm="true" crmd="online" join="member" expected="member"><transient_attributes id="1"><instance_attributes id="s1">
   <nvpair id="s1-f" name="fail-count-d#monitor_10000" value="3"/></instance_attributes></transient_attributes></node_state></status></cib>`;

beforeEach(() => writeFileSync(file, cib()));
afterAll(() => {
  rmSync(directory, { recursive: true });
  setOutputStyle({ json: false, colour: false });
});

const run = (...words: readonly string[]) =>
  runHere(words, {
    CIB_file: file,
    CIB_shadow: undefined,
    CIB_user: undefined,
    HACTL_CONFIG: "/nonexistent",
  });
const found = (xpath: string) =>
  selectXpath(parseXml(readFileSync(file, "utf8")), xpath).map(({ element }) =>
    Object.fromEntries(element.attributes),
  );
const crm = (...words: readonly string[]) => run("crm", "resource", ...words);

describe("attributes of resources", () => {
  test.each([
    ["meta", "meta_attributes", "priority"],
    ["param", "instance_attributes", "fake"],
    ["utilization", "utilization", "memory"],
  ])("%s sets, shows and deletes", async (command, block, name) => {
    const pairs = () => found(`//primitive[@id='d']/${block}/nvpair`);
    expect((await crm(command, "d", "set", name, "5")).code).toBe(0);
    expect(pairs()).toMatchObject([{ name, value: "5" }]);
    expect(await crm(command, "d", "show", name)).toMatchObject({ code: 0, out: "5\n" });
    expect((await crm(command, "d", "delete", name)).code).toBe(0);
    expect(pairs()).toEqual([]);
  });

  test("what is no option is refused as crm_resource does, and taken with --force", async () => {
    const bad = ["resource", "meta", "d", "set", "target-role", "Sideways"];
    const { code, err } = await run("crm", ...bad);
    expect([code, err]).toEqual([78, expect.stringContaining('target-role="Sideways" is not valid')]);
    expect((await run("crm", "-F", ...bad)).code).toBe(0);
  });

  test.each([
    [["meta", "d", "set", "priority"], "the value to set is missing"],
    [["meta", "d", "show", "priority", "5"], "5 words|4 words"],
    [["param", "d", "alter", "fake"], "none of set, show and delete"],
    [["param", "d"], "1 words"],
    [["secret", "d", "guess", "password"], 'no "guess"'],
    [["failcount", "d", "set", "n1"], "3 words"],
    [["failcount", "d", "set", "n1", "4", "monitor", "10s"], '"10s" is no number'],
    [["constraints"], "0 words"],
  ])("%p is refused", async (words, said) => {
    const before = readFileSync(file, "utf8");
    const { code, err } = await crm(...words);
    expect(code).toBe(64);
    expect(err).toMatch(new RegExp(said));
    expect(readFileSync(file, "utf8")).toBe(before);
  });
});

test("fail counts are shown, set and forgotten", async () => {
  const counts = () => found("//nvpair[starts-with(@name, 'fail-count-')]");
  expect((await crm("failcount", "d", "show", "n1")).out).toContain("value=3");
  expect((await crm("failcount", "d", "set", "n1", "7")).code).toBe(0);
  expect(counts()).toMatchObject([{ name: "fail-count-d#monitor_10000", value: "7" }]);
  expect((await crm("failcount", "d", "set", "n1", "9", "monitor", "10")).code).toBe(0);
  expect(counts()).toMatchObject([{ name: "fail-count-d#monitor_10000", value: "9" }]);
  expect((await crm("failcount", "d", "set", "n1", "many", "monitor", "10")).code).toBe(78);
});

test("constraints, scores and several resources", async () => {
  writeFileSync(file, cib(steering("l", "d")));
  expect((await crm("constraints", "d")).out).toContain("n2");
  expect((await crm("scores")).out).toContain("allocation score");
  expect((await crm("stop", "d", "g")).code).toBe(0);
  expect(found("//nvpair[@name='target-role']")).toHaveLength(2);
  expect((await crm("maintenance", "d", "true")).code).toBe(0);
  expect(found("//nvpair[@name='maintenance']")).toMatchObject([{ value: "true" }]);
});

describe("a lifetime", () => {
  test.each([["ban"], ["move"]])("of %s is in its constraint", async (command) => {
    expect((await crm(command, "d", "n2", "PT1H")).code).toBe(0);
    expect(found("//rsc_location[@rsc='d']/rule/date_expression")).toHaveLength(1);
  });

  test.each(["P0D", "PT0S", "P0Y0M"])("of %s is over at once: refused", async (lifetime) => {
    for (const option of ["--ban", "--move"]) {
      const { code, err } = await run(
        "crm_resource",
        option,
        "-r",
        "d",
        "-N",
        "n2",
        `--lifetime=${lifetime}`,
      );
      expect([code, err]).toEqual([64, expect.stringMatching(/over at once[\s\S]*such as PT1H/)]);
    }
    expect((await crm("ban", "d", "n2", lifetime)).code).toBe(64);
    expect(found("//rsc_location")).toEqual([]);
  });
});

describe("clear", () => {
  const left = () => found("//rsc_location").map(({ id }) => id);

  test("tells what remains of members and of what the resource is in", async () => {
    const all = steering("cli-prefer-a", "a", "INFINITY") + steering("cli-ban-g-on-n2", "g");
    writeFileSync(file, cib(all));
    const own = await crm("clear", "g");
    expect(own.err).toContain("'hactl resource clear a' removes it");
    expect(left()).toEqual(["cli-prefer-a"]);
    writeFileSync(file, cib(all));
    const tool = await run("crm_resource", "--clear", "-r", "a");
    expect(tool.out).toBe("Removing constraint: cli-prefer-a\n");
    expect(tool.err).toContain(
      "cli-ban-g-on-n2 of g remains in force; 'crm_resource --clear -r g' removes it",
    );
    expect(left()).toEqual(["cli-ban-g-on-n2"]);
    expect((await run("--json", "resource", "clear", "a")).out).toContain('"cli-ban-g-on-n2"');
    setOutputStyle({ json: false, colour: false });
    expect((await run("crm_resource", "--clear", "-r", "d")).err).toBe("");
  });

  test("removes what names the member of a clone, as Pacemaker does, and what names the clone", async () => {
    writeFileSync(file, cib(steering("cli-ban-e-on-n2", "e") + steering("cli-ban-c-on-n2", "c")));
    expect((await crm("clear", "c")).err).toContain("cli-ban-e-on-n2");
    expect((await crm("clear", "e")).code).toBe(0);
    expect(left()).toEqual([]);
  });
});

test("-w is no mistake where there is nothing to wait for", async () => {
  for (const words of [
    "resource status d",
    "resource list",
    "node show",
    "resource maintenance d on",
    "resource stop d",
  ])
    expect([words, (await run("crm", "-w", ...words.split(" "))).code]).toEqual([words, 0]);
});

test("node show tells of the node that is named, and of no other", async () => {
  const [all, one, none] = [
    await run("crm", "node", "show"),
    await run("crm", "node", "show", "n2"),
    await run("crm", "node", "show", "n9"),
  ];
  expect(all.out.trim().split("\n")).toHaveLength(2);
  expect(one.out).toMatch(/^2 n2 [^\n]*\n$/);
  expect([none.code === 0, none.out]).toEqual([false, ""]);
  expect(none.err).toContain("n9");
});
