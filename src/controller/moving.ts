import { child, parseBoolean, type XmlElement } from "../cib/index.ts";
import type { Operation } from "../executor/index.ts";
import { nodeName } from "../terms/index.ts";
import type { Moving } from "./messages.ts";

/** What an operation moves to another node while it is under way. */
export function movedBy({ rsc, action, params }: Operation): readonly Moving[] {
  const to = params.CRM_meta_migrate_target;
  return action === "migrate_to" && to !== undefined ? [{ rsc: rsc.id, to: nodeName(to) }] : [];
}

/**
 * Primitives that agents may be moving without a stop (`allow-migrate`), by what stands at them; all of them where it
 * stands elsewhere, as in a template or in the defaults.
 */
export function migratable(configuration: XmlElement | undefined): readonly string[] {
  const all: string[] = [];
  const own = new Set<string>();
  let everywhere = false;
  const visit = (at: XmlElement, primitive: string | undefined): void => {
    const { name, attributes } = at;
    const within = name === "primitive" ? attributes.get("id") : primitive;
    if (name === "primitive" && within !== undefined) all.push(within);
    if (name === "nvpair" && attributes.get("name") === "allow-migrate") {
      if (parseBoolean(attributes.get("value")) !== true) return;
      if (within === undefined) everywhere = true;
      else own.add(within);
    }
    for (const inner of at.children) visit(inner, within);
  };
  for (const section of ["resources", "rsc_defaults"]) {
    const xml = child(configuration, section);
    if (xml) visit(xml, undefined);
  }
  return everywhere ? all : all.filter((id) => own.has(id));
}
