import type { XmlElement } from "../cib/index.ts";
import { type NodeName, OcfExit, OpStatus } from "../terms/index.ts";
import type { ClusterState } from "./cluster-state.ts";

/** Attributes that tell of failed starts of the connection to a remote node. */
const startFailures = (remote: NodeName): string[] =>
  ["fail-count", "last-failure"].map((kind) => `${kind}-${remote}#start_0`);

/**
 * Whether only the past keeps a remote node away: it has left in order, or nobody reached it when its connection was to be
 * started. Both are over as soon as it answers.
 */
export function waitsForReturn({ attributes }: ClusterState, remote: NodeName): boolean {
  const shutdown = attributes.values("shutdown").get(remote);
  if (shutdown !== undefined && shutdown !== "0") return true;
  return startFailures(remote).some((name) => attributes.values(name).size > 0);
}

/**
 * A remote node answers again: its wish to leave and the failed starts of its connection are of the past. Other failures
 * stay: they may be why it has to be fenced.
 */
export function takeBack(state: ClusterState, remote: NodeName): void {
  const { attributes, status } = state;
  const failures = startFailures(remote).flatMap((name) =>
    [...attributes.values(name).keys()].map((node) => ({ node, name, value: undefined })),
  );
  state.setAttributes([{ node: remote, name: "shutdown", value: undefined }, ...failures]);
  for (const id of status.nodeIds()) {
    const gone = status.removeOps(id, remote, isFailedStart);
    if (gone && status.ops(id, remote).length === 0) status.removeResource(id, remote);
  }
  state.touch();
}

function isFailedStart({ attributes }: XmlElement): boolean {
  if (attributes.get("operation") !== "start") return false;
  if (attributes.get("op-status") === String(OpStatus.PENDING)) return false;
  return attributes.get("rc-code") !== String(OcfExit.OK);
}
