/**
 * What our tools make of a CIB file, beside Debian's (Pacemaker 2.1.5): the same exit code and the same CIB.
 * Needs: apt-get install --no-install-recommends pacemaker-cli-utils
 */
import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { child, parseXml, upgradeCib, type XmlElement } from "../../src/cib/index.ts";
import { runHere } from "../cli/rehearsal.ts";

setDefaultTimeout(60_000);
const directory = mkdtempSync(join(tmpdir(), "hactl-beside-"));
afterAll(() => rmSync(directory, { recursive: true }));

const dummy = (id: string, inner = "") =>
  `<primitive id="${id}" class="ocf" provider="pacemaker" type="Dummy">${inner}</primitive>`;
const pairs = (set: string, id: string, ...values: string[]) =>
  `<${set} id="${id}">${values.map((text, i) => `<nvpair id="${id}-${i}" name="${text.split("=")[0]}" value="${text.split("=")[1]}"/>`).join("")}</${set}>`;
const cib = `<cib crm_feature_set="3.16.1" validate-with="pacemaker-3.7" epoch="5" num_updates="7" admin_epoch="2"><configuration>
  <crm_config>${pairs("cluster_property_set", "cib-bootstrap-options", "stonith-enabled=false", "twice=1", "once=1")}${pairs("cluster_property_set", "second", "twice=2", "only=2")}</crm_config>
  <nodes><node id="1" uname="n1">${pairs("instance_attributes", "na", "standby=on", "a=1")}${pairs("instance_attributes", "nb", "standby=off")}</node><node id="2" uname="n2"/></nodes>
  <resources>
    ${dummy("d1", pairs("meta_attributes", "dm", "a=1", "b=1") + pairs("meta_attributes", "dm-b", "a=2") + pairs("instance_attributes", "di", "p=1") + pairs("instance_attributes", "di-b", "p=2", "q=2"))}
    ${dummy("bare")}<group id="g">${dummy("d2")}${dummy("d3")}</group>
    <group id="g2">${pairs("meta_attributes", "g2m", "is-managed=false")}${dummy("d4")}</group>
    <clone id="c">${dummy("p")}</clone>
    <clone id="c2">${pairs("meta_attributes", "c2m", "is-managed=false")}${dummy("p2")}</clone>
    <clone id="c3">${dummy("p3", pairs("meta_attributes", "p3m", "is-managed=false"))}</clone>
    <clone id="cg"><group id="gg">${dummy("p5")}</group></clone>
    <clone id="prom">${pairs("meta_attributes", "promm", "promotable=true")}<primitive id="st" class="ocf" provider="pacemaker" type="Stateful"/></clone>
  </resources>
  <constraints><rsc_location id="l1" rsc="d1" node="n1" score="1"/><rsc_location id="l2" rsc="d1" node="n2" score="1"/><rsc_colocation id="col1" rsc="d2" with-rsc="d1" score="INFINITY"/><rsc_colocation id="col2" rsc="c3" with-rsc="d1" score="INFINITY"/></constraints>
  <rsc_defaults>${pairs("meta_attributes", "rd", "resource-stickiness=1")}</rsc_defaults><acls/><tags><tag id="t"><obj_ref id="d1"/></tag></tags>
</configuration><status><node_state id="1" uname="n1" in_ccm="true" crmd="online" join="member" expected="member"><transient_attributes id="1">${pairs("instance_attributes", "status-1", "t=1", "fail-count-d1#monitor_10000=2")}${pairs("instance_attributes", "status-1b", "t=2")}</transient_attributes></node_state><node_state id="2" uname="n2" in_ccm="true" crmd="online" join="member" expected="member"/></status></cib>`;

const delete_ = ["-D", "-d --force"];
/** Commands, with the blanks of XML as underscores where an attribute follows. */
const cases: readonly string[] = [
  ...[
    "rsc_defaults",
    "acls",
    "crm_config",
    "constraints",
    "resources",
    "nodes",
    "tags",
    "configuration",
    "cib",
    "nothing",
  ].map((name) => `cibadmin -D -X <${name}/>`),
  "cibadmin -D -o resources -X <resources/>",
  "cibadmin -D -o crm_config -X <cluster_property_set/>",
  ...delete_.flatMap((how) => [
    `cibadmin ${how} -X <rsc_location/>`,
    `cibadmin ${how} -A //nvpair`,
    `cibadmin ${how} -X <nvpair_name="twice"/>`,
  ]),
  'cibadmin -D -X <rsc_location_id="l2"/>',
  'cibadmin -D -X <rsc_location_id="l2"_score="9"/>',
  'cibadmin -D -o constraints -X <constraints><rsc_location_id="l1"/><rsc_location_id="l2"/></constraints>',
  'cibadmin -D -X <constraints><rsc_location_id="l1"/></constraints>',
  'cibadmin -D -X <primitive_id="d1"/>',
  'cibadmin -D -X <primitive_id="bare"><meta_attributes_id="x"/></primitive>',
  'cibadmin -D -X <node_id="2"/>',
  'cibadmin -D -X <node_state_id="1"/>',
  "cibadmin -D -A //nothing",
  "cibadmin -d -A //nvpair",
  "cibadmin -E",
  "cibadmin -E --force",
  ...[
    'epoch="9"',
    'admin_epoch="7"',
    'num_updates="70"',
    'epoch="3"',
    'admin_epoch="1"',
    'have-quorum="0"',
    'admin_epoch="admin_epoch++"',
    'epoch="epoch+=3"',
  ].map((text) => `cibadmin -M -X <cib_${text}/>`),
  'cibadmin -M -X <nvpair_id="cib-bootstrap-options-2"_value="value++"/>',
  "cibadmin -R -o nodes -X <nodes/>",
  "crm_attribute -n twice -v 9",
  "crm_attribute -n twice -s second -v 9",
  "crm_attribute -n twice -s second -D",
  "crm_attribute -n once -v 9",
  "crm_attribute -n once -v 1",
  "crm_attribute -n fresh -v 1",
  "crm_attribute -n fresh -s third -v 1",
  "crm_attribute -n fresh -i myid -v 1",
  "crm_attribute -n #x -v 1",
  "crm_attribute -n nothing -G",
  "crm_attribute -n nothing -D",
  "crm_attribute -D -t nodes -N n1",
  "crm_attribute -N n1 -n standby -v off",
  "crm_attribute -N n1 -n fresh -v 7",
  "crm_attribute -N n2 -n fresh -v 7",
  "crm_attribute -N n1 -l reboot -n t -v 5",
  "crm_attribute -N n1 -l reboot -n fresh -v 5",
  "crm_attribute -N nosuch -n a -v 1",
  "crm_attribute -N n1 -z -n cpu -v 4",
  "crm_standby -N n1 -v on",
  "crm_standby -N n2 -v on",
  "crm_standby -N n2 -l reboot -v on",
  "crm_failcount -N n1 -r d1 -G",
  ...[
    "d1 -p p -v 5",
    "d1 -p q -v 5",
    "d1 -p fresh -v 5",
    "d1 -p p -v 5 -s di-b",
    "d1 -d p",
    "d1 -d q",
    "d1 -d nothing",
    "d1 -p b -v 5",
    "d1 -p b -v 5 --force",
    "bare -z -p cpu -v 5",
    "bare -p fresh -v 5",
  ].map((words) => `crm_resource -r ${words}`),
  ...["d1", "g", "d2", "g2", "d4", "c", "p", "c2", "p2", "c3", "p3", "cg", "gg", "p5"].flatMap((id) =>
    ["-p is-managed -v true", "-p is-managed -v true --force", "-d is-managed", "-d is-managed --force"].map(
      (words) => `crm_resource -r ${id} -m ${words}`,
    ),
  ),
  "crm_resource -r d1 -m -p a -v 5",
  "crm_resource -r d1 -m -d a",
  "crm_resource -r g -m -p target-role -v Stopped --recursive",
  "crm_resource -r st:0 -M -N n1",
  "crm_resource -r st:0 -B -N n1",
  "crm_resource -r prom:0 -M -N n1",
  "crm_resource -r p:0 -U",
  "crm_resource -r d2 -M -N n2",
  "crm_resource -r g -M -N n2",
  "crm_resource -r d1 -M -N n2 --promoted",
  "crm_resource -r prom -M -N n2 --promoted",
  "crm_resource -r d1 -B -N n2",
  "crm_resource -r d1 -B",
  "crm_resource -r d1 -M -N nosuch",
  "crm_resource -r nosuch -p a -v b",
  "crm_resource -r d1 -D -t primitive",
  "crm_resource -r bare -D -t primitive",
  "crm_resource -r g -D -t group",
];

/** A CIB in lines, without what says who wrote it and in which schema. */
function lines(path: string): string[] {
  const root = upgradeCib(parseXml(readFileSync(path, "utf8"))).root;
  const written = [
    "validate-with",
    "crm_feature_set",
    "cib-last-written",
    "update-origin",
    "update-client",
    "update-user",
  ];
  for (const name of written) root.attributes.delete(name);
  if (child(root, "status")?.children.length === 0)
    root.children = root.children.filter(({ name }) => name !== "status");
  const visit = (at: XmlElement, indent: string): string[] => {
    const attributes = [...at.attributes].sort().map(([name, value]) => `${name}=${JSON.stringify(value)}`);
    return [
      `${indent}${at.name} ${attributes.join(" ")}`,
      ...at.children.flatMap((item) => visit(item, `${indent} `)),
    ];
  };
  return visit(root, "");
}

const wordsOf = (text: string) =>
  text.split(" ").map((word) =>
    word.startsWith("<")
      ? word
          .replaceAll("_id=", " id=")
          .replaceAll("_name=", " name=")
          .replaceAll("_score=", " score=")
          .replaceAll("_value=", " value=")
          .replace(/^<cib_/, "<cib ")
      : word,
  );

describe("beside Debian's tools", () => {
  test.each([...cases])("%s", async (text) => {
    const [tool = "", ...words] = wordsOf(text);
    const theirs = join(directory, "theirs.xml");
    const ours = join(directory, "ours.xml");
    for (const path of [theirs, ours]) writeFileSync(path, cib);
    const { exitCode } = Bun.spawnSync([`/usr/sbin/${tool}`, ...words], {
      env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", CIB_file: theirs, HOME: directory },
      stdin: "ignore",
      stdout: "ignore",
      stderr: "ignore",
    });
    const { code } = await runHere([tool, ...words], { CIB_file: ours, CIB_shadow: undefined });
    expect({ code, cib: lines(ours) }).toEqual({ code: exitCode, cib: lines(theirs) });
  });
});
