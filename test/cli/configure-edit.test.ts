import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cibOf, formatXml, loadCrm } from "../../src/cib/index.ts";
import { hactl, type Run } from "./run.ts";

const directory = mkdtempSync(join(tmpdir(), "hactl-configure-"));
afterAll(() => rmSync(directory, { recursive: true }));
const file = join(directory, "cib.xml");
const editor = join(directory, "editor");

const text = `primitive d1 Dummy params fake=a
primitive d2 Dummy params fake=b meta priority=1
group g d1
location l1 d2 100: n1
`;
const content = () => readFileSync(file, "utf8");
const configure = (...words: readonly string[]) =>
  hactl(["configure", ...words], { CIB_file: file, EDITOR: editor, TMPDIR: directory });
/** Edits with a shell command, in which $1 is the file. */
function edit(script: string, ...words: readonly string[]): Promise<Run> {
  writeFileSync(editor, `#!/bin/sh\n${script}\n`);
  chmodSync(editor, 0o755);
  return configure("edit", ...words);
}

beforeEach(() => writeFileSync(file, formatXml(cibOf(loadCrm(text, undefined, "replace")))));

describe("configure edit", () => {
  test("changes what is changed in the text", async () => {
    expect((await edit("sed -i s/fake=b/fake=c/ $1", "d2")).code).toBe(0);
    expect(content()).toContain('name="fake" value="c"');
    expect(content()).toContain('name="fake" value="a"');
  });

  test("removes what is taken out, of single objects and of all", async () => {
    expect((await edit("sed -i '/^location/d' $1", "d2", "l1")).code).toBe(0);
    expect(content()).not.toContain("rsc_location");
    expect(content()).toContain('id="d2"');
    expect((await edit("sed -i '/^primitive d2/,/^group/{/^group/!d}' $1")).code).toBe(0);
    expect(content()).not.toContain('id="d2"');
    expect(content()).toContain('id="d1"');
  });

  test("tells what else goes or changes with what is taken out", async () => {
    const { code, err } = await edit("> $1", "g", "d2");
    expect(code).toBe(0);
    expect(err).toContain("d1 stays as a resource of its own\nconstraint l1 is removed, too\n");
    expect(content()).not.toContain("rsc_location");
  });

  test("takes XML of the whole", async () => {
    expect((await edit(`sed -i 's/value="b"/value="x"/' $1`, "xml")).code).toBe(0);
    expect(content()).toContain('name="fake" value="x"');
    expect((await edit("true", "xml", "d1")).code).toBe(64);
  });

  test("changes nothing when nothing is changed", async () => {
    const before = content();
    const { code, err } = await edit("true");
    expect([code, err, content()]).toEqual([0, "Nothing was changed.\n", before]);
  });

  test("keeps what was written when it is wrong, and changes nothing", async () => {
    const before = content();
    const { code, err } = await edit("echo primitiv x >> $1");
    expect([code, content()]).toEqual([78, before]);
    const kept = /what you wrote is in (\S+)/.exec(err)?.[1] ?? "";
    expect(readFileSync(kept, "utf8")).toContain("primitiv x");
  });

  test("refuses to overwrite what somebody else changed meanwhile", async () => {
    const { code, err } = await edit(`sed -i s/fake=b/fake=c/ $1; sed -i 's/value="a"/value="z"/' ${file}`);
    expect([code, err.includes("somebody else")]).toEqual([103, true]);
    expect(content()).toContain('value="z"');
    expect(content()).not.toContain('value="c"');
  });

  test("does nothing when the editor fails, or is not there", async () => {
    const before = content();
    expect((await edit("exit 3")).code).toBe(64);
    rmSync(editor);
    expect((await configure("edit")).code).toBe(64);
    expect(content()).toBe(before);
  });
});

describe("configure", () => {
  test("set takes values that begin with a minus sign", async () => {
    expect((await configure("set", "d2.priority", "-5")).code).toBe(0);
    expect(content()).toContain('name="priority" value="-5"');
    expect((await configure("set", "d2.priority")).code).toBe(64);
    expect((await configure("set", "d2.nothing", "1")).code).toBe(105);
  });

  test("rename takes along what refers to it", async () => {
    expect((await configure("rename", "d2", "database")).code).toBe(0);
    expect(content()).toContain('rsc="database"');
    expect((await configure("rename", "d2", "x")).code).toBe(105);
  });

  test("modgroup puts a member where it is wanted", async () => {
    expect((await configure("modgroup", "g", "add", "d2", "before", "d1")).code).toBe(0);
    expect(content().indexOf('primitive id="d2"')).toBeLessThan(content().indexOf('primitive id="d1"'));
    expect((await configure("modgroup", "g", "take", "d2")).code).toBe(64);
  });
});

describe("a statement on the command line", () => {
  test.each<[string, string[], string]>([
    ["quotes in a value", ["primitive", "p", "Dummy", "params", `fake=a"b'c\\d`], 'value="a&quot;b\'c\\d"'],
    ["an empty word's value", ["primitive", "p", "Dummy", "params", "fake="], 'name="fake" value=""'],
    [
      "quotes in a path",
      ["role", "r", "read", "xpath://primitive[@id='d1']"],
      "xpath=\"//primitive[@id='d1']\"",
    ],
    [
      "blanks in a condition",
      ["location", "l", "d1", "rule", "rack", "eq", "two words"],
      'value="two words"',
    ],
    ["XML", ["xml", '<tag id="t"><obj_ref id="d1"/></tag>'], '<tag id="t">'],
  ])("%s", async (_name, words, wanted) => {
    const { code } = await configure(...words);
    expect(code).toBe(0);
    expect(content()).toContain(wanted);
  });

  test("a new container says which constraints it takes over", async () => {
    const { code, err } = await configure("clone", "k", "d2");
    expect(code).toBe(0);
    expect(err).toEndWith("\nconstraint l1 names k now, which d2 is in\n");
    expect(content()).toContain('<rsc_location id="l1" rsc="k"');
  });
});
