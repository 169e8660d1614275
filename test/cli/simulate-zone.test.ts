import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hactl } from "./run.ts";

/** Rules with dates follow the clock of the machine that decides, or that for which `-t` was written. */

const directory = mkdtempSync(join(tmpdir(), "hactl-zone-"));
afterAll(() => rmSync(directory, { recursive: true }));
const file = join(directory, "cib.xml");
const primitive = (id: string) => `<primitive id="${id}" class="ocf" provider="pacemaker" type="Dummy"/>`;
const banned = (rsc: string, date: string) =>
  `<rsc_location id="l-${rsc}" rsc="${rsc}"><rule id="r-${rsc}" score="-INFINITY">${date}</rule></rsc_location>`;
writeFileSync(
  file,
  `<cib validate-with="pacemaker-3.9" crm_feature_set="3.16.1" admin_epoch="0" epoch="1" num_updates="0" have-quorum="1">
<configuration><crm_config><cluster_property_set id="o"><nvpair id="o1" name="stonith-enabled" value="false"/></cluster_property_set></crm_config>
<nodes><node id="1" uname="n1"/></nodes><resources>${primitive("office")}${primitive("written")}</resources><constraints>
${banned("office", '<date_expression id="d1" operation="date_spec"><date_spec id="s1" hours="9-16"/></date_expression>')}
${banned("written", '<date_expression id="d2" operation="gt" start="2026-06-03 09:00:00"/>')}
</constraints></configuration><status><node_state id="1" uname="n1" in_ccm="true" crmd="online" join="member" expected="member"/></status></cib>`,
);

/** What is started at 00:30 UTC, which is 09:30 in Tokyo. */
async function started(zone: string, time: string): Promise<string[]> {
  const { out } = await hactl(["-x", file, "-t", time, "-S"], { TZ: zone }, "crm_simulate");
  return [...out.matchAll(/\* Start +(\w+)/g)].map((match) => match[1] ?? "");
}

test.each([
  ["Asia/Tokyo", "2026-06-03 09:30:00", []],
  ["UTC", "2026-06-03 00:30:00", ["office", "written"]],
  ["Asia/Tokyo", "2026-06-03 00:30:00Z", ["office"]],
  ["Asia/Tokyo", "2026-06-03 09:30:00+09:00", []],
  ["UTC", "2026-06-03 09:30:00+09:00", ["written"]],
] as const)("on a machine in %s at %s", async (zone, time, expected) => {
  expect(await started(zone, time)).toEqual([...expected]);
});
