import { describe, expect, setDefaultTimeout, test } from "bun:test";
import {
  applyOperations,
  type CibOperation,
  CONFIGURATION_LIMITS,
  child,
  element,
  formatXml,
  parseXml,
  type XmlElement,
} from "../../src/cib/index.ts";
import { emptyCib } from "../../src/controller/index.ts";
import { HactlError } from "../../src/terms/index.ts";

setDefaultTimeout(60_000);

const dummy = (id: string) => `<primitive id="${id}" class="ocf" provider="test" type="A"/>`;
const attribute = (path: string, name: string, value = "v"): CibOperation => ({
  op: "patch",
  xml: formatXml(
    element("diff", { format: 2 }, [
      element("change", { operation: "modify", path }, [
        element("change-list", {}, [element("change-attr", { name, operation: "set", value })]),
      ]),
    ]),
    -1,
  ),
});

const refusal = (operations: readonly CibOperation[], cib = emptyCib()): string => {
  const before = formatXml(cib);
  try {
    applyOperations(cib, operations);
    return "accepted";
  } catch (error) {
    if (!(error instanceof HactlError)) throw error;
    expect(formatXml(cib)).toBe(before);
    return error.code;
  }
};

/** A configuration whose epoch is this. */
function at(epoch: number): XmlElement {
  const cib = emptyCib();
  cib.attributes.set("epoch", String(epoch));
  return cib;
}

describe("what could not be read back is refused", () => {
  const nested = (mark: string) =>
    `${Array.from({ length: 200 }, (_, i) => `<a id="${mark}${i}">`).join("")}${"</a>".repeat(200)}`;
  test.each<[string, CibOperation[], string]>([
    ["a name with blanks and quotes on <cib>", [attribute("/cib", 'a b"><x')], "XML_NAME"],
    ["… on the status", [attribute("/cib/status", 'a b"><x')], "XML_NAME"],
    ["… on the configuration", [attribute("/cib/configuration", 'a b"><x')], "UNKNOWN_ATTRIBUTE"],
    ["an empty name", [attribute("/cib/status", "")], "XML_NAME"],
    ["a name that begins with a digit", [attribute("/cib/status", "1")], "XML_NAME"],
    ["a very long name", [attribute("/cib/status", "n".repeat(600))], "XML_NAME"],
    ["another document", [{ op: "replace", xpath: "/cib", xml: "<other/>" }], "NOT_A_CIB"],
    ["two configurations", [{ op: "create", xpath: "/cib", xml: "<configuration/>" }], "NOT_A_CIB"],
    ["two statuses", [{ op: "create", xpath: "/cib", xml: "<status/>" }], "NOT_A_CIB"],
    ["no configuration", [{ op: "delete", xpath: "/cib/configuration" }], "NOT_A_CIB"],
    ["something else in <cib>", [{ op: "create", xpath: "/cib", xml: "<resources/>" }], "NOT_A_CIB"],
    [
      "too many levels, bit by bit",
      [
        { op: "create", xpath: "/cib/status", xml: nested("x") },
        { op: "create", xpath: "//a[@id='x150']", xml: nested("y") },
      ],
      "XML_TOO_DEEP",
    ],
    ["an epoch that is no number", [{ op: "modify", xml: '<cib epoch="x"/>' }], "VERSION"],
    ["an epoch beyond all numbers", [{ op: "modify", xml: '<cib epoch="9007199254740993"/>' }], "VERSION"],
    ["an epoch of 1e308", [{ op: "replace", xml: '<cib epoch="1e308"><configuration/></cib>' }], "VERSION"],
    ["an admin_epoch below 0", [{ op: "modify", xml: '<cib admin_epoch="-1"/>' }], "VERSION"],
    ["an id of 600 characters", [{ op: "create", xml: dummy("i".repeat(600)) }], "NAME_TOO_LONG"],
    ["a control character", [{ op: "create", xml: dummy("a&#27;b") }], "XML_SYNTAX"],
    ["a control character as it is", [{ op: "create", xml: dummy("a\u001bb") }], "XML_SYNTAX"],
    ["half a character", [{ op: "create", xml: dummy("a\ud800b") }], "XML_SYNTAX"],
  ])("%s", (_name, operations, code) => {
    expect(refusal(operations)).toBe(code);
  });

  test("what is too large for the members, however it comes", () => {
    const { elements, bytes } = CONFIGURATION_LIMITS;
    const many = (count: number) =>
      `<resources>${Array.from({ length: count }, (_, i) => dummy(`d${i}`)).join("")}</resources>`;
    expect(refusal([{ op: "replace", xml: many(2 * elements + 1) }])).toBe("TOO_LARGE");
    expect(refusal([{ op: "replace", xml: many(elements) }])).toBe("TOO_LARGE");
    expect(refusal([{ op: "create", xml: dummy("x".repeat(bytes)) }])).toBe("TOO_LARGE");
  });

  test("a document is never written with a name that is none", () => {
    expect(() => formatXml(element("a b"))).toThrow(HactlError);
    expect(() => formatXml(element("a", { 'b="c" d': "e" }))).toThrow(HactlError);
  });

  test("whatever is accepted is read back the same", () => {
    const value = "<&>\"'\n\t\r é😀\u0085\u2028";
    const { cib } = applyOperations(emptyCib(), [attribute("/cib/status", "x", value)]);
    const back = parseXml(formatXml(cib));
    expect(child(back, "status")?.attributes.get("x")).toBe(value);
    expect(formatXml(back)).toBe(formatXml(cib));
  });
});

describe("a version that cannot rise", () => {
  test("refuses the change instead of standing still", () => {
    const last = Number.MAX_SAFE_INTEGER;
    const { cib, value } = applyOperations(at(last - 1), [{ op: "create", xml: dummy("a") }]);
    expect(value).toBe(`0.${last}.0`);
    expect(refusal([{ op: "create", xml: dummy("b") }], cib)).toBe("VERSION_LIMIT");
    expect(refusal([{ op: "bump" }], cib)).toBe("VERSION_LIMIT");
  });

  test("rises again from a higher admin_epoch", () => {
    const replace: CibOperation = {
      op: "replace",
      xml: '<cib admin_epoch="1" epoch="0"><configuration/></cib>',
    };
    const { cib, value } = applyOperations(at(Number.MAX_SAFE_INTEGER), [replace]);
    expect(value).toBe("1.1.0");
    expect(applyOperations(cib, [{ op: "bump" }]).value).toBe("1.2.0");
  });

  test("accepting a configuration makes it count more than any other of its admin_epoch", () => {
    const { value, configurationChanged } = applyOperations(at(5), [{ op: "accept" }]);
    expect({ value, configurationChanged }).toEqual({ value: "1.6.0", configurationChanged: true });
  });
});
