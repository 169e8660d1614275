import { CrmExit, HactlError, nearest } from "../terms/index.ts";
import { remoteNames } from "./references.ts";
import { child, childrenOf, type XmlElement } from "./xml.ts";

/**
 * Names of all nodes that a `<cib>` tells of: entries of `<nodes>`, remote nodes and guests by their resources, the
 * replicas of bundles, and whoever has a state, such as a remote node that was just taken out.
 */
export function knownNodes(cib: XmlElement): ReadonlySet<string> {
  const configuration = child(cib, "configuration");
  const resources = child(configuration, "resources");
  const entries = [
    ...childrenOf(child(configuration, "nodes"), "node"),
    ...childrenOf(child(cib, "status"), "node_state"),
  ];
  return new Set([
    ...entries.flatMap(({ attributes }) => attributes.get("uname") ?? []),
    ...remoteNames(resources),
    ...ofRemoteTemplates(resources),
  ]);
}

/** For a name that is none of the nodes, with what was perhaps meant. */
export function noSuchNode(name: string, known: Iterable<string>): HactlError {
  const names = [...known];
  const near = nearest(name, names);
  return new HactlError({
    code: "NO_SUCH_NODE",
    what: `there is no node "${name}"`,
    cure: near === undefined ? `the nodes are ${names.join(", ")}` : `did you mean "${near}"?`,
    exit: CrmExit.NOSUCH,
  });
}

/** Connections that have their type from a template. */
function ofRemoteTemplates(resources: XmlElement | undefined): string[] {
  const templates = new Set(
    childrenOf(resources, "template")
      .filter(({ attributes }) => attributes.get("type") === "remote")
      .map(({ attributes }) => attributes.get("id")),
  );
  const visit = (at: XmlElement): string[] => [
    ...(at.name === "primitive" &&
    at.attributes.has("template") &&
    templates.has(at.attributes.get("template"))
      ? [at.attributes.get("id") ?? ""]
      : []),
    ...at.children.flatMap(visit),
  ];
  return templates.size === 0 || !resources ? [] : visit(resources);
}
