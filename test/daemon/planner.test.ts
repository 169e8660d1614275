import { afterEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { formatXml, type XmlElement } from "../../src/cib/index.ts";
import type { PlanAnswer } from "../../src/controller/index.ts";
import { lines, Planner, type PlannerLimits, planLine } from "../../src/daemon/planner.ts";
import { openLog } from "../../src/platform/index.ts";
import { schedule } from "../../src/scheduler/index.ts";
import { bigCluster } from "../bench/big-cluster.ts";

const directory = mkdtempSync(join(tmpdir(), "hactl-planner-"));
const log = openLog({ tag: "test", thresholds: {} });
const now = 1_700_000_000;
const shape = { nodes: 5, primitives: 10, groups: 3, clones: 3, promotable: 2 };
const real = [process.execPath, join(import.meta.dir, "../../src/main.ts"), "internal", "planner"];
const limits: PlannerLimits = { patienceMs: 60_000, idleMs: 60_000, memoryBytes: 2 ** 40 };

const open: Planner[] = [];
afterEach(() => {
  for (const planner of open.splice(0)) planner.close();
});
process.on("exit", () => rmSync(directory, { recursive: true, force: true }));

/** A planner, and its answers one after the other. */
function planner(command: readonly string[], changed: Partial<PlannerLimits> = {}) {
  const answers: PlanAnswer[] = [];
  let heard: () => void = () => {};
  const one = new Planner(
    (answer) => {
      answers.push(answer);
      heard();
    },
    log,
    command,
    { ...limits, ...changed },
  );
  open.push(one);
  const next = async (): Promise<PlanAnswer> => {
    while (answers.length === 0)
      await new Promise<void>((resolve) => {
        heard = resolve;
      });
    return answers.shift() ?? { id: -1 };
  };
  return { one, next, answers };
}

const question = (id: number, cib: XmlElement) => ({ id, cib: formatXml(cib, -1), now });

describe("a planner", () => {
  test("answers what the scheduler decides, one question after the other", async () => {
    const { one, next } = planner(real);
    for (const [id, state] of (["running", "lost", "new"] as const).entries()) {
      const cib = bigCluster(shape, state);
      one.ask(question(id, cib));
      expect(await next()).toEqual({ id, decision: schedule({ cib, now }), error: undefined });
    }
  });

  test("says what is wrong with a question, and takes the next", async () => {
    const { one, next } = planner(real);
    one.ask({ id: 1, cib: "<cib", now });
    const { id, decision, error } = await next();
    expect([id, decision, typeof error]).toEqual([1, undefined, "string"]);
    one.ask(question(2, bigCluster(shape, "running")));
    expect((await next()).id).toBe(2);
  });

  test("answers only the last question", async () => {
    const { one, next, answers } = planner(real);
    one.ask(question(1, bigCluster(shape, "new")));
    one.ask(question(2, bigCluster(shape, "new")));
    expect((await next()).id).toBe(2);
    one.ask(question(3, bigCluster(shape, "new")));
    one.drop();
    one.ask(question(4, bigCluster(shape, "new")));
    expect((await next()).id).toBe(4);
    expect(answers).toEqual([]);
  });

  test("is given up when it takes too long, too much memory, or ends", async () => {
    const slow = planner(["sleep", "600"], { patienceMs: 50 });
    slow.one.ask(question(1, bigCluster(shape, "new")));
    expect(await slow.next()).toEqual({ id: 1, error: "it takes longer than 0.05 s" });
    const large = planner(["sleep", "600"], { memoryBytes: 2 ** 20 / 2 });
    large.one.ask(question(2, bigCluster(shape, "new")));
    expect((await large.next()).error).toContain("MiB of memory");
    const dead = planner(["sh", "-c", "exit 3"]);
    dead.one.ask(question(3, bigCluster(shape, "new")));
    expect(await dead.next()).toEqual({ id: 3, error: "the process that computed it ended with status 3" });
    const absent = planner(["/nowhere/at/all"]);
    absent.one.ask(question(4, bigCluster(shape, "new")));
    expect((await absent.next()).error).toContain("no process can be started for it");
  });

  test("that was killed, or stopped, is replaced by one that answers", async () => {
    const mark = join(directory, "once");
    // The first one dies over its question, the second stands still.
    const script = `read line; n=$(cat "${mark}" 2>/dev/null || echo 0); echo $((n + 1)) >"${mark}"; case $n in
0) kill -9 $$ ;;
1) kill -STOP $$ ;;
esac; echo '{"id":7,"decision":{"actions":[]}}'; exec sleep 600`;
    const { one, next, answers } = planner(["sh", "-c", script]);
    one.ask(question(7, bigCluster(shape, "new")));
    expect<unknown>(await next()).toEqual({ id: 7, decision: { actions: [] } });
    expect(await Bun.file(mark).text()).toBe("3\n");
    expect(answers).toEqual([]);
  });

  test("that ends, or is dropped, before it has read its question harms nobody", async () => {
    const failures: unknown[] = [];
    const note = (error: unknown) => failures.push(error);
    process.on("unhandledRejection", note);
    try {
      // More than a pipe holds.
      const long = { cib: "x".repeat(4 * 2 ** 20), now };
      const { one, next } = planner(["sh", "-c", "exit 3"]);
      one.ask({ id: 1, ...long });
      one.drop();
      one.ask({ id: 2, ...long });
      one.ask({ id: 3, ...long });
      expect((await next()).id).toBe(3);
      // What a write says that nobody has read comes after the end of the process.
      await Bun.sleep(50);
    } finally {
      process.off("unhandledRejection", note);
    }
    expect(failures).toEqual([]);
  });

  test("that answers nonsense is one that does not answer", async () => {
    const { one, next } = planner(["sh", "-c", "read line; echo nonsense; exec sleep 600"]);
    one.ask(question(1, bigCluster(shape, "new")));
    expect((await next()).error).toContain("not understood");
  });
});

test("an answer is one line, and says all that the scheduler does", () => {
  for (const state of ["running", "lost", "new"] as const) {
    const decision = schedule({ cib: bigCluster(shape, state), now });
    const line = planLine(7, () => decision);
    expect(line.indexOf("\n")).toBe(line.length - 1);
    expect(JSON.parse(line)).toEqual({ id: 7, decision });
  }
});

test("lines are put together from whatever pieces they come in", async () => {
  async function* pieces() {
    for (const text of ["a", "b\nc\n\nd", "é\n", "rest"]) yield new TextEncoder().encode(text);
  }
  expect(await Array.fromAsync(lines(pieces()))).toEqual(["ab", "c", "", "dé"]);
});
