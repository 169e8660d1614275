/** Nodes whose files have other options of quorum: nobody is quorate by a rule of its own, and that is told. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { Story } from "../harness/story.ts";

let story: Story;

beforeAll(async () => {
  story = await Story.running({
    nodes: 2,
    quorum: ["auto_tie_breaker = true", 'auto_tie_breaker_node = "highest"'],
  });
  await story.load("property stonith-enabled=false");
  await story.idle();
}, 60_000);

afterAll(() => story?.close());

const tieBreaker = (name: string, word: string) => {
  const file = story.nodes.configOf(name);
  writeFileSync(
    file,
    readFileSync(file, "utf8").replace(/^auto_tie_breaker_node = .*$/m, `auto_tie_breaker_node = "${word}"`),
  );
};

const says = (name: string, what: RegExp) =>
  story.until(`${name} says ${what}`, 20_000, async () =>
    what.test((await story.hactl(name, "status")).stdout) ? true : undefined,
  );

test("a changed file that the others have not read is told on all", async () => {
  tieBreaker("node1", "lowest");
  await story.must("node1", "reload");
  for (const name of story.names)
    await says(name, /a changed hactl\.toml was read on node1 and is not in force[\s\S]*hactl reload there/);
}, 60_000);

test("a node that starts with it breaks no tie by it, and the cluster is degraded until all have it", async () => {
  await story.must("node1", "stop", "--timeout", "30");
  story.nodes.start("node1");
  await story.membersAre(2, "node2");
  await says("node2", /^DEGRADED – node1 has another auto_tie_breaker_node: lowest there, highest here/);
  await says("node1", /^DEGRADED – node2 has another auto_tie_breaker_node[\s\S]*hactl reload on each/);
  story.crash("node2");
  await says("node1", /^NO QUORUM – .*only a majority counts, for the options of quorum are others/);
  story.nodes.start("node2");
  await story.membersAre(2, "node1");
  tieBreaker("node2", "lowest");
  await story.must("node2", "reload");
  for (const name of story.names) await says(name, /^NORMAL/);
  story.crash("node2");
  await story.membersAre(1, "node1");
  const { stdout } = await story.hactl("node1", "quorum", "status");
  expect(stdout).toMatch(/Quorate: +Yes/);
}, 90_000);
