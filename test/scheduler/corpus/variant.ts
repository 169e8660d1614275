import type { XmlElement } from "../../../src/cib/index.ts";
import type { Random } from "../../sim/random.ts";
import { every } from "../wide/wide.ts";

/** A cluster that is being changed. */
export interface Variant {
  readonly cib: XmlElement;
  readonly random: Random;
  /** Time of the cluster, in seconds. */
  readonly now: number;
}

/** Makes one small change; says what it changed, or nothing when the cluster has nothing of the kind. */
export type Change = (variant: Variant) => string | undefined;

/** A group of changes: how likely it is beside the others, and what belongs to it. */
export interface Topic {
  readonly weight: number;
  readonly changes: readonly Change[];
}

/** One of a list, or nothing of an empty one. */
export const pick = <T>({ random }: Variant, list: readonly T[]): T | undefined =>
  list.length === 0 ? undefined : random.pick(list);

export const get = (xml: XmlElement, name: string): string => xml.attributes.get(name) ?? "";

/** Elements of the kinds that are named, in the configuration. */
export function configured({ cib }: Variant, ...names: readonly string[]): XmlElement[] {
  const configuration = cib.children.find(({ name }) => name === "configuration");
  return configuration ? names.flatMap((name) => every(configuration, name)) : [];
}

/** States of the nodes that are no remote ones. */
export const memberStates = ({ cib }: Variant): XmlElement[] =>
  every(cib, "node_state").filter(
    (state) => get(state, "remote_node") !== "true" && get(state, "uname") !== "",
  );

/** Names of all nodes that the configuration or the status knows. */
export function nodeNames(variant: Variant): string[] {
  const nodes = [...configured(variant, "node"), ...every(variant.cib, "node_state")];
  return [...new Set(nodes.map((node) => get(node, "uname")).filter((name) => name !== ""))];
}

/** Takes an element out of the tree. */
export function remove(root: XmlElement, target: XmlElement): void {
  root.children = root.children.filter((each) => each !== target);
  for (const each of root.children) remove(each, target);
}

/** An id that nothing in the cluster has. */
export function freshId({ cib }: Variant, stem: string): string {
  const taken = new Set<string>();
  const visit = (xml: XmlElement) => {
    const id = xml.attributes.get("id");
    if (id !== undefined) taken.add(id);
    xml.children.forEach(visit);
  };
  visit(cib);
  for (let at = 1; ; at++) if (!taken.has(`${stem}-${at}`)) return `${stem}-${at}`;
}
