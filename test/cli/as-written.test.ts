import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hactl } from "./run.ts";

/** Programs change a file by what they have read in it, whatever its schema calls the same today. */

const directory = mkdtempSync(join(tmpdir(), "hactl-as-written-"));
afterAll(() => rmSync(directory, { recursive: true }));
const file = join(directory, "cib.xml");
const cib = (resources: string, schema = "pacemaker-2.8") =>
  `<cib epoch="3" num_updates="0" admin_epoch="0" validate-with="${schema}" crm_feature_set="3.0.9"><configuration><crm_config/><nodes/><resources>${resources}</resources><constraints/></configuration><status/></cib>`;
const bundle = (attributes: string) => `<bundle id="b"><docker image="i"${attributes}/></bundle>`;
const started = (text: string) => writeFileSync(file, text);
const run = (words: readonly string[], name = "cibadmin") => hactl(words, { CIB_file: file }, name);

/** What crm_diff says of two files, told to cibadmin. */
async function patched(before: string, after: string) {
  started(before);
  const other = join(directory, "after.xml");
  writeFileSync(other, after);
  const { out } = await hactl(["-o", file, "-n", other, "--no-version"], {}, "crm_diff");
  const difference = join(directory, "difference.xml");
  writeFileSync(difference, out);
  return await run(["--patch", "--xml-file", difference]);
}

describe("a difference finds what the file calls otherwise than today", () => {
  test("an attribute that has another name now is taken out, and the schema stays", async () => {
    const { code } = await patched(cib(bundle(' masters="2"')), cib(bundle("")));
    expect(code).toBe(0);
    expect(readFileSync(file, "utf8")).not.toMatch(/masters|promoted-max/);
    expect(readFileSync(file, "utf8")).toContain('validate-with="pacemaker-2.8"');
  });

  test("and set, where the rest of the file has it", async () => {
    const { code } = await patched(cib(bundle("")), cib(bundle(' masters="2"')));
    expect(code).toBe(0);
    expect(readFileSync(file, "utf8")).toContain('masters="2"');
  });

  test("a <master> is found by its name", async () => {
    const master = (meta: string) =>
      `<master id="m">${meta}<primitive id="p" class="ocf" provider="pacemaker" type="Stateful"/></master>`;
    const block =
      '<meta_attributes id="m-meta"><nvpair id="m-meta-x" name="priority" value="1"/></meta_attributes>';
    const { code } = await patched(cib(master(block)), cib(master("")));
    expect(code).toBe(0);
    expect(readFileSync(file, "utf8")).toContain('<master id="m">');
    expect(readFileSync(file, "utf8")).not.toContain("m-meta");
  });
});

describe("a mistake that the schema does not know", () => {
  const primitive = (operation: string) =>
    `<primitive id="d" class="ocf" provider="pacemaker" type="Dummy"><operations><op id="o" name="${operation}" interval="1"/></operations></primitive>`;

  test("is taken from a program, and said", async () => {
    const { code, err } = await patched(
      cib(primitive("monitor"), "pacemaker-3.9"),
      cib(primitive("monitr"), "pacemaker-3.9"),
    );
    expect([code, err]).toEqual([0, expect.stringContaining('"monitr" of resource "d"')]);
    expect(readFileSync(file, "utf8")).toContain('name="monitr"');
  });

  test("a value of a property likewise", async () => {
    const property = (value: string) =>
      cib("", "pacemaker-3.9").replace(
        "<crm_config/>",
        `<crm_config><cluster_property_set id="s"><nvpair id="s-a" name="enable-acl" value="${value}"/></cluster_property_set></crm_config>`,
      );
    const { code, err } = await patched(property("false"), property("perhaps"));
    expect([code, err]).toEqual([0, expect.stringContaining('enable-acl="perhaps"')]);
  });

  test("is refused where somebody writes it by hand", async () => {
    started(cib("", "pacemaker-3.9"));
    const { code } = await run(["-C", "-o", "resources", "--xml-text", primitive("monitr")]);
    expect(code).toBe(78);
    expect(readFileSync(file, "utf8")).not.toContain("monitr");
  });
});
