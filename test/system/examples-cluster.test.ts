import { afterAll, beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { Story } from "../harness/story.ts";

/** The example of a cluster with room for one service a node, unchanged, on real daemons with Debian's agents. */

const examples = join(import.meta.dir, "..", "..", "..", "shared", "examples");
let story: Story;

beforeAll(async () => {
  story = await Story.running({ nodes: 3, names: ["act1", "act2", "sby"] });
}, 60_000);

afterAll(() => story?.close());

test("utilization.crm: the standby node takes one service, the other stays stopped", async () => {
  await story.must("sby", "configure", "load", "update", join(examples, "utilization.crm"));
  await story.idle("sby");
  expect(story.where("AP1")).toEqual(["act1"]);
  expect(story.where("AP2")).toEqual(["act2"]);
  await story.must("sby", "node", "standby", "act1", "--wait");
  expect(story.where("AP1")).toEqual(["sby"]);
  await story.must("sby", "node", "standby", "act2", "--wait");
  expect(story.where("AP2")).toEqual([]);
  expect(story.where("AP1")).toEqual(["sby"]);
  await story.must("sby", "node", "online", "act2", "--wait");
  expect(story.where("AP2")).toEqual(["act2"]);
}, 60_000);

test("all examples load into a running cluster", async () => {
  for (const file of ["remote.crm", "fence_kdump.crm"]) {
    // What runs goes.
    await story.must("sby", "configure", "load", "--force", "replace", join(examples, file));
    const shown = await story.configuration("act1");
    expect(shown).toContain(file === "remote.crm" ? "primitive vm02-remote" : "fencing_topology");
  }
}, 60_000);
