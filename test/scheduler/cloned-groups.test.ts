import { describe, expect, test } from "bun:test";
import { decideSmall, history, meta, primitive, running, stopped } from "./small-cib.ts";

/** A clone of a group of primitives. */
const clonedGroup = (members: readonly string[], settings: Readonly<Record<string, string>> = {}): string =>
  `<clone id="c">${meta("c", settings)}<group id="g">${members.map((id) => primitive(id)).join("")}</group></clone>`;

describe("a cloned group", () => {
  test("restarts as a chain: each member names the start before its own", () => {
    const { summary } = decideSmall({
      nodes: ["n1"],
      resources: primitive("a") + clonedGroup(["m1", "m2", "m3"]),
      constraints: `<rsc_order id="o" first="a" then="c"/>`,
      histories: { n1: stopped("a") + running("m1") + running("m2") + running("m3") },
    });
    expect(summary).toEqual([
      "Start a ( n1 )",
      "Restart m1:0 ( n1 )  due to required a start",
      "Restart m2:0 ( n1 )  due to required m1:0 start",
      "Restart m3:0 ( n1 )  due to required m2:0 start",
    ]);
  });

  test("loses the instance beyond clone-max although nothing is managed without a fence device", () => {
    const { summary } = decideSmall({
      properties: { "stonith-enabled": "true" },
      resources: clonedGroup(["m"], { "clone-max": "1" }),
      histories: { n1: running("m"), n2: running("m") },
    });
    expect(summary).toEqual(["Stop m:1 ( n2 )  due to node availability"]);
  });

  test("does not migrate what is after a member that cannot migrate", () => {
    const start = (id: string) => history(id, { task: "start" });
    const { summary } = decideSmall({
      resources: `<clone id="c">${meta("c", { "clone-max": "1" })}<group id="g">${primitive("m1", "")}${primitive(
        "m2",
        meta("m2", { "allow-migrate": "true" }),
      )}</group></clone>`,
      constraints: `<rsc_location id="l" rsc="c" node="n1" score="-INFINITY"/>`,
      histories: { n1: start("m1") + start("m2") },
    });
    expect(summary).toEqual([
      "Move m1:0 ( n1 -> n2 )",
      "Move m2:0 ( n1 -> n2 )  due to unmigrateable m1:0 stop",
    ]);
  });

  test("counts an instance on an unclean node as a surplus one unless there are as many as nodes", () => {
    const onUnclean = (cloneMax: number) =>
      decideSmall({
        properties: { "stonith-enabled": "true" },
        resources:
          clonedGroup(["m"], { requires: "quorum", "clone-max": String(cloneMax) }) +
          '<primitive id="f" class="stonith" type="fence_dummy"/>',
        histories: { n1: history("p", { task: "stop", rc: 1 }) + running("m") },
      }).summary.filter((line) => line.includes(" m:") && line.includes("( n1"));
    expect(onUnclean(1)).toEqual(["Stop m:1 ( n1 )  due to node availability"]);
    expect(onUnclean(2)).toEqual(["Move m:0 ( n1 -> n2 )"]);
    expect(onUnclean(3)).toEqual(["Stop m:3 ( n1 )  due to node availability"]);
  });

  test("assigns an instance later for each member that is active without being managed", () => {
    const failed = (id: string) =>
      history(id, { task: "start" }, { task: "monitor", interval: 10_000, rc: 1 });
    const monitor = '<operations><op id="m2-m" name="monitor" interval="10s" on-fail="block"/></operations>';
    const { scores } = decideSmall({
      resources: `<clone id="c"><group id="g">${primitive("m1")}${primitive("m2", monitor)}</group></clone>`,
      histories: { n1: running("m1") + failed("m2"), n2: failed("m1") + running("m2") },
    });
    const assigned = scores.flatMap((line) => /^primitive: (m1:\d)/.exec(line)?.[1] ?? []);
    expect([...new Set(assigned)]).toEqual(["m1:1", "m1:0"]);
  });

  test("does not leave behind what comes after an unmanaged member when the clone belongs elsewhere", () => {
    const unmanaged = primitive("m1", meta("m1", { "is-managed": "false" }));
    const { summary } = decideSmall({
      resources: `${primitive("p")}<clone id="c"><group id="g">${unmanaged}${primitive("m2")}</group></clone>`,
      constraints:
        '<rsc_location id="l" rsc="p" node="n2" score="INFINITY"/>' +
        '<rsc_colocation id="col" rsc="c" with-rsc="p" score="INFINITY"/>',
      histories: { n1: history("m1", { task: "start" }) + running("m2"), n2: stopped("m1") + stopped("m2") },
    });
    expect(summary).toContain("Stop m2:0 ( n1 )  due to node availability");
  });

  test("keeps together when it is the lack of fence devices that leaves its members where they are", () => {
    const { scores } = decideSmall({
      properties: { "stonith-enabled": "true" },
      resources: `${primitive("p")}<group id="g">${primitive("m1")}${primitive("m2")}</group>`,
      constraints: '<rsc_colocation id="col" rsc="g" with-rsc="p" score="INFINITY"/>',
      histories: { n1: running("p"), n2: running("m1") + running("m2") },
    });
    expect(scores).toContain("primitive: m2 allocation score on n2: 0");
  });

  test("of agents that cannot be unique stays so only in its newest instance, which bans none but itself", () => {
    const summaryFor = (fatal: "n1" | "n2") =>
      decideSmall({
        resources: `<clone id="c">${meta("c", { "globally-unique": "true" })}<group id="g">${primitive("m1", "")}<primitive id="m2" class="lsb" type="x"/></group></clone>`,
        histories: {
          n1: history("m1:0", { task: "monitor", rc: fatal === "n1" ? 6 : 1 }),
          n2: history("m1:1", { task: "monitor", rc: fatal === "n2" ? 6 : 1 }),
        },
      }).summary;
    expect(summaryFor("n2")).toEqual([
      "Recover m1:0 ( n1 )",
      "Start m2:0 ( n1 )",
      "Stop m1:1 ( n2 )  due to node availability",
    ]);
    expect(summaryFor("n1")).toEqual([
      "Stop m1:0 ( n1 )  due to node availability",
      "Stop m1:1 ( n2 )  due to node availability",
    ]);
  });
});
