/** What is typed wrongly, or has no effect, is told by the tools under Pacemaker's names, too: on standard error, and it is set. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runHere } from "./rehearsal.ts";

const cib = `<cib validate-with="pacemaker-3.9" admin_epoch="0" epoch="1" num_updates="0"><configuration>
  <crm_config><cluster_property_set id="cib-bootstrap-options"><nvpair id="f" name="stonith-enabled" value="false"/></cluster_property_set></crm_config>
  <nodes><node id="1" uname="n1"/></nodes>
  <resources><primitive id="a" class="ocf" provider="heartbeat" type="Dummy"/></resources><constraints/>
</configuration><status><node_state id="1" uname="n1"/></status></cib>`;

let directory = "";
let file = "";
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "hactl-slips-"));
  file = join(directory, "cib.xml");
});
beforeEach(() => writeFileSync(file, cib));
afterAll(() => rmSync(directory, { recursive: true }));

const tool = (...words: readonly string[]) =>
  runHere(words, { CIB_file: file, CIB_shadow: undefined, HACTL_CONFIG: "/nonexistent" });

const defaults = (name: string, value: string) =>
  `<meta_attributes id="x"><nvpair id="y" name="${name}" value="${value}"/></meta_attributes>`;

describe("a slip is told by who writes it, and taken", () => {
  test.each([
    [["crm_attribute", "-t", "crm_config", "-n", "maintenace-mode", "-v", "true"], /"maintenance-mode"\?/],
    [["crm_attribute", "-n", "maintenace-mode", "-v", "true"], /"maintenance-mode"\?/],
    [
      ["crm_attribute", "-t", "rsc_defaults", "-n", "resource-stickyness", "-v", "1"],
      /"resource-stickiness"\?/,
    ],
    [["crm_attribute", "-t", "op_defaults", "-n", "timeot", "-v", "60s"], /"timeout"\?/],
    [["crm_attribute", "-t", "op_defaults", "-n", "timeout", "-v", "20sek"], /counts as 20s: "sek"/],
    [["crm_attribute", "-t", "op_defaults", "-n", "timeout", "-v", "0"], /default of 20s counts/],
    [["crm_attribute", "-t", "op_defaults", "-n", "interval", "-v", "10s"], /"interval" .* has no effect/],
    [["crm_attribute", "-n", "stonith-timeout", "-v", "0"], /default of 60s counts/],
    [["crm_attribute", "-n", "transition-delay", "-v", "5s"], /"transition-delay" has no effect/],
    [["crm_attribute", "-N", "n1", "-n", "standbye", "-v", "on"], /"standby"\?/],
    [["crm_attribute", "-N", "n1", "-z", "-n", "cpu", "-v", "lots"], /cpu="lots" of node "n1" .* counts 0/],
    [["crm_attribute", "-N", "n1", "-p", "a", "-v", "lots"], /master-a="lots" .* counts 0/],
    [["attrd_updater", "-N", "n1", "-z", "-n", "cpu", "-U", "lots"], /cpu="lots" of node "n1" .* counts 0/],
    [["crm", "node", "utilization", "n1", "set", "cpu", "lots"], /cpu="lots" of node "n1" .* counts 0/],
    [["crm", "node", "attribute", "n1", "set", "standbye", "on"], /"standby"\?/],
    [["crm", "configure", "op_defaults", "timeout=20sek"], /counts as 20s: "sek"/],
    [["crm_resource", "-m", "-r", "a", "-p", "target-rol", "-v", "Stopped"], /"target-role"\?/],
    [
      ["cibadmin", "-C", "-o", "rsc_defaults", "-X", defaults("resource-stickyness", "1")],
      /"resource-stickiness"\?/,
    ],
    [["cibadmin", "-M", "-c", "-o", "op_defaults", "-X", defaults("timeout", "20sek")], /counts as 20s/],
    [
      [
        "cibadmin",
        "-R",
        "-o",
        "rsc_defaults",
        "-X",
        `<rsc_defaults>${defaults("is-managd", "1")}</rsc_defaults>`,
      ],
      /"is-managed"\?/,
    ],
  ])("%p", async (words, expected) => {
    const { code, out, err } = await tool(...words);
    expect(code).toBe(0);
    expect(out).not.toContain("warning");
    expect(err).toMatch(expected);
    expect(err.match(/warning: /g)).toHaveLength(1);
    expect(readFileSync(file, "utf8")).not.toBe(cib);
  });

  test.each([
    [["crm_attribute", "-n", "maintenance-mode", "-v", "true"]],
    [["crm_attribute", "-n", "my-agents-own", "-v", "5"]],
    [["crm_attribute", "-t", "rsc_defaults", "-n", "resource-stickiness", "-v", "100"]],
    [["crm_attribute", "-t", "op_defaults", "-n", "timeout", "-v", "20sec"]],
    [["crm_attribute", "-N", "n1", "-n", "standby", "-v", "on"]],
    [["crm_attribute", "-N", "n1", "-n", "ram", "-v", "1024M"]],
    [["crm_attribute", "-N", "n1", "-n", "count", "-v", "count++"]],
    [["crm_attribute", "-N", "n1", "-z", "-n", "cpu", "-v", "cpu+=2"]],
    [["crm_attribute", "-N", "n1", "-p", "a", "-v", "-INFINITY"]],
    [["crm_attribute", "-N", "n1", "-l", "reboot", "-n", "standbye", "-v", "on"]],
    [["attrd_updater", "-N", "n1", "-n", "pingd", "-U", "many"]],
  ])("nothing is said of %p", async (words) => {
    const { code, out, err } = await tool(...words);
    expect([code, out, err.replace(/^Changed the file .*\n/, "")]).toEqual([0, "", ""]);
  });

  test("what stands there already is told once", async () => {
    const words = ["crm_attribute", "-n", "maintenace-mode", "-v"] as const;
    expect((await tool(...words, "true")).err).toContain("maintenace-mode");
    expect((await tool(...words, "false")).err).toBe("");
    expect((await tool("crm_attribute", "-n", "batch-limit", "-v", "3")).err).toBe("");
  });
});

test("what stays is not changed by a pattern: it would take all that matches", async () => {
  for (const words of [
    ["-P", ".*", "-D"],
    ["-P", "stonith.*", "-v", "true"],
    ["-N", "n1", "-P", ".*", "-v", "1"],
    ["-t", "rsc_defaults", "-P", ".*", "-D"],
  ]) {
    const { code } = await tool("crm_attribute", ...words);
    expect([words, code, readFileSync(file, "utf8")]).toEqual([words, 64, cib]);
  }
});
