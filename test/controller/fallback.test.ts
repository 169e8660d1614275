import { describe, expect, test } from "bun:test";
import { type CibVersion, formatXml, versionOf, type XmlElement } from "../../src/cib/index.ts";
import { emptyCib, type Loss } from "../../src/controller/index.ts";
import { decideJoin, type Summary } from "../../src/controller/join.ts";
import { nodeId, nodeName } from "../../src/terms/index.ts";
import { ControllerBus } from "../harness/controller-bus.ts";

/** A configuration of an epoch, which names it. */
function written(epoch: number): XmlElement {
  const cib = emptyCib();
  cib.attributes.set("epoch", String(epoch));
  cib.attributes.set("description", `epoch ${epoch}`);
  return cib;
}

/** The only configuration of those that take part. */
function only(bus: ControllerBus): {
  readonly epoch: number;
  readonly adminEpoch: number;
  readonly from: string;
} {
  expect(bus.cibs()).toHaveLength(1);
  const member = bus.nodes.find(({ up }) => up);
  const cib = member?.controller.view().cib ?? emptyCib();
  const [adminEpoch, epoch] = versionOf(cib);
  return { adminEpoch, epoch, from: cib.attributes.get("description") ?? "" };
}

const warned = (bus: ControllerBus) =>
  bus.nodes
    .filter(
      ({ up, controller }) =>
        up && controller.view().warnings.some(({ text }) => text.includes("older copy")),
    )
    .map(({ name }) => String(name));

/** n1 has lost epoch 5 and found 3; n2 is as `second`, n3 is new. */
const cluster = (second: () => XmlElement) =>
  new ControllerBus(
    3,
    (name) => (name === "n1" ? written(3) : name === "n2" ? second() : emptyCib()),
    (name): CibVersion | undefined => (name === "n1" ? [0, 3, 0] : undefined),
  );

describe("a node that had to fall back to an older configuration", () => {
  test("takes what another one has kept, and the warning is over", () => {
    const bus = cluster(() => written(5));
    bus.boot("n1", "n2", "n3");
    expect(only(bus).from).toBe("epoch 5");
    expect(warned(bus)).toEqual([]);
    expect(bus.log.filter((line) => line.includes("CONFIG-BACK"))).toHaveLength(1);
  });

  test("keeps its own where nobody has anything newer, and all are warned until it is accepted", () => {
    const bus = cluster(emptyCib);
    bus.boot("n1", "n2", "n3");
    expect(only(bus).from).toBe("epoch 3");
    expect(warned(bus)).toEqual(["n1", "n2", "n3"]);
    bus.apply([{ op: "bump" }]);
    expect(warned(bus)).toEqual(["n1", "n2", "n3"]);
    bus.apply([{ op: "accept" }], "n2");
    expect(warned(bus)).toEqual([]);
    expect(only(bus).adminEpoch).toBe(1);
  });

  test("does not win by what was changed since, neither itself nor those that took it over", () => {
    const bus = cluster(() => written(5));
    bus.boot("n1", "n3");
    for (let change = 0; change < 10; change++) bus.apply([{ op: "bump" }], "n3");
    expect(only(bus)).toMatchObject({ from: "epoch 3" });
    expect(only(bus).epoch).toBeGreaterThan(10);
    bus.crash("n1");
    expect(warned(bus)).toEqual(["n3"]);
    bus.boot("n2");
    expect(only(bus).from).toBe("epoch 5");
    expect(warned(bus)).toEqual([]);
  });

  test("wins once it was accepted", () => {
    const bus = cluster(() => written(5));
    bus.boot("n1", "n3");
    bus.apply([{ op: "accept" }], "n1");
    bus.boot("n2");
    expect(only(bus)).toMatchObject({ from: "epoch 3", adminEpoch: 1 });
  });

  test("a manager that is started again has not forgotten it", () => {
    const bus = cluster(emptyCib);
    bus.boot("n1", "n2");
    bus.run(100);
    bus.killManager("n1");
    bus.run(100);
    bus.restartManager("n1");
    bus.run(100);
    expect(warned(bus)).toEqual(["n1", "n2"]);
  });

  test("all restarts of those that built on it do not make it newer", () => {
    const bus = cluster(() => written(5));
    bus.boot("n1", "n3");
    for (let change = 0; change < 10; change++) bus.apply([{ op: "bump" }]);
    bus.crash("n1");
    bus.crash("n3");
    bus.boot("n1", "n2", "n3");
    expect(only(bus).from).toBe("epoch 5");
  });
});

describe("what was lost", () => {
  const file = "/state/cib.xml.corrupt-1";
  const lossOf = (version: CibVersion | undefined): Loss[] => [
    { node: nodeName("n1"), ...(version && { version }), instead: [0, 3, 0], files: [file] },
  ];
  const withLoss = (version: CibVersion | undefined, ...epochs: readonly [number, number]) =>
    new ControllerBus(
      3,
      (name) => written(name === "n1" ? 3 : name === "n2" ? epochs[0] : epochs[1]),
      (name): CibVersion | undefined => (name === "n1" ? [0, 3, 0] : undefined),
      undefined,
      (name) => (name === "n1" ? lossOf(version) : []),
    );
  const told = (bus: ControllerBus, name: string) =>
    bus
      .node(name)
      .controller.view()
      .warnings.filter(({ code }) => code === "CONFIG-FALLBACK");

  test("is told with the node, the version, the file, what is used and the cure, on every node", () => {
    const bus = withLoss([0, 5, 0], 4, 0);
    bus.boot("n1", "n2");
    for (const name of ["n1", "n2"]) {
      const [only, ...more] = told(bus, name);
      expect(more).toEqual([]);
      expect(only?.node).toBe(nodeName("n1"));
      expect(only?.text).toContain(
        "node n1 has lost version 0.5.0 of the configuration and found only 0.3.0",
      );
      expect(only?.text).toContain(file);
      expect(only?.text).toEndWith("in force is what was built on 0.4.0");
      expect(only?.cure).toContain("hactl configure accept");
    }
    expect(bus.log.filter((line) => line.includes("CONFIG-LOST"))).toHaveLength(2);
    expect(bus.log.filter((line) => line.includes("CONFIG-BACK"))).toEqual([]);
    // Whatever is changed and whoever is started anew: it stays lost, until somebody accepts that.
    for (let change = 0; change < 4; change++) bus.apply([{ op: "bump" }], "n2");
    bus.crash("n1");
    bus.boot("n1");
    expect(told(bus, "n2")).toHaveLength(1);
    // What the cluster knows it does not log again.
    expect(bus.log.filter((line) => line.includes("CONFIG-LOST"))).toHaveLength(2);
    bus.apply([{ op: "accept" }], "n2");
    expect(told(bus, "n1")).toEqual([]);
    bus.crash("n2");
    bus.boot("n2");
    expect([...told(bus, "n1"), ...told(bus, "n2")]).toEqual([]);
  });

  test("is brought back by a node that comes later, over what was changed since", () => {
    const bus = withLoss([0, 5, 0], 4, 5);
    bus.boot("n1", "n2");
    for (let change = 0; change < 4; change++) bus.apply([{ op: "bump" }], "n2");
    bus.boot("n3");
    expect(only(bus).from).toBe("epoch 5");
    expect(told(bus, "n1")).toEqual([]);
  });

  test("costs nothing where another node has it, also when not even its version can be told", () => {
    for (const version of [[0, 5, 0], undefined] as const) {
      const bus = withLoss(version, 5, 0);
      bus.boot("n1", "n2");
      expect(only(bus).from).toBe("epoch 5");
      expect(told(bus, "n1")).toEqual([]);
    }
  });

  test("is told where nobody has more, also when not even its version can be told", () => {
    const bus = withLoss(undefined, 3, 0);
    bus.boot("n1", "n2");
    expect(told(bus, "n2")[0]?.text).toContain("node n1 has lost the newest version of the configuration");
  });

  test("does not make less of a cluster that ran on meanwhile", () => {
    const bus = withLoss([0, 50, 0], 4, 5);
    bus.boot("n2");
    bus.apply([{ op: "bump" }], "n2");
    bus.boot("n1");
    expect(told(bus, "n2")).toHaveLength(1);
    bus.boot("n3");
    expect(only(bus).from).toBe("epoch 4");
  });
});

test("which of two wins does not depend on the order in which they are looked at", () => {
  const summary = (node: number, version: CibVersion, fallback?: CibVersion): Summary => ({
    node: nodeId(node),
    featureSet: "3",
    since: [node, 0],
    version,
    ...(fallback && { fallback }),
    live: node % 2 === 0,
    companions: [nodeId(node)],
  });
  const versions: CibVersion[] = [
    [0, 3, 0],
    [0, 5, 2],
    [0, 9, 0],
    [1, 0, 0],
  ];
  const all = versions.flatMap((version) =>
    [undefined, ...versions].map((fallback) => ({ version, ...(fallback && { fallback }) })),
  );
  const winner = (summaries: readonly Summary[]) => decideJoin(summaries).winner;
  for (const a of all)
    for (const b of all)
      for (const c of all) {
        const three = [a, b, c].map(({ version, fallback }, i) => summary(i + 1, version, fallback));
        expect(winner(three.toReversed())).toBe(winner(three));
      }
});

test("the state that is told to a newcomer says what it was built on", () => {
  const bus = cluster(emptyCib);
  bus.boot("n1", "n2");
  expect(bus.node("n2").controller.view().fallback).toEqual([0, 3, 0]);
  expect(formatXml(bus.node("n2").controller.view().cib)).toBe(
    formatXml(bus.node("n1").controller.view().cib),
  );
});
