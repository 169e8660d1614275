import { describe, expect, test } from "bun:test";
import { decideSmall, isBefore, primitive } from "./small-cib.ts";

const resources = ["a", "b", "c", "d"].map((id) => primitive(id)).join("");
const set = (id: string, members: string) =>
  `<resource_set id="${id}">${[...members].map((one) => `<resource_ref id="${one}"/>`).join("")}</resource_set>`;
const decide = (constraints: string, nodes = ["n1", "n2", "n3"]) =>
  decideSmall({ nodes, resources, constraints });

/** Nothing is called x. */
describe("a constraint with a set of which a member is not known", () => {
  test("bans those before that member, and no others", () => {
    const { placement } = decide(
      `<rsc_location id="l" node="n1" score="-INFINITY">${set("s1", "axb")}${set("s2", "cd")}</rsc_location>`,
      ["n1"],
    );
    expect(placement.map(({ rsc }) => rsc)).toEqual(["b", "c", "d"]);
  });

  test("orders the sets before it, and neither itself nor those after it", () => {
    const decided = decide(`<rsc_order id="o">${set("s1", "ab")}${set("s2", "xcd")}</rsc_order>`);
    expect(isBefore(decided, "a_start_0", "b_start_0")).toBe(true);
    expect(isBefore(decided, "c_start_0", "d_start_0")).toBe(false);
    expect(isBefore(decided, "b_start_0", "c_start_0")).toBe(false);
  });

  test("keeps members together up to there, and sets by their ends", () => {
    const { placement } = decide(
      `<rsc_location id="l" rsc="d" node="n3" score="INFINITY"/>` +
        `<rsc_colocation id="o" score="INFINITY">${set("s1", "ab")}${set("s2", "xcd")}</rsc_colocation>`,
    );
    const node = new Map(placement.map((one) => [one.rsc, String(one.node)]));
    expect([node.get("a"), node.get("b"), node.get("d")]).toEqual(["n3", "n3", "n3"]);
    expect(node.get("c")).not.toBe("n3");
  });
});
