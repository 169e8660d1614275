import { expect, test } from "bun:test";
import { decideSmall, primitive } from "./small-cib.ts";

test("of two colocations of the same resources the later one counts first", () => {
  const colocation = (id: string, score: string) =>
    `<rsc_colocation id="${id}" rsc="q" with-rsc="p" score="${score}"/>`;
  const decide = (first: string, then: string) =>
    decideSmall({
      resources: primitive("p") + primitive("q"),
      constraints: `<rsc_location id="l" rsc="q" node="n1" score="1"/><rsc_location id="m" rsc="q" node="n2" score="2"/>${colocation("c1", first)}${colocation("c2", then)}`,
    }).summary;
  // To be apart from what it likes everywhere would leave no place, and is left out; to be with it is not.
  expect(decide("INFINITY", "-INFINITY")).toEqual(["Start p ( n2 )"]);
  // The other way round both are counted, and cancel each other.
  expect(decide("-INFINITY", "INFINITY")).toEqual(["Start p ( n1 )"]);
});
