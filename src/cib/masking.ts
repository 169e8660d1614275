import { CrmExit, HactlError, isSecretParameter, MASKED, secretReference } from "../terms/index.ts";
import type { XmlElement } from "./xml.ts";

/**
 * A configuration without secrets, for whoever may not see them: values of pairs, and of parameters that the history
 * keeps under their own names, by their names. What is secret by `isSecret` reads `MASKED`; the original is untouched.
 */
export function maskXml(
  root: XmlElement,
  isSecret: (name: string) => boolean = isSecretParameter,
): XmlElement {
  const attributes = maskedAttributes(root, isSecret);
  return { ...root, attributes, children: root.children.map((item) => maskXml(item, isSecret)) };
}

/** Attributes of an element as whoever may not see secrets is shown them. */
export function maskedAttributes(
  item: XmlElement,
  isSecret: (name: string) => boolean = isSecretParameter,
): Map<string, string> {
  const named = item.attributes.get("name");
  const attributes = new Map(item.attributes);
  const value = attributes.get("value");
  if (item.name === "nvpair" && named !== undefined && isSecret(named) && value !== undefined)
    if (value !== secretReference) attributes.set("value", MASKED);
  for (const name of item.name === "parameters" ? item.attributes.keys() : [])
    if (isSecret(name)) attributes.set(name, MASKED);
  return attributes;
}

/**
 * Puts back what is masked in a document that somebody has read without its secrets, changed and brought back: the mask
 * in a pair stands for the value that the pair has now.
 * @throws HactlError MASKED, for a pair that has no value yet
 */
export function keepSecrets(before: XmlElement, draft: XmlElement): void {
  const masked: XmlElement[] = [];
  visit(draft, (item) => {
    if (isMasked(item)) masked.push(item);
  });
  if (masked.length === 0) return;
  const known = new Map<string, string>();
  visit(before, (item) => {
    const value = item.attributes.get("value");
    if (isSecretPair(item) && value !== undefined) known.set(placeOf(item), value);
  });
  for (const pair of masked) {
    const value = known.get(placeOf(pair));
    if (value === undefined) throw withoutValue(pair);
    pair.attributes.set("value", value);
  }
}

/** Whether an element is a pair whose value is a secret, by its name. */
export const isSecretPair = ({ name, attributes }: XmlElement): boolean =>
  name === "nvpair" && isSecretParameter(attributes.get("name") ?? "");
const isMasked = (item: XmlElement): boolean => item.attributes.get("value") === MASKED && isSecretPair(item);
const placeOf = ({ attributes }: XmlElement): string =>
  JSON.stringify([attributes.get("id"), attributes.get("name")]);

function visit(root: XmlElement, look: (item: XmlElement) => void): void {
  look(root);
  for (const item of root.children) visit(item, look);
}

const withoutValue = ({ attributes, line }: XmlElement): HactlError =>
  new HactlError({
    code: "MASKED",
    what: `"${MASKED}" of ${attributes.get("name")} stands for a value that nobody has given yet (nvpair "${attributes.get("id")}")`,
    ...(line === undefined ? {} : { where: { line } }),
    cure: `give the value itself, or keep it out of the configuration (cibsecret set)`,
    exit: CrmExit.CONFIG,
  });
