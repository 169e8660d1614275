/** Files that CIB_file names, drafts that CIB_shadow names: crm_shadow, `crm cib`, and how files are written. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import {
  chmodSync,
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cib, runHere } from "./rehearsal.ts";
import { hactl } from "./run.ts";

let directory = "";
let file = "";
let drafts = "";
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "hactl-drafts-"));
});
beforeEach(() => {
  for (const name of readdirSync(directory)) rmSync(join(directory, name), { recursive: true });
  file = join(directory, "cib.xml");
  drafts = join(directory, "drafts");
  mkdirSync(drafts);
  writeFileSync(file, cib);
});
afterAll(() => rmSync(directory, { recursive: true }));

const variables = (draft?: string) => ({
  CIB_file: file,
  CIB_shadow_dir: drafts,
  HACTL_CONFIG: "/nonexistent/hactl.toml",
  ...(draft === undefined ? {} : { CIB_shadow: draft }),
});
/** Runs a tool on the file, or on the draft that is named. */
const tool = (words: string, draft?: string, more: Record<string, string> = {}) =>
  runHere(words.split(" "), { CIB_shadow: undefined, EDITOR: undefined, ...variables(draft), ...more });
const draftText = (name: string) => readFileSync(join(drafts, `shadow.${name}`), "utf8");

describe("a file that CIB_file names", () => {
  test.each([
    "cibadmin -B",
    "crm_attribute -n no-quorum-policy -v stop",
    "property no-quorum-policy=stop",
    "configure primitive new ocf:pacemaker:Dummy",
    "crm_ticket -t T -r --force",
    "simulate -X -S",
  ])("%s writes into it: the same file, with its permissions", async (words) => {
    chmodSync(file, 0o640);
    const { ino } = statSync(file);
    const reader = openSync(file, "r");
    try {
      const { code } = await tool(words === "simulate -X -S" ? `simulate -X -S -x ${file}` : words);
      expect(code).toBe(0);
      expect(readFileSync(reader, "utf8")).not.toBe(cib);
      expect([statSync(file).ino, statSync(file).mode & 0o777]).toEqual([ino, 0o640]);
      expect(readdirSync(directory).sort()).toEqual(["cib.xml", "drafts"]);
    } finally {
      closeSync(reader);
    }
  });

  test("is not written where nothing changes", async () => {
    expect((await tool("crm_attribute -n nothing -D")).code).toBe(0);
    expect(readFileSync(file, "utf8")).toBe(cib);
  });

  test("keeps the changes of two at a time", async () => {
    const names = Array.from({ length: 6 }, (_, index) => `together-${index}`);
    const ran = await Promise.all(
      names.map((name) => hactl(["crm_attribute", "-n", name, "-v", "1"], variables())),
    );
    expect(ran.map(({ code }) => code)).toEqual(names.map(() => 0));
    for (const name of names) expect(readFileSync(file, "utf8")).toContain(`name="${name}"`);
  });

  test.each([
    ["cibadmin -Q", ""],
    ["cibadmin -B", ""],
    ["crm_mon -1", ""],
    ["crm_attribute -n x -v 1", ""],
    ["crm_resource -L", ""],
    ["crm_simulate -L", ""],
    ["crm_verify -L", ""],
    ["crm_ticket -l", ""],
    ["status", ""],
    ["property a=b", ""],
    ["crm_mon -1", "gone"],
    ["cibadmin -Q", "gone"],
  ])("%s ends with 105 where there is none (%s)", async (words, draft) => {
    const run = await tool(words, draft === "" ? undefined : draft, {
      CIB_file: join(directory, "none.xml"),
    });
    expect(run.code).toBe(105);
    expect(run.err).toContain(draft === "" ? "CIB_file" : "CIB_shadow");
    expect(readdirSync(directory)).not.toContain("none.xml");
  });

  test.each([
    "cibadmin -Q",
    "cibadmin -B",
    "crm_mon -1",
    "crm_simulate -L",
    "crm_verify -L",
    "crm_attribute -n x -v 1",
    "property x=y --force",
  ])("%s ends with 78 where it is no valid CIB, and leaves it as it is", async (words) => {
    for (const text of [
      "garbage",
      "",
      "<other/>",
      cib.slice(0, 400),
      cib.replace("<constraints>", '<constraints><bogus id="b"/>'),
    ]) {
      writeFileSync(file, text);
      expect((await tool(words)).code).toBe(78);
      expect(readFileSync(file, "utf8")).toBe(text);
    }
  });

  test("what was cut off while it was written is told with the copy from before", async () => {
    const copy = join(directory, ".cib.xml.before-1");
    writeFileSync(copy, cib);
    writeFileSync(file, cib.slice(0, 500));
    expect((await tool("cibadmin -Q")).err).toContain(copy);
  });

  test("may be packed for reading, not for a change", async () => {
    const packed = Bun.gzipSync(new TextEncoder().encode(cib));
    writeFileSync(file, packed);
    expect((await tool("cibadmin -Q")).out).toContain('id="d1"');
    expect((await tool("cibadmin -B")).code).toBe(65);
    expect(readFileSync(file).equals(packed)).toBe(true);
  });
});

describe("crm_shadow", () => {
  test("a name is one word in one line, also for the shell that it is given to", async () => {
    const bad = await runHere(["crm_shadow", "--create", "a\nb", "--batch", "--force"], variables());
    expect([bad.code, bad.out]).toEqual([105, ""]);
    const odd = await runHere(["crm_shadow", "--create-empty", "it's $x", "--batch"], variables());
    expect(odd.out).toEndWith("export CIB_shadow='it'\\''s $x'\n");
  });

  test("without an active draft there is nothing to look at", async () => {
    for (const command of ["--which", "--file", "--display", "--diff", "--edit"])
      expect(await tool(`crm_shadow ${command}`)).toEqual({
        code: 105,
        out: "",
        err: "crm_shadow: No active shadow configuration defined\n",
      });
  });

  test("creates a draft once, and again only with --force", async () => {
    expect(await tool("crm_shadow --create trial --batch")).toEqual({
      code: 0,
      out: "A new shadow instance was created. To begin using it, enter the following into your shell:\n\texport CIB_shadow=trial\n",
      err: "",
    });
    expect((await tool("crm_shadow --which", "trial")).out).toBe("trial\n");
    expect((await tool("crm_shadow --file", "trial")).out).toBe(`${drafts}/shadow.trial\n`);
    expect((await tool("crm_shadow --display", "trial")).out).toBe(draftText("trial"));
    expect(await tool("crm_shadow --diff", "trial")).toEqual({ code: 0, out: "", err: "" });
    await tool("property no-quorum-policy=stop", "trial");
    const changed = draftText("trial");
    const { code, err } = await tool("crm_shadow --create trial --batch");
    expect(code).toBe(73);
    expect(err).toContain("A shadow instance 'trial' already exists.");
    expect(draftText("trial")).toBe(changed);
    const { ino } = statSync(join(drafts, "shadow.trial"));
    expect((await tool("crm_shadow --create trial --batch --force")).code).toBe(0);
    expect(draftText("trial")).not.toContain("no-quorum-policy");
    expect(statSync(join(drafts, "shadow.trial")).ino).toBe(ino);
  });

  test("an empty draft needs no cluster, and may have a schema of one's choice", async () => {
    const none = { CIB_file: join(directory, "none.xml") };
    const { code, out } = await tool(
      "crm_shadow --create-empty e --batch --validate-with=pacemaker-3.2",
      undefined,
      none,
    );
    expect(code).toBe(0);
    expect(out).toStartWith("Created new pacemaker-3.2 configuration\n");
    expect(draftText("e")).toContain("<resources/>");
    expect((await tool("crm_shadow --create c --batch", undefined, none)).code).toBe(105);
    expect((await tool("crm_shadow --diff", "e", none)).code).toBe(105);
  });

  test("tells the difference in lines, with status 1", async () => {
    await tool("crm_shadow --create trial --batch");
    await tool("property no-quorum-policy=stop", "trial");
    expect(await tool("crm_shadow --diff", "trial")).toEqual({
      code: 1,
      out: `Diff: --- 0.5.3 2
Diff: +++ 0.6.0 (no digest)
+  /cib:  @epoch=6, @num_updates=0
++ /cib/configuration/crm_config/cluster_property_set[@id='cib-bootstrap-options']:  <nvpair id="cib-bootstrap-options-no-quorum-policy" name="no-quorum-policy" value="stop"/>
`,
      err: "",
    });
  });

  test("asks for --force before it overwrites or removes something", async () => {
    await tool("crm_shadow --create trial --batch");
    await tool("property no-quorum-policy=stop", "trial");
    const changed = draftText("trial");
    for (const words of ["--commit trial", "--delete trial", "--reset trial"]) {
      const { code, err } = await tool(`crm_shadow ${words} --batch`, "trial");
      expect([words, code]).toEqual([words, 64]);
      expect(err).toContain("the --force flag is required in order to proceed");
    }
    expect((await tool("crm_shadow --commit trial", "other")).err).toContain(
      "the supplied shadow instance (trial) is not the same as the active one (other)",
    );
    expect((await tool("crm_shadow --reset trial --batch", "other")).code).toBe(64);
    expect([readFileSync(file, "utf8"), draftText("trial")]).toEqual([cib, changed]);
  });

  test("commits the configuration, and with --all the status", async () => {
    await tool("crm_shadow --create trial --batch");
    await tool("property no-quorum-policy=stop", "trial");
    await tool("crm_attribute -N n1 -l reboot -n load -v 99", "trial");
    expect(await tool("crm_shadow --commit trial --force", "trial")).toEqual({ code: 0, out: "", err: "" });
    expect(readFileSync(file, "utf8")).toContain('name="no-quorum-policy" value="stop"');
    expect(readFileSync(file, "utf8")).not.toContain('value="99"');
    expect((await tool("crm_shadow --commit trial --all --force", "trial")).code).toBe(0);
    expect(readFileSync(file, "utf8")).toContain('value="99"');
    expect((await tool("crm_shadow --commit gone --force")).code).toBe(105);
  });

  test("deletes, also what is not there; resets; switches to what there is", async () => {
    await tool("crm_shadow --create trial --batch");
    await tool("property no-quorum-policy=stop", "trial");
    expect((await tool("crm_shadow --switch trial --batch")).out).toContain("\texport CIB_shadow=trial\n");
    expect((await tool("crm_shadow --switch gone --batch --force")).code).toBe(105);
    expect((await tool("crm_shadow --reset trial --batch --force", "trial")).code).toBe(0);
    expect((await tool("crm_shadow --diff", "trial")).code).toBe(0);
    expect((await tool("crm_shadow --reset gone --batch")).code).toBe(105);
    expect((await tool("crm_shadow --delete trial --force", "trial")).out).toContain("\tunset CIB_shadow\n");
    expect((await tool("crm_shadow --delete gone --force")).code).toBe(0);
    expect(readdirSync(drafts)).toEqual([]);
  });

  test("opens the editor on the draft", async () => {
    await tool("crm_shadow --create trial --batch");
    expect((await tool("crm_shadow --edit", "trial")).code).toBe(6);
    const { code, out } = await hactl(["crm_shadow", "--edit"], { ...variables("trial"), EDITOR: "cat" });
    expect([code, out]).toEqual([0, draftText("trial")]);
  });

  test("takes no name that leads out of its directory", async () => {
    for (const name of ["../up", "a/b", ".."])
      expect((await tool(`crm_shadow --create-empty ${name} --batch`)).code).toBe(105);
    expect(readdirSync(directory).sort()).toEqual(["cib.xml", "drafts"]);
  });

  test("without CIB_shadow_dir a user's drafts are at home, and root's where the crm shell looks", async () => {
    const plain = await hactl(["crm_shadow", "--file"], { CIB_shadow: "q", HOME: "/home/somebody" });
    expect(plain.out).toBe(
      process.getuid?.() === 0 ? "/var/lib/pacemaker/cib/shadow.q\n" : "/home/somebody/.cib/shadow.q\n",
    );
  });
});

describe("crm cib", () => {
  test("new, use, list, diff, commit, reset, delete", async () => {
    expect((await tool("crm cib new trial")).code).toBe(0);
    expect((await tool("crm cib new trial")).code).toBe(73);
    expect((await tool("crm cib new trial force")).code).toBe(0);
    expect((await tool("crm cib new blank empty")).code).toBe(0);
    expect((await tool("crm cib list")).out).toBe("blank\ntrial\n");
    expect((await tool("crm cib use trial")).out).toContain("export CIB_shadow=trial");
    expect((await tool("crm cib use gone")).code).toBe(105);
    expect((await tool("crm cib use")).out).toContain("unset CIB_shadow");
    expect((await tool("crm -c trial configure primitive fresh ocf:pacemaker:Dummy")).code).toBe(0);
    expect(readFileSync(file, "utf8")).toBe(cib);
    const difference = await tool("crm cib diff", "trial");
    expect([difference.code, difference.out.includes('<primitive id="fresh"')]).toEqual([0, true]);
    expect((await tool("crm cib commit", "trial")).code).toBe(0);
    expect(readFileSync(file, "utf8")).toContain('<primitive id="fresh"');
    expect((await tool("crm --cib=trial configure delete fresh")).code).toBe(0);
    expect((await tool("crm cib reset trial")).code).toBe(0);
    expect(draftText("trial")).toContain('id="fresh"');
    expect((await tool("crm cib delete trial", "trial")).err).toContain("in use");
    expect((await tool("crm cib delete trial")).code).toBe(0);
    expect((await tool("crm cib delete trial")).code).toBe(105);
    expect((await tool("crm cib commit")).code).toBe(64);
  });

  test("does not undo what others have changed since a draft was made", async () => {
    await tool("crm cib new trial");
    expect((await tool("crm -c trial configure primitive mine ocf:pacemaker:Dummy")).code).toBe(0);
    expect((await tool("crm configure primitive theirs ocf:pacemaker:Dummy")).code).toBe(0);
    const before = readFileSync(file, "utf8");
    const refused = await tool("crm cib commit trial");
    expect(refused.code).toBe(103);
    expect(refused.err).toMatch(/has changed since this draft was made of it .*would undo that/);
    expect(readFileSync(file, "utf8")).toBe(before);
    expect((await tool("crm -F cib commit trial")).code).toBe(0);
    expect(readFileSync(file, "utf8")).not.toContain("theirs");
    // What was put in force is what the draft is about now.
    expect((await tool("crm -c trial configure primitive more ocf:pacemaker:Dummy")).code).toBe(0);
    expect((await tool("crm cib commit trial")).code).toBe(0);
    expect((await tool("crm cib list")).out).toBe("trial\n");
    expect((await tool("crm cib delete trial")).code).toBe(0);
  });

  test("commits no mistake of a draft unless it is told to, as configure", async () => {
    await tool("crm cib new trial");
    expect((await tool("crm -F -c trial configure property no-quorum-policy=bogus")).code).toBe(0);
    const refused = await tool("crm cib commit trial");
    expect(refused.code).toBe(78);
    expect(refused.err).toMatch(
      /no-quorum-policy="bogus" is not valid(?:.|\n)*--force takes it all the same/,
    );
    expect(readFileSync(file, "utf8")).toBe(cib);
    expect((await tool("crm --force cib commit trial")).code).toBe(0);
    expect(readFileSync(file, "utf8")).toContain('value="bogus"');
    // Of Pacemaker's tool --force is the only way: it tells, and does it.
    await tool("crm_shadow --reset trial --batch --force");
    await tool("crm -F -c trial configure property stonith-action=sideways");
    const told = await tool("crm_shadow --commit trial --force");
    expect([told.code, told.out]).toEqual([0, ""]);
    expect(told.err).toMatch(/^crm_shadow: .*sideways/);
  });

  test("imports a file as a draft", async () => {
    const saved = join(directory, "saved.xml");
    writeFileSync(saved, cib.replace('epoch="5"', 'epoch="7"'));
    expect((await tool(`crm cib import ${saved} old`)).code).toBe(0);
    expect((await tool("cibadmin -Q", "old")).out).toContain('epoch="7"');
  });
});

test("status says that a file or a draft is shown, also to programs", async () => {
  await tool("crm_shadow --create trial --batch");
  expect((await tool("status")).out).toContain(
    `This is the file ${file} (CIB_file), not the running cluster`,
  );
  expect((await tool("status", "trial")).out).toContain("This is the draft trial (CIB_shadow)");
  expect(JSON.parse((await tool("status --json", "trial")).out)).toMatchObject({
    cluster: { source: "the draft trial (CIB_shadow)" },
  });
});
