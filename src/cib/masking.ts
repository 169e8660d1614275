import {
  CrmExit,
  HactlError,
  isSecretParameter,
  MASKED,
  secretReference,
  withoutInstance,
} from "../terms/index.ts";
import { child, type XmlElement } from "./xml.ts";

/**
 * A configuration without secrets, for whoever may not see them: values of pairs, and of parameters that the history
 * keeps under their own names, by their names. What is secret by `isSecret` reads `MASKED`; the original is untouched.
 */
export function maskXml(
  root: XmlElement,
  isSecret: (name: string) => boolean = isSecretParameter,
): XmlElement {
  const isOpen = openHistories(root, isSecret);
  const masked = (item: XmlElement): XmlElement => ({
    ...item,
    attributes: maskedAttributes(item, isOpen, isSecret),
    children: item.children.map(masked),
  });
  return masked(root);
}

/** Digests of parameters: who knows all of them but a secret could try values until the digest is the same. */
const digests: readonly string[] = ["op-digest", "op-restart-digest", "op-secure-digest"];

/** Whether the digests in an entry of the history are of no secret. */
export type IsOpen = (operation: XmlElement) => boolean;

/** Tells of a document's history which of it is of resources that are configured without a secret. */
export function openHistories(
  root: XmlElement,
  isSecret: (name: string) => boolean = isSecretParameter,
): IsOpen {
  let open: ReadonlySet<string> | undefined;
  return ({ attributes }) => {
    open ??= withoutSecret(root, isSecret);
    const [operation, interval] = [attributes.get("operation"), attributes.get("interval")];
    const key = attributes.get("operation_key") ?? "";
    const end = `_${operation}_${interval}`;
    return key.endsWith(end) && open.has(withoutInstance(key.slice(0, -end.length)));
  };
}

/** Ids of the primitives of a document that have no secret. */
function withoutSecret(root: XmlElement, isSecret: (name: string) => boolean): ReadonlySet<string> {
  const open = new Set<string>();
  const holdsSecret = (item: XmlElement): boolean =>
    (item.name === "nvpair" && isSecret(item.attributes.get("name") ?? "")) ||
    item.children.some(holdsSecret);
  const definitions: XmlElement[] = [];
  visit(child(child(root, "configuration"), "resources") ?? root, (item) => {
    if (item.name === "primitive" || item.name === "template") definitions.push(item);
  });
  // What is said elsewhere may be referred to from anywhere.
  const secretive = new Set(definitions.filter(holdsSecret).map(({ attributes }) => attributes.get("id")));
  const isReferring = (item: XmlElement): boolean =>
    item.attributes.has("id-ref") || item.children.some(isReferring);
  for (const item of definitions) {
    const { attributes } = item;
    if (secretive.has(attributes.get("id")) || secretive.has(attributes.get("template"))) continue;
    if (secretive.size === 0 || !isReferring(item)) open.add(attributes.get("id") ?? "");
  }
  return open;
}

/** Attributes of an element as whoever may not see secrets is shown them. @param isOpen see `openHistories` */
export function maskedAttributes(
  item: XmlElement,
  isOpen: IsOpen,
  isSecret: (name: string) => boolean = isSecretParameter,
): Map<string, string> {
  const named = item.attributes.get("name");
  const attributes = new Map(item.attributes);
  const value = attributes.get("value");
  if (item.name === "nvpair" && named !== undefined && isSecret(named) && value !== undefined)
    if (value !== secretReference) attributes.set("value", MASKED);
  if (item.name === "lrm_rsc_op" && !isOpen(item))
    for (const name of digests) if (attributes.has(name)) attributes.set(name, MASKED);
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
