import { expect, test } from "bun:test";
import { decideSmall, meta, primitive, running, stopped } from "./small-cib.ts";

test("what would migrate stops because of what keeps it from starting, not from migrating", () => {
  const decided = decideSmall({
    resources:
      primitive("first", meta("first", { "is-managed": "false" })) +
      primitive("then", meta("then", { "allow-migrate": "true" })),
    constraints:
      '<rsc_order id="o" first="first" then="then"/><rsc_location id="l" rsc="then" node="n1" score="-INFINITY"/>',
    histories: { n1: stopped("first") + running("then"), n2: stopped("first") + stopped("then") },
  });
  expect(decided.summary).toEqual(["Stop then ( n1 )  due to unrunnable first start"]);
});

test("members of a cloned group that cannot start again stop for that reason, not for one another", () => {
  const decided = decideSmall({
    nodes: ["n1"],
    quorate: false,
    properties: { "stonith-enabled": "true" },
    resources:
      '<primitive id="f" class="stonith" type="fence_dummy"/>' +
      `<clone id="c"><group id="g">${primitive("m1", changedStart)}${primitive("m2")}</group></clone>`,
    constraints: '<rsc_order id="o" first="f" then="c"/>',
    histories: { n1: running("m1") + running("m2") },
  });
  expect(decided.summary.filter((line) => line.startsWith("Stop"))).toEqual([
    "Stop m1:0 ( n1 )  due to no quorum",
    "Stop m2:0 ( n1 )  due to no quorum",
  ]);
});

/** A start with a parameter of its own, which the recorded one did not have. */
const changedStart =
  '<operations><op id="m1-start" name="start" interval="0"><instance_attributes id="m1-start-own">' +
  '<nvpair id="m1-start-level" name="OCF_CHECK_LEVEL" value="10"/></instance_attributes></op></operations>';

test("without quorum a frozen cluster does not start again what it has to stop", () => {
  const decided = decideSmall({
    nodes: ["n1"],
    quorate: false,
    properties: { "no-quorum-policy": "freeze" },
    resources: primitive("a"),
    histories: {
      n1:
        '<lrm_resource id="a" class="ocf" provider="heartbeat" type="Dummy"><lrm_rsc_op id="a_last_0" operation="start" ' +
        'operation_key="a_start_0" interval="0" call-id="-1" rc-code="193" op-status="-1" last-rc-change="1699999995" ' +
        'transition-key="1:1:0:x" transition-magic="-1:193;1:1:0:x"/></lrm_resource>',
    },
  });
  expect(decided.summary).toEqual(["Stop a ( n1 )  due to resource definition change"]);
});
