import { describe, expect, test } from "bun:test";
import { nodeName, OcfExit } from "../../src/terms/index.ts";
import { ControllerBus } from "../harness/controller-bus.ts";

const service = `
property stonith-enabled=false
primitive a ocf:test:A op monitor interval=10s
location l a 100: n1
`;

/** So many services, each colocated with all that come later: the chains double with each. */
const interwoven = (many: number) => {
  const ids = Array.from({ length: many }, (_, n) => `s${n}`);
  return [
    "property stonith-enabled=false",
    ...ids.map((id) => `primitive ${id} ocf:test:A`),
    ...ids.flatMap((id, n) =>
      ids.slice(n + 1).map((other) => `colocation c-${id}-${other} ${n * 7 + 1}: ${id} ${other}`),
    ),
  ].join("\n");
};

/** Every decision is computed elsewhere. */
function elsewhere(nodes = 2): ControllerBus {
  const bus = new ControllerBus(nodes, undefined, undefined, 0);
  bus.boot(...bus.nodes);
  bus.run(1_000);
  return bus;
}

describe("a decision that is computed elsewhere", () => {
  test("is carried out as one that is computed here", () => {
    const bus = elsewhere();
    bus.configure(service);
    bus.run(2_000);
    expect(bus.where("a")).toEqual([nodeName("n1")]);
    expect(bus.planned.length).toBeGreaterThan(0);
    expect(bus.node("n1").controller.view().idle).toBe(true);
    expect(bus.cibs()).toHaveLength(1);
  });

  test("is not idleness", () => {
    const bus = elsewhere();
    bus.planner = () => undefined;
    bus.configure(service);
    bus.run(20_000);
    expect(bus.node("n1").controller.view().idle).toBe(false);
  });

  test("does not count when something has happened meanwhile: it is decided anew", () => {
    const bus = elsewhere();
    bus.configure(service);
    bus.run(2_000);
    bus.planMs = 3_000;
    // While it is computed what follows from the first failure, the service comes to run elsewhere, too.
    bus.fail("n1", "a", OcfExit.GENERIC);
    bus.run(1_000);
    const asked = bus.planned.length;
    bus.fail("n1", "a", OcfExit.NOT_RUNNING);
    const started = bus.executed.length;
    bus.run(2_500);
    // The first answer has come, and nothing came of it.
    expect(bus.planned.length).toBe(asked + 1);
    expect(bus.executed.length).toBe(started);
    bus.run(10_000);
    expect(bus.where("a")).toEqual([nodeName("n1")]);
  });

  test("is made here when something happens again and again before it is computed", () => {
    const bus = elsewhere();
    bus.configure(service);
    bus.run(2_000);
    bus.planMs = 2_000;
    bus.fail("n1", "a", OcfExit.NOT_RUNNING);
    const started = () => bus.executed.filter(({ operation }) => operation.action === "start").length;
    const before = started();
    for (let second = 0; second < 20; second++) {
      const updates = [{ node: nodeName("n2"), name: "news", value: String(second) }];
      bus.step("n2", { type: "attribute-request", request: "", updates });
      bus.run(1_000);
    }
    expect(started()).toBe(before + 1);
  });

  test("is not waited for any more when the configuration changes", () => {
    const bus = elsewhere();
    bus.planMs = 50_000;
    bus.configure(service);
    bus.run(1_000);
    bus.planMs = 50;
    bus.configure("location l a 100: n2");
    bus.run(2_000);
    expect(bus.planned.slice(-3)).toContain("n1 drops");
    expect(bus.where("a")).toEqual([nodeName("n2")]);
    const { length } = bus.executed;
    // The answer to the first question comes at last.
    bus.run(60_000);
    expect(bus.executed.slice(length).filter(({ operation }) => operation.intervalMs === 0)).toEqual([]);
  });

  test("is not waited for any more when the membership changes, and what it says then is not heard", () => {
    const bus = elsewhere(3);
    bus.planMs = 5_000;
    bus.configure(service);
    bus.run(1_000);
    bus.crash("n1");
    bus.run(1_000);
    expect(bus.planned).toContain("n2 asks");
    bus.run(20_000);
    expect(bus.where("a")).toEqual([nodeName("n2")]);
  });

  test("is one that takes more steps than anybody would have guessed; those of other configurations are made here", () => {
    const bus = new ControllerBus(2);
    bus.boot(...bus.nodes);
    bus.run(1_000);
    bus.configure(service);
    bus.run(2_000);
    expect(bus.planned).toEqual([]);
    bus.planner = () => ({ error: "it takes longer than 60 s" });
    bus.configure(interwoven(20));
    bus.run(5_000);
    expect(bus.planned).toEqual(["n1 asks"]);
    bus.run(200_000);
    // And is not tried here each time.
    expect(bus.planned.length).toBeLessThan(6);
    bus.apply([{ op: "replace", xml: "<constraints/>" }]);
    bus.run(5_000);
    expect(bus.where("s19")).toHaveLength(1);
  });

  test("that comes to nothing is told, and is tried again after a minute or a change of the configuration", () => {
    const bus = elsewhere();
    bus.planner = () => ({ error: "it takes longer than 60 s" });
    bus.configure(service);
    bus.run(50_000);
    const asked = bus.planned.length;
    expect(
      bus
        .node("n1")
        .controller.view()
        .warnings.map(({ text }) => text)
        .join(),
    ).toContain("it takes longer than 60 s");
    for (let n = 0; n < 5; n++)
      bus.step("n1", {
        type: "attribute-request",
        request: `q${n}`,
        updates: [{ node: nodeName("n1"), name: "x", value: `${n}` }],
      });
    bus.run(5_000);
    expect(bus.planned.length).toBe(asked);
    bus.run(60_000);
    expect(bus.planned.length).toBe(asked + 1);
    bus.planner = new ControllerBus(1).planner;
    bus.configure("primitive b ocf:test:B");
    bus.run(5_000);
    expect(bus.where("a")).toEqual([nodeName("n1")]);
    expect(bus.node("n1").controller.view().warnings).toEqual([]);
  });

  test("does not come too late for what is removed and forgotten meanwhile, and runs", () => {
    const bus = elsewhere();
    bus.configure(`${service}\nprimitive b ocf:test:B op monitor interval=10s`);
    bus.run(2_000);
    const [on = "n1"] = bus.where("b");
    bus.fail(on, "b", OcfExit.GENERIC);
    bus.run(2_000);
    bus.planMs = 3_000;
    bus.apply([{ op: "delete", scope: "resources", xml: '<primitive id="b"/>' }]);
    bus.run(100);
    bus.step("n1", { type: "forget-request", request: "forget", failuresOnly: false });
    bus.run(20_000);
    expect(bus.where("b")).toEqual([]);
    expect(bus.where("a")).toEqual([nodeName("n1")]);
    expect(bus.cibs()).toHaveLength(1);
    expect(bus.cibs()[0]).not.toContain('<lrm_resource id="b"');
  });

  test("looks first for what is only remembered, with a second question", () => {
    const bus = elsewhere();
    bus.configure(service);
    bus.run(2_000);
    bus.restartAllDaemons(() => bus.run(10));
    bus.run(10_000);
    const probes = bus.executed.filter(
      ({ operation, node, at }) =>
        operation.action === "monitor" && operation.intervalMs === 0 && node === "n2" && at > 3_000,
    );
    expect(probes.length).toBe(1);
    expect(bus.where("a")).toEqual([nodeName("n1")]);
    expect(bus.node("n1").controller.view().idle).toBe(true);
  });
});
