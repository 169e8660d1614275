import { describe, expect, test } from "bun:test";
import { cloneElement, element, formatXml, parseXml } from "../../src/cib/index.ts";
import { HactlError } from "../../src/terms/index.ts";

function errorOf(action: () => unknown): HactlError {
  try {
    action();
  } catch (error) {
    if (error instanceof HactlError) return error;
    throw error;
  }
  throw new Error("no error");
}

describe("parseXml", () => {
  test("elements, attributes in their order, lines, text of leaves; comments are dropped", () => {
    const root = parseXml(`<?xml version="1.0"?>
<!-- a comment --><cib z="1" a="&lt;&#65;&quot;">
  <longdesc lang="en">two &amp; two</longdesc>
  <!-- another --><empty/>
</cib>`);
    expect([...root.attributes]).toEqual([
      ["z", "1"],
      ["a", '<A"'],
    ]);
    expect(root.children.map(({ name, text, line }) => [name, text, line])).toEqual([
      ["longdesc", "two & two", 3],
      ["empty", undefined, 4],
    ]);
    expect(root.text).toBeUndefined();
  });

  test.each<[string, number, RegExp]>([
    ["<cib>\n<a>\n</cib>", 3, /not well-formed/],
    ["<cib>\n<a b=1/></cib>", 2, /not well-formed/],
    ['<cib a="1" a="2"/>', 1, /not well-formed/],
    ["", 1, /not well-formed/],
    ["\0\0\0\0", 1, /not well-formed/],
    ["<cib/><cib/>", 1, /not well-formed/],
  ])("%p is refused with the line", (text, line, what) => {
    const error = errorOf(() => parseXml(text, "cib.xml"));
    expect(error.code).toBe("XML_SYNTAX");
    expect(error.where).toMatchObject({ file: "cib.xml", line });
    expect(error.what).toMatch(what);
    expect(error.cure).toBeString();
  });

  test("entities of a document's own are refused, so that it cannot grow", () => {
    const laughs = '<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]><l>&b;</l>';
    expect(errorOf(() => parseXml(laughs)).what).toContain("entity");
  });

  test.each([300, 100_000])("nesting of %d levels is refused", (levels) => {
    const text = "<a>".repeat(levels) + "</a>".repeat(levels);
    expect(errorOf(() => parseXml(text)).code).toBe("XML_TOO_DEEP");
  });

  test("two hundred levels are read", () => {
    expect(formatXml(parseXml("<a>".repeat(200) + "</a>".repeat(200)), -1).length).toBe(200 * 7 - 3);
  });

  test("names of an object's own properties are just names", () => {
    expect([...parseXml('<a __proto__="1" constructor="2"/>').attributes.keys()]).toEqual([
      "__proto__",
      "constructor",
    ]);
  });
});

describe("formatXml", () => {
  test("what is written is read back as it was", () => {
    const nasty = 'a<b>&"c"\n\td\re\u00e9\u{1f600}';
    const root = element("a", { v: nasty, n: 1, gone: undefined }, [element("b"), element("c", { x: "'" })]);
    root.children.push({ ...element("d"), text: "1 < 2 & 3" });
    const back = parseXml(formatXml(root));
    expect(back.attributes.get("v")).toBe(nasty);
    expect(formatXml(back)).toBe(formatXml(root));
    expect(parseXml(formatXml(root, -1)).children.map(({ name }) => name)).toEqual(["b", "c", "d"]);
  });

  test("characters that XML cannot hold do not break the document", () => {
    const root = element("a", { v: "x\u0001\u001b[0m\ud800y\0" });
    expect(parseXml(formatXml(root)).attributes.get("v")).toBe("x\ufffd\ufffd[0m\ufffdy\ufffd");
  });

  test("two spaces a level, or one line", () => {
    const root = parseXml("<a><b><c/></b></a>");
    expect(formatXml(root)).toBe("<a>\n  <b>\n    <c/>\n  </b>\n</a>\n");
    expect(formatXml(root, -1)).toBe("<a><b><c/></b></a>");
  });
});

test("a clone shares nothing", () => {
  const root = parseXml('<a x="1"><b y="2"/></a>');
  const copy = cloneElement(root);
  copy.attributes.set("x", "3");
  copy.children[0]?.attributes.set("y", "4");
  copy.children.push(element("c"));
  expect(formatXml(root, -1)).toBe('<a x="1"><b y="2"/></a>');
});
