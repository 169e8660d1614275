import { afterAll, beforeAll, expect, test } from "bun:test";
import { Story } from "../harness/story.ts";

/** shutdown-lock: what ran on a node that was shut down in order waits for it. */

let story: Story;

beforeAll(async () => {
  story = await Story.running({ nodes: 3 });
  await story.load(`property stonith-enabled=true shutdown-lock=true
${story.power}
primitive held ocf:pacemaker:Dummy op monitor interval=1s
primitive beside ocf:pacemaker:Dummy op monitor interval=1s
primitive free ocf:pacemaker:Dummy op monitor interval=1s
colocation together inf: beside held
location here held 50: node3
location there free 50: node1`);
  await story.idle();
}, 60_000);

afterAll(() => story?.close());

const runs = (rsc: string, node: string) =>
  story.until(`${rsc} runs on ${node}`, 20_000, () => (story.where(rsc).join() === node ? true : undefined));

async function leave(name: string): Promise<void> {
  await story.must(name, "stop", "--timeout", "30");
  await story.idle("node1");
}

async function comeBack(name: string): Promise<void> {
  story.nodes.start(name);
  await story.membersAre(3, "node1");
}

test("it is not started elsewhere, and says why; it starts there when the node is back, with what is placed with it", async () => {
  await runs("held", "node3");
  await leave("node3");
  expect([story.where("held"), story.where("beside"), story.where("free")]).toEqual([[], [], ["node1"]]);
  expect(await story.must("node1", "explain", "held")).toContain("waits for node3, which was shut down");
  await story.must("node1", "crm_attribute", "-t", "crm_config", "-n", "batch-limit", "-v", "7");
  await story.idle("node1");
  expect(story.where("held")).toEqual([]);
  for (const name of ["node1", "node2"]) {
    const manager = story.process(name, "manager");
    if (manager === undefined) throw new Error(`no manager of ${name}`);
    process.kill(manager, "SIGKILL");
  }
  await story.until("they are back", 20_000, async () => {
    const joined = await Promise.all(["node1", "node2"].map((name) => story.hactl(name, "cibadmin", "-Q")));
    return joined.every(({ code }) => code === 0) ? true : undefined;
  });
  await story.idle("node1");
  expect([story.where("held"), story.where("beside"), story.where("free")]).toEqual([[], [], ["node1"]]);
  await comeBack("node3");
  await runs("held", "node3");
  await runs("beside", "node3");
  await story.idle("node1");
  expect(await story.must("node1", "cibadmin", "-Q", "-o", "status")).not.toContain("shutdown-lock");
}, 120_000);

test("a refresh of it on that node ends the wait", async () => {
  await leave("node3");
  expect(story.where("held")).toEqual([]);
  await story.must("node1", "crm_resource", "--refresh", "-r", "held", "-N", "node3");
  await story.must("node1", "crm_resource", "--refresh", "-r", "beside", "-N", "node3");
  await story.until("held runs", 20_000, () => (story.where("held").length === 1 ? true : undefined));
  await comeBack("node3");
  await runs("held", "node3");
}, 120_000);

test("after shutdown-lock-limit it waits no more", async () => {
  await story.must("node1", "crm_attribute", "-t", "crm_config", "-n", "shutdown-lock-limit", "-v", "5s");
  await leave("node3");
  expect(story.where("held")).toEqual([]);
  await story.until("held runs", 30_000, () => (story.where("held").length === 1 ? true : undefined));
  await comeBack("node3");
}, 120_000);
