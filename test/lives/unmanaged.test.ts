import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { checkRest } from "./rest.ts";
import { startedWorld } from "./scenario.ts";
import type { World } from "./world.ts";

// Virtual time, but real work: a busy machine may need longer.
setDefaultTimeout(60_000);

/** All nodes stop in order, which leaves what nobody manages alone, and start again. */
function restartAll(world: World): void {
  for (const host of world.nodes) world.daemon(host)?.drain();
  world.run(5000);
  for (const host of world.nodes) world.startDaemon(host);
  world.run(40_000);
}

/** What agents are told to do but to look, while something happens. */
function deedsDuring(world: World, change: () => void): string[] {
  const before = world.watch.deeds.length;
  change();
  world.run(60_000);
  return world.watch.deeds
    .slice(before)
    .map(({ call, host }) => `${call.action} ${call.instance} ${host.name}`);
}

const ways = {
  maintenance: ["property maintenance-mode=true", "property maintenance-mode=false"],
  "is-managed": ["rsc_defaults is-managed=false", "rsc_defaults is-managed=true"],
} as const;

describe.each(Object.entries(ways))(
  "services that ran on without a cluster (%s)",
  (_way, [alone, managed]) => {
    test.each(["promotable", "bundle", "guest", "remote"])("go on when it is back: %s", (configuration) => {
      for (const seed of [1, 2, 3]) {
        const world = startedWorld(configuration, { seed });
        world.run(10_000);
        world.configure(alone);
        world.run(3000);
        expect(deedsDuring(world, () => restartAll(world))).toEqual([]);
        expect(deedsDuring(world, () => world.configure(managed))).toEqual([]);
        checkRest(world);
      }
    });
  },
);

test("what was removed in maintenance, and ran on while all nodes were stopped, is stopped afterwards", () => {
  const world = startedWorld("promotable", { seed: 1 });
  world.configure("primitive gone ocf:test:Dummy op monitor interval=10s timeout=20s");
  world.run(10_000);
  world.configure("property maintenance-mode=true");
  world.run(3000);
  world.change([{ op: "delete", scope: "resources", xml: '<primitive id="gone"/>' }]);
  world.run(2000);
  restartAll(world);
  const done = deedsDuring(world, () => world.configure("property maintenance-mode=false"));
  expect(done.map((deed) => deed.replace(/ \S+$/, ""))).toEqual(["stop gone"]);
  checkRest(world);
});

test("what runs on a remote host, and was removed before all nodes were reset, is stopped when they are back", () => {
  const world = startedWorld("remote", { seed: 1 });
  const far = world.host("r1");
  world.configure(
    "primitive gone ocf:test:Dummy op monitor interval=10s timeout=20s\nlocation gone-home gone inf: r1",
  );
  world.run(10_000);
  expect(far.services.has("gone")).toBe(true);
  world.configure("property maintenance-mode=true");
  world.run(3000);
  world.change(
    ['<rsc_location id="gone-home"/>', '<primitive id="gone"/>'].map((xml) => ({ op: "delete", xml })),
  );
  world.run(2000);
  for (const host of world.nodes) world.crash(host);
  world.run(5000);
  for (const host of world.nodes) world.hostOn(host);
  world.run(60_000);
  expect(deedsDuring(world, () => world.configure("property maintenance-mode=false"))).toContain(
    "stop gone r1",
  );
  checkRest(world);
});

test("a guest that does not come back is over for what ran in it, which is started elsewhere once", () => {
  const world = startedWorld("guest", { seed: 3 });
  const guest = world.host("g1");
  world.enabled.set("g1", false);
  world.serviceDies(guest.carrier ?? guest, "vm");
  world.run(5 * 60_000);
  const inside = world.hosts.filter(({ services }) => services.has("inside"));
  expect(inside.map(({ kind }) => kind)).toEqual(["node"]);
  expect(deedsDuring(world, () => world.run(60 * 60_000))).toEqual([]);
  checkRest(world);
});
