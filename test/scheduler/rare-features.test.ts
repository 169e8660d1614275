import { describe, expect, test } from "bun:test";
import { decideSmall, history, meta, primitive, shownActions } from "./small-cib.ts";

const device = (inner = "") => `<primitive id="dev" class="stonith" type="fence_dummy">${inner}</primitive>`;

describe("unfencing", () => {
  const unfenced = (resources: string) =>
    shownActions(decideSmall({ nodes: ["n1"], properties: { "stonith-enabled": "true" }, resources })).filter(
      (key) => key.startsWith("stonith-"),
    );

  test("is for all resources as soon as one of them asks for it", () => {
    const asking = primitive("b", meta("b", { requires: "unfencing" }));
    expect(unfenced(primitive("a") + device() + asking)).toEqual(["stonith-n1-on n1"]);
    expect(unfenced(primitive("a") + device() + primitive("b"))).toEqual([]);
  });

  test("is asked for also by a template that nobody uses, but not by a parameter", () => {
    const template = `<template id="t" class="ocf" provider="heartbeat" type="Dummy">${meta("t", { requires: "unfencing" })}</template>`;
    expect(unfenced(template + primitive("a") + device())).toEqual(["stonith-n1-on n1"]);
    const parameter = meta("b", { requires: "unfencing" }).replaceAll(
      "meta_attributes",
      "instance_attributes",
    );
    expect(unfenced(primitive("b", parameter) + device())).toEqual([]);
  });
});

describe("a surplus instance", () => {
  test("stops also where the lack of fence devices keeps the others as they are", () => {
    const clone = `<clone id="c">${meta("c", { "clone-max": "1" })}${primitive("a", "")}</clone>`;
    const active = history("a", { task: "start" });
    const decision = decideSmall({
      properties: { "stonith-enabled": "true" },
      resources: clone,
      histories: { n1: active, n2: active },
    });
    expect(decision.summary).toEqual(["Stop a:1 ( n2 )  due to node availability"]);
  });
});

describe("a node in maintenance", () => {
  test("keeps a failed member of a group; the group's own steps are shown all the same", () => {
    const decision = decideSmall({
      nodes: ["n1"],
      resources: `<group id="g">${primitive("a")}</group>`,
      histories: { n1: history("a", { task: "monitor", interval: 10_000, rc: 7, expected: 0 }) },
      extra: {
        n1: '<transient_attributes id="1"><instance_attributes id="t"><nvpair id="t1" name="maintenance" value="true"/></instance_attributes></transient_attributes>',
      },
    });
    expect(shownActions(decision)).toEqual(["[g_running_0]", "[g_start_0]", "a_monitor_10000 n1"]);
  });
});
