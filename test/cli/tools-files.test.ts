import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseXml, selectXpath } from "../../src/cib/index.ts";
import { hactl } from "./run.ts";

const operation = (rsc: string, task: string, node: string) =>
  `<lrm_resource id="${rsc}" class="ocf" provider="pacemaker" type="${rsc === "st" ? "Stateful" : "Dummy"}">
    <lrm_rsc_op id="${rsc}_last_0" operation_key="${rsc}_${task}_0" operation="${task}" crm_feature_set="3.16.1"
      transition-key="1:1:0:a" transition-magic="0:0;1:1:0:a" on_node="${node}" call-id="5" rc-code="0" op-status="0"
      interval="0" last-rc-change="1700000000" exec-time="10" queue-time="0" op-digest="x"/></lrm_resource>`;

const nodeState = (id: string, name: string, attributes: string, history: string) =>
  `<node_state id="${id}" uname="${name}" in_ccm="true" crmd="online" join="member" expected="member">
    <transient_attributes id="${id}"><instance_attributes id="status-${id}">${attributes}</instance_attributes></transient_attributes>
    <lrm id="${id}"><lrm_resources>${history}</lrm_resources></lrm></node_state>`;

const cib = `<cib crm_feature_set="3.16.1" validate-with="pacemaker-3.9" epoch="5" num_updates="3" admin_epoch="0" have-quorum="1" dc-uuid="1">
  <configuration>
    <crm_config><cluster_property_set id="cib-bootstrap-options"><nvpair id="o1" name="stonith-enabled" value="false"/></cluster_property_set></crm_config>
    <nodes><node id="1" uname="node1"><instance_attributes id="nodes-1"><nvpair id="nodes-1-a" name="a" value="1"/></instance_attributes></node><node id="2" uname="node2"/></nodes>
    <resources>
      <primitive id="d1" class="ocf" provider="pacemaker" type="Dummy"><instance_attributes id="d1-ia"><nvpair id="d1-fake" name="fake" value="hello"/></instance_attributes><meta_attributes id="d1-meta_attributes"><nvpair id="d1-m" name="target-role" value="Started"/></meta_attributes></primitive>
      <group id="g"><primitive id="d2" class="ocf" provider="pacemaker" type="Dummy"/><primitive id="d3" class="ocf" provider="pacemaker" type="Dummy"/></group>
      <clone id="cl"><meta_attributes id="clm"><nvpair id="clm1" name="promotable" value="true"/></meta_attributes><primitive id="st" class="ocf" provider="pacemaker" type="Stateful"/></clone>
      <primitive id="idle" class="ocf" provider="pacemaker" type="Dummy"/>
    </resources>
    <constraints><rsc_location id="cli-prefer-mine" rsc="d1" node="node1" score="10"/></constraints>
  </configuration>
  <status>
    ${nodeState("1", "node1", '<nvpair id="s1" name="master-st" value="10"/><nvpair id="s2" name="fail-count-d1#monitor_10000" value="2"/><nvpair id="s3" name="fail-count-d1#start_0" value="1"/>', operation("d1", "start", "node1") + operation("st", "promote", "node1"))}
    ${nodeState("2", "node2", "", operation("d2", "start", "node2") + operation("st", "start", "node2"))}
  </status>
</cib>`;

let directory = "";
let file = "";
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "hactl-tools-"));
  file = join(directory, "cib.xml");
});
beforeEach(() => writeFileSync(file, cib));
afterAll(() => rmSync(directory, { recursive: true }));

/** Runs a tool by its name on the file. */
async function tool(words: string, environment: Record<string, string> = {}) {
  const { code, out, err } = await hactl(words.split(" "), { CIB_file: file, ...environment });
  return { code, out, err };
}
const ok = (out: string) => ({ code: 0, out, err: "" });
/** Attributes of the first element that a path finds in the changed file. */
const found = (xpath: string): Record<string, string> | undefined => {
  const [first] = selectXpath(parseXml(readFileSync(file, "utf8")), xpath);
  return first && Object.fromEntries(first.element.attributes);
};

describe("crm_resource on a file", () => {
  test("locates what runs, its role, and says when nothing does", async () => {
    expect(await tool("crm_resource -W -r d1")).toEqual(ok("resource d1 is running on: node1\n"));
    const { out } = await tool("crm_resource --locate --resource cl");
    expect(out.trim().split("\n").sort()).toEqual([
      "resource cl is running on: node1 Promoted",
      "resource cl is running on: node2",
    ]);
    expect(await tool("crm_resource -Q -W -r g")).toEqual(ok("node2\n"));
    expect(await tool("crm_resource -W -r idle")).toEqual({
      code: 0,
      out: "",
      err: "resource idle is NOT running\n",
    });
  });

  test("does not know a resource that is not there, and guesses", async () => {
    const { code, err } = await tool("crm_resource -W -r idl");
    expect(code).toBe(105);
    expect(err).toContain("Resource 'idl' not found (Did you mean idle?)");
  });

  test("reads parameters, meta attributes and utilization", async () => {
    expect(await tool("crm_resource -r d1 -g fake")).toEqual(ok("hello\n"));
    expect(await tool("crm_resource -r d1 -m -g target-role")).toEqual(ok("Started\n"));
    expect(await tool("crm_resource -Q -r d1 -z -g cpu")).toEqual({
      code: 0,
      out: "",
      err: "Attribute 'cpu' not found for 'd1'\n",
    });
  });

  test("sets and removes them under the ids that Pacemaker gives", async () => {
    expect(await tool("crm_resource -r d1 -z -p cpu -v 2")).toEqual(
      ok("Set 'd1' option: id=d1-utilization-cpu set=d1-utilization name=cpu value=2\n"),
    );
    expect(await tool("crm_resource -Q -r d1 -z -g cpu")).toEqual(ok("2\n"));
    expect(await tool("crm_resource --resource=d1 --utilization --delete-parameter=cpu")).toEqual(
      ok("Deleted 'd1' option: id=d1-utilization-cpu name=cpu\n"),
    );
    expect(await tool("crm_resource -r d1 -m -p target-role -v Stopped")).toEqual(
      ok("Set 'd1' option: id=d1-m name=target-role value=Stopped\n"),
    );
    expect(found("//nvpair[@id='d1-m']")?.value).toBe("Stopped");
  });

  test("bans, moves and clears, and leaves other people's constraints alone", async () => {
    expect(await tool("crm_resource -B -r d1 -N node1 -Q")).toEqual(ok(""));
    expect(found("//rsc_location[@id='cli-ban-d1-on-node1']")).toEqual({
      id: "cli-ban-d1-on-node1",
      rsc: "d1",
      role: "Started",
      node: "node1",
      score: "-INFINITY",
    });
    expect((await tool("crm_resource -M -r d1 -N node2")).code).toBe(0);
    expect(found("//rsc_location[@id='cli-prefer-d1']")?.score).toBe("INFINITY");
    expect((await tool("crm_resource -U -r d1")).code).toBe(0);
    expect(found("//rsc_location[@id='cli-prefer-d1']")).toBeUndefined();
    expect(found("//rsc_location[@id='cli-ban-d1-on-node1']")).toBeUndefined();
    expect(found("//rsc_location[@id='cli-prefer-mine']")?.score).toBe("10");
  });

  test("refuses to move a resource to where it is, or to an unknown node", async () => {
    expect((await tool("crm_resource -M -r d1 -N node1")).code).toBe(108);
    expect((await tool("crm_resource -B -r d1 -N node9")).code).toBe(105);
    expect((await tool("crm_resource -M -r st -N node1 --promoted")).code).toBe(108);
    expect(readFileSync(file, "utf8")).toBe(cib);
  });

  test("names the clone when what is in it is moved", async () => {
    expect((await tool("crm_resource -M -r st -N node2 --promoted")).code).toBe(0);
    expect(found("//rsc_location[@id='cli-prefer-cl']")?.role).toBe("Promoted");
  });

  test("lists operations and instances", async () => {
    const { out } = await tool("crm_resource --list-operations -N node1");
    expect(out).toMatch(
      /^d1\t\(ocf:pacemaker:Dummy\):\t Started: d1_start_0 \(node=node1, call=5, rc=0, last-rc-change='.*', exec=10ms\): Done\n/,
    );
    expect(out).not.toContain("node2");
    expect((await tool("crm_resource -l")).out).toBe("d1\nd2\nd3\nst:0\nst:1\nidle\n");
    expect((await tool("crm_resource -r d1")).out).toStartWith("Full List of Resources:\n  * d1\t");
  });

  test("shows a resource with what its template gives, and as it is written", async () => {
    const template = `<template id="t" class="ocf" provider="pacemaker" type="Dummy"><operations id="ops"><op id="t-m" name="monitor" interval="10s"/></operations></template><primitive id="of" template="t"/></resources>`;
    writeFileSync(file, cib.replace("</resources>", template));
    const xmlOf = async (words: string) => (await tool(words)).out.split("Resource XML:\n")[1];
    expect(await xmlOf("crm_resource -w -r of")).toBe('<primitive id="of" template="t"/>\n');
    expect(await xmlOf("crm_resource -q -r of")).toBe(
      `<primitive id="of" class="ocf" provider="pacemaker" type="Dummy">
  <operations id="ops">
    <op id="t-m" name="monitor" interval="10s"/>
  </operations>
</primitive>
`,
    );
  });

  test("tells also of what runs and is configured no more whether it does", async () => {
    const gone = operation("gone", "start", "node1");
    writeFileSync(file, cib.replace("</lrm_resources>", `${gone}</lrm_resources>`));
    expect((await tool("crm_resource -Y")).out).toContain("Resource gone is running\n");
    expect((await tool("crm_resource -Y --output-as=xml")).out).toContain(
      '<resource id="gone" running="true">',
    );
  });

  test("says what it cannot do, and what is wrong with an option", async () => {
    expect((await tool("crm_resource --digests -r d1")).code).toBe(64);
    expect((await tool("crm_resource --lokate -r d1")).err).toContain("Did you mean --locate?");
    expect((await tool("crm_resource d1")).code).toBe(64);
  });
});

describe("attributes in a file", () => {
  test("crm_attribute queries in the form that scripts cut apart", async () => {
    expect(await tool("crm_attribute -N node1 -n a -G")).toEqual(ok("scope=nodes  name=a value=1\n"));
    expect(await tool("crm_attribute --node node1 --name a --query --quiet")).toEqual(ok("1\n"));
    expect(await tool("crm_attribute -N node1 -l reboot -n master-st -G -q")).toEqual(ok("10\n"));
    expect(await tool("crm_attribute -p st -N node1 -G")).toEqual(
      ok("scope=status  name=master-st value=10\n"),
    );
    expect(await tool("crm_attribute --type crm_config -n stonith-enabled --query -q")).toEqual(
      ok("false\n"),
    );
    expect(await tool("crm_attribute -N node1 -n nix -G -q -d 7")).toEqual(ok("7\n"));
  });

  test("crm_attribute ends with 105 when there is nothing", async () => {
    expect(await tool("crm_attribute -N node1 -n nix -G -q")).toEqual({
      code: 105,
      out: "",
      err: "crm_attribute: Error performing operation: No such device or address\n",
    });
    expect((await tool("crm_attribute -N node7 -n a -v 1")).code).toBe(105);
  });

  test("crm_attribute sets where the options say, with ids of the usual form", async () => {
    await tool("crm_attribute -t nodes --node node2 -z -n cpu -v 4");
    expect(found("//nvpair[@id='nodes-2-utilization-cpu']")?.value).toBe("4");
    await tool("crm_attribute --type crm_config --name X -s mysql_replication -v log|7");
    expect(found("//cluster_property_set[@id='mysql_replication']/nvpair")?.value).toBe("log|7");
    await tool("crm_attribute -N node1 -n a -v a++");
    expect(found("//nvpair[@id='nodes-1-a']")?.value).toBe("2");
    await tool("crm_attribute -N node2 -l reboot -n x -v 1");
    expect(found("//node_state[@id='2']//nvpair[@id='status-2-x']")?.value).toBe("1");
    await tool("crm_attribute -t rsc_defaults -n resource-stickiness -v 100");
    expect(found("/cib/configuration/rsc_defaults/meta_attributes/nvpair")?.value).toBe("100");
  });

  test("crm_attribute deletes and says so only when there was something", async () => {
    expect(await tool("crm_attribute -N node1 -n a -D")).toEqual(
      ok("Deleted nodes attribute: id=nodes-1-a name=a\n"),
    );
    expect(await tool("crm_attribute -N node1 -n a -D")).toEqual(ok(""));
  });

  test("an agent's own node and resource come from its environment", async () => {
    const agent = { OCF_RESKEY_CRM_meta_on_node: "node1", OCF_RESOURCE_INSTANCE: "st:1" };
    expect(await tool("crm_master -G -q", agent)).toEqual(ok("10\n"));
    expect(await tool("crm_node -n", agent)).toEqual(ok("node1\n"));
    await tool("crm_master -l reboot -v 30", agent);
    expect(found("//nvpair[@name='master-st']")?.value).toBe("30");
    const guest = {
      ...agent,
      OCF_RESKEY_CRM_meta_container_attribute_target: "host",
      OCF_RESKEY_CRM_meta_physical_host: "node2",
    };
    expect((await tool("crm_master -G -q", guest)).code).toBe(105);
  });

  test("crm_failcount adds up, crm_standby knows its default", async () => {
    expect(await tool("crm_failcount -G -r d1 -N node1")).toEqual(
      ok("scope=status  name=fail-count-d1 value=3\n"),
    );
    expect(await tool("crm_failcount -q -G -r d1 -N node1 -n monitor -I 10s")).toEqual(ok("2\n"));
    // One operation is told by its own name, and without an interval it is that of none.
    expect(await tool("crm_failcount -G -r d1 -N node1 -n monitor -I 10s")).toEqual(
      ok("scope=status  name=fail-count-d1#monitor_10000 value=2\n"),
    );
    expect(await tool("crm_failcount -G -r d1 -N node1 -n monitor")).toEqual(
      ok("scope=status  name=fail-count-d1#monitor_0 value=0\n"),
    );
    // What a cluster before 1.1.17 has counted is of the resource.
    writeFileSync(file, cib.replace("fail-count-d1#monitor_10000", "fail-count-idle"));
    expect(await tool("crm_failcount -G -r idle -N node1 -n start")).toEqual(
      ok("scope=status  name=fail-count-idle value=2\n"),
    );
    expect((await tool("crm_failcount -G -r d1 -N node7")).code).toBe(105);
    expect((await tool("crm_failcount -r d1 -N node1")).code).toBe(64);
    expect(await tool("crm_standby -N node1")).toEqual(ok("scope=status  name=standby value=off\n"));
    expect(await tool("crm_standby -G -N node1")).toEqual(ok("scope=status  name=standby value=off\n"));
    await tool("crm_standby -v on -N node1");
    expect(await tool("crm_standby -G -N node1 -q")).toEqual(ok("on\n"));
  });

  test("crm_ticket grants only with --force", async () => {
    expect((await tool("crm_ticket -t tA -g")).code).toBe(4);
    expect((await tool("crm_ticket -t tA -g --force")).code).toBe(0);
    expect(await tool("crm_ticket -t tA -G granted")).toEqual(ok("true\n"));
    expect((await tool("crm_ticket -t tA -s")).code).toBe(0);
    expect((await tool("crm_ticket -l")).out).toMatch(/^tA\tgranted \[standby\] last-granted='/);
    expect((await tool("crm_ticket -t tA -C --force")).code).toBe(0);
    expect(await tool("crm_ticket -w")).toEqual(ok(""));
  });

  const ticket = (id: string) => found(`//ticket_state[@id='${id}']`);

  test("crm_ticket forgets a granted ticket only with --force", async () => {
    await tool("crm_ticket -t tA -g --force");
    const refused = await tool("crm_ticket -t tA -C");
    expect(refused.code).toBe(4);
    expect(refused.err).toContain("crm_ticket -t tA --standby");
    expect(ticket("tA")).toMatchObject({ granted: "true" });
    // Whatever is revoked may be forgotten.
    await tool("crm_ticket -t tA -r --force");
    expect(await tool("crm_ticket -t tA -C")).toEqual(ok("Cleaned up tA\n"));
    expect(ticket("tA")).toBeUndefined();
  });

  test("crm_ticket ends with 105 where there is no such ticket; one that only a constraint knows is there", async () => {
    for (const words of ["-C", "-l", "-L", "-w", "-q", "-c", "-G granted"])
      expect([words, (await tool(`crm_ticket -t none ${words}`)).code]).toEqual([words, 105]);
    expect(await tool("crm_ticket -t none -C --force")).toEqual(ok(""));
    expect((await tool("crm_ticket -G granted")).code).toBe(105);
    const needed = '<rsc_ticket id="tk" rsc="d1" ticket="tC"/></constraints>';
    writeFileSync(file, cib.replace("</constraints>", needed));
    expect((await tool("crm_ticket -l")).out).toBe("tC\trevoked\n");
    expect(await tool("crm_ticket -w -t tC")).toEqual(ok("tC\n"));
    expect(await tool("crm_ticket -t tC -C")).toEqual(ok(""));
    expect((await tool("crm_ticket -q -t tC")).code).toBe(105);
  });

  test("crm_ticket notes when a ticket was granted, by whichever option", async () => {
    await tool("crm_ticket -t tA -S granted -v true -f");
    const { "last-granted": first } = ticket("tA") ?? {};
    expect(Number(first)).toBeGreaterThan(1_700_000_000);
    // It has been all the time since.
    writeFileSync(file, readFileSync(file, "utf8").replace(`"${first}"`, '"5"'));
    await tool("crm_ticket -t tA -g -f");
    expect(ticket("tA")).toEqual({ id: "tA", granted: "true", "last-granted": "5" });
  });

  test("crm_ticket takes names and values in pairs, and removes what is named", async () => {
    expect(await tool("crm_ticket -t tA -S a -v 1 -v 2 -S b -n x -i y")).toMatchObject({ code: 0 });
    expect(ticket("tA")).toEqual({ id: "tA", a: "1", b: "2" });
    expect(await tool("crm_ticket -t tA -D a -S c -v 3")).toEqual(ok(""));
    expect(ticket("tA")).toEqual({ id: "tA", b: "2", c: "3" });
    expect(await tool("crm_ticket -t none -D a")).toEqual(ok(""));
    expect(ticket("none")).toBeUndefined();
    for (const words of ["-S a", "-v 1", "", "-S id -v x"])
      expect([words, (await tool(`crm_ticket -t tA ${words}`.trim())).code]).toEqual([words, 64]);
    for (const words of ["-g -f", "-C", "-S a -v b"])
      expect([words, (await tool(`crm_ticket ${words}`)).code]).toEqual([words, 64]);
  });

  test("crm_ticket shows rather than changes, the last that it is asked for, and of a file that is named", async () => {
    await tool("crm_ticket -t tA -g -f");
    const before = readFileSync(file, "utf8");
    expect((await tool("crm_ticket -t tA -l -r -f")).out).toStartWith("tA\tgranted");
    expect(await tool("crm_ticket -t tA -l -G granted")).toEqual(ok("true\n"));
    expect((await tool("crm_ticket -t tA -G granted -l")).out).toStartWith("tA\tgranted");
    const other = join(directory, "other.xml");
    writeFileSync(other, before.replaceAll("tA", "tB"));
    expect(await tool(`crm_ticket -w -x ${other}`)).toEqual(ok("tB\n"));
    expect((await tool(`crm_ticket -t tB -C -f -x ${other}`)).code).toBe(64);
    expect(readFileSync(file, "utf8")).toBe(before);
  });
});

describe("cibadmin and crm_diff on a file", () => {
  test("cibadmin queries sections and paths", async () => {
    expect(await tool("cibadmin -Q --xpath //nvpair[@id='o1']")).toEqual(
      ok('<nvpair id="o1" name="stonith-enabled" value="false"/>\n'),
    );
    expect([...(await tool("cibadmin -Q -n -A //primitive")).out.matchAll(/id="\w+"/g)].map(String)).toEqual(
      ["d1", "d2", "d3", "st", "idle"].map((id) => `id="${id}"`),
    );
    expect((await tool("cibadmin -Q -A //nvpair[@id='nix']")).code).toBe(105);
    expect(await tool("cibadmin -Q -e -A //nvpair[@id='o1']")).toEqual(
      ok(
        "/cib/configuration/crm_config/cluster_property_set[@id='cib-bootstrap-options']/nvpair[@id='o1']\n",
      ),
    );
    expect((await tool("cibadmin -Q -o constraints")).out).toStartWith("<constraints>\n");
  });

  test("cibadmin creates, modifies, deletes, and refuses what is dangerous", async () => {
    const xml = (text: string, ...words: string[]) =>
      hactl(["cibadmin", ...words, "-X", text], { CIB_file: file });
    expect(
      (
        await xml(
          '<primitive id="d1" class="ocf" provider="pacemaker" type="Dummy"/>',
          "-C",
          "-o",
          "resources",
        )
      ).code,
    ).toBe(108);
    expect(
      (
        await xml(
          '<primitive id="new" class="ocf" provider="pacemaker" type="Dummy"/>',
          "-C",
          "-o",
          "resources",
        )
      ).code,
    ).toBe(0);
    expect(found("//primitive[@id='new']")?.type).toBe("Dummy");
    expect((await xml('<nvpair id="o1" value="true"/>', "-M")).code).toBe(0);
    expect(found("//nvpair[@id='o1']")?.value).toBe("true");
    expect((await xml('<nvpair id="o9" value="true"/>', "-M")).code).toBe(105);
    expect((await xml('<primitive id="new"/>', "-D")).code).toBe(0);
    expect(found("//primitive[@id='new']")).toBeUndefined();
    expect((await tool("cibadmin -E")).code).toBe(107);
    expect(found("//primitive[@id='d1']")).toBeDefined();
    expect((await tool("cibadmin -B")).code).toBe(0);
    expect(found("/cib")?.epoch).toBe("9");
  });

  test("crm_diff writes a difference that it can apply", async () => {
    const changed = join(directory, "changed.xml");
    writeFileSync(
      changed,
      cib
        .replace('value="hello"', 'value="bye"')
        .replace(/<primitive id="idle"[^>]*>/, "")
        .replace('epoch="5"', 'epoch="6"'),
    );
    const { code, out } = await tool(`crm_diff -o ${file} -n ${changed}`);
    expect(code).toBe(1);
    const patch = join(directory, "patch.xml");
    writeFileSync(patch, out);
    const applied = await tool(`crm_diff -o ${file} -p ${patch}`);
    expect(applied.code).toBe(0);
    expect(applied.out).toContain('name="fake" value="bye"');
    expect(applied.out).not.toContain('id="idle"');
    expect(await tool(`crm_diff -o ${file} -n ${file}`)).toEqual(ok(""));
  });

  test("crm_shadow keeps changes apart until they are committed", async () => {
    const shadow = { CIB_shadow_dir: directory };
    expect((await tool("crm_shadow -b -c trial", shadow)).out).toContain("CIB_shadow=trial");
    expect((await tool("crm_shadow -b -c trial", shadow)).code).toBe(73);
    const work = { ...shadow, CIB_file: "", CIB_shadow: "trial" };
    expect((await tool("crm_resource -r d1 -p fake -v changed", work)).code).toBe(0);
    expect(found("//nvpair[@id='d1-fake']")?.value).toBe("hello");
    expect((await tool("crm_shadow -C trial --force", shadow)).code).toBe(0);
    expect(found("//nvpair[@id='d1-fake']")?.value).toBe("changed");
    expect((await tool("crm_shadow -D trial --force", shadow)).code).toBe(0);
  });
});

describe("hactl simulate on a file", () => {
  const twice = cib.replace('<group id="g">', '<group id="d1">');

  test("refuses what the schema that it names does not allow, and says where and what to do", async () => {
    writeFileSync(file, twice);
    const { code, out, err } = await hactl(["simulate", "-x", file, "-S"]);
    expect({ code, out }).toEqual({ code: 78, out: "" });
    expect(err).toContain('the id "d1" is used already');
    expect(err).toContain(`${file}:7`);
    expect(err).toContain("cure:");
  });

  test("does not look where it names none", async () => {
    for (const named of ['validate-with="none"', ""]) {
      writeFileSync(file, twice.replace('validate-with="pacemaker-3.9"', named));
      expect((await hactl(["simulate", "-x", file, "-S"])).code).toBe(0);
    }
  });
});

describe("tools that need nothing", () => {
  test("crm_error knows codes by name", async () => {
    expect((await tool("crm_error -X -n 105")).out).toBe("CRM_EX_NOSUCH - No such object\n");
    expect((await tool("crm_error -n -- -62")).out).toBe("ETIME - Timer expired\n");
    expect((await tool("crm_error -r -n -- -1004")).out).toStartWith("pcmk_rc_already - ");
  });

  test("pacemakerd tells a version that ocf-shellfuncs can cut apart", async () => {
    expect((await tool("pacemakerd -$")).out.split("\n")[0]).toMatch(/^Pacemaker \d+\.\d+\.\d+$/);
    expect((await tool("pacemakerd --version")).out).toBe((await tool("pacemakerd -$")).out);
  });

  test("a tool without daemon says so and ends with 102", async () => {
    const { code, err } = await tool("crm_node -q", { HACTL_SOCKET: join(directory, "nobody.sock") });
    expect(code).toBe(102);
    expect(err).toStartWith("crm_node: ");
  });
});

describe("crm configure save", () => {
  test("writes what show prints, as text and as XML, whole or in parts", async () => {
    const saved = join(directory, "saved");
    const as = async (file: string, shown: string) => {
      expect((await tool(`crm configure save ${file}`)).code).toBe(0);
      const text = readFileSync(saved, "utf8");
      expect(text).toBe((await tool(`crm configure show ${shown}`.trim())).out);
      return text;
    };
    expect(await as(saved, "")).toContain("primitive d1 ocf:pacemaker:Dummy");
    expect(await as(`xml ${saved}`, "xml")).toContain('<primitive id="d2"');
    expect(await as(`${saved} d1`, "d1")).not.toContain("d2");
  });

  test("says what is missing", async () => {
    const { code, err } = await tool("crm configure save /nowhere/else");
    expect(code).not.toBe(0);
    expect(err).toContain("/nowhere");
    expect((await tool("crm configure save")).err).toContain("needs a file");
  });
});

describe("attributes of nodes of every kind in a file", () => {
  const more = `<primitive id="vm" class="ocf" provider="pacemaker" type="Dummy"><meta_attributes id="vmm"><nvpair id="vmr" name="remote-node" value="guest"/></meta_attributes></primitive>
    <bundle id="box"><docker image="i" replicas="1"/><network control-port="3121"/><primitive id="in" class="ocf" provider="pacemaker" type="Dummy"/></bundle></resources>`;
  beforeEach(() =>
    writeFileSync(
      file,
      cib.replace("</resources>", more).replace("<status>", '<status><node_state id="9" uname="gone"/>'),
    ),
  );

  test.each(["node2", "guest", "box-0", "gone"])("%s has some", async (node) => {
    expect(await tool(`attrd_updater -n site -U 7 -N ${node}`)).toEqual(ok(""));
    expect(await tool(`attrd_updater -n site -Q -N ${node}`)).toEqual(
      ok(`name="site" host="${node}" value="7"\n`),
    );
  });

  test("what nobody knows has none, and nothing changes", async () => {
    const before = readFileSync(file, "utf8");
    const { code, err } = await tool("attrd_updater -n site -U 7 -N guset");
    expect([code, err]).toEqual([105, expect.stringContaining("Did you mean guest?")]);
    expect(readFileSync(file, "utf8")).toBe(before);
  });
});

test("an agent that is not on this host is told of, though a file takes it", async () => {
  for (const agent of ["stonith:fence_nix", "ocf:heartbeat:Nix"]) {
    const { code, err } = await tool(`configure primitive new ${agent}`);
    expect([code, err]).toEqual([
      0,
      expect.stringContaining(`agent ${agent} of resource "new" is not there`),
    ]);
    writeFileSync(file, cib);
  }
});

describe("a file of an older form", () => {
  const older = (schema: string, inside: string) =>
    `<cib validate-with="${schema}" epoch="5" num_updates="0" admin_epoch="0"><configuration><crm_config/><nodes><node id="1" uname="node1"/></nodes><resources>
      <master id="ms">${inside}<group id="g"><primitive id="st" class="ocf" provider="pacemaker" type="Stateful"><operations><op id="st-m" name="monitor" interval="9s" role="Master"/></operations></primitive></group></master>
    </resources><constraints><rsc_location id="l" rsc="ms" role="Master" node="node1" score="10"/></constraints></configuration><status/></cib>`;
  const plain = older("pacemaker-3.0", "");
  const form = () => /validate-with="([^"]*)"/.exec(readFileSync(file, "utf8"))?.[1];

  test.each([
    [
      "crm_resource -r g -m -p target-role -v Stopped",
      '//master/meta_attributes/nvpair[@name="target-role"]',
    ],
    [
      "crm_resource -r ms -m -p target-role -v Stopped",
      '//master/meta_attributes/nvpair[@name="target-role"]',
    ],
    [
      "crm_resource -r st -p state -v x",
      '//master/group/primitive/instance_attributes/nvpair[@name="state"]',
    ],
    ["crm_attribute -n no-quorum-policy -v stop", '//crm_config//nvpair[@name="no-quorum-policy"]'],
    ["crm_attribute -N node1 -n a -v b", '//nodes/node//nvpair[@name="a"]'],
    ["crm_ticket -t T -g --force", '//status/tickets/ticket_state[@id="T"]'],
    ["crm_resource -r ms --ban -N node1", '//constraints/rsc_location[@id="cli-ban-ms-on-node1"]'],
    ["resource stop g", '//master//nvpair[@name="target-role"]'],
  ])("keeps it when '%s' changes something else", async (words, made) => {
    writeFileSync(file, plain);
    expect((await tool(words)).code).toBe(0);
    expect(found(made)).toBeDefined();
    expect([form(), found("//master"), found('//op[@role="Master"]')?.id]).toEqual([
      "pacemaker-3.0",
      { id: "ms" },
      "st-m",
    ]);
  });

  test("keeps it when a promotable clone that has attributes gets another", async () => {
    writeFileSync(
      file,
      older(
        "pacemaker-1.2",
        '<meta_attributes id="m"><nvpair id="n" name="master-max" value="1"/></meta_attributes>',
      ),
    );
    expect((await tool("crm_resource -r ms -m -p target-role -v Stopped")).code).toBe(0);
    expect([form(), found('//master/meta_attributes/nvpair[@name="target-role"]')?.value]).toEqual([
      "pacemaker-1.2",
      "Stopped",
    ]);
  });

  test("is in the present form where the older one cannot say it", async () => {
    writeFileSync(file, plain);
    expect((await tool("crm_resource -r ms -m -p promotable -v false")).code).toBe(0);
    expect([form(), found("//master"), found("//clone/meta_attributes/nvpair")?.value]).toEqual([
      "pacemaker-3.9",
      undefined,
      "false",
    ]);
  });

  test("is in the present form once it is upgraded", async () => {
    const inside =
      '<instance_attributes id="x"><nvpair id="x-r" name="requires" value="nothing"/></instance_attributes>';
    writeFileSync(
      file,
      older("pacemaker-2.10", "").replace('role="Master"/>', `role="Master">${inside}</op>`),
    );
    expect((await tool("cibadmin --upgrade --force")).code).toBe(0);
    expect([form(), found("//master"), found("//op/instance_attributes"), found("//op")?.role]).toEqual([
      "pacemaker-3.9",
      undefined,
      undefined,
      "Promoted",
    ]);
  });

  test("has a promotable clone under either name", async () => {
    for (const name of ["master", "clone"]) {
      writeFileSync(file, plain.replace(/<rsc_location[^>]*>/, ""));
      expect((await tool(`crm_resource -D -r ms -t ${name}`)).code).toBe(0);
      expect([form(), found("//resources/*")]).toEqual(["pacemaker-3.0", undefined]);
    }
    writeFileSync(file, cib);
    expect((await tool("crm_resource -D -r g -t master")).code).toBe(64);
  });
});
