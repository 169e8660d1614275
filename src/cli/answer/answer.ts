import { writeFileSync } from "node:fs";
import { element, formatXml, type XmlElement } from "../../cib/index.ts";
import { exitMessage } from "../../terms/index.ts";
import { writeError, writeOut } from "../output.ts";
import { outlineLines } from "../render/outline.ts";
import { type ApiVersion, apiVersion, wantedApi } from "./api-version.ts";
import type { Message, TextStyle } from "./message.ts";
import type { OutputRequest } from "./request.ts";

/**
 * What a tool answers, in the format that was asked for. Text is written as it is said, so that a command that takes
 * its time shows how far it is; a document is written as a whole by `finish`.
 */
export class Answer {
  readonly #asked: OutputRequest;
  readonly #said: Message[] = [];
  readonly #errors: string[] = [];
  #text = "";

  constructor(asked: OutputRequest) {
    this.#asked = asked;
  }

  get format(): OutputRequest["format"] {
    return this.#asked.format;
  }

  /** `-Q`. */
  get quiet(): boolean {
    return this.#asked.quiet;
  }

  /** Says something. */
  say(message: Message): void {
    if (this.#isText) this.#write(textOf(message, this.#asked));
    else this.#said.push(message);
  }

  /** A remark for people, left out with `-Q` and in documents. */
  info(text: string): void {
    if (!this.quiet) this.say({ text: () => text });
  }

  /** Something that went wrong: a line on standard error, or one of the `<errors>` of a document. */
  error(text: string): void {
    if (this.format === "xml") this.#errors.push(text);
    else if (this.format !== "none") writeError(`${text}\n`);
  }

  /** Ends the answer with the exit code of the command, and gives it back. */
  finish(exit: number): number {
    if (this.format === "xml") {
      this.#deliver(
        documentText({ request: this.#asked.request, messages: this.#said, exit, errors: this.#errors }),
      );
    } else if (this.#asked.file !== undefined) this.#deliver(this.#text);
    return exit;
  }

  get #isText(): boolean {
    return this.format === "text" || this.format === "console";
  }

  #write(text: string | undefined): void {
    if (text === undefined) return;
    const lines = text === "" || text.endsWith("\n") ? text : `${text}\n`;
    if (this.#asked.file === undefined) writeOut(lines);
    else this.#text += lines;
  }

  #deliver(text: string): void {
    if (this.#asked.file === undefined) writeOut(text);
    else writeFileSync(this.#asked.file, text);
  }
}

/** A message as text. */
export function textOf({ text, outline }: Message, style: TextStyle): string | undefined {
  if (text) return text(style);
  const lines = outline?.().flatMap((section) => outlineLines(section));
  return lines === undefined || lines.length === 0 ? undefined : lines.join("\n");
}

/** Messages as the sections of a report: with an empty line between them. */
export function reportText(messages: readonly Message[], style: TextStyle): string {
  const texts = messages.flatMap((message) => textOf(message, style) ?? []);
  return texts.length === 0 ? "" : `${texts.join("\n\n")}\n`;
}

/** What a document is made from. */
export interface DocumentParts {
  /** The command line. */
  readonly request: string;
  readonly messages: readonly Message[];
  readonly exit: number;
  readonly errors?: readonly string[];
}

/** `<pacemaker-result>`, in the wanted version of the schemas or the oldest one that has all that is said. */
export function documentText({ request, messages, exit, errors = [] }: DocumentParts): string {
  const api = messages.reduce((used, { since }) => later(used, since), wantedApi());
  const said = messages.flatMap(({ xml }) => xml?.(api) ?? []);
  const root = element("pacemaker-result", { "api-version": api.text, request });
  root.children.push(...said, statusElement(exit, errors));
  return formatXml(root);
}

const later = (api: ApiVersion, since: string | undefined): ApiVersion =>
  since === undefined || api.atLeast(since) ? api : apiVersion(since);

/** How a command ended: `<status code= message=>`, with what went wrong. */
export function statusElement(exit: number, errors: readonly string[] = []): XmlElement {
  const status = element("status", { code: exit, message: exitMessage(exit) });
  if (errors.length > 0) {
    const children = errors.map((text) => ({ ...element("error"), text }));
    status.children.push(element("errors", {}, children));
  }
  return status;
}
