import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { formatXml } from "../../src/cib/index.ts";
import { document } from "../cib/acl-cases.ts";
import { hactl } from "./run.ts";

const directory = mkdtempSync(join(tmpdir(), "hactl-cib-user-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const file = join(directory, "cib.xml");
const before = formatXml(document())
  // Who operates sees everything but parameters.
  .replace(
    '<role id="see-everything"/>\n        <role id="operate"/>',
    '<role id="overview"/><role id="operate"/>',
  );
const read = () => readFileSync(file, "utf8");

/** A tool works on the file in the name of somebody. */
async function as(user: string, ...words: readonly string[]) {
  writeFileSync(file, before);
  const [tool = "", ...rest] = words;
  return hactl(tool === "hactl" ? rest : words.slice(1), { CIB_file: file, CIB_user: user }, tool);
}

test("on a file the access rules in it count for who is named", async () => {
  const all = await as("root", "cibadmin", "-Q");
  expect(all.out).toContain('value="secret"');
  for (const words of [["-Q"], ["-Q", "-A", "//nvpair[@id='vip-p']"]]) {
    const seen = await as("alice", "cibadmin", ...words);
    expect(seen.out + seen.err).not.toContain("secret");
  }
  expect((await as("mallory", "cibadmin", "-Q")).code).toBe(4);
}, 180_000);

test("a command changes what may be changed, also where a part is hidden, and keeps that", async () => {
  const done = await as("carol", "hactl", "property", "maintenance-mode=true");
  expect(done).toMatchObject({ code: 0 });
  expect(read()).toContain('name="maintenance-mode" value="true"');
  expect(read()).toContain('value="secret"');
}, 180_000);

test("what may not be changed stays", async () => {
  for (const words of [
    ["hactl", "property", "stonith-enabled=true"],
    ["crm_resource", "-r", "vip", "-p", "passwd", "-v", "mine"],
    ["cibadmin", "-R", "-o", "resources", "-X", "<resources/>"],
  ]) {
    expect([words, (await as("carol", ...words)).code]).not.toEqual([words, 0]);
    expect(read()).toBe(before);
  }
}, 180_000);

test("what is hidden is not missing: who may change something can", async () => {
  const rules = join(directory, "rules.crm");
  writeFileSync(
    rules,
    `node 1: node1
primitive power stonith:x
primitive a ocf:pacemaker:Dummy params fake=1
primitive d ocf:pacemaker:Dummy
role looker read xpath:/cib deny ref:power deny xpath:"//nvpair[@name='fake']"
role op write meta:d:target-role write type:rsc_location
acl_target carol looker op
property enable-acl=true
`,
  );
  const empty =
    '<cib validate-with="pacemaker-3.9" admin_epoch="0" epoch="1" num_updates="0"><configuration><crm_config/><nodes/><resources/><constraints/></configuration><status/></cib>';
  const limited = join(directory, "limited.xml");
  writeFileSync(limited, empty);
  const environment = { CIB_file: limited, HACTL_CONFIG: "/nonexistent" };
  expect((await hactl(["configure", "load", "replace", rules, "--force"], environment)).code).toBe(0);
  const carol = (...words: readonly string[]) => hactl(words, { ...environment, CIB_user: "carol" });
  const location = (id: string, rsc: string) => carol("configure", "location", id, rsc, "inf:", "node1");
  const stored = () => readFileSync(limited, "utf8");

  expect(await location("lx", "d")).toMatchObject({ code: 0, err: expect.not.stringContaining("power") });
  // Nor is what she names and cannot see; whether it is there is known where the change is made.
  expect((await location("lp", "power")).code).toBe(0);
  expect(stored()).toContain('<rsc_location id="lp" rsc="power"');
  expect(stored()).toContain('name="fake" value="1"');
  const absent = await location("lb", "dd");
  expect([absent.code, absent.err]).toEqual([
    78,
    expect.stringContaining('constraint "lb" names resource "dd", which does not exist'),
  ]);
  expect(absent.err).not.toContain("power");
  expect((await carol("simulate")).code).toBe(0);
  expect((await carol("crm_resource", "-r", "d", "-m", "-p", "target-role", "-v", "Stopped")).code).toBe(0);
  expect(await location("ly", "a")).toMatchObject({ code: 0 });
  expect(stored()).not.toContain('name="fake" value=""');
}, 180_000);
