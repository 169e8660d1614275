import { CrmExit, HactlError, lookup } from "../terms/index.ts";
import type { XmlElement } from "./xml.ts";

/** An element with the way to it. */
export interface PathNode {
  readonly element: XmlElement;
  readonly parent: PathNode | undefined;
}

type Test = (node: PathNode, position: number, count: number) => boolean | number;
type Value = (node: PathNode, position: number) => readonly string[];
interface Step {
  /** Behind `//`: from the node and all below it. */
  readonly deep: boolean;
  readonly axis: Axis;
  readonly name: string;
  readonly tests: readonly Test[];
}

/**
 * Elements that an XPath finds, in document order, each once. It takes what cluster tools use: `/cib/…` and `//name`
 * steps with `*`, `.`, `..` and the axes to and between elements, unions with `|`, predicates with `@a`, `@a='v'`,
 * `!=`, positions, `last()`, `position()`, `name()`, `contains()`, `starts-with()`, `not()`, `and`, `or` and paths.
 * Throws HactlError `XPATH_SYNTAX` for what it does not understand, `XPATH_LIMIT` for what would take too long.
 */
export function selectXpath(root: XmlElement, xpath: string, effort: Effort = newEffort()): PathNode[] {
  const paths = new XpathParser(xpath).union();
  if (paths.some(({ attribute }) => attribute !== undefined))
    throw notUnderstood(xpath, "it ends at an attribute; only elements can be found");
  return select(root, paths, effort);
}

/**
 * The same for a path that may end at an attribute or a text: then the elements that have it. `/` is the root. This is how
 * permissions name what they are for (Pacemaker Explained, "ACL Roles").
 */
export function selectHolders(root: XmlElement, xpath: string): XmlElement[] {
  return select(root, new XpathParser(xpath).union(), newEffort()).map(({ element }) => element);
}

/** Whether a path says which elements it is for by their own names, and not only by where they are or what they have. */
export const namesElements = (xpath: string): boolean =>
  new XpathParser(xpath).union().every(({ steps }) => !["*", "node()"].includes(steps.at(-1)?.name ?? ""));

/** Throws HactlError `XPATH_SYNTAX` unless `selectHolders` understands the path. */
export function checkHolderXpath(xpath: string): void {
  new XpathParser(xpath).union();
}

/** A value in quotes that an XPath compares something with. */
export interface XpathLiteral {
  /** The value, without its quotes. */
  readonly text: string;
  /** Where it stands in the path: between its quotes. */
  readonly start: number;
  readonly end: number;
  /** Name of the element whose attribute is compared, `*` for any. */
  readonly element: string;
  /** Name of the attribute that is compared; undefined for a text or a function. */
  readonly attribute: string | undefined;
  /** Whether it has to be the value as a whole, not only a part of it. */
  readonly whole: boolean;
}

/** All values in quotes in a path, in its order. @throws HactlError `XPATH_SYNTAX` */
export function xpathLiterals(xpath: string): readonly XpathLiteral[] {
  const parser = new XpathParser(xpath);
  parser.union();
  return parser.literals;
}

/** How many elements may still be looked at, again and again where a path says so. */
export interface Effort {
  left: number;
  readonly most: number;
}

/**
 * Paths come from people and from the network, and every member follows them: one that looks at everything from everywhere
 * would keep all of them from their work. It is done in seconds, and more than a sensible path needs in the largest CIB.
 */
export const newEffort = (most = mostLooks): Effort => ({ left: most, most });

/** Elements that one search may look at: some seconds' work. */
const mostLooks = 10_000_000;

/** What the path that is being followed may still take. */
let spending: Effort = newEffort(0);

const spend = (elements: number) => spendOf(spending, elements);

/** Takes what looking at so many elements costs. Throws HactlError `XPATH_LIMIT` when that is more than is left. */
export function spendOf(effort: Effort, elements: number): void {
  effort.left -= elements;
  if (effort.left >= 0) return;
  throw new HactlError({
    code: "XPATH_LIMIT",
    what: `more than ${effort.most} elements would have to be looked at`,
    cure: "ask for less at a time; in an XPath name the way to what you look for, with fewer // and ..",
    exit: CrmExit.USAGE,
  });
}

function select(root: XmlElement, paths: readonly Path[], effort: Effort): PathNode[] {
  spending = effort;
  const found = new Map<XmlElement, PathNode>();
  for (const path of paths) {
    const top: PathNode = { element: root, parent: undefined };
    for (const node of follow(top, path)) {
      // What is above the root is the document, and that stands for its root.
      const hit = node.element.name === "" ? top : node;
      if (has(hit, path.attribute)) found.set(hit.element, hit);
    }
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

/** Whether the element has the attribute, or the text, that a path ends at. */
function has({ element }: PathNode, attribute: string | undefined): boolean {
  if (attribute === undefined) return true;
  if (attribute === TEXT) return element.text !== undefined;
  return attribute === "*" ? element.attributes.size > 0 : element.attributes.has(attribute);
}

/** Nodes at the end of a path that begins at a node, or above the root where it is absolute. */
function follow(from: PathNode, { absolute, steps }: Path): PathNode[] {
  if (!absolute) return walk([from], steps);
  let top = from;
  while (top.parent !== undefined) top = top.parent;
  const above = { name: "", attributes: new Map(), children: [top.element] };
  return walk([top.element.name === "" ? top : { element: above, parent: undefined }], steps);
}

function walk(start: readonly PathNode[], steps: readonly Step[]): PathNode[] {
  let nodes = [...start];
  for (const { deep, axis, name, tests } of steps) {
    const next = new Map<XmlElement, PathNode>();
    const origins = deep ? nodes.flatMap(withDescendants) : nodes;
    spend(origins.length);
    for (const origin of origins) {
      const reached = axes[axis](origin);
      spend(reached.length);
      let candidates = reached.filter(
        ({ element }) => name === "node()" || element.name === name || (name === "*" && element.name !== ""),
      );
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

/** Where each axis leads, the nearest first (XPath 1.0, 2.2). */
const axes = lookup({
  child: (origin) => origin.element.children.map((element) => ({ element, parent: origin })),
  self: (origin) => [origin],
  parent: ({ parent }) => (parent === undefined ? [] : [parent]),
  descendant: (origin) => withDescendants(origin).slice(1),
  "descendant-or-self": withDescendants,
  ancestor: ({ parent }) => (parent === undefined ? [] : withAncestors(parent)),
  "ancestor-or-self": withAncestors,
  "following-sibling": (origin) => siblings(origin, 1),
  "preceding-sibling": (origin) => siblings(origin, -1),
} satisfies Readonly<Record<string, (origin: PathNode) => PathNode[]>>);
type Axis = keyof typeof axes;

function withAncestors(node: PathNode): PathNode[] {
  const all: PathNode[] = [];
  for (let at: PathNode | undefined = node; at !== undefined; at = at.parent) all.push(at);
  return all;
}

function siblings({ element, parent }: PathNode, direction: 1 | -1): PathNode[] {
  if (parent === undefined) return [];
  const all = parent.element.children;
  const place = all.indexOf(element);
  const found = direction === 1 ? all.slice(place + 1) : all.slice(0, place).reverse();
  return found.map((one) => ({ element: one, parent }));
}

function withDescendants(node: PathNode): PathNode[] {
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
  /** Name of the attribute that it ends at, `*` for any, or TEXT. */
  readonly attribute?: string;
}

const TEXT = "text()";
/** Deepest nesting of conditions, and longest path. */
const deepestPath = 50;
const longestPath = 16 * 1024;

const tokenPattern = /\s*(\/\/|::|\||!=|\.\.|[/[\]()=@,*]|"[^"]*"|'[^']*'|\d+|[A-Za-z_][\w.-]*(?:\(\))?|\.)/y;

class XpathParser {
  readonly #text: string;
  readonly #tokens: string[] = [];
  /** Where each token ends in the text. */
  readonly #ends: number[] = [];
  readonly literals: XpathLiteral[] = [];
  /** The element whose conditions are read. */
  #element = "*";
  /** What the last value that was read is of. */
  #compared: Pick<XpathLiteral, "element" | "attribute"> = { element: "*", attribute: undefined };
  #depth = 0;
  #position = 0;

  constructor(text: string) {
    this.#text = text;
    if (text.length > longestPath)
      throw this.#error(`it has ${text.length} characters; ${longestPath} are possible`);
    const end = text.trimEnd().length;
    tokenPattern.lastIndex = 0;
    while (tokenPattern.lastIndex < end) {
      const match = tokenPattern.exec(text);
      if (!match) throw this.#error("it has characters that do not belong there");
      this.#tokens.push(match[1] ?? "");
      this.#ends.push(tokenPattern.lastIndex);
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
    if (!absolute) {
      const attribute = this.#step(steps, false);
      if (attribute !== undefined) return { absolute, steps, attribute };
    }
    for (;;) {
      const deep = this.#take("//");
      if (!deep && !this.#take("/")) return { absolute, steps };
      if (!deep && absolute && steps.length === 0 && this.#peek() === undefined) return { absolute, steps };
      const attribute = this.#step(steps, deep);
      if (attribute !== undefined) return { absolute, steps, attribute };
    }
  }

  /** Adds a step; or answers the attribute, or the text, that the path ends at. */
  #step(steps: Step[], deep: boolean): string | undefined {
    const first = this.#next("the name of an element");
    const named = this.#take("::");
    if (first === "@" || (named && first === "attribute")) return this.#end(steps, deep, this.#attribute());
    if (first === TEXT) return this.#end(steps, deep, TEXT);
    if (named && !Object.hasOwn(axes, first)) throw this.#error(`"${first}" is no axis that is known here`);
    const axis = named ? (first as Axis) : first === "." ? "self" : first === ".." ? "parent" : "child";
    const word = named ? this.#next("the name of an element") : first;
    const name = !named && /^\.\.?$/.test(word) ? "node()" : word;
    if (!/^([A-Za-z_][\w.-]*|\*|node\(\))$/.test(name))
      throw this.#error(`"${name}" is no name of an element`);
    const tests: Test[] = [];
    const outer = this.#element;
    this.#element = name === "node()" ? "*" : name;
    while (this.#take("[")) {
      tests.push(this.#or());
      this.#expect("]");
    }
    this.#element = outer;
    steps.push({ deep, axis, name, tests });
    return undefined;
  }

  #end(steps: Step[], deep: boolean, attribute: string): string {
    if (deep) steps.push({ deep, axis: "self", name: "node()", tests: [] });
    return attribute;
  }

  #attribute(): string {
    const name = this.#next("the name of an attribute");
    if (!/^([A-Za-z_][\w.-]*|\*)$/.test(name)) throw this.#error(`"${name}" is no name of an attribute`);
    return name;
  }

  #or(): Test {
    if (++this.#depth > deepestPath) throw this.#error(`conditions nest more than ${deepestPath} levels`);
    const test = this.#alternatives();
    this.#depth--;
    return test;
  }

  #alternatives(): Test {
    const parts = [this.#and()];
    while (this.#take("or")) parts.push(this.#and());
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
    const value = this.#value();
    this.#expect(",");
    const wanted = this.#literal(false);
    this.#expect(")");
    return (node, position) => {
      const [actual] = value(node, position);
      if (actual === undefined) return false;
      return name === "contains" ? actual.includes(wanted) : actual.startsWith(wanted);
    };
  }

  /** `@a`, `@a='v'`, `position()=2`, `nvpair/@name='v'`, or a path that finds something. */
  #comparison(): Test {
    const value = this.#value();
    const equal = this.#take("=");
    if (!equal && !this.#take("!=")) return (node, position) => value(node, position).length > 0;
    const wanted = this.#literal();
    return (node, position) => value(node, position).some((actual) => (actual === wanted) === equal);
  }

  /** The texts that an expression stands for at a node: one of a function, any number of a path. */
  #value(): Value {
    this.#compared = { element: this.#element, attribute: undefined };
    if (this.#take("position()")) return (_node, position) => [String(position)];
    if (this.#take("name()") || this.#take("local-name()")) return ({ element }) => [element.name];
    const path = this.#path();
    const last = path.steps.findLast(({ name }) => name !== "node()")?.name;
    this.#compared = {
      element: last ?? (path.steps.length === 0 ? this.#element : "*"),
      attribute: path.attribute,
    };
    return (node) => follow(node, path).flatMap(({ element }) => texts(element, path.attribute));
  }

  #literal(whole = true): string {
    const token = this.#next("a value in quotes");
    if (/^\d+$/.test(token)) return token;
    if (!/^["']/.test(token)) throw this.#error(`"${token}" stands where a value in quotes should`);
    const end = (this.#ends[this.#position - 1] ?? 0) - 1;
    const text = token.slice(1, -1);
    this.literals.push({ ...this.#compared, text, start: end - text.length, end, whole });
    return text;
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
    return notUnderstood(this.#text, what);
  }
}

const notUnderstood = (xpath: string, what: string) =>
  new HactlError({
    code: "XPATH_SYNTAX",
    what: `XPath "${xpath.length > 200 ? `${xpath.slice(0, 200)}…` : xpath}" is not understood: ${what}`,
    cure: "write it like //primitive[@id='vip']/meta_attributes",
    exit: CrmExit.USAGE,
  });

function texts(element: XmlElement, attribute: string | undefined): string[] {
  if (attribute === undefined || attribute === TEXT) return [element.text ?? ""];
  if (attribute === "*") return [...element.attributes.values()];
  const value = element.attributes.get(attribute);
  return value === undefined ? [] : [value];
}

/** A number is true where it is the position. */
function truth(test: Test, args: readonly [PathNode, number, number]): boolean {
  const result = test(...args);
  return typeof result === "number" ? result === args[1] : result;
}
