import { expect, test } from "bun:test";
import { decideSmall, primitive } from "./small-cib.ts";

const bundle = (id: string) =>
  `<bundle id="${id}"><podman image="i" replicas="1"/><network control-port="3121"/></bundle>`;

/** How often the scores of a bundle are shown, when web comes before it and is or is not placed with it. */
const shown = (constraints: string): number =>
  decideSmall({ resources: primitive("web") + bundle("b"), constraints }).scores.filter(
    (line) => line === "bundle: b allocation score on n1: 0",
  ).length;

test("a bundle that was placed before its turn shows its scores once more when that comes", () => {
  expect(shown("")).toBe(1);
  expect(shown('<rsc_colocation id="c" rsc="web" with-rsc="b" score="INFINITY"/>')).toBe(2);
});
