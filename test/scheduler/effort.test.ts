import { describe, expect, test } from "bun:test";
import { parseXml } from "../../src/cib/index.ts";
import { consequencesOf } from "../../src/cli/consequences.ts";
import { EffortSpent, schedule } from "../../src/scheduler/index.ts";
import { history, primitive, smallCib, smallNow } from "./small-cib.ts";

/** So many stopped services, each colocated with all that come later. */
function interwoven(many: number) {
  const ids = Array.from({ length: many }, (_, n) => `s${n}`);
  const known = ids.map((id) => history(id, { task: "monitor" })).join("");
  const text = smallCib({
    nodes: ["n1", "n2"],
    properties: { "stonith-enabled": "false" },
    resources: ids.map((id) => primitive(id)).join(""),
    constraints: ids
      .flatMap((id, n) =>
        ids
          .slice(n + 1)
          .map(
            (other) =>
              `<rsc_colocation id="c-${id}-${other}" rsc="${id}" with-rsc="${other}" score="${n * 7 + 1}"/>`,
          ),
      )
      .join(""),
    histories: { n1: known, n2: known },
  });
  return parseXml(text);
}

describe("resources that are colocated each with each", () => {
  const decide = (many: number, effort?: number) =>
    schedule({ cib: interwoven(many), now: smallNow, ...(effort && { effort }) });

  test("are placed as ever where they are few", () => {
    expect(decide(8, 500_000).placement).toEqual(decide(8).placement);
    expect(decide(8).placement).toHaveLength(8);
  });

  test("are too many where each doubles the chains: nothing is decided, and it says what to do", () => {
    expect(() => decide(24, 100_000)).toThrow(EffortSpent);
    expect(() => decide(24, 100_000)).toThrow("into a group or a resource set");
    expect(() => decide(8, 100)).toThrow(EffortSpent);
  });

  test("are refused as a change of what could be decided", () => {
    expect(consequencesOf(interwoven(4), interwoven(30), smallNow)).toMatchObject([
      { level: "error", code: "INTERWOVEN" },
    ]);
    expect(consequencesOf(interwoven(4), interwoven(6), smallNow)).toEqual([]);
  });
});
