import { CrmExit, HactlError, isXmlText, type Place } from "../terms/index.ts";
import { child, deepestNesting, type XmlElement } from "./xml.ts";
import { checkName } from "./xml-names.ts";

interface Limits {
  /** Bytes as XML. */
  readonly bytes: number;
  readonly elements: number;
}

/**
 * What the configuration may be: ten times the largest that are known. Every member reads, copies and checks all of it for
 * each change, which takes a second at this size.
 */
export const CONFIGURATION_LIMITS: Limits = { bytes: 16 * 1024 * 1024, elements: 100_000 };
/**
 * What the status may be: the histories of a large cluster. A node that joins receives it together with the configuration
 * in one message, of which the ring carries 64 MiB.
 */
const statusLimits: Limits = { bytes: 32 * 1024 * 1024, elements: 1_000_000 };
/** Longest id or name in a configuration: what is made of it (an instance's number, an operation's key, an attribute's name) has room yet. */
export const LONGEST_NAME = 512;
/** Highest number of a version. Beyond it one number more would be none. */
const highest = Number.MAX_SAFE_INTEGER;

const named: ReadonlySet<string> = new Set(["id", "uname", "name", "class", "provider", "type", "ticket"]);

/** Whether a document has the form of a CIB: one configuration, and a status at most. Throws HactlError `NOT_A_CIB`. */
export function refuseOtherForm(cib: XmlElement): void {
  const count = (name: string) => cib.children.filter((item) => item.name === name).length;
  const others = cib.children.find(({ name }) => name !== "configuration" && name !== "status");
  if (cib.name === "cib" && count("configuration") === 1 && count("status") <= 1 && !others) return;
  const what =
    cib.name !== "cib"
      ? `the document would be <${cib.name}>, not <cib>`
      : others
        ? `<${others.name}> cannot stand in <cib>`
        : "<cib> must have one <configuration> and one <status>";
  throw storeError("NOT_A_CIB", what, {}, "change what is in the configuration, not the document itself");
}

/** Versions that a change has set itself have to be numbers that can be counted on from. Throws HactlError `VERSION`. */
export function refuseWrongVersions(after: XmlElement, before: XmlElement): void {
  for (const name of ["admin_epoch", "epoch", "num_updates"]) {
    const text = after.attributes.get(name);
    if (text === undefined || text === before.attributes.get(name)) continue;
    if (/^\d{1,16}$/.test(text) && Number(text) <= highest) continue;
    const cure = `write a whole number from 0 to ${highest}`;
    throw storeError("VERSION", `${name} cannot be "${text.slice(0, 40)}"`, {}, cure);
  }
}

/**
 * Refuses a part of a document that could be written but not read back: names that are none, characters that XML cannot hold, too
 * many levels; and one of a size that not every member could take. Throws HactlError `XML_NAME`, `XML_CHARACTER`,
 * `XML_TOO_DEEP`, `TOO_LARGE`.
 */
export function refuseUnreadable(section: XmlElement): void {
  new Check(section.name).visit(section, section.name === "cib" ? 1 : 2);
}

/** Refuses a text that is too large a part of any CIB, before it is read. Throws HactlError `TOO_LARGE`. */
export function refuseTooLarge(xml: string): void {
  const { bytes, elements } = CONFIGURATION_LIMITS;
  let tags = xml.length > bytes ? Number.POSITIVE_INFINITY : 0;
  for (let at = xml.indexOf("<"); at >= 0 && tags <= 2 * elements; at = xml.indexOf("<", at + 1)) tags++;
  if (tags > 2 * elements)
    throw tooLarge("what is to be changed", `${elements} elements or ${bytes / 2 ** 20} MiB`, {});
}

/**
 * Refuses a document that is far beyond what a cluster could take, before anything is made of it: what is checked and rehearsed beyond that
 * takes all memory. Throws HactlError `TOO_LARGE`.
 */
export function refuseTooMany(cib: XmlElement, where: Place): void {
  const most = 2 * CONFIGURATION_LIMITS.elements;
  const configuration = cib.name === "configuration" ? cib : child(cib, "configuration");
  if (configuration === undefined || countElements(configuration) <= most) return;
  throw storeError(
    "TOO_LARGE",
    `the configuration has more than ${most} elements, twice what a cluster takes`,
    where,
    "give a smaller one: no cluster can take this",
  );
}

/** How many elements there are, with this one. */
export const countElements = (top: XmlElement): number =>
  top.children.reduce((sum, item) => sum + countElements(item), 1);

class Check {
  readonly #limits: Limits;
  #bytes = 0;
  #elements = 0;

  constructor(private readonly what: string) {
    this.#limits = what === "status" ? statusLimits : CONFIGURATION_LIMITS;
  }

  visit(source: XmlElement, depth: number): void {
    const { name, attributes, children, text } = source;
    const id = attributes.get("id");
    const where: Place = id === undefined ? {} : { id: id.slice(0, LONGEST_NAME) };
    if (depth > deepestNesting) {
      const what = `elements nest more than ${deepestNesting} levels`;
      throw storeError("XML_TOO_DEEP", what, where, "no configuration needs that");
    }
    checkName(name, "an element", where);
    // Both tags, the indentation and the end of each line.
    this.#count(2 * name.length + 4 * depth + 8, where);
    this.#elements++;
    if (this.#elements > this.#limits.elements)
      throw tooLarge(`the ${this.what}`, `${this.#limits.elements} elements`, where);
    for (const [key, value] of attributes) {
      checkName(key, "an attribute", where);
      checkText(value, `the attribute "${key}"`, where);
      if (value.length > LONGEST_NAME && named.has(key) && this.what === "configuration") {
        const what = `the attribute "${key}" has ${value.length} characters; ${LONGEST_NAME} are possible`;
        throw storeError("NAME_TOO_LONG", what, {}, "choose a shorter name");
      }
      this.#count(key.length + 4 + writtenLength(value), where);
    }
    if (text !== undefined) {
      checkText(text, `the text of <${name}>`, where);
      this.#count(writtenLength(text), where);
    }
    for (const item of children) this.visit(item, depth + 1);
  }

  #count(bytes: number, where: Place): void {
    this.#bytes += bytes;
    const { bytes: most } = this.#limits;
    if (this.#bytes > most) throw tooLarge(`the ${this.what}`, `${most / 2 ** 20} MiB as XML`, where);
  }
}

function tooLarge(what: string, limit: string, where: Place): HactlError {
  const cure =
    "every member holds all of it in memory, checks it at each change and sends it to those that join";
  return storeError("TOO_LARGE", `${what} would be larger than ${limit}`, where, cure);
}

function checkText(text: string, what: string, where: Place): void {
  if (isXmlText(text)) return;
  throw storeError("XML_CHARACTER", `${what} has characters that XML cannot hold`, where, "leave them out");
}

/** Bytes of a text with what is escaped, at most. */
function writtenLength(text: string): number {
  let length = text.length;
  // An escape has six characters at most; three bytes are the most that one UTF-16 unit takes.
  if (/[&<>"\n\t\r]/.test(text)) length += 5 * (text.match(/[&<>"\n\t\r]/g)?.length ?? 0);
  return /^[\0-\x7f]*$/.test(text) ? length : 3 * length;
}

const storeError = (code: string, what: string, where: Place, cure: string) =>
  new HactlError({ code, what, where, cure, exit: CrmExit.DATAERR });
