import { describe, expect, test } from "bun:test";
import {
  decideSmall,
  history,
  isBefore,
  meta,
  primitive,
  running,
  shownActions,
  stopped,
  waitsFor,
} from "./small-cib.ts";

const order = (attributes: string, id = "o") => `<rsc_order id="${id}" ${attributes}/>`;
const two = primitive("a") + primitive("b");
const bothStopped = { n1: stopped("a") + stopped("b") };
const bothRunning = { n1: running("a") + running("b") };
const failedA = history("a", { task: "start" }, { task: "monitor", interval: 10_000, rc: 1 });

describe("a mandatory ordering", () => {
  test("orders starts, and stops the other way round", () => {
    const constraints = order('first="a" then="b"');
    const up = decideSmall({ nodes: ["n1"], resources: two, constraints, histories: bothStopped });
    expect(isBefore(up, "a_start_0", "b_start_0")).toBe(true);
    const down = decideSmall({
      nodes: ["n1"],
      properties: { "stop-all-resources": "true" },
      resources: two,
      constraints,
      histories: bothRunning,
    });
    expect(isBefore(down, "b_stop_0", "a_stop_0")).toBe(true);
  });

  test("restarts what depends on a resource that restarts, and says why", () => {
    const transition = decideSmall({
      nodes: ["n1"],
      resources: two,
      constraints: order('first="a" then="b"'),
      histories: { n1: failedA + running("b") },
    });
    expect(transition.summary).toEqual(["Recover a ( n1 )", "Restart b ( n1 )  due to required a start"]);
  });

  test("keeps from starting what depends on a resource that cannot", () => {
    const transition = decideSmall({
      nodes: ["n1"],
      resources: primitive("a", meta("a", { "target-role": "Stopped" })) + primitive("b"),
      constraints: order('first="a" then="b"'),
      histories: bothStopped,
    });
    expect(shownActions(transition)).toEqual([]);
    expect(transition.summary).toEqual(["Start b ( n1 )  due to unrunnable a start (blocked)"]);
  });
});

test("what must come after something that cannot run is planned, but names what it waits for in vain", () => {
  // The group waits for the probe of a node that has not joined yet.
  const transition = decideSmall({
    properties: { "stonith-enabled": "true" },
    nodes: ["n1", "n2"],
    states: { n2: { join: "down" } },
    resources: `<primitive id="f" class="stonith" type="fence_dummy"/>
      <group id="g">${primitive("a")}</group><clone id="c">${primitive("b")}</clone>`,
    constraints: order('first="g" then="c"'),
    histories: { n1: running("b") },
  });
  const restart = transition.actions.find(({ key }) => key === "c_start_0");
  expect(restart?.unmet?.map(({ key }) => key)).toEqual(["g_running_0"]);
  expect(transition.actions.map(({ key }) => key)).not.toContain("g_running_0");
});

describe("an optional ordering", () => {
  test("holds only when both act", () => {
    const constraints = order('first="a" then="b" kind="Optional"');
    const both = decideSmall({ nodes: ["n1"], resources: two, constraints, histories: bothStopped });
    expect(isBefore(both, "a_start_0", "b_start_0")).toBe(true);
    const one = decideSmall({
      nodes: ["n1"],
      resources: two,
      constraints,
      histories: { n1: failedA + running("b") },
    });
    expect(one.summary).toEqual(["Recover a ( n1 )"]);
  });
});

describe("a serialized ordering", () => {
  test("lets one go after the other without restarting either", () => {
    const constraints = order('first="a" then="b" kind="Serialize"');
    const both = decideSmall({ nodes: ["n1"], resources: two, constraints, histories: bothStopped });
    expect(isBefore(both, "a_start_0", "b_start_0")).toBe(true);
    const one = decideSmall({
      nodes: ["n1"],
      resources: two,
      constraints,
      histories: { n1: failedA + running("b") },
    });
    expect(one.summary).toEqual(["Recover a ( n1 )"]);
  });

  test("stands for a mandatory one between the same actions that comes after it", () => {
    const { summary } = decideSmall({
      nodes: ["n1"],
      resources: two,
      constraints: order('first="a" then="b" kind="Serialize"') + order('first="a" then="b"', "p"),
      histories: { n1: stopped("a") + running("b") },
    });
    expect(summary).toEqual(["Start a ( n1 )"]);
  });
});

describe("an asymmetric ordering", () => {
  test("does not order stops", () => {
    const transition = decideSmall({
      nodes: ["n1"],
      properties: { "stop-all-resources": "true" },
      resources: two,
      constraints: order('first="a" then="b" symmetrical="false"'),
      histories: bothRunning,
    });
    expect(isBefore(transition, "b_stop_0", "a_stop_0")).toBe(false);
    expect(isBefore(transition, "a_stop_0", "b_stop_0")).toBe(false);
  });
});

describe("an asymmetric ordering after a start that is impossible", () => {
  test("keeps nothing from stopping that is stopped already, though another ordering has it pass through the stop", () => {
    const { actions } = decideSmall({
      nodes: ["n1"],
      quorate: false,
      resources: `${two}<group id="g">${primitive("m")}</group>`,
      constraints:
        order('first="a" first-action="stop" then="g"', "o1") +
        order('first="b" first-action="start" then="g" then-action="stop" symmetrical="false"', "o2"),
      histories: { n1: running("a") + stopped("b") + stopped("m") },
    });
    expect(actions.map(({ key }) => key)).toEqual(["a_stop_0", "g_stop_0"]);
  });
});

describe("orderings that contradict each other", () => {
  test("are broken up with a warning rather than waiting for ever", () => {
    const transition = decideSmall({
      nodes: ["n1"],
      resources: two,
      constraints: order('first="a" then="b"', "o1") + order('first="b" then="a"', "o2"),
      histories: bothStopped,
    });
    const ids = new Set(transition.actions.map(({ id }) => id));
    expect(transition.actions.every(({ inputs }) => inputs.every((id) => ids.has(id)))).toBe(true);
    const forwards = isBefore(transition, "a_start_0", "b_start_0");
    expect(isBefore(transition, "b_start_0", "a_start_0")).toBe(!forwards);
    expect(transition.messages.some(({ text }) => text.includes("closes a circle"))).toBe(true);
  });
});

describe("a colocation", () => {
  test("keeps from starting what must be with a resource that cannot start", () => {
    const transition = decideSmall({
      nodes: ["n1"],
      resources: two + primitive("c", meta("c", { "target-role": "Stopped" })),
      constraints: `${order('first="c" then="a"')}<rsc_colocation id="k" rsc="b" with-rsc="a" score="INFINITY"/>`,
      histories: { n1: stopped("a") + stopped("b") + stopped("c") },
    });
    expect(transition.summary).toContain("Start b ( n1 )  due to colocation with a (blocked)");
    // What comes after it is in the graph, but waits for what never is done.
    const [monitor, ...others] = transition.actions;
    expect(others).toEqual([]);
    expect(monitor?.key).toBe("b_monitor_10000");
    expect(monitor?.unmet?.map(({ key }) => key)).toEqual(["b_start_0"]);
  });

  test("apart: one leaves a node before the other comes", () => {
    const transition = decideSmall({
      resources: two,
      constraints:
        '<rsc_colocation id="k" rsc="a" with-rsc="b" score="-INFINITY"/>' +
        '<rsc_location id="l1" rsc="b" node="n1" score="INFINITY"/>',
      histories: { n1: running("a") + stopped("b"), n2: stopped("a") + stopped("b") },
    });
    expect(transition.summary).toEqual(["Move a ( n1 -> n2 )", "Start b ( n1 )"]);
    expect(isBefore(transition, "a_stop_0", "b_start_0")).toBe(true);
  });
});

test("what comes after a clone stops waits for as many instances as clone-min says", () => {
  const waits = (settings: Readonly<Record<string, string>>) =>
    waitsFor(
      decideSmall({
        resources: `${primitive("p")}<clone id="c">${meta("c", { "target-role": "Stopped", ...settings })}${primitive("a")}</clone>`,
        constraints: order('first="c" first-action="stop" then="p" then-action="start" symmetrical="false"'),
        histories: { n1: running("a") + stopped("p"), n2: running("a") + stopped("p") },
      }),
      "p_start_0",
    );
  expect(waits({ "clone-min": "1" })).toEqual(["clone-one-or-more:o"]);
  expect(waits({})).toEqual(["c_stopped_0"]);
});

test("enough instances have stopped when the probe of another has shown that it is not there", () => {
  const decision = decideSmall({
    resources: `${primitive("p")}<clone id="c">${meta("c", { "clone-min": "1", "target-role": "Stopped" })}${primitive("a")}</clone>`,
    constraints: order('first="c" first-action="stop" then="p" then-action="start" symmetrical="false"'),
    histories: { n1: running("a") + stopped("p"), n2: stopped("p") },
  });
  expect(waitsFor(decision, "clone-one-or-more:o").sort()).toEqual(["a_monitor_0", "a_stop_0"]);
});

describe("what restarts after a resource that is looked for does not stop before that", () => {
  const both = (interleave: string, ban: string) => {
    const decision = decideSmall({
      nodes: ["n1"],
      resources: `${primitive("p")}<bundle id="b">${meta("b", { interleave })}<docker image="i" replicas="1"/></bundle>`,
      constraints: `${ban}${order('first="p" then="b"')}`,
      histories: { n1: running("b-docker-0") },
    });
    return isBefore(decision, "p_monitor_0", "b-docker-0_stop_0");
  };
  const banned = '<rsc_location id="l" rsc="b" node="n1" score="-INFINITY"/>';

  test("unless it is an instance that will not be where that resource is, of an interleaved bundle", () => {
    expect([both("true", banned), both("false", banned), both("true", "")]).toEqual([false, true, true]);
  });
});

describe("an ordering of an interleaved clone", () => {
  const clones = (interleave: string) =>
    `<clone id="ca">${primitive("a")}</clone><clone id="cb">${primitive("b")}${meta("cb", { interleave })}</clone>`;
  const histories = { n1: failedA + running("b"), n2: running("a") + running("b") };

  test("concerns the instances of the same node only", () => {
    const transition = decideSmall({
      resources: clones("true"),
      constraints: order('first="ca" then="cb"'),
      histories,
    });
    const stopsOfB = transition.actions.filter(({ key, kind }) => kind === "rsc" && key === "b_stop_0");
    expect(stopsOfB.map(({ node }) => node)).toEqual(["n1" as never]);
  });

  test("concerns all instances when it is not interleaved", () => {
    const transition = decideSmall({
      resources: clones("false"),
      constraints: order('first="ca" then="cb"'),
      histories,
    });
    const stopsOfB = transition.actions.filter(({ key, kind }) => kind === "rsc" && key === "b_stop_0");
    expect(stopsOfB.map(({ node }) => node).sort()).toEqual(["n1" as never, "n2" as never]);
  });

  test("leaves what has no partner where it is when only its stop was to come first", () => {
    const decision = decideSmall({
      properties: { "stonith-enabled": "true" },
      nodes: ["n1"],
      resources: clones("true"),
      constraints: order('first="cb" first-action="stop" then="ca"'),
      histories: { n1: stopped("a") + history("b", { task: "start" }) },
    });
    expect(shownActions(decision)).toEqual(["b_monitor_10000 n1"]);
  });

  test("finds no partner in an instance whose members are on different nodes", () => {
    const unmanaged = primitive("m2", meta("m2", { "is-managed": "false" }));
    const transition = decideSmall({
      resources:
        `<clone id="ca"><group id="g">${primitive("m1")}${unmanaged}</group></clone>` +
        `<clone id="cb">${primitive("b")}${meta("cb", { interleave: "true" })}</clone>`,
      nodeContents: {
        n2: '<instance_attributes id="i"><nvpair id="s" name="standby" value="on"/></instance_attributes>',
      },
      constraints: order('first="ca" then="cb"'),
      histories: { n2: running("m2") + running("b") },
    });
    expect(transition.summary).toEqual(["Start m1:0 ( n1 )", "Stop b:0 ( n2 )"]);
  });
});
