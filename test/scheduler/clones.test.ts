import { describe, expect, test } from "bun:test";
import { decideSmall, history, meta, primitive, running, stopped } from "./small-cib.ts";

const clone = (id: string, inner: string, values: Readonly<Record<string, string>> = {}) =>
  `<clone id="${id}">${meta(id, values)}${primitive(inner)}</clone>`;

describe("a clone with more active instances than it may have", () => {
  test("stops the surplus even while nothing may be managed for want of a fence device", () => {
    const { summary } = decideSmall({
      properties: { "stonith-enabled": "true" },
      resources: clone("c", "a", { "clone-max": "1" }),
      histories: { n1: running("a"), n2: history("a", { task: "start" }) },
    });
    expect(summary).toEqual(["Stop a:1 ( n2 )  due to node availability"]);
  });
});

test("what cannot move because something before it cannot start is told by that, not that it cannot migrate", () => {
  const { summary } = decideSmall({
    nodes: ["n1", "n2"],
    resources: clone("c", "a", { "allow-migrate": "true", "clone-max": "1" }) + primitive("p"),
    constraints:
      '<rsc_location id="l" rsc="c" node="n2" score="-INFINITY"/>' +
      '<rsc_location id="m" rsc="p" node="n1" score="-INFINITY"/>' +
      '<rsc_order id="o" first="p" then="c"/>',
    properties: { "no-quorum-policy": "freeze" },
    quorate: false,
    histories: { n2: history("a", { task: "start" }) },
  });
  expect(summary).toContain("Stop a:0 ( n2 )  due to unrunnable p start");
});

test("of two active instances the lower number stays when colocations say as much for either node", () => {
  const cluster = {
    nodes: ["n1", "n2", "n3"],
    resources: clone("c", "a", { "clone-max": "1" }) + primitive("p") + primitive("q"),
    constraints:
      '<rsc_colocation id="col1" rsc="c" with-rsc="p" score="100"/>' +
      '<rsc_colocation id="col2" rsc="q" with-rsc="c" score="100"/>' +
      '<rsc_location id="l1" rsc="p" node="n2" score="-INFINITY"/>' +
      '<rsc_location id="l2" rsc="q" node="n2" score="INFINITY"/>',
    histories: { n1: running("a"), n2: running("a") },
  };
  // Chains of colocations count most by the rules of 2.1.
  for (const release of ["3.0", "2.1"] as const)
    expect(decideSmall(cluster, release).summary).toContain("Stop a:1 ( n2 )  due to node availability");
});

test("an instance on a node that leaves is placed after one on a node in standby", () => {
  const shutdown =
    '<transient_attributes id="2"><instance_attributes id="t"><nvpair id="s" name="shutdown" value="1"/></instance_attributes></transient_attributes>';
  const standby =
    '<instance_attributes id="i"><nvpair id="y" name="standby" value="on"/></instance_attributes>';
  const { summary } = decideSmall({
    nodes: ["n1", "n2", "n3"],
    nodeContents: { n3: standby },
    resources: clone("c", "a"),
    histories: { n1: stopped("a"), n2: running("a"), n3: running("a") },
    extra: { n2: shutdown },
  });
  expect(summary).toEqual(["Stop a:0 ( n2 )  due to node availability", "Move a:1 ( n3 -> n1 )"]);
});

test("what must be with a promoted instance that nobody manages does not mind that it may not be there", () => {
  const { summary } = decideSmall({
    resources:
      `<clone id="c">${meta("c", { promotable: "true" })}${primitive("a", meta("a", { "is-managed": "false" }))}</clone>` +
      primitive("p"),
    constraints:
      '<rsc_colocation id="col" rsc="p" with-rsc="c" with-rsc-role="Promoted" score="INFINITY"/>' +
      '<rsc_location id="l" rsc="c" node="n1" score="-INFINITY"/>',
    histories: { n1: history("a", { task: "start" }, { task: "promote" }), n2: stopped("a") },
  });
  expect(summary).toEqual(["Start p ( n1 )"]);
});

test("an instance stays on a node that its clone does not like when what follows the clone makes good for that", () => {
  const cluster = {
    resources: primitive("p") + clone("c", "a"),
    constraints:
      '<rsc_location id="l1" rsc="c" node="n1" score="-10"/><rsc_location id="l2" rsc="c" node="n2" score="-INFINITY"/>' +
      '<rsc_location id="l3" rsc="p" node="n1" score="INFINITY"/><rsc_colocation id="k" rsc="p" with-rsc="c" score="100"/>',
    histories: { n1: running("a") + running("p"), n2: stopped("a") + stopped("p") },
  };
  expect(decideSmall(cluster).summary).toEqual([]);
  expect(decideSmall(cluster, "2.1").summary).toEqual(["Stop a:0 ( n1 )  due to node availability"]);
});
