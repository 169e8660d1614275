import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { Story } from "../harness/story.ts";

/** Two active nodes, one standby, room for one service each; and a cluster that starts without one of its nodes. */

let story: Story;

beforeAll(async () => {
  story = await Story.running({ nodes: 3, names: ["act1", "act2", "sby"] });
}, 60_000);

afterAll(() => story?.close());

describe("with room for one service on each node", () => {
  const service = (number: number) => `primitive AP${number} ocf:pacemaker:Dummy \\
    utilization capacity="1" \\
    op monitor interval="10s" timeout="60s"
location locAP${number} AP${number} rule 200: #uname eq act${number} rule 100: #uname eq sby`;

  test("each service has its node", async () => {
    await story.load(
      `node act1 utilization capacity="1"
node act2 utilization capacity="1"
node sby utilization capacity="1"
property stonith-enabled="true" placement-strategy="balanced" dc-deadtime=2s
rsc_defaults resource-stickiness="INFINITY"
${story.power}
${service(1)}
${service(2)}`,
      "update",
      "act1",
    );
    await story.idle();
    expect(story.where("AP1")).toEqual(["act1"]);
    expect(story.where("AP2")).toEqual(["act2"]);
  }, 30_000);

  test("the standby node takes the first that loses its node; the second stays stopped", async () => {
    await story.must("sby", "node", "standby", "act1", "--wait");
    expect(story.where("AP1")).toEqual(["sby"]);
    expect(story.where("AP2")).toEqual(["act2"]);
    await story.must("sby", "node", "standby", "act2", "--wait");
    expect(story.where("AP1")).toEqual(["sby"]);
    expect(story.where("AP2")).toEqual([]);
    await story.must("sby", "node", "online", "act2", "--wait");
    await story.must("sby", "node", "online", "act1", "--wait");
    // By stickiness it stays where it is.
    expect(story.where("AP1")).toEqual(["sby"]);
    expect(story.where("AP2")).toEqual(["act2"]);
  }, 30_000);
});

test("a node that is not seen at the start is fenced after dc-deadtime, then services start", async () => {
  await Promise.all(story.names.map((name) => story.must(name, "stop", "--timeout", "60")));
  const since = Date.now();
  for (const name of ["act1", "act2"]) story.nodes.start(name);
  await story.membersAre(2, "act1");
  await story.event(/^WAIT-FOR-NODES/, since);
  await story.event(/^NODE-FENCED node sby/, since);
  await story.on("AP1", ["act1"]);
  await story.on("AP2", ["act2"]);
  const plans = (await story.events(since)).filter((event) =>
    /^(?:WAIT-FOR|NODE-FENCED|PLAN Start AP)/.test(event),
  );
  expect(plans[0]).toMatch(/^WAIT-FOR-NODES/);
}, 60_000);
