import { expect, test } from "bun:test";
import { Reboots } from "../../src/controller/reboots.ts";
import type { FenceDeed, FenceResult } from "../../src/fencer/index.ts";
import { nodeName } from "../../src/terms/index.ts";

const node = nodeName("n1");
const result = (deed: FenceDeed): FenceResult => ({
  id: "r1",
  target: node,
  action: "reboot",
  ok: true,
  executor: nodeName("n2"),
  devices: ["ipmi"],
  reason: "it was lost",
  client: "controller",
  origin: nodeName("n2"),
  completedAt: 1,
  deed,
  failures: 0,
  exhausted: false,
});

test("a node that comes back in the boot in which it was reset has not been: told until it is rebooted", () => {
  const reboots = new Reboots();
  reboots.runs(node, "boot1");
  reboots.fenced(result("reset"));
  const untrue = "n1 was not reset when ipmi said so: it is back, and its daemon has run all the time";
  expect(reboots.cameBack(node, "boot1", false)).toContain(untrue);
  reboots.runs(node, "boot1");
  expect(reboots.warnings()).toMatchObject([
    { code: "FENCING-UNTRUE", node, text: expect.stringContaining(untrue) },
  ]);
  // It is told once, however often the node comes.
  expect(reboots.cameBack(node, "boot1", false)).toBeUndefined();
  reboots.runs(node, "boot2");
  expect(reboots.warnings()).toEqual([]);
});

test("nothing is said of one that was rebooted, cut off at the fabric, or answered for by a person", () => {
  for (const [deed, boot] of [
    ["reset", "boot2"],
    ["off", "boot1"],
    ["confirmed", "boot1"],
    ["kdump", "boot1"],
  ] as const) {
    const reboots = new Reboots();
    reboots.runs(node, "boot1");
    reboots.fenced(result(deed));
    expect(reboots.cameBack(node, boot, false), deed).toBeUndefined();
    expect(reboots.warnings()).toEqual([]);
  }
});

test("nor of one of whose boot before nothing is known", () => {
  const reboots = new Reboots();
  reboots.fenced(result("reset"));
  expect(reboots.cameBack(node, "boot1", false)).toBeUndefined();
});

test("nor of one whose daemon was started since, whatever comes back later in that boot", () => {
  const reboots = new Reboots();
  reboots.runs(node, "boot1");
  reboots.fenced(result("reset"));
  expect(reboots.cameBack(node, "boot1", true)).toBeUndefined();
  // Its manager is started anew.
  expect(reboots.cameBack(node, "boot1", false)).toBeUndefined();
  expect(reboots.warnings()).toEqual([]);
});
