import { describe, expect, test } from "bun:test";
import { nodeName, OcfExit } from "../../src/terms/index.ts";
import { ControllerBus } from "../harness/controller-bus.ts";

const far = nodeName("far");

/** Two nodes with a remote one, and a service that prefers the remote one. */
function withRemote(params = ""): ControllerBus {
  const bus = new ControllerBus(2);
  bus.boot("n1", "n2");
  bus.run(100);
  bus.configure(`
primitive fence stonith:fence_dummy op monitor interval=60s
primitive far ocf:pacemaker:remote ${params} op monitor interval=30s
primitive a ocf:test:A op monitor interval=10s
location prefer a 50: far
`);
  bus.run(1000);
  return bus;
}

const host = (bus: ControllerBus): string => bus.where("far").join();
const fencedAt = (bus: ControllerBus): (string | undefined)[] =>
  bus.cibs().map((cib) => /<node_state id="far"[^>]* node_fenced="([^"]*)"/.exec(cib)?.[1]);

describe("a remote node", () => {
  test("runs what prefers it", () => {
    const bus = withRemote();
    expect(bus.where("a")).toEqual([far]);
    expect(fencedAt(bus)).toEqual(["0"]);
  });

  for (const params of ["", "params reconnect_interval=3s"]) {
    test(`that is lost is fenced once and taken back (${params || "no reconnect_interval"})`, () => {
      const bus = withRemote(params);
      bus.fencing = () => undefined;
      bus.fail(host(bus), "far", OcfExit.GENERIC);
      bus.run(100);
      expect(bus.fenced.map(({ target }) => target)).toEqual([far]);
      expect(bus.where("a")).toEqual([far]);
      bus.fencing = () => true;
      bus.answerFencing(0);
      bus.run(200);
      expect(fencedAt(bus).every((value) => Number(value) > 0)).toBe(params !== "");
      bus.run(20_000);
      expect(bus.fenced).toHaveLength(1);
      expect(host(bus)).toMatch(/^n[12]$/);
      expect(fencedAt(bus)).toEqual(["0"]);
      expect(bus.where("a")).toEqual([far]);
    });
  }

  test("whose fencing takes longer than its reconnect interval is taken back as well", () => {
    const bus = withRemote("params reconnect_interval=3s");
    bus.fencing = () => undefined;
    bus.fail(host(bus), "far", OcfExit.GENERIC);
    bus.run(60_000);
    expect(host(bus)).toBe("");
    bus.fencing = () => true;
    bus.answerFencing(0);
    bus.run(20_000);
    expect(bus.fenced).toHaveLength(1);
    expect(host(bus)).toMatch(/^n[12]$/);
    expect(bus.where("a")).toEqual([far]);
  });

  for (const tenths of [25, 30, 35, 40])
    test(`whose fencing takes ${tenths / 10} s is taken back after its reconnect interval`, () => {
      const bus = withRemote("params reconnect_interval=3s");
      bus.fencing = () => undefined;
      bus.fail(host(bus), "far", OcfExit.GENERIC);
      bus.run(tenths * 100);
      bus.fencing = () => true;
      bus.answerFencing(0);
      bus.run(10_000);
      expect(host(bus)).toMatch(/^n[12]$/);
      expect(bus.fenced).toHaveLength(1);
    });

  test("whose fencing succeeds only after its reconnect interval is taken back without waiting for a recheck", () => {
    const bus = withRemote("params reconnect_interval=3s");
    let attempts = 0;
    bus.fencing = () => ++attempts > 2;
    bus.fail(host(bus), "far", OcfExit.GENERIC);
    bus.run(30_000);
    expect(attempts).toBe(3);
    expect(host(bus)).toMatch(/^n[12]$/);
    expect(bus.where("a")).toEqual([far]);
  });

  test("is fenced again when it is lost again", () => {
    const bus = withRemote("params reconnect_interval=3s");
    for (const round of [1, 2]) {
      bus.fail(host(bus), "far", OcfExit.GENERIC);
      bus.run(20_000);
      expect(bus.fenced).toHaveLength(round);
      expect(bus.where("a")).toEqual([far]);
    }
  });
});
