import { afterAll, beforeAll, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { Story } from "../harness/story.ts";

/** How many agents a node runs at a time, by the cluster's properties and by the load of the machine. */

let story: Story;

beforeAll(async () => {
  story = await Story.running({ nodes: 1 });
}, 60_000);

afterAll(() => story?.close());

const commandOf = (pid: number): string => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return "";
  }
};

/** Agents that are direct children of the node's executor: what they fork looks alike. */
function agentsNow(executor: number): number {
  const tasks = readdirSync(`/proc/${executor}/task`);
  const children = tasks.flatMap((task) =>
    readFileSync(`/proc/${executor}/task/${task}/children`, "utf8").trim().split(" "),
  );
  return children.filter((pid) => commandOf(Number(pid)).includes("/Dummy\0")).length;
}

/** The most agents at a time while the text is loaded and carried out. */
async function mostAtATime(text: string): Promise<number> {
  const executor = story.nodes.processesOf("node1").find((pid) => {
    const words = commandOf(pid).split("\0");
    return words.includes("internal") && words.includes("executor");
  });
  if (executor === undefined) throw new Error("there is no executor");
  let most = 0;
  const watch = setInterval(() => {
    most = Math.max(most, agentsNow(executor));
  }, 5);
  await story.load(text);
  await story.idle();
  clearInterval(watch);
  return most;
}

const slow = (prefix: string) =>
  [1, 2, 3]
    .map((number) => `primitive ${prefix}${number} ocf:pacemaker:Dummy params op_sleep=0.2`)
    .join("\n");

test("node-action-limit holds from the moment it is set", async () => {
  // What else the machine does must not count here.
  await story.load("property stonith-enabled=false load-threshold=100000%");
  expect(await mostAtATime(slow("free"))).toBeGreaterThan(1);
  await story.load("property node-action-limit=1");
  await story.idle();
  expect(await mostAtATime(slow("tight"))).toBe(1);
  for (const name of ["tight1", "tight2", "tight3"]) expect(story.where(name)).toEqual(["node1"]);
}, 60_000);

test("a node above the load threshold runs fewer agents, and the status says so", async () => {
  const busy = Bun.spawn(["sh", "-c", "while :; do :; done"]);
  try {
    await story.load("property load-threshold=1% node-action-limit=8");
    await story.nodes.until("the node is throttled", 40_000, async () =>
      (await story.must("node1", "status")).includes("Throttled: node1 runs at most 1 jobs")
        ? true
        : undefined,
    );
    await story.load("property load-threshold=100000%");
    await story.nodes.until("the node is not throttled any more", 20_000, async () =>
      (await story.must("node1", "status")).includes("Throttled") ? undefined : true,
    );
  } finally {
    busy.kill();
    await busy.exited;
  }
}, 90_000);
