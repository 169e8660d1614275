import { describe, expect, test } from "bun:test";
import {
  decideSmall,
  history,
  meta,
  primitive,
  running,
  type SmallCluster,
  shownActions,
} from "./small-cib.ts";

const promotable = (id: string, inner: string, values: Readonly<Record<string, string>> = {}) =>
  `<clone id="${id}">${meta(id, { promotable: "true", ...values })}${primitive(inner, "")}</clone>`;

/** A transient attribute of a node: the promotion score of a resource. */
const promotionScore = (rsc: string, score: number) =>
  `<transient_attributes><instance_attributes id="s-${rsc}"><nvpair id="s-${rsc}-m" name="master-${rsc}" value="${score}"/>` +
  "</instance_attributes></transient_attributes>";

describe("a promotable clone", () => {
  test("counts an optional colocation of its promoted role once, in 2.1 the other's scores as well", () => {
    const cluster: SmallCluster = {
      nodes: ["n1", "n2", "n3"],
      resources: primitive("p") + promotable("c", "a"),
      constraints:
        '<rsc_location id="l1" rsc="p" node="n1" score="-INFINITY"/>' +
        '<rsc_location id="l2" rsc="p" node="n2" score="100"/>' +
        '<rsc_location id="l3" rsc="c" node="n2" score="-INFINITY"/>' +
        '<rsc_colocation id="col" rsc="c" rsc-role="Promoted" with-rsc="p" score="20"/>',
      extra: { n1: promotionScore("a", 10) },
    };
    expect(decideSmall(cluster).summary).toEqual([
      "Start p ( n2 )",
      "Promote a:0 ( Stopped -> Promoted n1 )",
      "Start a:1 ( n3 )",
    ]);
    expect(decideSmall(cluster, "2.1").summary).toEqual([
      "Start p ( n2 )",
      "Start a:0 ( n1 )",
      "Start a:1 ( n3 )",
    ]);
  });

  test("whose instance cannot be paired gives up its place even where it is not managed", () => {
    const cluster = (values: Readonly<Record<string, string>>): SmallCluster => ({
      properties: { "stonith-enabled": "true" },
      resources: `${promotable("c", "a", values)}<clone id="d">${primitive("b")}</clone>`,
      constraints: '<rsc_colocation id="col" rsc="c" with-rsc="d" score="INFINITY"/>',
      histories: {
        n1: running("b"),
        n2: history("a", { task: "start" }, { task: "monitor", interval: 7_000 }),
      },
    });
    const cancelled = (values: Readonly<Record<string, string>>) =>
      shownActions(decideSmall(cluster(values))).includes("a_monitor_7000 n2");
    expect(cancelled({ interleave: "true" })).toBe(false);
    expect(cancelled({ interleave: "false" })).toBe(true);
  });

  test("tells what is with it of its inactive instances last", () => {
    const cluster: SmallCluster = {
      resources: promotable("c", "a", { "clone-max": "2" }) + primitive("p"),
      constraints:
        '<rsc_location id="l" rsc="c" node="n2" score="-INFINITY"/>' +
        '<rsc_colocation id="col" rsc="p" with-rsc="c" score="1000"/>',
    };
    const scores = (release: "2.1" | "3.0") =>
      decideSmall(cluster, release).scores.filter((line) => line.startsWith("primitive: p "));
    expect(scores("3.0")).toEqual([
      "primitive: p allocation score on n1: 0",
      "primitive: p allocation score on n2: -1000",
    ]);
    expect(scores("2.1")).toEqual([
      "primitive: p allocation score on n1: 1000",
      "primitive: p allocation score on n2: 0",
    ]);
  });
});
