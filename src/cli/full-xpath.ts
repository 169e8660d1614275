import type { PathNode, XmlElement } from "../cib/index.ts";
import { CrmExit, HactlError } from "../terms/index.ts";

/** A node of a document, as far as it is needed here (DOM Living Standard). */
interface Node {
  readonly nodeType: number;
  readonly parentNode: Node | null;
  /** Of an attribute. */
  readonly ownerElement?: Node | null;
}

interface Element extends Node {
  readonly setAttribute: (name: string, value: string) => void;
  readonly appendChild: (node: Node) => unknown;
}

interface Document extends Node {
  readonly documentElement: Element | null;
  readonly createElement: (name: string) => Element;
  readonly createTextNode: (text: string) => Node;
}

interface Libraries {
  readonly makeDocument: (name: string) => Document;
  readonly select: (xpath: string, document: Document) => unknown;
}

/** Both libraries' own types would bring those of a browser into the whole program. */
function libraries(): Libraries {
  const dom: { readonly DOMImplementation: new () => DomImplementation } = require("@xmldom/xmldom");
  const engine: { readonly select: Libraries["select"] } = require("xpath");
  const implementation = new dom.DOMImplementation();
  return { makeDocument: (name) => implementation.createDocument(null, name), select: engine.select };
}

interface DomImplementation {
  readonly createDocument: (namespace: null, name: string) => Document;
}

/** The DOM of a tree, and the way back from its elements. */
interface Mirror {
  readonly document: Document;
  readonly nodes: ReadonlyMap<Node, PathNode>;
}

function mirror(root: XmlElement, document: Document): Mirror {
  const nodes = new Map<Node, PathNode>();
  const fill = (into: Element, path: PathNode) => {
    nodes.set(into, path);
    const { attributes, children, text } = path.element;
    for (const [name, value] of attributes) into.setAttribute(name, value);
    if (text !== undefined && text !== "") into.appendChild(document.createTextNode(text));
    for (const item of children) {
      const inner = document.createElement(item.name);
      into.appendChild(inner);
      fill(inner, { element: item, parent: path });
    }
  };
  const top = document.documentElement;
  if (top) fill(top, { element: root, parent: undefined });
  return { document, nodes };
}

/**
 * What an XPath of any form (XPath 1.0) finds, in the order of the document, each element once: all axes, functions and
 * operators. Of an attribute or a text the element that it belongs to; a number, a truth or a word is nothing.
 * @throws HactlError XPATH_SYNTAX
 */
export function selectFully(root: XmlElement, xpath: string): PathNode[] {
  const { makeDocument, select } = libraries();
  const { document, nodes } = mirror(root, makeDocument(root.name));
  let found: unknown;
  try {
    found = select(xpath, document);
  } catch (error) {
    throw new HactlError({
      code: "XPATH_SYNTAX",
      what: `XPath "${xpath.length > 200 ? `${xpath.slice(0, 200)}…` : xpath}" is not understood: ${error instanceof Error ? error.message.split("\n")[0] : error}`,
      cure: "write it like //primitive[@id='vip']/meta_attributes",
      exit: CrmExit.USAGE,
    });
  }
  const list = Array.isArray(found) ? (found as Node[]) : [];
  const paths = list.flatMap((node) => nodes.get(ownerOf(node)) ?? []);
  return [...new Set(paths)];
}

/** The element of an attribute or a text; any other node itself, and of the document its element. */
function ownerOf(node: Node): Node {
  if (node.nodeType === 2) return node.ownerElement ?? node;
  if (node.nodeType === 3) return node.parentNode ?? node;
  if (node.nodeType === 9) return (node as Document).documentElement ?? node;
  return node;
}
