import { describe, expect, test } from "bun:test";
import { positionOf, scanPositions } from "../../src/config/scan.ts";

const lines = (text: string) =>
  Object.fromEntries([...scanPositions(text)].map(([path, position]) => [path, position.line]));

describe("positions in a TOML text", () => {
  test("tables, repeated tables, dotted and quoted keys", () => {
    expect(lines('a = 1\n[t]\n b.c = 2\n"d e" = 3\n[[t.l]]\nx = 1\n[[t.l]]\nx = 2\n[t.l.in]\ny = 3')).toEqual(
      {
        a: 1,
        t: 2,
        "t.b.c": 3,
        "t.d e": 4,
        "t.l": 5,
        "t.l#0": 5,
        "t.l#0.x": 6,
        "t.l#1": 7,
        "t.l#1.x": 8,
        "t.l#1.in": 9,
        "t.l#1.in.y": 10,
      },
    );
  });

  test("strings, comments and lists over several lines do not mislead", () => {
    const text = `# a = 1\nb = """\nc = 2\n[d]\n"""\ne = [ # ]\n  "]", 'x',\n]\nf = '''\n[g]\n'''\nh = "\\"#" # [i]\nj = 1`;
    expect(lines(text)).toMatchObject({ b: 2, e: 6, f: 9, h: 12, j: 13 });
    for (const path of ["a", "c", "d", "g", "i"]) expect(scanPositions(text).has(path)).toBe(false);
  });

  test("inline tables and lists of them", () => {
    expect(
      lines("t = { a = 1, b = { c = 2 } }\nl = [\n { x = 1 },\n { x = 2, y = [1, 2] },\n]\nz = 1"),
    ).toMatchObject({
      "t.a": 1,
      "t.b": 1,
      "l#0.x": 3,
      "l#1.x": 4,
      "l#1.y": 4,
      z: 6,
    });
  });

  test("columns count from 1", () => {
    expect(scanPositions("  a = 1\n\tb = 2").get("b")).toEqual({ line: 2, column: 2 });
  });

  test("an unknown path has the place of what is around it", () => {
    const positions = scanPositions("[a]\n[[a.b]]\nx = 1\n");
    expect(positionOf(positions, "a.b#0.y.z")?.line).toBe(2);
    expect(positionOf(positions, "a.c")?.line).toBe(1);
    expect(positionOf(positions, "q.r")).toBeUndefined();
  });

  test("ends on every damaged text", () => {
    const whole = 'a = { b = [1, { c = "x" }], d = """y""" }\n[e.f]\n[[g]]\nh = \'i\' # j\n';
    for (let length = 0; length <= whole.length; length++) {
      expect(() => scanPositions(whole.slice(0, length))).not.toThrow();
      expect(() => scanPositions(whole.slice(length))).not.toThrow();
    }
  });
});
