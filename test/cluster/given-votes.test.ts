/** Votes that were set at runtime end with a changed hactl.toml, and that is said with what follows from it. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { Story } from "../harness/story.ts";

let story: Story;

beforeAll(async () => {
  story = await Story.running({ nodes: 3 });
  await story.load("property stonith-enabled=false");
  await story.idle();
}, 60_000);

afterAll(() => story?.close());

const setToken = (token: number) => {
  for (const name of story.names) {
    const file = story.nodes.configOf(name);
    const text = readFileSync(file, "utf8").replace(/^token = .*\n/m, "");
    writeFileSync(file, text.replace("[totem]\n", `[totem]\ntoken = ${token}\n`));
  }
};

const reload = async (name: string) => {
  const { code, stderr } = await story.hactl(name, "reload");
  expect([name, code]).toEqual([name, 0]);
  return stderr;
};

test("a reload of something else ends them, says so, and expects no more than is configured", async () => {
  expect(readFileSync(story.nodes.configOf("node1"), "utf8")).toContain("[totem]\n");
  const set = await story.hactl("node2", "quorum", "votes", "node1", "3");
  expect(set.stderr).toContain("node1 has 3 votes, and the cluster expects 5, until its daemon starts again");
  const shown = await story.hactl("node3", "quorum", "status");
  expect(shown.stderr).toContain("node1 has 3 votes because they were set; configured are 1");
  expect((await story.hactl("node3", "status")).stdout).toContain("votes were raised, 3 are configured");
  setToken(1500);
  expect(await reload("node1")).toContain(
    "Then node1 has its configured 1 vote again, not the 3 that were set",
  );
  await reload("node2");
  const last = await reload("node3");
  expect(last).toContain("node1 has 1 vote again, as configured, not the 3 that were set");
  expect(last).toContain("Quorum now: 3 of 3 votes, 2 needed.");
  // Each node says so itself, when it is its turn in the ring.
  for (const said of [
    "votes of node 1 go from 3, which an administrator had set, back to the configured 1: a changed configuration is in force",
    "expected votes go from 5 back to 3",
  ])
    await story.until(`node2 says: ${said}`, 20_000, async () =>
      story.nodes.logOf("node2").includes(said) ? true : undefined,
    );
}, 60_000);

test("a restart of the node does, too", async () => {
  await story.must("node2", "quorum", "votes", "node1", "3");
  // Who comes meanwhile knows it, too.
  await story.must("node3", "stop", "--timeout", "30");
  story.nodes.start("node3");
  await story.membersAre(3, "node2");
  await story.until("node3 knows it", 20_000, async () =>
    (await story.hactl("node3", "quorum", "status")).stderr.includes("has 3 votes because they were set")
      ? true
      : undefined,
  );
  await story.must("node1", "stop", "--timeout", "30");
  story.nodes.start("node1");
  await story.membersAre(3, "node2");
  await story.until("the votes are the configured ones", 20_000, async () =>
    /3 of 3 votes, 2 needed\)/.test((await story.hactl("node2", "status")).stdout) ? true : undefined,
  );
  expect(story.nodes.logOf("node2")).toContain("back to the configured 1: it has started again");
}, 60_000);

test("a reload that would cost the quorum by it is refused, unless it is forced", async () => {
  await story.must("node2", "quorum", "votes", "node1", "3");
  await story.must("node3", "stop", "--timeout", "30");
  await story.membersAre(2, "node1");
  setToken(1700);
  const refused = await story.hactl("node2", "reload");
  expect(refused.code).not.toBe(0);
  expect(refused.stderr).toMatch(/quorum would be lost: 2 of 5 votes present, 3 needed/);
  expect(refused.stderr).toContain("node1 would lose the votes that were set (3; 1 by the file)");
  expect(refused.stderr).toContain("hactl reload --force");
  expect((await story.hactl("node2", "quorum", "status")).stdout).toMatch(/Total votes: +4/);
  for (const name of ["node1", "node2"]) await story.must(name, "reload", "--force");
  await story.until("the quorum is given up", 20_000, async () =>
    /Total votes: +2/.test((await story.hactl("node2", "quorum", "status")).stdout) ? true : undefined,
  );
  story.nodes.start("node3");
  await story.membersAre(3, "node2");
}, 90_000);
