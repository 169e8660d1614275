import type { Millis, NodeName } from "../terms/index.ts";
import type { FenceDevice } from "./device.ts";
import { type AgentMetadata, pluginMetadata } from "./metadata.ts";
import { Rewind } from "./rewind.ts";

/** Longest name of a file (Linux, NAME_MAX): no agent has a longer one. */
const longestName = 255;
/** An agent that was missing may have been installed meanwhile. */
const askAgainMs: Millis = 60_000;

/** Which fence agents are installed on which member, and what they say of themselves; null: nothing readable. */
export class AgentCatalogue {
  private readonly own = new Map<string, AgentMetadata | null>();
  private readonly members = new Map<NodeName, ReadonlyMap<string, AgentMetadata | null>>();
  private readonly rewind = new Rewind(() => {
    const members = [...this.members];
    return () => {
      this.members.clear();
      for (const [node, agents] of members) this.members.set(node, agents);
    };
  });
  private readonly fetching = new Set<string>();
  /** When an agent without metadata may be asked again. */
  private readonly askAgain = new Map<string, Millis>();

  /** Whether the device's agent is to be asked on this node now; it counts as asked then. */
  wants({ agent, kind }: FenceDevice, now: Millis): boolean {
    if (
      kind !== "fence-agent" ||
      agent.length > longestName ||
      this.fetching.has(agent) ||
      this.own.get(agent)
    )
      return false;
    if (now < (this.askAgain.get(agent) ?? now)) return false;
    this.askAgain.set(agent, now + askAgainMs);
    this.fetching.add(agent);
    return true;
  }

  /** What an agent has said on this node; true when no other answer is awaited. */
  fetched(agent: string, metadata: AgentMetadata | undefined): boolean {
    this.fetching.delete(agent);
    this.own.set(agent, metadata ?? null);
    return this.fetching.size === 0;
  }

  /** What this node knows of an agent; undefined: not asked yet. */
  ownOf(agent: string): AgentMetadata | null | undefined {
    return this.own.get(agent);
  }

  /** What this node has to tell the others; undefined: nothing yet. */
  toTell(): Record<string, AgentMetadata | null> | undefined {
    return this.own.size === 0 ? undefined : Object.fromEntries(this.own);
  }

  /** What a member has told. */
  told(node: NodeName, agents: Readonly<Record<string, AgentMetadata | null>>): void {
    this.rewind.touch();
    this.members.set(node, new Map(Object.entries(agents)));
  }

  /** Takes back what members tell from now on. */
  savepoint(): () => void {
    return this.rewind.savepoint();
  }

  /** Whoever is no member any more may come back with other agents. */
  keep(members: readonly NodeName[]): void {
    for (const node of [...this.members.keys()]) if (!members.includes(node)) this.members.delete(node);
  }

  /** An agent on a member; plug-ins of cluster-glue all behave alike. */
  on(node: NodeName, agent: string): AgentMetadata | null | undefined {
    return agent.startsWith("external/") ? pluginMetadata : this.members.get(node)?.get(agent);
  }
}
