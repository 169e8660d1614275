import { describe, expect, test } from "bun:test";
import { decideSmall, history, meta, primitive, running } from "./small-cib.ts";

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
