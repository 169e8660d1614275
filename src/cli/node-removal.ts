import { type CibOperation, child, childrenOf, type XmlElement } from "../cib/index.ts";
import type { NodeReply } from "../daemon/index.ts";
import { CrmExit, HactlError } from "../terms/index.ts";

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
  return [
    { op: "delete", xpath: `/cib/configuration/nodes/node[@uname='${name}']` },
    { op: "delete", xpath: `/cib/status/node_state[@uname='${name}']` },
    // A connection that was removed and is still remembered would be one to a node that nobody has seen: it is fenced.
    ...(hasPrimitive(cib, name)
      ? []
      : [{ op: "delete" as const, all: true, xpath: `//lrm_resource[@id='${name}'][@type='remote']` }]),
  ];
}

function hasPrimitive(cib: XmlElement, id: string): boolean {
  const visit = (at: XmlElement): boolean =>
    (at.name === "primitive" && at.attributes.get("id") === id) || at.children.some(visit);
  return visit(child(child(cib, "configuration"), "resources") ?? cib);
}
