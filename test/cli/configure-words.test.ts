import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cibOf, formatXml, loadCrm } from "../../src/cib/index.ts";
import { hactl } from "./run.ts";

/** What the commands that change a configuration say, in the words of whoever has typed them. */

const directory = mkdtempSync(join(tmpdir(), "hactl-configure-words-"));
afterAll(() => rmSync(directory, { recursive: true }));
const file = join(directory, "cib.xml");
const text = `node 1: n1
node 2: n2
property stonith-enabled=false
primitive PX ocf:pacemaker:Dummy
primitive P2 ocf:pacemaker:Dummy
primitive P3 ocf:pacemaker:Dummy
group GG PX P2
order o GG P3
location l P3 rule 100: #uname eq n2
location m P3 50: n2
`;
const content = () => readFileSync(file, "utf8");
const run = (...words: readonly string[]) => hactl(words, { CIB_file: file });
beforeEach(() => writeFileSync(file, formatXml(cibOf(loadCrm(text, undefined, "replace")))));

test("a file that cannot be read as a whole: every mistake with its line", async () => {
  const bad = join(directory, "bad.crm");
  writeFileSync(bad, "primitive A ocf:pacemaker:Dummy op montior interval=10s\norder o1 A Z9\nfoo bar\n");
  const before = content();
  const { code, err } = await run("configure", "load", "update", bad);
  expect([code, content()]).toEqual([78, before]);
  expect(err.split("\n").slice(0, 4)).toEqual([
    "error: 3 mistakes; nothing was changed",
    expect.stringMatching(/bad\.crm:1: "montior" of resource "A" is no operation .*did you mean "monitor"/),
    expect.stringMatching(/bad\.crm:2: constraint "o1" names resource "Z9", which does not exist/),
    expect.stringMatching(/bad\.crm:3: unknown statement "foo"/),
  ]);
}, 60_000);

test("a resource that is in a group is refused to a clone once", async () => {
  const { code, err } = await run("configure", "clone", "CX", "PX");
  expect([code, err]).toEqual([
    78,
    expect.stringMatching(/^error: resource "PX" is in group "GG" already\n(?!.*(crm:member|0 resources))/s),
  ]);
}, 60_000);

test("load counts what the file defines, and what the configuration holds then", async () => {
  const one = join(directory, "one.crm");
  writeFileSync(one, "primitive N ocf:pacemaker:Dummy\n");
  expect((await run("configure", "load", "update", one)).err).toContain(
    "Loaded " +
      one +
      ": 1 resource and 0 constraints; the configuration now holds 5 resources and 3 constraints.",
  );
}, 60_000);

test("save names the file that was typed where it cannot be written, and leaves nothing", async () => {
  mkdirSync(join(directory, "taken"), { recursive: true });
  for (const [path, code] of [
    [join(directory, "nowhere", "x"), 66],
    [join(directory, "taken"), 66],
  ] as const) {
    const { err, ...ran } = await run("configure", "save", path);
    expect([ran.code, err]).toEqual([code, expect.stringMatching(new RegExp(`: ${path}\n`))]);
    expect(err).not.toContain(`/.`);
  }
  expect(readdirSync(directory).filter((name) => name.startsWith("."))).toEqual([]);
}, 60_000);

test("node remove tells that it was a file, and what still names the node", async () => {
  const { code, err } = await run("node", "remove", "n2");
  expect(code).toBe(0);
  expect(err).toContain(`Changed the file ${file} (CIB_file); the cluster is as it was.`);
  expect(err).toContain("Node n2 is forgotten.\n  rule l-rule of l still names node n2: #uname eq n2");
  expect(err).toContain(`constraint "m" names node "n2", which is not configured`);
  expect(content()).not.toContain('uname="n2"');
}, 60_000);

test("a text in the place of everything that leaves no resource is refused as erase is, and taken with --force", async () => {
  const before = content();
  const loads: readonly (readonly [text: string, mode: string, said: string])[] = [
    ["", "replace", "it defines nothing"],
    ["\n  # nothing here\n\t\n", "replace", "it defines nothing"],
    ["", "push", "it defines nothing"],
    ["node n1\nnode n2\n", "replace", "it has no resource"],
  ];
  const few = join(directory, "few.crm");
  for (const [text, mode, said] of loads) {
    writeFileSync(few, text);
    const { code, err } = await run("configure", "load", mode, few);
    expect([code, err, content()]).toEqual([107, expect.stringContaining(said), before]);
    expect(err).toContain("say it with --force");
  }
  const edited = await hactl(["configure", "edit"], { CIB_file: file, EDITOR: "truncate -s 0" });
  expect([edited.code, edited.err, content()]).toEqual([107, expect.stringContaining("nothing"), before]);
  expect((await run("configure", "load", "replace", few, "--force")).code).toBe(0);
  expect(content()).not.toContain("<primitive");
  // Where there is no resource, none is lost.
  writeFileSync(few, "node n1\n");
  expect((await run("configure", "load", "replace", few)).code).toBe(0);
  writeFileSync(file, before);
  writeFileSync(few, "<configuration><crm_config/><nodes/><resources/><constraints/></configuration>");
  expect((await run("configure", "load", "replace", few)).code).toBe(0);
  expect(content()).not.toContain("<primitive");
  // Settings stand at the end of what is saved: nothing was cut off.
  writeFileSync(file, before);
  writeFileSync(few, "property stonith-enabled=false\n");
  expect((await run("configure", "load", "replace", few)).code).toBe(0);
  expect(content()).not.toContain("<primitive");
}, 60_000);

test("attributes behind the selection of an alert name some, or say in braces that all are meant", async () => {
  const before = content();
  const { code, err } = await run("configure", "alert", "al", "/bin/true", "select", "nodes", "attributes");
  expect([code, content()]).toEqual([78, before]);
  expect(err).toContain("attributes { NAME");
  const taken: readonly (readonly [words: string, as: RegExp])[] = [
    ["attributes { load }", /<select_attributes>\s*<attribute [^>]*name="load"/],
    ["attributes { }", /<select_attributes\/>/],
    ["attributes a=b", /<instance_attributes[\s\S]*name="a" value="b"/],
  ];
  for (const [words, as] of taken) {
    writeFileSync(file, before);
    const all = ["configure", "alert", "al", "/bin/true", "select", "nodes", ...words.split(" ")];
    expect([words, (await run(...all)).code]).toEqual([words, 0]);
    expect(content()).toMatch(as);
  }
}, 60_000);

describe("an option that goes by several names is one option", () => {
  const options = () =>
    [...content().matchAll(/<nvpair[^>]* name="([^"]*)" value="([^"]*)"/g)].map(
      (one) => `${one[1]}=${one[2]}`,
    );
  const config = (pairs: string) =>
    `<configuration><crm_config><cluster_property_set id="cib-bootstrap-options">${pairs}</cluster_property_set></crm_config><nodes/><resources/><constraints/></configuration>`;
  const pair = (name: string, value: string) => `<nvpair id="o-${name}" name="${name}" value="${value}"/>`;

  test.each([
    ["crm_attribute", ["crm_attribute", "-n", "fencing-enabled", "-v", "true"]],
    ["hactl configure property", ["configure", "property", "fencing-enabled=true"]],
    ["crm configure property", ["crm", "configure", "property", "fencing-enabled=true"]],
    ["hactl property", ["property", "fencing-enabled=true"]],
  ])("%s replaces the other name", async (_, words) => {
    expect((await run(...words)).code).toBe(0);
    expect(options()).toEqual(["fencing-enabled=true"]);
  });

  test("so do meta attributes and their defaults", async () => {
    expect((await run("crm_resource", "-r", "P3", "-m", "-p", "is-managed", "-v", "true")).code).toBe(0);
    expect((await run("crm_resource", "-r", "P3", "-m", "-p", "is_managed", "-v", "false")).code).toBe(0);
    expect((await run("configure", "rsc_defaults", "is-managed=true")).code).toBe(0);
    expect((await run("configure", "rsc_defaults", "is_managed=false")).code).toBe(0);
    expect((await run("crm_attribute", "-t", "rsc_defaults", "-n", "is_managed", "-v", "true")).code).toBe(0);
    expect(options()).toEqual(["stonith-enabled=false", "is-managed=false", "is_managed=true"]);
  }, 60_000);

  test.each([
    ["cibadmin", ["cibadmin", "-M", "--scope", "crm_config", "-X", "SET"]],
    ["one statement", ["configure", "property", "stonith-action=reboot", "fencing-action=off"]],
    ["a file", ["configure", "load", "update", "FILE"]],
  ])("two values by %s are refused", async (_, words) => {
    const text = join(directory, "twice.xml");
    const both = pair("stonith-action", "reboot") + pair("fencing-action", "off");
    writeFileSync(text, config(both));
    const given: Readonly<Record<string, string>> = {
      FILE: text,
      SET: `<cluster_property_set id="cib-bootstrap-options">${both}</cluster_property_set>`,
    };
    const before = content();
    const { code, err } = await run(...words.map((word) => given[word] ?? word));
    expect([code, content()]).toEqual([78, before]);
    expect(err).toContain(
      'stonith-action="reboot" and fencing-action="off" are one cluster property under several names: fencing-action counts',
    );
  });

  test("hactl property refuses both at once, and its cure cures what has both", async () => {
    expect((await run("property", "stonith-action=off", "fencing-action=reboot")).err).toContain(
      "one property under two names",
    );
    const text = join(directory, "twice.xml");
    writeFileSync(text, config(pair("stonith-enabled", "true") + pair("fencing-enabled", "false")));
    expect((await run("configure", "load", "replace", text, "--force")).code).toBe(0);
    const verified = await run("verify");
    expect([verified.code, verified.out + verified.err]).toEqual([
      78,
      expect.stringContaining("hactl property fencing-enabled=VALUE"),
    ]);
    expect((await run("property", "fencing-enabled=true")).code).toBe(0);
    expect(options()).toEqual(["fencing-enabled=true"]);
    expect((await run("verify")).out).not.toContain("several names");
  }, 60_000);
});
