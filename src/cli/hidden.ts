import type { CibProblem, XmlElement } from "../cib/index.ts";
import { CrmExit, HactlError } from "../terms/index.ts";

/** Sections that say nothing of how the cluster is. */
const beside: ReadonlySet<string> = new Set(["acls", "alerts"]);
/** Without these nothing can be said of what runs, and of what the cluster would do. */
const basis: readonly string[] = ["crm_config", "nodes", "status"];

/** Of the sections in which access rules hide something, those that a judgement rests on. */
export const judgedBy = (sections: readonly string[] = []): readonly string[] =>
  sections.filter((name) => !beside.has(name));

/** Those of them without which nothing can be decided. */
export const missingBasis = (hidden: readonly string[]): readonly string[] =>
  hidden.filter((name) => basis.includes(name));

/** What is hidden, in a sentence without its end. */
export const hiddenText = (hidden: readonly string[]): string =>
  `access rules hide a part of the cluster from this user (in ${hidden.join(", ")})`;

/** What to do about it. */
export const hiddenCure = "ask as root or hacluster, or have it permitted by a role in <acls>";

/** A judgement that is only for who sees all that it rests on. */
export const cannotJudge = (what: string, hidden: readonly string[]): HactlError =>
  new HactlError({
    code: "PERMISSION",
    what: `${what}: ${hiddenText(hidden)}`,
    cure: hiddenCure,
    exit: CrmExit.INSUFFICIENT_PRIV,
  });

/** Mistakes that are told by something that is not there: for who sees only a part it may be. */
const byAbsence: ReadonlySet<string> = new Set([
  "ACL_UNKNOWN_ID",
  "DANGLING_REFERENCE",
  "IN_VAIN",
  "MISSING_ATTRIBUTE",
  "MISSING_ELEMENT",
  "MISSING_PARAMETER",
  "NEEDS_OPTION",
  "NOT_PROMOTABLE",
  "NO_CONTAINER",
  "NO_FENCING",
  "NO_SCORE",
  "NO_SUCH_DEVICE",
  "NO_VALUE",
  "SHORT_TIMEOUT",
  "UNKNOWN_NODE",
  "UNUSED_TEMPLATE",
  "WRONG_FORM",
]);

/** Whether what is wrong may be so only because something is not shown. */
export const mayBeHidden = ({ code }: Pick<CibProblem, "code">, hidden: readonly string[]): boolean =>
  hidden.length > 0 && byAbsence.has(code);

/**
 * What is said of a change: that something is not shown is no reason to refuse it. Whether what it names is there is judged by
 * who sees all, where it is made.
 */
export function unlessShown(problem: CibProblem, hidden: readonly string[]): CibProblem[] {
  if (!mayBeHidden(problem, hidden)) return [problem];
  if (problem.code === "DANGLING_REFERENCE") return [];
  const text = `${problem.text}, as far as this user may see`;
  return [problem.level === "error" ? { ...problem, level: "warning", text } : { ...problem, text }];
}

/** What was hidden in the CIB that this command has read last. */
let found: readonly string[] = [];

/** Keeps what is hidden, for the errors of this command. @returns whether it is told for the first time */
export function rememberHidden(hidden: readonly string[]): boolean {
  const first = found.length === 0 && hidden.length > 0;
  found = hidden;
  return first;
}

/**
 * An error that something is not there, for who cannot know it: it may be hidden. Other errors stay as they are.
 */
export function unlessHidden(error: unknown, hidden: readonly string[] = found): unknown {
  if (hidden.length === 0 || !(error instanceof HactlError) || error.exit !== CrmExit.NOSUCH) return error;
  const { what, where } = error;
  return new HactlError({
    code: "PERMISSION",
    what: `${what}, as far as this user may see: ${hiddenText(hidden)}`,
    cure: hiddenCure,
    exit: CrmExit.INSUFFICIENT_PRIV,
    ...(where === undefined ? {} : { where }),
  });
}

/**
 * The CIB without the histories of resources that are not in it, where resources are hidden: they would look as if they
 * had been removed from the configuration.
 */
export function withoutHiddenResources(cib: XmlElement, hidden: readonly string[]): XmlElement {
  if (!hidden.includes("resources")) return cib;
  const known = new Set<string>();
  const collect = ({ name, attributes, children }: XmlElement) => {
    const id = attributes.get("id");
    if (id !== undefined && name !== "nvpair") known.add(id);
    children.forEach(collect);
  };
  const resources = cib.children
    .find(({ name }) => name === "configuration")
    ?.children.find(({ name }) => name === "resources");
  if (resources) collect(resources);
  const isKnown = (id: string) => known.has(id) || known.has(id.replace(/:\d+$/, ""));
  const prune = (item: XmlElement): XmlElement => ({
    ...item,
    children: item.children.flatMap((inner) => {
      if (inner.name === "lrm_resource" && !isKnown(inner.attributes.get("id") ?? "")) return [];
      return inner.children.length === 0 ? [inner] : [prune(inner)];
    }),
  });
  return { ...cib, children: cib.children.map((part) => (part.name === "status" ? prune(part) : part)) };
}
