import { describe, expect, test } from "bun:test";
import type { AskedAgents } from "../../src/controller/index.ts";
import { nodeName } from "../../src/terms/index.ts";
import { ControllerBus } from "../harness/controller-bus.ts";

/** What the agents on a node are is asked of the manager that speaks for it, and changes nobody's state. */

const known = `<resource-agent name="A"><parameters><parameter name="ip" required="1"/></parameters>
<actions><action name="start"/></actions></resource-agent>`;

function cluster(): ControllerBus {
  const bus = new ControllerBus(3);
  bus.metadata = (node) => (node === "n2" ? undefined : known);
  bus.boot("n1", "n2", "n3");
  bus.run(100);
  bus.configure(`property stonith-enabled=false
primitive far ocf:pacemaker:remote op monitor interval=30s
location there far inf: n3`);
  bus.run(2000);
  return bus;
}

const about = (...nodes: string[]): AskedAgents[] =>
  nodes.map((node) => ({ node: nodeName(node), agents: [{ class: "ocf", provider: "test", type: "A" }] }));
const ask = (bus: ControllerBus, from: string, ...nodes: string[]) =>
  bus.step(from, { type: "agents-question", request: "q", asked: about(...nodes) });
/** What a manager has heard, in order. */
const heard = (bus: ControllerBus, name: string) =>
  bus.told
    .filter((line) => line.startsWith(`${name} of q: `))
    .map((line) => line.slice(`${name} of q: `.length));

const isThere = `[{"index":0,"facts":{"kind":"described","description":{"parameters":[{"name":"ip","needs":["ip"]}],"actions":["start"]}}}]`;
const isNot = `[{"index":0,"facts":{"kind":"absent","reason":"not there"}}]`;

describe("a question for agents", () => {
  test("is answered for each node by whom speaks for it, a remote node's by its connection", () => {
    const bus = cluster();
    expect(bus.where("far")).toEqual([nodeName("n3")]);
    ask(bus, "n1", "n1", "n2", "n3", "far");
    bus.run(100);
    const all = [`far ${isThere}`, `n1 ${isThere}`, `n2 ${isNot}`, `n3 ${isThere}`];
    for (const name of ["n1", "n2", "n3"]) expect(heard(bus, name).sort()).toEqual(all);
  });

  test("changes no state", () => {
    const bus = cluster();
    const before = bus.cibs();
    expect(before).toHaveLength(1);
    ask(bus, "n1", "n2");
    bus.run(100);
    expect(bus.cibs()).toEqual(before);
  });

  test("is answered again when it comes again", () => {
    const bus = cluster();
    ask(bus, "n1", "n2");
    ask(bus, "n1", "n2");
    bus.run(100);
    expect(heard(bus, "n1")).toEqual([`n2 ${isNot}`, `n2 ${isNot}`]);
  });

  test("is not answered by those who are away, and not for nodes that nobody knows", () => {
    const bus = cluster();
    bus.crash("n2");
    bus.run(5000);
    ask(bus, "n1", "n2", "nobody", "n3");
    bus.run(10_000);
    expect(heard(bus, "n1")).toEqual([`n3 ${isThere}`]);
  });

  test("that is asked while members join is answered when they have joined", () => {
    const bus = cluster();
    bus.crash("n2");
    ask(bus, "n1", "n3");
    bus.run(10_000);
    expect(heard(bus, "n1")).toEqual([`n3 ${isThere}`]);
  });
});
