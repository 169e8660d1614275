import { CrmExit, HactlError, isSecretParameter, MASKED, secretReference } from "../../terms/index.ts";
import { isSecretPair } from "../masking.ts";
import { indexById } from "../nvpairs.ts";
import type { XmlElement } from "../xml.ts";

/**
 * What somebody who is shown secrets masked may not do with them: have them shown under another name, given to a resource of
 * his own or compared by a rule, or find out that he has guessed one.
 */
export class Secrecy {
  /** The secrets of the draft, by the attributes of their pairs. */
  readonly #secrets = new Map<ReadonlyMap<string, string>, string>();
  readonly #touched = new Set<XmlElement>();
  /** All of the document. */
  readonly #before: readonly Placed[];

  /**
   * @param before the document
   * @param draft a copy of it that has not been changed yet
   */
  constructor(
    before: XmlElement,
    private readonly draft: XmlElement,
  ) {
    this.#before = elementsOf(before);
    for (const { item } of elementsOf(draft)) {
      const value = secretOf(item);
      if (value !== undefined) this.#secrets.set(item.attributes, value);
    }
  }

  /** Attributes of an element of the draft are set. */
  readonly touch = (item: XmlElement): void => {
    this.#touched.add(item);
  };

  /**
   * The draft as it would be if he had given wrong values for the secrets that he has given and that are right; undefined when
   * there are none. Before the masks are replaced.
   */
  wrong(): (<T>(use: () => T) => T) | undefined {
    const known = new Set(
      this.#before.flatMap(({ item }) => {
        const value = secretOf(item);
        return value === undefined ? [] : [`${item.attributes.get("id")} ${value}`];
      }),
    );
    const guessed = elementsOf(this.draft)
      .map(({ item }) => item)
      .filter((item) => !this.#secrets.has(item.attributes) || this.#touched.has(item))
      .filter((item) => known.has(`${item.attributes.get("id")} ${secretOf(item)}`));
    if (guessed.length === 0) return undefined;
    return (use) => {
      const values = guessed.map(({ attributes }) => attributes.get("value") ?? "");
      for (const { attributes } of guessed) attributes.set("value", MASKED);
      try {
        return use();
      } finally {
        for (const [at, { attributes }] of guessed.entries()) attributes.set("value", values[at] ?? "");
      }
    };
  }

  /** Refuses what would show a secret. @throws HactlError MASKED */
  check(): void {
    const elements = elementsOf(this.draft);
    for (const { item } of elements) {
      const secret = this.#secrets.get(item.attributes);
      if (secret !== undefined && secret === item.attributes.get("value") && secretOf(item) === undefined)
        throw shown(`nvpair "${item.attributes.get("id")}" holds a secret, which another name would show`);
    }
    const borrowed = new Set(this.#before.flatMap(borrowing));
    const fresh = elements.filter((one) => borrowing(one).some((key) => !borrowed.has(key)));
    if (fresh.length === 0) return;
    const index = indexById(this.draft);
    for (const { item } of fresh) {
      const { attributes } = item;
      if (attributes.has("value-source"))
        throw shown(`a rule would compare the secret parameter "${attributes.get("value")}"`);
      const source = index.get(attributes.get("id-ref") ?? "");
      if (source && elementsOf(source).some((one) => secretOf(one.item) !== undefined))
        throw shown(`<${item.name}> would refer to "${attributes.get("id-ref")}", which holds a secret`);
    }
  }
}

interface Placed {
  readonly item: XmlElement;
  /** Id of what it is in. */
  readonly parent: string;
}

function elementsOf(item: XmlElement, parent = ""): Placed[] {
  const id = item.attributes.get("id") ?? parent;
  return [{ item, parent }, ...item.children.flatMap((one) => elementsOf(one, id))];
}

/** The value of a pair that has a secret. */
function secretOf(item: XmlElement): string | undefined {
  if (!isSecretPair(item)) return undefined;
  const value = item.attributes.get("value");
  return value === secretReference || value === MASKED ? undefined : value;
}

/** Names the use of something that stands elsewhere, or nothing. */
function borrowing({ item: { name, attributes }, parent }: Placed): readonly string[] {
  const reference = attributes.get("id-ref");
  if (reference !== undefined) return [JSON.stringify([parent, name, reference, attributes.get("name")])];
  const value = attributes.get("value") ?? "";
  if (!["param", "meta"].includes(attributes.get("value-source") ?? "") || !isSecretParameter(value))
    return [];
  return [JSON.stringify([parent, name, attributes.get("attribute"), attributes.get("operation"), value])];
}

const shown = (what: string): HactlError =>
  new HactlError({
    code: "MASKED",
    what,
    cure: "give what is needed under a name and with a value of its own, or ask an administrator",
    exit: CrmExit.INSUFFICIENT_PRIV,
  });
