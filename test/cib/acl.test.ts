import { describe, expect, test } from "bun:test";
import {
  type Asker,
  applyOperations,
  type CibOperation,
  formatXml,
  maskXml,
  parseXml,
  Rights,
  selectXpath,
  type XmlElement,
} from "../../src/cib/index.ts";
import { CrmExit, HactlError, MASKED } from "../../src/terms/index.ts";
import { at, document, permitted, requests, user } from "./acl-cases.ts";

/** Everything as text, but the versions. */
const text = (cib: XmlElement) => formatXml(cib).replace(/ (?:epoch|num_updates)="\d+"/g, "");

function attempt(
  askers: readonly Asker[],
  operations: readonly CibOperation[],
  enabled = "true",
  live = false,
) {
  const cib = document(enabled);
  const before = text(cib);
  try {
    const outcome = applyOperations(cib, operations, { askers, now: at, live });
    const changed = text(outcome.cib) !== before;
    return { answer: changed ? "changed" : "as it was", cib: outcome.cib, error: undefined };
  } catch (error) {
    if (!(error instanceof HactlError)) throw error;
    expect(text(cib)).toBe(before);
    return { answer: error.code === "PERMISSION" ? "denied" : error.code, cib, error };
  }
}

describe("who may change what", () => {
  const rows = permitted.flatMap(([who, asker, allowed]) =>
    Object.entries(requests).map(
      ([request, operation]) => [who, request, allowed.includes(request), asker, operation] as const,
    ),
  );
  test.each(rows)("%s: %s: %p", (_who, request, allowed, asker, operation) => {
    const { answer, error } = attempt([asker], [operation]);
    const wanted = request === "count the version up" ? "as it was" : "changed";
    if (allowed) expect(answer).toBe(wanted);
    else {
      // What is not to be seen is not found: then there is nothing to do, or nothing of that name.
      expect(["denied", "as it was", "NO_SUCH"]).toContain(answer);
      if (answer === "as it was") expect(operation.op).toBe("delete");
      if (answer === "denied") expect(error?.exit).toBe(CrmExit.INSUFFICIENT_PRIV);
    }
  });

  test("nobody is limited while the rules are not in force, nor by no asker", () => {
    for (const operation of Object.values(requests)) {
      expect(attempt([user("mallory")], [operation], "false").error).toBeUndefined();
      expect(attempt([], [operation]).error).toBeUndefined();
    }
  });

  test("of two askers each has to be permitted", () => {
    const stop = [requests["stop the address"]];
    expect(attempt([user("carol"), user("dave")], stop).answer).toBe("changed");
    expect(attempt([user("carol"), user("bob")], stop).answer).toBe("denied");
    expect(attempt([user("bob"), user("carol")], stop).answer).toBe("denied");
  });

  test("one request of several that is not permitted spoils them all", () => {
    const { answer } = attempt([user("carol")], [requests["stop the address"], requests["add a resource"]]);
    expect(answer).toBe("denied");
  });

  test("the rules before the change count, not those that it brings", () => {
    const grant: CibOperation[] = [
      { op: "modify", xml: '<acl_target id="carol"><role id="rule"/></acl_target>' },
      requests["add a resource"],
    ];
    expect(attempt([user("carol")], grant).answer).toBe("denied");
    expect(attempt([user("olga")], grant.slice(0, 1)).answer).toBe("denied");
  });
});

describe("a deny that looks at values", () => {
  const secret = (more: string) =>
    parseXml(`<cib admin_epoch="0" epoch="1" num_updates="0" validate-with="pacemaker-3.9">
<configuration>
<crm_config><cluster_property_set id="cib-bootstrap-options"><nvpair id="e" name="enable-acl" value="true"/></cluster_property_set></crm_config>
<nodes><node id="1" uname="n1"/></nodes>
<resources><group id="g"><primitive id="sec" class="ocf" provider="test" type="A"><meta_attributes id="sec-m"><nvpair id="sec-p" name="priority" value="7"/></meta_attributes><instance_attributes id="sec-i"><nvpair id="sec-pw" name="passwd" value="topsecret"/></instance_attributes></primitive></group>
<primitive id="plain" class="ocf" provider="test" type="A"><meta_attributes id="plain-m"><nvpair id="plain-p" name="priority" value="1"/></meta_attributes></primitive></resources>
<constraints/>
<acls><acl_role id="r">${more}<acl_permission id="r-w" kind="write" xpath="//resources//meta_attributes"/><acl_permission id="r-s" kind="write" xpath="//status"/><acl_permission id="r-r" kind="read" xpath="/cib"/></acl_role><acl_target id="list"><role id="r"/></acl_target></acls>
</configuration>
<status><node_state id="1" uname="n1" crmd="online"><transient_attributes id="1"/></node_state></status></cib>`);
  const byPriority = `<acl_permission id="r-d" kind="deny" xpath="//primitive[meta_attributes/nvpair[@name='priority' and @value='7']]/instance_attributes"/>`;
  const list = [{ user: "list", groups: [] }];
  const change = (cib: XmlElement, operation: CibOperation) => {
    try {
      return formatXml(applyOperations(cib, [operation], { askers: list, now: at, live: false }).cib);
    } catch (error) {
      if (error instanceof HactlError) return error.code;
      throw error;
    }
  };

  test("stays in force: who may change the value does not see by that what is hidden", () => {
    for (const operation of [
      { op: "modify", xml: '<nvpair id="sec-p" value="8"/>' },
      { op: "modify", xml: '<nvpair id="sec-p" name="migration-threshold"/>' },
      { op: "delete", xml: '<nvpair id="sec-p"/>' },
      { op: "delete", xml: '<meta_attributes id="sec-m"/>' },
    ] as const)
      expect([operation, change(secret(byPriority), operation)]).toEqual([operation, "PERMISSION"]);
  });

  test("and what it does not look at is changed as before", () => {
    for (const operation of [
      { op: "modify", xml: '<nvpair id="plain-p" value="2"/>' },
      // Hiding more than before gives nothing away.
      {
        op: "create",
        xml: '<nvpair id="sec-x" name="is-managed" value="false"/>',
        xpath: "//meta_attributes[@id='sec-m']",
      },
    ] as const)
      expect(change(secret(byPriority), operation)).toStartWith("<cib");
    expect(change(secret(""), { op: "modify", xml: '<nvpair id="sec-p" value="8"/>' })).toStartWith("<cib");
  });
});

describe("what is tried to get around the rules", () => {
  const tricks: readonly (readonly [string, Asker, CibOperation])[] = [
    [
      "rename what one may change",
      user("carol"),
      { op: "modify", xml: '<nvpair id="vip-t" name="migration-threshold" value="1"/>' },
    ],
    [
      "rename into what one may change",
      user("carol"),
      { op: "modify", xml: '<nvpair id="c3" name="maintenance-mode" value="true"/>' },
    ],
    [
      "put it elsewhere",
      user("carol"),
      {
        op: "create",
        xml: '<nvpair id="w" name="target-role" value="Stopped"/>',
        xpath: "//instance_attributes[@id='vip-i']",
      },
    ],
    ["an empty set", user("bob"), { op: "create", xml: '<cluster_property_set id="z"/>' }],
    [
      "a set with something else",
      user("carol"),
      {
        op: "modify",
        xml: '<primitive id="web"><meta_attributes id="web-m"><nvpair id="web-t" name="target-role" value="Stopped"/><nvpair id="web-x" name="priority" value="9"/></meta_attributes></primitive>',
      },
    ],
    [
      "scaffolding with more than an id",
      user("carol"),
      {
        op: "modify",
        xml: '<primitive id="web"><meta_attributes id="web-m" score="5"><nvpair id="web-t" name="target-role" value="Stopped"/></meta_attributes></primitive>',
      },
    ],
    ["remove what holds something denied", user("chris"), { op: "delete", xpath: "/cib/configuration" }],
    [
      "another order",
      user("bob"),
      {
        op: "replace",
        xml: '<group id="g"><primitive id="m2" class="ocf" provider="heartbeat" type="Dummy"/><primitive id="m1" class="ocf" provider="heartbeat" type="Dummy"/></group>',
      },
    ],
    ["a newer version", user("carol"), { op: "modify", xml: '<cib admin_epoch="7"/>' }],
    ["another schema", user("bob"), { op: "modify", xml: '<cib validate-with="none"/>' }],
    [
      "a patch",
      user("bob"),
      {
        op: "patch",
        xml: `<diff format="2"><change operation="modify" path="//nvpair[@id='c2']"><change-list><change-attr name="value" operation="set" value="true"/></change-list></change></diff>`,
      },
    ],
    [
      "a patch that moves",
      user("bob"),
      {
        op: "patch",
        xml: `<diff format="2"><change operation="move" path="//primitive[@id='m2']" position="0"/></diff>`,
      },
    ],
    [
      "a patch that deletes",
      user("bob"),
      {
        op: "patch",
        xml: `<diff format="2"><change operation="delete" path="//primitive[@id='m2']"/></diff>`,
      },
    ],
    ["a replaced section", user("carol"), { op: "replace", scope: "constraints", xml: "<constraints/>" }],
    [
      "a whole document",
      user("carol"),
      {
        op: "replace",
        xml: "<cib><configuration><crm_config/><nodes/><resources/><constraints/></configuration></cib>",
      },
    ],
    [
      "what one sees of it as the whole",
      user("alice"),
      {
        op: "replace",
        xml: formatXml(Rights.of(document(), [user("alice")], at)?.see(document()) ?? document()),
      },
    ],
  ];
  test.each(tricks)("%s", (_name, asker, operation) => {
    expect(attempt([asker], [operation]).answer).toBe("denied");
    expect(attempt([user("dave")], [operation]).answer).not.toBe("denied");
  });

  test("what is hidden is not found by guessing", () => {
    const guess = (start: string): CibOperation => ({
      op: "delete",
      xpath: `//nvpair[@name='passwd' and starts-with(@value,'${start}')]`,
    });
    const right = attempt([user("alice")], [guess("s")]);
    const wrong = attempt([user("alice")], [guess("t")]);
    expect([right.answer, wrong.answer]).toEqual(["as it was", "as it was"]);
    const whole: CibOperation = { op: "delete", xml: '<nvpair name="passwd" value="secret"/>' };
    expect(attempt([user("alice")], [whole]).answer).toBe("as it was");
    // He may see the pair, but not its value.
    expect(attempt([user("bob")], [whole]).answer).toBe("as it was");
    expect(attempt([user("dave")], [whole]).answer).toBe("as it was");
    const asShown: CibOperation = { op: "delete", xml: `<nvpair name="passwd" value="${MASKED}"/>` };
    expect(attempt([user("bob")], [asShown]).answer).toBe("denied");
    expect(attempt([user("dave")], [asShown]).answer).toBe("changed");
  });

  test("the refusal does not name what is hidden", () => {
    const { error } = attempt(
      [user("alice")],
      [{ op: "replace", scope: "constraints", xml: "<constraints/>" }],
    );
    expect(error?.what).toBe("user alice may not change what the access rules hide from alice");
    const seen = attempt([user("bob")], [requests["change a parameter"]]);
    expect(seen.error?.what).toBe('user bob may not change <nvpair> "vip-p"');
  });

  test("what is hidden cannot be guessed: a right guess is answered like a wrong one", () => {
    const primitive = (value: string) =>
      `<primitive id="vip" class="ocf" provider="heartbeat" type="Dummy"><instance_attributes id="vip-i"><nvpair id="vip-p" name="passwd" value="${value}"/></instance_attributes><meta_attributes id="vip-m"><nvpair id="vip-t" name="target-role" value="Started"/></meta_attributes></primitive>`;
    const nvpair = (value: string) => `<nvpair id="vip-p" name="passwd" value="${value}"/>`;
    const ways: readonly ((value: string) => readonly CibOperation[])[] = [
      (value) => [{ op: "modify", xml: nvpair(value) }],
      (value) => [{ op: "modify", xml: primitive(value) }],
      (value) => [{ op: "replace", xml: nvpair(value) }],
      (value) => [{ op: "replace", xml: primitive(value) }],
      (value) => [{ op: "replace", xml: primitive(value), xpath: "//primitive[@id='vip']" }],
      (value) => [
        { op: "delete", xpath: "//primitive[@id='vip']" },
        { op: "create", xml: primitive(value) },
      ],
      (value) => [
        {
          op: "patch",
          xml: `<diff format="2"><change operation="delete" path="//primitive[@id='vip']"/><change operation="create" path="/cib/configuration/resources" position="0">${primitive(value)}</change></diff>`,
        },
      ],
      (value) => [
        { op: "replace", xml: formatXml(document(), -1).replace('value="secret"', `value="${value}"`) },
      ],
      (value) => [{ op: "delete", xml: nvpair(value) }],
      (value) => [{ op: "delete", xpath: `//nvpair[@value='${value}']` }],
    ];
    for (const who of ["alice", "pia"])
      for (const way of ways) {
        const told = (value: string) => {
          const { answer, error } = attempt([user(who)], way(value));
          return `${answer} ${error?.message ?? ""}`;
        };
        expect([who, told("secret")]).toEqual([who, told("wrong")]);
        expect(told("secret")).not.toMatch(/^changed|secret/);
      }
  });

  test("what is wrong with hidden parts is not told", () => {
    const gone: CibOperation = { op: "delete", xpath: "//primitive[@id='vip']" };
    const { answer, error } = attempt([user("max")], [gone]);
    expect(answer).toBe("DANGLING_REFERENCE");
    expect(error?.message).not.toMatch(/"l"|rsc_location|ord/);
    expect(attempt([], [gone]).error?.message).toMatch(/"l"|"ord"/);
    const own = attempt(
      [user("max")],
      [{ op: "create", xml: '<primitive id="own" class="lsb" type="own"><bogus/></primitive>' }],
    );
    expect(own.error?.message).toContain("bogus");
  });

  test("what one may change by its id, or at its place, does not become something else", () => {
    const remove: CibOperation = { op: "delete", xpath: "//primitive[@id='vip']" };
    const unbound: CibOperation[] = [
      { op: "delete", xpath: "//rsc_location" },
      { op: "delete", xpath: "//rsc_order" },
      remove,
    ];
    const cases: readonly CibOperation[] = [
      {
        op: "create",
        xml: '<nvpair id="vip" name="enable-acl" value="false"/>',
        xpath: "//cluster_property_set",
      },
      { op: "create", xml: '<acl_target id="vip" name="eve"><role id="rule"/></acl_target>' },
      {
        op: "create",
        xml: '<acl_role id="vip"><acl_permission id="x" kind="write" xpath="/cib"/></acl_role>',
      },
      { op: "create", xml: '<rsc_location id="vip" rsc="web" node="n1" score="1"/>' },
      { op: "create", xml: '<primitive id="vip" class="lsb" type="own"/>' },
    ];
    // Without what refers to it and would be in the way, by whoever may remove that.
    const byPath = '<acl_permission id="p1" kind="write" xpath="//*[@id=\'vip\']"/>';
    for (const created of cases) {
      const { cib } = attempt(
        [],
        [
          ...unbound.slice(0, 2),
          { op: "replace", xml: byPath },
          { op: "delete", xpath: "//acl_permission[@id='u2']" },
        ],
      );
      const change = [remove, created];
      expect(() => applyOperations(cib, change, { askers: [user("rex")], now: at })).toThrow(
        expect.objectContaining({ code: "PERMISSION" }),
      );
      expect(() => applyOperations(cib, change, { askers: [], now: at })).not.toThrow();
      expect(() => applyOperations(cib, [remove], { askers: [user("rex")], now: at })).not.toThrow();
    }
  });

  test("a document that is sent back as it was read changes nothing, also when it is out of date", () => {
    const old = formatXml(maskXml(document()))
      .replace('num_updates="9"', 'num_updates="3"')
      .replace('dc-uuid="1"', 'dc-uuid="2"');
    const sent = (who: string, xml: string) => attempt([user(who)], [{ op: "replace", xml }], "true", true);
    const { answer, cib } = sent("carol", old);
    expect(answer).toBe("as it was");
    expect(cib.attributes.get("dc-uuid")).toBe("1");
    const stopped = old
      .replace('value="Started"', 'value="Stopped"')
      .replace('num_updates="3"', 'num_updates="9"');
    expect(sent("carol", stopped).answer).toBe("changed");
    expect(sent("bob", stopped).answer).toBe("denied");
  });
});

describe("a path that would keep every member from its work", () => {
  const wide = parseXml(
    `<cib><configuration><resources>${'<primitive id="p"/>'.repeat(3000)}</resources></configuration></cib>`,
  );
  const deep: readonly string[] = ["[b", "[not(b", "[(b"].map(
    (open) =>
      `//a${open.repeat(10_000)}${(open.includes("not(") ? ")]" : open.includes("(") ? ")]" : "]").repeat(10_000)}`,
  );

  test.each([
    ["//*[//*[//*]]", "XPATH_LIMIT"],
    ["//*[following-sibling::*[following-sibling::*]]", "XPATH_LIMIT"],
    ...deep.map((path) => [path, "XPATH_SYNTAX"] as const),
  ])("%.30s is refused", (path, code) => {
    expect(() => selectXpath(wide, path)).toThrow(expect.objectContaining({ code }));
    expect(() => selectXpath(wide, path)).toThrow(HactlError);
    expect(attempt([user("bob")], [{ op: "delete", xpath: path }]).answer).not.toBe("changed");
  });

  test("what a sensible path needs is there", () => {
    expect(selectXpath(wide, "//resources/primitive[@id='p']")).toHaveLength(3000);
    expect(selectXpath(wide, "//primitive[@id='p'][last()]")).toHaveLength(1);
  });

  test("many of them at once", () => {
    const once: CibOperation = { op: "delete", xpath: "//rsc_location[@id='none']" };
    expect(attempt([user("bob")], Array(200).fill(once)).answer).toBe("as it was");
    expect(attempt([user("bob")], Array(201).fill(once)).answer).toBe("TOO_MUCH");
    expect(attempt([], Array(201).fill(once)).answer).toBe("as it was");
  });
});

describe("who sees what", () => {
  const sees = (asker: Asker) => Rights.of(document(), [asker], at)?.look(document()).visible;
  /** What is looked for, and who finds it with its value. */
  const parts: readonly (readonly [string, string])[] = [
    ["//nvpair[@name='stonith-enabled']", "alice bob carol dave chris olga erin"],
    ["//nvpair[@name='standby']", "alice bob carol dave chris olga erin"],
    ["//nvpair[@name='site']", "bob carol dave chris olga erin"],
    ["//nvpair[@name='passwd']", "bob carol dave mike vip olga erin"],
    ["//nvpair[@name='target-role']", "alice bob carol dave mike vip olga erin"],
    ["//primitive[@id='vip' and @type]", "alice bob carol dave mike vip olga erin"],
    ["//primitive[@id='web' and @type]", "alice bob carol dave mike olga erin"],
    ["//primitive[@id='web']", "alice bob carol dave mike olga erin"],
    ["//rsc_location", "bob carol dave chris olga erin"],
    ["//acls", "bob carol dave chris olga erin"],
    ["//nvpair[@name='load']", "bob carol dave chris olga erin"],
    ["/cib[@dc-uuid]", "alice bob carol dave chris olga erin"],
    ["/cib/status/node_state[@crmd]", "alice bob carol dave chris olga erin"],
  ];
  const everybody = "alice bob carol dave mike chris olga vip erin mallory frank quentin empty eve".split(
    " ",
  );
  test.each(parts)("%s is seen by %s", (xpath, who) => {
    const found = everybody.filter((name) => {
      const seen = sees(user(name));
      return seen !== undefined && selectXpath(seen, xpath).length > 0;
    });
    expect(found).toEqual(everybody.filter((name) => who.split(" ").includes(name)));
  });

  test("around what is seen there is nothing but ids", () => {
    const seen = sees(user("gina", "web"));
    expect(seen && formatXml(seen, -1)).toBe(
      '<cib admin_epoch="1" epoch="5" num_updates="9"><configuration><resources><primitive id="vip" class="ocf" provider="heartbeat" type="Dummy"><instance_attributes id="vip-i"><nvpair id="vip-p" name="passwd" value="secret"/></instance_attributes><meta_attributes id="vip-m"><nvpair id="vip-t" name="target-role" value="Started"/></meta_attributes></primitive></resources></configuration></cib>',
    );
    const alice = sees(user("alice"));
    const node = alice && selectXpath(alice, "//nodes/node")[0]?.element;
    expect(node && formatXml(node, -1)).toBe(
      '<node id="1" uname="n1"><instance_attributes id="n1-i"><nvpair id="n1-s" name="standby" value="off"/></instance_attributes></node>',
    );
  });

  test.each(["mallory", "frank", "quentin", "empty", "eve"])("%s sees nothing at all", (name) => {
    const rights = Rights.of(document(), [user(name)], at);
    expect(() => rights?.see(document())).toThrow(
      expect.objectContaining({ code: "PERMISSION", exit: CrmExit.INSUFFICIENT_PRIV }),
    );
  });

  test("two see what both see, whatever the rules of one hide from the rules of the other", () => {
    const visible = Rights.of(document(), [user("vip"), user("alice")], at)?.look(document()).visible;
    expect(visible && formatXml(visible, -1)).toBe(
      '<cib admin_epoch="1" epoch="5" num_updates="9"><configuration><resources><primitive id="vip" class="ocf" provider="heartbeat" type="Dummy"><meta_attributes id="vip-m"><nvpair id="vip-t" name="target-role" value="Started"/></meta_attributes></primitive></resources></configuration></cib>',
    );
  });

  test("the document itself stays as it was", () => {
    const cib = document();
    const before = formatXml(cib);
    Rights.of(cib, [user("alice")], at)?.look(cib);
    expect(formatXml(cib)).toBe(before);
  });

  test("a path may end at an attribute, and may be the whole document", () => {
    const cib = parseXml(
      formatXml(document())
        .replace('xpath="//acls"', 'xpath="//@score"')
        .replace('id="n1" kind="deny" xpath="/cib"', 'id="n1" kind="read" xpath="/"'),
    );
    const rights = (name: string) => Rights.of(cib, [user(name)], at);
    expect(rights("mallory")?.look(cib).visible).toEqual(cib);
    expect(() =>
      applyOperations(cib, [requests["prefer it no more"]], { askers: [user("olga")], now: at }),
    ).toThrow(expect.objectContaining({ code: "PERMISSION" }));
  });

  test("rules by date decide whether access rules are in force", () => {
    const dated = formatXml(document("false")).replace(
      "</crm_config>",
      '<cluster_property_set id="z" score="10"><rule id="zr" score="INFINITY"><date_expression id="zd" operation="gt" start="2030-01-01"/></rule><nvpair id="z1" name="enable-acl" value="true"/></cluster_property_set></crm_config>',
    );
    const cib = parseXml(dated.replace('id="cib-bootstrap-options"', 'id="first"'));
    expect(Rights.of(cib, [user("bob")], at)).toBeUndefined();
    expect(Rights.of(cib, [user("bob")], 1_900_000_000)).toBeDefined();
  });
});
