import { expect, test } from "bun:test";
import { OpStatus } from "../../src/terms/index.ts";
import { exited, operation, World } from "./world.ts";

/** Numbers from 0 to 1 that a seed decides (mulberry32). */
function chance(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Five minutes of a host's life: requests, ends, hangs, changes of manager and of the executor itself. */
function life(seed: number): void {
  const random = chance(seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  let world = new World();
  const asked = new Map<number, string>();
  const answered = new Map<number, number>();
  const check = () => {
    const names = world.labels().map((label) => label.split(" ")[0]);
    expect(new Set(names).size, `seed ${seed}: two operations of one resource at a time`).toBe(names.length);
    for (const event of world.events()) {
      if (event.type !== "result" || event.result.intervalMs > 0) continue;
      answered.set(event.result.callId, (answered.get(event.result.callId) ?? 0) + 1);
    }
  };
  const end = (label: string) => {
    const outcome = pick([exited(0), exited(0), exited(7), exited(1, "ocf-exit-reason:no\n")]);
    world.end(label, outcome);
  };
  for (let step = 0; step < 400; step++) {
    const rsc = `r${Math.floor(random() * 6)}`;
    const dice = random();
    if (dice < 0.3) {
      const one = operation(rsc, pick(["start", "stop", "monitor", "promote", "notify"]), {
        timeoutMs: pick([1000, 20_000]),
        startDelayMs: pick([0, 0, 0, 2000]),
      });
      asked.set(one.callId, one.action);
      world.execute(one);
    } else if (dice < 0.4) {
      world.execute(operation(rsc, "monitor", { intervalMs: pick([1000, 10_000]), timeoutMs: 3000 }));
    } else if (dice < 0.45) {
      world.cancel(rsc, "monitor", pick([1000, 10_000]));
    } else if (dice < 0.47) {
      world.step({ type: "load", sample: { loadavg1: random() * 8 } });
    } else if (dice < 0.48) {
      // The executor dies; its agents end by themselves and the next one goes on.
      const snapshot = JSON.parse(JSON.stringify(world.executor.snapshot()));
      const time = world.time;
      world = new World();
      world.time = time;
      world.take(world.executor.restore(snapshot, world.now));
    } else if (dice < 0.8) {
      const label = world.labels().length > 0 ? pick(world.labels()) : undefined;
      if (label !== undefined) end(label);
    } else {
      world.advance(random() * 3000);
    }
    check();
  }
  // Left alone, everything ends.
  for (let round = 0; round < 200; round++) {
    for (const label of world.labels()) if (label.endsWith("_0") || random() < 0.9) end(label);
    world.advance(1000);
    check();
  }
  const missing = [...asked.keys()].filter((callId) => answered.get(callId) !== 1);
  expect(missing, `seed ${seed}: each operation is answered once`).toEqual([]);
}

test.each(Array.from({ length: 40 }, (_, n) => 1000 + n))("a host's life, seed %d", (seed) => life(seed));

test("operations that wait behind a start-delay are all run", () => {
  const world = new World();
  world.execute(operation("a", "start", { startDelayMs: 1000 }), operation("a", "monitor"));
  world.advance(1000);
  world.end("a start_0", exited(0));
  world.end("a monitor_0", exited(0));
  expect(world.results().map(({ status }) => status)).toEqual([OpStatus.DONE, OpStatus.DONE]);
});
