/** What counts of the words that a tool of Pacemaker is given, where several of them say what shall be done. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseXml, selectXpath } from "../../src/cib/index.ts";
import { setOutputStyle } from "../../src/cli/output.ts";
import { runHere } from "./rehearsal.ts";

const dummy = (id: string, inner = "") =>
  `<primitive id="${id}" class="ocf" provider="pacemaker" type="Dummy">${inner}</primitive>`;
const started = `<lrm id="1"><lrm_resources><lrm_resource id="d1" class="ocf" provider="pacemaker" type="Dummy"><lrm_rsc_op id="d1_last_0" operation_key="d1_start_0" operation="start" crm_feature_set="3.16.1" transition-key="1:1:0:a" transition-magic="0:0;1:1:0:a" on_node="node1" call-id="5" rc-code="0" op-status="0" interval="0" op-digest="x"/></lrm_resource></lrm_resources></lrm>`;
const cib = `<cib crm_feature_set="3.16.1" validate-with="pacemaker-3.9" epoch="5" num_updates="3" admin_epoch="0" have-quorum="1" dc-uuid="1"><configuration>
  <crm_config><cluster_property_set id="cib-bootstrap-options"><nvpair id="o1" name="stonith-enabled" value="false"/></cluster_property_set></crm_config>
  <nodes><node id="1" uname="node1"><instance_attributes id="nodes-1"><nvpair id="nodes-1-a" name="a" value="1"/></instance_attributes></node><node id="2" uname="node2"/></nodes>
  <resources>${dummy("d1", '<instance_attributes id="d1-ia"><nvpair id="d1-fake" name="fake" value="hello"/></instance_attributes>')}</resources><constraints/>
  </configuration><status>
  <node_state id="1" uname="node1" in_ccm="true" crmd="online" join="member" expected="member"><transient_attributes id="1"><instance_attributes id="status-1"><nvpair id="s1" name="master-st" value="10"/></instance_attributes></transient_attributes>${started}</node_state>
  <node_state id="2" uname="node2" in_ccm="true" crmd="online" join="member" expected="member"/></status></cib>`;

let directory = "";
let file = "";
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "hactl-commands-"));
  file = join(directory, "cib.xml");
});
beforeEach(() => writeFileSync(file, cib));
afterAll(() => {
  rmSync(directory, { recursive: true });
  setOutputStyle({ json: false, colour: false });
});

const tool = (words: string) =>
  runHere(words.split(" "), {
    CIB_file: file,
    CIB_shadow: undefined,
    CIB_user: undefined,
    HACTL_CONFIG: "/nonexistent",
  });
const ok = (out: string) => expect.objectContaining({ code: 0, out });
const found = (xpath: string): Record<string, string> | undefined => {
  const [first] = selectXpath(parseXml(readFileSync(file, "utf8")), xpath);
  return first && Object.fromEntries(first.element.attributes);
};

describe("of several commands the last one counts", () => {
  /** Tools with two commands, and what the second of them answers. */
  const pairs: readonly (readonly [tool: string, change: string, query: string, answer: string | RegExp])[] =
    [
      ["crm_attribute -N node1 -n a", "-v x", "-G", "scope=nodes  name=a value=1\n"],
      ["crm_attribute -N node1 -n a", "-D", "-G", "scope=nodes  name=a value=1\n"],
      ["crm_standby -N node1", "-v on", "-G", "scope=status  name=standby value=off\n"],
      ["attrd_updater -N node1 -n master-st", "-U 7", "-Q", 'name="master-st" host="node1" value="10"\n'],
      ["attrd_updater -N node1 -n master-st", "-D", "-Q", 'name="master-st" host="node1" value="10"\n'],
      ["crm_resource -r d1", "-p fake -v x", "-g fake", "hello\n"],
      ["crm_resource -r d1 -N node2", "-M", "-W", "resource d1 is running on: node1\n"],
      ["cibadmin -X <nvpair/> -o crm_config", "-D", "-Q", /^<crm_config>/],
    ];

  test.each(pairs)("%s: %s, or %s", async (name, change, query, answer) => {
    const asked = await tool(`${name} ${change} ${query}`);
    expect(asked).toMatchObject({ code: 0, err: "" });
    expect(asked.out).toMatch(typeof answer === "string" ? new RegExp(`^${RegExp.escape(answer)}$`) : answer);
    expect(readFileSync(file, "utf8")).toBe(cib);
    if (name.startsWith("cibadmin")) return;
    expect((await tool(`${name} ${query} ${change}`)).code).toBe(0);
    expect(readFileSync(file, "utf8")).not.toBe(cib);
  });

  test("of two changes, too", async () => {
    expect(await tool("crm_attribute -N node1 -n a -D -v x")).toEqual(ok(""));
    expect(found("//nvpair[@id='nodes-1-a']")?.value).toBe("x");
    expect((await tool("crm_attribute -N node1 -n a -v y -D")).out).toStartWith("Deleted");
    expect(found("//nvpair[@id='nodes-1-a']")).toBeUndefined();
  });
});

describe("crm_node on a file", () => {
  test("forgets a node only with --force, also where another command counts", async () => {
    writeFileSync(file, cib.replace("</nodes>", '<node id="3" uname="node3"/></nodes>'));
    for (const words of ["-R node3", "-R node3 -l", "-l -R node3"]) {
      const { code, err } = await tool(`crm_node ${words}`);
      expect({ words, code }).toEqual({ words, code: 64 });
      expect(err).toContain("considered dangerous");
    }
    expect(found("//node[@uname='node3']")?.id).toBe("3");
    expect(await tool("crm_node -R node3 --force")).toMatchObject({ code: 0, out: "" });
    expect(found("//node[@uname='node3']")).toBeUndefined();
  });
});

describe("crm_resource on a file", () => {
  test("whatever it is asked, a node that there is not is a mistake, and changes nothing", async () => {
    for (const words of [
      "-W",
      "-L",
      "-l",
      "-O",
      "-q",
      "-a",
      "-Y",
      "-g fake",
      "-p fake -v x",
      "-d fake",
      "-C",
    ]) {
      const { code, out, err } = await tool(`crm_resource -r d1 -N node7 ${words}`);
      expect({ words, code, out }).toEqual({ words, code: 105, out: "" });
      expect(err).toContain("Node 'node7' not found");
    }
    expect(readFileSync(file, "utf8")).toBe(cib);
    expect((await tool("crm_resource -N node7 --list-standards")).code).toBe(0);
  });
});
