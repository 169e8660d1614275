import { describe, expect, test } from "bun:test";
import { UNWATCHED } from "../../src/executor/index.ts";
import { nodeName, OcfExit, OpStatus } from "../../src/terms/index.ts";
import { ControllerBus } from "../harness/controller-bus.ts";
import { wentWell } from "../harness/results.ts";

/* What ends a service and could not be executed has not been begun: nobody is fenced for it, and nothing begun elsewhere. */

const n1 = nodeName("n1");
const unbegun = `${UNWATCHED}: /ra/A is not executable: chmod 755 it`;

/** A service on n1 that nobody watches, whose agent loses its permission while `lost` says so. */
function unwatched(more: string, lost: (action: string) => boolean) {
  const bus = new ControllerBus(3);
  bus.boot(...bus.nodes.map(({ name }) => name));
  bus.run(100);
  bus.configure(`
property stonith-enabled=true
primitive fence stonith:fence_dummy
primitive a ocf:test:A
${more}`);
  const world = { executable: true };
  bus.agent = (_, { rsc, action }) =>
    rsc.id === "a" && !world.executable && lost(action) ? "silent" : OcfExit.OK;
  bus.run(10_000);
  const refuse = () => {
    for (const { node, operation } of bus.executed.splice(0))
      if (!world.executable && operation.rsc.id === "a" && lost(operation.action))
        bus.step(node, {
          type: "result",
          node,
          result: {
            ...operation,
            ...wentWell,
            rc: OcfExit.INSTALLED,
            status: OpStatus.NOT_INSTALLED,
            exitReason: unbegun,
          },
        });
  };
  /** Lets time pass; what cannot be executed is answered at once. */
  const run = (ms: number) => {
    for (let passed = 0; passed < ms; passed += 50) {
      bus.run(50);
      refuse();
    }
  };
  return { bus, world, run };
}

const fenced = (bus: ControllerBus) => bus.fenced.map(({ target }) => target);
const withheld = (bus: ControllerBus) => bus.log.filter((line) => line.includes("ACTION-WITHHELD"));

describe("a service that nobody watches and whose agent cannot be executed", () => {
  test("is left as it is when it is to be stopped, and stopped when it can be again", () => {
    const { bus, world, run } = unwatched("location here a 100: n1", (action) => action === "stop");
    expect(bus.where("a")).toEqual([n1]);
    world.executable = false;
    bus.step("n2", {
      type: "attribute-request",
      request: "",
      updates: [{ node: n1, name: "standby", value: "on" }],
    });
    run(20_000);
    expect(fenced(bus)).toEqual([]);
    expect(bus.where("a")).toEqual([n1]);
    expect(withheld(bus).join("\n")).toContain("chmod 755");
    expect(bus.cibs().join("")).toContain('rc-code="190"');
    expect(bus.cibs().join("")).not.toContain("fail-count-a");
    world.executable = true;
    run(40_000);
    expect(fenced(bus)).toEqual([]);
    expect(bus.where("a")).not.toContain(n1);
    expect(bus.where("a")).toHaveLength(1);
  });

  test("stays when its node is to be left, and runs nowhere else", () => {
    const { bus, world, run } = unwatched("location here a 100: n1", (action) => action === "stop");
    world.executable = false;
    bus.step("n1", { type: "shutdown-request" });
    run(70_000);
    expect(fenced(bus)).toEqual([]);
    expect(bus.where("a")).toEqual([n1]);
    expect(withheld(bus).length).toBeGreaterThan(0);
  });

  test("stays promoted when its demotion is what could not be executed", () => {
    const { bus, world, run } = unwatched(
      "clone as a meta promotable=true promoted-max=1 clone-max=1\nlocation here as 100: n1",
      (action) => action === "stop" || action === "demote",
    );
    bus.step("n1", {
      type: "attribute-request",
      request: "",
      updates: [{ node: n1, name: "master-a", value: "10" }],
    });
    run(5000);
    expect(bus.promoted("a")).toEqual([n1]);
    world.executable = false;
    bus.step("n2", {
      type: "attribute-request",
      request: "",
      updates: [{ node: n1, name: "standby", value: "on" }],
    });
    run(20_000);
    expect(fenced(bus)).toEqual([]);
    expect(bus.promoted("a")).toEqual([n1]);
    expect(bus.cibs().join("")).toContain('rc-code="191"');
  });
});
