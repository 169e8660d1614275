import { type CibProblem, problemAt } from "./references.ts";
import { type AgentUse, agentUses } from "./verify-agents.ts";
import { child, childrenOf, type XmlElement } from "./xml.ts";

/**
 * Several resources that are one and the same unit or init script of a host: whichever is stopped or started, the others
 * find it, and what runs on another node than it should for one of them is stopped for all.
 */
export function findSharedServices(configuration: XmlElement): CibProblem[] {
  const uses = agentUses(configuration).filter((use) => hostServices.has(use.agent.class));
  const byName = Map.groupBy(uses, ({ agent }) => serviceName(agent.type));
  return [...byName].flatMap(([name, all]) => {
    // What is called a service is a unit or an init script: either is it.
    const isAny = all.some(({ agent }) => agent.class === "service");
    const groups = isAny ? [all] : [...Map.groupBy(all, ({ agent }) => agent.class).values()];
    return groups.flatMap((group) => sharedProblem(name, group, configuration));
  });
}

const hostServices: ReadonlySet<string> = new Set(["systemd", "lsb", "service"]);

/** A unit without a kind is a service. */
const serviceName = (type: string): string => type.replace(/\.service$/, "");

function sharedProblem(name: string, uses: readonly AgentUse[], configuration: XmlElement): CibProblem[] {
  const met = uses.filter(({ resource }) => !isLookedForOnlySomewhere(resource, configuration));
  const [first, ...others] = met;
  if (first === undefined) return [];
  const what = met.some(({ agent }) => agent.class === "lsb") ? "init script" : "systemd unit";
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

/** Whoever limits where a resource is looked for can keep several of one service apart. */
function isLookedForOnlySomewhere(resource: XmlElement, configuration: XmlElement): boolean {
  const id = resource.attributes.get("id");
  return childrenOf(child(configuration, "constraints"), "rsc_location").some(
    ({ attributes }) =>
      attributes.get("rsc") === id &&
      ["never", "exclusive"].includes(attributes.get("resource-discovery") ?? ""),
  );
}
