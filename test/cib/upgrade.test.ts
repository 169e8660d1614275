import { describe, expect, test } from "bun:test";
import { canonicalSchema, child, formatXml, parseXml, upgradeCib } from "../../src/cib/index.ts";
import { HactlError } from "../../src/terms/index.ts";

/** A section of the upgraded configuration, on one line. */
function upgraded(section: string, xml: string): string {
  const { root } = upgradeCib(parseXml(`<cib><configuration>${xml}</configuration></cib>`));
  const found = child(child(root, "configuration"), section);
  return found === undefined ? "" : formatXml(found, -1);
}

describe("the document", () => {
  test("any schema becomes the canonical one; a newer one keeps its name", () => {
    const schema = (text: string) => upgradeCib(parseXml(text)).root.attributes.get("validate-with");
    expect(schema("<cib/>")).toBe(canonicalSchema);
    for (const old of [
      "none",
      "transitional-0.6",
      "pacemaker-0.6",
      "pacemaker-1.0",
      "pacemaker-2.10",
      "pacemaker-3.9",
    ])
      expect(schema(`<cib validate-with="${old}"/>`)).toBe(canonicalSchema);
    expect(schema('<cib validate-with="pacemaker-3.10"/>')).toBe("pacemaker-3.10");
    expect(schema('<cib validate-with="pacemaker-4.0"/>')).toBe("pacemaker-4.0");
  });

  test("all sections and version numbers are there afterwards; old attributes have their new names", () => {
    const { root } = upgradeCib(parseXml('<cib have_quorum="1" generated="true" epoch="7"/>'));
    expect(formatXml(root, -1)).toBe(
      `<cib have-quorum="1" epoch="7" admin_epoch="0" num_updates="0" validate-with="${canonicalSchema}"><configuration><crm_config/><nodes/><resources/><constraints/></configuration><status/></cib>`,
    );
  });

  test("the input stays as it is, the status is shared", () => {
    const source = parseXml(
      '<cib><configuration><resources><master id="m"/></resources></configuration><status><x/></status></cib>',
    );
    const before = formatXml(source);
    const { root } = upgradeCib(source);
    expect(formatXml(source)).toBe(before);
    expect(child(root, "status")).toBe(child(source, "status") as never);
  });

  test("another document is refused", () => {
    expect(() => upgradeCib(parseXml("<html/>"))).toThrow(HactlError);
  });

  test("an upgraded document is not changed by another upgrade", () => {
    const old = `<cib><configuration><crm_config><cluster_property_set id="p"><nvpair id="a" name="default-resource-stickiness" value="5"/></cluster_property_set></crm_config>
      <resources><master id="m"><meta_attributes id="mm"><nvpair id="x" name="master-max" value="2"/></meta_attributes><primitive id="r" class="ocf" provider="pacemaker" type="Stateful"/></master></resources></configuration></cib>`;
    const once = upgradeCib(parseXml(old)).root;
    expect(formatXml(upgradeCib(once).root)).toBe(formatXml(once));
  });
});

describe("properties", () => {
  const set = (pairs: string) =>
    `<crm_config><cluster_property_set id="p">${pairs}</cluster_property_set></crm_config>`;

  test("names with _ and names that changed", () => {
    const xml = set(
      '<nvpair id="a" name="no_quorum_policy" value="ignore"/><nvpair id="b" name="transition_idle_timeout" value="60s"/><nvpair id="c" name="own_thing" value="1"/><nvpair id="d" name="stonith-action" value="poweroff"/>',
    );
    expect(upgraded("crm_config", xml)).toBe(
      '<crm_config><cluster_property_set id="p"><nvpair id="a" name="no-quorum-policy" value="ignore"/><nvpair id="b" name="cluster-delay" value="60s"/><nvpair id="c" name="own_thing" value="1"/><nvpair id="d" name="stonith-action" value="off"/></cluster_property_set></crm_config>',
    );
  });

  test("old defaults move behind those that are configured as such", () => {
    const xml = `${set('<nvpair id="a" name="default-resource-stickiness" value="5"/><nvpair id="b" name="default_action_timeout" value="30s"/>')}
      <rsc_defaults><meta_attributes id="own"><nvpair id="o" name="resource-stickiness" value="1"/></meta_attributes></rsc_defaults>`;
    expect(upgraded("rsc_defaults", xml)).toBe(
      '<rsc_defaults><meta_attributes id="own"><nvpair id="o" name="resource-stickiness" value="1"/></meta_attributes><meta_attributes id="p-rsc_defaults"><nvpair id="p-rsc_defaults-resource-stickiness" name="resource-stickiness" value="5"/></meta_attributes></rsc_defaults>',
    );
    expect(upgraded("op_defaults", xml)).toContain('name="timeout" value="30s"');
    expect(upgraded("crm_config", xml)).toBe('<crm_config><cluster_property_set id="p"/></crm_config>');
  });

  test("failure stickiness, infrastructure, votes", () => {
    const xml = set(
      '<nvpair id="a" name="default-resource-failure-stickiness" value="-INFINITY"/><nvpair id="b" name="cluster-infrastructure" value="cman"/><nvpair id="c" name="expected-quorum-votes" value="3"/>',
    );
    expect(upgraded("crm_config", xml)).toBe('<crm_config><cluster_property_set id="p"/></crm_config>');
    expect(upgraded("rsc_defaults", xml)).toContain('name="migration-threshold" value="1"');
  });

  test("what is dropped is said, with id and line", () => {
    const { notes } = upgradeCib(
      parseXml(
        `<cib><configuration>\n${set('<nvpair id="a" name="notification-agent" value="/x"/>')}</configuration></cib>`,
      ),
    );
    expect(notes).toEqual([expect.objectContaining({ level: "info", id: "a", line: 2 })]);
  });

  test("pairs without a set, or within <attributes>, as before 1.0", () => {
    expect(upgraded("crm_config", '<crm_config><nvpair id="a" name="x" value="1"/></crm_config>')).toBe(
      '<crm_config><cluster_property_set id="cib-bootstrap-options"><nvpair id="a" name="x" value="1"/></cluster_property_set></crm_config>',
    );
    expect(
      upgraded("crm_config", set('<attributes><nvpair id="a" name="x" value="1"/></attributes>')),
    ).not.toContain("<attributes>");
  });
});

describe("resources", () => {
  const resources = (xml: string) => upgraded("resources", `<resources>${xml}</resources>`).slice(11, -12);

  test("a master is a promotable clone", () => {
    expect(
      resources(
        '<master id="m"><meta_attributes id="x"><nvpair id="n" name="master-max" value="2"/></meta_attributes><primitive id="p"/></master>',
      ),
    ).toBe(
      '<clone id="m"><meta_attributes id="x"><nvpair id="n" name="promoted-max" value="2"/><nvpair id="x-promotable" name="promotable" value="true"/></meta_attributes><primitive id="p"/></clone>',
    );
    expect(resources('<master id="m"><primitive id="p"/></master>')).toBe(
      '<clone id="m"><meta_attributes id="m-meta_attributes"><nvpair id="m-meta_attributes-promotable" name="promotable" value="true"/></meta_attributes><primitive id="p"/></clone>',
    );
  });

  test("a block with a rule or from elsewhere does not get what holds always", () => {
    const xml =
      '<master id="m"><meta_attributes id-ref="other"/><meta_attributes id="r"><rule id="q"/></meta_attributes><primitive id="p"/></master>';
    expect(resources(xml)).toContain('<meta_attributes id="m-meta_attributes"><nvpair');
  });

  test("roles have their new names", () => {
    const xml =
      '<primitive id="p"><meta_attributes id="x"><nvpair id="n" name="target-role" value="Slave"/></meta_attributes><operations><op id="o" name="monitor" interval="5" role="Master"/></operations></primitive>';
    expect(resources(xml)).toContain('value="Unpromoted"');
    expect(resources(xml)).toContain('role="Promoted"');
  });

  test("requires of start counts for the resource, of others not; parameters that are properties move", () => {
    const xml = `<primitive id="p"><operations><op id="a" name="start" interval="0" requires="nothing"/><op id="b" name="stop" interval="0" requires="quorum"/>
      <op id="c" name="monitor" interval="5" timeout="1s"><instance_attributes id="i"><nvpair id="t" name="timeout" value="9s"/><nvpair id="f" name="on-fail" value="block"/><nvpair id="k" name="depth" value="1"/></instance_attributes></op></operations></primitive>`;
    expect(resources(xml)).toBe(
      '<primitive id="p"><meta_attributes id="p-meta_attributes"><nvpair id="p-meta_attributes-requires" name="requires" value="nothing"/></meta_attributes><operations><op id="a" name="start" interval="0"/><op id="b" name="stop" interval="0"/><op id="c" name="monitor" interval="5" timeout="1s"><instance_attributes id="i"><nvpair id="k" name="depth" value="1"/></instance_attributes><meta_attributes id="c-meta_attributes"><nvpair id="f" name="on-fail" value="block"/></meta_attributes></op></operations></primitive>',
    );
  });

  test("parameters of fence devices", () => {
    const xml =
      '<primitive id="s" class="stonith" type="x"><instance_attributes id="i"><nvpair id="a" name="pcmk_reboot_cmd" value="off"/><nvpair id="b" name="pcmk_arg_map" value="x:y,port:plug"/></instance_attributes></primitive>';
    expect(resources(xml)).toContain('name="pcmk_reboot_action" value="off"');
    expect(resources(xml)).toContain('name="pcmk_host_argument" value="plug"');
  });

  test("attributes and parameters of the time before 1.0 are meta attributes", () => {
    const xml =
      '<clone id="c" notify="true" globally_unique="false"><instance_attributes id="i"><attributes><nvpair id="a" name="clone_max" value="2"/></attributes></instance_attributes><primitive id="p" is_managed="false"><operations><op id="o" name="monitor" interval="5" on_fail="stop" disabled="true" prereq="quorum"/></operations></primitive></clone>';
    const result = resources(xml);
    for (const part of [
      'name="notify" value="true"',
      'name="globally-unique" value="false"',
      'name="clone-max" value="2"',
      'name="is-managed" value="false"',
      'on-fail="stop" enabled="false"',
    ])
      expect(result).toContain(part);
  });
});

describe("constraints and rules", () => {
  const constraints = (xml: string) =>
    upgraded("constraints", `<constraints>${xml}</constraints>`).slice(13, -14);

  test.each([
    [
      '<rsc_colocation id="c" from="a" to="b" score="5"/>',
      '<rsc_colocation id="c" rsc="a" with-rsc="b" score="5"/>',
    ],
    ['<rsc_order id="o" from="a" type="before" to="b"/>', '<rsc_order id="o" first="a" then="b"/>'],
    [
      '<rsc_order id="o" from="a" to="b" action="start" to_action="promote"/>',
      '<rsc_order id="o" then="a" first="b" then-action="start" first-action="promote"/>',
    ],
    [
      '<rsc_colocation id="c" rsc="a" with-rsc="b" rsc-role="Master" with-rsc-role="Slave" score-attribute="x"/>',
      '<rsc_colocation id="c" rsc="a" with-rsc="b" rsc-role="Promoted" with-rsc-role="Unpromoted"/>',
    ],
    [
      '<rsc_location id="l" rsc="a"><rule id="r" role="master" boolean_op="or"/></rsc_location>',
      '<rsc_location id="l" rsc="a"><rule id="r" role="Promoted" boolean-op="or"/></rsc_location>',
    ],
    [
      '<rsc_ticket id="t" rsc="a" rsc-role="Master" ticket="x"/>',
      '<rsc_ticket id="t" rsc="a" rsc-role="Promoted" ticket="x"/>',
    ],
    [
      '<rsc_order id="o"><resource_set id="s" role="Slave"/></rsc_order>',
      '<rsc_order id="o"><resource_set id="s" role="Unpromoted"/></rsc_order>',
    ],
  ])("%s", (before, after) => {
    expect(constraints(before)).toBe(after);
  });
});

test("access rules of schemas before 2.0", () => {
  const xml = `<acls><acl_role id="r"><read id="a" tag="node" attribute="uname"/><write id="b" ref="x"/><deny id="c" xpath="//p" attribute="q"/></acl_role>
    <acl_user id="u"><role_ref id="r"/></acl_user><acl_user id="v"><read id="d" xpath="/cib"/></acl_user></acls>`;
  expect(upgraded("acls", xml)).toBe(
    '<acls><acl_role id="r"><acl_permission id="a" kind="read" object-type="node" attribute="uname"/><acl_permission id="b" kind="write" reference="x"/><acl_permission id="c" kind="deny" xpath="//p[@q]"/></acl_role><acl_target id="u"><role id="r"/></acl_target><acl_target id="v"><role id="auto-v"/></acl_target><acl_role id="auto-v"><acl_permission id="d" kind="read" xpath="/cib"/></acl_role></acls>',
  );
});
