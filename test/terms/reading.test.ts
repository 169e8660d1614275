import { describe, expect, test } from "bun:test";
import { asXmlText, HactlError, isXmlName, isXmlText, lookup, read } from "../../src/terms/index.ts";

interface Thing {
  readonly id: string;
  readonly size: number;
  readonly note?: string;
}
const thing = read.shape<Thing>({ id: read.name, size: read.whole(0, 10), note: read.maybe(read.text(5)) });
type Shape = { readonly kind: "dot" } | { readonly kind: "line"; readonly to: number };
const drawn = read.variants<Shape, "kind">("kind", { dot: {}, line: { to: read.number(0, 1) } });

const refusal = (run: () => unknown): string => {
  try {
    run();
    return "accepted";
  } catch (error) {
    if (error instanceof HactlError && error.code === "PROTOCOL") return error.what;
    throw error;
  }
};

describe("values from outside", () => {
  test("come out typed, and without what nobody asked for", () => {
    expect(thing({ id: "a", size: 3, extra: {} }, "")).toEqual({ id: "a", size: 3 });
    expect(thing({ id: "a", size: 3, note: "n" }, "")).toEqual({ id: "a", size: 3, note: "n" });
    expect(drawn({ kind: "line", to: 1 }, "")).toEqual({ kind: "line", to: 1 });
  });

  test.each([
    [thing, null, "it is missing or no object"],
    [thing, [], "it is missing or no object"],
    [thing, { id: "", size: 1 }, "id is empty"],
    [thing, { id: "a" }, "size is missing or no number"],
    [thing, { id: "a", size: 1.5 }, "size is 1.5, no whole number"],
    [thing, { id: "a", size: 11 }, "size is 11, not 0 to 10"],
    [thing, { id: "a", size: Number.NaN }, "size is missing or no number"],
    [thing, { id: "a", size: 1, note: null }, "note is missing or no text"],
    [thing, { id: "a", size: 1, note: "123456" }, "note has 6 characters; 5 are possible"],
    [thing, { id: "a\u0000", size: 1 }, "id has characters that XML cannot hold"],
    [read.list(thing), [{ id: "a", size: 1 }, {}], "x[1].id is missing or no text"],
    [read.list(thing, 1), [1, 2], "x has 2 members; 1 are possible"],
    [drawn, { kind: "toString" }, 'x.kind is "toString", which is not known'],
    [drawn, { kind: 5 }, "x.kind is missing or no text"],
    [read.oneOf("a", "b"), "c", 'x is "c"; possible are a, b'],
    [read.oneOf("a", "b"), undefined, "x is missing; possible are a, b"],
    [read.pair(read.flag, read.flag), [true], "x is no pair"],
    [read.dictionary(read.flag), { a: 1 }, "x.a is missing or neither true nor false"],
  ])("are refused with the place and the reason (%#)", (reader, value, what) => {
    const at = reader === (thing as unknown) ? "" : "x";
    expect(refusal(() => reader(value, at))).toBe(what);
  });

  test("words of others are made fit instead of refused", () => {
    expect(read.saying(10)("a\u001bb", "x")).toBe("a\ufffdb");
    expect(read.saying(5)("123456789", "x")).toBe("1234…");
  });

  test("a member named like a prototype is a member", () => {
    const made = read.dictionary(read.text(9))(JSON.parse('{"__proto__":"x","constructor":"y"}'), "x");
    expect(Object.entries(made)).toEqual([
      ["__proto__", "x"],
      ["constructor", "y"],
    ]);
    expect(Object.getPrototypeOf(made)).toBe(Object.prototype);
  });
});

test("what XML can hold, by its own rules", () => {
  for (const good of ["", "a\tb\nc\r", "é😀\u{10ffff}", "\ufffd", "\u0085\u202e"])
    expect([good, isXmlText(good)]).toEqual([good, true]);
  for (const bad of ["\u0000", "\u001b", "\u000b", "\ufffe", "\uffff", "\ud800", "\udc00x"]) {
    expect([bad, isXmlText(bad)]).toEqual([bad, false]);
    expect(isXmlText(asXmlText(bad))).toBe(true);
  }
  for (const good of ["a", "_x", "a-b.c1", "xml:lang", "é", "\u{10000}"])
    expect([good, isXmlName(good)]).toEqual([good, true]);
  for (const bad of ["", "1a", "-a", "a b", 'a"', "a<", "a\u0000", "a=", "\u00d7"])
    expect([bad, isXmlName(bad)]).toEqual([bad, false]);
});

test("a table has what was put in, and nothing that every object has", () => {
  const table: Readonly<Record<string, number>> = lookup({ a: 1 });
  expect(table.a).toBe(1);
  for (const name of ["constructor", "__proto__", "toString", "valueOf"]) expect(table[name]).toBeUndefined();
  expect("constructor" in table).toBe(false);
});

describe("JSON from outside", () => {
  const json = (written: string | Uint8Array) =>
    read.json(typeof written === "string" ? new TextEncoder().encode(written) : written, "it");

  test("is read up to 64 levels", () => {
    expect(json('{"a":[{"b":"c"}]}')).toEqual({ a: [{ b: "c" }] });
    const nested = (levels: number) => "[".repeat(levels) + "]".repeat(levels);
    expect(json(nested(64))).toBeArray();
    for (const levels of [65, 1_000_000]) expect(() => json(nested(levels))).toThrow("nested deeper");
    expect(() => json(`{"a":`.repeat(65))).toThrow("nested deeper");
    expect(() => json(`"x", ${nested(100_000)}`)).toThrow("nested deeper");
  });

  test.each(["[".repeat(1000), `\\"${"[".repeat(100)}`, `${"\\\\"}`, "{]".repeat(100), '"]'])(
    "may have any brackets in its strings: %p",
    (inside) => {
      expect(json(JSON.stringify([inside, { [inside]: inside }, []]))).toEqual([
        inside,
        { [inside]: inside },
        [],
      ]);
    },
  );

  test.each(["", "{", "]".repeat(100), '"', '"\\', "nothing", "[1,]"])(
    "is refused as none: %p",
    (written) => {
      expect(() => json(written)).toThrow("it is no JSON");
    },
  );

  test("has no bytes that are no text", () => {
    expect(() => json(new Uint8Array([0x22, 0xff, 0x22]))).toThrow("it is no JSON");
  });
});
