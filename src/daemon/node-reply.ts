import type { ControllerView } from "../controller/index.ts";
import type { NodeId, NodeName } from "../terms/index.ts";
import type { NodeReply } from "./admin-protocol.ts";

interface NamedNode {
  readonly id: NodeId;
  readonly name: NodeName;
}

interface Asked {
  readonly self: NamedNode;
  /** The node list. */
  readonly nodes: readonly NamedNode[];
  readonly view: Pick<ControllerView, "leader" | "membership" | "phase">;
  readonly pid: number;
  readonly leftMark: string;
  /** Names of the nodes that who asks may see; all where it is absent. */
  readonly visible?: ReadonlySet<string> | undefined;
  readonly hiddenSections: readonly string[];
}

/** What a node says of itself and of the others, as far as who asks may see them; `hidden` where that is not all. */
export function nodeReply({ self, nodes, view, pid, leftMark, visible, hiddenSections }: Asked): NodeReply {
  const { leader, membership, phase } = view;
  const participants = new Set(membership?.participants.map(({ nodeId }) => nodeId));
  const members = new Set(membership?.members);
  // Everybody on a node may know where that is. Who leads is of the cluster, also where it is this node.
  const shown = (name: string) => !visible || name === self.name || visible.has(name);
  const tellsLeader = leader !== undefined && (!visible || visible.has(leader));
  const hidden = (leader !== undefined && !tellsLeader) || !nodes.every(({ name }) => shown(name));
  return {
    id: self.id,
    name: self.name,
    ...(hidden ? { hidden } : {}),
    ...(hiddenSections.length === 0 ? {} : { hiddenSections }),
    quorate: membership?.quorate ?? false,
    joined: phase === "synced",
    pid,
    leftMark,
    ...(tellsLeader ? { leader } : {}),
    members: nodes
      .filter(({ name }) => shown(name))
      .map(({ id, name }) => ({
        id,
        name,
        state: participants.has(id) ? "member" : members.has(id) ? "pending" : "lost",
      })),
  };
}
