import { describe, expect, test } from "bun:test";
import {
  cibOf,
  findLiftedDenies,
  formatXml,
  loadCrm,
  modifyGroup,
  Rights,
  removeObjects,
  renameObject,
  verifyCib,
  type XmlElement,
} from "../../src/cib/index.ts";

/** What a change of objects means for access rules that name them: a deny is never lifted in silence. */

const configured = (role: string, more = "") =>
  loadCrm(
    `node 1: n1
property stonith-enabled=false enable-acl=true
primitive P1 ocf:pacemaker:Dummy params fake=topsecret
primitive P2 ocf:pacemaker:Dummy params fake=public
primitive P3 ocf:pacemaker:Dummy params fake=third
group GG P2
acl_target nobody RR
role RR ${role}
${more}`,
    undefined,
    "replace",
  );

/** What user nobody sees. */
function seen(configuration: XmlElement): string {
  const cib = cibOf(configuration);
  const visible = Rights.of(cib, [{ user: "nobody", groups: [] }], 0)?.look(cib).visible;
  return visible === undefined ? "" : formatXml(visible);
}
const permissions = (configuration: XmlElement) =>
  formatXml(configuration, -1).match(/<acl_permission [^>]*>/g) ?? [];
const lifted = (before: XmlElement, after: XmlElement, renamed?: { from: string; to: string }) =>
  findLiftedDenies(cibOf(before), cibOf(after), renamed).map(({ text }) => text);

describe("an object that is renamed", () => {
  test.each([
    [`xpath:"//primitive[@id='P1']"`, `xpath="//primitive[@id='PX']"`],
    [`xpath:"//*[@id='P1']"`, `xpath="//*[@id='PX']"`],
    [`xpath:'//primitive[@id="P1"]'`, `xpath="//primitive[@id=&quot;PX&quot;]"`],
    [`xpath:"//primitive[@id='P2' or @id = 'P1']"`, `xpath="//primitive[@id='P2' or @id = 'PX']"`],
    [`xpath:"//primitive[contains(@id,'P1')]"`, `xpath="//primitive[contains(@id,'PX')]"`],
    [
      `xpath:"/cib/configuration/resources/primitive[@id='P1']|//group[@id='GG']"`,
      `xpath="/cib/configuration/resources/primitive[@id='PX']|//group[@id='GG']"`,
    ],
    ["params:P1", `xpath="//primitive[@id='PX']/instance_attributes"`],
    ["ref:P1", `reference="PX"`],
  ])("is followed by a deny of %s, which is said", (deny, path) => {
    const before = configured(`deny ${deny} read xpath:/cib`);
    expect(seen(before)).not.toContain("topsecret");
    const { configuration: after, remarks } = renameObject(before, "P1", "PX");
    expect(permissions(after)[0]).toContain(path);
    const said = deny.startsWith("ref:")
      ? []
      : [`permission RR-0 (deny) of role RR follows: ${path.slice(7, -1)}`];
    expect(remarks).toEqual(said.map((text) => text.replaceAll("&quot;", '"')));
    expect([seen(after).includes("topsecret"), seen(after).includes("third")]).toEqual([false, true]);
    expect(lifted(before, after, { from: "P1", to: "PX" })).toEqual([]);
  });

  test("is not what values that are no id of an object mean", () => {
    const path = "//nvpair[@name='P1' and @value='P1']|//node[@id='P1' or @uname='P1']";
    const { configuration, remarks } = renameObject(configured(`deny xpath:"${path}"`), "P1", "PX");
    expect([permissions(configuration)[0], remarks]).toEqual([
      expect.stringContaining(`xpath="${path}"`),
      [],
    ]);
  });

  test("may not escape a deny that names only a part of its id", () => {
    const before = configured(`deny xpath:"//primitive[starts-with(@id,'P')]" read xpath:/cib`);
    const after = renameObject(before, "P1", "db").configuration;
    expect(seen(after)).toContain("topsecret");
    expect(lifted(before, after, { from: "P1", to: "db" })).toEqual([
      "permission RR-0 (deny) of role RR does not cover db any more: //primitive[starts-with(@id,'P')]; whoever has the role RR is no longer kept from it",
    ]);
    const same = renameObject(before, "P1", "P12").configuration;
    expect(lifted(before, same, { from: "P1", to: "P12" })).toEqual([]);
  });

  test("is told of when a permission named the new id already", () => {
    const before = configured(`write xpath:"//primitive[@id='P1' or @id='PX']"`);
    const { configuration, remarks } = renameObject(before, "P1", "PX");
    expect(permissions(configuration)[0]).toContain("[@id='PX' or @id='PX']");
    expect(remarks[0]).toContain("permission RR-0 (write) of role RR named PX before, and is about it now");
  });
});

describe("an object that is removed", () => {
  test.each([
    "ref:P1",
    `xpath:"//primitive[@id='P1']"`,
    `xpath:"//nvpair[@id='P1-instance_attributes-fake']"`,
  ])("takes along a permission of %s, which would be one for whatever is called so later", (grant) => {
    const { configuration, remarks } = removeObjects(configured(`write ${grant} read xpath:/cib/status`), [
      "P1",
    ]);
    expect(permissions(configuration).join()).toMatch(
      /^<acl_permission kind="read" xpath="\/cib\/status" [^>]*>$/,
    );
    expect(remarks.join()).toMatch(/^permission RR-0 \(write\) of role RR is removed, too: \/\/\S+P1\S+$/);
  });

  test("leaves a permission that is about others as well, which is named", () => {
    const before = configured(`write xpath:"//primitive[@id='P1' or @id='P3']"`);
    const { configuration, remarks } = removeObjects(before, ["P1"]);
    expect(permissions(configuration)).toEqual(permissions(before));
    expect(remarks).toEqual([
      "permission RR-0 (write) of role RR stays as it names what is gone: //primitive[@id='P1' or @id='P3'] (it is about others, too)",
    ]);
  });

  test.each(["ref:P1", `xpath:"//*[@id='P1']"`])("leaves a deny of %s, which is named", (deny) => {
    const before = configured(`deny ${deny} read xpath:/cib`);
    const { configuration: after, remarks } = removeObjects(before, ["P1"]);
    expect(permissions(after)[0]).toContain(`xpath="//*[@id='P1']"`);
    expect(remarks[0]).toStartWith(
      "permission RR-0 (deny) of role RR stays as it names what is gone: //*[@id='P1']",
    );
    const again = loadCrm("primitive P1 ocf:pacemaker:Dummy params fake=topsecret\n", after, "update");
    expect([seen(again).includes("topsecret"), seen(again).includes("third")]).toEqual([false, true]);
  });

  test.each(["ref:GG", `xpath:"//group[@id='GG']"`])(
    "does not set free what %s kept from somebody",
    (deny) => {
      const before = configured(`deny ${deny} read xpath:/cib`);
      expect(lifted(before, removeObjects(before, ["GG"]).configuration)).toEqual([
        expect.stringContaining("permission RR-0 (deny) of role RR does not cover P2 any more"),
      ]);
      expect(lifted(before, removeObjects(before, ["GG", "P2"]).configuration)).toEqual([]);
    },
  );

  test("is named with the rules that name it, when it is a node", () => {
    const before = configured(
      "read xpath:/cib write node:n1",
      "location l1 P1 rule 100: #uname eq n1 or #uname eq n2\n",
    );
    const { configuration, remarks } = removeObjects(before, ["n1"]);
    expect(remarks).toEqual([
      "permission RR-1 (write) of role RR is removed, too: //nodes/node[@uname='n1']",
      "rule l1-rule of l1 still names node n1: #uname eq n1",
    ]);
    expect(formatXml(configuration)).toContain('value="n1"');
  });
});

test("a member that leaves a group does not leave the deny of it in silence", () => {
  const before = configured(`deny xpath:"//group[@id='GG']" read xpath:/cib`);
  const joined = modifyGroup(before, "GG", { do: "add", member: "P1" });
  expect(lifted(before, joined)).toEqual([]);
  expect(lifted(joined, modifyGroup(joined, "GG", { do: "remove", member: "P1" }))).toEqual([
    expect.stringContaining("does not cover P1 any more"),
  ]);
});

test("who takes a deny out of a role means it", () => {
  const before = configured(`deny xpath:"//primitive[@id='P1']" read xpath:/cib`);
  expect(lifted(before, loadCrm("role RR read xpath:/cib\n", before, "update"))).toEqual([]);
});

describe("verify", () => {
  const warned = (path: string) =>
    verifyCib(cibOf(configured(`deny xpath:"${path}"`))).filter(({ code }) => code === "ACL_UNKNOWN_ID");
  test.each([
    "//primitive[@id='P9']",
    "//primitive[@id='P1' or @id='P9']",
    "//rsc_location[@rsc='P9']",
    "//*[@id!='P9']",
  ])("warns of %s, since there is no P9", (path) => {
    expect(warned(path)).toMatchObject([
      {
        level: "warning",
        text: `permission RR-0 (deny) of role RR names "P9", which does not exist: ${path}`,
        id: "RR-0",
      },
    ]);
  });
  test.each([
    "//primitive[@id='P1']",
    "//nvpair[@id='later']",
    "//rsc_location[@id='cli-prefer-P1']",
    "//primitive[starts-with(@id,'x')]",
    "//nodes/node[@uname='n7']",
    "//lrm_resource[@id='P7']",
  ])("does not warn of %s", (path) => {
    expect(warned(path)).toEqual([]);
  });
});
