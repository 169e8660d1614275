import { describe, expect, test } from "bun:test";
import { decideSmall, isBefore, primitive, running, shownActions, stopped } from "./small-cib.ts";

const set = (id: string, members: string, attributes = "") =>
  `<resource_set id="${id}" ${attributes}>${[...members].map((rsc) => `<resource_ref id="${rsc}"/>`).join("")}</resource_set>`;

const sets = (...inside: readonly string[]) =>
  `<rsc_order id="o" kind="Optional">${inside.join("")}</rsc_order>`;

describe("ordered sets", () => {
  const ends = (attributes: string) =>
    decideSmall({
      nodes: ["n1"],
      resources: [..."abc"].map((id) => primitive(id)).join(""),
      constraints: sets(set("s1", "ab", attributes), set("s2", "c")),
      histories: { n1: stopped("a") + running("b") + stopped("c") },
    });

  test("order every member, also past one that has nothing to do", () => {
    expect(isBefore(ends(""), "a_start_0", "c_start_0")).toBe(true);
  });

  test("order only their ends when they say that they are sequential", () => {
    expect(isBefore(ends('sequential="true"'), "a_start_0", "c_start_0")).toBe(false);
  });
});

test("what waits for a resource that would be recovered, were it managed, waits for no more than that", () => {
  const transition = decideSmall({
    properties: { "maintenance-mode": "true" },
    resources: `${primitive("a")}<group id="g">${primitive("b")}</group>${primitive("c")}`,
    constraints: `${sets(set("s1", "g", 'require-all="false"'), set("s2", "c"))}<rsc_order id="p" first="a" then="g"/>`,
    histories: {
      n1: running("a") + stopped("b") + stopped("c"),
      n2: running("a") + stopped("b") + stopped("c"),
    },
  });
  expect(shownActions(transition)).toContain("[one-or-more:s1]");
});

describe("what cannot stop holds up what only starts after it", () => {
  const start = (constraint: string) =>
    shownActions(
      decideSmall({
        nodes: ["n1"],
        resources: `<clone id="c">${primitive("a")}</clone>${primitive("b")}`,
        constraints: constraint,
      }),
    ).includes("b_start_0 n1");

  test("between sets", () => {
    const ordered = `${set("s1", "c", 'action="stop"')}${set("s2", "b", 'action="start"')}`;
    expect(start(`<rsc_order id="o">${ordered}</rsc_order>`)).toBe(false);
  });

  test("but not between two resources", () => {
    expect(start('<rsc_order id="o" first="c" first-action="stop" then="b" then-action="start"/>')).toBe(
      true,
    );
  });
});
