import { expect, test } from "bun:test";
import type { XmlElement } from "../../src/cib/index.ts";
import { parameterTraits } from "../../src/controller/index.ts";
import { nodeName, OcfExit } from "../../src/terms/index.ts";
import { ControllerBus } from "../harness/controller-bus.ts";

/** A parameter of a service that runs is changed: what the agent says of it decides what happens. */

const newer = `<resource-agent name="A"><version>1.1</version>
  <parameters>
    <parameter name="file"/><parameter name="level" reloadable="1"/>
    <parameter name="word" private="1"/><parameter name="both" private="true" reloadable="true"/>
  </parameters>
  <actions><action name="start"/><action name="reload"/><action name="reload-agent"/></actions>
</resource-agent>`;
const older = `<resource-agent name="A" version="1.0"><version>1.0</version>
  <parameters><parameter name="file" unique="1"/><parameter name="level" unique="0"/></parameters>
  <actions><action name="start"/><action name="reload"/></actions>
</resource-agent>`;
const plain = `<resource-agent name="A"><version>1.1</version>
  <parameters><parameter name="file"/><parameter name="level" reloadable="1"/></parameters>
  <actions><action name="start"/><action name="reload"/></actions>
</resource-agent>`;

const text = (params: string) => `
property stonith-enabled=false
primitive s ocf:test:A params ${params} op monitor interval=10s
location here s 50: n1
`;
const begin = "file=a level=1 word=x both=p";

function made(metadata: string | undefined, prepare: (bus: ControllerBus) => void = () => {}): ControllerBus {
  const bus = new ControllerBus(3);
  bus.metadata = () => metadata;
  prepare(bus);
  bus.boot(...bus.nodes);
  bus.configure(text(begin));
  bus.run(20_000);
  expect(bus.where("s")).toEqual([nodeName("n1")]);
  expect(bus.cibs()).toHaveLength(1);
  return bus;
}

/** What is done when the parameters become these, and that nothing is done any more after that. */
function changed(bus: ControllerBus, params: string, through = "n2"): string[] {
  bus.executed = [];
  bus.configure(text(params), through);
  bus.run(20_000);
  const done = bus.executed.map(
    ({ node, operation: { action, intervalMs } }) => `${node} ${action} ${intervalMs}`,
  );
  bus.executed = [];
  bus.run(30 * 60_000);
  expect(bus.executed).toEqual([]);
  expect(bus.cibs()).toHaveLength(1);
  return done;
}

const restarted = ["n1 stop 0", "n1 start 0", "n1 monitor 10000"];
const reloaded = (action: string) => [`n1 ${action} 0`, "n1 monitor 10000"];

function lastOf(bus: ControllerBus): XmlElement | undefined {
  const search = (at: XmlElement): XmlElement | undefined =>
    at.attributes.get("id") === "s_last_0" && at.attributes.get("on_node") === "n1"
      ? at
      : at.children.map(search).find((found) => found !== undefined);
  return search(bus.node("n3").controller.view().cib);
}

test("what an agent says of its parameters is read by the version of OCF that it is written for", () => {
  const traits = (xml: string) => JSON.parse(JSON.stringify(parameterTraits(xml) ?? null));
  expect(traits(newer)).toEqual({
    reload: "reload-agent",
    forceRestart: ["file", "word"],
    private: ["word", "both"],
  });
  expect(traits(older)).toEqual({ reload: "reload", forceRestart: ["file"], private: [] });
  expect(traits(plain)).toEqual({ forceRestart: [], private: [] });
  expect(traits("<x/>")).toBeNull();
  expect(traits("usage: A start|stop")).toBeNull();
});

test("a change of what the agent can take over reloads once; any other restarts; then nothing is left to do", () => {
  const bus = made(newer);
  expect(changed(bus, "file=a level=2 word=x both=p")).toEqual(reloaded("reload-agent"));
  expect(lastOf(bus)?.attributes.get("operation")).toBe("start");
  expect(lastOf(bus)?.attributes.get("op-force-restart")).toBe(" file  word ");
  expect(changed(bus, "file=a level=3 word=x both=p")).toEqual(reloaded("reload-agent"));
  expect(changed(bus, "file=b level=3 word=x both=p")).toEqual(restarted);
  expect(changed(bus, "file=b level=4 word=x both=p")).toEqual(reloaded("reload-agent"));
  expect(changed(bus, "file=c level=5 word=x both=p")).toEqual(restarted);
  expect(changed(bus, "file=c level=5 word=x both=p other=1")).toEqual(reloaded("reload-agent"));
});

test("a reload changes nothing of since when the service runs; a restart does", () => {
  const bus = made(newer);
  const since = () => Number(lastOf(bus)?.attributes.get("last-rc-change"));
  const begun = since();
  for (const level of [2, 3]) {
    expect(changed(bus, `file=a level=${level} word=x both=p`)).toEqual(reloaded("reload-agent"));
    expect(since()).toBe(begun);
  }
  expect(changed(bus, "file=b level=3 word=x both=p")).toEqual(restarted);
  expect(since()).toBeGreaterThan(begun + 60);
});

test("a secret does not restart: the monitor gets the new one, and the agent where it can take it over", () => {
  const bus = made(newer);
  expect(changed(bus, "file=a level=1 word=y both=p")).toEqual(["n1 monitor 10000"]);
  expect(changed(made(newer), "file=a level=1 word=x both=q")).toEqual(reloaded("reload-agent"));
  // It was told of no change before; now it has to be.
  expect(changed(bus, "file=a level=2 word=y both=p")).toEqual(restarted);
  expect(JSON.stringify(bus.log)).not.toContain("word=");
});

test("an agent of OCF 1.0 is told to reload, for what is not unique", () => {
  const bus = made(older);
  expect(changed(bus, "file=a level=2")).toEqual(reloaded("reload"));
  expect(changed(bus, "file=b level=2")).toEqual(restarted);
});

test("an agent that cannot reload, or says nothing, is restarted", () => {
  for (const metadata of [plain, "usage", undefined]) {
    const bus = made(metadata);
    expect(changed(bus, "file=a level=2 word=x both=p")).toEqual(restarted);
    expect(lastOf(bus)?.attributes.has("op-restart-digest")).toBe(false);
  }
});

test("what was recorded before the agent had answered is completed, on every member alike", () => {
  const bus = made(newer, (slow) => {
    slow.metadataMs = 15_000;
  });
  expect(changed(bus, "file=a level=2 word=x both=p")).toEqual(reloaded("reload-agent"));
});

test("nothing waits for an agent that does not say what it is", () => {
  const bus = made(newer, (slow) => {
    slow.metadataMs = 10 * 60_000;
  });
  expect(lastOf(bus)?.attributes.has("op-restart-digest")).toBe(false);
  bus.run(11 * 60_000);
  expect(lastOf(bus)?.attributes.get("op-restart-digest")).toMatch(/^[0-9a-f]{32}$/);
  expect(bus.cibs()).toHaveLength(1);
  expect(changed(bus, "file=a level=2 word=x both=p")).toEqual(reloaded("reload-agent"));
});

test("each node's agent is asked once, whatever is made of it, and again before a start much later", () => {
  const bus = made(newer);
  expect(bus.described.toSorted()).toEqual(["n1 A", "n2 A", "n3 A"]);
  bus.run(5 * 60_000);
  expect(changed(bus, "file=b level=1")).toEqual(restarted);
  expect(bus.described.toSorted()).toEqual(["n1 A", "n1 A", "n2 A", "n3 A"]);
});

test("a new leader, a new manager and a new daemon of the node know it, too", () => {
  for (const disturb of [
    (bus: ControllerBus) => bus.crash("n2"),
    (bus: ControllerBus) => bus.restartManager("n1"),
    (bus: ControllerBus) => bus.restartDaemon("n1"),
    (bus: ControllerBus) => bus.restartAllManagers(),
  ]) {
    const bus = made(newer);
    disturb(bus);
    bus.run(60_000);
    expect(changed(bus, "file=a level=2 word=x both=p", "n1")).toEqual(reloaded("reload-agent"));
    expect(changed(bus, "file=b level=2 word=x both=p", "n1")).toEqual(restarted);
  }
});

test("a reload that fails is recovered from by a restart", () => {
  const bus = made(newer);
  bus.agent = (_, { action }) => (action === "reload-agent" ? OcfExit.GENERIC : OcfExit.OK);
  const done = changed(bus, "file=a level=2 word=x both=p");
  expect(done.filter((line) => line.includes("reload"))).toEqual(["n1 reload-agent 0"]);
  expect(done.slice(-3)).toEqual(restarted);
});

test("behind a connection to a remote node it is the same: that host's agent is asked", () => {
  const bus = new ControllerBus(2);
  bus.metadata = (node) => (node === "far" ? newer : undefined);
  bus.boot(...bus.nodes);
  const remote = (params: string) => `
property stonith-enabled=false
primitive far ocf:pacemaker:remote params server=10.0.0.9 op monitor interval=10s
primitive s ocf:test:A params ${params} op monitor interval=10s
location there s inf: far
`;
  bus.configure(remote(begin));
  bus.run(20_000);
  expect(bus.where("s")).toEqual([nodeName("far")]);
  bus.executed = [];
  bus.configure(remote("file=a level=2 word=x both=p"));
  bus.run(20_000);
  expect(bus.executed.map(({ node, operation: { action } }) => `${node} ${action}`)).toEqual([
    "far reload-agent",
    "far monitor",
  ]);
  expect(bus.cibs()).toHaveLength(1);
});

test("values with characters that XML writes otherwise are no change of anything", () => {
  const bus = made(newer);
  const odd = `file=a level="1\t2 & < > é 🔑 it's" word=x both=p`;
  expect(changed(bus, odd)).toEqual(reloaded("reload-agent"));
  bus.configure(`${text(odd)}\nproperty cluster-delay=61s\n`, "n2");
  bus.run(20_000);
  expect(bus.executed).toEqual([]);
});

/** A promoted instance that is demoted for a restart: then another one is to be promoted, and it goes on. */
test("a restart that is decided upon anew after its demote is carried out", () => {
  const configuration = (conf: number) => `property stonith-enabled=false
primitive db ocf:test:A params file=${conf} op monitor interval=10s op monitor interval=9s role=Promoted
clone dbs db meta promotable=true`;
  const bus = new ControllerBus(2);
  bus.metadata = () => plain;
  bus.boot(...bus.nodes);
  const score = (node: string, value: string) =>
    bus.step("n1", {
      type: "attribute-request",
      request: "",
      updates: [{ node: nodeName(node), name: "master-db", value }],
    });
  bus.configure(configuration(1));
  score("n1", "10");
  score("n2", "5");
  bus.run(10_000);
  expect(bus.promoted("db")).toEqual([nodeName("n1")]);
  bus.executed = [];
  const { agent } = bus;
  bus.agent = (node, operation) => {
    if (operation.action === "demote") score("n1", "9");
    return agent(node, operation);
  };
  bus.configure(configuration(2));
  bus.run(20_000);
  const changes = bus.executed.filter(({ operation }) => operation.action !== "monitor");
  const ofFirst = changes.filter(({ node }) => node === "n1");
  const done = ofFirst.map(({ operation: { action, params } }) => `${action} ${params.file}`);
  expect(done).toEqual(["demote 1", "stop 2", "start 2", "promote 2"]);
  bus.executed = [];
  bus.run(30 * 60_000);
  expect(bus.executed).toEqual([]);
});
