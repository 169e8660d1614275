import { describe, expect, test } from "bun:test";
import { fencingNews } from "../../src/fencer/index.ts";
import { nodeName } from "../../src/terms/index.ts";
import { FenceCluster } from "./cluster.ts";

const device = (id: string) =>
  `<primitive id="${id}" class="stonith" type="fence_power"><instance_attributes id="${id}-i">` +
  `<nvpair id="${id}-l" name="pcmk_host_list" value="n3"/></instance_attributes></primitive>`;

/** Two members that fence a third, which takes a second; who joins meanwhile has not heard of the request. */
function underWay(): FenceCluster {
  const cluster = new FenceCluster(["n1", "n2"]);
  cluster.configure(device("power"));
  cluster.request("n2", "n3", "off");
  cluster.request("n1", "n3", "off");
  cluster.pass(300);
  cluster.join("n4");
  return cluster;
}

const told = (cluster: FenceCluster) =>
  cluster.news.map((one) =>
    one.type === "ended"
      ? `${one.result.target} ${one.result.ok} ${one.result.deed}`
      : `${one.target} ${one.type}`,
  );

describe("who joins in the middle of a fencing", () => {
  test("is told of its end once, in its place of the order", () => {
    const cluster = underWay();
    const before = ["n3 asked", "n3 ordered", "n3 asked"];
    expect(told(cluster)).toEqual(before);
    cluster.pass(10_000);
    expect(told(cluster)).toEqual([...before, "n3 true off"]);
    for (const name of ["n1", "n2", "n4"]) expect(cluster.resultsOn(name)).toHaveLength(2);
  });

  test("is told that a person answers for the node", () => {
    const cluster = underWay();
    cluster.confirm("n1", "n3");
    expect(told(cluster)).toEqual(["n3 asked", "n3 ordered", "n3 asked", "n3 true confirmed"]);
    expect(cluster.news.at(-1)).toMatchObject({
      result: { target: "n3", action: "off", ok: true, executor: "n1", completedAt: 1_000_000, devices: [] },
    });
    // The confirmation, and the ends of the two requests that it makes.
    expect(cluster.resultsOn("n4")).toHaveLength(3);
  });
});

test("the second half of a reboot, answers, and what is no message tell nothing", () => {
  const order = {
    op: "r",
    attempt: 1,
    level: 0,
    device: "d",
    target: "n3",
    action: "on",
    phase: "on",
    executor: "n1",
    timeoutMs: 1,
    delayMs: 0,
  };
  const n1 = nodeName("n1");
  expect(fencingNews(n1, { type: "execute", order: { ...order, phase: "main" } })).toEqual({
    type: "ordered",
    op: "r",
    target: nodeName("n3"),
    attempt: 1,
  });
  for (const message of [
    { type: "execute", order },
    { type: "done", op: "r", result: { target: "n3", ok: true } },
    { type: "confirm", target: "n3" },
    null,
    "done",
  ])
    expect(fencingNews(n1, message)).toBeUndefined();
});
