import { expect, test } from "bun:test";
import { formatXml } from "../../src/cib/index.ts";
import type { OperationResult } from "../../src/executor/index.ts";
import { nodeName, OpStatus } from "../../src/terms/index.ts";
import { ControllerBus } from "../harness/controller-bus.ts";

const watches = (bus: ControllerBus) =>
  ["n1", "n2"].map((name) =>
    formatXml(bus.node(name).controller.view().cib, -1).includes('id="a_monitor_10000"'),
  );

test("a monitor whose answer crosses its cancel is not believed to go on", () => {
  const bus = new ControllerBus(2);
  bus.boot("n1", "n2");
  bus.run(100);
  bus.configure(`
property stonith-enabled=false
primitive a ocf:test:A op monitor interval=10s
location a-home a 1000: n1`);
  bus.run(5000);
  expect(watches(bus)).toEqual([true, true]);
  const monitors = () => bus.executed.filter(({ operation }) => operation.intervalMs > 0);
  const first = monitors()[0]?.operation;
  if (!first) throw new Error("nothing watches");
  bus.configure("property maintenance-mode=true");
  bus.run(5000);
  expect(watches(bus)).toEqual([false, false]);
  const result: OperationResult = {
    ...first,
    rc: 0,
    status: OpStatus.DONE,
    exitReason: "",
    stdout: "",
    execMs: 0,
    queueMs: 0,
    lastRun: 0,
    lastChange: 0,
  };
  bus.step("n1", { type: "result", node: nodeName("n1"), result });
  // Before anybody has decided that it is to be cancelled again.
  bus.configure("property maintenance-mode=false");
  bus.run(5000);
  expect(watches(bus)).toEqual([true, true]);
  expect(monitors()).toHaveLength(2);
});
