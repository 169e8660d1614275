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
