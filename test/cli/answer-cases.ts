/**
 * What tools are asked, on the stage of rehearsal.ts, and what their documents then say in the newest version of the
 * schemas. Blanks within a word are written as no-break spaces; FILE is the file, DIR its directory.
 */
export interface AnswerCase {
  readonly words: string;
  readonly target: "live" | "file" | "shadow";
  /** Elements of the document before its `<status>`, without indentation, or a pattern for what changes with time. */
  readonly said: string | RegExp;
  readonly code?: number;
}

const on =
  (target: AnswerCase["target"]) =>
  (words: string, said: string | RegExp, code = 0): AnswerCase => ({ words, target, said, code });
const live = on("live");
const file = on("file");
const shadow = on("shadow");

const lines = (...all: readonly string[]) => all.join("\n");

const ticket = (attributes: string) => lines("<tickets>", `<ticket id="T"${attributes}/>`, "</tickets>");

export const answerCases: readonly AnswerCase[] = [
  live("attrd_updater -n load -Q -N n1", '<attribute name="load" value="1" host="n1"/>'),
  live("attrd_updater -n load -Q -A", '<attribute name="load" value="1" host="n1"/>'),
  live("attrd_updater -n load -U 2 -N n1", ""),
  live("attrd_updater -n load -N n1", '<attribute name="load" value="1" host="n1"/>'),
  file("attrd_updater -n none -Q -N n1", "", 78),
  file(
    "cibadmin -Q -A //acl_permission",
    lines('<output><![CDATA[<acl_permission id="reader-1" kind="read" xpath="/cib"/>', "]]></output>"),
  ),
  file(
    "cibadmin -Q -e -A //acl_permission",
    "<output><![CDATA[/cib/configuration/acls/acl_role[@id='reader']/acl_permission[@id='reader-1']]]></output>",
  ),
  file("cibadmin -Q -A //nothing", "", 105),
  file("cibadmin -B", ""),
  file("cibadmin -E", "", 107),
  file("cibadmin -a pacemaker-3.2", /validate-with="pacemaker-3\.2"/),
  file("cibadmin -a", /^<output><!\[CDATA\[<cib [\s\S]*<\/cib>\n\]\]><\/output>$/),
  file("cibadmin -5 -x FILE", /^<md5-sum digest="[0-9a-f]{32}"\/>$/),
  file("crm_attribute -N n1 -n standby -G", '<attribute name="standby" value="on" scope="nodes"/>'),
  file(
    "crm_attribute -N n1 -n standby -i nodes-1-standby -G",
    '<attribute name="standby" value="on" scope="nodes" id="nodes-1-standby"/>',
  ),
  file(
    "crm_attribute -N n1 -t nodes -P .* -G",
    lines(
      '<attribute name="standby" value="on" scope="nodes"/>',
      '<attribute name="maintenance" value="true" scope="nodes"/>',
    ),
  ),
  file("crm_attribute -N n1 -n standby -D", ""),
  file("crm_attribute -n nothing -G", "", 105),
  file("crm_attribute -n nothing -G -d 5", '<attribute name="nothing" value="5" scope="crm_config"/>'),
  file("crm_master -r st -N n1 -v 5", ""),
  file("crm_failcount -r d1 -N n1 -G", '<attribute name="fail-count-d1" value="0" scope="status"/>'),
  file("crm_standby -N n1 -G", '<attribute name="standby" value="on" scope="nodes"/>'),
  file("crm_standby -N n1 -D", ""),
  file(
    "crm_diff -O <a\u00a0id='1'/> -N <a\u00a0id='1'\u00a0b='2'/>",
    /^<patchset><!\[CDATA\[<diff format="2">\n[\s\S]*<\/diff>\n\]\]><\/patchset>$/,
    1,
  ),
  file("crm_diff -O <a/> -N <a/>", ""),
  file("crm_error 2", '<result-code code="2" description="No such file or directory"/>'),
  file("crm_error -X -n 105", '<result-code code="105" name="CRM_EX_NOSUCH" description="No such object"/>'),
  live("crm_node -n", '<node-info nodeid="1" uname="n1"/>'),
  live("crm_node -i", '<node-info nodeid="1"/>'),
  live("crm_node -N 2", '<node-info nodeid="2" uname="n2"/>'),
  live("crm_node -N 9", "", 105),
  live("crm_node -q", '<cluster-info quorum="true"/>'),
  live(
    "crm_node -l",
    lines(
      "<nodes>",
      '<node id="1" name="n1" state="member"/>',
      '<node id="2" name="n2" state="lost"/>',
      "</nodes>",
    ),
  ),
  live("crm_node -p", lines("<nodes>", '<node id="1" name="n1" state="member"/>', "</nodes>")),
  file("crm_resource -W -r d1", lines('<nodes resource="d1">', "<node>n1</node>", "</nodes>")),
  file(
    "crm_resource -r d1 -g fake",
    lines('<list name="attributes" count="1">', '<item name="fake">x</item>', "</list>"),
  ),
  file("crm_resource -r d1 -g none", ""),
  file("crm_resource -r none -W", "", 105),
  file("crm_resource -r d1 -d fake", ""),
  file("crm_resource -L", /^<resources>\n<resource id="d1" [\s\S]*<\/resources>$/),
  file(
    "crm_resource -l",
    /^<list name="resource names" count="6">\n<item name="resource">d1<\/item>\n[\s\S]*<\/list>$/,
  ),
  file(
    "crm_resource -q -r d1",
    /^<resource_config>\n<resource id="d1" [\s\S]*<xml><!\[CDATA\[[\s\S]*<\/resource_config>$/,
  ),
  file("crm_resource -O", /^<operations>\n<operation op="d1_start_0" [\s\S]*<\/operations>$/),
  file(
    "crm_resource -Y -r d1",
    lines('<reason running="true">', '<check id="d1" unmanaged="true"/>', "</reason>"),
  ),
  file(
    "crm_resource -A -r d2",
    lines(
      "<constraints>",
      '<rsc_location node="n1" rsc="d2" id="cli-prefer-d2" score="INFINITY"/>',
      "</constraints>",
    ),
  ),
  file(
    "crm_resource -r d1 --meta -p target-role -v Stopped",
    lines(
      "<resource-settings>",
      '<primitive id="d1">',
      '<meta_attributes id="d1-meta_attributes">',
      '<nvpair id="d1-meta_attributes-target-role" name="target-role" value="Stopped"/>',
      "</meta_attributes>",
      "</primitive>",
      "</resource-settings>",
    ),
  ),
  file("crm_resource -r d1 -B -N n1", ""),
  file("crm_resource -r d2 -U", ""),
  file(
    "crm_resource --digests -r d1 -N n1",
    /^<digests resource="d1" node="n1" task="start" interval="0ms">\n[\s\S]*<\/digests>$/,
  ),
  file("crm_resource --list-standards", /^<list name="standards" count="\d+">\n[\s\S]*<\/list>$/),
  file("crm_resource --list-options=primitive", /^<resource-agent [\s\S]*<\/resource-agent>$/),
  file("crm_attribute --list-options=cluster", /^<resource-agent [\s\S]*<\/resource-agent>$/),
  live("stonith_admin --list-options=fencing", /^<resource-agent [\s\S]*<\/resource-agent>$/),
  live("stonith_admin -I", /^<list name="installed fence devices" count="\d+"/),
  live("stonith_admin -h n2", /^<last-fenced target="n2" when="[^"]+"\/>$/),
  live("stonith_admin -s F", lines('<list name="fence targets" count="1">', "<item>n1</item>", "</list>")),
  file("crm_rule -c -r nothing", '<rule-check rule-id="nothing" rc="105"/>', 105),
  shadow("crm_shadow -w", '<shadow instance="trial"/>'),
  shadow("crm_shadow -F", '<shadow instance="trial" file="DIR/shadow.trial"/>'),
  shadow(
    "crm_shadow -p",
    /^<shadow instance="trial">\n<content><!\[CDATA\[<cib [\s\S]*\]\]><\/content>\n<\/shadow>$/,
  ),
  live("crm_shadow -w", "", 105),
  file(
    "crm_shadow -b -c another --force",
    lines(
      "<instruction>A new shadow instance was created. To begin using it, enter the following into your shell:",
      "export CIB_shadow=another</instruction>",
    ),
  ),
  file("crm_shadow -D another", "", 64),
  file("crm_shadow -D another --force", ""),
  file("crm_simulate -x FILE", /^<cluster_status>[\s\S]*<\/cluster_status>$/),
  file("crm_simulate -x FILE -S", /^<cluster_status>[\s\S]*<actions>[\s\S]*<\/revised_cluster_status>$/),
  file("crm_ticket -l", ticket(' status="granted" standby="false" granted="true"')),
  file("crm_ticket -w", ticket(' status="granted" standby="false" granted="true"')),
  file("crm_ticket -t T -q", ticket(' granted="true"')),
  file(
    "crm_ticket -t T -G granted",
    lines(
      "<tickets>",
      '<ticket id="T">',
      '<attribute name="granted" value="true"/>',
      "</ticket>",
      "</tickets>",
    ),
  ),
  file("crm_ticket -t T -G nothing", "", 105),
  file("crm_ticket -t T -c", "", 105),
  file("crm_ticket -t T -r", "", 4),
  file("crm_ticket -t T -r --force", ""),
  file("crm_verify -x FILE", ""),
  file("crm_verify -X <nothing/>", "", 76),
  live("crmadmin -D", '<dc node_name="n1"/>'),
  live("crmadmin -S n1", '<crmd node_name="n1" state="S_IDLE" result="ok"/>'),
  live("crmadmin -S n2", '<crmd node_name="n2" state="S_STOPPING" result="gone"/>', 102),
  live("crmadmin -S n9", "", 105),
  live("crmadmin -P", /^<pacemakerd state="running" last_updated="[^"]+"\/>$/),
  file(
    "crmadmin -N",
    lines(
      "<nodes>",
      '<node type="cluster" name="n1" id="1"/>',
      '<node type="cluster" name="n2" id="2"/>',
      "</nodes>",
    ),
  ),
  file("crmadmin -N guest,remote", "<nodes/>"),
  file("iso8601 -d 2026-01-02\u00a003:04:05Z", "<date>2026-01-02 03:04:05Z</date>"),
  live(
    "pacemakerd -F",
    /^<pacemakerd version="[^"]+" build="hactl" feature_set="[\d.]+">\n<features>\n(<feature>[^<]+<\/feature>\n)+<\/features>\n<\/pacemakerd>$/,
  ),
  live(
    "stonith_admin -L",
    lines('<list name="registered fence devices" count="1">', '<item name="device">F</item>', "</list>"),
  ),
  live("stonith_admin -H n2", /^<list name="fencing history" count="1">\n<fence_event [^>]*\/>\n<\/list>$/),
  live("stonith_admin -Q nothing", "", 105),
  live("stonith_admin -Q F", ""),
  live(
    "stonith_admin -l n1",
    lines('<list name="registered fence devices" count="1">', '<item name="device">F</item>', "</list>"),
  ),
  live("stonith_admin -a fence_nothing -K -o delay=5", '<validate agent="fence_nothing" valid="false"/>', 1),
  file("crm_mon -1", /^<summary>[\s\S]*<\/resources>[\s\S]*$/),
];
