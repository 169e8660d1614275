import { describe, expect, test } from "bun:test";
import { lastWords } from "../../src/terms/index.ts";

describe("the last words of a program", () => {
  const cases: readonly (readonly [what: string, text: string, words: string])[] = [
    ["one line", "it is broken\n", "it is broken"],
    ["nothing", " \n\n", ""],
    [
      "a fence agent of Debian",
      "2026-11-30 17:06:53,150 ERROR: Ipmitool not found or not accessible\n\n2026-11-30 17:06:53,151 ERROR: Please use '-h' for usage\n\n",
      "Ipmitool not found or not accessible",
    ],
    [
      "an older one",
      "ERROR:root:Unable to connect/login to fencing device\n\nERROR: Please use '-h' for usage\n",
      "ERROR:root:Unable to connect/login to fencing device",
    ],
    [
      "several lines",
      "a\nb\nthe cause\nso it failed\n===\nsee above\n",
      "the cause / so it failed / see above",
    ],
    ["the same line again", "no answer\nno answer\nno answer\n", "no answer"],
    [
      "a stack",
      'Traceback (most recent call last):\n  File "x.py", line 3, in <module>\n    main()\nValueError: no such port\n',
      "ValueError: no such port",
    ],
    ["time stamps of other kinds", "Nov 30 17:06:53 first\n[2026-11-30T17:06:53Z] second", "first / second"],
  ];
  test.each(cases)("%s", (_, text, words) => {
    expect(lastWords(text, 200)).toBe(words);
  });

  test("the last line is kept before those in front of it, and cut where it alone is too long", () => {
    expect(lastWords(`${"x".repeat(30)}\nthe last`, 30)).toBe("the last");
    expect(lastWords("y".repeat(40), 30)).toBe(`${"y".repeat(29)}…`);
  });
});
