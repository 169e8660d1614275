import type { XmlElement } from "../cib/index.ts";
import { unpackCluster } from "../scheduler/index.ts";
import { CrmExit, HactlError } from "../terms/index.ts";
import { idOf, resourcesOf } from "./resources.ts";

/**
 * What of them runs and is managed, each with the nodes where it does: it would be stopped at once.
 * @param cib the cluster's CIB as it is @param gone ids of primitives that a change takes away
 */
export function runningOf(
  cib: XmlElement,
  gone: ReadonlySet<string>,
): ReadonlyMap<string, ReadonlySet<string>> {
  if (gone.size === 0) return new Map();
  const { resourceById } = unpackCluster(cib, Math.floor(Date.now() / 1000));
  const places = new Map<string, Set<string>>();
  for (const rsc of resourceById.values()) {
    if (!gone.has(rsc.configId) || !rsc.isPrimitive || !rsc.managed || rsc.runningOn.length === 0) continue;
    const nodes = places.get(rsc.configId) ?? new Set();
    for (const { name } of rsc.runningOn) nodes.add(name);
    places.set(rsc.configId, nodes);
  }
  return places;
}

/** Where each of them runs, a sentence each. */
export const placesText = (places: ReadonlyMap<string, ReadonlySet<string>>): string[] =>
  [...places].map(([id, nodes]) => `${id} is running on ${[...nodes].join(", ")}`);

/**
 * Refuses a change that takes away what runs, and names all of it. Parameters as above.
 * @throws HactlError RUNNING
 */
export function refuseWhileRunning(cib: XmlElement, gone: ReadonlySet<string>): void {
  const places = runningOf(cib, gone);
  const ids = [...places.keys()];
  if (ids.length === 0) return;
  const where = placesText(places);
  const them = ids.length === 1 ? "it" : "them";
  const stops = ids.map((id) => `hactl resource stop ${id} --wait`).join("; ");
  throw new HactlError({
    code: "RUNNING",
    what: where.join("; "),
    cure: `stop ${them} first (${stops}), or say --force: then ${ids.length === 1 ? "it is" : "they are"} stopped at once`,
    exit: CrmExit.UNSAFE,
  });
}

/** Ids of the primitives of one configuration that another does not have. */
export function primitivesGone(before: XmlElement, after: XmlElement): Set<string> {
  const primitives = (configuration: XmlElement) =>
    new Set(
      resourcesOf(configuration)
        .map(({ xml }) => xml)
        .filter(({ name }) => name === "primitive")
        .map(idOf),
    );
  return primitives(before).difference(primitives(after));
}
