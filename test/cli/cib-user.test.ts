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
