import { formatScore, type HactlError, nearest } from "../../terms/index.ts";
import { isExact, parseScore } from "../values.ts";
import { type Statement, syntaxError, type Token } from "./lexer.ts";

/** Goes through the words of a statement. */
export class Reader {
  readonly #statement: Statement;
  readonly #tokens: Token[];
  #position = 0;

  constructor(statement: Statement) {
    this.#statement = statement;
    this.#tokens = [...statement.tokens];
  }

  get keyword(): string {
    return this.#statement.keyword;
  }

  get line(): number {
    return this.#statement.line;
  }

  get atEnd(): boolean {
    return this.#position >= this.#tokens.length;
  }

  peek(ahead = 0): Token | undefined {
    return this.#tokens[this.#position + ahead];
  }

  /** Next word; `wanted` says what is missing when there is none. */
  take(wanted: string): Token {
    const token = this.peek();
    if (token === undefined)
      throw this.fail(`"${this.keyword}" ends where ${wanted} should follow`, `add ${wanted}`);
    this.#position++;
    return token;
  }

  skip(): void {
    this.#position++;
  }

  /** The word that was taken last is read once more. */
  back(): void {
    this.#position--;
  }

  /** Next word when it is one of these keywords, in any case; else nothing is taken. */
  takeWord(...words: readonly string[]): string | undefined {
    const word = this.wordAhead();
    if (word === undefined || !words.includes(word)) return undefined;
    this.#position++;
    return word;
  }

  /** Brackets at the words ahead become words of their own, up to the one that ends the sets: `(a b)` is `( a b )`. */
  partBrackets(end: (token: Token) => boolean): void {
    const found = this.#tokens.findIndex((token, index) => index >= this.#position && end(token));
    const last = found < 0 ? this.#tokens.length : found;
    const parted = this.#tokens.slice(this.#position, last).flatMap((token) => {
      if (token.quoted) return [token];
      const [, open = "", word = "", close = ""] = /^([([]?)(.*?)([)\]]?)$/s.exec(token.text) ?? [];
      let { column } = token;
      const words = [open, word, close].map((text) => {
        const part = { ...token, text, column };
        column += text.length;
        return part;
      });
      return words.filter(({ text }) => text !== "");
    });
    this.#tokens.splice(this.#position, last - this.#position, ...parted);
  }

  /** Next word in lower case unless it was quoted. */
  wordAhead(ahead = 0): string | undefined {
    const token = this.peek(ahead);
    return token === undefined || token.quoted ? undefined : token.text.toLowerCase();
  }

  /** Value of the next word when it is `NAME=value` with one of the names, in any case. */
  takeOption(...names: readonly string[]): { name: string; value: string } | undefined {
    const token = this.peek();
    const split = token?.text.indexOf("=") ?? -1;
    if (token === undefined || split < 1) return undefined;
    const name = token.text.slice(0, split).toLowerCase();
    if (!names.includes(name)) return undefined;
    this.#position++;
    return { name, value: token.text.slice(split + 1) };
  }

  /** Score in front of a colon (`100:`, `-inf:`), as it is configured: a number as it was written. */
  takeScore(): string | undefined {
    const token = this.peek();
    if (token === undefined || !token.text.endsWith(":")) return undefined;
    const text = token.text.slice(0, -1);
    const score = scoreOf(text);
    if (score === undefined) return undefined;
    this.#position++;
    return /^[+-]?\d+$/.test(text) ? text : formatScore(score);
  }

  /** Error at the next word, or at the end of the statement. */
  fail(what: string, cure: string, token = this.peek()): HactlError {
    if (token !== undefined) return syntaxError(what, cure, token.line, token.column);
    return syntaxError(what, cure, this.#tokens.at(-1)?.line ?? this.line);
  }

  /** Error for a word that is none of the known ones. */
  unknown(kind: string, token: Token, known: Iterable<string>): HactlError {
    const words = [...known];
    const near = nearest(token.text.replace(/[:=].*$/, ""), words);
    const cure = near === undefined ? `known are ${words.join(", ")}` : `did you mean "${near}"?`;
    return this.fail(`unknown ${kind} "${token.text}"`, cure, token);
  }
}

/** A score as crm text has it; `mandatory` and `advisory` are old words for INFINITY and 0. */
export function scoreOf(text: string): number | undefined {
  const folded = text.toLowerCase();
  if (folded === "mandatory") return parseScore("INFINITY");
  if (folded === "advisory") return 0;
  return isExact(text) ? parseScore(text) : undefined;
}

const roles = ["Started", "Stopped", "Promoted", "Unpromoted", "Master", "Slave"];

/** A role in its usual spelling. */
export function readRole(reader: Reader, text: string, token?: Token): string {
  const role = roles.find((known) => known.toLowerCase() === text.toLowerCase());
  if (role !== undefined) return role;
  const near = nearest(text, roles);
  const cure = near === undefined ? `roles are ${roles.join(", ")}` : `did you mean "${near}"?`;
  throw reader.fail(`"${text}" is no role`, cure, token);
}
