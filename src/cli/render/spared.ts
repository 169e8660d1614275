import { type Resource, sparedFor } from "../../scheduler/index.ts";

/** Why a resource is blocked for whose failure no node is fenced; undefined for any other. */
export function sparedText(rsc: Resource): string | undefined {
  const failed = rsc.failedOps.filter(({ xml }) => sparedFor(xml) !== undefined);
  const isStop = (xml: (typeof failed)[number]["xml"]) => xml.attributes.get("operation") === "stop";
  const resetBefore = failed.filter(({ xml }) => sparedFor(xml) === "reset-before");
  const shown = resetBefore.length > 0 ? resetBefore : failed;
  if (shown.length === 0) return undefined;
  const nodes = [...new Set(shown.map(({ node }) => node.name))].sort();
  const words = shown
    .map(({ xml }) => xml.attributes.get("exit-reason") ?? "")
    .find((reason) => reason !== "");
  const said = words === undefined ? "" : `: ${words}`;
  const what = shown.some(({ xml }) => isStop(xml)) ? "its probe and its stop fail" : "its probe fails";
  const cause = "the agent is broken, or what it needs is missing there";
  const where = nodes.join(", ");
  return resetBefore.length > 0
    ? `${what} on ${where}, which was reset for its failed stop before: ${cause}${said}; no node is reset for that again`
    : `${what} on ${where}: ${cause}${said}; nothing is fenced for what was never seen to run`;
}
