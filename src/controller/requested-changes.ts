import { child, childrenOf, cloneElement, element, type XmlElement } from "../cib/index.ts";
import { withoutInstance } from "../terms/index.ts";
import type { FailedOperation } from "./messages.ts";
import { StatusSection } from "./status.ts";

/**
 * What requests that do not go through the CIB would do to its status section: a copy of the document as it would be.
 * Whoever may make the change there may ask for it.
 */

/** Transient attributes of nodes get other values than they have, private ones too. */
export function withAttributesChanged(
  cib: XmlElement,
  changes: readonly {
    readonly node: string;
    readonly name: string;
    readonly set?: "attributes" | "utilization";
  }[],
): XmlElement {
  const ids = changes.map(({ node }) => idOf(cib, node));
  const { copy, status } = withOwnNodes(cib, new Set(ids));
  for (const [index, { node, name, set = "attributes" }] of changes.entries()) {
    const id = ids[index] ?? node;
    // In the set where it is expected, with a value that no attribute has.
    status.setAttribute(id, node, name, `${status.attribute(id, name) ?? ""} `, set);
  }
  return copy;
}

/** Every transient attribute of a name has a value in the status section: also one that was not written there yet. */
export function withAttributeKnown(cib: XmlElement, name: string, nodes: readonly string[]): XmlElement {
  const missing = nodes.filter((node) => {
    const states = childrenOf(child(cib, "status"), "node_state");
    const state = states.find(({ attributes }) => attributes.get("id") === idOf(cib, node));
    const set = child(child(state, "transient_attributes"), "instance_attributes");
    return !childrenOf(set, "nvpair").some(({ attributes }) => attributes.get("name") === name);
  });
  return withAttributesChanged(
    cib,
    missing.map((node) => ({ node, name })),
  );
}

/** Failures, or the whole history, of a resource (of all) on a node (on all) are forgotten. */
export function withHistoryForgotten(
  cib: XmlElement,
  {
    rsc,
    node,
    failuresOnly,
    failed: of,
  }: {
    readonly rsc?: string;
    readonly node?: string;
    readonly failuresOnly: boolean;
    readonly failed?: FailedOperation;
  },
): XmlElement {
  const only = node === undefined ? undefined : idOf(cib, node);
  const all = childrenOf(child(cib, "status"), "node_state").map(
    ({ attributes }) => attributes.get("id") ?? "",
  );
  const wanted = new Set(only === undefined ? all : [only]);
  const { copy, status } = withOwnNodes(cib, wanted);
  const concerns = (id: string) => rsc === undefined || withoutInstance(id) === withoutInstance(rsc);
  for (const id of wanted) {
    for (const resource of status.resourcesOn(id)) {
      const failed = status
        .ops(id, resource)
        .some(({ attributes }) =>
          of ? attributes.get("operation") === of.action : attributes.get("id")?.endsWith("_last_failure_0"),
        );
      if (concerns(resource) && (failed || !failuresOnly)) status.removeResource(id, resource);
    }
    for (const set of transientSets(status, id))
      set.children = set.children.filter(({ attributes }) => {
        const [, counted, operation] =
          /^(?:fail-count|last-failure)-(.+?)(?:#(.*))?$/.exec(attributes.get("name") ?? "") ?? [];
        if (of && operation !== `${of.action}_${of.intervalMs}`) return true;
        return counted === undefined || !concerns(counted);
      });
  }
  return copy;
}

/** A node is off: nothing runs there, and nothing is known of it. */
export function withNodeFenced(cib: XmlElement, target: string): XmlElement {
  const id = idOf(cib, target);
  const status = child(cib, "status") ?? element("status");
  const old = childrenOf(status, "node_state").find(({ attributes }) => attributes.get("id") === id);
  const fenced = element("node_state", { id, uname: target, fenced: "now" });
  const children = old
    ? status.children.map((state) => (state === old ? fenced : state))
    : [...status.children, fenced];
  return withStatus(cib, { ...status, children });
}

function withStatus(cib: XmlElement, status: XmlElement): XmlElement {
  return { ...cib, children: [...cib.children.filter(({ name }) => name !== "status"), status] };
}

/** A copy in which these nodes' states are its own, and all else is shared. */
function withOwnNodes(
  cib: XmlElement,
  ids: ReadonlySet<string>,
): { readonly copy: XmlElement; readonly status: StatusSection } {
  const status = child(cib, "status") ?? element("status");
  const children = status.children.map((state) =>
    ids.has(state.attributes.get("id") ?? "") ? cloneElement(state) : state,
  );
  const copy = withStatus(cib, { ...status, children });
  return { copy, status: new StatusSection(copy) };
}

function transientSets(status: StatusSection, id: string): XmlElement[] {
  const state = childrenOf(status.xml, "node_state").find(({ attributes }) => attributes.get("id") === id);
  return child(state, "transient_attributes")?.children ?? [];
}

/** Id under which nodes and status keep a node; remote nodes have their name as id. */
function idOf(cib: XmlElement, name: string): string {
  const named = ({ attributes }: XmlElement) => attributes.get("uname") === name;
  const found =
    childrenOf(child(child(cib, "configuration"), "nodes"), "node").find(named) ??
    childrenOf(child(cib, "status"), "node_state").find(named);
  return found?.attributes.get("id") ?? name;
}
