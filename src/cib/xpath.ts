import { CrmExit, HactlError } from "../terms/index.ts";
import type { XmlElement } from "./xml.ts";

/** An element with the way to it. */
export interface PathNode {
  readonly element: XmlElement;
  readonly parent: PathNode | undefined;
}

/** Elements that one search may look at, again and again where it goes up and down: a second's work. */
const mostLooks = 10_000_000;
/** Deepest nesting of conditions, and longest path. */
const deepest = 50;
const longest = 16 * 1024;

/** Counts what a search looks at; a search that would take for ever is refused, not left to it. */
class Budget {
  #left = mostLooks;

  spend(count: number, xpath: string): void {
    this.#left -= count;
    if (this.#left >= 0) return;
    throw new HactlError({
      code: "XPATH_LIMIT",
      what: `XPath "${xpath.slice(0, 200)}" looks at more than ${mostLooks} elements`,
      cure: "name the way to what you look for, with fewer // and ..",
      exit: CrmExit.USAGE,
    });
  }
}

type Test = (node: PathNode, position: number, count: number) => boolean | number;
interface Step {
  readonly deep: boolean;
  readonly name: string;
  readonly tests: readonly Test[];
}

/**
 * Elements that an XPath finds, in document order, each once. It takes what cluster tools use: `/cib/…` and `//name`
 * steps with `*`, `.` and `..`, unions with `|`, predicates with `@a`, `@a='v'`, `!=`, positions, `last()`,
 * `position()`, `name()`, `contains()`, `starts-with()`, `not()`, `and`, `or` and paths below. Throws HactlError
 * `XPATH_SYNTAX` for what it does not understand.
 */
export function selectXpath(root: XmlElement, xpath: string): PathNode[] {
  const budget = new Budget();
  const walk = (nodes: readonly PathNode[], steps: readonly Step[]) => follow(nodes, steps, budget, xpath);
  const parser = new XpathParser(xpath, walk);
  const paths = parser.union();
  const found = new Map<XmlElement, PathNode>();
  for (const { absolute, steps } of paths) {
    const top: PathNode = { element: root, parent: undefined };
    const start: PathNode = {
      element: { name: "", attributes: new Map(), children: [root] },
      parent: undefined,
    };
    for (const node of walk([absolute ? start : top], steps)) found.set(node.element, node);
  }
  // Steps down one level at a time find things in their order already.
  if (paths.length === 1 && !paths[0]?.steps.some(({ deep }) => deep)) return [...found.values()];
  const rank = new Map<XmlElement, number>();
  const visit = (source: XmlElement) => {
    rank.set(source, rank.size);
    source.children.forEach(visit);
  };
  visit(root);
  return [...found.values()].sort((a, b) => (rank.get(a.element) ?? 0) - (rank.get(b.element) ?? 0));
}

type Walk = (nodes: readonly PathNode[], steps: readonly Step[]) => PathNode[];

function follow(
  start: readonly PathNode[],
  steps: readonly Step[],
  budget: Budget,
  xpath: string,
): PathNode[] {
  const spend = (count: number) => budget.spend(count, xpath);
  let nodes = [...start];
  for (const { deep, name, tests } of steps) {
    const next = new Map<XmlElement, PathNode>();
    const origins = deep ? nodes.flatMap((node) => withDescendants(node, spend)) : nodes;
    for (const origin of origins) {
      spend(1 + (name === "." || name === ".." ? 0 : origin.element.children.length));
      let candidates = stepFrom(origin, name);
      for (const test of tests) {
        spend(candidates.length);
        const count = candidates.length;
        candidates = candidates.filter((node, index) => {
          const result = test(node, index + 1, count);
          return typeof result === "number" ? result === index + 1 : result;
        });
      }
      for (const node of candidates) next.set(node.element, node);
    }
    nodes = [...next.values()];
  }
  return nodes;
}

function stepFrom(origin: PathNode, name: string): PathNode[] {
  if (name === ".") return [origin];
  if (name === "..")
    return origin.parent === undefined || origin.parent.element.name === "" ? [] : [origin.parent];
  return origin.element.children
    .filter((element) => name === "*" || element.name === name)
    .map((element) => ({ element, parent: origin }));
}

function withDescendants(node: PathNode, spend: (count: number) => void): PathNode[] {
  const all = [node];
  for (let index = 0; index < all.length; index++) {
    const current = all[index];
    spend(1);
    for (const element of current?.element.children ?? []) all.push({ element, parent: current });
  }
  return all;
}

interface Path {
  readonly absolute: boolean;
  readonly steps: readonly Step[];
}

const tokenPattern = /\s*(\/\/|\||!=|\.\.|[/[\]()=@,*]|"[^"]*"|'[^']*'|\d+|[A-Za-z_][\w.-]*(?:\(\))?|\.)/y;

class XpathParser {
  readonly #text: string;
  readonly #tokens: string[] = [];
  #position = 0;
  #depth = 0;

  constructor(
    text: string,
    private readonly walk: Walk,
  ) {
    this.#text = text;
    if (text.length > longest) throw this.#error(`it has ${text.length} characters; ${longest} are possible`);
    const end = text.trimEnd().length;
    tokenPattern.lastIndex = 0;
    while (tokenPattern.lastIndex < end) {
      const match = tokenPattern.exec(text);
      if (!match) throw this.#error("it has characters that do not belong there");
      this.#tokens.push(match[1] ?? "");
    }
    if (this.#tokens.length === 0) throw this.#error("it is empty");
  }

  union(): Path[] {
    const paths = [this.#path()];
    while (this.#take("|")) paths.push(this.#path());
    if (this.#peek() !== undefined) throw this.#error(`"${this.#peek()}" does not belong there`);
    return paths;
  }

  #path(): Path {
    const steps: Step[] = [];
    const absolute = this.#peek() === "/" || this.#peek() === "//";
    if (!absolute) steps.push(this.#step(false));
    for (;;) {
      if (this.#take("//")) steps.push(this.#step(true));
      else if (this.#take("/")) {
        if (absolute && steps.length === 0 && this.#peek() === undefined) return { absolute, steps };
        steps.push(this.#step(false));
      } else return { absolute, steps };
    }
  }

  #step(deep: boolean): Step {
    const name = this.#next("the name of an element");
    if (name === "@") throw this.#error("it ends at an attribute; only elements can be found");
    if (!/^([A-Za-z_][\w.-]*|\*|\.\.?)$/.test(name)) throw this.#error(`"${name}" is no name of an element`);
    const tests: Test[] = [];
    while (this.#take("[")) {
      tests.push(this.#or());
      this.#expect("]");
    }
    return { deep, name, tests };
  }

  #or(): Test {
    if (++this.#depth > deepest) throw this.#error(`conditions nest more than ${deepest} levels`);
    const parts = [this.#and()];
    while (this.#take("or")) parts.push(this.#and());
    this.#depth--;
    const [only] = parts;
    return parts.length === 1 && only ? only : (...args) => parts.some((part) => truth(part, args));
  }

  #and(): Test {
    const parts = [this.#primary()];
    while (this.#take("and")) parts.push(this.#primary());
    const [only] = parts;
    return parts.length === 1 && only ? only : (...args) => parts.every((part) => truth(part, args));
  }

  #primary(): Test {
    const token = this.#peek() ?? "";
    if (this.#take("(")) {
      const inner = this.#or();
      this.#expect(")");
      return inner;
    }
    if (/^\d+$/.test(token)) {
      this.#position++;
      return () => Number(token);
    }
    if (this.#take("last()")) return (_node, _position, count) => count;
    if (token === "not" && this.#tokens[this.#position + 1] === "(") {
      this.#position += 2;
      const inner = this.#or();
      this.#expect(")");
      return (...args) => !truth(inner, args);
    }
    if (token === "contains" || token === "starts-with") return this.#function(token);
    return this.#comparison();
  }

  #function(name: string): Test {
    this.#position++;
    this.#expect("(");
    const text = this.#value();
    this.#expect(",");
    const wanted = this.#literal();
    this.#expect(")");
    return (node, position) => {
      const actual = text(node, position);
      if (actual === undefined) return false;
      return name === "contains" ? actual.includes(wanted) : actual.startsWith(wanted);
    };
  }

  /** `@a`, `@a='v'`, `position()=2`, or a path below that finds something. */
  #comparison(): Test {
    const token = this.#peek() ?? "";
    if (token !== "@" && !/^(position|name|local-name)\(\)$/.test(token)) {
      const { steps } = this.#path();
      return (node) => this.walk([node], steps).length > 0;
    }
    const value = this.#value();
    const equal = this.#take("=");
    if (!equal && !this.#take("!=")) return (node, position) => value(node, position) !== undefined;
    const wanted = this.#literal();
    return (node, position) => {
      const actual = value(node, position);
      return actual !== undefined && (actual === wanted) === equal;
    };
  }

  #value(): (node: PathNode, position: number) => string | undefined {
    const token = this.#next("@NAME");
    if (token === "position()") return (_node, position) => String(position);
    if (token === "name()" || token === "local-name()") return ({ element }) => element.name;
    if (token !== "@") throw this.#error(`"${token}" stands where an attribute should`);
    const name = this.#next("the name of an attribute");
    return ({ element }) => element.attributes.get(name);
  }

  #literal(): string {
    const token = this.#next("a value in quotes");
    if (/^\d+$/.test(token)) return token;
    if (!/^["']/.test(token)) throw this.#error(`"${token}" stands where a value in quotes should`);
    return token.slice(1, -1);
  }

  #peek(): string | undefined {
    return this.#tokens[this.#position];
  }

  #take(token: string): boolean {
    if (this.#peek() !== token) return false;
    this.#position++;
    return true;
  }

  #next(what: string): string {
    const token = this.#peek();
    if (token === undefined) throw this.#error(`it ends where ${what} should follow`);
    this.#position++;
    return token;
  }

  #expect(token: string): void {
    if (!this.#take(token)) throw this.#error(`it lacks "${token}"`);
  }

  #error(what: string): HactlError {
    return new HactlError({
      code: "XPATH_SYNTAX",
      what: `XPath "${this.#text.slice(0, 200)}" is not understood: ${what}`,
      cure: "write it like //primitive[@id='vip']/meta_attributes",
      exit: CrmExit.USAGE,
    });
  }
}

/** A number is true where it is the position. */
function truth(test: Test, args: readonly [PathNode, number, number]): boolean {
  const result = test(...args);
  return typeof result === "number" ? result === args[1] : result;
}
