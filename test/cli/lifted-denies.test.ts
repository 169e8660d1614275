/** Whoever changes something is told what escapes a deny by it, whichever command it is. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setOutputStyle } from "../../src/cli/output.ts";
import { runHere } from "./rehearsal.ts";

/** What each of the denies looks at, and what it hides. */
const denies = [
  ["value", "//primitive[meta_attributes/nvpair[@value='Started']]/instance_attributes"],
  ["rack", "//node[instance_attributes/nvpair[@name='rack' and @value='A']]/utilization"],
  ["name", "/cib[configuration/crm_config//nvpair[@name='cluster-name']]/configuration/alerts"],
  ["undescribed", "//primitive[not(@description)]/operations"],
  ["placed", "//configuration[constraints/rsc_location[@id='cli-prefer-a']]/tags"],
  ["granted", "/cib[status/tickets/ticket_state[@granted='false']]/configuration/fencing-topology"],
] as const;
const permissions = denies.map(([id, path]) => `<acl_permission id="${id}" kind="deny" xpath="${path}"/>`);

const cib = `<cib validate-with="pacemaker-3.9" admin_epoch="0" epoch="5" num_updates="2"><configuration>
  <crm_config><cluster_property_set id="cib-bootstrap-options"><nvpair id="f" name="stonith-enabled" value="false"/><nvpair id="cn" name="cluster-name" value="shop"/></cluster_property_set></crm_config>
  <nodes><node id="1" uname="n1"><instance_attributes id="nodes-1"><nvpair id="r" name="rack" value="A"/></instance_attributes><utilization id="u"><nvpair id="u1" name="cpu" value="8"/></utilization></node><node id="2" uname="n2"/></nodes>
  <resources><primitive id="a" class="ocf" provider="pacemaker" type="Dummy"><instance_attributes id="a-i"><nvpair id="a-f" name="fake" value="secret"/></instance_attributes><meta_attributes id="a-m"><nvpair id="a-t" name="target-role" value="Started"/></meta_attributes><operations><op id="a-o" name="monitor" interval="10s"/></operations></primitive></resources>
  <constraints><rsc_location id="cli-prefer-a" rsc="a" node="n1" score="INFINITY" role="Started"/></constraints>
  <fencing-topology><fencing-level id="fl" target="n1" index="1" devices="x"/></fencing-topology>
  <acls><acl_role id="most"><acl_permission id="all" kind="read" xpath="/cib"/>${permissions.join("")}</acl_role><acl_target id="joe"><role id="most"/></acl_target></acls>
  <tags><tag id="t"><obj_ref id="a"/></tag></tags><alerts><alert id="al" path="/bin/true"/></alerts>
  </configuration><status><tickets><ticket_state id="T" granted="false"/></tickets></status></cib>`;

let directory = "";
let file = "";
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "hactl-lifted-"));
  file = join(directory, "cib.xml");
});
beforeEach(() => writeFileSync(file, cib));
afterAll(() => {
  rmSync(directory, { recursive: true });
  setOutputStyle({ json: false, colour: false });
});

const run = (words: readonly string[]) =>
  runHere(words, {
    CIB_file: file,
    CIB_shadow: undefined,
    CIB_user: undefined,
    HACTL_CONFIG: "/nonexistent",
  });
const wordsOf = (text: string) => text.split(" ");
const lifted = (id: string) => `permission ${id} (deny) of role most does not cover `;

const timesSaid = (err: string, id: string) => err.split(`warning: ${lifted(id)}`).length - 1;

describe("refused without --force, and said with it, where the configuration itself is changed", () => {
  test.each<[string, string]>([
    ["value", "crm_resource -r a -m -p target-role -v Stopped"],
    ["value", "crm_resource -r a -m -d target-role"],
    ["value", "cibadmin -M -X <nvpair/>"],
    ["value", "cibadmin -D -A //nvpair[@id='a-t']"],
    ["undescribed", "crm_resource -r a --element -p description -v mine"],
    ["name", "crm_attribute -n cluster-name -D"],
    ["placed", "cibadmin -D -A //rsc_location[@id='cli-prefer-a']"],
  ])("%s: %s", async (id, text) => {
    const words = wordsOf(text).map((word) =>
      word === "<nvpair/>" ? '<nvpair id="a-t" value="Stopped"/>' : word,
    );
    const refused = await run(words);
    expect(refused.code).toBe(78);
    expect(refused.err).toContain(lifted(id));
    expect(readFileSync(file, "utf8")).toBe(cib);
    const taken = await run([...words, "--force"]);
    expect([taken.code, timesSaid(taken.err, id)]).toEqual([0, 1]);
    expect(readFileSync(file, "utf8")).not.toBe(cib);
  });
});

describe("said, and taken, where a command does what its name says", () => {
  test.each<[string, string]>([
    ["value", "resource stop a"],
    ["value", "crm resource stop a"],
    ["rack", "crm_attribute -N n1 -n rack -v B"],
    ["rack", "crm_attribute -N n1 -n rack -D"],
    ["rack", "crm node attribute n1 set rack B"],
    ["placed", "crm_resource -r a -U"],
    ["placed", "resource clear a"],
    ["granted", "crm_ticket -t T -g --force"],
  ])("%s: %s", async (id, text) => {
    const { code, err } = await run(wordsOf(text));
    expect([code, timesSaid(err, id)]).toEqual([0, 1]);
    expect(readFileSync(file, "utf8")).not.toBe(cib);
  });

  test("by a program that puts a whole in place, too", async () => {
    const pair = '<nvpair id="a-t" name="target-role" value="Stopped"/>';
    const { code, err } = await run(["cibadmin", "-R", "-X", pair]);
    expect([code, timesSaid(err, "value")]).toEqual([0, 1]);
  });
});

describe("nothing is said", () => {
  test.each([
    "crm_resource -r a -p fake -v other",
    "crm_attribute -N n1 -n rack -v A",
    "crm_attribute -N n1 -n other -v 1",
    "crm_attribute -n cluster-name -v other",
    "crm_resource -r a -B -N n2 -Q",
    "crm_node -R n2 --force",
  ])("of what escapes nothing: %s", async (text) => {
    expect(await run(wordsOf(text))).toMatchObject({ code: 0, err: "" });
  });

  test("where the role is changed with it", async () => {
    const without = cib.replace('value="Started"', 'value="Stopped"').replace(permissions[0] ?? "", "");
    expect(await run(["cibadmin", "-R", "-X", without])).toMatchObject({ code: 0, err: "" });
  });
});
