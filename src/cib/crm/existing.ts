import { CrmExit, HactlError } from "../../terms/index.ts";
import { parseIntervalMs } from "../time.ts";
import { child, childrenOf, type XmlElement } from "../xml.ts";
import type { Section } from "./objects.ts";
import { readCrm } from "./read.ts";
import { resourceElements } from "./resource-tree.ts";

/** Sections whose objects a statement makes; what is said of a node or an option is joined with what is there. */
const made: ReadonlySet<Section> = new Set(["resources", "constraints", "tags", "acls", "alerts"]);

/**
 * Refuses statements that define what the configuration has already: a name that is taken by oversight would have another
 * service lose its definition. To put a text in the place of what is there, there are `load update` and `edit`.
 * @throws HactlError EXISTS
 */
export function refuseExisting(text: string, configuration: XmlElement, file?: string): void {
  const present = new Map(
    [...made].flatMap((name) => {
      const section = child(configuration, name);
      if (section === undefined) return [];
      const objects = name === "resources" ? resourceElements(section) : section.children;
      return objects.map((object) => [object.attributes.get("id"), object] as const);
    }),
  );
  const { objects, operations } = readCrm(text);
  const monitored = new Set<string>();
  for (const { rsc, operation, line } of operations) {
    const place = `${rsc} ${parseIntervalMs(operation.attributes.get("interval"))}`;
    if (monitored.has(place) || hasMonitor(present.get(rsc), operation))
      throw exists("it has one of that interval already", `the monitor of "${rsc}"`, line, file);
    monitored.add(place);
  }
  for (const { section, keyword, line, element } of objects) {
    if (section === "fencing-topology" && (child(configuration, section)?.children.length ?? 0) > 0)
      throw exists("there are levels already, which all go with others", "fencing_topology", line, file);
    const id = element.attributes.get("id");
    const found = id === undefined || !made.has(section) ? undefined : present.get(id);
    if (found === undefined || id === undefined) continue;
    throw exists(`there is <${found.name}> "${id}" already`, `${keyword} "${id}"`, line, file, id);
  }
}

/** Whatever its role: two of one interval cannot be told apart where they run. */
function hasMonitor(resource: XmlElement | undefined, { attributes }: XmlElement): boolean {
  const ms = parseIntervalMs(attributes.get("interval"));
  return childrenOf(child(resource, "operations"), "op").some(
    (op) => op.attributes.get("name") === "monitor" && parseIntervalMs(op.attributes.get("interval")) === ms,
  );
}

/** `id`: of what is there, where another one could be chosen. */
const exists = (why: string, what: string, line: number, file?: string, id?: string) =>
  new HactlError({
    code: "EXISTS",
    what: `${what} cannot be made: ${why}`,
    where: { ...(id === undefined ? {} : { id }), ...(file === undefined ? {} : { file, line }) },
    cure: `${id === undefined ? "" : "choose another id; "}to change it say 'hactl configure edit${id === undefined ? "" : ` ${id}`}' or 'hactl configure load update FILE'`,
    exit: CrmExit.EXISTS,
  });
