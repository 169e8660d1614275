import { describe, expect, test } from "bun:test";
import { formatXml, parseXml } from "../../src/cib/index.ts";
import { plainJson, plainLine, plainText, plainValues } from "../../src/terms/index.ts";

const acting = [
  ...Array.from({ length: 0xa0 }, (_, code) => code).filter((code) => code < 0x20 || code > 0x7e),
  0x61c,
  0x200e,
  0x200f,
  0x2028,
  0x2029,
  0x202a,
  0x202e,
  0x2066,
  0x2069,
].map((code) => String.fromCharCode(code));

describe("plain text", () => {
  test("shows what a terminal would obey, and leaves lines and tabs", () => {
    for (const char of acting) {
      const shown = plainText(`a${char}b`);
      if (char === "\n" || char === "\t") expect(shown).toBe(`a${char}b`);
      else expect(shown).toBe(`a\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}b`);
    }
    expect(plainText("Grüße, 日本, 👍")).toBe("Grüße, 日本, 👍");
  });

  test("of a line stays one", () => {
    expect(plainLine("a\nNov 29 host hactl: forged\r\n")).toBe(
      "a\\u000aNov 29 host hactl: forged\\u000d\\u000a",
    );
  });

  test("goes through values, and their names", () => {
    expect<unknown>(
      plainValues({ "a\n": ["\u001b[2J", 1, null, { b: new Map([["\r", "\u202e"]]) }] }),
    ).toEqual({
      "a\\u000a": ["\\u001b[2J", 1, null, { b: new Map([["\\u000d", "\\u202e"]]) }],
    });
  });

  test("in JSON and in XML means the same", () => {
    const value = `<&">${acting.join("")}`;
    const json = plainJson(JSON.stringify({ value }));
    expect(JSON.parse(json)).toEqual({ value });
    // XML 1.0 cannot hold most of C0.
    const holdable = acting.filter((char) => char >= "\u007f" || "\t\n\r".includes(char)).join("");
    const xml = formatXml({
      name: "a",
      attributes: new Map([["value", holdable]]),
      children: [
        { name: "b", attributes: new Map(), children: [], text: `x${holdable.replaceAll("\r", "")}` },
      ],
    });
    const back = parseXml(xml);
    expect(back.attributes.get("value")).toBe(holdable);
    expect(back.children[0]?.text).toBe(`x${holdable.replaceAll("\r", "")}`);
    for (const text of [json, xml]) expect(plainText(text)).toBe(text);
  });
});
