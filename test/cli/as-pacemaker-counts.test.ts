/** What Pacemaker's tools leave in a file: versions, places of meta attributes, ids, the schema. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseXml, selectXpath } from "../../src/cib/index.ts";
import { setOutputStyle } from "../../src/cli/output.ts";
import { runHere } from "./rehearsal.ts";

const dummy = (id: string, inner = "") =>
  `<primitive id="${id}" class="ocf" provider="pacemaker" type="Dummy">${inner}</primitive>`;
const managed = (id: string) =>
  `<meta_attributes id="${id}-meta_attributes"><nvpair id="${id}-m" name="is-managed" value="true"/></meta_attributes>`;

const cibOf = (schema: string, resources: string, constraints = "") =>
  `<cib validate-with="${schema}" admin_epoch="0" epoch="5" num_updates="2"><configuration>
  <crm_config><cluster_property_set id="cib-bootstrap-options"><nvpair id="f" name="stonith-enabled" value="false"/></cluster_property_set></crm_config>
  <nodes><node id="1" uname="n1"/></nodes><resources>${resources}</resources><constraints>${constraints}</constraints>
  </configuration><status><node_state id="1" uname="n1" in_ccm="true" crmd="online" join="member" expected="member"/></status></cib>`;

let directory = "";
let file = "";
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "hactl-counts-"));
  file = join(directory, "cib.xml");
});
afterAll(() => {
  rmSync(directory, { recursive: true });
  setOutputStyle({ json: false, colour: false });
});

const run = (...words: readonly string[]) =>
  runHere(words, {
    CIB_file: file,
    CIB_shadow: undefined,
    CIB_user: undefined,
    HACTL_CONFIG: "/nonexistent",
  });
const root = () => parseXml(readFileSync(file, "utf8"));
const version = () =>
  ["admin_epoch", "epoch", "num_updates"].map((name) => root().attributes.get(name)).join(".");
const attributes = (xpath: string) =>
  selectXpath(root(), xpath).map(({ element }) => Object.fromEntries(element.attributes));

describe("the version of a file", () => {
  test("each node that comes and each result of a rehearsal kept in place counts", async () => {
    writeFileSync(file, cibOf("pacemaker-3.9", dummy("d")).replace("<cib ", '<cib have-quorum="1" '));
    expect((await run("crm_simulate", "-L", "--in-place", "-u", "n2", "-Q")).code).toBe(0);
    // The node is a change of the configuration; its entry, its state, two probes and a start are changes of the status.
    expect(version()).toBe("0.6.5");
    expect(attributes("//node_state[@uname='n2']")[0]).toMatchObject({ "crm-debug-origin": "crm_simulate" });
    const [started] = attributes("//lrm_rsc_op[@operation='start']");
    expect(started?.["transition-key"]).toStartWith(`${started?.["call-id"]}:-1:0:`);
  });

  test("a move counts what it removes and what it makes; a ban leaves the preference", async () => {
    writeFileSync(file, cibOf("pacemaker-3.9", dummy("d")));
    expect((await run("crm_resource", "-r", "d", "-M", "-N", "n1")).code).toBe(0);
    expect(version()).toBe("0.6.0");
    expect((await run("crm_resource", "-r", "d", "-M", "-N", "n1", "--lifetime", "PT1H")).code).toBe(0);
    expect(version()).toBe("0.8.0");
    expect((await run("crm_resource", "-r", "d", "-B", "-N", "n1", "--lifetime", "PT1H")).code).toBe(0);
    expect(version()).toBe("0.9.0");
    expect(attributes("//rsc_location").map(({ id }) => id)).toEqual(["cli-prefer-d", "cli-ban-d-on-n1"]);
    expect(attributes("//rule | //expression | //date_expression").map(({ id }) => id)).toEqual([
      "cli-prefer-rule-d",
      "cli-prefer-expr-d",
      "cli-prefer-lifetime-end-d",
      "cli-ban-d-on-n1-rule",
      "cli-ban-d-on-n1-expr",
      "cli-ban-d-on-n1-lifetime",
    ]);
  });

  test("a lifetime that goes beyond all dates ends with the last of them", async () => {
    for (const length of ["P9000Y", "P300000Y"]) {
      writeFileSync(file, cibOf("pacemaker-3.9", dummy("d")));
      expect((await run("crm_resource", "-r", "d", "-M", "-N", "n1", "--lifetime", length)).code).toBe(0);
      expect(attributes("//date_expression")).toMatchObject([{ end: "9999-12-31 23:59:59Z" }]);
    }
  });

  test("of an upgrade begins anew below a higher admin_epoch", async () => {
    writeFileSync(file, cibOf("pacemaker-3.0", dummy("d")));
    expect((await run("cibadmin", "--upgrade", "--force")).code).toBe(0);
    expect(version()).toBe("1.2.0");
    expect(root().attributes.get("validate-with")).toBe("pacemaker-3.9");
  });
});

describe("crm_resource", () => {
  test("--element sets and removes an attribute of the resource itself, and counts each time", async () => {
    writeFileSync(file, cibOf("pacemaker-3.9", dummy("d")));
    const words = ["crm_resource", "-r", "d", "--element"];
    expect((await run(...words, "-p", "description", "-v", "mine")).out).toBe(
      "Set attribute: name=description value=mine\n",
    );
    expect(attributes("//primitive")[0]?.description).toBe("mine");
    expect((await run(...words, "-g", "description")).out).toBe("mine\n");
    await run(...words, "-p", "description", "-v", "mine");
    expect(version()).toBe("0.7.0");
    expect((await run(...words, "-d", "description")).out).toBe("Deleted attribute: description\n");
    expect(attributes("//primitive")[0]).not.toHaveProperty("description");
    expect((await run(...words, "-g", "nothing")).code).toBe(0);
  });

  test("--meta of a group goes to the members that have it, too, and all that have it are told", async () => {
    writeFileSync(
      file,
      cibOf("pacemaker-3.9", `<group id="g">${dummy("a", managed("a"))}${dummy("b")}</group>`),
    );
    const { out } = await run("crm_resource", "-r", "g", "--meta", "-p", "is-managed", "-v", "false");
    expect(out).toBe(
      "Set 'a' option: id=a-m name=is-managed value=false\n" +
        "Set 'g' option: id=g-meta_attributes-is-managed set=g-meta_attributes name=is-managed value=false\n",
    );
    expect(version()).toBe("0.7.0");
    const again = await run("crm_resource", "-r", "g", "--meta", "-d", "is-managed");
    expect(again.out).toStartWith("Multiple attributes match name=is-managed\n  Value: false \t(id=a-m)\n");
    expect(attributes("//nvpair[@name='is-managed']")).toEqual([]);
  });

  test("--digests hashes the parameters by what the history says of them", async () => {
    const history = `<lrm id="1"><lrm_resources><lrm_resource id="d" class="ocf" provider="pacemaker" type="Dummy"><lrm_rsc_op id="d_last_0" operation_key="d_start_0" operation="start" crm_feature_set="3.6.3" transition-key="8:55:0:u" transition-magic="0:0;8:55:0:u" on_node="n1" call-id="4" rc-code="0" op-status="0" interval="0" op-digest="x" op-force-restart="  passwd  " op-restart-digest="y" op-secure-params="  passwd  " op-secure-digest="z"/></lrm_resource></lrm_resources></lrm>`;
    const parameters = `<instance_attributes id="i"><nvpair id="i1" name="fake" value="0"/><nvpair id="i2" name="passwd" value="secret"/></instance_attributes>`;
    const text = cibOf("pacemaker-3.9", dummy("d", parameters));
    writeFileSync(file, text.replace('expected="member"/>', `expected="member">${history}</node_state>`));
    const { out } = await run("crm_resource", "--digests", "-r", "d", "-N", "n1");
    // By Pacemaker 2.1.5 of the same parameters.
    expect(out).toBe(
      "Digests for d start action on n1:\n  * 3acdbe4c12734ebeb1251a59545af936 (all parameters)\n" +
        "  * 279c477dbc38c621904a00ab9e599b2f (non-private parameters)\n  * 5de1fd72a2e7762ed41543231034f6d7 (non-reloadable parameters)\n",
    );
    const other = await run("crm_resource", "--digests", "-r", "d", "-N", "n1", "CRM_meta_interval=10000");
    expect(other.out).toStartWith("Digests for d 10000ms-interval start action on n1:\n");
    // What is given counts before what is configured: that is what it is given for.
    const given = await run("crm_resource", "--digests", "-r", "d", "-N", "n1", "fake=7", "more=8");
    writeFileSync(file, readFileSync(file, "utf8").replace('name="fake" value="0"', 'name="fake" value="7"'));
    const configured = await run("crm_resource", "--digests", "-r", "d", "-N", "n1", "more=8");
    expect(given.out).toBe(configured.out);
    expect(given.out).not.toBe(out);
  });

  test("an agent alone is for --validate and --force-…", async () => {
    const agent = ["--class", "ocf", "--provider", "pacemaker", "--agent", "Dummy"];
    expect((await run("crm_resource", "-r", "d", ...agent)).code).toBe(64);
    expect((await run("crm_resource", ...agent, "-D")).code).toBe(64);
    expect((await run("crm_resource", "--validate", "--class", "ocf", "--agent", "Dummy")).code).toBe(64);
  });
});

describe("the schema of a file", () => {
  const old = cibOf("pacemaker-1.2", dummy("a") + dummy("b"), '<rsc_order id="o" first="a" then="b"/>');

  test("stays as it is named, and what is newer is refused", async () => {
    writeFileSync(file, old);
    expect((await run("cibadmin", "-C", "-o", "configuration", "-X", "<tags/>")).code).toBe(78);
    expect(readFileSync(file, "utf8")).toBe(old);
    expect((await run("crm_attribute", "-n", "batch-limit", "-v", "3")).code).toBe(0);
    expect(root().attributes.get("validate-with")).toBe("pacemaker-1.2");
  });

  test("cannot be taken away; none takes anything", async () => {
    writeFileSync(file, old);
    const without = old.replace(' validate-with="pacemaker-1.2"', "");
    expect((await run("cibadmin", "-R", "-X", without)).code).toBe(78);
    const order = '<rsc_order id="o" first="a" first-action="break" then="b"/>';
    expect((await run("cibadmin", "-M", "-o", "constraints", "-X", order)).code).toBe(78);
    expect((await run("cibadmin", "-M", "-X", '<cib validate-with="none"/>')).code).toBe(0);
    expect(version()).toBe("0.5.3");
    expect((await run("cibadmin", "-M", "-o", "constraints", "-X", order)).code).toBe(0);
    expect(attributes("//rsc_order")[0]?.["first-action"]).toBe("break");
    writeFileSync(file, without);
    expect((await run("crm_simulate", "-x", file)).code).toBe(78);
  });

  test("a reference keeps what the upgrade takes from an operation", async () => {
    const operation =
      '<operations><op id="m" name="monitor" interval="10s"><instance_attributes id="own"><nvpair id="own-r" name="requires" value="power"/></instance_attributes></op></operations>';
    writeFileSync(
      file,
      cibOf("pacemaker-2.10", dummy("d", `${operation}<instance_attributes id-ref="own"/>`)),
    );
    expect((await run("cibadmin", "--upgrade", "--force")).code).toBe(0);
    expect(attributes("//primitive/instance_attributes")).toEqual([{ id: "_cibtr-2_own" }]);
    expect(attributes("//nvpair[@name='requires']")).toEqual([
      { id: "__cibtr-2_own__own-r", name: "requires", value: "power" },
    ]);
  });

  test("only OCF agents can be promoted", async () => {
    const clone =
      '<clone id="c"><meta_attributes id="cm"><nvpair id="cm1" name="promotable" value="true"/></meta_attributes><primitive id="s" class="systemd" type="chronyd"/></clone>';
    writeFileSync(file, cibOf("pacemaker-3.9", clone));
    expect((await run("crm_verify", "-x", file)).code).toBe(78);
  });
});

describe("cibadmin", () => {
  const rules = `<acls><acl_role id="r"><acl_permission id="p1" kind="deny" xpath="/cib/configuration/acls"/><acl_permission id="p2" kind="write" xpath="/cib/configuration/resources"/><acl_permission id="p3" kind="read" xpath="/cib"/></acl_role><acl_target id="ann"><role id="r"/></acl_target></acls></configuration>`;

  test("shows what a user may do, by names, lines or colours", async () => {
    writeFileSync(file, cibOf("pacemaker-3.9", "").replace("</configuration>", rules));
    const words = ["cibadmin", "-Q", "--user", "ann"];
    const names = (await run(...words, "--show-access=namespace")).out;
    expect(names).toStartWith("<!-- ACLs as evaluated for user ann -->\n<pcmk-access-readable:cib ");
    expect(names).toContain(
      "<pcmk-access-writable:resources/>\n    <constraints/>\n    <pcmk-access-denied:acls>",
    );
    const lines = (await run(...words, "--show-access=text")).out;
    expect(lines).toContain("\n    \n    vvv---[ WRITABLE ]---vvv\n    <resources/>\n    <constraints/>\n");
    const colours = (await run(...words, "--show-access=color")).out;
    expect(colours).toContain(
      "    \x1b[32m<resources/>\x1b[0m\n    \x1b[34m<constraints/>\x1b[0m\n    \x1b[31m<acls>\n",
    );
    expect((await run("cibadmin", "-Q", "--show-access=text")).code).toBe(64);
  });

  test("of a whole CIB given for a section it takes that section", async () => {
    writeFileSync(file, cibOf("pacemaker-3.9", dummy("a")));
    expect((await run("cibadmin", "-R", "-o", "resources", "-X", cibOf("x", dummy("b")))).code).toBe(0);
    expect(attributes("//primitive").map(({ id }) => id)).toEqual(["b"]);
    expect(root().attributes.get("validate-with")).toBe("pacemaker-3.9");
  });
});

test("crm_verify speaks of conditions that are over, or never hold, only when it is asked for remarks", async () => {
  const date = (id: string, more: string) => `<date_expression id="${id}" operation="lt" ${more}/>`;
  const rule = `<rsc_location id="l" rsc="r"><rule id="l-r" score="5" boolean-op="and">${date("d1", 'end="2009-05-26"')}</rule></rsc_location>`;
  const inVain = `<rule id="o-r" score="0"><expression id="o-e" attribute="#uname" operation="eq" value="n1"/></rule>`;
  const defaults = `<op_defaults><meta_attributes id="o">${inVain}<nvpair id="o-t" name="timeout" value="60s"/></meta_attributes></op_defaults>`;
  const cib = cibOf("pacemaker-3.9", dummy("r"), rule).replace("</configuration>", `${defaults}$&`);
  writeFileSync(file, cib);
  for (const [words, isSaid] of [
    ["-VV", false],
    ["-VVV", true],
  ] as const) {
    const { code, out, err } = await run("crm_verify", words, "-x", file);
    expect([words, code, /over for good|no node is looked at/.test(`${out}${err}`)]).toEqual([
      words,
      0,
      isSaid,
    ]);
  }
});
