import { afterAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { newestApi, wantedApi } from "../../src/cli/answer/index.ts";

const root = mkdtempSync(join(tmpdir(), "hactl-api-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** A prefix with a tool in `folder`, and the schemas of a version, if one is given. */
function prefix(name: string, folder: string, version?: string): string {
  const bin = join(root, name, folder);
  mkdirSync(bin, { recursive: true });
  symlinkSync(process.execPath, join(bin, "crm_mon"));
  if (version !== undefined) {
    const api = join(root, name, "share/pacemaker/api");
    mkdirSync(api, { recursive: true });
    writeFileSync(join(api, `api-result-${version}.rng`), "");
  }
  return bin;
}

const sbin = prefix("installed", "sbin", "2.30");
const daemons = prefix("daemons", "libexec/pacemaker", "2.31");
const links = prefix("links", "of-my-own");

test.each([
  ["with its path", `${sbin}/crm_mon`, {}, "2.30"],
  ["as PATH finds it", "crm_mon", { PATH: `/nowhere:${sbin}` }, "2.30"],
  ["among the daemons", `${daemons}/pacemaker-based`, {}, "2.31"],
  ["from a folder of links, beside whatever is installed", `${links}/crm_mon`, {}, newestApi],
  [
    "with another place named",
    `${sbin}/crm_mon`,
    { PCMK_schema_directory: join(root, "daemons/share/pacemaker") },
    "2.31",
  ],
  ["with a version asked for", `${sbin}/crm_mon`, { HACTL_API_VERSION: "2.33" }, "2.33"],
])("a tool called %s answers by the schemas of its installation", (_, calledAs, env, version) => {
  expect(wantedApi(env, calledAs).text).toBe(version);
});

test("a link to the folder is the folder", () => {
  symlinkSync(sbin, join(root, "sbin"));
  expect(wantedApi({}, join(root, "sbin/crm_mon")).text).toBe("2.30");
});

test("hactl itself goes by the machine's schemas", () => {
  expect(wantedApi({}, `${links}/hactl`).text).toBe(wantedApi({}, "/usr/sbin/crm_mon").text);
});
