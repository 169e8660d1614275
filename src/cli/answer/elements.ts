import { element, type XmlElement } from "../../cib/index.ts";

/** An element that holds only text. */
export const textElement = (
  name: string,
  text: string,
  attributes: Readonly<Record<string, string | number | undefined>> = {},
): XmlElement => ({ ...element(name, attributes), text });

/** An element that holds a document of its own, or what a program printed: a CDATA section. */
export const cdataElement = (
  name: string,
  text: string,
  attributes: Readonly<Record<string, string | number | undefined>> = {},
): XmlElement => ({ ...element(name, attributes), text, cdata: true });

/** A boolean as the schemas have it. */
export const flag = (value: boolean): "true" | "false" => (value ? "true" : "false");

/** `<list name= count=>` with an `<item>` for each word, of a kind where one is given. */
export const listElement = (name: string, items: readonly string[], kind?: string): XmlElement =>
  element(
    "list",
    { name, count: items.length },
    items.map((item) => textElement("item", item, { name: kind })),
  );

/** What a program that was run ended with and printed: `<command code=>`. */
export function commandElement(
  code: number,
  printed: { readonly stdout?: string; readonly stderr?: string },
): XmlElement {
  const output = (source: "stdout" | "stderr") => {
    const text = printed[source] ?? "";
    return text === "" ? [] : [textElement("output", text, { source })];
  };
  return element("command", { code }, [...output("stdout"), ...output("stderr")]);
}
