import { describe, expect, test } from "bun:test";
import { applyOperations, type CibOperation, formatXml, maskXml, parseXml } from "../../src/cib/index.ts";
import { MASKED } from "../../src/terms/index.ts";

const cib =
  parseXml(`<cib validate-with="pacemaker-3.9" epoch="1" admin_epoch="0" num_updates="0"><configuration>
  <crm_config/><nodes/><resources><primitive id="fence" class="stonith" type="fence_x"><instance_attributes id="fence-ia">
  <nvpair id="f-ip" name="ip" value="10.0.0.1"/><nvpair id="f-pw" name="password" value="geheim"/>
  <nvpair id="f-key" name="passphrase" value="lrm://"/></instance_attributes></primitive></resources><constraints/>
  </configuration><status/></cib>`);
const shown = maskXml(cib);
const resources = (document: typeof cib) => {
  const found = document.children[0]?.children.find(({ name }) => name === "resources");
  if (found === undefined) throw new Error("no resources");
  return found;
};
const after = (operation: Parameters<typeof applyOperations>[1][number]) =>
  applyOperations(cib, [operation]).cib;

describe("secrets of a configuration", () => {
  test("are masked by the names of their pairs; a reference to cibsecret's files is none", () => {
    const text = formatXml(shown);
    expect(text).not.toContain("geheim");
    expect(text).toContain(`name="password" value="${MASKED}"`);
    expect(text).toContain('name="passphrase" value="lrm://"');
    expect(formatXml(cib)).toContain("geheim");
  });

  test("stay as they are when what was read without them is brought back", () => {
    const changed = formatXml(resources(shown)).replace("10.0.0.1", "10.0.0.2");
    const result = formatXml(after({ op: "replace", xml: changed }));
    expect(result).toContain("10.0.0.2");
    expect(result).toContain("geheim");
    expect(formatXml(after({ op: "replace", xml: formatXml(shown) }))).toContain("geheim");
  });

  test("are not replaced by the mask", () => {
    const xml = `<primitive id="other" class="stonith" type="fence_x"><instance_attributes id="o-ia"><nvpair id="o-pw"
      name="password" value="${MASKED}"/></instance_attributes></primitive>`;
    expect(() => after({ op: "create", xml })).toThrow("nobody has given yet");
  });

  test("do not hinder other changes where a file with the mask in it was stored by hand", () => {
    const xml = '<nvpair id="f-ip" name="ip" value="10.0.0.3"/>';
    const result = applyOperations(shown, [{ op: "modify", xml, scope: "resources" }]).cib;
    expect(formatXml(result)).toContain("10.0.0.3");
    expect(formatXml(result)).toContain(`name="password" value="${MASKED}"`);
  });

  test("can be changed by who has seen only the mask", () => {
    const xml = '<nvpair id="f-pw" name="password" value="neu"/>';
    expect(formatXml(after({ op: "modify", xml, scope: "resources" }))).toContain('value="neu"');
  });

  const somebody = { askers: [{ user: "carol", groups: ["haclient"] }] };
  const probe = '<nvpair id="probe" name="probe" value="1"/>';
  const guesses = [
    `//nvpair[@id='probe' and //nvpair[@id='f-pw' and starts-with(@value,'g')]]`,
    `//nvpair[@id='probe' and //nvpair[@value='geheim']]`,
    `//nvpair[@id='probe' and not(//nvpair[@id='f-pw' and not(contains(@value,'h'))])]`,
  ];

  test.each(guesses)("are not found out by what a change finds: %s", (xpath) => {
    const set = `<cluster_property_set id="own">${probe}</cluster_property_set>`;
    const known = applyOperations(cib, [{ op: "create", scope: "crm_config", xml: set }]).cib;
    const attempts = [xpath, xpath.replaceAll("'g'", "'x'").replaceAll("geheim", "heimge")];
    const found = attempts.map((path) => {
      const { cib: left } = applyOperations(known, [{ op: "delete", xpath: path }], somebody);
      return formatXml(left).includes('id="probe"');
    });
    expect(found[0]).toBe(found[1] ?? false);
    // Who may see the secrets may look for them.
    const { cib: left } = applyOperations(known, [{ op: "delete", xpath }]);
    expect(formatXml(left)).not.toContain('id="probe"');
  });

  test("are not found out by what is to be deleted, nor by a path of a difference", () => {
    const gone = (value: string) =>
      formatXml(
        applyOperations(cib, [{ op: "delete", xml: `<nvpair value="${value}"/>` }], somebody).cib,
      ).includes("f-pw");
    expect([gone("geheim"), gone("other")]).toEqual([true, true]);
    const patch = (value: string): CibOperation => ({
      op: "patch",
      xml: `<diff format="2"><change operation="delete" path="//nvpair[@value='${value}']"/></diff>`,
    });
    for (const value of ["geheim", "other"])
      expect(() => applyOperations(cib, [patch(value)], somebody)).toThrow("nothing is at");
  });

  test.each([
    ["another name", { op: "modify", xml: '<nvpair id="f-pw" name="comment"/>' }],
    [
      "another name by a difference",
      {
        op: "patch",
        xml: `<diff format="2"><change operation="modify" path="//nvpair[@id='f-pw']"><change-list><change-attr name="name" operation="set" value="comment"/></change-list></change></diff>`,
      },
    ],
  ] as const)("are not shown under %s", (_how, operation) => {
    expect(() => applyOperations(cib, [operation], somebody)).toThrow("holds a secret, which another name");
    expect(formatXml(applyOperations(cib, [operation]).cib)).toContain('name="comment" value="geheim"');
  });

  test("are not shown under another id", () => {
    const xml = '<nvpair id="new" name="comment"/>';
    const operation = { op: "modify", xpath: "//nvpair[@id='f-pw']", xml } as const;
    expect(() => applyOperations(cib, [operation], somebody)).toThrow('is not <nvpair> "new"');
  });

  const own = (inside: string) =>
    `<primitive id="mine" class="ocf" provider="pacemaker" type="Dummy">${inside}</primitive>`;

  test.each([
    [
      "by a pair under another name",
      own('<instance_attributes id="mi"><nvpair id-ref="f-pw" name="state"/></instance_attributes>'),
    ],
    ["by a whole set", own('<instance_attributes id-ref="fence-ia"/>')],
    [
      "by a rule that compares",
      '<rsc_location id="l" rsc="fence"><rule id="r" score="1"><expression id="e" attribute="#uname" operation="lt" value="password" value-source="param"/></rule></rsc_location>',
    ],
  ])("are not borrowed %s", (_how, xml) => {
    expect(() => applyOperations(cib, [{ op: "create", xml }], somebody)).toThrow(/would (?:refer|compare)/);
    expect(formatXml(applyOperations(cib, [{ op: "create", xml }]).cib)).toContain(xml.slice(0, 20));
  });

  test("that are borrowed already hinder no other change, nor do other references and rules", () => {
    const pairs = '<instance_attributes id="oi"><nvpair id="o" name="ip" value="1"/></instance_attributes>';
    const uses = own('<instance_attributes id-ref="fence-ia"/>');
    const known = applyOperations(cib, [{ op: "create", xml: uses }]).cib;
    const other = own(pairs).replace("mine", "other");
    const second = own('<instance_attributes id-ref="oi"/>').replace("mine", "second");
    const made = applyOperations(
      known,
      [
        { op: "create", xml: other },
        { op: "create", xml: second },
      ],
      somebody,
    );
    expect(formatXml(made.cib)).toContain('id="second"');
  });

  describe("of somebody who may only read", () => {
    const reader = { askers: [{ user: "rita", groups: [] }] };
    const acls = `<acls><acl_role id="r"><acl_permission id="rp" kind="read" xpath="/cib"/></acl_role><acl_target id="rita"><role id="r"/></acl_target></acls>`;
    const enabled = `<cluster_property_set id="c"><nvpair id="c-acl" name="enable-acl" value="true"/></cluster_property_set>`;
    const limited = applyOperations(cib, [
      { op: "create", scope: "crm_config", xml: enabled },
      { op: "create", scope: "acls", xml: acls },
    ]).cib;
    const pair = (value: string) => `<nvpair id="f-pw" name="password" value="${value}"/>`;
    const set = "//instance_attributes[@id='fence-ia']";

    test.each<readonly [string, (value: string) => readonly CibOperation[]]>([
      ["modifies", (value) => [{ op: "modify", xml: pair(value) }]],
      ["replaces", (value) => [{ op: "replace", xml: pair(value) }]],
      [
        "deletes and makes",
        (value) => [
          { op: "delete", xpath: "//nvpair[@id='f-pw']" },
          { op: "create", xpath: set, xml: pair(value) },
        ],
      ],
    ])("are not confirmed when he %s them", (_how, operations) => {
      const answer = (value: string) => {
        try {
          return applyOperations(limited, operations(value), reader).value;
        } catch (error) {
          return (error as Error).message;
        }
      };
      expect(answer("geheim")).toMatch(/may not/);
      expect(answer("geheim")).toBe(answer("falsch"));
    });

    test("stay masked where he brings back what he has read", () => {
      const { cib: same } = applyOperations(limited, [{ op: "modify", xml: pair(MASKED) }], reader);
      expect(formatXml(same)).toBe(formatXml(limited));
    });
  });

  test("may make way for something else", () => {
    const xml = '<nvpair id="f-pw" name="comment" value="new"/>';
    for (const op of ["modify", "replace"] as const)
      expect(formatXml(applyOperations(cib, [{ op, xml }], somebody).cib)).toContain('value="new"');
  });

  test("go with what they are in, and can be changed where their place is named", () => {
    const gone = applyOperations(cib, [{ op: "delete", xpath: "//nvpair[@id='f-pw']" }], somebody).cib;
    expect(formatXml(gone)).not.toContain("f-pw");
    const xml = '<nvpair id="f-pw" name="password" value="neu"/>';
    const changed = applyOperations(cib, [{ op: "modify", xpath: "//nvpair[@id='f-pw']", xml }], somebody);
    expect(formatXml(changed.cib)).toContain('value="neu"');
  });
});

describe("digests of parameters, by which a secret could be guessed", () => {
  const entry = (rsc: string, operation = "start", interval = 0) =>
    `<lrm_resource id="${rsc}" class="ocf" provider="test" type="X"><lrm_rsc_op id="${rsc}_last_0" operation="${operation}" operation_key="${rsc}_${operation}_${interval}" interval="${interval}" op-digest="d1" op-restart-digest="d2" op-secure-digest="d3" rc-code="0"/></lrm_resource>`;
  const primitive = (id: string, more = "", inner = "") =>
    `<primitive id="${id}" class="ocf" provider="test" type="X"${more}>${inner}</primitive>`;
  const secret = (id: string) =>
    `<instance_attributes id="${id}"><nvpair id="${id}-p" name="password" value="geheim"/></instance_attributes>`;
  const document = parseXml(`<cib><configuration><resources>
<template id="t" class="ocf" type="X">${secret("ts")}</template>
${primitive("plain", "", '<instance_attributes id="pi"><nvpair id="pp" name="port" value="1"/></instance_attributes>')}
<clone id="c">${primitive("member")}</clone>
${primitive("own", "", secret("os"))}${primitive("made", ' template="t"')}
${primitive("refers", "", '<instance_attributes id-ref="os"/>')}
${primitive("op", "", `<operations><op id="o" name="start" interval="0">${secret("ops")}</op></operations>`)}
</resources></configuration><status><node_state id="1"><lrm><lrm_resources>
${["plain", "member:0", "own", "made", "refers", "op", "removed"].map((id) => entry(id, "migrate_to")).join("")}
</lrm_resources></lrm></node_state></status></cib>`);
  const digestsOf = (text: string) =>
    new Map(
      [...text.matchAll(/id="([\w:]+)_last_0"[^>]*?op-digest="([^"]*)"/g)].map(([, id, value]) => [
        id,
        value,
      ]),
    );

  test("are shown of what has none, and of nothing else", () => {
    const text = formatXml(maskXml(document));
    expect(Object.fromEntries(digestsOf(text))).toEqual({
      plain: "d1",
      "member:0": "d1",
      ...Object.fromEntries(["own", "made", "refers", "op", "removed"].map((id) => [id, MASKED])),
    });
    expect(text.match(/="d[23]"/g)).toHaveLength(4);
    expect(formatXml(document)).toContain('op-digest="d1"');
  });
});
