/** The crm shell's commands from a file or standard input, on a CIB of a file. As Debian's crm 4.4, but for what the first failing line ends. */
import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseXml, selectXpath } from "../../src/cib/index.ts";
import { main } from "./run.ts";

const directory = mkdtempSync(join(tmpdir(), "hactl-crm-script-"));
const file = join(directory, "cib.xml");
const script = join(directory, "script.crm");
const drafts = join(directory, "drafts");
mkdirSync(drafts);
const cib = `<cib validate-with="pacemaker-3.9" admin_epoch="0" epoch="5" num_updates="2"><configuration>
  <crm_config><cluster_property_set id="cib-bootstrap-options"><nvpair id="f" name="stonith-enabled" value="false"/></cluster_property_set></crm_config>
  <nodes><node id="1" uname="n1"/><node id="2" uname="n2"/></nodes><resources/><constraints/></configuration><status/></cib>`;

beforeEach(() => writeFileSync(file, cib));
afterAll(() => rmSync(directory, { recursive: true }));

/** Runs crm with lines on its standard input; `-f` with them in a file. */
async function crm(words: string, lines: readonly string[]) {
  const text = `${lines.join("\n")}\n`;
  writeFileSync(script, text);
  const given = words.split(" ").filter((word) => word !== "");
  const fromFile = given.includes("-f");
  const child = Bun.spawn(
    [process.execPath, main, ...given.flatMap((word) => (word === "-f" ? ["-f", script] : [word]))],
    {
      argv0: "crm",
      env: {
        PATH: process.env.PATH ?? "",
        HACTL_CONFIG: "/nonexistent/hactl.toml",
        CIB_file: file,
        CIB_shadow_dir: directory,
        TMPDIR: drafts,
      },
      stdin: fromFile ? "ignore" : new Blob([text]),
      stdout: "pipe",
      stderr: "pipe",
    },
  );
  const [out, err, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  const there = selectXpath(parseXml(readFileSync(file, "utf8")), "//primitive|//rsc_location");
  return { out, err, code, ids: there.map(({ element }) => element.attributes.get("id")).join(" ") };
}

const dummy = (id: string) => `primitive ${id} ocf:pacemaker:Dummy`;
const epoch = () => parseXml(readFileSync(file, "utf8")).attributes.get("epoch");

describe("what a script changes", () => {
  test.each<[string, string, readonly string[], string]>([
    ["is in force with commit", "-f", ["configure", dummy("a"), "commit"], "a"],
    ["is in force when it ends", "-f", ["# why", "", "configure", `  ${dummy("a")}`], "a"],
    ["comes from standard input", "", ["configure", dummy("a"), "commit"], "a"],
    ["comes from a pipe that -f names", "-f", ["configure", dummy("a")], "a"],
    ["begins in the level that is named", "configure", [dummy("a"), dummy("b")], "a b"],
    ["begins there from a file, too", "-f configure", [dummy("a"), "commit"], "a"],
    ["may be one command a line", "-f", [`configure ${dummy("a")}`, `configure ${dummy("b")}`], "a b"],
    ["is in force when the level is left", "-f", ["configure", dummy("a"), "up", "node", "show"], "a"],
    ["ends with quit", "-f", ["configure", dummy("a"), "quit", `configure ${dummy("b")}`], "a"],
    ["may go on in the next line", "-f", ["configure", "primitive a \\", "  ocf:pacemaker:Dummy"], "a"],
    ["may name what comes later", "-f", ["configure", "location l a 5: n1", dummy("a")], "a l"],
    ["may be taken back before it is in force", "-f", ["configure", dummy("a"), "delete a", dummy("b")], "b"],
    [
      "may name its level again",
      "configure",
      ["configure", dummy("a"), "end", `configure ${dummy("b")}`],
      "a b",
    ],
  ])("%s", async (_name, words, lines, ids) => {
    const done = await crm(words, lines);
    expect([done.code, done.ids]).toEqual([0, ids]);
    expect(done.err).not.toContain(drafts);
    expect(readdirSync(drafts).filter((name) => name.startsWith("hactl-crm"))).toEqual([]);
  });

  test("is one change, however many lines it has", async () => {
    await crm("-f", [
      "configure",
      dummy("a"),
      dummy("b"),
      "rename a c",
      "location l c 5: n1",
      "commit",
      "commit",
    ]);
    expect(epoch()).toBe("6");
  });

  test("is shown before it is in force, and is then what is shown there", async () => {
    const shown = await crm("-f", ["configure", dummy("a"), "show a", "bogus"]);
    expect(shown.out).toBe("primitive a ocf:pacemaker:Dummy\n");
    expect([shown.code === 0, shown.ids, epoch()]).toEqual([false, "", "5"]);
  });

  test("is committed before another CIB is used", async () => {
    const open = await crm("-f", ["configure", dummy("a"), "cib new d2"]);
    expect([open.code, open.ids]).toEqual([64, ""]);
    expect(readdirSync(directory)).not.toContain("shadow.d2");
  });

  test("goes into the draft that it has made", async () => {
    const made = await crm("-f", [
      "cib new d1",
      "configure",
      dummy("a"),
      "commit",
      "cib use live",
      "up",
      `configure ${dummy("b")}`,
    ]);
    expect(made).toMatchObject({ code: 0, ids: "b" });
    expect(readFileSync(join(directory, "shadow.d1"), "utf8")).toContain('<primitive id="a"');
  });
});

describe("a statement makes what is not there yet", () => {
  const dummies = ["a", "b", "c"].map(
    (id) => `<primitive id="${id}" class="ocf" provider="pacemaker" type="Dummy"/>`,
  );
  const [a = "", b = "", c = ""] = dummies;
  const taken = cib
    .replace(
      "<resources/>",
      `<resources><group id="g">${a}${b}</group>${c}<clone id="k"><primitive id="d" class="lsb" type="x"><operations><op id="dm" name="monitor" interval="10"/></operations></primitive></clone></resources>`,
    )
    .replace(
      "<constraints/>",
      '<constraints><rsc_location id="l" rsc="c" node="n1" score="5"/></constraints>' +
        '<tags><tag id="t"><obj_ref id="a"/></tag></tags><acls><acl_role id="r"/></acls><alerts><alert id="al" path="/x"/></alerts>' +
        '<fencing-topology><fencing-level id="fl" index="1" target="n1" devices="c"/></fencing-topology>',
    );
  test.each([
    "primitive a ocf:pacemaker:Dummy params state=/n",
    "primitive g ocf:pacemaker:Dummy",
    "rsc_template c ocf:pacemaker:Dummy",
    "group g a",
    "clone k d meta clone-max=1",
    "ms k d",
    "location l c 7: n2",
    "colocation l inf: c g",
    "order l c g",
    "rsc_ticket l T: c",
    "tag t c",
    "role r read xpath:/cib",
    "alert al /y",
    "fencing_topology n2: c",
    "monitor d 10s",
    'xml <primitive id="a" class="lsb" type="x"/>',
  ])("and is refused for what is: %s", async (statement) => {
    const words = statement.startsWith("xml ") ? ["xml", statement.slice(4)] : statement.split(" ");
    for (const [given, lines] of [
      [["configure", ...words], []],
      [["-F", "configure", ...words], []],
      [["configure"], ["primitive new ocf:pacemaker:Dummy", statement]],
    ] as const) {
      writeFileSync(file, taken);
      const said = lines.length > 0 ? await crm(given.join(" "), lines) : await alone(given);
      expect([said.code, readFileSync(file, "utf8")]).toEqual([108, taken]);
      expect(said.err).toMatch(/cannot be made: .*already/);
    }
  });

  test("what a text loads, options and what is said of a node are joined with what is there", async () => {
    writeFileSync(file, taken);
    for (const words of [
      ["configure", "property", "stonith-enabled=true"],
      ["configure", "node", "n1", "attributes", "y=2"],
      ["configure", "node", "n1:ping", "attributes", "x=1"],
      ["configure", "monitor", "c", "20s"],
      ["configure", "load", "update", script],
    ]) {
      writeFileSync(script, "primitive a ocf:pacemaker:Dummy params state=/n\nnode n1 attributes z=3\n");
      expect([words, (await alone(words)).code]).toEqual([words, 0]);
    }
    const text = readFileSync(file, "utf8");
    for (const said of ['value="true"', 'name="x"', 'name="y"', 'name="z"', 'interval="20s"', 'value="/n"'])
      expect(text).toContain(said);
    expect(text).not.toContain("ping");
  });

  /** Runs one command of crm. */
  async function alone(words: readonly string[]) {
    const child = Bun.spawn([process.execPath, main, ...words], {
      argv0: "crm",
      env: { PATH: process.env.PATH ?? "", HACTL_CONFIG: "/nonexistent/hactl.toml", CIB_file: file },
      stdin: "ignore",
      stdout: "ignore",
      stderr: "pipe",
    });
    const [code, err] = await Promise.all([child.exited, child.stderr.text()]);
    return { code, err };
  }
});

describe("the first line that fails is the last, and is named", () => {
  test.each<[string, readonly string[], number, string, string]>([
    ["an unknown command", ["configure", dummy("a"), "bogus x", dummy("b")], 64, ":3:", ""],
    ["after a commit", ["configure", dummy("a"), "commit", "bogus x", dummy("b")], 64, ":4:", "a"],
    ["a mistake in a statement", ["configure", dummy("a"), "node", "commit"], 78, ":3", ""],
    ["a missing reference", ["configure", "group g nope", dummy("b")], 78, ":2", ""],
    ["in another level", ["resource", "stop nope", "up", `configure ${dummy("a")}`], 105, ":2:", ""],
    ["a level that there is not", ["resuorce", `configure ${dummy("a")}`], 64, ":1:", ""],
    ["a quote that is not closed", ["node", 'show "n1'], 65, ":2:", ""],
  ])("%s", async (_name, lines, code, place, ids) => {
    const failed = await crm("-f", lines);
    expect(failed.err).toContain(`${script}${place}`);
    expect(failed.err).toMatch(/nothing after it was done|is not in force/);
    expect([failed.code, failed.ids]).toEqual([code, ids]);
  });

  test("a file that is not there, and words beside a file", async () => {
    const gone = Bun.spawnSync([process.execPath, main, "-f", join(directory, "gone")], { argv0: "crm" });
    expect([gone.exitCode, gone.stderr.toString()]).toEqual([66, expect.stringContaining("gone")]);
    expect((await crm("-f node show", ["configure"])).code).toBe(64);
  });
});

test("words are a command, whatever stands on standard input", async () => {
  const shown = await crm("configure show", ["configure", dummy("a")]);
  expect(shown).toMatchObject({ code: 0, ids: "" });
  expect(shown.out).toContain("node 1: n1");
  expect((await crm("node", ["show n2"])).out).toMatch(/^2 n2 [^\n]*\n$/);
});
