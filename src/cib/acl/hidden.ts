import type { XmlElement } from "../xml.ts";
import type { Sight } from "./sight.ts";

/**
 * Watches over what is hidden from those who change a document. Whoever says of something hidden what it is, is refused
 * even when he is right: a change that changes nothing would tell him so.
 */
export class HiddenParts {
  /** Elements of the draft that have something hidden in themselves. */
  readonly #hidden: readonly XmlElement[];
  readonly #touched = new Set<XmlElement>();

  /**
   * @param cib the document
   * @param draft a copy of it that has not been changed yet
   * @param sight what may be seen of the document
   */
  constructor(cib: XmlElement, draft: XmlElement, sight: Sight) {
    const copies = new Map([...sight.original].map(([shown, source]) => [source, shown]));
    const found: XmlElement[] = [];
    const visit = (source: XmlElement, copy: XmlElement) => {
      const shown = copies.get(source);
      const partly =
        shown === undefined || shown.attributes.size < source.attributes.size || shown.text !== source.text;
      if (partly && source !== cib) found.push(copy);
      for (const [index, item] of source.children.entries()) {
        const same = copy.children[index];
        if (same) visit(item, same);
      }
    };
    visit(cib, draft);
    this.#hidden = found;
  }

  /** Attributes or text of an element of the draft are set. */
  readonly touch = (element: XmlElement): void => {
    this.#touched.add(element);
  };

  /** Whether everything that is hidden is still there, and nobody has said anything of it. */
  untouched(draft: XmlElement): boolean {
    const present = new Set<XmlElement>();
    const visit = (item: XmlElement) => {
      present.add(item);
      item.children.forEach(visit);
    };
    visit(draft);
    return this.#hidden.every((item) => present.has(item) && !this.#touched.has(item));
  }
}
