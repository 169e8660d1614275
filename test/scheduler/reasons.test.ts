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
