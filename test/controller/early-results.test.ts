import { expect, test } from "bun:test";
import { ControllerBus } from "../harness/controller-bus.ts";

/** What an executor says between its history and the moment in which its manager has heard that. */

function cluster(): ControllerBus {
  const bus = new ControllerBus(3);
  bus.boot("n1", "n2", "n3");
  bus.run(5000);
  bus.configure(`
property stonith-enabled=false
primitive db ocf:test:Db op monitor interval=10s op monitor interval=9s role=Promoted
clone dbs db meta promotable=true
`);
  bus.run(10_000);
  return bus;
}

/** The manager of n2 dies; a monitor of its executor has a failure to tell as soon as the next one connects. */
function restart(bus: ControllerBus): void {
  const node = bus.node("n2");
  const well = node.answers.findLast(({ rsc, intervalMs }) => rsc.id === "db" && intervalMs > 0);
  if (!well) throw new Error("no monitor has answered");
  bus.killManager("n2");
  node.early = [{ ...well, rc: 7 }];
  bus.restartManager("n2");
  bus.run(1000);
}

test("a failure counts: the service is recovered", () => {
  const bus = cluster();
  const before = bus.executed.length;
  bus.node("n2").running.delete("db");
  restart(bus);
  bus.run(10_000);
  const done = bus.executed.slice(before).map(({ node, operation: { action } }) => `${action} ${node}`);
  expect(done.filter((deed) => /^(?:stop|start) /.test(deed))).toEqual(["stop n2", "start n2"]);
});
