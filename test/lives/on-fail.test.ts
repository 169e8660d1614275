import { expect, setDefaultTimeout, test } from "bun:test";
import { startedWorld } from "./scenario.ts";

// Virtual time, but real work: a busy machine may need longer.
setDefaultTimeout(60_000);

for (const onFail of ["standby", "stop", "block"])
  test(`what followed from a failure holds when all daemons have died (on-fail=${onFail})`, () => {
    for (const seed of [1, 2, 3]) {
      const world = startedWorld("promotable", { seed });
      world.configure(`primitive f ocf:test:Dummy op monitor interval=3s on-fail=${onFail}`);
      world.run(20_000);
      const home = world.active("f")[0]?.host;
      if (!home) throw new Error("it does not run");
      world.serviceDies(home, "f");
      world.run(60_000);
      const place = world.active("f").map(({ host }) => host.name);
      expect(place).not.toContain(home.name);
      for (const times of [1, 2, 3]) {
        const before = world.watch.deeds.length;
        for (const host of world.nodes) world.killDaemon(host, 500 * times);
        world.run(60_000);
        expect(
          world.watch.deeds.slice(before).map(({ call, host }) => `${call.action} ${host.name}`),
        ).toEqual([]);
        expect(world.active("f").map(({ host }) => host.name)).toEqual(place);
      }
    }
  });
