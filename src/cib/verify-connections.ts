import type { OptionSpec } from "../terms/index.ts";
import { connectionsToMembers, isRemote } from "./connection-names.ts";
import { cureFor } from "./option-value.ts";
import { byName } from "./options/lookup.ts";
import { type CibProblem, problemAt } from "./references.ts";
import { constraintNames, containerKinds, resourceKinds } from "./resource-kinds.ts";
import { lengthProblems } from "./verify-values.ts";
import { child, childrenOf, type XmlElement } from "./xml.ts";

/**
 * Connections to remote nodes where a service would stand: in a group, a clone, a bundle, a colocation or an order. What
 * runs on a remote node is placed and ordered after its connection by itself; a connection that is handled like a service
 * is not supported (crmsh and pcs refuse it, Pacemaker stumbles over it).
 */
export function findConnectionProblems(configuration: XmlElement): CibProblem[] {
  const resources = child(configuration, "resources");
  if (!resources) return [];
  const remoteTemplates = new Set(childrenOf(resources, "template").filter(isRemote).map(idOf));
  const isConnection = (item: XmlElement) =>
    item.name === "primitive" &&
    (isRemote(item) || remoteTemplates.has(item.attributes.get("template") ?? ""));
  const found = new Set<string>();
  const problems: CibProblem[] = [];
  const visit = (parent: XmlElement) => {
    for (const item of parent.children) {
      if (isConnection(item)) {
        found.add(idOf(item));
        if (parent !== resources)
          problems.push(
            wrong(item, `"${idOf(item)}" connects a remote node, but is in ${parent.name} "${idOf(parent)}"`),
          );
      } else if (containerKinds.has(item.name)) visit(item);
    }
  };
  visit(resources);
  if (found.size === 0) return problems;
  const constraints = child(configuration, "constraints");
  for (const [kind, word] of [
    ["rsc_colocation", "colocation"],
    ["rsc_order", "order"],
  ] as const)
    for (const item of childrenOf(constraints, kind)) {
      const name = named(item).find((rsc) => found.has(rsc));
      if (name !== undefined)
        problems.push(wrong(item, `"${name}" connects a remote node, but stands in ${word} "${idOf(item)}"`));
    }
  return problems;
}

/** What a connection reads of its parameters, as far as it can be written wrongly (ocf:pacemaker:remote). */
const parameters: ReadonlyMap<string, OptionSpec> = byName([
  { name: "port", type: "integer", min: 1, max: 65_535, description: "TCP port of the host" },
  {
    name: "reconnect_interval",
    type: "duration",
    description: "how long a lost connection is not tried again",
  },
]);

/** Parameters of connections that are none: no host is reached by them, and one that is not reached is fenced. */
export function findConnectionValueProblems(configuration: XmlElement): CibProblem[] {
  const resources = child(configuration, "resources");
  if (!resources) return [];
  const templates = childrenOf(resources, "template").filter(isRemote);
  const ids = new Set(templates.map(idOf));
  const problems: CibProblem[] = [];
  const look = (source: XmlElement) => {
    for (const set of childrenOf(source, "instance_attributes"))
      for (const pair of childrenOf(set, "nvpair")) {
        const name = pair.attributes.get("name") ?? "";
        const value = pair.attributes.get("value");
        const spec = parameters.get(name);
        const cure = spec === undefined || value === undefined ? undefined : cureFor(spec, value);
        if (spec?.type === "duration" && cure === undefined && value !== undefined)
          problems.push(...lengthProblems(pair, name, value, `connection "${idOf(source)}"`));
        if (cure === undefined) continue;
        const text = `${name}="${value}" of connection "${idOf(source)}" is not valid`;
        problems.push(problemAt(pair, "error", "BAD_VALUE", text, cure));
      }
  };
  templates.forEach(look);
  eachPrimitive(resources, (item) => {
    if (isRemote(item) || ids.has(item.attributes.get("template") ?? "")) look(item);
  });
  return problems;
}

function eachPrimitive(parent: XmlElement, look: (primitive: XmlElement) => void): void {
  for (const item of parent.children) {
    if (item.name === "primitive") look(item);
    else if (containerKinds.has(item.name)) eachPrimitive(item, look);
  }
}

/**
 * Guest nodes whose names are taken: by a resource, or by another guest (by a member of the cluster:
 * `connectionsToMembers`). Of two things that go by one name only one is what is meant.
 */
export function findRemoteNameProblems(configuration: XmlElement): CibProblem[] {
  const resources = child(configuration, "resources");
  if (!resources) return [];
  const taken = new Set(connectionsToMembers(configuration).map(({ source }) => source));
  const ids = new Map<string, string>();
  const guests = new Map<string, string>();
  const problems: CibProblem[] = [];
  const collect = (parent: XmlElement) => {
    for (const item of parent.children) {
      if (!resourceKinds.has(item.name)) continue;
      ids.set(idOf(item), item.name);
      collect(item);
    }
  };
  collect(resources);
  const take = (source: XmlElement, text: string) =>
    problems.push(problemAt(source, "warning", "NAME_TAKEN", text, "give the remote node a name of its own"));
  eachPrimitive(resources, (item) => {
    const id = idOf(item);
    for (const set of childrenOf(item, "meta_attributes"))
      for (const pair of childrenOf(set, "nvpair")) {
        const guest =
          pair.attributes.get("name") === "remote-node" ? pair.attributes.get("value") : undefined;
        if (guest === undefined || guest.toLowerCase() === "#default" || taken.has(pair)) continue;
        const other = guests.get(guest);
        const what = `remote-node="${guest}" of resource "${id}"`;
        if (ids.has(guest)) take(pair, `${what} is the id of a ${ids.get(guest)}: no guest node is made`);
        else if (other !== undefined && other !== id)
          take(pair, `${what} is the guest node of resource "${other}" already`);
        guests.set(guest, id);
      }
  });
  return problems;
}

const idOf = ({ attributes }: XmlElement): string => attributes.get("id") ?? "";

/** Whom a constraint is about. */
const named = (constraint: XmlElement): string[] => [
  ...constraintNames.flatMap((name) => constraint.attributes.get(name) ?? []),
  ...childrenOf(constraint, "resource_set").flatMap((set) => childrenOf(set, "resource_ref").map(idOf)),
];

const wrong = (source: XmlElement, text: string): CibProblem =>
  problemAt(
    source,
    "error",
    "CONNECTION_AS_SERVICE",
    text,
    "take it out: services of a remote node follow its connection by themselves; name them, or the node in a location",
  );
