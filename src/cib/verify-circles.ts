import { type CibProblem, problemAt } from "./references.ts";
import { child, childrenOf, type XmlElement } from "./xml.ts";

/** One constraint as an arrow between what it is about. */
interface Arrow {
  readonly from: string;
  readonly to: string;
  readonly constraint: XmlElement;
}

/**
 * Constraints that lead back to where they began: colocations that each need the next, and mandatory orders of the same
 * steps. The cluster carries on without one of them, which need not be the one that was meant least.
 */
export function findCircles(configuration: XmlElement): CibProblem[] {
  const constraints = child(configuration, "constraints");
  return [
    ...circlesOf(childrenOf(constraints, "rsc_colocation").flatMap(colocationArrow), "colocations"),
    ...circlesOf(childrenOf(constraints, "rsc_order").flatMap(orderArrow), "orders"),
  ];
}

function colocationArrow(constraint: XmlElement): Arrow[] {
  const from = constraint.attributes.get("rsc");
  const to = constraint.attributes.get("with-rsc");
  return from === undefined || to === undefined ? [] : [{ from, to, constraint }];
}

function orderArrow(constraint: XmlElement): Arrow[] {
  const { attributes } = constraint;
  const first = attributes.get("first");
  const then = attributes.get("then");
  const optional = attributes.get("score") === "0" || (attributes.get("kind") ?? "Mandatory") !== "Mandatory";
  if (first === undefined || then === undefined || optional) return [];
  const firstAction = attributes.get("first-action") ?? "start";
  const thenAction = attributes.get("then-action") ?? firstAction;
  return [{ from: named(first, firstAction), to: named(then, thenAction), constraint }];
}

/** A start is what is ordered when nothing is said. */
const named = (rsc: string, action: string): string => (action === "start" ? rsc : `${action} of ${rsc}`);

/** Each circle is told once, at the constraint that closes it. */
function circlesOf(arrows: readonly Arrow[], kind: string): CibProblem[] {
  const leaving = Map.groupBy(arrows, ({ from }) => from);
  const done = new Set<string>();
  const problems: CibProblem[] = [];
  for (const start of leaving.keys()) {
    if (done.has(start)) continue;
    const path: Arrow[] = [];
    const open = [{ at: start, left: [...(leaving.get(start) ?? [])] }];
    for (let step = open.at(-1); step; step = open.at(-1)) {
      const arrow = step.left.shift();
      if (!arrow) {
        done.add(step.at);
        open.pop();
        path.pop();
        continue;
      }
      const begin = open.findIndex(({ at }) => at === arrow.to);
      if (begin >= 0) problems.push(circle([...path.slice(begin), arrow], kind));
      else if (!done.has(arrow.to)) {
        path.push(arrow);
        open.push({ at: arrow.to, left: [...(leaving.get(arrow.to) ?? [])] });
      }
    }
  }
  return problems;
}

function circle(arrows: readonly Arrow[], kind: string): CibProblem {
  const ids = arrows.map(({ constraint }) => constraint.attributes.get("id") ?? "?");
  const way = [...arrows.map(({ from }) => from), arrows[0]?.from ?? ""].join(" → ");
  const last = arrows.at(-1)?.constraint ?? { name: "constraints", attributes: new Map(), children: [] };
  return problemAt(
    last,
    "warning",
    "CIRCLE",
    `the ${kind} ${ids.join(", ")} form a circle: ${way}`,
    "remove one of them; until then the cluster ignores one where it has to",
  );
}
