import {
  type CibOperation,
  element,
  formatXml,
  pairsIn,
  resourceKinds,
  type XmlElement,
} from "../cib/index.ts";
import { CrmExit, HactlError, nearest, withoutInstance } from "../terms/index.ts";

/** Elements below `<resources>` that are resources. */
export const isResource = ({ name }: XmlElement): boolean => resourceKinds.has(name);

/** A resource of the configuration with those that it is in, from the inside out. */
export interface FoundResource {
  readonly xml: XmlElement;
  readonly parents: readonly XmlElement[];
}

/** All resources of a configuration, in document order. */
export function resourcesOf(configuration: XmlElement): FoundResource[] {
  const section = configuration.children.find(({ name }) => name === "resources");
  const walk = (at: XmlElement, parents: readonly XmlElement[]): FoundResource[] =>
    at.children.filter(isResource).flatMap((xml) => [{ xml, parents }, ...walk(xml, [xml, ...parents])]);
  return section ? walk(section, []) : [];
}

export const idOf = ({ attributes }: XmlElement): string => attributes.get("id") ?? "";

/** The resource of an id; an instance (`web:1`) is its resource. @throws HactlError NO_SUCH_RESOURCE */
export function resourceNamed(configuration: XmlElement, id: string): FoundResource {
  const all = resourcesOf(configuration);
  const plain = withoutInstance(id);
  const found = all.find(({ xml }) => idOf(xml) === id) ?? all.find(({ xml }) => idOf(xml) === plain);
  if (found) return found;
  const guess = nearest(
    id,
    all.map(({ xml }) => idOf(xml)),
  );
  throw new HactlError({
    code: "NO_SUCH_RESOURCE",
    what: `Resource '${id}' not found`,
    cure: guess ? `Did you mean ${guess}?` : "'hactl resource list' shows what there is",
    exit: CrmExit.NOSUCH,
  });
}

const isCloned = ({ name }: XmlElement) => name === "clone" || name === "master" || name === "bundle";

/**
 * The resource that constraints and target roles are for: what is cloned is placed by its clone (and the same for a
 * bundle); a member of a group stands for itself.
 */
export const steered = ({ xml, parents }: FoundResource): XmlElement => parents.findLast(isCloned) ?? xml;

/** The primitives in a resource, itself when it is one. */
export const primitivesIn = (xml: XmlElement): XmlElement[] =>
  xml.name === "primitive" ? [xml] : xml.children.filter(isResource).flatMap(primitivesIn);

/** Whether a clone's instances can be promoted. */
export const isPromotable = (xml: XmlElement): boolean =>
  xml.name === "master" || /^(?:true|yes|on|y|1)$/i.test(metaValue(xml, "promotable") ?? "");

/** The three kinds of attributes that a resource has. */
export type AttributeKind = "instance_attributes" | "meta_attributes" | "utilization";

/** A meta attribute that the resource itself sets. */
export const metaValue = (xml: XmlElement, name: string): string | undefined =>
  pairsIn(xml, "meta_attributes").find((pair) => pair.name === name)?.value;

/** A constraint that a command makes: where, for which role, and until when (ISO 8601 in UTC). */
export interface Steering {
  readonly rsc: string;
  readonly node: string;
  readonly role?: "Started" | "Promoted";
  readonly until?: string;
}

export const preferId = (rsc: string): string => `cli-prefer-${rsc}`;
export const banId = (rsc: string, node: string): string => `cli-ban-${rsc}-on-${node}`;

/** Ids of the parts of a constraint that has an end, by Pacemaker's names. */
interface PartIds {
  readonly rule: string;
  readonly expression: string;
  readonly end: string;
}

function steeringXml(id: string, part: PartIds, score: string, steering: Steering): string {
  const { rsc, node, role = "Started", until } = steering;
  if (until === undefined) return formatXml(element("rsc_location", { id, rsc, role, node, score }), -1);
  const rule = element("rule", { id: part.rule, score, "boolean-op": "and" }, [
    element("expression", {
      id: part.expression,
      attribute: "#uname",
      operation: "eq",
      value: node,
      type: "string",
    }),
    element("date_expression", { id: part.end, operation: "lt", end: until }),
  ]);
  return formatXml(element("rsc_location", { id, rsc, role }, [rule]), -1);
}

const preferParts = (rsc: string): PartIds => ({
  rule: `cli-prefer-rule-${rsc}`,
  expression: `cli-prefer-expr-${rsc}`,
  end: `cli-prefer-lifetime-end-${rsc}`,
});

/** Prefers a node for a resource above all (`crm_resource --move`), in place of any preference made before. */
export function preferOperations(steering: Steering): CibOperation[] {
  const { rsc, node } = steering;
  return [
    { op: "delete", xpath: `//rsc_location[@id='${banId(rsc, node)}']` },
    { op: "delete", xpath: `//rsc_location[@id='${preferId(rsc)}']` },
    {
      op: "create",
      scope: "constraints",
      xml: steeringXml(preferId(rsc), preferParts(rsc), "INFINITY", steering),
    },
  ];
}

/** Keeps a resource off a node (`crm_resource --ban`). That it is preferred there stays as it is, and comes to nothing. */
export function banOperations(steering: Steering): CibOperation[] {
  const { rsc, node } = steering;
  const id = banId(rsc, node);
  return [
    {
      op: "replace",
      create: true,
      scope: "constraints",
      xml: steeringXml(
        id,
        { rule: `${id}-rule`, expression: `${id}-expr`, end: `${id}-lifetime` },
        "-INFINITY",
        steering,
      ),
    },
  ];
}

/** Which constraints of commands are meant: all, those of some resources, those for one node. */
interface SteeringOf {
  readonly rsc?: string | readonly string[] | undefined;
  readonly node?: string | undefined;
}

/** The constraints that commands have made for a resource, or for all; of one node only when it is named. */
export function steeringConstraints(configuration: XmlElement, { rsc, node }: SteeringOf): XmlElement[] {
  const named = typeof rsc === "string" ? [rsc] : rsc;
  const section = configuration.children.find(({ name }) => name === "constraints");
  const nodeOf = (constraint: XmlElement) =>
    constraint.attributes.get("node") ??
    constraint.children
      .flatMap(({ children }) => children)
      .find(({ attributes }) => attributes.get("attribute") === "#uname")
      ?.attributes.get("value");
  return (section?.children ?? []).filter(
    (constraint) =>
      constraint.name === "rsc_location" &&
      isSteering(constraint) &&
      (named === undefined || named.includes(constraint.attributes.get("rsc") ?? "")) &&
      (node === undefined || nodeOf(constraint) === node),
  );
}

/** Whether move or ban have made it, by the id that they give. */
function isSteering(constraint: XmlElement): boolean {
  const rsc = constraint.attributes.get("rsc") ?? "";
  return idOf(constraint) === preferId(rsc) || idOf(constraint).startsWith(banId(rsc, ""));
}

/** Ids by which commands steer a resource: what is cloned by that of its clone, or, as Pacemaker does, by its own. */
export const steeredIds = (found: FoundResource): string[] => [
  ...new Set([idOf(steered(found)), idOf(found.xml)]),
];

/**
 * What remains of commands' constraints after those of the resource itself are removed: it is placed also by those of its
 * members, and of what it is a member of. Each with the command that removes it, of which `clear` is the beginning.
 */
export function steeringAround(
  configuration: XmlElement,
  found: FoundResource,
  { clear, node }: { readonly clear: string; readonly node?: string | undefined },
): { readonly ids: string[]; readonly notes: string[] } {
  const own = steeredIds(found);
  const inside = (xml: XmlElement): string[] =>
    xml.children.filter(isResource).flatMap((member) => [idOf(member), ...inside(member)]);
  const around = [...inside(found.xml), ...found.parents.map(idOf)].filter((id) => !own.includes(id));
  const remaining = steeringConstraints(configuration, { rsc: around, node });
  const notes = remaining.map((one) => {
    const rsc = one.attributes.get("rsc") ?? "";
    return `Constraint ${idOf(one)} of ${rsc} remains in force; '${clear}${rsc}' removes it.`;
  });
  return { ids: remaining.map(idOf), notes };
}

/** How to remove such constraints. */
export const clearOperations = (constraints: readonly XmlElement[]): CibOperation[] =>
  constraints.map((constraint) => ({ op: "delete", xpath: `//rsc_location[@id='${idOf(constraint)}']` }));

/** Names of all nodes that the configuration knows, remote and guest nodes among them. */
export function nodeNames(configuration: XmlElement): string[] {
  const nodes = configuration.children.find(({ name }) => name === "nodes")?.children ?? [];
  const remote = resourcesOf(configuration).flatMap(({ xml }) => {
    const guest = metaValue(xml, "remote-node");
    const own =
      xml.attributes.get("provider") === "pacemaker" && xml.attributes.get("type") === "remote"
        ? [idOf(xml)]
        : [];
    return guest === undefined ? own : [...own, guest];
  });
  return [...new Set([...nodes.map(({ attributes }) => attributes.get("uname") ?? ""), ...remote])];
}

/** Checks that there is a node of that name. @throws HactlError NO_SUCH_NODE */
export function checkNode(configuration: XmlElement, node: string): string {
  const names = nodeNames(configuration);
  if (names.includes(node)) return node;
  const guess = nearest(node, names);
  throw new HactlError({
    code: "NO_SUCH_NODE",
    what: `Node '${node}' not found`,
    cure: guess ? `Did you mean ${guess}?` : `the nodes are ${names.join(", ")}`,
    exit: CrmExit.NOSUCH,
  });
}
