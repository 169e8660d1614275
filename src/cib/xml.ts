import {
  XmlElement as ParsedElement,
  parseXml as parse,
  XmlComment,
  XmlError,
  XmlText,
} from "@rgrove/parse-xml";
import { asXmlText, CrmExit, HactlError, lookup, type Place, plainXml } from "../terms/index.ts";
import { checkName } from "./xml-names.ts";

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
  /** Its text is written as a CDATA section, as answers that carry XML do it. */
  cdata?: boolean;
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

/** Stands for the name of a comment, which has none: no element can have it. */
const commentName = "#comment";

/** Whether it is a comment: its words are the text. */
export const isComment = ({ name }: XmlElement): boolean => name === commentName;

/** Deepest nesting that is read. A CIB has about fifteen levels; rules may nest. */
export const deepestNesting = 256;

/**
 * Reads an XML document; comments, unless they are asked for, and processing instructions are dropped. Throws HactlError with line and column:
 * `XML_SYNTAX` when it is not well-formed, `XML_TOO_DEEP` when elements nest more than 256 levels, `TOO_LARGE` when it is larger
 * than any CIB can be, before it is read. Entities other
 * than the five of XML 1.0 are errors, so a document cannot grow while it is read.
 */
export function parseXml(
  text: string,
  file?: string,
  { comments = false }: { readonly comments?: boolean } = {},
): XmlElement {
  const place = file === undefined ? {} : { file };
  refuseEndless(text, place);
  try {
    const { root } = parse(text, { includeOffsets: true, preserveComments: comments });
    if (!root)
      throw xmlError("XML_SYNTAX", "the document has no element", place, "see whether the file is empty");
    return convert(root, lineFinder(text), 1, place);
  } catch (error) {
    if (error instanceof XmlError) {
      const what = error.message.split("\n")[0]?.replace(/ \(line.*$/, "") ?? "";
      const where = { ...place, line: error.line, column: error.column };
      throw xmlError("XML_SYNTAX", `not well-formed XML: ${what}`, where, cureFor(what), error);
    }
    // The parser goes down by calling itself.
    if (error instanceof RangeError) throw tooDeep(place);
    throw error;
  }
}

/** Attributes of an element: a history's parameters are one each. */
const mostAttributes = 1000;
/** Characters and tags beyond what a CIB has at most, with its status: storable.ts. */
const longestDocument = 128 * 1024 * 1024;
const mostTags = 2_500_000;

function refuseEndless(text: string, where: Place): void {
  let tags = text.length > longestDocument ? Number.POSITIVE_INFINITY : 0;
  for (let at = text.indexOf("<"); at >= 0 && tags <= mostTags; at = text.indexOf("<", at + 1)) tags++;
  if (tags <= mostTags) return;
  const limit = `${longestDocument / 2 ** 20} MiB, or ${mostTags} tags`;
  throw xmlError("TOO_LARGE", `the document has more than ${limit}: no CIB has`, where, "give a smaller one");
}

function xmlError(code: string, what: string, where: Place, cure: string, cause?: unknown): HactlError {
  return new HactlError({
    code,
    what,
    where,
    cure,
    exit: CrmExit.DATAERR,
    ...(cause === undefined ? {} : { cause }),
  });
}

const tooDeep = (where: Place) =>
  xmlError(
    "XML_TOO_DEEP",
    `elements nest more than ${deepestNesting} levels`,
    where,
    "no configuration needs that: correct the file",
  );

function cureFor(what: string): string {
  if (/entity/i.test(what))
    return "write the character itself; only &lt; &gt; &amp; &quot; and &apos; are known";
  if (/unclosed|missing end tag|root element/i.test(what))
    return "the file may be cut off; compare its end with a good copy";
  return "correct it at that place";
}

/** Line (from 1) of an offset; offsets are asked for in ascending order. */
function lineFinder(text: string): (offset: number) => number {
  let line = 1;
  const endAfter = (position: number) => {
    const end = text.indexOf("\n", position);
    return end < 0 ? text.length : end;
  };
  // Looked for once for each line: a document may have a single one of many megabytes.
  let end = endAfter(0);
  return (offset) => {
    while (end < offset) {
      line++;
      end = endAfter(end + 1);
    }
    return line;
  };
}

function convert(
  source: ParsedElement,
  lineOf: (offset: number) => number,
  depth: number,
  place: Place,
): XmlElement {
  const result: XmlElement = {
    name: source.name,
    attributes: new Map(Object.entries(source.attributes)),
    children: [],
    line: lineOf(source.start),
  };
  const where = { ...place, ...(result.line === undefined ? {} : { line: result.line }) };
  if (depth > deepestNesting) throw tooDeep(where);
  if (result.attributes.size > mostAttributes) {
    const what = `an element has ${result.attributes.size} attributes; ${mostAttributes} are possible`;
    throw xmlError("TOO_LARGE", what, where, "no CIB needs that: correct it");
  }
  let text = "";
  for (const child of source.children) {
    if (child instanceof ParsedElement) result.children.push(convert(child, lineOf, depth + 1, place));
    else if (child instanceof XmlText) text += child.text;
    else if (child instanceof XmlComment)
      result.children.push({ name: commentName, attributes: new Map(), children: [], text: child.content });
  }
  if (result.children.length === 0 && text.trim() !== "") result.text = text;
  return result;
}

const escapes: Readonly<Record<string, string>> = lookup({
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "\n": "&#10;",
  "\t": "&#9;",
  "\r": "&#13;",
});
const escapeAttribute = (text: string) =>
  asXmlText(text).replace(/[&<>"\n\t\r]/g, (char) => escapes[char] ?? char);
const escapeText = (text: string) => asXmlText(text).replace(/[&<>\r]/g, (char) => escapes[char] ?? char);

/** A section cannot hold its own end: there it is cut in two. */
const cdataSection = (text: string) => `<![CDATA[${asXmlText(text).replaceAll("]]>", "]]]]><![CDATA[>")}]]>`;

/**
 * Writes an element, two spaces a level, or on one line when `indent` is negative. What it writes can be read back: it
 * throws HactlError `XML_NAME` for a name that is none, and replaces characters that XML cannot hold. A terminal obeys
 * nothing of it.
 */
export function formatXml(root: XmlElement, indent = 0): string {
  return writeXml(root, indent, toRead);
}

/**
 * The same text for what is never read back: a digest, or a graph for other programs. Names of parameters may be anything
 * there, as in Pacemaker's.
 */
export function formatAnyXml(root: XmlElement, indent = 0): string {
  return writeXml(root, indent, toCompare);
}

interface Manner {
  readonly check: (name: string, what: string) => void;
  /** For values that are escaped already. */
  readonly plain: (escaped: string) => string;
}
const toRead: Manner = { check: checkName, plain: plainXml };
const toCompare: Manner = { check: () => {}, plain: (escaped) => escaped };

function writeXml(root: XmlElement, indent: number, manner: Manner): string {
  const { check, plain } = manner;
  const pad = indent < 0 ? "" : "  ".repeat(indent);
  const end = indent < 0 ? "" : "\n";
  if (isComment(root)) return `${pad}<!--${asXmlText(root.text ?? "").replaceAll("--", "- -")}-->${end}`;
  check(root.name, "an element");
  let tag = `${pad}<${root.name}`;
  for (const [name, value] of root.attributes) {
    check(name, "an attribute");
    tag += ` ${name}="${plain(escapeAttribute(value))}"`;
  }
  if (root.children.length > 0) {
    const inner = root.children
      .map((inner) => writeXml(inner, indent < 0 ? -1 : indent + 1, manner))
      .join("");
    return `${tag}>${end}${inner}${pad}</${root.name}>${end}`;
  }
  if (root.text !== undefined) {
    const text = root.cdata ? cdataSection(root.text) : plain(escapeText(root.text));
    return `${tag}>${text}</${root.name}>${end}`;
  }
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
