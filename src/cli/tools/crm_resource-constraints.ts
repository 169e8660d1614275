import { element, type XmlElement } from "../../cib/index.ts";
import {
  type Cluster,
  type Colocation,
  type Resource,
  Role,
  readConstraints,
  roleName,
  topLevel,
} from "../../scheduler/index.ts";
import { CrmExit, formatScore } from "../../terms/index.ts";
import type { ApiVersion, Message } from "../answer/index.ts";
import { line, type Outline, outlineLines } from "../render/outline.ts";
import { type ResourceCall, requiredResource } from "./crm_resource-call.ts";
import { resourceIn } from "./crm_resource-cluster.ts";

/** From a resource to those that depend on it, or to those that it depends on. */
interface Direction {
  readonly links: (rsc: Resource) => readonly Colocation[];
  readonly other: (link: Colocation) => Resource;
  readonly title: (id: string) => string;
  /** How the role of the one depended on is told. */
  readonly needs: "needs" | "with";
}

const dependents: Direction = {
  links: (rsc) => rsc.withThis,
  other: ({ dependent }) => dependent,
  title: (id) => `Resources colocated with ${id}:`,
  needs: "needs",
};
const primaries: Direction = {
  links: (rsc) => rsc.thisWith,
  other: ({ primary }) => primary,
  title: (id) => `Resources ${id} is colocated with:`,
  needs: "with",
};

/** -a: locations and colocations of a resource; -A: on through those that it is colocated with. */
export async function constraints(call: ResourceCall, cluster: Cluster, stack: boolean): Promise<number> {
  const named = resourceIn(cluster, requiredResource(call));
  readConstraints(cluster);
  // Constraints are about the outermost resource; the part that was named is meant only when that is forced.
  const rsc = call.given.has("force") ? named : topLevel(named, false);
  call.answer.say(constraintsMessage(rsc, stack));
  return CrmExit.OK;
}

const constraintsMessage = (rsc: Resource, stack: boolean): Message => ({
  text: () => {
    const sections = [
      ...locationLines(rsc),
      ...linkLines(rsc, dependents, stack, new Set()),
      ...linkLines(rsc, primaries, stack, new Set()),
    ];
    return sections.length === 0 ? undefined : sections.flatMap((one) => outlineLines(one)).join("\n");
  },
  xml: (api) => [
    element("constraints", {}, [
      ...locationElements(rsc),
      ...linkElements({ rsc, direction: dependents, stack, seen: new Set(), api }),
      ...linkElements({ rsc, direction: primaries, stack, seen: new Set(), api }),
    ]),
  ],
});

/** Places with their scores, one for each node that a constraint or a rule of it applies to; the last constraint first. */
const placesOf = (rsc: Resource) =>
  rsc.locations
    .toReversed()
    .flatMap(({ id, nodes }) => nodes.map(({ node, score }) => ({ id, node: node.name, score })));

function locationLines(rsc: Resource): Outline[] {
  const rows = placesOf(rsc).map(({ id, node, score }) =>
    line(`Node ${node} (score=${formatScore(score)}, id=${id}, rsc=${rsc.id})`),
  );
  return rows.length === 0 ? [] : [{ text: "Locations:", children: rows }];
}

/** `seen` keeps circles from being followed for ever. */
function linkLines(rsc: Resource, direction: Direction, stack: boolean, seen: Set<Resource>): Outline[] {
  if (seen.has(rsc)) return [];
  seen.add(rsc);
  const children = direction.links(rsc).flatMap((link): Outline[] => {
    const other = direction.other(link);
    if (seen.has(other)) return [line(`${other.id} (id=${link.id} - loop)`)];
    const role =
      link.primaryRole > Role.Started ? `, ${direction.needs} role=${roleName(link.primaryRole)}` : "";
    const head = `${other.id} (score=${formatScore(link.score)}${role}, id=${link.id})`;
    const below = [...locationLines(other), ...(stack ? linkLines(other, direction, stack, seen) : [])];
    return [below.length === 0 ? line(head) : { text: head, children: below }];
  });
  return children.length === 0 ? [] : [{ text: direction.title(rsc.id), children }];
}

const locationElements = (rsc: Resource): XmlElement[] =>
  placesOf(rsc).map(({ id, node, score }) =>
    element("rsc_location", { node, rsc: rsc.id, id, score: formatScore(score) }),
  );

/** What is followed from a resource, and how it is told. */
interface Followed {
  readonly rsc: Resource;
  readonly direction: Direction;
  /** Whether to go on from the resources that are found. */
  readonly stack: boolean;
  readonly seen: Set<Resource>;
  readonly api: ApiVersion;
}

function linkElements(followed: Followed): XmlElement[] {
  const { rsc, direction, stack, seen, api } = followed;
  if (seen.has(rsc)) return [];
  seen.add(rsc);
  return direction.links(rsc).flatMap((link) => {
    const other = direction.other(link);
    if (seen.has(other)) return [linkElement(link, api)];
    const further = stack ? linkElements({ ...followed, rsc: other }) : [];
    return [linkElement(link, api), ...locationElements(other), ...further];
  });
}

const roleText = (role: Role) => (role === Role.Unknown ? undefined : roleName(role));

const linkElement = (link: Colocation, api: ApiVersion): XmlElement =>
  element("rsc_colocation", {
    id: link.id,
    rsc: link.dependent.id,
    "with-rsc": link.primary.id,
    score: formatScore(link.score),
    // By node went without saying before 2.29.
    "node-attribute": link.attribute === "#uname" && !api.atLeast("2.29") ? undefined : link.attribute,
    "rsc-role": roleText(link.dependentRole),
    "with-rsc-role": roleText(link.primaryRole),
  });
