import { type CibProblem, child, decisionCostMs, type XmlElement } from "../cib/index.ts";
import { EffortSpent, schedule, type Transition, unpackCluster } from "../scheduler/index.ts";
import { HactlError, type Millis } from "../terms/index.ts";

/** Of a cluster whose decisions take longer nobody waits for two of them. */
const longestMs: Millis = 2000;
/** Nobody waits for more steps along colocations, either; what takes more is no configuration to have. */
const mostEffort = 10_000_000;

/**
 * What the cluster would do at once if a change were made, and nobody means by a change: fence a node with which nothing is
 * wrong, keep stopped what runs until something happens that cannot.
 * @param before the CIB of the running cluster, with its status
 * @param after the same with the change
 */
export function consequencesOf(before: XmlElement, after: XmlElement, now: number): CibProblem[] {
  if (decisionCostMs(child(after, "configuration")) > longestMs) return [];
  const [was, will] = [decided(before, now), decided(after, now)];
  if (will instanceof EffortSpent && !(was instanceof EffortSpent))
    return [{ level: "error", code: will.code, text: will.what, cure: will.cure ?? "" }];
  if (!isDecision(was) || !isDecision(will) || will.fencing.length + will.messages.length === 0) return [];
  const known = new Set(was.messages.map(({ text }) => text));
  const shot = new Set(was.fencing.map(({ node }) => node));
  const cluster = unpackCluster(before, now);
  const well = new Set(
    cluster.nodes.filter(({ online, unclean }) => online && !unclean).map(({ name }) => name),
  );
  const fenced = will.fencing
    .filter(({ node }) => well.has(node) && !shot.has(node))
    .map(
      ({ node, reason }) => `node ${node}, with which nothing is wrong, would be fenced at once: ${reason}`,
    );
  const running = new Set(
    [...cluster.resourceById.values()].filter(({ runningOn }) => runningOn.length > 0).map(({ id }) => id),
  );
  const failed = will.messages
    .filter(({ level, text, id = "" }) => level === "error" && running.has(id) && !known.has(text))
    // That something runs twice is so already; the change only lets the cluster see to it.
    .filter(({ text }) => !text.includes("might be active on"))
    .map(({ text }) => text);
  return [
    ...fenced.map((text): CibProblem => ({ level: "error", code: "WOULD_FENCE", text, cure: lookFirst })),
    ...failed.map((text): CibProblem => ({ level: "error", code: "SCHEDULER", text, cure: lookFirst })),
  ];
}

const lookFirst = "look at it first with 'hactl simulate' on a draft ('crm cib new NAME')";

function decided(cib: XmlElement, now: number): Transition | HactlError {
  try {
    return schedule({ cib, now, effort: mostEffort });
  } catch (error) {
    // What else is wrong with it is told elsewhere.
    if (error instanceof HactlError) return error;
    throw error;
  }
}

const isDecision = (decision: Transition | HactlError): decision is Transition =>
  !(decision instanceof HactlError);
