import { element, type XmlElement } from "../../../src/cib/index.ts";
import type { Random } from "../../sim/random.ts";
import type { Sketch } from "../random-cluster.ts";

/** A cluster that features are added to, one after the other. */
export interface Wide {
  readonly cib: XmlElement;
  readonly sketch: Sketch;
  /** Numbers of the feature alone: another feature more or less does not change what this one makes. */
  readonly random: Random;
}

/** Adds one kind of thing to a cluster. Leaves it valid. */
export type Feature = (wide: Wide) => void;

/** All elements of a name below another, in document order. */
export function every(root: XmlElement, name: string): XmlElement[] {
  return root.children.flatMap((each) => [...(each.name === name ? [each] : []), ...every(each, name)]);
}

/** The part of the configuration with a name; made when it is missing. */
export function section({ cib }: Wide, name: string): XmlElement {
  const configuration = cib.children.find((each) => each.name === "configuration");
  if (!configuration) throw new Error("a CIB without configuration");
  const found = configuration.children.find((each) => each.name === name);
  if (found) return found;
  const made = element(name);
  configuration.children.push(made);
  return made;
}

/** Takes away sets without values and what holds nothing at all: the schema does not allow some of them. */
export function dropEmpty({ cib }: Pick<Wide, "cib">): void {
  const optional = new Set(["rsc_defaults", "op_defaults", "tags", "fencing-topology"]);
  const configuration = cib.children.find((each) => each.name === "configuration");
  if (!configuration) return;
  configuration.children = configuration.children.filter(
    (each) => each.children.length > 0 || !optional.has(each.name),
  );
}

/** Sets one value in the first set of a kind; what was there under the name goes. */
export function setValue(owner: XmlElement, kind: string, name: string, value: string): void {
  const set = firstSet(owner, kind);
  const id = `${set.attributes.get("id")}-${name.replaceAll("#", "_")}`;
  const others = set.children.filter((each) => each.attributes.get("name") !== name);
  set.children = [...others, element("nvpair", { id, name, value })];
}

/** The first set of a kind of an owner; made, empty, when there is none. */
export function firstSet(owner: XmlElement, kind: string): XmlElement {
  const found = owner.children.find((each) => each.name === kind && !each.attributes.has("id-ref"));
  if (found) return found;
  const id = owner.attributes.get("uname") ?? owner.attributes.get("id") ?? owner.name;
  const made = element(kind, { id: `${owner.name}-${id}-${kind}` });
  owner.children.unshift(made);
  return made;
}

/** A cluster-wide option. */
export function setOption(wide: Wide, name: string, value: string): void {
  setValue(section(wide, "crm_config"), "cluster_property_set", name, value);
}

/** Primitives, those in groups and clones included. */
export const primitivesOf = (wide: Wide): XmlElement[] => every(section(wide, "resources"), "primitive");

/** Every resource of a kind that may have meta attributes. */
export const resourcesOf = (wide: Wide): XmlElement[] =>
  ["primitive", "group", "clone", "bundle"].flatMap((name) => every(section(wide, "resources"), name));

export const idOf = (xml: XmlElement): string => xml.attributes.get("id") ?? "";

export const operationsOf = (primitive: XmlElement): XmlElement[] => every(primitive, "op");

export const nodeStates = (wide: Wide): XmlElement[] => every(wide.cib, "node_state");

export const isFencing = (primitive: XmlElement): boolean => primitive.attributes.get("class") === "stonith";

/** Whether a primitive is in a clone that has roles. */
export const isPromotable = ({ sketch }: Wide, primitive: XmlElement): boolean =>
  sketch.instances.some(({ id, promotable }) => promotable && id === idOf(primitive));

/** Attributes of a node that live as long as it is up; nothing for a node that is down. */
export function transientOf(state: XmlElement): XmlElement | undefined {
  const found = state.children.find(({ name }) => name === "transient_attributes");
  if (found || state.attributes.get("crmd") !== "online") return found;
  const made = element("transient_attributes", { id: idOf(state) }, [
    element("instance_attributes", { id: `status-${idOf(state)}` }),
  ]);
  state.children.unshift(made);
  return made;
}

/** The histories of a node; made when there are none yet. */
export function historiesOf(state: XmlElement): XmlElement {
  const [found] = every(state, "lrm_resources");
  if (found) return found;
  const made = element("lrm_resources");
  state.children.push(element("lrm", { id: idOf(state) }, [made]));
  return made;
}

/** Whether a node is a member and has joined. */
export const isMember = (state: XmlElement): boolean =>
  state.attributes.get("crmd") === "online" && state.attributes.get("join") === "member";
