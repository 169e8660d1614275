import { describe, expect, test } from "bun:test";
import { type ExecutorSnapshot, type JournalRecord, PROTOCOL_VERSION } from "../../src/executor/index.ts";
import { replayJournal } from "../../src/executor/journal.ts";
import { OcfExit, OpStatus, resourceId } from "../../src/terms/index.ts";
import { exited, operation, World } from "./world.ts";

describe("one operation at a time per resource", () => {
  test("operations of one resource run in order, those of others beside them", () => {
    const world = new World();
    world.execute(operation("a", "start"), operation("a", "monitor"), operation("b", "start"));
    expect(world.labels()).toEqual(["a start_0", "b start_0"]);
    world.time += 700;
    world.end("a start_0", exited(0));
    expect(world.labels()).toEqual(["b start_0", "a monitor_0"]);
    const [start] = world.results();
    expect(start).toMatchObject({ action: "start", rc: 0, status: OpStatus.DONE, execMs: 700, queueMs: 0 });
    world.time += 30;
    world.end("a monitor_0", exited(7));
    expect(world.results()).toMatchObject([{ action: "monitor", rc: 7, execMs: 30, queueMs: 700 }]);
  });

  test("a recurring monitor waits for a running operation, and what is asked for once goes first", () => {
    const world = new World();
    world.execute(operation("a", "notify"));
    world.execute(operation("a", "monitor", { intervalMs: 10_000 }), operation("a", "monitor"));
    expect(world.labels()).toEqual(["a notify_0"]);
    world.end("a notify_0", exited(0));
    expect(world.labels()).toEqual(["a monitor_0"]);
    world.end("a monitor_0", exited(0));
    expect(world.labels()).toEqual(["a monitor_10000"]);
  });

  test("start-delay keeps the order", () => {
    const world = new World();
    world.execute(operation("a", "start", { startDelayMs: 5000 }), operation("a", "stop"));
    expect(world.labels()).toEqual([]);
    world.advance(4999);
    expect(world.labels()).toEqual([]);
    world.advance(1);
    expect(world.labels()).toEqual(["a start_0"]);
    world.end("a start_0", exited(0));
    expect(world.labels()).toEqual(["a stop_0"]);
  });

  test("runs that are counted from a point in time stay on it, however long each takes", () => {
    const world = new World();
    const params = { CRM_meta_interval_origin: "2026-01-01 00:00:00Z" };
    world.execute(operation("a", "monitor", { intervalMs: 10_000, startDelayMs: 4000, params }));
    const begun: number[] = [];
    const first = world.time;
    for (const tookMs of [100, 3000, 12_000, 500]) {
      while (world.labels().length === 0) world.advance(100);
      begun.push(world.time - first);
      world.advance(tookMs);
      world.end("a monitor_10000", exited(0));
    }
    expect(begun).toEqual([4000, 14_000, 24_000, 44_000]);
  });

  test("the same request twice runs once, and later is answered from memory", () => {
    const world = new World();
    const start = operation("a", "start");
    world.execute(start, start);
    expect(world.labels()).toEqual(["a start_0"]);
    world.end("a start_0", exited(0));
    expect(world.labels()).toEqual([]);
    expect(world.results()).toHaveLength(1);
    world.execute(start);
    expect(world.labels()).toEqual([]);
    expect(world.results()).toMatchObject([{ callId: start.callId, rc: 0 }]);
  });

  test("a queued operation can be cancelled, a running one cannot", () => {
    const world = new World();
    world.execute(operation("a", "start"), operation("a", "promote"));
    world.cancel("a", "promote", 0);
    expect(world.results()).toMatchObject([{ action: "promote", status: OpStatus.CANCELLED }]);
    world.cancel("a", "start", 0);
    expect(world.events()).toMatchObject([{ type: "cancelled", action: "start" }]);
    expect(world.kills).toEqual([]);
    world.end("a start_0", exited(0));
    expect(world.labels()).toEqual([]);
  });
});

describe("recurring operations", () => {
  const monitor = () => operation("a", "monitor", { intervalMs: 10_000 });

  test("tell their first result and then only what differs", () => {
    const world = new World();
    const defined = monitor();
    world.execute(defined);
    world.end("a monitor_10000", exited(0));
    expect(world.results()).toMatchObject([{ rc: 0, callId: defined.callId }]);
    for (let round = 0; round < 5; round++) {
      world.advance(10_000);
      world.end("a monitor_10000", exited(0));
    }
    expect(world.results()).toEqual([]);
    world.advance(10_000);
    world.end("a monitor_10000", exited(7, "ocf-exit-reason:it is gone\n"));
    expect(world.results()).toMatchObject([
      { rc: 7, exitReason: "it is gone", transitionKey: defined.transitionKey },
    ]);
    world.advance(10_000);
    world.end("a monitor_10000", exited(7, "ocf-exit-reason:still gone\n"));
    expect(world.results()).toEqual([]);
  });

  test("tell again what they find when the cluster has forgotten a failure", () => {
    const world = new World();
    const again = () =>
      world.step({ type: "request", request: { type: "look-again", rsc: resourceId("a") } });
    world.execute(monitor());
    world.end("a monitor_10000", exited(7));
    const [before] = world.results();
    world.advance(10_000);
    world.end("a monitor_10000", exited(7));
    expect(world.results()).toEqual([]);
    again();
    world.end("a monitor_10000", exited(7));
    const [after] = world.results();
    expect(after).toMatchObject({ rc: 7 });
    expect(after?.lastChange).toBeGreaterThan(before?.lastChange ?? 0);
    // Also what has just begun to run.
    world.advance(10_000);
    again();
    world.end("a monitor_10000", exited(7));
    expect(world.results()).toMatchObject([{ rc: 7 }]);
    expect(world.labels()).toEqual([]);
  });

  test("wait a whole interval after each run and never overlap themselves", () => {
    const world = new World();
    world.execute(monitor());
    world.end("a monitor_10000", exited(0));
    world.advance(10_000);
    expect(world.labels()).toEqual(["a monitor_10000"]);
    world.advance(15_000);
    expect(world.labels()).toEqual(["a monitor_10000"]);
    world.end("a monitor_10000", exited(0));
    world.advance(9_999);
    expect(world.labels()).toEqual([]);
    world.advance(1);
    expect(world.labels()).toEqual(["a monitor_10000"]);
  });

  test("of several intervals and depths run on their own", () => {
    const world = new World();
    world.execute(
      operation("a", "monitor", { intervalMs: 10_000 }),
      operation("a", "monitor", { intervalMs: 60_000, params: { OCF_CHECK_LEVEL: "10" } }),
    );
    world.end("a monitor_10000", exited(0));
    const deep = world.runs[0];
    expect(deep?.label).toBe("a monitor_60000");
    expect(deep?.command.env.OCF_CHECK_LEVEL).toBe("10");
    expect(deep?.command.env.OCF_RESKEY_OCF_CHECK_LEVEL).toBeUndefined();
  });

  test("redefined during a run, run again at once and answer for the new definition", () => {
    const world = new World();
    world.execute(monitor());
    const second = monitor();
    world.execute(second);
    world.end("a monitor_10000", exited(0));
    expect(world.results()).toEqual([]);
    expect(world.labels()).toEqual(["a monitor_10000"]);
    world.end("a monitor_10000", exited(0));
    expect(world.results()).toMatchObject([{ callId: second.callId }]);
  });

  test("cancelled between runs, are gone; unknown ones are answered too", () => {
    const world = new World();
    world.execute(monitor());
    world.end("a monitor_10000", exited(0));
    world.events();
    world.cancel("a", "monitor", 10_000);
    expect(world.events()).toMatchObject([{ type: "cancelled", action: "monitor", intervalMs: 10_000 }]);
    world.advance(60_000);
    expect(world.labels()).toEqual([]);
    world.cancel("a", "monitor", 10_000);
    expect(world.events()).toMatchObject([{ type: "cancelled" }]);
  });

  test("cancelled by a stop during a run: the run gets half a second, then the stop goes ahead", () => {
    const world = new World();
    world.execute(monitor());
    world.execute(operation("a", "stop"));
    expect(world.labels()).toEqual(["a monitor_10000"]);
    world.advance(499);
    expect(world.kills).toEqual([]);
    world.advance(1);
    expect(world.kills).toEqual(["TERM a monitor_10000"]);
    world.end("a monitor_10000", { kind: "signalled", signal: "SIGTERM", stdout: "", stderr: "" });
    expect(world.events()).toMatchObject([{ type: "cancelled", action: "monitor" }]);
    expect(world.labels()).toEqual(["a stop_0"]);
    world.end("a stop_0", exited(0));
    world.advance(60_000);
    expect(world.labels()).toEqual([]);
  });

  test("cancelled and defined anew during a run, go on with the new definition", () => {
    const world = new World();
    world.execute(monitor());
    world.cancel("a", "monitor", 10_000);
    const second = monitor();
    world.execute(second);
    world.end("a monitor_10000", exited(0));
    expect(world.events()).toMatchObject([{ type: "cancelled" }]);
    world.end("a monitor_10000", exited(0));
    expect(world.results()).toMatchObject([{ callId: second.callId, rc: 0 }]);
  });

  test("of hundreds of resources do not fire at once", () => {
    const world = new World();
    const count = 200;
    for (let n = 0; n < count; n++) world.execute(operation(`r${n}`, "monitor", { intervalMs: 10_000 }));
    while (world.runs[0]) world.end(world.runs[0].label, exited(0));
    const buckets = new Map<number, number>();
    const end = world.time + 10_000;
    while (world.time < end) {
      world.advance(100);
      const fired = world.labels();
      buckets.set(world.time, fired.length);
      for (const label of fired) world.end(label, exited(0));
    }
    expect([...buckets.values()].reduce((a, b) => a + b, 0)).toBe(count);
    expect(Math.max(...buckets.values())).toBeLessThanOrEqual(4);
  });
});

describe("the job limit", () => {
  const many = (world: World, count: number) => {
    for (let n = 0; n < count; n++) world.execute(operation(`r${n}`, "start"));
  };

  test("is twice the cores, in the order of the requests", () => {
    const world = new World();
    many(world, 6);
    expect(world.labels()).toEqual(["r0 start_0", "r1 start_0", "r2 start_0", "r3 start_0"]);
    world.end("r2 start_0", exited(0));
    expect(world.labels().at(-1)).toBe("r4 start_0");
  });

  test("leaves out agents that wait for something, unless somebody set it", () => {
    const computed = new World();
    many(computed, 6);
    computed.advance(1000);
    expect(computed.labels()).toHaveLength(6);
    const set = new World();
    set.step({ type: "request", request: { type: "configure", nodeActionLimit: 2 } });
    many(set, 6);
    set.advance(5000);
    expect(set.labels()).toHaveLength(2);
  });

  test("of PCMK_node_action_limit goes before node-action-limit", () => {
    const world = new World({ nodeActionLimit: 1 });
    world.step({ type: "request", request: { type: "configure", nodeActionLimit: 3 } });
    many(world, 6);
    expect(world.labels()).toHaveLength(1);
  });

  test("does not let hanging monitors keep a stop from running", () => {
    const world = new World();
    for (let n = 0; n < 8; n++) world.execute(operation(`m${n}`, "monitor", { intervalMs: 10_000 }));
    world.execute(operation("s", "stop"));
    expect(world.labels()).toContain("s stop_0");
  });
});

describe("memory for the next manager", () => {
  test("holds results, what runs and what recurs; forget drops them", () => {
    const world = new World();
    world.execute(operation("a", "start"));
    world.end("a start_0", exited(0));
    world.execute(operation("a", "monitor", { intervalMs: 10_000 }));
    world.end("a monitor_10000", exited(0));
    world.execute(operation("b", "start"), operation("b", "promote"), operation("a", "notify"));
    world.end("a notify_0", exited(0));
    world.events();
    world.step({ type: "request", request: { type: "register", client: "n1", version: 1 } });
    const [registered, load] = world.events();
    expect(registered).toMatchObject({
      type: "registered",
      hostname: "n1",
      bootId: "boot",
      results: [
        { action: "start", rc: 0 },
        { action: "monitor", intervalMs: 10_000, rc: 0 },
      ],
      running: [{ action: "start" }, { action: "promote" }],
      recurring: [{ action: "monitor" }],
    });
    expect(load).toEqual({ type: "load", mode: "none", jobs: 4, reason: "" });
    world.step({ type: "request", request: { type: "forget", rsc: operation("a", "x").rsc.id } });
    world.events();
    world.step({ type: "request", request: { type: "register", client: "n1", version: 1 } });
    expect(world.events()[0]).toMatchObject({ results: [], recurring: [] });
  });

  test("holds the end of what was under way when the rest was forgotten, also for a following executor", () => {
    const world = new World();
    world.execute(operation("a", "start"));
    world.end("a start_0", exited(0));
    world.execute(operation("a", "monitor", { intervalMs: 10_000 }));
    world.end("a monitor_10000", exited(0));
    const snapshot = world.executor.snapshot();
    const promote = operation("a", "promote");
    world.execute(promote);
    const forget = { type: "forget", rsc: promote.rsc.id } as const;
    world.step({ type: "request", request: forget });
    expect(world.executor.snapshot()).toMatchObject({ results: [], recurring: [], unfinished: [promote] });
    world.events();
    world.end("a promote_0", exited(0));
    const results = world.results();
    expect(results).toMatchObject([{ action: "promote", rc: 0 }]);
    expect(world.executor.snapshot().results).toEqual([...results]);
    const journal: readonly JournalRecord[] = [
      { type: "execute", operation: promote },
      forget,
      ...results.map((result) => ({ type: "result", result }) as const),
    ];
    expect(replayJournal(snapshot, journal)).toEqual(world.executor.snapshot());
  });

  test("carries over to a following executor, which runs again what was not finished", () => {
    const first = new World();
    first.execute(operation("a", "start"));
    first.end("a start_0", exited(0));
    const monitor = operation("a", "monitor", { intervalMs: 10_000 });
    first.execute(monitor);
    first.end("a monitor_10000", exited(0));
    const start = operation("b", "start");
    first.execute(start);
    const snapshot = JSON.parse(JSON.stringify(first.executor.snapshot()));

    const second = new World();
    second.step({ type: "leftovers", rsc: start.rsc.id, count: 1 });
    second.take(second.executor.restore(snapshot, second.now));
    expect(second.labels()).toEqual(["a monitor_10000"]);
    second.end("a monitor_10000", exited(0));
    expect(second.results()).toEqual([]);
    second.step({ type: "leftovers", rsc: start.rsc.id, count: 0 });
    expect(second.labels()).toEqual(["b start_0"]);
    second.end("b start_0", exited(0));
    expect(second.results()).toMatchObject([{ callId: start.callId, rc: OcfExit.OK }]);
    second.advance(10_000);
    second.end("a monitor_10000", exited(7));
    expect(second.results()).toMatchObject([{ callId: monitor.callId, rc: 7 }]);
  });
});

describe("a service is stopped as it was started", () => {
  const start = { params: { ip: "10.0.0.1", nic: "eth0", CRM_meta_timeout: "20000" } };
  const asked = { params: { ip: "10.0.0.2", CRM_meta_timeout: "30000" } };
  const stopAfter = (
    world: World,
    ...before: readonly (readonly [string, string, Parameters<typeof operation>[2], number])[]
  ) => {
    for (const [label, action, more, code] of before) {
      world.execute(operation("a", action, more));
      world.end(label, exited(code));
    }
    world.results();
    world.execute(operation("a", "stop", asked));
    world.end("a stop_0", exited(0));
    return world.results()[0]?.params;
  };

  test("although its parameters are others now", () => {
    expect(stopAfter(new World(), ["a start_0", "start", start, 0])).toEqual({
      ip: "10.0.0.1",
      nic: "eth0",
      CRM_meta_timeout: "30000",
    });
  });

  test("as the instance that it was, although it is none any more", () => {
    const instance = { CRM_meta_clone: "1", CRM_meta_globally_unique: "true", CRM_meta_clone_max: "3" };
    const params = { ip: "10.0.0.1", ...instance, CRM_meta_timeout: "20000" };
    expect(stopAfter(new World(), ["a start_0", "start", { params }, 0])).toEqual({
      ip: "10.0.0.1",
      ...instance,
      CRM_meta_timeout: "30000",
    });
  });

  test("with those of a reload", () => {
    const reload = { params: { ip: "10.0.0.3" } };
    const params = stopAfter(
      new World(),
      ["a start_0", "start", start, 0],
      ["a reload-agent_0", "reload-agent", reload, 0],
    );
    expect(params).toEqual({ ip: "10.0.0.3", CRM_meta_timeout: "30000" });
  });

  test("also when it came half up, was moved here, or was found running", () => {
    const probe = { params: { ip: "10.0.0.9" }, transitionKey: "1:1:7:key" };
    const stopped = { ip: "10.0.0.1", nic: "eth0", CRM_meta_timeout: "30000" };
    const notFound = ["a monitor_0", "monitor", probe, 7] as const;
    expect(stopAfter(new World(), notFound, ["a start_0", "start", start, 1])).toEqual(stopped);
    expect(stopAfter(new World(), notFound, ["a migrate_from_0", "migrate_from", start, 0])).toEqual(stopped);
    const found = { ...start, transitionKey: "1:1:7:key" };
    expect(stopAfter(new World(), ["a monitor_0", "monitor", found, 0])).toEqual(stopped);
  });

  test("or as it is asked for, where nothing tells how it was started", () => {
    expect(stopAfter(new World())).toEqual(asked.params);
    expect(stopAfter(new World(), ["a monitor_0", "monitor", start, 7])).toEqual(asked.params);
  });

  test("and demoted so, too", () => {
    const world = new World();
    for (const [action, more] of [
      ["start", start],
      ["promote", start],
      ["demote", asked],
    ] as const) {
      world.execute(operation("a", action, more));
      world.end(`a ${action}_0`, exited(0));
    }
    expect(world.results().at(-1)?.params).toMatchObject({ ip: "10.0.0.1", CRM_meta_timeout: "30000" });
  });
});

/** An executor that begins with what another has left. */
function following(snapshot: ExecutorSnapshot): World {
  const world = new World();
  world.take(world.executor.restore(snapshot, world.now));
  return world;
}

describe("what may have been left running", () => {
  const old = { params: { ip: "10.0.0.1" } };
  const now = { params: { ip: "10.0.0.2" }, transitionKey: "1:1:7:key" };
  const left = (action: string) => {
    const world = new World();
    const operationLeft = operation("a", action, old);
    return following({ ...world.executor.snapshot(), interrupted: [operationLeft], complete: false });
  };
  const ipOf = (world: World, label: string) =>
    world.runs.find((run) => run.label === label)?.command.env.OCF_RESKEY_ip;

  test("is looked for with the parameters that it has, then with those that are asked for", () => {
    const world = left("start");
    world.execute(operation("a", "monitor", now));
    expect(ipOf(world, "a monitor_0")).toBe("10.0.0.1");
    world.end("a monitor_0", exited(7));
    expect(world.results()).toEqual([]);
    expect(world.executor.snapshot().unfinished).toHaveLength(1);
    expect(ipOf(world, "a monitor_0")).toBe("10.0.0.2");
    world.end("a monitor_0", exited(7));
    expect(world.results()).toMatchObject([{ rc: 7, params: now.params }]);
    expect(world.executor.snapshot()).toMatchObject({ interrupted: [], unfinished: [] });
  });

  test("is looked for so, too, where only the cluster has forgotten that it runs", () => {
    const world = new World();
    world.execute(operation("a", "start", old));
    world.end("a start_0", exited(0));
    world.execute(operation("a", "monitor", now));
    expect(ipOf(world, "a monitor_0")).toBe("10.0.0.1");
    world.end("a monitor_0", exited(0));
    expect(world.results().at(-1)).toMatchObject({ rc: 0, params: old.params });
    // Somebody has ended it: then what is asked for is looked for.
    world.execute(operation("a", "monitor", { ...now, transitionKey: "1:2:7:key" }));
    world.end("a monitor_0", exited(7));
    expect(ipOf(world, "a monitor_0")).toBe("10.0.0.2");
    world.end("a monitor_0", exited(7));
    expect(world.results()).toMatchObject([{ rc: 7, params: now.params }]);
    // And what is known not to run is looked for with nothing else.
    world.execute(operation("a", "monitor", { params: { ip: "10.0.0.3" }, transitionKey: "1:3:7:key" }));
    expect(ipOf(world, "a monitor_0")).toBe("10.0.0.3");
  });

  test("is a mere look where looks and stops have only failed, when that is forgotten", () => {
    const world = new World();
    for (const action of ["monitor", "stop"]) {
      world.execute(operation("a", action, now));
      world.end(`a ${action}_0`, exited(1));
    }
    world.step({ type: "request", request: { type: "forget", rsc: resourceId("a") } });
    expect(world.executor.snapshot().interrupted).toMatchObject([{ action: "monitor" }]);
    // What was begun may have come half up.
    for (const action of ["start", "stop"]) {
      world.execute(operation("a", action, old));
      world.end(`a ${action}_0`, exited(1));
    }
    world.step({ type: "request", request: { type: "forget", rsc: resourceId("a") } });
    expect(world.executor.snapshot().interrupted).toMatchObject([{ action: "start", params: old.params }]);
  });

  test("is found with them, and stopped with them", () => {
    const world = left("stop");
    world.execute(operation("a", "monitor", now));
    world.end("a monitor_0", exited(0));
    expect(world.results()).toMatchObject([{ rc: 0, params: old.params }]);
    world.execute(operation("a", "stop", now));
    expect(ipOf(world, "a stop_0")).toBe("10.0.0.1");
  });

  test("is stopped with them although the cluster has looked for all else", () => {
    const world = left("start");
    world.step({ type: "request", request: { type: "probed" } });
    world.execute(operation("a", "stop", { params: {} }));
    expect(ipOf(world, "a stop_0")).toBe("10.0.0.1");
    world.end("a stop_0", exited(0));
    expect(world.executor.snapshot().interrupted).toEqual([]);
  });

  const arriving = (world: World) =>
    world.results().map(({ action, rc, params }) => `${action} ${rc} ${params.ip}`);

  test("has been migrated here if it is found running: the cluster is told of that, too", () => {
    const world = left("migrate_from");
    world.execute(operation("a", "monitor", now));
    world.end("a monitor_0", exited(0));
    expect(arriving(world)).toEqual(["migrate_from 0 10.0.0.1", "monitor 0 10.0.0.1"]);
    const next = following(world.executor.snapshot());
    next.step({ type: "request", request: { type: "register", version: PROTOCOL_VERSION, client: "next" } });
    const told = next.events().find((event) => event.type === "registered");
    expect(told).toMatchObject({
      results: [{ action: "migrate_from" }, { action: "monitor" }],
      interrupted: [],
    });
  });

  test("has not been migrated here if it is not found, nor if a failure is", () => {
    for (const rc of [1, 7]) {
      const world = left("migrate_from");
      world.execute(operation("a", "monitor", old));
      world.end("a monitor_0", exited(rc));
      expect(arriving(world)).toEqual([`monitor ${rc} 10.0.0.1`]);
    }
  });

  test("is so, too, when what runs is forgotten before it was looked at again", () => {
    const world = new World();
    world.execute(operation("a", "start", old));
    world.end("a start_0", exited(0));
    world.step({ type: "request", request: { type: "forget", rsc: resourceId("a") } });
    expect(world.executor.snapshot().interrupted).toMatchObject([{ action: "start", params: old.params }]);
    world.execute(operation("a", "stop", { params: {} }));
    world.end("a stop_0", exited(0));
    world.step({ type: "request", request: { type: "forget", rsc: resourceId("a") } });
    expect(world.executor.snapshot().interrupted).toEqual([]);
  });
});

describe("a probe whose agent says that the service is not configured", () => {
  const probed = (world: World) => {
    world.execute(operation("a", "monitor"));
    world.end("a monitor_0", exited(6));
    return world.results().at(-1);
  };
  const unknown = { rc: 6, status: OpStatus.DONE };
  const cannotRun = { rc: 6, status: OpStatus.NOT_INSTALLED };

  test("tells that it cannot run where nothing has begun it", () => {
    const world = new World();
    expect(probed(world)).toMatchObject(cannotRun);
    expect(probed(world)).toMatchObject(cannotRun);
    world.step({ type: "request", request: { type: "forget", rsc: resourceId("a") } });
    expect(probed(world)).toMatchObject(cannotRun);
    expect(world.executor.snapshot().interrupted).toEqual([]);
  });

  test("so it does after it was stopped here", () => {
    const world = new World();
    for (const action of ["start", "stop"]) {
      world.execute(operation("a", action));
      world.end(`a ${action}_0`, exited(0));
    }
    expect(probed(world)).toMatchObject(cannotRun);
  });

  test("tells nothing of one that may run here, also when that was forgotten", () => {
    for (const begun of ["start", "migrate_from", "stop", "monitor"]) {
      for (const forgotten of [false, true]) {
        const world = new World();
        world.execute(operation("a", begun));
        world.end(`a ${begun}_0`, exited(begun === "monitor" ? 0 : 1));
        if (forgotten) world.step({ type: "request", request: { type: "forget", rsc: resourceId("a") } });
        expect(probed(world), begun).toMatchObject(unknown);
      }
    }
  });

  test("tells nothing where somebody else may have begun it before this executor", () => {
    const world = following({ ...new World().executor.snapshot(), complete: false });
    expect(probed(world)).toMatchObject(unknown);
  });
});

describe("what could not be executed", () => {
  const refused = { kind: "refused", path: "/ra/A", why: "not-executable" } as const;
  const last = (world: World) => world.results().at(-1);

  test("has started nothing, so that nothing is left to be stopped", () => {
    const world = new World();
    for (const action of ["start", "stop"]) {
      world.execute(operation("a", action));
      world.end(`a ${action}_0`, refused);
      expect(last(world)).toMatchObject(
        action === "start" ? { rc: 5, status: OpStatus.NOT_INSTALLED } : { rc: 0, status: OpStatus.DONE },
      );
    }
  });

  const unbegun = {
    rc: 5,
    status: OpStatus.NOT_INSTALLED,
    exitReason: "cannot be watched, and may not run: /ra/A is not executable: chmod 755 it",
  };
  const probe = (world: World) => {
    world.execute(operation("a", "monitor", { transitionKey: "1:1:7:x" }));
    world.end("a monitor_0", refused);
    return last(world);
  };

  test.each(["reload", "reload-agent", "demote", "promote", "migrate_to", "stop"])(
    "has changed nothing of a service that runs: %s",
    (action) => {
      for (const [begun, rc] of [
        ["start", 190],
        ["promote", 191],
      ] as const) {
        const world = new World();
        for (const first of new Set(["start", begun])) {
          world.execute(operation("a", first, { params: { ip: "1" } }));
          world.end(`a ${first}_0`, exited(0));
        }
        world.execute(operation("a", action, { params: { ip: "2" } }));
        world.end(`a ${action}_0`, refused);
        expect(last(world)).toMatchObject({ ...unbegun, action });
        const next = following(world.executor.snapshot());
        for (const one of [world, next]) {
          expect(probe(one)).toMatchObject({ rc, status: OpStatus.DONE });
          one.execute(operation("a", "stop", { params: { ip: "2" } }));
          expect(one.runs.at(-1)?.command.env).toMatchObject({ OCF_RESKEY_ip: "1" });
          one.end("a stop_0", exited(0));
        }
      }
    },
  );

  test("is answered again to a manager that asks for it once more", () => {
    const world = new World();
    world.execute(operation("a", "start"));
    world.end("a start_0", exited(0));
    const asked = operation("a", "reload-agent");
    world.execute(asked);
    world.end("a reload-agent_0", refused);
    world.events();
    world.execute(asked);
    expect(world.labels()).toEqual([]);
    expect(world.results()).toMatchObject([unbegun]);
  });

  test("is the start of what has been stopped before", () => {
    const world = new World();
    for (const [action, outcome] of [
      ["start", exited(0)],
      ["stop", exited(0)],
      ["start", refused],
    ] as const) {
      world.execute(operation("a", action));
      world.end(`a ${action}_0`, outcome);
    }
    expect(probe(world)).toMatchObject({ rc: 5, status: OpStatus.NOT_INSTALLED });
  });

  test("has not stopped what was started, or may have been", () => {
    for (const begun of ["start", "migrate_from"]) {
      const world = new World();
      world.execute(operation("a", begun));
      world.end(`a ${begun}_0`, exited(1));
      world.execute(operation("a", "stop"));
      world.end("a stop_0", refused);
      expect(last(world)).toMatchObject({
        rc: 5,
        status: OpStatus.NOT_INSTALLED,
        exitReason: "cannot be watched, and may not run: /ra/A is not executable: chmod 755 it",
      });
    }
    const world = following({ ...new World().executor.snapshot(), complete: false });
    world.execute(operation("a", "stop"));
    world.end("a stop_0", refused);
    expect(last(world)).toMatchObject({ rc: 5, status: OpStatus.NOT_INSTALLED });
  });

  test("says of a service that is known to run, and was forgotten, that it runs", () => {
    for (const [begun, rc] of [
      ["start", 190],
      ["promote", 191],
    ] as const) {
      const world = new World();
      for (const action of new Set(["start", begun])) {
        world.execute(operation("a", action));
        world.end(`a ${action}_0`, exited(0));
      }
      world.step({ type: "request", request: { type: "forget", rsc: resourceId("a") } });
      world.execute(operation("a", "monitor", { transitionKey: "1:1:7:x" }));
      world.end("a monitor_0", refused);
      expect(last(world)).toMatchObject({ rc, status: OpStatus.DONE });
      world.execute(operation("a", "stop"));
      world.end("a stop_0", refused);
      expect(last(world)).toMatchObject({ rc: 5, status: OpStatus.NOT_INSTALLED });
    }
  });

  test.each([
    [0, 190],
    [8, 191],
  ])("says of a service that runs (expected %i) only that nobody watches it", (expected, degraded) => {
    const world = new World();
    world.execute(operation("a", "start"));
    world.end("a start_0", exited(0));
    world.execute(operation("a", "monitor", { intervalMs: 10_000, transitionKey: `1:1:${expected}:x` }));
    world.end("a monitor_10000", exited(expected));
    world.advance(15_000);
    world.end("a monitor_10000", refused);
    expect(last(world)).toMatchObject({
      rc: degraded,
      status: OpStatus.DONE,
      exitReason: "cannot be watched, and may not run: /ra/A is not executable: chmod 755 it",
    });
    expect(world.logs.filter((line) => line.includes("cannot be watched"))).toHaveLength(1);
    world.advance(15_000);
    world.end("a monitor_10000", exited(7));
    expect(last(world)).toMatchObject({ rc: 7 });
  });
});

describe("a migration that the executor before has begun", () => {
  const begun = (action: string) => {
    const world = new World();
    const asked = operation("a", action, { params: { CRM_meta_migrate_target: "n2" } });
    return following({ ...world.executor.snapshot(), unfinished: [asked] });
  };

  for (const [action, done, open] of [
    ["migrate_from", 0, 7],
    ["migrate_to", 7, 0],
  ] as const) {
    test(`is not done again when ${action} is done`, () => {
      const world = begun(action);
      world.execute(operation("a", "stop"));
      expect(world.labels()).toEqual(["a monitor_0"]);
      world.end("a monitor_0", exited(done));
      expect(world.results()).toMatchObject([{ action, rc: 0 }]);
      expect(world.labels()).toEqual(["a stop_0"]);
    });

    test(`is done again when ${action} is not, before what was asked for later`, () => {
      const world = begun(action);
      world.execute(operation("a", "stop"));
      world.end("a monitor_0", exited(open));
      expect(world.labels()).toEqual([`a ${action}_0`]);
      world.end(`a ${action}_0`, exited(1));
      expect(world.results()).toMatchObject([{ action, rc: 1 }]);
      expect(world.labels()).toEqual(["a stop_0"]);
    });
  }
});

describe("what an earlier daemon left is a memory", () => {
  test("of which nothing is left when a monitor says otherwise, but that it may run", () => {
    const world = new World();
    world.execute(operation("a", "start", { params: { ip: "1" } }));
    world.end("a start_0", exited(0));
    world.execute(operation("a", "monitor", { intervalMs: 10_000 }));
    world.end("a monitor_10000", exited(0));
    const next = following({ ...world.executor.snapshot(), remembered: [resourceId("a")] });
    next.end("a monitor_10000", exited(7));
    expect(next.results()).toMatchObject([{ rc: 7 }]);
    expect(next.executor.snapshot()).toMatchObject({
      results: [],
      recurring: [],
      remembered: [],
      interrupted: [{ action: "start", params: { ip: "1" } }],
    });
  });

  test("that a monitor confirms which says what it said last, also a failure that nothing is done about", () => {
    const world = new World();
    world.execute(operation("a", "start"));
    world.end("a start_0", exited(0));
    const params = { CRM_meta_on_fail: "block" };
    world.execute(operation("a", "monitor", { intervalMs: 10_000, params }));
    world.end("a monitor_10000", exited(7));
    const next = following({ ...world.executor.snapshot(), remembered: [resourceId("a")] });
    next.end("a monitor_10000", exited(7));
    const { results, recurring, interrupted, remembered } = next.executor.snapshot();
    expect(results.map(({ action, rc }) => `${action} ${rc}`)).toEqual(["start 0", "monitor 7"]);
    expect({ recurring: recurring.length, interrupted, remembered }).toEqual({
      recurring: 1,
      interrupted: [],
      remembered: [],
    });
  });

  test("until something is seen of it, which is told even if it is as it was", () => {
    const world = new World();
    world.execute(operation("a", "start"));
    world.end("a start_0", exited(0));
    world.execute(operation("a", "monitor", { intervalMs: 10_000 }));
    world.end("a monitor_10000", exited(0));
    const next = following({ ...world.executor.snapshot(), remembered: [resourceId("a")] });
    expect(next.executor.snapshot().remembered).toEqual([resourceId("a")]);
    next.end("a monitor_10000", exited(0));
    expect(next.results()).toMatchObject([{ rc: 0 }]);
    expect(next.executor.snapshot().remembered).toEqual([]);
  });
});
