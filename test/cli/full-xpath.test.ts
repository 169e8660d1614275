import { expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseXml } from "../../src/cib/index.ts";
import { selectFully } from "../../src/cli/full-xpath.ts";
import { hactl } from "./run.ts";

const root = parseXml(`<cib><configuration><nodes><node id="1" uname="n1"/><node id="2" uname="n2"/></nodes>
<resources><group id="g"><primitive id="a" type="Dummy"/><primitive id="b" type="Stateful"/></group>
<primitive id="c" type="Dummy"/></resources></configuration></cib>`);

/** Ids of what is found, or the names of elements without one. */
const ids = (xpath: string) =>
  selectFully(root, xpath).map(({ element }) => element.attributes.get("id") ?? element.name);

test.each<[string, readonly string[]]>([
  ["(//primitive)[1]", ["a"]],
  ["(//primitive)[last()]", ["c"]],
  ["//group/primitive[2]", ["b"]],
  ["//resources/descendant::primitive", ["a", "b", "c"]],
  ["//primitive[@id='b']/ancestor::group", ["g"]],
  ["//primitive[@id='b']/preceding-sibling::*", ["a"]],
  ["//primitive[contains(@type, 'tate') or starts-with(@id, 'c')]", ["b", "c"]],
  ["//primitive[count(preceding::primitive) = 1]", ["b"]],
  ["//primitive[string-length(@type) > 5]", ["b"]],
  ["//primitive[@type = //primitive[@id='c']/@type]", ["a", "c"]],
  ["//@uname", ["1", "2"]],
  ["//primitive/@type | //node[1]", ["1", "a", "b", "c"]],
  ["/", ["cib"]],
  ["//nothing", []],
  ["count(//primitive)", []],
  ["string(//primitive/@id)", []],
])("%s", (xpath, expected) => {
  expect(ids(xpath)).toEqual([...expected]);
});

test("the way to what is found is known", () => {
  const [found] = selectFully(root, "//primitive[@id='b']");
  expect([found?.parent?.element.name, found?.parent?.parent?.element.name]).toEqual(["group", "resources"]);
});

test("what is no XPath is refused", () => {
  for (const xpath of ["//primitive[", "", "//a b", "nofunction()"])
    expect(() => selectFully(root, xpath)).toThrow(/not understood/);
});

test("cibadmin changes what a path of any form finds, and nothing else", async () => {
  const directory = mkdtempSync(join(tmpdir(), "hactl-xpath-"));
  const file = join(directory, "cib.xml");
  const primitive = (id: string) => `<primitive id="${id}" class="ocf" provider="pacemaker" type="Dummy"/>`;
  const write = () =>
    writeFileSync(
      file,
      `<cib validate-with="pacemaker-3.9" admin_epoch="0" epoch="1" num_updates="0"><configuration><crm_config/><nodes/>
<resources>${primitive("a")}${primitive("b")}${primitive("c")}</resources><constraints/></configuration><status/></cib>`,
    );
  const left = () =>
    [...readFileSync(file, "utf8").matchAll(/<primitive id="(\w)"/g)].map((match) => match[1]);
  const cibadmin = (...words: readonly string[]) => hactl(words, { CIB_file: file }, "cibadmin");
  write();
  expect((await cibadmin("-D", "-A", "(//primitive)[last()]")).code).toBe(0);
  expect(left()).toEqual(["a", "b"]);
  expect((await cibadmin("-D", "-A", "(//nothing)[1]")).code).toBe(0);
  expect((await cibadmin("-d", "--force", "-A", "//primitive[string-length(@id) = 1]")).code).toBe(0);
  expect(left()).toEqual([]);
  rmSync(directory, { recursive: true });
});
