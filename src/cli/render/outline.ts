import { plainLine } from "../../terms/index.ts";

/**
 * A list of a report: a line, and what belongs to it. Text, HTML and tests are made from the same outline. Without a
 * text what belongs to it is only set further in.
 */
export interface Outline {
  readonly text: string;
  readonly children?: readonly Outline[];
  /** The line where nothing is decorated. */
  readonly plain?: string;
}

/** A line without sub-list. */
export const line = (text: string): Outline => ({ text });

/** Lines as the tools since Pacemaker 2.0 indent them: two spaces and a star for each level below the title. */
export function outlineLines(outline: Outline, depth = 0): string[] {
  const text = plainLine(outline.text);
  const own = depth === 0 ? text : `${"  ".repeat(depth)}* ${text}`;
  const inner = (outline.children ?? []).flatMap((child) => outlineLines(child, depth + 1));
  return outline.text === "" ? inner : [own, ...inner];
}

/** What stands in an outline, without titles and decoration. */
export function plainLines(outline: Outline): string[] {
  if (outline.children) return outline.children.flatMap(plainLines);
  return [outline.plain ?? outline.text];
}

/** Sections with an empty line between them. */
export const joinSections = (sections: readonly (readonly string[])[]): string =>
  sections
    .filter((section) => section.length > 0)
    .map((section) => section.join("\n"))
    .join("\n\n");
