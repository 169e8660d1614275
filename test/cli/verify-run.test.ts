import { describe, expect, test } from "bun:test";
import { type Finding, findingText, verifyText } from "../../src/cli/commands/verify-run.ts";

const primitive = (inner = ""): string =>
  `<primitive id="a" class="ocf" provider="heartbeat" type="Dummy">${inner}</primitive>`;
const operations = (...attributes: readonly string[]): string =>
  `<operations>\n${attributes.map((text) => `<op ${text}/>`).join("\n")}</operations>`;

const member = '<node_state id="1" uname="n1" in_ccm="true" crmd="online" join="member" expected="member"/>';

interface Parts {
  readonly head?: string;
  readonly resources?: string;
  readonly constraints?: string;
  readonly rest?: string;
  readonly status?: string;
}

const cib = ({ head, resources, constraints = "", rest = "", status = "" }: Parts = {}): string =>
  `<cib have-quorum="1" ${head ?? 'validate-with="pacemaker-3.9" admin_epoch="0" epoch="1" num_updates="0"'}><configuration>
<crm_config><cluster_property_set id="o"><nvpair id="p" name="stonith-enabled" value="true"/></cluster_property_set></crm_config>
<nodes><node id="1" uname="n1"/></nodes>
<resources><primitive id="st" class="stonith" type="x"/>${resources ?? primitive()}</resources>
<constraints>${constraints}</constraints>${rest}</configuration><status>${member}${status}</status></cib>`;

const findings = (text: string): readonly Finding[] =>
  verifyText(text, "f.xml", 1_700_000_000).findings.filter(({ level }) => level !== "info");
const told = (parts: Parts): string[] =>
  findings(cib(parts)).map(({ level, code, line, id, cure }) =>
    [level, code, line, id, cure === undefined ? "" : "cure"].join(" "),
  );

describe("a finding has its place and a cure, and is told once", () => {
  test.each<[string, Parts, string[]]>([
    ["nothing wrong", {}, []],
    [
      "two operations of one interval",
      {
        resources: primitive(
          operations('id="x" name="monitor" interval="10"', 'id="y" name="monitor" interval="10s"'),
        ),
      },
      ["error SAME_INTERVAL 6 y cure"],
    ],
    [
      "a role of an operation",
      { resources: primitive(operations('id="x" name="monitor" interval="10" role="Boss"')) },
      ["error BAD_VALUE 5 x cure"],
    ],
    [
      "a member of a set",
      {
        constraints:
          '\n<rsc_order id="c">\n<resource_set id="s"><resource_ref id="nosuch"/></resource_set></rsc_order>',
      },
      ["error DANGLING_REFERENCE 7 s cure"],
    ],
    [
      "a node of a location",
      { constraints: '<rsc_location id="l" rsc="a" node="m1" score="5"/>' },
      ["warning UNKNOWN_NODE 5 l cure"],
    ],
    [
      "a rule without a condition",
      { constraints: '<rsc_location id="l" rsc="a"><rule id="r" score="1"/></rsc_location>' },
      ["error WRONG_FORM 5 r cure"],
    ],
    [
      "an id that XML does not know",
      { resources: primitive().replace('"a"', '"1 a"') },
      ["error BAD_ID 4 1 a cure"],
    ],
    [
      "a role that only promotable clones have",
      {
        resources: primitive(
          '<meta_attributes id="m"><nvpair id="n" name="target-role" value="Promoted"/></meta_attributes>',
        ),
      },
      ["error BAD_VALUE 4 n cure"],
    ],
    [
      "a fencing level",
      {
        rest: '\n<fencing-topology><fencing-level id="f" target="n1" index="0" devices="st"/></fencing-topology>',
      },
      ["error BAD_VALUE 6 f cure"],
    ],
    [
      "a state of no node",
      { status: '<node_state id="9" uname="gone" in_ccm="true" crmd="online" join="member"/>' },
      ["warning SCHEDULER   "],
    ],
    [
      "a version that is none",
      { head: 'validate-with="pacemaker-3.9" admin_epoch="x" num_updates="0"' },
      ["error BAD_VALUE 1  cure", "error MISSING_ATTRIBUTE 1  cure"],
    ],
    [
      "a schema that nobody knows",
      { head: 'validate-with="pacemaker-99.9" admin_epoch="0" epoch="1" num_updates="0"' },
      ["error UNKNOWN_SCHEMA 1  cure"],
    ],
    ["no schema, then no versions either", { head: "" }, []],
  ])("%s", (_, parts, expected) => expect(told(parts)).toEqual(expected));
});

test("names of guests and of replicas of bundles are nodes", () => {
  const guest = '<meta_attributes id="m"><nvpair id="n" name="remote-node" value="guest"/></meta_attributes>';
  const bundle = '<bundle id="b"><podman image="i" replicas="2"/><network control-port="1"/></bundle>';
  const location = (node: string) => `<rsc_location id="l-${node}" rsc="a" node="${node}" score="5"/>`;
  const unknown = findings(
    cib({
      resources: primitive(guest) + bundle,
      constraints: ["N1", "guest", "b-1", "b-2"].map(location).join(""),
    }),
  ).filter(({ code }) => code === "UNKNOWN_NODE");
  expect(unknown.map(({ id }) => id)).toEqual(["l-b-2"]);
});

describe("what is no configuration at all", () => {
  test.each<[string, string, string]>([
    ["nothing", " \n", "EMPTY"],
    ["no text", "\0\u0001crm", "NO_TEXT"],
    ["another document", "<html/>", "NOT_A_CIB"],
    ["an end that is missing", cib().slice(0, 300), "XML_SYNTAX"],
    ["entities that grow", '<!DOCTYPE c [<!ENTITY a "aa">]><cib>&a;</cib>', "XML_SYNTAX"],
    ["only a head", '<cib validate-with="none"/>', "NO_CONFIGURATION"],
  ])("%s", (_, text, code) => {
    const found = findings(text);
    expect(found.map((finding) => finding.code)).toEqual([code]);
    expect(found.map(findingText).join()).toContain("cure: ");
  });
});

describe("fencing", () => {
  const device = (name: string, value: string) =>
    cib().replace(
      '<primitive id="st" class="stonith" type="x"/>',
      `<primitive id="st" class="stonith" type="x"><instance_attributes id="i"><nvpair id="n" name="${name}" value="${value}"/></instance_attributes></primitive>`,
    );

  test.each([
    ["pcmk_host_check", "x", "static-list"],
    ["pcmk_host_map", "n1", '"n1"'],
    ["pcmk_delay_max", "x", "not a duration"],
    ["pcmk_delay_base", "soon", "not a duration"],
    ["pcmk_hostlist", "n1", "pcmk_host_list"],
    ["hactl_verify_off", "perhaps", "true nor false"],
  ])("a parameter of a device that is not understood is told: %s=%s", (name, value, part) => {
    const [finding, ...others] = findings(device(name, value));
    expect(others).toEqual([]);
    expect(finding).toMatchObject({
      level: "warning",
      code: "DEVICE_PARAMETER",
      id: "st",
      line: 4,
      file: "f.xml",
    });
    expect(finding?.text).toContain(name);
    expect(finding?.text).toContain(part);
  });

  test.each([
    ["pcmk_host_check", "none"],
    ["pcmk_host_map", "n1:2,3;N1:4"],
    ["pcmk_delay_base", "n1:5s;N1:0s"],
    ["pcmk_delay_base", "5s"],
    ["hactl_verify_off", "yes"],
  ])("nothing against %s=%s", (name, value) => expect(findings(device(name, value))).toEqual([]));

  test("a node that would be fenced is told; where nobody has said anything of any, as a remark", () => {
    const lost =
      '<node_state id="1" uname="n1" in_ccm="false" crmd="offline" join="member" expected="member"/>';
    const told = (text: string) =>
      verifyText(text, "f.xml", 1_700_000_000).findings.map(
        ({ level, code, id }) => `${level} ${code} ${id}`,
      );
    expect(told(cib())).toEqual([]);
    expect(told(cib().replace(member, lost))).toEqual(["warning FENCING n1"]);
    expect(told(cib().replace(member, ""))).toEqual(["info FENCING n1"]);
  });
});

test("what was dropped when crm text was brought into its present form is told, too", () => {
  const text = `primitive st stonith:x
primitive s ocf:pacemaker:Stateful
clone c s meta promotable=true promoted-max=1 master-max=2
`;
  const found = verifyText(text, "f.crm", 0).findings.filter(({ level }) => level !== "info");
  expect(found.map(({ level, code, line }) => [level, code, line])).toEqual([["warning", "UPGRADED", 3]]);
  expect(found[0]?.text).toMatch(/^master-max="2" has no effect: promoted-max="1"/);
});

test("what nobody knows at the outermost element is told", () => {
  const head = 'validate-with="pacemaker-3.9" admin_epoch="0" epoch="1" num_updates="0" dc-uuid="1"';
  const unknown = findings(cib({ head: `${head} dc-uuiq="1" zzz="2"` }));
  expect(unknown.map(({ code, level, text, cure }) => [level, code, text, cure])).toEqual([
    ["error", "UNKNOWN_ATTRIBUTE", '<cib> has an unknown attribute "dc-uuiq"', 'did you mean "dc-uuid"?'],
    ["error", "UNKNOWN_ATTRIBUTE", '<cib> has an unknown attribute "zzz"', "remove it"],
  ]);
  expect(findings(cib({ head }))).toEqual([]);
});
