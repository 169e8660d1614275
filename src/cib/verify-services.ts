import { type CibProblem, problemAt } from "./references.ts";
import { type AgentUse, agentUses } from "./verify-agents.ts";
import { child, childrenOf, type XmlElement } from "./xml.ts";

/**
 * Several resources that are one and the same unit or init script of a host: whichever is stopped or started, the others
 * find it, and what runs on another node than it should for one of them is stopped for all.
 */
export function findSharedServices(configuration: XmlElement): CibProblem[] {
  const apart = lookedForOnlySomewhere(configuration);
  const uses = agentUses(configuration).filter(
    ({ agent, resource }) => hostServices.has(agent.class) && !apart.has(resource.attributes.get("id")),
  );
  const byName = Map.groupBy(uses, ({ agent }) => serviceName(agent.type));
  return [...byName].flatMap(([name, all]) => {
    // What is called a service is a unit or an init script: either is it.
    const isAny = all.some(({ agent }) => agent.class === "service");
    const groups = isAny ? [all] : [...Map.groupBy(all, ({ agent }) => agent.class).values()];
    return groups.flatMap((group) => sharedProblem(name, group));
  });
}

const hostServices: ReadonlySet<string> = new Set(["systemd", "lsb", "service"]);

/** A unit without a kind is a service. */
const serviceName = (type: string): string => type.replace(/\.service$/, "");

function sharedProblem(name: string, uses: readonly AgentUse[]): CibProblem[] {
  const [first, ...others] = uses;
  if (first === undefined) return [];
  const what = uses.some(({ agent }) => agent.class === "lsb") ? "init script" : "systemd unit";
  return others.map(({ resource }) =>
    problemAt(
      resource,
      "warning",
      "SHARED_SERVICE",
      `"${resource.attributes.get("id")}" and "${first.resource.attributes.get("id")}" are both the ${what} ${name}: each takes the other for itself, and stops it`,
      "keep one of them; where it is to run on several nodes, clone that one",
    ),
  );
}

/** Whoever limits where a resource is looked for can keep several of one service apart: the ids of such resources. */
const lookedForOnlySomewhere = (configuration: XmlElement): ReadonlySet<string | undefined> =>
  new Set(
    childrenOf(child(configuration, "constraints"), "rsc_location")
      .filter(({ attributes }) => ["never", "exclusive"].includes(attributes.get("resource-discovery") ?? ""))
      .flatMap(({ attributes }) => attributes.get("rsc") ?? []),
  );
