/**
 * What we write is valid by Pacemaker's own schema, whatever it was made from.
 * Needs: apt-get install --no-install-recommends pacemaker-common libxml2-utils
 */
import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  applyOperations,
  canonicalSchema,
  cibOf,
  formatCrm,
  formatXml,
  loadCrm,
  parseXml,
  upgradeCib,
} from "../../src/cib/index.ts";

const directory = mkdtempSync(join(tmpdir(), "hactl-schema-"));
afterAll(() => rmSync(directory, { recursive: true }));
const schema = `/usr/share/pacemaker/${canonicalSchema}.rng`;
const shared = join(import.meta.dir, "../../../shared");

/** Names of the documents that are not valid. */
function invalid(documents: ReadonlyMap<string, string>): string[] {
  const names = [...documents.keys()];
  for (const [name, text] of documents) writeFileSync(join(directory, name), text);
  const { stderr } = Bun.spawnSync(["xmllint", "--noout", "--relaxng", schema, ...names], { cwd: directory });
  const said = stderr.toString();
  const judged = names.filter(
    (name) => said.includes(`${name} validates`) || said.includes(`${name} fails to validate`),
  );
  expect(judged).toEqual(names);
  return names.filter((name) => said.includes(`${name} fails to validate`));
}

describe("the schema of Pacemaker accepts", () => {
  const texts = [
    ...readdirSync(join(shared, "examples"))
      .filter((name) => name.endsWith(".crm"))
      .map((name) => join(shared, "examples", name)),
    join(import.meta.dir, "../cib/everything.crm"),
    join(import.meta.dir, "crmsh.crm"),
  ];

  test("configurations loaded from crm text", () => {
    const documents = new Map(
      texts.map((path, index) => [
        `${index}.xml`,
        formatXml(cibOf(loadCrm(readFileSync(path, "utf8"), undefined, "update"))),
      ]),
    );
    expect(documents.size).toBeGreaterThan(4);
    expect(invalid(documents)).toEqual([]);
  });

  test("CIBs of all kinds after the upgrade, and again from their text", () => {
    const cases = join(shared, "conformance/scheduler/xml");
    const documents = new Map<string, string>();
    for (const name of readdirSync(cases)) {
      const { root } = upgradeCib(parseXml(readFileSync(join(cases, name), "utf8")));
      if (root.attributes.get("validate-with") !== canonicalSchema) continue;
      documents.set(name, formatXml(root));
      documents.set(`text-${name}`, formatXml(cibOf(loadCrm(formatCrm(root), undefined, "update"))));
    }
    expect(documents.size).toBeGreaterThan(900);
    // This one is wrong on purpose.
    expect(invalid(documents)).toEqual(["order-wrong-kind.xml", "text-order-wrong-kind.xml"]);
  }, 60_000);

  test("documents of old schemas", () => {
    const master =
      '<master id="m"><meta_attributes id="mm"><nvpair id="x" name="master-max" value="2"/></meta_attributes><primitive id="r" class="ocf" provider="pacemaker" type="Stateful"><operations><op id="o" name="start" interval="0" requires="nothing" on_fail="block"/></operations></primitive></master>';
    const documents = new Map([
      [
        "zero.xml",
        `<cib have_quorum="true" generated="true" epoch="1" validate-with="transitional-0.6"><configuration><crm_config><cluster_property_set id="p"><attributes><nvpair id="a" name="no_quorum_policy" value="ignore"/><nvpair id="b" name="default_resource_stickiness" value="1"/></attributes></cluster_property_set></crm_config>
         <nodes><node id="n" uname="n1" type="normal"/></nodes><resources><clone id="c" notify="true"><instance_attributes id="ci"><attributes><nvpair id="cm" name="clone_max" value="2"/></attributes></instance_attributes><primitive id="q" class="lsb" type="x" is_managed="true"/></clone></resources>
         <constraints><rsc_order id="o" from="c" type="before" to="c"/><rsc_colocation id="k" from="c" to="c" score="5"/></constraints></configuration><status/></cib>`,
      ],
      [
        "one.xml",
        `<cib validate-with="pacemaker-1.2" epoch="1"><configuration><resources>${master}</resources><acls><acl_user id="u"><read id="ar" xpath="/cib"/></acl_user></acls></configuration></cib>`,
      ],
      [
        "two.xml",
        `<cib validate-with="pacemaker-2.10" epoch="1"><configuration><crm_config><cluster_property_set id="p"><nvpair id="a" name="is-managed-default" value="true"/></cluster_property_set></crm_config><resources>${master}</resources></configuration></cib>`,
      ],
      [
        "none.xml",
        `<cib validate-with="none"><configuration><resources>${master}</resources></configuration></cib>`,
      ],
    ]);
    for (const [name, text] of documents) documents.set(name, formatXml(upgradeCib(parseXml(text)).root));
    expect(invalid(documents)).toEqual([]);
  });

  test("what operations leave", () => {
    const start = cibOf(loadCrm("node n1\nprimitive a Dummy", undefined, "update"));
    const { cib } = applyOperations(start, [
      {
        op: "create",
        xml: '<primitive id="b" class="ocf" provider="pacemaker" type="Stateful"><operations><op name="monitor" interval="5" role="Master"/></operations></primitive>',
      },
      {
        op: "create",
        xml: '<rsc_location id="l" rsc="b"><rule score="5"><expression attribute="#uname" operation="eq" value="n1"/></rule></rsc_location>',
      },
      { op: "create", xml: '<tag id="t"><obj_ref id="a"/></tag>' },
      {
        op: "modify",
        xml: '<cluster_property_set id="x"><nvpair name="batch-limit" value="5"/></cluster_property_set>',
        create: true,
      },
      { op: "delete", xpath: "//primitive[@id='zz']" },
    ]);
    expect(invalid(new Map([["edited.xml", formatXml(cib)]]))).toEqual([]);
  });
});
