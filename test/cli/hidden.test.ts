/** Whoever may see only a part of the cluster is told no verdict that rests on what is hidden, by any command. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ToolCluster } from "./tools-cluster.ts";

let tools: ToolCluster;
beforeAll(async () => {
  tools = await ToolCluster.start(1, (node) => `127.9.7.${node}`);
  const file = join(tools.cluster.directory, "rules.crm");
  const [seen, sec] = ["seen", "sec"].map((id) => tools.primitive(id).join(" "));
  writeFileSync(
    file,
    `property stonith-enabled=false
${seen}
${sec}
location l-sec sec 77: node1
role nosec deny xpath:"//primitive[@id='sec']" read xpath:/cib
role options read type:crm_config
role noacls deny xpath:/cib/configuration/acls read xpath:/cib
role resources read type:resources
role refsec deny ref:sec read xpath:/cib
role places write type:rsc_location
acl_target mail nosec
acl_target uucp options
acl_target backup noacls
acl_target news resources
acl_target lp refsec places
property enable-acl=true
`,
  );
  await tools.output("configure", "load", "update", file);
  await tools.output("wait", "--timeout", "30");
}, 180_000);
afterAll(() => tools.stop());

/** A command in the name of somebody. */
async function as(user: string, ...words: readonly string[]) {
  const before = process.env.CIB_user;
  process.env.CIB_user = user;
  try {
    const { code, stdout, stderr } = await tools.run(...words);
    return { code, out: stdout, err: stderr, all: stdout + stderr };
  } finally {
    if (before === undefined) delete process.env.CIB_user;
    else process.env.CIB_user = before;
  }
}

const partly = /access rules hide a part of the cluster from this user \(in [a-z_, ]+\)/;

test("status claims neither that all is well nor that something is not there", async () => {
  for (const user of ["mail", "uucp", "news"]) {
    const { code, out } = await as(user, "status", "--exit-code");
    expect([user, code, out.split("\n")[0]]).toEqual([
      user,
      3,
      expect.stringMatching(/^UNKNOWN – whether all is well is not known: /),
    ]);
    expect(out).toMatch(partly);
    for (const wrong of ["NORMAL", "0 nodes online", "none configured", "not configured", "removed", "Stop"])
      expect([user, wrong, out.includes(wrong)]).toEqual([user, wrong, false]);
    const model = JSON.parse((await as(user, "status", "--json")).out);
    expect(model.verdict.causes.map(({ code }: { code: string }) => code)).toContain("HIDDEN");
    expect(model.cluster.hidden.length).toBeGreaterThan(0);
  }
  // Of what is not hidden the state is told; where the state is hidden, none.
  expect((await as("mail", "status")).out).toMatch(/seen +Started +node1/);
  expect((await as("news", "status")).out).toMatch(/seen +not shown/);
});

test("who sees all that a verdict rests on is told it, and an administrator, too", async () => {
  for (const user of ["backup", "root", "hacluster"]) {
    const { code, out, err } = await as(user, "status", "--exit-code");
    expect([user, code, out.split(" ")[0]]).toEqual([user, 0, "NORMAL"]);
    expect(out + err).not.toMatch(/hide/);
    expect((await as(user, "verify")).code).toBe(0);
    expect((await as(user, "explain", "sec")).out).toContain("Started on node1");
  }
});

test("explain and simulate decide nothing of what is hidden, and say so", async () => {
  const hidden = await as("mail", "explain", "sec");
  expect(hidden).toMatchObject({ code: 4, out: "" });
  expect(hidden.err).toMatch(partly);
  const seen = await as("mail", "explain", "seen");
  expect(seen.code).toBe(0);
  expect(seen.out).toMatch(/^Not by all that the cluster decides by: access rules hide/);
  for (const words of [["simulate"], ["crm_simulate", "-L"], ["crm_simulate", "-L", "-S"]]) {
    const { code, out, err } = await as("mail", ...words);
    expect([words, code, err]).toEqual([words, 0, expect.stringMatching(partly)]);
    expect(out).not.toMatch(/sec\b/);
    for (const user of ["uucp", "news"])
      expect([words, await as(user, ...words)]).toEqual([
        words,
        expect.objectContaining({ code: 4, all: expect.stringMatching(partly) }),
      ]);
  }
});

test("verification is for who sees all", async () => {
  for (const user of ["mail", "uucp", "news"])
    for (const words of [["verify"], ["crm_verify", "-L", "-V"]]) {
      const { code, all } = await as(user, ...words);
      expect([user, words, code]).toEqual([user, words, 4]);
      expect(all).toMatch(/whether the configuration is valid cannot be told/);
      expect(all).toMatch(partly);
    }
  const model = JSON.parse((await as("mail", "verify", "--json")).out);
  expect(model).toMatchObject({ valid: null, hidden: expect.arrayContaining(["resources"]) });
});

test("what is wrong whatever else there is is told to who sees it", async () => {
  await tools.output("configure", "rsc_defaults", "resource-stickines=1");
  const { code, out } = await as("mail", "verify");
  expect([code, out]).toEqual([4, expect.stringMatching(/unknown .* "resource-stickines"/)]);
  // The rule names what is hidden, and a location does.
  expect(out).not.toMatch(/does not exist|sec\b/);
  await tools.output("configure", "delete", "--force", "rsc-options");
});

test("a change is not refused for what is hidden", async () => {
  const at = (id: string, rsc: string) => as("lp", "configure", "location", id, rsc, "5:", "node1");
  expect(await at("l-new", "seen")).toMatchObject({ code: 0 });
  // What is named may be hidden: it is looked for in the whole.
  expect(await at("l-hid", "sec")).toMatchObject({ code: 0 });
  const absent = await at("l-none", "nobody");
  expect([absent.code, absent.err]).toEqual([78, expect.stringMatching(/"nobody", which does not exist/)]);
  const all = await tools.output("configure", "show");
  for (const line of ["location l-new seen 5: node1", "location l-hid sec 5: node1", "deny ref:sec"])
    expect(all).toContain(line);
  await tools.output("configure", "delete", "--force", "l-new", "l-hid");
});

test("crm_mon counts nothing that is hidden in part, in any of its forms", async () => {
  for (const user of ["mail", "uucp", "news"])
    for (const form of [["-1"], ["-1", "-r"], ["-1", "--layout", "1.1"], ["-1", "--output-as", "html"]]) {
      const { code, all } = await as(user, "crm_mon", ...form);
      expect([user, form, code, all]).toEqual([user, form, 0, expect.stringMatching(partly)]);
      for (const wrong of ["0 nodes", "0 Nodes", "OFFLINE", "No active", "ORPHANED"])
        expect([user, form, wrong, all.includes(wrong)]).toEqual([user, form, wrong, false]);
    }
  expect((await as("mail", "crm_mon", "-1")).out).not.toContain("instances configured");
  expect((await as("news", "crm_mon", "-1")).out).toContain("2 resource instances configured");
  const simple = await as("mail", "crm_mon", "-s");
  expect(simple.out).toMatch(/^CLUSTER WARN: access rules hide/);
});

const schemas = "/usr/share/pacemaker/api";
test.if(existsSync(schemas) && Bun.which("xmllint") !== null)("and its XML stays valid", async () => {
  for (const user of ["mail", "uucp", "news"]) {
    const { code, out, err } = await as(user, "crm_mon", "-1", "--output-as", "xml");
    expect([user, code, err]).toEqual([user, 0, expect.stringMatching(partly)]);
    expect(out).not.toMatch(/number="0"|<resource id="sec"/);
    const version = /api-version="([^"]+)"/.exec(out)?.[1];
    const file = join(tools.cluster.directory, "mon.xml");
    writeFileSync(file, out);
    const ran = Bun.spawnSync([
      "xmllint",
      "--noout",
      "--relaxng",
      `${schemas}/api-result-${version}.rng`,
      file,
    ]);
    expect([user, ran.exitCode, ran.stderr.toString()]).toEqual([user, 0, `${file} validates\n`]);
  }
});

test("what is not found may be hidden, and nobody is told that it is not there", async () => {
  for (const words of [
    ["crm_resource", "-W", "-r", "sec"],
    ["crm_resource", "-q", "-r", "sec"],
    ["crm_resource", "-a", "-r", "sec"],
    ["crm_resource", "-r", "sec", "-g", "state"],
    ["resource", "status", "sec"],
    ["resource", "locate", "sec"],
    ["cibadmin", "-Q", "-A", "//primitive[@id='sec']"],
  ])
    expect([words, await as("mail", ...words)]).toEqual([
      words,
      expect.objectContaining({ code: 4, all: expect.stringMatching(partly) }),
    ]);
  // Where it is hidden what runs, nothing is said to be stopped.
  for (const words of [
    ["crm_resource", "-W", "-r", "seen"],
    ["crm_resource", "-l"],
    ["resource", "list"],
    ["resource", "status", "seen"],
    ["resource", "locate", "seen"],
  ]) {
    const { code, all } = await as("news", ...words);
    expect([words, code, all]).toEqual([words, words[1] === "-l" ? 0 : 4, expect.stringMatching(partly)]);
    expect([words, all]).not.toEqual([words, expect.stringMatching(/Stopped|NOT running/)]);
  }
  // A second start could destroy data: it is not risked where nobody can see what runs.
  const started = await as("news", "crm_resource", "-r", "seen", "--force-start");
  expect(started).toMatchObject({
    code: 4,
    err: expect.stringContaining("is active elsewhere cannot be told"),
  });
  expect((await as("uucp", "crm_resource", "-l")).all).not.toContain("NO resources configured");
  expect((await as("mail", "crm_resource", "-l")).out).toBe("seen\n");
});

test("what is read as it stands is read without a remark: programs take all that is said for the answer", async () => {
  for (const words of [
    ["cibadmin", "-Q"],
    ["cibadmin", "-Q", "-o", "resources"],
    ["crm_attribute", "-n", "rsc-note", "-d", "none", "-G", "-q"],
  ])
    expect([words, await as("mail", ...words)]).toEqual([
      words,
      expect.objectContaining({ code: 0, err: "" }),
    ]);
  expect((await as("mail", "configure", "show")).err).toMatch(partly);
});
