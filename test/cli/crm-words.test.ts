/** Every word of the crm shell's manual (4.4) does what it says or is refused by name, with what does it instead. */
import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setOutputStyle } from "../../src/cli/output.ts";
import { refuseUndone } from "../../src/cli/tools/crm-words.ts";
import { HactlError } from "../../src/terms/index.ts";
import { runHere } from "./rehearsal.ts";

const directory = mkdtempSync(join(tmpdir(), "hactl-crm-words-"));
const file = join(directory, "cib.xml");
const cib = `<cib validate-with="pacemaker-3.9" admin_epoch="0" epoch="5" num_updates="2"><configuration>
<crm_config/><nodes><node id="1" uname="n1"/><node id="2" uname="n2"/></nodes>
<resources><primitive id="d" class="ocf" provider="pacemaker" type="Dummy"/></resources><constraints/></configuration><status/></cib>`;
afterAll(() => {
  rmSync(directory, { recursive: true });
  setOutputStyle({ json: false, colour: false });
});

/** Runs `crm` with these words on a file; nothing of it may reach a cluster. */
const crm = async (...words: readonly string[]) => {
  writeFileSync(file, cib);
  const ran = await runHere(["crm", ...words], {
    CIB_file: file,
    CIB_shadow: undefined,
    CIB_user: undefined,
    HACTL_CONFIG: "/nonexistent",
  });
  return { ...ran, changed: readFileSync(file, "utf8") !== cib };
};

/** Words of each level in the manual; those in the first list are done. */
const manual: Readonly<Record<string, readonly [done: string, others: string]>> = {
  cib: ["new use delete reset commit diff list import", "cibstatus"],
  cluster: [
    "start stop status wait_for_startup maintenance-on maintenance-off",
    "restart enable disable init join add remove delete rename geo_init geo-init geo_join geo-join geo_init_arbitrator geo-init-arbitrator health run copy diff crash_test",
  ],
  corosync: ["status reload show", "get set edit add-node add_node del-node del_node push pull diff log"],
  history: [
    "events",
    "source limit timeframe refresh detail setnodes info latest resource node log peinputs transitions transition show graph diff wdiff session exclude",
  ],
  maintenance: ["on off", "action"],
  node: [
    "show list status standby online maintenance ready fence clearstate delete attribute utilization status-attr",
    "server",
  ],
  ra: ["classes list providers info meta", "validate"],
  configure: [
    "show set modgroup edit verify save load delete rename erase commit primitive group clone ms rsc_template location colocation order rsc_ticket property rsc_defaults op_defaults fencing_topology role user tag alert node monitor acl_target acl_group bundle xml get_property get-property validate-all validate_all upgrade",
    "filter graph default-timeouts default_timeouts ptest simulate refresh schema rsctest cib cibstatus template history assist ra",
  ],
  resource: [
    "status show list start stop restart promote demote manage unmanage maintenance move migrate ban clear unmove unban unmigrate cleanup refresh reprobe operations constraints failcount param secret meta utilization scores locate",
    "trace untrace",
  ],
};
const levelsThatAreAbsent = "assist cibstatus options script site template";

const thrown = (words: readonly string[]): HactlError | undefined => {
  try {
    refuseUndone(words);
  } catch (error) {
    if (error instanceof HactlError) return error;
    throw error;
  }
  return undefined;
};

describe.each(Object.entries(manual))("level %s", (level, [done, others]) => {
  test.each(others.split(" "))("%s is refused by name, whatever follows", async (word) => {
    for (const more of [[], ["n1"], ["totem.token", "5000"]]) {
      const { code, out, err, changed } = await crm(level, word, ...more);
      expect({ code, out, changed }).toEqual({ code: 64, out: "", changed: false });
      expect(err).toContain(word);
    }
  });

  test("a word that the crm shell does not have is refused", async () => {
    const { code, out, err } = await crm(level, "xyz");
    expect({ code, out }).toEqual({ code: 64, out: "" });
    expect(err).toContain("xyz");
  });

  test("what is done is not refused", () => {
    for (const word of done.split(" "))
      for (let count = 0; count <= 4; count++)
        if (thrown([level, word, ...Array.from({ length: count }, () => "x")]) === undefined) break;
        else expect(count).toBeLessThan(4);
  });

  if (level !== "configure" && level !== "resource")
    test.each(done.split(" ").filter((word) => word !== "new"))("%s refuses words too many", async (word) => {
      const { code, out, changed } = await crm(level, word, "a", "b", "c", "d", "e");
      expect({ code, out, changed }).toEqual({ code: 64, out: "", changed: false });
    });
});

describe("the crm shell", () => {
  test.each(levelsThatAreAbsent.split(" "))("level %s is refused, with what to do", async (level) => {
    for (const more of [[], ["set", "x", "y"]]) {
      const { code, out, err } = await crm(level, ...more);
      expect({ code, out }).toEqual({ code: 64, out: "" });
      expect(err).toMatch(new RegExp(`no level ${level}.*\\(.+\\)`));
    }
  });

  test.each<readonly string[]>([
    ["status", "xyz"],
    ["verify", "xyz"],
    ["corosync", "status", "qdevice"],
    ["configure", "verify", "xyz"],
    ["configure", "commit", "xyz"],
    ["resource", "scores", "xyz"],
    ["node", "standby", "n1", "n2"],
    ["node", "standby", "n1", "reboot"],
    ["node", "attribute", "n1", "show", "a", "b"],
    ["node", "attribute", "n1", "set", "a"],
    ["node", "attribute", "n1", "xyz", "a"],
  ])("refuses %s %s %s", async (...words) => {
    const { code, out, changed } = await crm(...words);
    expect({ code, out, changed }).toEqual({ code: 64, out: "", changed: false });
  });

  test("does what it says", async () => {
    expect(await crm("cluster", "maintenance-on")).toMatchObject({ code: 0, changed: true });
    expect(readFileSync(file, "utf8")).toContain("maintenance-mode");
    expect(await crm("maintenance", "on", "d")).toMatchObject({ code: 0, changed: true });
    const one = readFileSync(file, "utf8");
    expect(one).toContain('name="maintenance" value="true"');
    expect(one).not.toContain("maintenance-mode");
    expect(await crm("node", "standby", "n1", "forever")).toMatchObject({ code: 0, changed: true });
    expect(readFileSync(file, "utf8")).toContain('name="standby" value="on"');
    for (const words of [["status"], ["status", "bynode", "inactive"], ["configure", "commit", "force"]])
      expect(await crm(...words)).toMatchObject({ code: 0, changed: false });
  });

  test.each([["fence"], ["clearstate"]])(
    "node %s asks, and does nothing where nobody can answer",
    async (word) => {
      const said = (...flags: string[]) =>
        runHere(["crm", ...flags, "node", word, "n1"], { CIB_file: undefined, HACTL_CONFIG: "/nonexistent" });
      const { code, out, err } = await said();
      expect({ code, out }).toEqual({ code: 64, out: "" });
      expect(err).toMatch(/needs a confirmation.*crm -F node/);
      // Who forces it is not asked: the cluster is, which is not there.
      expect((await said("-F")).err).not.toMatch(/needs a confirmation/);
    },
  );
});

describe("options before the first word", () => {
  test.each<readonly string[]>([
    ["-D", "plain"],
    ["-Dplain"],
    ["--display=color"],
    ["--display", "uppercase"],
    ["-wFD", "color-always"],
    ["-n", "-d", "-R"],
    ["--no", "--debug", "--regression-tests", "--wait", "--force"],
  ])("%s are taken, and the words behind them done", async (...options) => {
    const { code, out, changed } = await crm(...options, "configure", "show", "d");
    expect({ code, changed }).toEqual({ code: 0, changed: false });
    expect(out).toContain("primitive d ocf:pacemaker:Dummy");
  });

  test.each<readonly [names: string, ...words: string[]]>([
    ["history.*hactl history", "-H", "/report"],
    ["history.*hactl history", "--history=/report"],
    ["scriptdir.*crm configure", "--scriptdir", "/scripts"],
    ["profile.*hactl simulate", "-X", "/profile"],
    ["opt.*--wait", "-o", "core.wait=yes"],
    ["none of plain", "-D", "purple"],
    ["-Z", "-Z"],
    ["--nonsense", "--nonsense"],
    ["display", "-D"],
  ])("%s: refused by name, and nothing is done", async (named, ...options) => {
    const { code, out, err, changed } = await crm(
      ...options,
      "configure",
      "primitive",
      "e",
      "ocf:pacemaker:Dummy",
    );
    expect({ code, out, changed }).toEqual({ code: 64, out: "", changed: false });
    expect(err).toMatch(new RegExp(named));
  });
});

test("configure get-property prints a value, or the default; upgrade asks for force; validate-all asks the agent", async () => {
  for (const word of ["get-property", "get_property"])
    expect(await crm("configure", word, "stonith-enabled")).toMatchObject({ code: 0, out: "true\n" });
  expect(await crm("configure", "get-property", "nonsense")).toMatchObject({ code: 105, out: "" });
  expect(await crm("configure", "get-property")).toMatchObject({ code: 64, changed: false });
  expect(await crm("configure", "upgrade")).toMatchObject({ code: 107, changed: false });
  expect(await crm("configure", "upgrade", "force")).toMatchObject({ code: 0 });
  expect((await crm("configure", "validate-all", "nobody")).err).toContain("nobody");
});

describe("configure load xml", () => {
  const input = join(directory, "input.xml");
  const added = cib
    .replace(/<primitive.*?\/>/, '<primitive id="e" class="ocf" provider="pacemaker" type="Dummy"/>')
    .replace(/<node id.*?\/><node/, "<node");

  test("update adds what the file defines, and leaves the rest", async () => {
    writeFileSync(input, added);
    expect(await crm("configure", "load", "xml", "update", input)).toMatchObject({ code: 0, changed: true });
    expect(readFileSync(file, "utf8")).toMatch(/<primitive id="d"[\s\S]*<primitive id="e"/);
    expect(readFileSync(file, "utf8")).toContain('uname="n1"');
  });

  test("replace puts it in place of the rest", async () => {
    writeFileSync(input, added);
    expect(await crm("configure", "load", "xml", "replace", input)).toMatchObject({ code: 0, changed: true });
    expect(readFileSync(file, "utf8")).not.toContain('<primitive id="d"');
  });

  test("what is no XML, or a word too many or few, is refused", async () => {
    writeFileSync(input, "primitive e ocf:pacemaker:Dummy\n");
    const refused: readonly (readonly [code: number, words: string[]])[] = [
      [65, ["xml", "update", input]],
      [64, ["xml", "update"]],
      [64, ["xml"]],
      [64, ["update", input, "more"]],
      [64, ["xml", "merge", input]],
    ];
    for (const [code, words] of refused)
      expect(await crm("configure", "load", ...words)).toMatchObject({ code, changed: false });
    expect(await crm("configure", "load", "update", input)).toMatchObject({ code: 0, changed: true });
  });
});

describe("a tag stands for its resources", () => {
  const tagged = cib
    .replace(
      "<constraints/>",
      '<constraints><rsc_location id="l" rsc="d" node="n1" score="1"/></constraints>',
    )
    .replace(
      "</resources>",
      '<clone id="c"><primitive id="i" class="ocf" provider="pacemaker" type="Dummy"/></clone><primitive id="o" class="ocf" provider="pacemaker" type="Dummy"/></resources>',
    )
    .replace(
      "</configuration>",
      '<tags><tag id="front"><obj_ref id="d"/><obj_ref id="more"/><obj_ref id="l"/></tag><tag id="more"><obj_ref id="i"/><obj_ref id="front"/></tag><tag id="none"><obj_ref id="l"/></tag></tags></configuration>',
    );
  const stopped = () =>
    [
      ...readFileSync(file, "utf8").matchAll(
        /<nvpair id="([^"]*)-meta_attributes-target-role"[^>]*value="Stopped"/g,
      ),
    ].map(([, id]) => id);
  const run = (...words: string[]) =>
    runHere(["crm", ...words], { CIB_file: file, HACTL_CONFIG: "/nonexistent" });

  test("stop and start are for all of them, those of tags in it too", async () => {
    writeFileSync(file, tagged);
    const { code, err } = await run("resource", "stop", "front");
    expect([code, stopped()]).toEqual([0, ["d", "c"]]);
    expect(err).toMatch(/d shall be stopped\.[\s\S]*c shall be stopped\./);
    expect((await run("resource", "start", "front")).code).toBe(0);
    expect(stopped()).toEqual([]);
  });

  test("maintenance is for all of them", async () => {
    writeFileSync(file, tagged);
    const { code, err } = await run("resource", "maintenance", "front", "on");
    expect([code, err]).toEqual([0, expect.stringContaining("d is in maintenance.\nc is in maintenance.\n")]);
    expect(readFileSync(file, "utf8").match(/name="maintenance" value="true"/g)).toHaveLength(2);
    expect((await run("resource", "maintenance", "front", "off")).code).toBe(0);
    expect(readFileSync(file, "utf8")).not.toContain('name="maintenance"');
  });

  test("one without resources, and one that is not there, are refused", async () => {
    writeFileSync(file, tagged);
    for (const id of ["none", "nobody"])
      expect(await run("resource", "stop", id)).toMatchObject({
        code: 105,
        err: expect.stringContaining(id),
      });
  });
});

test("cibadmin refuses what belongs to no option", async () => {
  writeFileSync(file, cib);
  const { code, out } = await runHere(["cibadmin", "-Q", "-o", "nodes", "xyz"], { CIB_file: file });
  expect({ code, out }).toEqual({ code: 64, out: "" });
});
