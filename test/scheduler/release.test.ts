import { describe, expect, test } from "bun:test";
import { decideSmall, meta, primitive, running, type SmallCluster, stopped } from "./small-cib.ts";

const clone = (id: string, inner: string, values: Readonly<Record<string, string>> = {}) =>
  `<clone id="${id}">${meta(id, values)}${primitive(inner)}</clone>`;

/** Summaries by the rules of 3.0 and of 2.1. */
const both = (cluster: SmallCluster) => [decideSmall(cluster).summary, decideSmall(cluster, "2.1").summary];

describe("rules that changed since 2.1", () => {
  test("an active instance leaves the better node to one that is to be started", () => {
    const [newer, older] = both({
      resources: clone("c", "a"),
      constraints: '<rsc_location id="l" rsc="c" node="n1" score="100"/>',
      histories: { n1: stopped("a"), n2: running("a") },
    });
    expect(newer).toEqual(["Start a:1 ( n1 )"]);
    expect(older).toEqual(["Move a:0 ( n2 -> n1 )", "Start a:1 ( n2 )"]);
  });

  test("optional colocations of a clone count for its instances though there is one for each node", () => {
    const [newer, older] = both({
      resources: clone("c", "a") + primitive("p"),
      constraints:
        '<rsc_location id="l" rsc="p" node="n2" score="INFINITY"/>' +
        '<rsc_colocation id="col" rsc="c" with-rsc="p" score="100"/>',
    });
    expect(newer).toEqual(["Start a:0 ( n2 )", "Start a:1 ( n1 )", "Start p ( n2 )"]);
    expect(older).toEqual(["Start a:0 ( n1 )", "Start a:1 ( n2 )", "Start p ( n2 )"]);
  });

  test("the only node that another may use is left to it", () => {
    const [newer, older] = both({
      resources: primitive("p") + primitive("q"),
      constraints:
        '<rsc_location id="l" rsc="p" node="n2" score="-INFINITY"/>' +
        '<rsc_colocation id="col" rsc="p" with-rsc="q" score="-INFINITY"/>',
    });
    expect(newer).toEqual(["Start p ( n1 )", "Start q ( n2 )"]);
    expect(older).toEqual(["Start q ( n1 )"]);
  });

  test("mandatory colocations are applied before an optional one that can be given up", () => {
    const [newer, older] = both({
      resources: primitive("p") + primitive("q") + primitive("r"),
      constraints:
        '<rsc_location id="l" rsc="p" node="n1" score="INFINITY"/>' +
        '<rsc_location id="m" rsc="r" node="n2" score="-INFINITY"/>' +
        '<rsc_colocation id="opt" rsc="q" with-rsc="p" score="-10"/>' +
        '<rsc_colocation id="must" rsc="r" with-rsc="q" score="INFINITY"/>',
    });
    expect(newer).toEqual(["Start p ( n1 )", "Start q ( n1 )", "Start r ( n1 )"]);
    expect(older).toEqual(["Start p ( n1 )", "Start q ( n2 )"]);
  });
});
