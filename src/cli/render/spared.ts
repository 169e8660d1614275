import { type Resource, type Spared, sparedFor } from "../../scheduler/index.ts";

type Failed = Resource["failedOps"][number];

/** Why a resource is blocked for whose failure no node is fenced; undefined for any other. */
export function sparedText(rsc: Resource): string | undefined {
  const inVain = failedFor(rsc, "reset-in-vain");
  const neverSeen = failedFor(rsc, "never-seen");
  if (inVain.length > 0)
    return `its stop fails on ${nodesOf(inVain)}, after nodes were reset for it in vain: ${causeOf(inVain)}; no node is reset for it again`;
  if (neverSeen.length === 0) return undefined;
  return `its stop fails on ${nodesOf(neverSeen)}: ${causeOf(neverSeen)}; nothing is fenced for what was never seen to run as it is configured`;
}

/** Why nodes are left out for a resource (see the scheduler's `leaveOut`); undefined where none is. */
export function leftOutText(rsc: Resource): string | undefined {
  const failed = failedFor(rsc, "reset-before").filter(({ node }) => rsc.leftOut.has(node));
  if (failed.length === 0) return undefined;
  const what = failed.some(({ xml }) => xml.attributes.get("operation") === "stop") ? "stop" : "probe";
  return `its ${what} fails on ${nodesOf(failed)}, reset for its failed stop before: ${causeOf(failed)}; it does not run there, and no node is reset for that again`;
}

const failedFor = (rsc: Resource, why: Spared): Failed[] =>
  rsc.failedOps.filter(({ xml }) => sparedFor(xml) === why);

const nodesOf = (failed: readonly Failed[]): string =>
  [...new Set(failed.map(({ node }) => node.name))].sort().join(", ");

/** What may be wrong, with the agent's last words. */
function causeOf(failed: readonly Failed[]): string {
  const words = failed.map(({ xml }) => xml.attributes.get("exit-reason") ?? "").find((text) => text !== "");
  return `its agent is broken, or what it needs is missing or wrong${words === undefined ? "" : ` (${words})`}`;
}
