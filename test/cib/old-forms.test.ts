import { describe, expect, test } from "bun:test";
import {
  applyOperations,
  type CibOperation,
  parseXml,
  refuseInvalid,
  verifyCib,
} from "../../src/cib/index.ts";

/** What schemas before 3.0 allowed, in a CIB that names one by which Pacemaker refuses it. */

const dummy = 'class="ocf" provider="heartbeat" type="Dummy"';
const cib = (schema: string, parts: { config?: string; resources?: string; constraints?: string } = {}) =>
  parseXml(
    `<cib validate-with="${schema}" admin_epoch="0" epoch="1" num_updates="0"><configuration>` +
      `<crm_config>${parts.config ?? ""}</crm_config><nodes/>` +
      `<resources><primitive id="a" ${dummy}/><primitive id="b" ${dummy}/>${parts.resources ?? ""}</resources>` +
      `<constraints>${parts.constraints ?? ""}</constraints></configuration><status/></cib>`,
  );

const old = {
  "a pair outside of its set": { config: '<nvpair id="p" name="stonith-enabled" value="false"/>' },
  "pairs in <attributes>": {
    config:
      '<cluster_property_set id="s"><attributes><nvpair id="p" name="x" value="1"/></attributes></cluster_property_set>',
  },
  "an order from and to": { constraints: '<rsc_order id="o" from="a" to="b"/>' },
  "an operation's requires": {
    resources: `<primitive id="c" ${dummy}><operations><op id="m" name="monitor" interval="9s" requires="quorum"/></operations></primitive>`,
  },
  master_slave: { resources: `<master_slave id="m"><primitive id="c" ${dummy}/></master_slave>` },
  "a rule's boolean_op": {
    constraints:
      '<rsc_location id="l" rsc="a"><rule id="r" score="5" boolean_op="and"><expression id="e" attribute="x" operation="defined"/></rule></rsc_location>',
  },
};

describe("is refused", () => {
  test.each(Object.entries(old))("%s", (_, parts) => {
    expect(() => refuseInvalid(cib("pacemaker-3.8", parts))).toThrow("pacemaker-3.8 does not allow it");
    expect(verifyCib(cib("pacemaker-3.8", parts)).map(({ code }) => code)).toContain("OLD_FORM");
    expect(() => refuseInvalid(cib("pacemaker-1.0", parts))).not.toThrow();
    expect(verifyCib(cib("pacemaker-1.0", parts)).map(({ code }) => code)).not.toContain("OLD_FORM");
  });

  test("in a change, of a file and of a cluster, which then changes nothing", () => {
    const operations: CibOperation[] = [
      { op: "create", scope: "crm_config", xml: old["a pair outside of its set"].config },
    ];
    for (const options of [{ live: true }, { keepSchema: true }])
      expect(() => applyOperations(cib("pacemaker-3.9"), operations, options)).toThrow("does not allow it");
  });
});

test("names that have an alias until today are not old", () => {
  const constraints =
    '<rsc_colocation id="col" rsc="a" with-rsc="b" rsc-role="Master"/><rsc_location id="l" rsc="a" node="n" score="1" role="Slave"/>';
  const resources = `<master id="m"><primitive id="c" ${dummy}/></master><bundle id="d"><docker image="i" masters="1"/></bundle>`;
  expect(() => refuseInvalid(cib("pacemaker-3.8", { constraints, resources }))).not.toThrow();
});

test("all mistakes are told at once, ten of many", () => {
  const wrong = (id: number) => `<primitive id="w${id}" class="ocf" type="Dummy"/>`;
  const refusal = (count: number) => {
    const resources = Array.from({ length: count }, (_, i) => wrong(i)).join("");
    try {
      refuseInvalid(cib("pacemaker-3.8", { resources }));
    } catch (error) {
      return String(error);
    }
    return "";
  };
  expect(refusal(2)).toMatch(/"w0" .*\(add provider="heartbeat"\); .*"w1" .*\(add provider="heartbeat"\)$/);
  expect(refusal(12)).toMatch(/"w9" .*; and 2 more$/);
});
