import { describe, expect, test } from "bun:test";
import { NodePlaces } from "../../src/controller/node-places.ts";
import { nodeName } from "../../src/terms/index.ts";

const [n1, n2] = [nodeName("n1"), nodeName("n2")];

describe("resources on nodes", () => {
  test("are found by their id, and anywhere by whatever instance", () => {
    const places = new NodePlaces([[n1, [["c:1", 7]]]]);
    places.set(n1, "c:2", 0);
    places.set(n2, "d", 3);
    expect([places.get(n1, "c:1"), places.has(n1, "c:2"), places.has(n2, "c:2")]).toEqual([7, true, false]);
    expect(["c", "c:9", "d", "e"].map((rsc) => places.hasAnywhere(rsc))).toEqual([true, true, true, false]);
    places.drop(n1, "c:1");
    expect(places.hasAnywhere("c")).toBe(true);
    places.drop(n1, "c:2");
    places.drop(n1, "c:2");
    expect(places.hasAnywhere("c")).toBe(false);
    expect(places.listed()).toEqual([[n2, [["d", 3]]]]);
  });

  test("go with their node, and from all of them", () => {
    const places = new NodePlaces([
      [
        n1,
        [
          ["c:1", 7],
          ["d", 1],
        ],
      ],
      [n2, [["c:0", 2]]],
    ]);
    places.dropEverywhere("c");
    expect(places.listed()).toEqual([[n1, [["d", 1]]]]);
    places.dropNode(n1);
    expect(places.listed()).toEqual([]);
  });

  test("are in a copy what they were when it was made, whichever of the two is changed", () => {
    const places = new NodePlaces([[n1, [["a", 1]]]]);
    const copy = places.copy();
    places.set(n1, "b", 2);
    copy.set(n1, "c", 3);
    copy.drop(n1, "a");
    expect(places.listed()).toEqual([
      [
        n1,
        [
          ["a", 1],
          ["b", 2],
        ],
      ],
    ]);
    expect(copy.listed()).toEqual([[n1, [["c", 3]]]]);
    const second = places.copy();
    places.dropNode(n1);
    expect(second.on(n1)).toEqual([
      ["a", 1],
      ["b", 2],
    ]);
  });
});
