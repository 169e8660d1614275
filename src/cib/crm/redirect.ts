import { constraintNames } from "../resource-kinds.ts";
import { child, type XmlElement } from "../xml.ts";

/**
 * A new container takes over the constraints of what it is made of, as in the crm shell: what named a member names the container,
 * because a constraint on what is within a clone means no instance of it. Constraints that only tied members to each other go.
 * Answers what was done, one sentence a constraint.
 */
export function redirectConstraints(
  configuration: XmlElement,
  container: string,
  members: ReadonlySet<string>,
): string[] {
  const section = child(configuration, "constraints");
  if (section === undefined) return [];
  const remarks: string[] = [];
  section.children = section.children.filter((constraint) => {
    const moved = redirect(constraint, container, members);
    if (moved.length === 0) return true;
    const id = constraint.attributes.get("id") ?? "";
    const kept = !tiesToItself(constraint, container);
    asPair(constraint);
    remarks.push(
      kept
        ? `constraint ${id} names ${container} now, which ${moved.join(" and ")} is in`
        : `constraint ${id} is gone: it was between what is in ${container} now`,
    );
    return kept;
  });
  return remarks;
}

/** Which members the constraint named. */
function redirect(constraint: XmlElement, container: string, members: ReadonlySet<string>): string[] {
  const moved = new Set<string>();
  const namesContainer = ({ attributes }: XmlElement) => attributes.get("id") === container;
  for (const name of constraintNames) {
    const rsc = constraint.attributes.get(name);
    if (rsc === undefined || !members.has(rsc)) continue;
    constraint.attributes.set(name, container);
    moved.add(rsc);
  }
  const sets = constraint.children.filter(({ name }) => name === "resource_set");
  for (const item of sets.flatMap(({ children }) => children)) {
    const rsc = item.attributes.get("id") ?? "";
    if (!members.has(rsc)) continue;
    item.attributes.set("id", container);
    moved.add(rsc);
  }
  // Once is enough: where the last of them stood.
  const last = sets.flatMap(({ children }) => children).findLast((item) => namesContainer(item));
  for (const set of sets)
    set.children = set.children.filter((item) => item === last || !namesContainer(item));
  if (moved.size > 0)
    constraint.children = constraint.children.filter(
      ({ name, children }) => name !== "resource_set" || children.length > 0,
    );
  return [...moved];
}

/** Whether a colocation or an order has nothing left but the container. */
function tiesToItself({ name, attributes, children }: XmlElement, container: string): boolean {
  if (name !== "rsc_colocation" && name !== "rsc_order") return false;
  const sets = children.filter((item) => item.name === "resource_set");
  const named = [
    ...constraintNames.flatMap((key) => attributes.get(key) ?? []),
    ...sets.flatMap((set) => set.children.map((item) => item.attributes.get("id") ?? "")),
  ];
  return named.every((rsc) => rsc === container);
}

/** Sets that have come down to two resources, one after the other, are written as the pair that they mean. */
function asPair(constraint: XmlElement): void {
  const [dependent, primary, suffix] =
    constraint.name === "rsc_colocation"
      ? (["rsc", "with-rsc", "role"] as const)
      : (["first", "then", "action"] as const);
  if (constraint.name !== "rsc_colocation" && constraint.name !== "rsc_order") return;
  const sets = constraint.children.filter(({ name }) => name === "resource_set");
  const [one, other, ...more] = sets.flatMap((set) => set.children.map((item) => ({ set, item })));
  if (one === undefined || other === undefined || more.length > 0) return;
  const inOne = one.set === other.set;
  if (inOne && one.set.attributes.get("sequential") === "false") return;
  if (sets.some(({ attributes }) => attributes.has("score") || attributes.has("ordering"))) return;
  // Within a set each follows the one before it; of two sets the first follows the second.
  const pair = inOne && constraint.name === "rsc_colocation" ? [other, one] : [one, other];
  constraint.children = constraint.children.filter(({ name }) => name !== "resource_set");
  for (const [index, name] of [dependent, primary].entries()) {
    const { set, item } = pair[index] ?? one;
    constraint.attributes.set(name, item.attributes.get("id") ?? "");
    const word = set.attributes.get(suffix);
    if (word !== undefined) constraint.attributes.set(`${name}-${suffix}`, word);
  }
}
