import type { XmlElement } from "../cib/index.ts";
import { unpackCluster } from "../scheduler/index.ts";
import { CrmExit, HactlError } from "../terms/index.ts";
import { idOf, resourcesOf } from "./resources.ts";

/**
 * What runs, is managed and would not be configured any more would be stopped at once: all of it is named.
 * @param cib the cluster's CIB as it is @param gone ids of primitives that the change takes away
 * @throws HactlError RUNNING
 */
export function refuseWhileRunning(cib: XmlElement, gone: ReadonlySet<string>): void {
  if (gone.size === 0) return;
  const { resourceById } = unpackCluster(cib, Math.floor(Date.now() / 1000));
  const places = new Map<string, Set<string>>();
  for (const rsc of resourceById.values()) {
    if (!gone.has(rsc.configId) || !rsc.isPrimitive || !rsc.managed || rsc.runningOn.length === 0) continue;
    const nodes = places.get(rsc.configId) ?? new Set();
    for (const { name } of rsc.runningOn) nodes.add(name);
    places.set(rsc.configId, nodes);
  }
  const ids = [...places.keys()];
  if (ids.length === 0) return;
  const where = [...places].map(([id, nodes]) => `${id} is running on ${[...nodes].join(", ")}`);
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
