/** A configuration that takes very long to decide about, on a real cluster: nobody who asks has to wait for that. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import type { StatusReply } from "../../src/controller/index.ts";
import { Story } from "../harness/story.ts";

const names = Array.from({ length: 8 }, (_, at) => `p${at}`);
const clones = names
  .map(
    (name) =>
      `primitive ${name} ocf:pacemaker:Dummy\nclone c-${name} ${name} meta clone-max=256 clone-node-max=256`,
  )
  .join("\n");

let story: Story;

beforeAll(async () => {
  story = await Story.running({ nodes: 2, quorum: ["two_node = true"] });
  await story.load(
    "property stonith-enabled=false\nprimitive before ocf:pacemaker:Dummy op monitor interval=10s",
  );
  await story.idle();
}, 60_000);

afterAll(() => story.close());

test("the leader answers while it is decided about, lives on, and takes what ends it", async () => {
  const processes = () => story.names.map((name) => story.process(name, "manager"));
  const before = processes();
  await story.load(clones);
  // One of both leads, and decides.
  const states = () =>
    Promise.all(
      story.names.map(async (name) => {
        const { transition } = await story.ask<StatusReply>(name, { type: "status" });
        return transition?.state;
      }),
    );
  // Every question is answered within the patience of a client, for longer than a manager may be silent.
  const answers: (string | undefined)[] = [];
  const until = performance.now() + 12_000;
  while (performance.now() < until) {
    answers.push(...(await states()));
    await Bun.sleep(200);
  }
  expect(answers).toContain("deciding");
  expect(processes()).toEqual(before);
  await story.must(
    "node1",
    "configure",
    "delete",
    "--force",
    ...names.flatMap((name) => [`c-${name}`, name]),
  );
  await story.until("it is as before", 60_000, async () => {
    const { code } = await story.hactl("node1", "wait", "--timeout", "5");
    return code === 0 ? true : undefined;
  });
  expect(processes()).toEqual(before);
  expect(story.where("before").length).toBe(1);
}, 240_000);
