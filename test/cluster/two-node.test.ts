import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Story } from "../harness/story.ts";

/** A cluster of two: it starts together, one goes on alone, and nobody starts alone when it must not. */

let story: Story;
let beat: string;

beforeAll(async () => {
  story = await Story.make({ nodes: 2, tokenMs: 1000, quorum: ["two_node = true"] });
  beat = join(story.directory, "beat");
}, 60_000);

afterAll(() => story?.close());

const resources = Array.from({ length: 6 }, (_, i) => `d${i + 1}`);

describe("two nodes", () => {
  test("take their configuration, also by the name crm", async () => {
    story.nodes.startAll();
    await story.membersAre(2);
    const text = `property stonith-enabled=true
rsc_defaults resource-stickiness=100
${story.power}
${resources.map((id) => `primitive ${id} ocf:pacemaker:Dummy op monitor interval=10s`).join("\n")}
group all ${resources.join(" ")}
primitive service ocf:hactl:Service params file="${beat}" op monitor interval=1s`;
    await story.loadAs("crm", text);
    await story.idle();
    for (const id of resources) expect(story.where(id)).toHaveLength(1);
    expect(await story.must("node1", "crm", "configure", "show")).toContain("group all d1 d2");
  }, 60_000);

  test("start everything again after both were stopped, within seconds", async () => {
    await Promise.all(story.names.map((name) => story.must(name, "stop", "--timeout", "60")));
    for (const name of story.names) expect(story.nodes.processesOf(name)).toEqual([]);
    for (const id of resources) expect(story.where(id)).toEqual([]);
    const begun = Date.now();
    story.nodes.startAll();
    await story.until("all of them run", 30_000, () =>
      resources.every((id) => story.where(id).length === 1) && serves() ? true : undefined,
    );
    const took = Date.now() - begun;
    await story.idle();
    const runs = agentMs(await story.cib());
    console.log(`cold start of two nodes: ${took} ms, of which agents ${runs} ms`);
    expect(await story.events(begun)).not.toContainEqual(expect.stringMatching(/FENC/));
  }, 60_000);

  test("one that starts alone waits for the other, by wait_for_all", async () => {
    await Promise.all(story.names.map((name) => story.must(name, "stop", "--timeout", "60")));
    story.nodes.start("node1");
    await story.membersAre(1, "node1");
    expect((await story.must("node1", "status")).split("\n")[0]).toMatch(/quorum/i);
    expect(resources.flatMap((id) => story.where(id))).toEqual([]);
    expect(await story.events(0, "node1")).not.toContainEqual(expect.stringMatching(/FENCING node2/));
    story.nodes.start("node2");
    await story.membersAre(2);
    await story.idle();
    for (const id of resources) expect(story.where(id)).toHaveLength(1);
  }, 60_000);

  test("the one that is left fences the other and serves alone", async () => {
    const [dead = ""] = story.where("d1");
    const left = story.names.find((name) => name !== dead) ?? "";
    const since = Date.now();
    story.crash(dead);
    await story.until("the other serves", 30_000, () =>
      resources.every((id) => story.where(id).join(" ") === left) && serves() ? true : undefined,
    );
    await story.idle(left);
    const events = await story.events(since, left);
    const fenced = events.findIndex((event) => event.startsWith(`NODE-FENCED node ${dead}`));
    expect(fenced).toBeGreaterThan(events.findIndex((event) => event.startsWith(`NODE-LOST node ${dead}`)));
    expect(existsSync(`${beat}.conflict`)).toBe(false);
  }, 60_000);
});

/** Whether the service has written within the last second. */
function serves(): boolean {
  if (!existsSync(beat)) return false;
  return Date.now() / 1000 - Number(readFileSync(beat, "utf8").trim().split(" ")[2]) < 1;
}

/** Time that the agents of the last start have used, one after the other as the group wants it, in ms. */
function agentMs(cib: string): number {
  const times = cib.matchAll(/<lrm_rsc_op id="d\d+_last_0"[^>]*operation="start"[^>]*exec-time="(\d+)"/g);
  return [...times].reduce((sum, [, ms]) => sum + Number(ms), 0);
}
