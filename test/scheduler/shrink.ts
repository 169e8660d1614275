import { cloneElement, type XmlElement } from "../../src/cib/index.ts";

/** Elements that a CIB always has. */
const kept = new Set(["configuration", "crm_config", "nodes", "resources", "constraints", "status"]);

/**
 * The smallest cluster that a check still fails for: leaves out elements, then attributes, as long as `fails` says
 * that what is left shows the same; `budget` checks at most.
 */
export function shrink(cib: XmlElement, fails: (smaller: XmlElement) => boolean, budget = 600): XmlElement {
  let best = cib;
  let left = budget;
  const attempt = (change: (copy: XmlElement) => boolean): boolean => {
    const copy = cloneElement(best);
    if (!change(copy) || left-- <= 0 || !fails(copy)) return false;
    best = copy;
    return true;
  };
  // Big clusters get small in few steps when much goes at once.
  for (let share = Math.floor(elements(best).length / 4); share >= 4; share = Math.floor(share / 2)) {
    for (let at = 0; at < elements(best).length; )
      if (!attempt((copy) => removeRun(copy, at, share))) at += share;
  }
  for (let smaller = true; smaller && left > 0; ) {
    smaller = false;
    for (let at = 0; at < elements(best).length; ) {
      if (attempt((copy) => remove(copy, at))) smaller = true;
      else at++;
    }
    for (let at = 0; at < elements(best).length; at++) {
      for (const name of optionalAttributes(elements(best)[at]?.node)) {
        if (attempt((copy) => elements(copy)[at]?.node.attributes.delete(name) ?? false)) smaller = true;
      }
    }
  }
  return best;
}

interface Located {
  readonly node: XmlElement;
  readonly parent: XmlElement;
}

/** Elements that may go, the outer before the inner, the last first: status goes before what it refers to. */
function elements(root: XmlElement): Located[] {
  const result: Located[] = [];
  const visit = (parent: XmlElement) => {
    for (const node of [...parent.children].reverse()) {
      if (!kept.has(node.name)) result.push({ node, parent });
      visit(node);
    }
  };
  visit(root);
  return result;
}

function remove(root: XmlElement, at: number): boolean {
  const found = elements(root)[at];
  if (!found) return false;
  found.parent.children.splice(found.parent.children.indexOf(found.node), 1);
  return true;
}

/** Leaves out what is in a run of the list, and whatever is inside it. */
function removeRun(root: XmlElement, at: number, length: number): boolean {
  const run = elements(root).slice(at, at + length);
  for (const { node, parent } of run) parent.children = parent.children.filter((each) => each !== node);
  return run.length > 0;
}

const removable = [
  "role",
  "rsc-role",
  "with-rsc-role",
  "kind",
  "symmetrical",
  "require-all",
  "on-fail",
  "influence",
];
removable.push(
  "node-attribute",
  "resource-discovery",
  "sequential",
  "boolean-op",
  "first-action",
  "then-action",
);

function optionalAttributes(node: XmlElement | undefined): string[] {
  return removable.filter((name) => node?.attributes.has(name));
}
