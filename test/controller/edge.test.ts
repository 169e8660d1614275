import { afterEach, describe, expect, test } from "bun:test";
import { AttributeTable } from "../../src/attributes/index.ts";
import { child, formatXml } from "../../src/cib/index.ts";
import { ClusterState } from "../../src/controller/cluster-state.ts";
import { encodeMessage, MESSAGE_VERSION, membershipKey } from "../../src/controller/messages.ts";
import { StatusSection } from "../../src/controller/status.ts";
import { nodeName, resourceId } from "../../src/terms/index.ts";
import { ControllerBus } from "../harness/controller-bus.ts";

const encoder = new TextEncoder();
const raw = (text: string) => Buffer.concat([Buffer.from([MESSAGE_VERSION]), encoder.encode(text)]);
const json = (value: unknown) => raw(JSON.stringify(value));

const rsc = { id: "a", class: "ocf", provider: "test", type: "A" };
const operation = {
  callId: 90,
  rsc,
  action: "monitor",
  intervalMs: 0,
  timeoutMs: 1000,
  startDelayMs: 0,
  params: {},
  transitionKey: "1:1:0:x",
};
const result = {
  callId: 90,
  rsc,
  action: "start",
  intervalMs: 0,
  transitionKey: "1:1:0:x",
  rc: 0,
  status: 0,
  exitReason: "",
  stdout: "",
  execMs: 1,
  queueMs: 0,
  lastRun: 1_767_225_600,
  lastChange: 1_767_225_600,
  params: {},
};
const update = { node: "n1", name: "x", value: "1" };
const request = { type: "cib", request: "r", user: "u", client: "c", askers: [], at: 1_767_225_600 };

/** Three members with a resource that runs. */
function running(): ControllerBus {
  const bus = new ControllerBus(3);
  bus.boot("n1", "n2", "n3");
  bus.run(100);
  bus.configure("property stonith-enabled=false\nprimitive a ocf:test:A op monitor interval=10s");
  bus.run(1000);
  return bus;
}

/** Names the membership that `running` ends with: it is the same each time. */
function present(): string {
  const { membership } = running().node("n1").controller.view();
  if (!membership) throw new Error("no membership");
  return membershipKey(membership);
}

/** All that the members have to have alike. */
const states = (bus: ControllerBus) =>
  new Set(
    bus.nodes.map(({ controller }) =>
      JSON.stringify([formatXml(controller.view().cib), [...controller.attributeValues("x")]]),
    ),
  );

describe("a message of a member that says something else than it should", () => {
  const wrong: readonly (readonly [string, Uint8Array])[] = [
    ["no bytes", new Uint8Array()],
    ["another version", Buffer.from([MESSAGE_VERSION + 1, 123, 125])],
    ["no JSON", raw("{")],
    ["nothing", json(null)],
    ["a list", json([])],
    ["JSON that nests deep", raw(`{"type":"fencer","body":${"[".repeat(100_000)}${"]".repeat(100_000)}}`)],
    ["a type that every object has", json({ type: "constructor" })],
    ["a type by way of a prototype", raw('{"__proto__":{"type":"remote"},"type":"__proto__"}')],
    ["a summary of another node", json({ type: "summary", membership: "x", summary: { node: 1 } })],
    ["results [null]", json({ type: "results", node: "n2", results: [null] })],
    ["a result of nothing", json({ type: "results", node: "n2", results: [{}] })],
    ["parameters null", json({ type: "results", node: "n2", results: [{ ...result, params: null }] })],
    [
      "a parameter that is a number",
      json({ type: "results", node: "n2", results: [{ ...result, params: { a: 1 } }] }),
    ],
    ["a call id in words", json({ type: "results", node: "n2", results: [{ ...result, callId: "x" }] })],
    ["a time of 1e300", json({ type: "results", node: "n2", results: [{ ...result, lastRun: 1e300 }] })],
    [
      "an id with NUL",
      json({ type: "results", node: "n2", results: [{ ...result, rsc: { ...rsc, id: "\0" } }] }),
    ],
    ["a node that is a number", json({ type: "results", node: 5, results: [result] })],
    ["a history without results", json({ type: "history", node: "n1", history: {}, seen: 0, at: 1 })],
    [
      "a history of null",
      json({ type: "history", node: "n1", history: { results: null, running: [] }, seen: 0, at: 1 }),
    ],
    [
      "actions [null]",
      json({ type: "actions", transition: "x", membership: "m", dispatches: [null], at: 1 }),
    ],
    [
      "an action without an operation",
      json({
        type: "actions",
        transition: "x",
        membership: "m",
        dispatches: [{ node: "n1", executor: "n1" }],
        at: 1,
      }),
    ],
    [
      "an operation with a time-out in words",
      json({
        type: "actions",
        transition: "x",
        membership: "m",
        dispatches: [{ node: "n1", executor: "n1", operation: { ...operation, timeoutMs: "x" } }],
        at: 1,
      }),
    ],
    ["attributes [null]", json({ type: "attributes", updates: [null] })],
    ["an attribute whose name is a number", json({ type: "attributes", updates: [{ ...update, name: 5 }] })],
    [
      "an attribute whose value is an object",
      json({ type: "attributes", updates: [{ ...update, value: {} }] }),
    ],
    [
      "an attribute with a control character",
      json({ type: "attributes", updates: [{ ...update, value: "\u001b" }] }),
    ],
    [
      "an attribute with half a character",
      raw(
        JSON.stringify({ type: "attributes", updates: [{ ...update, value: "?" }] }).replace("?", "\\ud800"),
      ),
    ],
    ["a dampening in words", json({ type: "attributes", updates: [{ ...update, dampenMs: "x" }] })],
    ["maintenance [null]", json({ type: "maintenance", changes: [null], completes: "x" })],
    ["a fencer's list", json({ type: "fencer", body: [] })],
    ["CIB operations [null]", json({ ...request, operations: [null] })],
    ["an unknown CIB operation", json({ ...request, operations: [{ op: "nonsense" }] })],
    ["a CIB operation of every object", json({ ...request, operations: [{ op: "toString" }] })],
    ["create without XML", json({ ...request, operations: [{ op: "create" }] })],
    ["create with a number", json({ ...request, operations: [{ op: "create", xml: 5 }] })],
    ["a version in words", json({ ...request, operations: [{ op: "require", adminEpoch: "0", epoch: 1 }] })],
    ["a client that is an object", json({ ...request, operations: [], client: {} })],
    ["a user that is a number", json({ ...request, operations: [], user: 0 })],
    ["nobody who asks", json({ ...request, operations: [], askers: undefined })],
    ["an asker without a name", json({ ...request, operations: [], askers: [{ groups: [] }] })],
    ["an asker with an empty name", json({ ...request, operations: [], askers: [{ user: "", groups: [] }] })],
    ["an asker without groups", json({ ...request, operations: [], askers: [{ user: "u" }] })],
    [
      "an asker in a group of numbers",
      json({ ...request, operations: [], askers: [{ user: "u", groups: [0] }] }),
    ],
    ["a time that is none", json({ ...request, operations: [], at: -1 })],
    ["idle [null]", json({ type: "idle", requests: [null] })],
    ["forget of a number", json({ type: "forget", rsc: 5, failuresOnly: true })],
    ["forget of an object", json({ type: "forget", node: {}, failuresOnly: false })],
    ["forget of whatever", json({ type: "forget" })],
  ];

  test.each(wrong)("%s: refused by all with a reason, nothing changes", (_name, payload) => {
    const bus = running();
    const before = states(bus);
    expect(before.size).toBe(1);
    bus.say("n2", payload);
    expect(states(bus)).toEqual(before);
    expect(bus.log.filter((line) => /^n[123] MESSAGE-REFUSED a message of node n2 /.test(line))).toHaveLength(
      3,
    );
    expect(bus.restarts).toEqual([]);
  });
});

describe("a request with the wrong values", () => {
  test.each([
    [
      "cib-request",
      { type: "cib-request", operations: [{ op: "create" }], client: "c", user: "u", askers: [] },
    ],
    ["attribute-request", { type: "attribute-request", updates: [null] }],
    ["forget-request", { type: "forget-request", rsc: 5, failuresOnly: true }],
  ])("%s is answered, and changes nothing", (_name, event) => {
    const bus = running();
    const before = states(bus);
    bus.step("n2", { ...event, request: "wrong" } as never);
    expect(bus.replies.get("wrong")?.error).toMatchObject({ code: "PROTOCOL" });
    expect(states(bus)).toEqual(before);
  });
});

/** Makes the n-th call of a method throw, on every node at the same point. */
function breakMethod(prototype: object, method: string, nth: number): void {
  const original = (prototype as Record<string, (...args: unknown[]) => unknown>)[method];
  if (typeof original !== "function") throw new Error(`no method ${method}`);
  const calls = new Map<object, number>();
  (prototype as Record<string, unknown>)[method] = function (this: object, ...args: unknown[]) {
    const done = original.apply(this, args);
    const count = (calls.get(this) ?? 0) + 1;
    calls.set(this, count);
    if (count === nth) throw new TypeError(`broken ${method}`);
    return done;
  };
  broken.push(() => {
    (prototype as Record<string, unknown>)[method] = original;
  });
}
const broken: (() => void)[] = [];
const mend = () => {
  for (const back of broken.splice(0)) back();
};
afterEach(mend);

describe("a mistake of ours while a message is applied", () => {
  const at = 1_767_225_600;
  const name = nodeName("n2");
  const failed = { ...result, rc: 1, status: 4, transitionKey: "9:9:0:x" };
  const other = { ...failed, rsc: { ...rsc, id: "b" }, action: "monitor", intervalMs: 5000 };
  const messages = {
    results: json({ type: "results", node: name, results: [failed, other] }),
    history: json({
      type: "history",
      node: name,
      history: {
        results: [result, other],
        running: [operation],
        interrupted: [],
        bootId: "boot-n2-2",
        complete: true,
      },
      seen: 0,
      at,
    }),
    attributes: json({
      type: "attributes",
      updates: [update, { ...update, name: "y" }, { ...update, node: "n3" }],
      request: "r",
    }),
    forget: encodeMessage({ type: "forget", rsc: resourceId("a"), failuresOnly: false, at, request: "r" }),
    release: encodeMessage({ type: "release", node: name }),
    shutdown: encodeMessage({ type: "shutdown", node: name, at }),
    remote: encodeMessage({ type: "remote", node: nodeName("far"), up: true }),
    actions: json({
      type: "actions",
      transition: "x",
      membership: present(),
      dispatches: [{ node: "n2", executor: "n2", operation: { ...operation, action: "stop" } }],
      at,
    }),
    cib: json({
      ...request,
      at,
      operations: [{ op: "create", xml: `<primitive id="c" class="ocf" provider="test" type="A"/>` }],
    }),
  };
  const methods: readonly (readonly [object, string])[] = [
    [StatusSection.prototype, "recordOp"],
    [StatusSection.prototype, "setNodeState"],
    [StatusSection.prototype, "setAttribute"],
    [StatusSection.prototype, "removeOps"],
    [StatusSection.prototype, "removeResource"],
    [StatusSection.prototype, "clearHistory"],
    [AttributeTable.prototype, "apply"],
    [ClusterState.prototype, "touch"],
    [ClusterState.prototype, "configurationChanged"],
    [ClusterState.prototype, "setAttributes"],
  ];

  for (const [kind, payload] of Object.entries(messages)) {
    test(`"${kind}": nothing of it stays, all refuse it alike, and the cluster goes on`, () => {
      let failures = 0;
      for (const [prototype, method] of methods) {
        for (let nth = 1; nth <= 8; nth++) {
          const bus = running();
          // Of one that is not configured nothing is noted.
          if (kind === "remote") {
            const xml = `<primitive id="far" class="ocf" provider="pacemaker" type="remote"><meta_attributes id="far-meta"><nvpair id="far-role" name="target-role" value="Stopped"/></meta_attributes></primitive>`;
            bus.apply([{ op: "create", xml }]);
            bus.run(5000);
          }
          const before = states(bus);
          breakMethod(prototype, method, nth);
          bus.say("n2", payload);
          mend();
          const refused = bus.log.filter((line) => line.includes("NOT-APPLIED"));
          if (refused.length === 0) break;
          failures++;
          expect(refused).toHaveLength(3);
          expect(refused[0]).toContain(`broken ${method}`);
          expect(states(bus)).toEqual(before);
          expect(bus.restarts).toEqual([]);
          if (payload === messages.attributes || payload === messages.cib || payload === messages.forget)
            expect(bus.replies.get("r")?.error).toMatchObject({ code: "NOT_APPLIED" });
          // The same message, without the mistake, and what comes after it.
          bus.say("n2", payload);
          bus.run(5000);
          bus.apply([{ op: "bump" }]);
          bus.run(5000);
          expect(bus.cibs()).toHaveLength(1);
          expect(bus.log.filter((line) => line.includes("NOT-APPLIED"))).toHaveLength(3);
        }
      }
      expect(failures).toBeGreaterThan(0);
    });
  }

  test("that is for want of memory makes this manager start anew, since the others may have applied it", () => {
    const bus = running();
    const original = StatusSection.prototype.setAttribute;
    let calls = 0;
    StatusSection.prototype.setAttribute = function (...args) {
      if (++calls === 2) throw new RangeError("Maximum call stack size exceeded.");
      return original.apply(this, args);
    };
    broken.push(() => {
      StatusSection.prototype.setAttribute = original;
    });
    bus.say("n2", json({ type: "attributes", updates: [update] }));
    expect(bus.restarts).toHaveLength(1);
  });
});

test("a scheduler that fails is said, ends nobody, and is asked again after the next change", () => {
  const bus = running();
  const leader = bus.node("n1").controller;
  const resources = child(child(leader.view().cib, "configuration"), "resources");
  if (!resources) throw new Error("no resources");
  const { children } = resources;
  Object.defineProperty(resources, "children", {
    configurable: true,
    get: () => {
      throw new TypeError("broken scheduler");
    },
  });
  bus.say("n2", encodeMessage({ type: "attributes", updates: [{ ...update, node: nodeName("n1") }] }));
  bus.run(1000);
  expect(bus.log.filter((line) => line.startsWith("n1 NO-DECISION"))).toHaveLength(1);
  expect(
    leader
      .view()
      .warnings.map(({ code, text }) => `${code} ${text}`)
      .join(),
  ).toMatch(/^NO-DECISION .*broken scheduler/);
  expect(leader.view().idle).toBe(false);
  Object.defineProperty(resources, "children", {
    configurable: true,
    writable: true,
    enumerable: true,
    value: children,
  });
  bus.configure("primitive b ocf:test:A");
  bus.run(1000);
  expect(leader.view().warnings).toEqual([]);
  expect(bus.where("b")).toHaveLength(1);
  expect(states(bus).size).toBe(1);
});

test("an agent of a class that nobody can run is not installed, and nothing waits for it", () => {
  const bus = running();
  bus.configure("primitive odd upstart:thing op monitor interval=10s");
  bus.run(3000);
  expect(formatXml(bus.node("n1").controller.view().cib)).toContain("cannot be run");
  expect(bus.executed.filter(({ operation: one }) => one.rsc.id === "odd")).toEqual([]);
  expect(bus.node("n1").controller.view().idle).toBe(true);
  expect(states(bus).size).toBe(1);
});

test("a member that has got the state from others goes through a history in the same order as they do", () => {
  const bus = running();
  // A failed monitor, and another good one: several entries of one resource.
  bus.say("n1", json({ type: "results", node: "n1", results: [{ ...result, action: "monitor", rc: 1 }] }));
  bus.say(
    "n1",
    json({
      type: "results",
      node: "n1",
      results: [{ ...result, callId: 91, action: "monitor", intervalMs: 7000 }],
    }),
  );
  bus.killManager("n3");
  bus.restartManager("n3");
  bus.run(2000);
  const history = { results: [], running: [], interrupted: [], bootId: "boot-9", complete: false };
  bus.say("n1", json({ type: "history", node: "n1", history, seen: 0, at: 1_767_225_600 }));
  expect(bus.cibs()).toHaveLength(1);
  const [cib = ""] = bus.cibs();
  expect(cib.match(/<lrm_rsc_op /g)?.length).toBeGreaterThan(3);
});
