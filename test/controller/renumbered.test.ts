import { expect, test } from "bun:test";
import { OcfExit, resourceId } from "../../src/terms/index.ts";
import { ControllerBus } from "../harness/controller-bus.ts";

/** A clone whose instances had numbers is one without: what runs is still known by its number where it runs. */

const text = (unique: boolean, max: number, perNode = 2) => `
property stonith-enabled=false
primitive s ocf:test:A op monitor interval=10s
clone c s meta globally-unique=${unique} clone-max=${max} clone-node-max=${unique ? perNode : 1}
`;

/** What runs on each node, as its executor calls it. */
const running = (bus: ControllerBus) =>
  bus.nodes.map(({ running }) => [...running.keys()].filter((id) => id.startsWith("s")).sort());
const all = (bus: ControllerBus) => running(bus).flat();

function renumbered(before: [number, number], after: number, knownWithout = false): ControllerBus {
  const bus = new ControllerBus(3);
  bus.boot(...bus.nodes);
  bus.run(100);
  if (knownWithout) {
    // Of the name without number something is known, too: that it does not run.
    bus.configure(text(false, 1));
    bus.run(20_000);
  }
  bus.configure(text(true, ...before));
  bus.run(20_000);
  expect(all(bus)).toHaveLength(before[0]);
  bus.configure(text(false, after));
  return bus;
}

for (const [before, after] of [
  [[3, 1], 3],
  [[3, 1], 2],
  [[4, 2], 2],
  [[6, 2], 3],
  [[6, 2], 1],
] as [[number, number], number][])
  test.each([false, true])(
    `of ${before[0]} numbered instances, ${before[1]} a node, ${after} without number stay, and all goes when it is removed (probed without: %p)`,
    (known) => {
      const bus = renumbered(before, after, known);
      bus.run(60_000);
      expect(all(bus)).toHaveLength(after);
      expect(running(bus).every((ids) => ids.length <= 1)).toBe(true);
      bus.executed.length = 0;
      bus.run(10 * 60_000);
      expect(bus.executed).toEqual([]);
      expect(bus.cibs()).toHaveLength(1);
      bus.apply([{ op: "delete", xml: '<clone id="c"/>' }]);
      bus.run(60_000);
      expect(all(bus)).toEqual([]);
    },
  );

for (const failuresOnly of [false, true])
  for (const at of [0, 50, 5_000])
    test(`what is ${failuresOnly ? "cleaned up" : "forgotten"} ${at} ms after the numbers went is not started beside itself`, () => {
      const bus = renumbered([4, 2], 2);
      bus.agent = () => {
        expect(running(bus).every((ids) => new Set(ids.map((id) => id[0])).size <= 1)).toBe(true);
        return OcfExit.OK;
      };
      bus.run(at);
      bus.step("n2", { type: "forget-request", request: "", rsc: resourceId("s"), failuresOnly });
      bus.run(60_000);
      expect(all(bus)).toHaveLength(2);
      expect(bus.cibs()).toHaveLength(1);
    });

test("what fails under its number is recovered, and has none any more", () => {
  const bus = renumbered([3, 1], 3);
  bus.run(60_000);
  const at = bus.nodes.find(({ running }) => running.has("s:1"));
  bus.fail(at?.name ?? "", "s:1", OcfExit.NOT_RUNNING);
  bus.run(60_000);
  expect(at && [...at.running.keys()].filter((id) => id.startsWith("s"))).toEqual(["s"]);
  expect(all(bus)).toHaveLength(3);
});

/** What becomes of a clone of numbered instances. */
const others = {
  "a primitive": "primitive s ocf:test:A op monitor interval=10s\n",
  "a clone of fewer": text(true, 2),
  nothing: "",
};
for (const [what, then] of Object.entries(others))
  for (const at of [0, 3, 5_000])
    test(`what is forgotten ${at} ms after the clone became ${what} runs nowhere unknown`, () => {
      const bus = new ControllerBus(3);
      bus.boot(...bus.nodes);
      bus.configure(text(true, 4));
      bus.run(20_000);
      bus.apply([{ op: "delete", xml: '<clone id="c"/>' }]);
      if (then !== "") bus.configure(`property stonith-enabled=false\n${then}`);
      bus.run(at);
      bus.step("n2", { type: "forget-request", request: "", failuresOnly: false });
      bus.run(60_000);
      const wanted = what === "a primitive" ? ["s"] : what === "nothing" ? [] : ["s:0", "s:1"];
      expect(all(bus).sort()).toEqual(wanted);
      expect(bus.cibs()).toHaveLength(1);
    });
