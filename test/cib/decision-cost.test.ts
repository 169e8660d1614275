import { describe, expect, test } from "bun:test";
import { decisionCostMs, loadCrm, parseXml } from "../../src/cib/index.ts";

const nothing = parseXml(
  '<configuration><crm_config/><nodes><node id="1" uname="n1"/><node id="2" uname="n2"/></nodes><resources/><constraints/></configuration>',
);
const cost = (crm: string) => decisionCostMs(loadCrm(crm, nothing, "update"));
const clone = (max: number) =>
  cost(`primitive a ocf:pacemaker:Dummy\nclone c a meta clone-max=${max} clone-node-max=${max}`);

describe("the cost of a decision", () => {
  test("is nothing without resources or without a configuration", () => {
    expect(decisionCostMs(nothing)).toBe(0);
    expect(decisionCostMs(undefined)).toBe(0);
  });

  test("grows with resources, members of groups, and the pairs of instances", () => {
    const one = cost("primitive a ocf:pacemaker:Dummy");
    expect(cost("primitive a ocf:pacemaker:Dummy\nprimitive b ocf:pacemaker:Dummy")).toBeCloseTo(2 * one);
    expect(cost("primitive a ocf:pacemaker:Dummy\nprimitive b ocf:pacemaker:Dummy\ngroup g a b")).toBeCloseTo(
      2 * one,
    );
    expect(clone(128) / clone(64)).toBeGreaterThan(3);
  });

  test("counts no more instances than there may be", () => {
    expect(clone(100_000)).toBe(clone(256));
  });

  test("counts replicas of bundles", () => {
    const bundle = (replicas: number) => cost(`bundle b docker image=i replicas=${replicas}\n`);
    expect(bundle(8)).toBeGreaterThan(4 * bundle(2));
  });

  test.each([
    ["rules of defaults", (i: number) => `<date_expression id="d${i}" operation="gt" start="2030-01-01"/>`],
    ["patterns", (i: number) => `<rsc_location id="l${i}" rsc-pattern="a+${i}" node="n1" score="1"/>`],
    ["tickets", (i: number) => `<rsc_ticket id="t${i}" rsc="a" ticket="T${i}"/>`],
  ])("counts %s", (what, one) => {
    const of = (count: number) => {
      const many = Array.from({ length: count }, (_, at) => one(at)).join("");
      const text = what.startsWith("rules")
        ? `<rsc_defaults><meta_attributes id="m"><rule id="r">${many}</rule></meta_attributes></rsc_defaults>`
        : `<constraints>${many}</constraints>`;
      return decisionCostMs(parseXml(`<configuration>${text}</configuration>`));
    };
    expect(of(20)).toBeLessThan(10);
    expect(of(20_000)).toBeGreaterThan(300);
  });

  test("counts the pairs of ordered sets", () => {
    const set = (id: string, count: number) =>
      `<resource_set id="${id}">${Array.from({ length: count }, (_, at) => `<resource_ref id="${id}${at}"/>`).join("")}</resource_set>`;
    const of = (count: number) =>
      decisionCostMs(
        parseXml(
          `<configuration><constraints><rsc_order id="o">${set("a", count)}${set("b", count)}</rsc_order></constraints></configuration>`,
        ),
      );
    expect(of(10)).toBeLessThan(10);
    expect(of(500)).toBeGreaterThan(1000);
  });

  test("keeps an everyday cluster below what is decided at once", () => {
    const crm = Array.from({ length: 100 }, (_, at) => `primitive p${at} ocf:pacemaker:Dummy`).join("\n");
    expect(cost(crm)).toBeLessThan(100);
    expect(
      cost(
        `${Array.from({ length: 5 }, (_, at) => `primitive p${at} ocf:pacemaker:Dummy\nclone c${at} p${at} meta clone-max=256 clone-node-max=256`).join("\n")}`,
      ),
    ).toBeGreaterThan(500);
  });
});
