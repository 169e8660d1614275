import type { AgentResource } from "../executor/index.ts";
import type { GraphAction } from "../scheduler/index.ts";
import type { ResourceId } from "../terms/index.ts";

/** The agent that a decision names for an action, for the resource that is known by that id. */
export function decidedAgent({ rsc }: GraphAction, id: ResourceId): AgentResource {
  return {
    id,
    class: (rsc?.class ?? "ocf") as AgentResource["class"],
    ...(rsc?.provider === undefined ? {} : { provider: rsc.provider }),
    type: rsc?.type ?? "",
  };
}
