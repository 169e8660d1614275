import { describe, expect, test } from "bun:test";
import { compilePattern } from "../../src/cib/index.ts";
import { HactlError } from "../../src/terms/index.ts";
import { Random } from "../sim/random.ts";

const codeOf = (pattern: string): string => {
  try {
    compilePattern(pattern);
    return "accepted";
  } catch (error) {
    if (error instanceof HactlError) return error.code;
    throw error;
  }
};

describe("a regular expression of the configuration", () => {
  test.each<[string, string, (string | undefined)[] | null]>([
    ["a", "cab", ["a"]],
    ["^a", "ba", null],
    ["a$", "ab", null],
    ["^(vip|web)-([0-9]+)$", "web-12", ["web-12", "web", "12"]],
    ["(a)|b", "b", ["b", undefined]],
    ["a*", "aaa", ["aaa"]],
    ["(a*)*", "aa", ["aa", "aa"]],
    ["(a|ab)(c|bcd)(d*)", "abcd", ["abcd", "a", "bcd", ""]],
    ["x{2,3}", "xxxx", ["xxx"]],
    ["x{2}y", "xxxy", ["xxy"]],
    ["x{2,}", "xxxx", ["xxxx"]],
    ["x{", "x{", ["x{"]],
    ["[[:alpha:]_]+", "1aé_2", ["aé_"]],
    ["[^a-c]+", "abcxyz", ["xyz"]],
    ["[]a]+", "x]a", ["]a"]],
    ["[a-]+", "b-a", ["-a"]],
    ["\\.", "a.b", ["."]],
    ["\\d+\\D", "a12b", ["12b"]],
    ["\\bdb\\b", "my db", ["db"]],
    ["\\bdb\\b", "mydb", null],
    ["(?:a|b)(c)", "bc", ["bc", "c"]],
    ["", "x", [""]],
    [".", "😀", ["😀"]],
  ])("%s on %s", (pattern, text, expected) => {
    expect(compilePattern(pattern).match(text)).toEqual(expected);
  });

  test.each([
    "(",
    ")",
    "a)",
    "*",
    "+a",
    "[a",
    "[[:nix:]]",
    "(?=a)",
    "(a)\\1",
    "\\",
    "[b-a]",
    "a{3,2}",
    "a{256}",
    "(".repeat(60),
  ])("%s is none", (pattern) => {
    expect(codeOf(pattern)).toBe("BAD_PATTERN");
  });

  test("of any kind and size takes time that grows with text and pattern alone", () => {
    const text = `${"a".repeat(500)}!`;
    for (const pattern of [
      "^(a+)+$",
      "^(a|a)*$",
      "^(a*)*b$",
      "(a?){200}a{200}$",
      "^(([a-z])+.)+[A-Z]([a-z])+$",
    ])
      expect([pattern, compilePattern(pattern).match(text)]).toEqual([pattern, null]);
    expect(codeOf("(((a{100}){100}){100}){100}")).toBe("PATTERN_LIMIT");
    expect(codeOf("a".repeat(513))).toBe("PATTERN_LIMIT");
  });

  test("says the same as the engine of the language, where both know what is written", () => {
    const random = new Random(3);
    const atoms = ["a", "b", ".", "[ab]", "[^a]", "(a|b)", "(ab)", "(?:b)", "\\w", "^", "$"];
    const suffixes = ["", "", "", "*", "+", "?", "{1,2}", "{2}"];
    for (let run = 0; run < 5000; run++) {
      let pattern = "";
      for (let part = random.between(1, 5); part > 0; part--) {
        const atom = random.pick(atoms);
        pattern += atom + (/[\^$]/.test(atom) && atom.length === 1 ? "" : random.pick(suffixes));
        if (random.chance(0.15)) pattern += "|";
      }
      let text = "";
      for (let char = random.between(0, 8); char > 0; char--) text += random.pick(["a", "b", "c"]);
      const own = compilePattern(pattern).match(text);
      const other = new RegExp(pattern).exec(text);
      expect([pattern, text, own?.[0] ?? null]).toEqual([pattern, text, other?.[0] ?? null]);
    }
  });
});
