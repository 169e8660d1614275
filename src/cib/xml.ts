import { XmlElement as ParsedElement, parseXml as parse, XmlError, XmlText } from "@rgrove/parse-xml";
import { CrmExit, HactlError } from "../terms/index.ts";

/**
 * An element of the CIB: the carrier of configuration and status, in memory and on the wire. Attributes keep
 * their order; text between elements is dropped, except in elements that hold only text.
 */
export interface XmlElement {
  name: string;
  attributes: Map<string, string>;
  children: XmlElement[];
  /** Text of an element without child elements (`<longdesc>`). */
  text?: string;
  /** Line in the file that it was read from, from 1. */
  line?: number;
}

/** Makes an element. `undefined` attributes are left out. */
export function element(
  name: string,
  attributes: Readonly<Record<string, string | number | undefined>> = {},
  children: XmlElement[] = [],
): XmlElement {
  const map = new Map<string, string>();
  for (const [key, value] of Object.entries(attributes)) if (value !== undefined) map.set(key, String(value));
  return { name, attributes: map, children };
}

/**
 * Reads an XML document. Throws HactlError `XML_SYNTAX` with line and column when it is not well-formed.
 * Entities other than the five of XML 1.0 are errors, so a document cannot grow while it is read.
 */
export function parseXml(text: string, file?: string): XmlElement {
  try {
    const { root } = parse(text, { includeOffsets: true });
    if (!root)
      throw new HactlError({
        code: "XML_SYNTAX",
        what: "the document has no element",
        exit: CrmExit.DATAERR,
      });
    return convert(root, lineFinder(text));
  } catch (error) {
    if (!(error instanceof XmlError)) throw error;
    throw new HactlError({
      code: "XML_SYNTAX",
      what: `not well-formed XML: ${error.message.split("\n")[0]?.replace(/ \(line.*$/, "")}`,
      where: { ...(file === undefined ? {} : { file }), line: error.line, column: error.column },
      cure: "the file may be cut off; compare its end with a good copy",
      exit: CrmExit.DATAERR,
      cause: error,
    });
  }
}

/** Line (from 1) of an offset; offsets are asked for in ascending order. */
function lineFinder(text: string): (offset: number) => number {
  let line = 1;
  let position = 0;
  return (offset) => {
    for (;;) {
      const next = text.indexOf("\n", position);
      if (next < 0 || next >= offset) return line;
      line++;
      position = next + 1;
    }
  };
}

function convert(source: ParsedElement, lineOf: (offset: number) => number): XmlElement {
  const result: XmlElement = {
    name: source.name,
    attributes: new Map(Object.entries(source.attributes)),
    children: [],
    line: lineOf(source.start),
  };
  let text = "";
  for (const child of source.children) {
    if (child instanceof ParsedElement) result.children.push(convert(child, lineOf));
    else if (child instanceof XmlText) text += child.text;
  }
  if (result.children.length === 0 && text.trim() !== "") result.text = text;
  return result;
}

const escapes: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "\n": "&#10;",
  "\t": "&#9;",
  "\r": "&#13;",
};
const escapeAttribute = (text: string) => text.replace(/[&<>"\n\t\r]/g, (char) => escapes[char] ?? char);
const escapeText = (text: string) => text.replace(/[&<>]/g, (char) => escapes[char] ?? char);

/** Writes an element, two spaces a level, or on one line when `indent` is negative. */
export function formatXml(root: XmlElement, indent = 0): string {
  const pad = indent < 0 ? "" : "  ".repeat(indent);
  const end = indent < 0 ? "" : "\n";
  let tag = `${pad}<${root.name}`;
  for (const [name, value] of root.attributes) tag += ` ${name}="${escapeAttribute(value)}"`;
  if (root.children.length > 0) {
    const inner = root.children.map((child) => formatXml(child, indent < 0 ? -1 : indent + 1)).join("");
    return `${tag}>${end}${inner}${pad}</${root.name}>${end}`;
  }
  if (root.text !== undefined) return `${tag}>${escapeText(root.text)}</${root.name}>${end}`;
  return `${tag}/>${end}`;
}

/** A copy that shares nothing with the original. */
export function cloneElement(source: XmlElement): XmlElement {
  const copy: XmlElement = { ...source, attributes: new Map(source.attributes), children: [] };
  for (const item of source.children) copy.children.push(cloneElement(item));
  return copy;
}

/** First child with that name. */
export function child(parent: XmlElement | undefined, name: string): XmlElement | undefined {
  return parent?.children.find((candidate) => candidate.name === name);
}

/** All children with that name, in order. */
export function childrenOf(parent: XmlElement | undefined, name: string): XmlElement[] {
  return parent?.children.filter((candidate) => candidate.name === name) ?? [];
}
