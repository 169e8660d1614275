import { child, childrenOf, isRemote, parseInteger, type XmlElement } from "../cib/index.ts";

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
      for (let replica = 0; replica < replicas(at); replica++) names.add(`${id}-${replica}`);
    for (const inner of at.children) visit(inner);
  };
  const resources = child(configuration, "resources");
  if (resources) visit(resources);
  return names;
}

/** Guest nodes by the resource that they run in: what `remote-node` makes one of, and the containers of bundles with a primitive. */
export function guestsByContainer(configuration: XmlElement | undefined): ReadonlyMap<string, string> {
  const guests = new Map<string, string>();
  const visit = (at: XmlElement): void => {
    const id = at.attributes.get("id") ?? "";
    if (at.name === "primitive")
      for (const meta of at.children.filter(({ name }) => name === "meta_attributes"))
        for (const { attributes } of meta.children)
          if (attributes.get("name") === "remote-node") guests.set(id, attributes.get("value") ?? "");
    const kind = at.name === "bundle" && at.children.find(({ name }) => containers.has(name))?.name;
    if (kind && child(at, "primitive"))
      for (let replica = 0; replica < replicas(at); replica++)
        guests.set(`${id}-${kind}-${replica}`, `${id}-${replica}`);
    for (const inner of at.children) visit(inner);
  };
  const resources = child(configuration, "resources");
  if (resources) visit(resources);
  return guests;
}

const containers: ReadonlySet<string> = new Set(["docker", "podman", "rkt"]);

/** As many as a bundle's container asks for; without a number as many as may be promoted. */
function replicas(bundle: XmlElement): number {
  for (const { attributes } of bundle.children) {
    const wanted = ["replicas", "promoted-max", "masters"]
      .map((name) => parseInteger(attributes.get(name)))
      .find((count) => count !== undefined);
    if (wanted !== undefined) return Math.max(wanted, 1);
  }
  return 1;
}

/** Names of the remote nodes that have a connection of their own (ocf:pacemaker:remote): guests have it by what carries them. */
export function remoteHosts(configuration: XmlElement | undefined): ReadonlySet<string> {
  const resources = child(configuration, "resources");
  const templates = new Set(
    childrenOf(resources, "template")
      .filter(isRemote)
      .map(({ attributes }) => attributes.get("id")),
  );
  const names = new Set<string>();
  const visit = (at: XmlElement): void => {
    const { attributes } = at;
    if (at.name === "primitive" && (isRemote(at) || templates.has(attributes.get("template"))))
      names.add(attributes.get("id") ?? "");
    at.children.forEach(visit);
  };
  if (resources) visit(resources);
  return names;
}
