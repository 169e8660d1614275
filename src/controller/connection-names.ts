import {
  bundleContainer,
  bundleReplicas,
  child,
  childrenOf,
  connectionsToMembers,
  isRemote,
  type XmlElement,
} from "../cib/index.ts";

/**
 * Names under which the configuration may have a connection to a remote or guest node: those of all primitives, since
 * one may get its type from a template, those that `remote-node` gives, and those of a bundle's replicas
 * (Pacemaker Explained, "Bundle").
 */
export function connectionNames(configuration: XmlElement | undefined): ReadonlySet<string> {
  const names = new Set<string>();
  const visit = (at: XmlElement): void => {
    const { attributes } = at;
    const id = attributes.get("id") ?? "";
    if (at.name === "primitive") names.add(id);
    if (at.name === "nvpair" && attributes.get("name") === "remote-node")
      names.add(attributes.get("value") ?? "");
    if (at.name === "bundle")
      for (let replica = 0; replica < bundleReplicas(at); replica++) names.add(`${id}-${replica}`);
    for (const inner of at.children) visit(inner);
  };
  const resources = child(configuration, "resources");
  if (resources) visit(resources);
  return names;
}

/**
 * Guest nodes by the resource that they run in: what `remote-node` makes one of, and the containers of bundles with a
 * primitive. What goes by the name of a member is none.
 */
export function guestsByContainer(configuration: XmlElement | undefined): ReadonlyMap<string, string> {
  const guests = new Map<string, string>();
  const taken = new Set(connectionsToMembers(configuration).map(({ source }) => source));
  const visit = (at: XmlElement): void => {
    const id = at.attributes.get("id") ?? "";
    if (at.name === "primitive")
      for (const meta of at.children.filter(({ name }) => name === "meta_attributes"))
        for (const pair of meta.children)
          if (pair.attributes.get("name") === "remote-node" && !taken.has(pair))
            guests.set(id, pair.attributes.get("value") ?? "");
    const kind = at.name === "bundle" && !taken.has(at) && bundleContainer(at);
    if (kind)
      for (let replica = 0; replica < bundleReplicas(at); replica++)
        guests.set(`${id}-${kind}-${replica}`, `${id}-${replica}`);
    for (const inner of at.children) visit(inner);
  };
  const resources = child(configuration, "resources");
  if (resources) visit(resources);
  return guests;
}

/**
 * Names of the remote nodes that have a connection of their own (ocf:pacemaker:remote): guests have it by what carries
 * them, and what goes by the name of a member is none.
 */
export function remoteHosts(configuration: XmlElement | undefined): ReadonlySet<string> {
  const resources = child(configuration, "resources");
  const templates = new Set(
    childrenOf(resources, "template")
      .filter(isRemote)
      .map(({ attributes }) => attributes.get("id")),
  );
  const names = new Set<string>();
  const taken = new Set(connectionsToMembers(configuration).map(({ source }) => source));
  const visit = (at: XmlElement): void => {
    const { attributes } = at;
    if (taken.has(at)) return;
    if (at.name === "primitive" && (isRemote(at) || templates.has(attributes.get("template"))))
      names.add(attributes.get("id") ?? "");
    at.children.forEach(visit);
  };
  if (resources) visit(resources);
  return names;
}
