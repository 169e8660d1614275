import type { ActionName, GraphAction, Transition } from "../../scheduler/index.ts";
import { formatScore, lookup } from "../../terms/index.ts";

/** What one action of a transition waits for, and what waits for it. */
export interface ActionExplanation {
  readonly key: string;
  readonly id: number;
  readonly what: string;
  readonly node?: string;
  /** Lines of the transition summary that call for it. */
  readonly because: readonly string[];
  readonly reasons: readonly string[];
  readonly waitsFor: readonly string[];
  /** What it waits for in vain, so that it is never carried out. */
  readonly waitsInVainFor: readonly string[];
  readonly before: readonly string[];
}

/** `web_start_0 on node1` */
export const actionName = ({ key, node }: ActionName): string =>
  `${key}${node === undefined ? "" : ` on ${node}`}`;

const kinds: Readonly<Record<GraphAction["kind"], string>> = lookup({
  rsc: "an agent is run",
  pseudo: "a point of synchronisation, nothing is run",
  crm: "done by the controller",
});

/** The actions that a key, or its beginning, means; an exact one wins. */
export function actionsNamed(transition: Transition, key: string): GraphAction[] {
  const exact = transition.actions.filter((action) => action.key === key || internalKey(action) === key);
  return exact.length > 0
    ? exact
    : transition.actions.filter((action) => /^[-_]/.test(rest(action.key, key)));
}

/** What is behind the beginning of a key; nothing where it begins otherwise. */
const rest = (key: string, beginning: string): string =>
  key.startsWith(beginning) ? key.slice(beginning.length) : "";

const internalKey = ({ key, rsc }: GraphAction): string =>
  rsc?.longId !== undefined && key.startsWith(`${rsc.id}_`)
    ? `${rsc.longId}${key.slice(rsc.id.length)}`
    : key;

/** Explains one action. */
export function explainAction(transition: Transition, action: GraphAction): ActionExplanation {
  const byId = new Map(transition.actions.map((other) => [other.id, other]));
  const about = [action.rsc?.longId, action.rsc?.id].filter((id) => id !== undefined);
  const subject = action.task === "stonith" ? action.node : undefined;
  const because = transition.summary.filter((line) => {
    const [verb, rsc, node] = line.split(/\s+/);
    return subject === undefined
      ? rsc !== undefined && about.includes(rsc)
      : verb === "Fence" && node === subject;
  });
  const fencing = transition.fencing.filter(({ node }) => node === subject).map(({ reason }) => reason);
  const reasons = transition.reasons
    .filter(({ rsc, node }) => about.includes(rsc) && (node === undefined || node === action.node))
    .map(({ text }) => text);
  return {
    key: action.key,
    id: action.id,
    what:
      action.place === undefined
        ? kinds[action.kind]
        : `nothing is run: ${action.place} is fenced, so it counts as done`,
    ...(action.node === undefined ? {} : { node: action.node }),
    because,
    reasons: [...new Set([...fencing, ...reasons, ...scores(transition, action, about)])],
    waitsFor: action.inputs.flatMap((input) => {
      const before = byId.get(input);
      return before ? [actionName(before)] : [];
    }),
    waitsInVainFor: (action.unmet ?? []).map(actionName),
    before: transition.actions.filter(({ inputs }) => inputs.includes(action.id)).map(actionName),
  };
}

/** Why it stops there, or starts there: what speaks against the place, or for it. */
function scores({ ledger = [] }: Transition, action: GraphAction, about: readonly string[]): string[] {
  const leaves = ["stop", "demote", "migrate_to"].includes(action.task);
  if (!leaves && !["start", "promote", "migrate_from"].includes(action.task)) return [];
  return ledger
    .filter(({ rsc, node }) => about.includes(rsc) && node === action.node)
    .filter(({ score = 0 }) => (leaves ? score < 0 : score > 0))
    .map(({ score = 0, text }) => `${score > 0 ? "+" : ""}${formatScore(score)} ${text}`);
}

/** An explanation as lines. */
export function actionText(explanation: ActionExplanation): string {
  const { key, node, what, because, reasons, waitsFor, waitsInVainFor, before } = explanation;
  const list = (title: string, items: readonly string[]) =>
    items.length === 0 ? [] : [title, ...items.map((item) => `  ${item}`)];
  return [
    `${key}${node === undefined ? "" : ` on ${node}`}: ${what}`,
    ...list("Needed because:", [...because, ...reasons]),
    ...list("Never runs, as these cannot run and it needs them:", waitsInVainFor),
    ...(waitsFor.length + waitsInVainFor.length === 0
      ? ["Waits for nothing: it can run at once."]
      : list("Waits for:", waitsFor)),
    ...list("Must be done before:", before),
  ].join("\n");
}
