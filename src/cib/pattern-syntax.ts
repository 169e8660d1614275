import { CrmExit, HactlError } from "../terms/index.ts";

/** What a regular expression says. */
export type Syntax =
  | { readonly kind: "char"; readonly test: (char: string) => boolean }
  | {
      readonly kind: "assert";
      readonly test: (before: string | undefined, after: string | undefined) => boolean;
    }
  | { readonly kind: "sequence"; readonly parts: readonly Syntax[] }
  | { readonly kind: "either"; readonly parts: readonly Syntax[] }
  | { readonly kind: "group"; readonly number: number; readonly inner: Syntax }
  | { readonly kind: "repeat"; readonly inner: Syntax; readonly least: number; readonly most: number };

/** Most repetitions with a count (regex(7), RE_DUP_MAX). */
const mostRepetitions = 255;
/** Deepest nesting of groups. */
const deepest = 50;

const word = /[A-Za-z0-9_]/;
const isWord = (char: string | undefined) => char !== undefined && word.test(char);

/** Classes of characters by their names (regex(7)). */
const classes: ReadonlyMap<string, RegExp> = new Map([
  ["alnum", /[\p{L}\p{N}]/u],
  ["alpha", /\p{L}/u],
  ["blank", /[ \t]/],
  ["cntrl", /\p{Cc}/u],
  ["digit", /[0-9]/],
  ["graph", /[^\s\p{C}]/u],
  ["lower", /\p{Ll}/u],
  ["print", /[^\p{C}]/u],
  ["punct", /[\p{P}\p{S}]/u],
  ["space", /\s/],
  ["upper", /\p{Lu}/u],
  ["xdigit", /[0-9A-Fa-f]/],
]);

/** Letters behind a backslash that mean a class; in capitals what is not in it. */
const shorthands: ReadonlyMap<string, RegExp> = new Map([
  ["d", /[0-9]/],
  ["w", word],
  ["s", /\s/],
]);

const badPattern = (what: string) =>
  new HactlError({
    code: "BAD_PATTERN",
    what: `it is not a regular expression that is understood: ${what}`,
    cure: "write an extended regular expression (regex(7)), without references back to a group",
    exit: CrmExit.CONFIG,
  });

/** Reads a regular expression. @throws HactlError `BAD_PATTERN` */
export function parsePattern(source: string): { readonly syntax: Syntax; readonly groups: number } {
  const parser = new Parser(Array.from(source));
  return { syntax: parser.whole(), groups: parser.groups };
}

class Parser {
  groups = 0;
  #at = 0;

  constructor(private readonly chars: readonly string[]) {}

  whole(): Syntax {
    const syntax = this.#either(0);
    if (this.#at < this.chars.length) throw badPattern('a ")" closes nothing');
    return syntax;
  }

  #either(depth: number): Syntax {
    if (depth > deepest) throw badPattern(`groups nest more than ${deepest} levels`);
    const parts = [this.#sequence(depth)];
    while (this.#take("|")) parts.push(this.#sequence(depth));
    const [only] = parts;
    return only && parts.length === 1 ? only : { kind: "either", parts };
  }

  #sequence(depth: number): Syntax {
    const parts: Syntax[] = [];
    for (let char = this.#peek(); char !== undefined && char !== "|" && char !== ")"; char = this.#peek()) {
      let part = this.#atom(depth);
      for (let bounds = this.#bounds(); bounds; bounds = this.#bounds())
        part = { kind: "repeat", inner: part, ...bounds };
      parts.push(part);
    }
    return { kind: "sequence", parts };
  }

  #atom(depth: number): Syntax {
    const char = this.#next();
    switch (char) {
      case "(":
        return this.#group(depth);
      case "[":
        return { kind: "char", test: this.#bracket() };
      case ".":
        return { kind: "char", test: () => true };
      case "^":
        return { kind: "assert", test: (before) => before === undefined };
      case "$":
        return { kind: "assert", test: (_before, after) => after === undefined };
      case "\\":
        return this.#escape();
      case "*":
      case "+":
      case "?":
        throw badPattern(`"${char}" repeats nothing`);
      default:
        return { kind: "char", test: (other) => other === char };
    }
  }

  #group(depth: number): Syntax {
    const capturing = !this.#takeAll("?:");
    if (capturing && this.#peek() === "?") throw badPattern('what begins with "(?" is not known');
    const number = capturing ? ++this.groups : 0;
    const inner = this.#either(depth + 1);
    if (!this.#take(")")) throw badPattern('a "(" is not closed');
    return capturing ? { kind: "group", number, inner } : inner;
  }

  #escape(): Syntax {
    const char = this.#next();
    if (char === undefined) throw badPattern("it ends with a backslash");
    if (/[1-9]/.test(char)) throw badPattern(`"\\${char}" refers back to a group`);
    if (char === "b" || char === "B") {
      const wanted = char === "b";
      return { kind: "assert", test: (before, after) => (isWord(before) !== isWord(after)) === wanted };
    }
    const known = shorthands.get(char.toLowerCase());
    if (known) {
      const wanted = char === char.toLowerCase();
      return { kind: "char", test: (other) => known.test(other) === wanted };
    }
    return { kind: "char", test: (other) => other === char };
  }

  /** What a repetition says; undefined when there is none. */
  #bounds(): { readonly least: number; readonly most: number } | undefined {
    if (this.#take("*")) return { least: 0, most: Number.POSITIVE_INFINITY };
    if (this.#take("+")) return { least: 1, most: Number.POSITIVE_INFINITY };
    if (this.#take("?")) return { least: 0, most: 1 };
    if (this.#peek() !== "{") return undefined;
    const match = /^\{(\d{1,3})(,?)(\d{0,3})\}/.exec(this.chars.slice(this.#at, this.#at + 9).join(""));
    // A brace that bounds nothing is a brace.
    if (!match) return undefined;
    const [whole, from = "", comma, to] = match;
    const least = Number(from);
    const most = comma === "" ? least : to === "" ? Number.POSITIVE_INFINITY : Number(to);
    if (least > mostRepetitions || (most !== Number.POSITIVE_INFINITY && most > mostRepetitions))
      throw badPattern(`${whole} repeats more than ${mostRepetitions} times`);
    if (most < least) throw badPattern(`${whole} ends before it begins`);
    this.#at += whole.length;
    return { least, most };
  }

  /** What stands in brackets: characters, ranges, named classes. A backslash is one of the characters there. */
  #bracket(): (char: string) => boolean {
    const negated = this.#take("^");
    const tests: ((char: string) => boolean)[] = [];
    for (let first = true; ; first = false) {
      const char = this.#next();
      if (char === undefined) throw badPattern('a "[" is not closed');
      if (char === "]" && !first) break;
      if (char === "[" && this.#peek() === ":") {
        tests.push(this.#named());
        continue;
      }
      const end = this.chars[this.#at + 1];
      if (this.#peek() !== "-" || end === "]" || end === undefined) {
        tests.push((other) => other === char);
        continue;
      }
      this.#at += 2;
      if (end < char) throw badPattern(`the range ${char}-${end} ends before it begins`);
      tests.push((other) => other >= char && other <= end);
    }
    return (char) => tests.some((test) => test(char)) !== negated;
  }

  #named(): (char: string) => boolean {
    const rest = this.chars.slice(this.#at, this.#at + 12).join("");
    const name = /^:([a-z]+):\]/.exec(rest)?.[1];
    const known = name === undefined ? undefined : classes.get(name);
    if (name === undefined || !known) throw badPattern("the class of characters is not known");
    this.#at += name.length + 3;
    return (char) => known.test(char);
  }

  #peek(): string | undefined {
    return this.chars[this.#at];
  }

  #next(): string | undefined {
    return this.chars[this.#at++];
  }

  #take(char: string): boolean {
    if (this.#peek() !== char) return false;
    this.#at++;
    return true;
  }

  #takeAll(text: string): boolean {
    if (this.chars.slice(this.#at, this.#at + text.length).join("") !== text) return false;
    this.#at += text.length;
    return true;
  }
}
