import { describe, expect, test } from "bun:test";
import { throttle } from "../../src/executor/index.ts";
import { OcfExit, OpStatus } from "../../src/terms/index.ts";
import { exited, operation, World } from "./world.ts";

describe("time limits", () => {
  test("SIGTERM at the limit, SIGKILL after the grace, then the result", () => {
    const world = new World();
    world.execute(operation("a", "start", { timeoutMs: 30_000 }));
    world.advance(29_999);
    expect(world.kills).toEqual([]);
    world.advance(1);
    expect(world.kills).toEqual(["TERM a start_0"]);
    world.advance(5000);
    expect(world.kills).toEqual(["TERM a start_0", "KILL a start_0"]);
    expect(world.results()).toEqual([]);
    world.end("a start_0", { kind: "signalled", signal: "SIGKILL", stdout: "", stderr: "" });
    expect(world.results()).toMatchObject([
      {
        rc: OcfExit.GENERIC,
        status: OpStatus.TIMEOUT,
        exitReason: "did not finish within 30 s",
        execMs: 35_000,
      },
    ]);
  });

  test("the reason that the agent gave before is kept", () => {
    const world = new World();
    world.execute(operation("a", "stop", { timeoutMs: 1500 }));
    world.advance(1500);
    world.end("a stop_0", exited(1, "ocf-exit-reason:waiting for the disk\n"));
    expect(world.results()).toMatchObject([
      { status: OpStatus.TIMEOUT, exitReason: "did not finish within 1500 ms: waiting for the disk" },
    ]);
  });

  test("an agent that survives SIGKILL is given up", () => {
    const world = new World();
    world.execute(operation("a", "stop", { timeoutMs: 1000 }), operation("a", "monitor"));
    world.advance(11_000);
    expect(world.kills).toEqual(["TERM a stop_0", "KILL a stop_0", "abandon a stop_0"]);
    expect(world.results()).toMatchObject([{ action: "stop", status: OpStatus.TIMEOUT }]);
    expect(world.labels()).toContain("a monitor_0");
    // The end that comes after all changes nothing.
    world.end("a stop_0", exited(0));
    expect(world.results()).toEqual([]);
  });

  test("an operation without a limit has 20 s", () => {
    const world = new World();
    world.execute(operation("a", "start", { timeoutMs: 0 }));
    world.advance(20_000);
    expect(world.kills).toEqual(["TERM a start_0"]);
  });

  test("a full process table is waited for, three times", () => {
    const world = new World();
    world.execute(operation("a", "monitor"));
    for (let attempt = 0; attempt < 3; attempt++) {
      world.end("a monitor_0", { kind: "no-room", message: "EAGAIN" });
      expect(world.results()).toEqual([]);
      world.advance(500);
      expect(world.labels()).toEqual(["a monitor_0"]);
    }
    world.end("a monitor_0", { kind: "no-room", message: "EAGAIN" });
    expect(world.results()).toMatchObject([{ rc: 1, status: OpStatus.ERROR }]);
  });
});

describe("throttling", () => {
  const mode = (loadavg1: number, own: number, cores: number) =>
    throttle({ loadavg1 }, own, cores, 80, 2 * cores).mode;

  test("begins at 1.2, 1.6 and 2 times the threshold per core", () => {
    expect([0.9, 1.0, 1.3, 1.7].map((perCore) => mode(perCore * 4, 0, 4))).toEqual([
      "none",
      "low",
      "medium",
      "high",
    ]);
  });

  test("takes off the load of our own agents", () => {
    expect(mode(8, 0, 2)).toBe("high");
    expect(mode(8, 7, 2)).toBe("none");
  });

  test("has lower limits on a single core", () => {
    expect(mode(0.7, 0, 1)).toBe("low");
    expect(mode(0.7, 0, 2)).toBe("none");
  });

  test("hears of memory and storage stalls at once", () => {
    expect(throttle({ loadavg1: 0, memoryFull: 45, ioFull: 12 }, 0, 4, 80, 8)).toEqual({
      mode: "high",
      jobs: 1,
      reason: "memory stalls 45%",
    });
  });

  test("tells the present reading each minute while it limits, so that nobody sees an old one", () => {
    const world = new World();
    const sample = (loadavg1: number) => {
      world.step({ type: "load", sample: { loadavg1 } });
      return world.events();
    };
    expect(sample(2.1)).toMatchObject([{ mode: "low", reason: "load 1.05 per core" }]);
    world.advance(59_000);
    expect(sample(2.2)).toEqual([]);
    world.advance(1000);
    expect(sample(2.2)).toEqual([{ type: "load", mode: "low", jobs: 2, reason: "load 1.10 per core" }]);
    world.advance(120_000);
    // What is the same need not be told again.
    expect(sample(2.2)).toEqual([]);
    expect(sample(0.1)).toMatchObject([{ mode: "none", reason: "" }]);
    world.advance(120_000);
    expect(sample(0.2)).toEqual([]);
  });

  test("tells the manager when the mode changes, and limits the jobs", () => {
    const world = new World();
    world.step({ type: "load", sample: { loadavg1: 0.1 } });
    expect(world.events()).toEqual([]);
    world.step({ type: "load", sample: { loadavg1: 2.1 } });
    expect(world.events()).toEqual([{ type: "load", mode: "low", jobs: 2, reason: "load 1.05 per core" }]);
    world.step({ type: "load", sample: { loadavg1: 2.2 } });
    expect(world.events()).toEqual([]);
    for (const name of ["a", "b", "c"]) world.execute(operation(name, "start"));
    expect(world.labels()).toHaveLength(2);
  });
});
