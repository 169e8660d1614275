import { defineCommand } from "citty";
import { type Cluster, schedule, type Transition, unpackCluster } from "../../scheduler/index.ts";
import { CrmExit, HactlError, nearest } from "../../terms/index.ts";
import { cannotJudge, hiddenText, unlessHidden } from "../hidden.ts";
import { print, printJson, wantsJson } from "../output.ts";
import { actionsNamed, actionText, explainAction } from "../render/action-explanation.ts";
import { explainResource, explanationText, resourcesNamed } from "../render/explanation.ts";
import { executionDate } from "./simulate-run.ts";
import { loadCluster, refuseWithoutBasis } from "./source.ts";

interface Decision {
  readonly cluster: Cluster;
  readonly transition: Transition;
  /** Sections in which access rules hide something from this user. */
  readonly hidden: readonly string[];
}

/** Before what is decided by a part. */
const partly = ({ hidden }: Decision): string[] =>
  hidden.length === 0 ? [] : [`Not by all that the cluster decides by: ${hiddenText(hidden)}.`];

async function decide(file: string | undefined): Promise<Decision> {
  const source = await loadCluster(file);
  refuseWithoutBasis(source);
  const { cib, hidden = [] } = source;
  const now = executionDate(cib) ?? Math.floor(Date.now() / 1000);
  return { cluster: unpackCluster(cib, now), transition: schedule({ cib, now, explain: true }), hidden };
}

/** Prints why a resource is where it is. @throws HactlError when there is no such resource or node. */
export async function explainPlacement(
  rsc: string,
  node: string | undefined,
  file: string | undefined,
): Promise<void> {
  const decision = await decide(file);
  const { cluster, transition, hidden } = decision;
  const found = resourcesNamed(cluster, rsc);
  if (found.length === 0) throw unlessHidden(unknown("resource", rsc, namesOf(cluster)), hidden);
  if (node !== undefined && !cluster.nodeByName.has(node))
    throw unlessHidden(unknown("node", node, [...cluster.nodeByName.keys()]), hidden);
  const explanations = found.map((part) => explainResource(cluster, transition, part, node));
  if (wantsJson())
    printJson({ format: "hactl-explain/1", ...(hidden.length > 0 && { hidden }), explanations });
  else print([...partly(decision), ...explanations.map(explanationText)].join("\n\n"));
}

const namesOf = (cluster: Cluster): string[] => [
  ...cluster.resourceById.keys(),
  ...[...cluster.resourceById.values()].map(({ configId }) => configId),
];

const unknown = (kind: string, name: string, known: readonly string[]) => {
  const guess = nearest(name, known);
  return new HactlError({
    code: "NO_SUCH_OBJECT",
    what: `there is no ${kind} ${name}`,
    cure: guess ? `Did you mean ${guess}?` : "See hactl status",
    exit: CrmExit.NOSUCH,
  });
};

/** `hactl explain action KEY`. */
export const actionCommand = defineCommand({
  meta: { name: "action", description: "What an action waits for, and why it is needed." },
  args: {
    key: {
      type: "positional",
      required: true,
      description: "key of the action, as web_start_0, or its beginning",
    },
    file: { type: "string", alias: "x", valueHint: "FILE", description: "decide for a CIB from a file" },
  },
  run: async ({ args }) => {
    const decision = await decide(args.file);
    const { cluster, transition, hidden } = decision;
    const found = actionsNamed(transition, args.key);
    if (found.length === 0) {
      if (hidden.length > 0)
        throw cannotJudge(`whether there is an action ${args.key} cannot be told`, hidden);
      const rsc = namesOf(cluster).find((name) => args.key === name || args.key.startsWith(`${name}_`));
      if (rsc !== undefined)
        throw new HactlError({
          code: "NO_SUCH_OBJECT",
          what: `the cluster will not do ${args.key}: there is no such action in its plan`,
          cure: `See why: hactl explain ${rsc}`,
          exit: CrmExit.NOSUCH,
        });
      if (transition.actions.length > 0)
        throw unknown(
          "action",
          args.key,
          transition.actions.map(({ key }) => key),
        );
      throw new HactlError({
        code: "NO_SUCH_OBJECT",
        what: "the cluster has nothing to do: there are no actions",
        cure: "Rehearse a change first, as in hactl simulate -S -d NODE",
        exit: CrmExit.NOSUCH,
      });
    }
    const explanations = found.map((action) => explainAction(transition, action));
    if (wantsJson())
      printJson({ format: "hactl-explain/1", ...(hidden.length > 0 && { hidden }), actions: explanations });
    else print([...partly(decision), ...explanations.map(actionText)].join("\n\n"));
  },
});
