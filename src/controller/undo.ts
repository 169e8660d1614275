import type { XmlElement } from "../cib/index.ts";

/**
 * Takes back what was done to a tree of elements since `begin`: whoever changes an element's attributes or its list of
 * children calls `touch` first. Attempts may lie within others. Costs a shallow copy of what is touched, so that applying a message costs no more in a
 * large cluster than in a small one.
 */
export class Undo {
  /** As things were at each `begin`, the innermost last. */
  readonly #saved: Map<XmlElement, Pick<XmlElement, "attributes" | "children">>[] = [];

  begin(): void {
    this.#saved.push(new Map());
  }

  /** The element is about to be changed. */
  touch(element: XmlElement): void {
    const saved = this.#saved.at(-1);
    if (!saved || saved.has(element)) return;
    const { attributes, children } = element;
    saved.set(element, { attributes: new Map(attributes), children: [...children] });
  }

  /** What was done stays, unless the attempt around it is taken back. */
  commit(): void {
    const inner = this.#saved.pop();
    const outer = this.#saved.at(-1);
    if (!outer) return;
    for (const [element, saved] of inner ?? []) if (!outer.has(element)) outer.set(element, saved);
  }

  /** Everything is as it was at `begin`. */
  rollback(): void {
    for (const [element, saved] of this.#saved.pop() ?? []) Object.assign(element, saved);
  }
}
