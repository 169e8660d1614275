import { afterAll, beforeAll, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Story } from "../harness/story.ts";

/** Two nodes with 256 resources whose monitors run all the time, while their processes are killed. */

const count = 256;
let story: Story;
let beat: string;

beforeAll(async () => {
  story = await Story.running({ nodes: 2, quorum: ["two_node = true"], tokenMs: 1000 });
  beat = join(story.directory, "beat");
  const ids = Array.from({ length: count }, (_, i) => `d${i}`);
  await story.load(`property stonith-enabled=true
rsc_defaults resource-stickiness=100
${story.power}
primitive service ocf:hactl:Service params file="${beat}" op monitor interval=2s
location first service 50: node1
${ids.map((id) => `primitive ${id} ocf:pacemaker:Dummy params envfile="${join(story.directory, "env-")}${id}" op monitor interval=10s`).join("\n")}`);
  await story.must("node1", "wait", "--timeout", "200");
}, 300_000);

afterAll(() => story?.close());

/** How often agents were told to start or stop something, by their own notes. */
function startsAndStops(): number {
  let sum = 0;
  for (let i = 0; i < count; i++) {
    const notes = readFileSync(join(story.directory, `env-d${i}`), "utf8");
    sum += (notes.match(/^### (?:start|stop) /gm) ?? []).length;
  }
  return sum;
}

const processes = (name: string) => story.nodes.servicesOf(name);

/** Memory of a process in MB. */
const rss = (pid: number | undefined) =>
  Math.round(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024);

test.each(["manager", "executor"] as const)(
  "the %s dies under load: it is back within 2 s, no service is touched",
  async (mode) => {
    expect(startsAndStops()).toBe(count);
    const since = Date.now();
    const serving = processes("node1");
    expect(serving).toHaveLength(1);
    for (const name of story.names) {
      const pid = story.process(name, mode);
      if (pid === undefined) throw new Error(`${name} has no ${mode}`);
      const begun = performance.now();
      process.kill(pid, "SIGKILL");
      await story.until(`the ${mode} of ${name} is back`, 10_000, () => {
        const now = story.process(name, mode);
        return now !== undefined && now !== pid ? true : undefined;
      });
      const there = performance.now() - begun;
      await story.membersAre(2, name);
      const back = performance.now() - begun;
      console.log(
        `${mode} of ${name}: runs again after ${there.toFixed(0)} ms, takes part after ${back.toFixed(0)} ms`,
      );
      expect(there).toBeLessThan(2000);
    }
    await story.must("node1", "wait", "--timeout", "100");
    expect(processes("node1")).toEqual(serving);
    expect(startsAndStops()).toBe(count);
    const plans = (await story.plans(since)).filter((plan) => !/^Start power /.test(plan));
    expect(plans).toEqual([]);
  },
  120_000,
);

test("memory stays within bounds", () => {
  for (const name of story.names) {
    const [ring, manager, executor] = [
      rss(story.nodes.pidOf(name)),
      rss(story.process(name, "manager")),
      rss(story.process(name, "executor")),
    ];
    console.log(`${name}: ring ${ring} MB, manager ${manager} MB, executor ${executor} MB`);
    expect(ring + manager + executor).toBeLessThan(800);
  }
});
