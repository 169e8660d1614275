import { expect, setDefaultTimeout, test } from "bun:test";
import { checkConfigured, startedWorld } from "./scenario.ts";

// Virtual time, but real work: a busy machine may need longer.
setDefaultTimeout(60_000);

for (const configuration of ["promotable", "remote", "clonedGroup"])
  test(`an agent that is broken on all hosts costs none of them its power, whoever dies (${configuration})`, () => {
    for (const seed of [1, 2, 3]) {
      const world = startedWorld(configuration, { seed });
      world.configure("primitive broken ocf:test:Broken op monitor interval=3s");
      world.run(60_000);
      for (const host of world.nodes) {
        world.killDaemon(host, 1000);
        world.run(30_000);
      }
      expect(world.watch.fencings).toEqual([]);
      expect(world.active("broken")).toEqual([]);
      checkConfigured(world, configuration);
    }
  });
