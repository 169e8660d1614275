import { expect, setDefaultTimeout, test } from "bun:test";
import { startedWorld } from "./scenario.ts";

// Virtual time, but real work: a busy machine may need longer.
setDefaultTimeout(60_000);

test("a remote host whose connection is stopped is not fenced when all managers die", () => {
  const world = startedWorld("remote", { seed: 1 });
  world.configure("rsc_defaults target-role=Stopped");
  world.run(60_000);
  expect(world.host("r1").services.size).toBe(0);
  for (const host of world.nodes) world.daemon(host)?.killManager();
  world.run(120_000);
  expect(world.watch.fencings).toEqual([]);
  world.configure("rsc_defaults target-role=Started");
  world.run(60_000);
  expect(world.host("r1").services.has("a")).toBe(true);
});

for (const kind of ["node", "remote"] as const)
  test(`a ${kind} that was fenced and stays away is not fenced again when all managers die`, () => {
    const world = startedWorld("remote", { seed: 1 });
    world.run(10_000);
    const victim = world.hosts.findLast((host) => host.kind === kind);
    if (!victim) throw new Error(`there is no ${kind}`);
    world.enabled.set(victim.name, false);
    world.crash(victim);
    world.watch.unseenFor(60_000);
    world.run(60_000);
    const targets = () => world.watch.fencings.map(({ target }) => String(target));
    expect(targets()).toEqual([victim.name]);
    for (const host of world.nodes) world.daemon(host)?.killManager();
    world.run(120_000);
    expect(targets()).toEqual([victim.name]);
  });
