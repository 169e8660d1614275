import { type Asker, type CibOperation, parseXml } from "../../src/cib/index.ts";

/** Roles as Pacemaker's documentation describes them (Pacemaker Explained, "ACL Examples"), for one small cluster. */
const acls = `<acls>
  <acl_role id="see-everything"><acl_permission id="s1" kind="read" xpath="/cib"/></acl_role>
  <acl_role id="operate">
    <acl_permission id="o1" kind="write" xpath="//crm_config//nvpair[@name='maintenance-mode']"/>
    <acl_permission id="o2" kind="write" xpath="//nvpair[@name='maintenance']"/>
    <acl_permission id="o3" kind="write" xpath="//resources//meta_attributes/nvpair[@name='target-role']"/>
    <acl_permission id="o4" kind="write" xpath="//resources//nvpair[@name='is-managed']"/>
    <acl_permission id="o5" kind="write" object-type="rsc_location"/>
  </acl_role>
  <acl_role id="rule"><acl_permission id="r1" kind="write" xpath="/cib"/></acl_role>
  <acl_role id="overview">
    <acl_permission id="v1" kind="read" xpath="//instance_attributes/nvpair[@name='standby']"/>
    <acl_permission id="v2" kind="read" xpath="//nvpair[@name='maintenance']"/>
    <acl_permission id="v3" kind="read" xpath="//resources//meta_attributes/nvpair[@name='target-role']"/>
    <acl_permission id="v4" kind="deny" xpath="//instance_attributes"/>
    <acl_permission id="v5" kind="deny" xpath="//meta_attributes"/>
    <acl_permission id="v6" kind="deny" xpath="//operations"/>
    <acl_permission id="v7" kind="read" xpath="/cib/configuration/nodes"/>
    <acl_permission id="v8" kind="read" xpath="/cib/configuration/resources"/>
    <acl_permission id="v9" kind="deny" xpath="/cib/configuration/constraints"/>
    <acl_permission id="v10" kind="deny" xpath="/cib/configuration/acls"/>
    <acl_permission id="v11" kind="read" xpath="/cib"/>
  </acl_role>
  <acl_role id="resources-only"><acl_permission id="x1" kind="deny" xpath="/cib"/><acl_permission id="x2" kind="write" xpath="//resources"/></acl_role>
  <acl_role id="all-but-resources"><acl_permission id="y1" kind="write" xpath="/cib"/><acl_permission id="y2" kind="deny" xpath="//resources"/></acl_role>
  <acl_role id="all-but-acls"><acl_permission id="z1" kind="write" xpath="/cib"/><acl_permission id="z2" kind="read" xpath="//acls"/></acl_role>
  <acl_role id="vip-only"><acl_permission id="p1" kind="write" reference="vip"/></acl_role>
  <acl_role id="described"><acl_permission id="d1" kind="read" xpath="/cib"/><acl_permission id="d2" kind="write" object-type="primitive" attribute="description"/></acl_role>
  <acl_role id="not-its-parameters"><acl_permission id="u1" kind="read" xpath="/cib"/><acl_permission id="u2" kind="write" reference="vip"/><acl_permission id="u3" kind="deny" xpath="//instance_attributes"/></acl_role>
  <acl_role id="not-constraints"><acl_permission id="k1" kind="write" xpath="/cib"/><acl_permission id="k2" kind="deny" xpath="//constraints"/></acl_role>
  <acl_role id="nothing"><acl_permission id="n1" kind="deny" xpath="/cib"/></acl_role>
  <acl_role id="puzzling"><acl_permission id="q1" kind="write" xpath="/cib"/><acl_permission id="q2" kind="deny" xpath="//nvpair[matches(@name,'pass.*')]"/></acl_role>
  <acl_target id="alice"><role id="overview"/></acl_target>
  <acl_target id="bob"><role id="see-everything"/></acl_target>
  <acl_target id="carol"><role id="see-everything"/><role id="operate"/></acl_target>
  <acl_target id="dave"><role id="rule"/></acl_target>
  <acl_target id="mike"><role id="resources-only"/></acl_target>
  <acl_target id="chris"><role id="all-but-resources"/></acl_target>
  <acl_target id="olga"><role id="all-but-acls"/></acl_target>
  <acl_target id="t-1" name="vip"><role id="vip-only"/></acl_target>
  <acl_target id="erin"><role id="described"/></acl_target>
  <acl_target id="mallory"><role id="nothing"/></acl_target>
  <acl_target id="frank"><role id="rule"/><role id="nothing"/></acl_target>
  <acl_target id="quentin"><role id="puzzling"/></acl_target>
  <acl_target id="pia"><role id="not-its-parameters"/></acl_target>
  <acl_target id="max"><role id="not-constraints"/></acl_target>
  <acl_target id="rex"><role id="see-everything"/><role id="vip-only"/></acl_target>
  <acl_target id="empty"/>
  <acl_group id="operators"><role id="see-everything"/><role id="operate"/></acl_group>
  <acl_group id="g-1" name="web"><role id="vip-only"/></acl_group>
</acls>`;

/** A small CIB with these access rules. */
export const document = (enabled = "true") =>
  parseXml(`<cib admin_epoch="1" epoch="5" num_updates="9" validate-with="pacemaker-3.9" dc-uuid="1" have-quorum="1"><configuration>
  <crm_config><cluster_property_set id="cib-bootstrap-options">
    <nvpair id="c1" name="enable-acl" value="${enabled}"/><nvpair id="c2" name="maintenance-mode" value="false"/>
    <nvpair id="c3" name="stonith-enabled" value="false"/></cluster_property_set></crm_config>
  <nodes><node id="1" uname="n1"><instance_attributes id="n1-i"><nvpair id="n1-s" name="standby" value="off"/><nvpair id="n1-k" name="site" value="hall"/></instance_attributes></node></nodes>
  <resources>
    <primitive id="vip" class="ocf" provider="heartbeat" type="Dummy"><instance_attributes id="vip-i"><nvpair id="vip-p" name="passwd" value="secret"/></instance_attributes><meta_attributes id="vip-m"><nvpair id="vip-t" name="target-role" value="Started"/></meta_attributes></primitive>
    <primitive id="web" class="ocf" provider="heartbeat" type="Dummy" description="the site"/>
    <group id="g"><primitive id="m1" class="ocf" provider="heartbeat" type="Dummy"/><primitive id="m2" class="ocf" provider="heartbeat" type="Dummy"/></group>
  </resources>
  <constraints><rsc_location id="l" rsc="vip" node="n1" score="5"/><rsc_order id="ord" first="vip" then="web"/></constraints>
  ${acls}</configuration>
  <status><node_state id="1" uname="n1" crmd="online"><transient_attributes id="1"><instance_attributes id="status-1"><nvpair id="status-1-load" name="load" value="7"/></instance_attributes></transient_attributes></node_state></status></cib>`);

export const user = (name: string, ...groups: string[]): Asker => ({ user: name, groups });
/** When it is asked. */
export const at = 1_700_000_000;

/** What is asked for. */
export const requests = {
  "switch maintenance on": {
    op: "modify",
    xml: '<nvpair id="c2" name="maintenance-mode" value="true"/>',
  },
  "let the cluster fence": { op: "modify", xml: '<nvpair id="c3" name="stonith-enabled" value="true"/>' },
  "switch access rules off": { op: "modify", xml: '<nvpair id="c1" name="enable-acl" value="false"/>' },
  "add a property": {
    op: "modify",
    xml: '<cluster_property_set id="cib-bootstrap-options"><nvpair id="c9" name="no-quorum-policy" value="ignore"/></cluster_property_set>',
  },
  "stop the address": { op: "modify", xml: '<nvpair id="vip-t" name="target-role" value="Stopped"/>' },
  "stop a resource that has no meta attributes": {
    op: "modify",
    xml: '<primitive id="web"><meta_attributes id="web-m"><nvpair id="web-t" name="target-role" value="Stopped"/></meta_attributes></primitive>',
  },
  "let it be unmanaged": {
    op: "modify",
    xml: '<meta_attributes id="vip-m"><nvpair id="vip-u" name="is-managed" value="false"/></meta_attributes>',
  },
  "put a node into maintenance": {
    op: "modify",
    xml: '<instance_attributes id="n1-i"><nvpair id="n1-m" name="maintenance" value="true"/></instance_attributes>',
  },
  "put a node into standby": { op: "modify", xml: '<nvpair id="n1-s" name="standby" value="on"/>' },
  "change a parameter": { op: "modify", xml: '<nvpair id="vip-p" name="passwd" value="mine"/>' },
  "describe the site": { op: "modify", xml: '<primitive id="web" description="new"/>' },
  "describe the address": { op: "modify", xml: '<primitive id="vip" description="new"/>' },
  "add a resource": {
    op: "create",
    xml: '<primitive id="own" class="lsb" type="own"/>',
  },
  "remove a resource": { op: "delete", xpath: "//group[@id='g']/primitive[2]" },
  "prefer a node": {
    op: "create",
    xml: '<rsc_location id="l2" rsc="web" node="n1" score="1"/>',
  },
  "prefer it no more": { op: "delete", xml: '<rsc_location id="l"/>' },
  "order resources": { op: "create", xml: '<rsc_order id="ord2" first="web" then="g"/>' },
  "make oneself administrator": {
    op: "create",
    xml: '<acl_target id="eve"><role id="rule"/></acl_target>',
  },
  "change an attribute of the status": {
    op: "modify",
    xml: '<nvpair id="status-1-load" name="load" value="8"/>',
    scope: "status",
  },
  "erase everything": { op: "erase" },
  "count the version up": { op: "bump" },
} satisfies Readonly<Record<string, CibOperation>>;

const all = Object.keys(requests);
const stops = ["stop the address", "stop a resource that has no meta attributes"];
const operates = [
  "switch maintenance on",
  ...stops,
  "let it be unmanaged",
  "put a node into maintenance",
  "prefer a node",
  "prefer it no more",
];
const inResources = [
  ...stops,
  "let it be unmanaged",
  "change a parameter",
  "describe the site",
  "describe the address",
  "add a resource",
  "remove a resource",
];

/** Who may do what: everything else is denied. */
export const permitted: readonly (readonly [string, Asker, readonly string[]])[] = [
  ["alice, who has the overview", user("alice"), []],
  ["bob, who sees everything", user("bob"), []],
  ["carol, who operates", user("carol"), operates],
  ["dave, who rules", user("dave"), all],
  ["somebody of whom the rules say nothing", user("eve"), []],
  ["a target without a role", user("empty"), []],
  ["somebody in a group that operates", user("gina", "users", "operators"), operates],
  ["somebody in a group that is called otherwise", user("gina", "g-1"), []],
  [
    "somebody in a group by its name",
    user("gina", "web"),
    ["stop the address", "let it be unmanaged", "change a parameter", "describe the address"],
  ],
  ["somebody called like a group", user("operators"), []],
  [
    "a user whose name is the id of a resource",
    user("vip"),
    ["stop the address", "let it be unmanaged", "change a parameter", "describe the address"],
  ],
  ["a user called like the id of another's target", user("t-1"), []],
  ["mike: resources, nothing else", user("mike"), inResources],
  [
    "chris: all but resources",
    user("chris"),
    all.filter((name) => !inResources.includes(name) && name !== "erase everything"),
  ],
  [
    "olga: all, but access rules only to look at",
    user("olga"),
    all.filter((name) => !["make oneself administrator", "erase everything"].includes(name)),
  ],
  [
    "erin: resources that are described",
    user("erin"),
    ["stop a resource that has no meta attributes", "describe the site"],
  ],
  ["mallory: nothing", user("mallory"), []],
  ["frank: two rules for the same, deny counts", user("frank"), []],
  ["quentin: a rule that is not understood", user("quentin"), []],
];
