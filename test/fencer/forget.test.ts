import { describe, expect, test } from "bun:test";
import { nodeName } from "../../src/terms/index.ts";
import { FenceCluster } from "./cluster.ts";

const shown = (cluster: FenceCluster, name: string) =>
  cluster.hosts
    .get(nodeName(name))
    ?.fencer.entries()
    .map(({ target }) => String(target));

/** Three nodes that know of the ends of two. */
function fenced(): FenceCluster {
  const cluster = new FenceCluster(["n1", "n2", "n3"]);
  cluster.confirm("n1", "n8");
  cluster.confirm("n2", "n9");
  for (const name of ["n1", "n2", "n3"]) expect(shown(cluster, name)).toEqual(["n8", "n9"]);
  return cluster;
}

const forget = (cluster: FenceCluster, target?: string) =>
  cluster.event("n1", {
    type: "forget",
    id: "f",
    ...(target === undefined ? {} : { target: nodeName(target) }),
    client: "admin",
  });

describe("the history that is to be forgotten", () => {
  test("is shown by no node", () => {
    const cluster = fenced();
    forget(cluster);
    for (const name of ["n1", "n2", "n3"]) expect(shown(cluster, name)).toEqual([]);
    cluster.confirm("n3", "n8");
    for (const name of ["n1", "n2", "n3"]) expect(shown(cluster, name)).toEqual(["n8"]);
  });

  test("can be that of one node", () => {
    const cluster = fenced();
    forget(cluster, "n8");
    for (const name of ["n1", "n2", "n3"]) expect(shown(cluster, name)).toEqual(["n9"]);
  });

  test("is not brought back by a node that was away, nor shown by one that is new", () => {
    const cluster = fenced();
    cluster.split(["n1", "n2"]);
    forget(cluster);
    expect(shown(cluster, "n3")).toEqual(["n8", "n9"]);
    cluster.meet(["n1", "n2", "n3"]);
    for (const name of ["n1", "n2", "n3"]) expect(shown(cluster, name)).toEqual([]);
    cluster.kill("n2");
    cluster.join("n2");
    expect(shown(cluster, "n2")).toEqual([]);
  });
});
