/** Where something is in the text, from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** Positions of tables and keys by their path: `totem.token`, `nodelist.node#1.name` (the second [[nodelist.node]]). */
export type Positions = ReadonlyMap<string, Position>;

/**
 * Finds where tables and keys stand in a TOML text, which the parser does not tell. It reads just enough of the grammar
 * (toml.io v1.0.0) not to be misled by strings, comments and brackets, and never fails: what it does not
 * understand it passes over, the parser complains.
 */
export function scanPositions(text: string): Positions {
  return new Scanner(text).run();
}

/** The position of a path, or of the nearest thing around it that has one. */
export function positionOf(positions: Positions, path: string): Position | undefined {
  for (let at = path; at !== ""; at = at.replace(/(?:^|\.)[^.#]*$|#\d+$/, "")) {
    const found = positions.get(at);
    if (found) return found;
  }
  return undefined;
}

class Scanner {
  private readonly found = new Map<string, Position>();
  private readonly counts = new Map<string, number>();
  private at = 0;
  private line = 1;
  private lineStart = 0;
  private table = "";

  constructor(private readonly text: string) {}

  run(): Positions {
    while (this.at < this.text.length) {
      this.skipBlank();
      const start: Position = { line: this.line, column: this.at - this.lineStart + 1 };
      if (this.text[this.at] === "[") this.header(start);
      else if (this.at < this.text.length && this.text[this.at] !== "\n") this.entry(start);
      this.skipStatement();
    }
    return this.found;
  }

  private skipBlank(): void {
    while (/[ \t\r]/.test(this.text[this.at] ?? "")) this.at++;
  }

  private header(start: Position): void {
    const repeated = this.text[this.at + 1] === "[";
    this.at += repeated ? 2 : 1;
    const keys = this.keys();
    // A name on the way may itself be repeated: it means the last of them.
    const parents = keys.slice(0, -1).reduce((path, key) => this.latest(join(path, key)), "");
    const path = join(parents, keys.at(-1) ?? "");
    if (!repeated) {
      this.table = path;
      this.note(path, start);
      return;
    }
    const index = this.counts.get(path) ?? 0;
    this.counts.set(path, index + 1);
    this.table = `${path}#${index}`;
    this.note(path, start);
    this.note(this.table, start);
  }

  private latest(path: string): string {
    const count = this.counts.get(path);
    return count === undefined ? path : `${path}#${count - 1}`;
  }

  private entry(start: Position): void {
    const path = this.keys().reduce(join, this.table);
    this.note(path, start);
    this.skipBlank();
    if (this.text[this.at] !== "=") return;
    this.at++;
    this.skipBlank();
    if (this.text[this.at] === "{") this.inlineTable(path);
    else if (this.text[this.at] === "[") this.inlineArray(path);
  }

  private inlineTable(path: string): void {
    this.at++;
    for (;;) {
      this.skipSpace();
      if (this.at >= this.text.length || this.text[this.at] === "}") break;
      const start: Position = { line: this.line, column: this.at - this.lineStart + 1 };
      const before = this.at;
      this.note(this.keys().reduce(join, path), start);
      this.skipValue();
      if (this.text[this.at] === ",") this.at++;
      if (this.at === before) return;
    }
    this.at++;
  }

  private inlineArray(path: string): void {
    this.at++;
    for (let index = 0; ; index++) {
      this.skipSpace();
      const character = this.text[this.at];
      if (character === undefined || character === "]") break;
      const before = this.at;
      this.note(`${path}#${index}`, { line: this.line, column: this.at - this.lineStart + 1 });
      if (character === "{") this.inlineTable(`${path}#${index}`);
      this.skipValue();
      if (this.text[this.at] === ",") this.at++;
      if (this.at === before) return;
    }
    this.at++;
  }

  private note(path: string, position: Position): void {
    if (!this.found.has(path)) this.found.set(path, position);
  }

  /** Keys with dots between them, bare or quoted. */
  private keys(): string[] {
    const keys: string[] = [];
    for (;;) {
      this.skipBlank();
      const rest = this.text.slice(this.at, this.at + 300);
      const match = rest.match(/^(?:"((?:[^"\\\n]|\\.)*)"|'([^'\n]*)'|([A-Za-z0-9_-]+))/);
      if (!match) return keys;
      keys.push(match[1] ?? match[2] ?? match[3] ?? "");
      this.at += match[0].length;
      this.skipBlank();
      if (this.text[this.at] !== ".") return keys;
      this.at++;
    }
  }

  /** Blanks, comments and line ends inside brackets. */
  private skipSpace(): void {
    while (this.at < this.text.length) {
      const character = this.text[this.at] ?? "";
      if (character === "#") this.skipComment();
      else if (/\s/.test(character)) this.step();
      else return;
    }
  }

  /** To the comma or bracket behind a value in brackets. */
  private skipValue(): void {
    this.skipUntil((character) => character === "," || character === "}" || character === "]");
  }

  /** To the beginning of the next line that is not inside a value. */
  private skipStatement(): void {
    this.skipUntil((character) => character === "\n");
    if (this.at < this.text.length) this.step();
  }

  private skipUntil(isEnd: (character: string) => boolean): void {
    let depth = 0;
    while (this.at < this.text.length) {
      const character = this.text[this.at] ?? "";
      if (depth === 0 && isEnd(character)) return;
      if (character === "#") this.skipComment();
      else if (character === '"' || character === "'") this.skipString(character);
      else {
        if (character === "[" || character === "{") depth++;
        if (character === "]" || character === "}") depth = Math.max(0, depth - 1);
        this.step();
      }
    }
  }

  private skipComment(): void {
    while (this.at < this.text.length && this.text[this.at] !== "\n") this.at++;
  }

  private skipString(quote: string): void {
    const long = this.text.startsWith(quote.repeat(3), this.at);
    const end = long ? quote.repeat(3) : quote;
    this.at += end.length;
    while (this.at < this.text.length && !this.text.startsWith(end, this.at)) {
      if (!long && this.text[this.at] === "\n") return;
      if (quote === '"' && this.text[this.at] === "\\") this.step();
      this.step();
    }
    this.at += end.length;
  }

  private step(): void {
    if (this.text[this.at] === "\n") {
      this.line++;
      this.lineStart = this.at + 1;
    }
    this.at++;
  }
}

const join = (path: string, key: string): string => (path === "" ? key : `${path}.${key}`);
