import { describe, expect, test } from "bun:test";
import type { Registration } from "../../src/fencer/index.ts";
import { Registry } from "../../src/fencer/registry.ts";
import { nodeName } from "../../src/terms/index.ts";
import { deviceXml, FenceCluster } from "./cluster.ts";

/** Devices and levels that are registered with the fencer of a node, beside the configuration. */

const nodes = ["n1", "n2", "n3"];
const device = (
  id: string,
  params: Readonly<Record<string, string>> = {},
  agent = "fence_x",
): Registration => ({
  what: "device",
  device: { id, agent, params: { pcmk_host_check: "none", ...params } },
});
const level = (target: string, index: number, ...devices: readonly string[]): Registration => ({
  what: "level",
  level: { target, index, devices },
});

let count = 0;
/** Registers on a node. @returns why it was refused */
function register(cluster: FenceCluster, node: string, registration: Registration): string | undefined {
  const id = `g${++count}`;
  cluster.event(node, { type: "register", id, registration, client: "admin" });
  const [ended, ...more] = cluster.registrations.filter((one) => one.id === id);
  if (!ended || more.length > 0) throw new Error(`${registration.what}: ${more.length + 1} ends`);
  return ended.refused;
}

function make(...configured: Parameters<FenceCluster["configure"]>): FenceCluster {
  const cluster = new FenceCluster(nodes);
  cluster.configure(...configured);
  return cluster;
}

/** What a node knows of the devices: where each may be used. */
const known = (cluster: FenceCluster, node: string) =>
  Object.fromEntries(
    cluster.hosts
      .get(nodeName(node))
      ?.fencer.devices()
      .map(({ id, nodes: on }) => [id, on.join(" ")]) ?? [],
  );
const everywhere = (cluster: FenceCluster, what: Readonly<Record<string, string>>, on = nodes) => {
  for (const node of on) expect([node, known(cluster, node)]).toEqual([node, what]);
};
/** What a node says of what is registered. */
const remarks = (cluster: FenceCluster, node: string) =>
  cluster.hosts.get(nodeName(node))?.fencer.remarks() ?? [];
/** Runs of agents for a request that the leader makes. */
function fence(cluster: FenceCluster, target: string): string[] {
  const before = cluster.trace.length;
  cluster.request("n1", target, "off");
  cluster.pass(300_000);
  return cluster.trace.slice(before).map((line) => line.slice(7).replace(/, \d.*/, ""));
}

describe("a device that is registered", () => {
  test("is known to all, and is used from the node on which it is", () => {
    const cluster = make("");
    expect(register(cluster, "n2", device("extra"))).toBeUndefined();
    everywhere(cluster, { extra: "n2" });
    expect(cluster.hosts.get(nodeName("n1"))?.fencer.unfenceable([nodeName("n3")])).toEqual([]);
    cluster.kill("n3");
    expect(fence(cluster, "n3")[0]).toBe("n2: extra off n3");
    expect(cluster.resultsOn("n1").at(-1)).toMatchObject({ ok: true, devices: ["extra"], executor: "n2" });
    // Its agent is asked for where it is used.
    expect(cluster.logs.filter((text) => text.includes("not installed"))).toEqual([]);
  });

  test("is told to who comes, and ends with its manager", () => {
    const cluster = make("");
    register(cluster, "n2", device("extra"));
    cluster.kill("n3");
    cluster.join("n3");
    expect(known(cluster, "n3")).toEqual({ extra: "n2" });
    cluster.managerDies("n2");
    everywhere(cluster, {}, ["n1", "n3"]);
    cluster.managerBack("n2");
    everywhere(cluster, {});
    cluster.kill("n3");
    expect(fence(cluster, "n3")[0]).toContain("no fence device for n3");
    expect(cluster.resultsOn("n1").at(-1)).toMatchObject({ ok: false, untried: true });
  });

  test("is there again when the node is heard again", () => {
    const cluster = make("");
    register(cluster, "n2", device("extra"));
    cluster.split(["n1", "n3"]);
    everywhere(cluster, {}, ["n1", "n3"]);
    const n2 = nodeName("n2");
    cluster.event("n2", { type: "membership", members: [n2], leader: n2 });
    expect(known(cluster, "n2")).toEqual({ extra: "n2" });
    cluster.meet(nodes);
    everywhere(cluster, { extra: "n2" });
  });

  test("is taken back where it was registered; what nobody knows is no mistake", () => {
    const cluster = make("");
    register(cluster, "n2", device("extra"));
    expect(register(cluster, "n1", { what: "no-device", id: "extra" })).toContain("registered on n2");
    everywhere(cluster, { extra: "n2" });
    expect(register(cluster, "n2", { what: "no-device", id: "extra" })).toBeUndefined();
    everywhere(cluster, {});
    expect(register(cluster, "n2", { what: "no-device", id: "extra" })).toBeUndefined();
  });

  test("gives way to one of the configuration", () => {
    const power = deviceXml("power", "fence_x", { pcmk_host_check: "none" });
    const cluster = make(power);
    expect(register(cluster, "n2", device("power", { port: "7" }))).toContain("the configuration has");
    expect(register(cluster, "n2", { what: "no-device", id: "power" })).toContain("the configuration has");
    // The same once more changes nothing.
    expect(register(cluster, "n2", device("power"))).toBeUndefined();
    everywhere(cluster, { power: "n1 n2 n3" }, ["n1"]);
    register(cluster, "n2", device("extra", { port: "7" }));
    cluster.configure(power + deviceXml("extra", "fence_y", { pcmk_host_check: "none" }));
    expect(known(cluster, "n1")).toEqual({ power: "n1 n2 n3", extra: "n1 n2 n3" });
    expect(cluster.logs.join("\n")).toContain("extra, registered on n2, is not used");
    // What was registered is used again when nothing of that name is configured any more.
    cluster.configure("");
    everywhere(cluster, { power: "n2", extra: "n2" });
  });

  test("may be on several nodes, the same on each", () => {
    const cluster = make("");
    register(cluster, "n2", device("extra"));
    expect(register(cluster, "n3", device("extra", { port: "7" }))).toContain("registered on n2");
    expect(register(cluster, "n3", device("extra"))).toBeUndefined();
    everywhere(cluster, { extra: "n2 n3" }, ["n3"]);
    // Another one in its place is only for who has it alone.
    expect(register(cluster, "n2", device("extra", { port: "7" }))).toContain("registered on n3");
    register(cluster, "n3", { what: "no-device", id: "extra" });
    expect(register(cluster, "n2", device("extra", { port: "7" }))).toBeUndefined();
  });

  test("is asked on its own node", () => {
    const cluster = make("");
    register(cluster, "n2", device("extra"));
    const asked = (node: string) => {
      const answers: unknown[] = [];
      const fencer = cluster.hosts.get(nodeName(node))?.fencer;
      const question = { ask: "monitor", timeoutMs: 1000 } as const;
      for (const effect of fencer?.step({ type: "ask", id: "q", question }, cluster.now) ?? [])
        answers.push(effect.type === "told" ? effect.answers[0]?.text : effect.type);
      return answers;
    };
    expect(asked("n1")).toEqual(["it is registered on n2: ask there"]);
    expect(asked("n2")).toEqual(["run-agent"]);
  });

  test("may not be more than a node can tell", () => {
    const cluster = make("");
    expect(register(cluster, "n2", device("extra", { port: "7".repeat(300_000) }))).toContain("can tell");
    everywhere(cluster, {});
  });
});

describe("a level that is registered", () => {
  const two = deviceXml("a", "fence_x", { pcmk_host_check: "none" });
  const runs = (cluster: FenceCluster, target: string) =>
    fence(cluster, target)
      .filter((line) => / off /.test(line) && !line.startsWith("r"))
      .map((line) => line.replace(/^n\d: /, ""));

  test.each([
    ["n3", "for a node"],
    ["@n[3-9]", "for a pattern"],
  ])("%s: is kept to, %s", (target) => {
    const cluster = make(two);
    register(cluster, "n2", device("b"));
    register(cluster, "n3", device("c"));
    expect(register(cluster, "n2", level(target, 2, "a"))).toBeUndefined();
    expect(register(cluster, "n2", level(target, 1, "b"))).toBeUndefined();
    cluster.kill("n3");
    expect(runs(cluster, "n3")).toEqual(["b off n3"]);
    // Without it every device is as good as another.
    cluster.back("n3");
    expect(register(cluster, "n2", { what: "no-level", target, index: 0 })).toBeUndefined();
    cluster.kill("n3");
    expect(runs(cluster, "n3")).toEqual(["a off n3"]);
  });

  test("gets further devices, and loses one index", () => {
    const cluster = make(two);
    register(cluster, "n2", device("b"));
    register(cluster, "n2", level("n3", 1, "a"));
    register(cluster, "n2", level("n3", 1, "b", "a"));
    register(cluster, "n2", level("n3", 2, "a"));
    cluster.kill("n3");
    expect(runs(cluster, "n3")).toEqual(["a off n3", "b off n3"]);
    cluster.back("n3");
    register(cluster, "n2", { what: "no-level", target: "n3", index: 1 });
    cluster.kill("n3");
    expect(runs(cluster, "n3")).toEqual(["a off n3"]);
  });

  test("stays where it is configured, and is taken back where it was registered", () => {
    const cluster = make(two, '<fencing-level id="l" target="n3" index="1" devices="a"/>');
    register(cluster, "n2", level("n1", 4, "a"));
    const take = (node: string, target: string, index: number) =>
      register(cluster, node, { what: "no-level", target, index });
    expect(take("n2", "n3", 1)).toContain("the configuration has level 1 for n3");
    expect(take("n2", "n3", 0)).toContain("the configuration has a level for n3");
    expect(take("n3", "n1", 4)).toContain("registered on n2");
    expect(take("n2", "n1", 5)).toBeUndefined();
    expect(take("n2", "n1", 4)).toBeUndefined();
  });
});

test("what a message has changed can be taken back", () => {
  const registry = new Registry();
  const n2 = nodeName("n2");
  registry.take(n2, registry.change(device("extra")));
  const back = registry.savepoint();
  registry.take(n2, { devices: [], levels: [] });
  registry.keep([]);
  expect([...registry.all().keys()]).toEqual([]);
  back();
  expect([...registry.all().keys()]).toEqual([n2]);
});

test("a level that names what is no device is told by all, and why it failed, too", () => {
  const cluster = make("");
  register(cluster, "n2", device("extra"));
  register(cluster, "n1", level("n3", 1, "extra", "gone"));
  for (const node of nodes)
    expect(remarks(cluster, node)).toEqual([
      "level 1 of n3, which is registered on n1, names gone, which is no fence device: it fails; there, 'stonith_admin -d n3 -i 1' takes it back",
    ]);
  cluster.kill("n3");
  fence(cluster, "n3");
  expect(cluster.resultsOn("n1").at(-1)).toMatchObject({
    ok: false,
    reason: "level 1 names gone, which is no fence device",
  });
  register(cluster, "n2", device("gone"));
  expect(remarks(cluster, "n1")).toEqual([]);
});
