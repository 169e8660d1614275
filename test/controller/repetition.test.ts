import { describe, expect, test } from "bun:test";
import { nodeName, OcfExit } from "../../src/terms/index.ts";
import { ControllerBus } from "../harness/controller-bus.ts";

const crashing = `
property stonith-enabled=false start-failure-is-fatal=false
primitive a ocf:test:A op monitor interval=10s
location l a 100: n1
`;

describe("a transition that repeats itself", () => {
  test("is slowed down, says so everywhere, and goes on at once when it is over", () => {
    const bus = new ControllerBus(2);
    bus.boot("n1", "n2");
    bus.run(100);
    const at: number[] = [];
    let broken = true;
    bus.agent = (_node, { action }) => {
      if (action === "start") at.push(bus.now);
      return broken && action === "start" ? OcfExit.GENERIC : OcfExit.OK;
    };
    bus.configure(crashing);
    bus.run(300_000);
    // Nine in the first minute, then one in thirty seconds, instead of thousands.
    expect(at.length).toBeGreaterThan(10);
    expect(at.length).toBeLessThan(25);
    const gaps = at.slice(1).map((time, i) => time - (at[i] ?? 0));
    expect(Math.max(...gaps)).toBeGreaterThan(20_000);
    expect(bus.log.filter((line) => line.includes("TRANSITION-REPEATS"))).toHaveLength(1);
    const told = (name: string) => [...bus.node(name).controller.attributeValues("#repeats").values()].join();
    expect(told("n2")).toContain("a_start_0 on n1");
    broken = false;
    bus.run(40_000);
    expect(bus.where("a")).toEqual([nodeName("n1")]);
    expect(told("n2")).toBe("");
    expect(bus.cibs()).toHaveLength(1);
  });

  test("is never kept from fencing", () => {
    const bus = new ControllerBus(3);
    bus.boot("n1", "n2", "n3");
    bus.run(100);
    bus.configure(
      "property stonith-enabled=true\nprimitive f stonith:fence_x\nprimitive a ocf:test:A op monitor interval=10s",
    );
    bus.run(1000);
    for (let round = 1; round <= 12; round++) {
      bus.crash("n3");
      bus.run(1000);
      expect(bus.fenced).toHaveLength(round);
      bus.boot("n3");
      bus.run(1000);
    }
  });
});
