/**
 * What a terminal obeys, or shows otherwise than it is written: control characters (C0, DEL, C1, ECMA-48), the line and
 * paragraph separators, and the marks that turn the direction of what follows (Unicode, UAX #9, section 2).
 */
const acting = "\\0-\\x08\\x0b-\\x1f\\x7f-\\x9f\\u061c\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u2069";
const inText = new RegExp(`[${acting}]`, "g");
const inLine = new RegExp(`[${acting}\\n]`, "g");
/** Those of them that XML 1.0 can hold, and that a parser gives back as they were when they are written as references. */
const inXml = /[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

const shown = (char: string) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`;

/** A text that does nothing but stand there: what a terminal would obey is shown as `\u001b`. Lines stay lines. */
export const plainText = (text: string): string => text.replace(inText, shown);

/** The same for what must stay within its line: names and values that others have chosen. */
export const plainLine = (text: string): string => text.replace(inLine, shown);

/** A value of JSON's kinds with `plainLine` of each of its strings, keys as well: for showing it as text. */
export function plainValues<T>(value: T): T {
  return plainOf(value) as T;
}

function plainOf(value: unknown): unknown {
  if (typeof value === "string") return plainLine(value);
  if (Array.isArray(value)) return value.map(plainOf);
  if (value === null || typeof value !== "object") return value;
  if (value instanceof Map) return new Map([...value].map(([key, item]) => [plainOf(key), plainOf(item)]));
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [plainLine(key), plainOf(item)]));
}

/** JSON that means the same, with escapes in place of what a terminal would obey. */
export const plainJson = (json: string): string => json.replace(inText, shown);

/** XML that means the same, outside CDATA: with character references. */
export const plainXml = (escaped: string): string =>
  escaped.replace(inXml, (char) => `&#${char.charCodeAt(0)};`);
