import {
  type CibOperation,
  child,
  childrenOf,
  parseBoolean,
  writtenProperties,
  type XmlElement,
} from "../cib/index.ts";
import { endsActive } from "../controller/index.ts";
import type { NodeReply } from "../daemon/index.ts";
import { CrmExit, HactlError, OpStatus } from "../terms/index.ts";

/**
 * What makes the cluster forget a node that will not come back: its entry, its state with history and attributes. Remote
 * nodes that were removed may have a state alone. Errors: exit 105 when nothing is known of it, 64 when it is there.
 */
export function nodeRemoval(
  cib: XmlElement,
  { members }: Pick<NodeReply, "members">,
  name: string,
): CibOperation[] {
  const named = (element: XmlElement) => element.attributes.get("uname") === name;
  const entry = childrenOf(child(child(cib, "configuration"), "nodes"), "node").find(named);
  const state = childrenOf(child(cib, "status"), "node_state").find(named);
  const member = members.find((candidate) => candidate.name === name);
  if (!entry && !state)
    throw new HactlError({
      code: "NO_SUCH_NODE",
      what: member ? `node ${name} has not been seen yet` : `No node named ${name}`,
      exit: CrmExit.NOSUCH,
    });
  const connected =
    state?.attributes.get("remote_node") === "true" && state.attributes.get("in_ccm") === "true";
  if (connected || (member && member.state !== "lost"))
    throw new HactlError({
      code: "NODE_ACTIVE",
      what: `node ${name} is active`,
      cure: connected ? "remove or stop its connection resource first" : "stop the cluster there first",
      exit: CrmExit.USAGE,
    });
  refuseUnlessOff(cib, state, name);
  return [
    { op: "delete", xpath: `/cib/configuration/nodes/node[@uname='${name}']` },
    { op: "delete", xpath: `/cib/status/node_state[@uname='${name}']` },
    // A connection that was removed and is still remembered would be one to a node that nobody has seen: it is fenced.
    ...(hasPrimitive(cib, name)
      ? []
      : [{ op: "delete" as const, all: true, xpath: `//lrm_resource[@id='${name}'][@type='remote']` }]),
  ];
}

/**
 * What is known of a node that was lost is all that keeps its services from being started elsewhere while they may run there:
 * it must not be forgotten before it is known to be off. Without fencing nobody will find out.
 */
function refuseUnlessOff(cib: XmlElement, state: XmlElement | undefined, name: string): void {
  if (!state || !fencingEnabled(cib)) return;
  const histories = childrenOf(child(child(state, "lrm"), "lrm_resources"), "lrm_resource");
  const active = histories.filter((rsc) => mayRun(childrenOf(rsc, "lrm_rsc_op")));
  if (active.length === 0) return;
  const ids = active.map(({ attributes }) => attributes.get("id")).join(", ");
  throw new HactlError({
    code: "NODE_MAY_RUN",
    what: `node ${name} is not known to be off: there may still run ${ids}`,
    cure: `wait for its fencing; or make sure that it is off, and say 'hactl fence confirm ${name}' first`,
    exit: CrmExit.UNSAFE,
  });
}

/** What was under way when the node was lost may have come to its end there. */
const mayRun = (ops: readonly XmlElement[]): boolean =>
  endsActive(ops) ||
  ops.some(
    ({ attributes }) =>
      attributes.get("op-status") === String(OpStatus.PENDING) && attributes.get("operation") !== "monitor",
  );

const fencingEnabled = (cib: XmlElement): boolean =>
  parseBoolean(writtenProperties(child(cib, "configuration") ?? cib).get("fencing-enabled")) !== false;

function hasPrimitive(cib: XmlElement, id: string): boolean {
  const visit = (at: XmlElement): boolean =>
    (at.name === "primitive" && at.attributes.get("id") === id) || at.children.some(visit);
  return visit(child(child(cib, "configuration"), "resources") ?? cib);
}
