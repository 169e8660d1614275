import { element, type XmlElement } from "../cib/index.ts";
import type { Cluster, Resource } from "./model.ts";

/** Whether an element is an `ocf:pacemaker:remote` primitive. */
export function isRemoteConnection(xml: XmlElement): boolean {
  const { attributes } = xml;
  return (
    attributes.get("type") === "remote" &&
    attributes.get("provider")?.toLowerCase() === "pacemaker" &&
    attributes.get("class")?.toLowerCase() === "ocf"
  );
}

export interface ConnectionOptions {
  readonly migratable?: string | undefined;
  readonly managed?: string | undefined;
  readonly startTimeout?: string | undefined;
  readonly server?: string | undefined;
  readonly port?: string | undefined;
}

/** A connection resource for a guest or bundle node, carried by `container`. */
export function connectionXml(id: string, container: string, options: ConnectionOptions): XmlElement {
  const pair = (set: string, name: string, value: string) =>
    element("nvpair", { id: `${id}-${set}-${name}`, name, value });
  const meta = [
    pair("meta_attributes", "internal_rsc", "true"),
    pair("meta_attributes", "container", container),
  ];
  if (options.migratable !== undefined)
    meta.push(pair("meta_attributes", "allow-migrate", options.migratable));
  if (options.managed !== undefined) meta.push(pair("meta_attributes", "is-managed", options.managed));
  const children = [element("meta_attributes", { id: `${id}-meta_attributes` }, meta)];
  const params = [];
  if (options.server !== undefined) params.push(pair("instance_attributes", "addr", options.server));
  if (options.port !== undefined) params.push(pair("instance_attributes", "port", options.port));
  if (params.length > 0)
    children.push(element("instance_attributes", { id: `${id}-instance_attributes` }, params));
  const ops = [element("op", { id: `${id}-monitor-30s`, name: "monitor", interval: "30s", timeout: "30s" })];
  if (options.startTimeout !== undefined)
    ops.push(
      element("op", { id: `${id}-start-0`, name: "start", interval: "0", timeout: options.startTimeout }),
    );
  children.push(element("operations", {}, ops));
  return element("primitive", { id, class: "ocf", provider: "pacemaker", type: "remote" }, children);
}

/** Ties resources to the container that meta attribute `container` names. */
export function linkContainers(cluster: Cluster, rsc: Resource): void {
  const name = rsc.isPrimitive ? rsc.meta.get("container") : undefined;
  // A group's setting reaches all its members, the container among them.
  if (name !== undefined && name !== rsc.id) {
    const container = cluster.resourceById.get(name);
    if (container) {
      rsc.container = container;
      if (!container.fillers.includes(rsc)) container.fillers.push(rsc);
    } else cluster.error(`Resource "${rsc.id}": no container named "${name}"`, rsc.id);
  }
  for (const part of rsc.children) linkContainers(cluster, part);
}

/** Ties a connection resource and its node together. */
export function linkRemoteNode(cluster: Cluster, rsc: Resource): void {
  const node = cluster.nodeByName.get(rsc.id);
  if (node?.kind !== "remote") return;
  node.remoteRsc = rsc;
  rsc.remoteNode = node;
  if (rsc.container) node.attributes.set("#kind", "container");
  else node.unclean = cluster.options.startupFencing;
}
