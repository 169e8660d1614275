import { expect, test } from "bun:test";
import { nodeName, OcfExit, OpStatus } from "../../src/terms/index.ts";
import { ControllerBus } from "../harness/controller-bus.ts";

const resources = (on: string) => `
property stonith-enabled=true
primitive fence stonith:fence_dummy op monitor interval=60s
primitive m ocf:test:M meta allow-migrate=true op monitor interval=10s
location m-likes m 100: ${on}
`;

/** What is done with the resource, but for looks. */
const steps = (bus: ControllerBus): string[] =>
  bus.executed
    .filter(({ operation: { rsc, action } }) => rsc.id === "m" && action !== "monitor")
    .map(({ node, operation }) => `${operation.action} ${node}`);

test("a migration that is decided upon anew in the middle goes on, also where the resource came from there before", () => {
  const bus = new ControllerBus(2);
  bus.boot("n1", "n2");
  bus.run(100);
  for (const on of ["n1", "n2", "n1"]) {
    bus.configure(resources(on));
    bus.run(5_000);
  }
  bus.executed.length = 0;
  const { agent } = bus;
  bus.agent = (node, operation) => (operation.action === "migrate_to" ? "silent" : agent(node, operation));
  bus.configure(resources("n2"));
  bus.run(1_000);
  const operation = bus.executed.find((one) => one.operation.action === "migrate_to")?.operation;
  if (!operation) throw new Error("it is not migrated");
  const updates = [{ node: nodeName("n2"), name: "load", value: "high" }];
  bus.step("n2", { type: "attribute-request", request: "", updates });
  bus.run(1_000);
  const ended = { rc: OcfExit.OK, status: OpStatus.DONE, exitReason: "", stdout: "" };
  const times = { execMs: 1000, queueMs: 0, lastRun: 1_700_000_100, lastChange: 1_700_000_100 };
  bus.step("n1", { type: "result", node: nodeName("n1"), result: { ...operation, ...ended, ...times } });
  bus.run(5_000);
  expect(steps(bus)).toEqual(["migrate_to n1", "migrate_from n2", "stop n1"]);
  expect(bus.cibs()).toHaveLength(1);
});

test("migrations of before an orderly stop of all mean nothing when all are back", () => {
  const bus = new ControllerBus(3);
  bus.boot(...bus.nodes);
  bus.run(100);
  for (const on of ["n2", "n3", "n1", "n3", "n1"]) {
    bus.configure(resources(on));
    bus.run(5_000);
    expect(bus.where("m")).toEqual([nodeName(on)]);
  }
  bus.apply([
    {
      op: "modify",
      create: true,
      xml: '<primitive id="m"><meta_attributes id="m-meta"><nvpair id="m-role" name="target-role" value="Stopped"/></meta_attributes></primitive>',
    },
  ]);
  bus.run(5_000);
  expect(bus.where("m")).toEqual([]);
  bus.restartAllDaemons(() => {});
  bus.run(20_000);
  bus.apply([{ op: "delete", xml: '<nvpair id="m-role"/>' }]);
  bus.executed.length = 0;
  bus.run(60_000);
  expect(steps(bus)).toEqual(["start n1"]);
});

test("a migration that its target does not remember is not done again", () => {
  for (const daemons of [["n2"], ["n2", "n1"]]) {
    const bus = new ControllerBus(2);
    bus.boot("n1", "n2");
    bus.run(100);
    for (const on of ["n1", "n2"]) {
      bus.configure(resources(on));
      bus.run(5_000);
    }
    bus.executed.length = 0;
    for (const name of daemons) {
      bus.restartDaemon(name, name !== "n2");
      bus.run(5_000);
    }
    expect(bus.executed.some(({ node, operation }) => node === "n2" && operation.rsc.id === "m")).toBe(true);
    expect(steps(bus)).toEqual([]);
    expect(bus.where("m")).toEqual([nodeName("n2")]);
  }
});
