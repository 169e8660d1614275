import { type FindById, indexById, type NvValue, unpackNvpairs } from "./nvpairs.ts";
import { containerKinds } from "./resource-kinds.ts";
import { child, childrenOf, type XmlElement } from "./xml.ts";

/** A primitive with what comes to it from its template, from what it is in, and from the defaults. */
export interface Settled {
  readonly xml: XmlElement;
  readonly template: XmlElement | undefined;
  /** What it is in, from the inside out. */
  readonly containers: readonly XmlElement[];
  /** By its own word or its template's. */
  readonly class: string;
  /** Meta attributes that hold apart from dates. */
  readonly meta: ReadonlyMap<string, NvValue>;
  readonly parameters: ReadonlyMap<string, NvValue>;
  readonly operations: readonly XmlElement[];
}

/** All primitives of a configuration, in document order. */
export function settledPrimitives(configuration: XmlElement): Settled[] {
  const index = indexById(configuration);
  const find: FindById = (id) => index.get(id);
  const defaults = child(configuration, "rsc_defaults");
  const visit = (parent: XmlElement, containers: readonly XmlElement[]): Settled[] =>
    parent.children.flatMap((item) => {
      if (containerKinds.has(item.name)) return visit(item, [item, ...containers]);
      if (item.name !== "primitive") return [];
      const named = find(item.attributes.get("template") ?? "");
      const template = named?.name === "template" ? named : undefined;
      const own = [item, ...(template ? [template] : [])];
      const values = (holders: readonly XmlElement[], set: string) =>
        unpackNvpairs(holders, set, { now: 0 }, { find }).values;
      return [
        {
          xml: item,
          template,
          containers,
          class: (template ?? item).attributes.get("class") ?? "",
          meta: values([...own, ...containers, ...(defaults ? [defaults] : [])], "meta_attributes"),
          parameters: values(own, "instance_attributes"),
          operations: operationsOf(own, find),
        },
      ];
    });
  const resources = child(configuration, "resources");
  return resources ? visit(resources, []) : [];
}

/** A resource has those of its template beside its own; where both have one, its own counts. */
function operationsOf(holders: readonly XmlElement[], find: FindById): XmlElement[] {
  const found = new Map<string, XmlElement>();
  for (const holder of holders)
    for (const block of childrenOf(holder, "operations")) {
      const source = find(block.attributes.get("id-ref") ?? "") ?? block;
      for (const op of childrenOf(source, "op")) {
        const key = `${op.attributes.get("name")} ${op.attributes.get("interval") ?? "0"}`;
        if (!found.has(key)) found.set(key, op);
      }
    }
  return [...found.values()];
}
