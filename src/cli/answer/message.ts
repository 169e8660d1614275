import type { XmlElement } from "../../cib/index.ts";
import type { Outline } from "../render/outline.ts";
import type { ApiVersion } from "./api-version.ts";

/** How an answer is written (`--output-as`). `console` is text for a terminal that is redrawn. */
export const formats = ["text", "console", "xml", "html", "none"] as const;
export type Format = (typeof formats)[number];

/** What the writer of a text has to know. */
export interface TextStyle {
  /** `-Q`: only the essential. */
  readonly quiet: boolean;
  /** `--text-fancy`: lists with titles and bullets. */
  readonly fancy: boolean;
}

/**
 * One thing that a tool says, with its form in each format. A form is computed when its format is asked for, and what
 * has no form in a format is left out there.
 */
export interface Message {
  /** Lines for people and scripts, without the last newline; `undefined`: nothing to say. */
  readonly text?: (style: TextStyle) => string | undefined;
  /** Elements of the answer in the given version of the schemas. */
  readonly xml?: (api: ApiVersion) => readonly XmlElement[];
  /** Sections of a page. Where a message has no text of its own, these are its text, too. */
  readonly outline?: () => readonly Outline[];
  /** The oldest version of the schemas that has the elements: an answer with them never names an older one. */
  readonly since?: string;
}
