import { describe, expect, test } from "bun:test";
import { AttributeTable, type AttributeUpdate } from "../../src/attributes/index.ts";
import { nodeName } from "../../src/terms/index.ts";

const a = nodeName("a");
const b = nodeName("b");
const set = (value: string | undefined, more: Partial<AttributeUpdate> = {}): AttributeUpdate => ({
  node: a,
  name: "pingd",
  value,
  ...more,
});
const write = (value: string | undefined, node = a) => ({
  type: "write",
  node,
  name: "pingd",
  value,
  set: "attributes",
});

describe("transient attributes", () => {
  test("are written at once without a delay, and not again when nothing changes", () => {
    const table = new AttributeTable();
    expect(table.apply(set("100"))).toEqual([write("100")] as never);
    expect(table.apply(set("100"))).toEqual([]);
    expect(table.apply(set(undefined))).toEqual([write(undefined)] as never);
    expect(table.get(a, "pingd")).toBeUndefined();
  });

  test("are dampened: the CIB sees the last values of all nodes when the delay ends", () => {
    const table = new AttributeTable();
    expect(table.apply(set("0", { dampenMs: 5000 }))).toEqual([
      { type: "dampen", name: "pingd", afterMs: 5000 },
    ]);
    table.apply(set("100"));
    table.apply(set("200", { node: b }));
    expect(table.get(a, "pingd")).toBe("100");
    expect(table.flush("pingd")).toEqual([write("100"), write("200", b)] as never);
    expect(table.flush("pingd")).toEqual([]);
  });

  test("that come back to what is written need no writing", () => {
    const table = new AttributeTable();
    table.apply(set("1", { dampenMs: 1000 }));
    table.flush("pingd");
    table.apply(set("2"));
    table.apply(set("1"));
    expect(table.flush("pingd")).toEqual([]);
  });

  test("of a node that nobody knows are kept, and written when it is known", () => {
    const table = new AttributeTable();
    expect(table.apply(set("1", { node: b, held: true }))).toEqual([]);
    expect(table.apply(set("2"))).toEqual([write("2")] as never);
    expect([table.holds, table.get(b, "pingd"), table.dampened()]).toEqual([true, "1", []]);
    const copy = new AttributeTable();
    copy.restore(table.snapshot());
    expect(copy.meet(new Set(["a"]))).toEqual([]);
    copy.begin();
    expect(copy.meet(new Set(["a", "b"]))).toEqual([write("1", b)] as never);
    copy.rollback();
    expect(copy.meet(new Set(["b"]))).toEqual([write("1", b)] as never);
    expect(copy.holds).toBe(false);
    table.apply(set(undefined, { node: b }));
    expect([table.holds, table.meet(new Set(["b"]))]).toEqual([false, []]);
  });

  test("keep their delay unless a change of it is asked for", () => {
    const table = new AttributeTable();
    table.apply(set("1", { dampenMs: 1000, dampenIfNew: true }));
    expect(table.apply(set("2", { dampenMs: 9000, dampenIfNew: true }))).toEqual([
      { type: "dampen", name: "pingd", afterMs: 1000 },
    ]);
    expect(table.apply(set(undefined, { dampenMs: 0, delayOnly: true }))).toEqual([]);
    expect(table.get(a, "pingd")).toBe("2");
    expect(table.apply(set("3"))).toEqual([write("3")] as never);
  });

  test("may be private: known to who asks, never written", () => {
    const table = new AttributeTable();
    expect(table.apply(set("secret", { private: true }))).toEqual([]);
    expect([...table.values("pingd")]).toEqual([[a, "secret"]]);
  });

  test("count up: value++ and value+=N, with INFINITY as the end", () => {
    const table = new AttributeTable();
    table.apply(set("value++"));
    table.apply(set("value+=4"));
    expect(table.get(a, "pingd")).toBe("5");
    table.apply(set("INFINITY"));
    table.apply(set("value++"));
    expect(table.get(a, "pingd")).toBe("INFINITY");
  });

  test("go with their node, and travel with a snapshot", () => {
    const table = new AttributeTable();
    table.apply(set("1"));
    table.apply(set("2", { node: b }));
    const copy = new AttributeTable();
    copy.restore(table.snapshot());
    copy.removeNode(a);
    expect([...copy.values("pingd")]).toEqual([[b, "2"]]);
    expect(copy.apply(set("2", { node: b }))).toEqual([]);
    expect(table.ofNode(a)).toEqual([
      {
        name: "pingd",
        dampenMs: 0,
        private: false,
        set: "attributes",
        values: [[a, "1"]],
        written: [[a, "1"]],
      },
    ]);
  });

  test("are told by their node with what the CIB has of them, and go on being dampened", () => {
    const table = new AttributeTable();
    table.apply(set("1", { dampenMs: 5000 }));
    table.flush("pingd");
    table.apply(set("0"));
    const other = new AttributeTable();
    other.apply(set("7"));
    other.apply(set("gone", { name: "old" }));
    expect(other.takeNode(a, table.ofNode(a))).toEqual([
      { type: "write", node: a, name: "pingd", value: "1", set: "attributes" },
      { type: "dampen", name: "pingd", afterMs: 5000 },
    ]);
    expect(other.get(a, "pingd")).toBe("0");
    expect(other.get(a, "old")).toBeUndefined();
    expect(other.flush("pingd")).toEqual([
      { type: "write", node: a, name: "pingd", value: "0", set: "attributes" },
    ]);
  });

  test("of a node are not what another one says, and a copy knows what is still being dampened", () => {
    const table = new AttributeTable();
    table.apply(set("1", { dampenMs: 1000 }));
    const other = new AttributeTable();
    expect(other.takeNode(b, table.ofNode(a))).toEqual([]);
    expect(other.names()).toEqual([]);
    other.restore(table.snapshot());
    expect(other.dampened()).toEqual([{ type: "dampen", name: "pingd", afterMs: 1000 }]);
    other.flush("pingd");
    expect(other.dampened()).toEqual([]);
  });
});

describe("room for attributes", () => {
  const many = (names: number, more: Partial<AttributeUpdate> = {}, from = 0) =>
    Array.from({ length: names }, (_, i) => set("1", { name: `a${from + i}`, ...more }));
  const filled = (...updates: AttributeUpdate[][]) => {
    const table = new AttributeTable();
    for (const update of updates.flat()) table.apply(update);
    return table;
  };

  test("is bounded for each node; what adds nothing is never refused", () => {
    const table = filled(many(10_000));
    expect(table.refusal([set("1", { name: "one more" })])?.what).toContain("10000 attributes of node a");
    expect(table.refusal([set("2", { name: "a1" }), set(undefined, { name: "nobody" })])).toBeUndefined();
    expect(table.refusal([set("1", { node: b, name: "one more" })])).toBeUndefined();
    expect(table.refusal(many(2, { node: b, name: "x" }))).toBeUndefined();
    table.apply(set(undefined, { name: "a5" }));
    expect(table.refusal([set("1", { name: "one more" })])).toBeUndefined();
    expect(table.refusal(many(2, {}, 10_000))?.code).toBe("TOO_MUCH");
  });

  test("is there for what the cluster notes, whatever others have filled it with", () => {
    expect(filled(many(10_000)).refusal([set("1", { name: "fail-count" })], true)).toBeUndefined();
  });

  test("is bounded for all nodes, for names of nodes, for nodes that nobody knows, and in characters", () => {
    const nodes = [1, 2, 3, 4, 5].map((i) => many(10_000, { node: nodeName(`n${i}`) }));
    expect(filled(...nodes).refusal([set("1")])?.what).toContain("50000 values");
    const named = Array.from({ length: 4096 }, (_, i) => set("1", { node: nodeName(`g${i}`) }));
    expect(filled(named).refusal([set("1")])?.what).toContain("4096 nodes");
    expect(filled(many(1000, { held: true })).refusal([set("1", { held: true })])?.what).toContain("knows");
    const large = many(255).map((update) => ({ ...update, value: "x".repeat(65_536) }));
    expect(filled(large).refusal([set("x".repeat(65_536))])?.what).toContain("characters");
  });

  test("is counted anew where changes are taken back or a copy is taken", () => {
    const table = filled(many(9_999));
    table.begin();
    table.apply(set("1", { name: "x" }));
    table.rollback();
    expect(table.refusal([set("1", { name: "y" })])).toBeUndefined();
    const copy = new AttributeTable();
    copy.restore(filled(many(10_000)).snapshot());
    expect(copy.refusal([set("1", { name: "y" })])?.code).toBe("TOO_MUCH");
    copy.removeNode(a);
    expect(copy.refusal(many(10_000))).toBeUndefined();
  });

  test("names that are only deleted take none", () => {
    const table = filled(many(10, { value: undefined }));
    expect(table.snapshot()).toEqual([]);
  });
});
