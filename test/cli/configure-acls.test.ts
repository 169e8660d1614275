import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cibOf, formatXml, loadCrm } from "../../src/cib/index.ts";
import { hactl } from "./run.ts";

/** What commands say and refuse when objects change that access rules name (test/cib/acl-names.test.ts has the cases). */

const directory = mkdtempSync(join(tmpdir(), "hactl-configure-acls-"));
afterAll(() => rmSync(directory, { recursive: true }));
const file = join(directory, "cib.xml");

const resources = `node 1: n1
property stonith-enabled=false enable-acl=true
primitive P1 ocf:pacemaker:Dummy params fake=topsecret
primitive P2 ocf:pacemaker:Dummy
group GG P2
acl_target nobody RR
`;
const content = () => readFileSync(file, "utf8");
const configured = (role: string) =>
  writeFileSync(file, formatXml(cibOf(loadCrm(`${resources}role RR ${role}\n`, undefined, "replace"))));
const configure = (...words: readonly string[]) => hactl(["configure", ...words], { CIB_file: file });

test("rename says which permissions follow, and user nobody sees no more than before", async () => {
  configured(`deny xpath:"//primitive[@id='P1']" read xpath:/cib`);
  const { code, err } = await configure("rename", "P1", "PX");
  expect(code).toBe(0);
  expect(err).toContain(
    "P1 is now called PX.\n  permission RR-0 (deny) of role RR follows: //primitive[@id='PX']",
  );
  const seen = await hactl(["-Q"], { CIB_file: file, CIB_user: "nobody" }, "cibadmin");
  expect([seen.code, seen.out.includes("topsecret"), seen.out.includes("P2")]).toEqual([0, false, true]);
}, 60_000);

test("rename refuses to lift a deny; --force does it, and tells", async () => {
  configured(`deny xpath:"//primitive[starts-with(@id,'P')]" read xpath:/cib`);
  const before = content();
  const refused = await configure("rename", "P1", "db");
  expect([refused.code, content()]).toEqual([78, before]);
  expect(refused.err).toContain("permission RR-0 (deny) of role RR does not cover db any more");
  const { code, err } = await configure("rename", "P1", "db", "--force");
  expect([code, err.includes("does not cover db any more")]).toEqual([0, true]);
}, 60_000);

test("delete refuses to lift a deny, and tells of one that stays", async () => {
  configured("deny ref:GG read xpath:/cib");
  const before = content();
  const refused = await configure("delete", "GG");
  expect([refused.code, content()]).toEqual([78, before]);
  expect(refused.err).toContain("does not cover P2 any more");
  const { code, err } = await configure("delete", "GG", "P2");
  expect([code, err]).toEqual([0, expect.stringContaining("permission RR-0 (deny) of role RR stays")]);
}, 60_000);
