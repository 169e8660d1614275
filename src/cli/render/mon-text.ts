import type { Cluster, Node, Resource } from "../../scheduler/index.ts";
import { currentNode, isActive, nodeKindText, sortedNodes, sortedResources } from "./cluster-view.ts";
import { fenceSections } from "./fence-history.ts";
import type { StatusInput } from "./input.ts";
import type { MonOptions, MonSection } from "./mon-options.ts";
import {
  attributeSection,
  banSection,
  failCountSection,
  failureSection,
  operationSection,
  ticketSection,
} from "./mon-sections.ts";
import { instanceText, lastChangeText, monSummary, optionLines } from "./mon-summary.ts";
import { nodeDisplayName, nodeList, stateWithHealth } from "./node-list.ts";
import { joinSections, line, type Outline, outlineLines } from "./outline.ts";
import { agentText, type ResourceListOptions, resourceItems, resourceOutline } from "./resource-list.ts";

/** The report of crm_mon since Pacemaker 2.0, as a list of sections. */
export function monOutline(input: StatusInput, cluster: Cluster, options: MonOptions): Outline[] {
  const has = (section: MonSection) => options.sections.has(section);
  const only = options.onlyNodes;
  return [
    summarySection(input, cluster, options),
    ...(has("nodes") ? [nodeSection(cluster, options)] : []),
    ...(has("resources") ? resourceSection(cluster, options) : []),
    ...(has("attributes") ? [attributeSection(cluster, only)] : []),
    ...(has("operations")
      ? [operationSection(cluster, options.timing, only)]
      : has("failcounts")
        ? [failCountSection(cluster, only)]
        : []),
    ...(has("failures") ? [failureSection(cluster, options.detail, only)] : []),
    ...(has("fencing-failed") || has("fencing-pending") || has("fencing-succeeded")
      ? fenceSections(input, {
          failed: has("fencing-failed"),
          pending: has("fencing-pending"),
          succeeded: has("fencing-succeeded"),
          full: options.fenceHistoryFull,
        })
      : []),
    ...(has("tickets") ? [ticketSection(cluster)] : []),
    ...(has("bans") ? [banSection(cluster, options.banPrefix)] : []),
  ].filter(({ children }) => children !== undefined && children.length > 0);
}

/** The same as text. */
export function monText(input: StatusInput, cluster: Cluster, options: MonOptions): string {
  const sections = monOutline(input, cluster, options).map((section) => outlineLines(section));
  return `${joinSections(sections)}\n`;
}

function summarySection(input: StatusInput, cluster: Cluster, options: MonOptions): Outline {
  const summary = monSummary(input, cluster);
  const has = (section: MonSection) => options.sections.has(section);
  const lines: string[] = [];
  if (has("stack")) lines.push(`Stack: ${summary.stack}${input.membership ? " (Pacemaker is running)" : ""}`);
  if (has("dc")) {
    const name = summary.dc ? nodeDisplayName(summary.dc, options.detail) : summary.dcName;
    lines.push(
      name === undefined
        ? "Current DC: NONE"
        : `Current DC: ${name} (version ${summary.version}) - partition ${summary.quorate ? "with" : "WITHOUT"} quorum`,
    );
  }
  if (has("times")) {
    lines.push(
      `Last updated: ${summary.lastUpdated}${input.localNode === undefined ? "" : ` on ${input.localNode}`}`,
    );
    lines.push(`Last change:  ${lastChangeText(summary)}`);
  }
  if (has("counts")) {
    lines.push(`${summary.nodes} node${summary.nodes === 1 ? "" : "s"} configured`, instanceText(summary));
  }
  if (has("options")) lines.push(...optionLines(cluster));
  const sections = lines.map(line);
  if (has("maint-mode") && cluster.options.maintenance && !has("options")) {
    sections.push(line("*** Resource management is DISABLED ***"));
    sections.push(line("The cluster will not attempt to start, stop or recover services"));
  }
  return { text: "Cluster Summary:", children: sections };
}

function nodeSection(cluster: Cluster, options: MonOptions): Outline {
  if (!options.byNode && !options.detail) {
    return nodeList(cluster, options.onlyNodes ? { only: options.onlyNodes } : {});
  }
  const shown = sortedNodes(cluster).filter(({ name }) => !options.onlyNodes || options.onlyNodes.has(name));
  return {
    text: "Node List:",
    children: shown.map((node) => {
      const head = nodeHead(cluster, node, options);
      if (!options.byNode) return line(head);
      const resources = nodeResources(cluster, node, options);
      const children = resources.length > 0 ? [{ text: "Resources:", children: resources }] : [];
      return { text: `${head}:`, children };
    }),
  };
}

function nodeHead(cluster: Cluster, node: Node, options: MonOptions): string {
  const features = options.detail ? `, feature set ${node.featureSet ?? "<3.15.1"}` : "";
  return `${nodeKindText(node)} ${nodeDisplayName(node, options.detail)}: ${stateWithHealth(cluster, node)}${features}`;
}

const listOptions = (options: MonOptions): ResourceListOptions => ({
  inactive: options.inactive,
  pending: true,
  cloneDetail: options.detail,
  ...(options.onlyNodes ? { nodes: options.onlyNodes } : {}),
  ...(options.onlyResources ? { resources: options.onlyResources } : {}),
});

/** What runs on one node, primitives only. */
function nodeResources(cluster: Cluster, node: Node, options: MonOptions): Outline[] {
  const here = node.running.filter((rsc) => rsc.isPrimitive);
  if (options.brief) {
    return countByAgent(here).map(([agent, rscs]) => line(`${rscs.length}\t(${agent}):\tActive `));
  }
  return here.flatMap((rsc) => resourceOutline(cluster, rsc, { ...listOptions(options), withoutNode: true }));
}

function countByAgent(resources: readonly Resource[]): [string, Resource[]][] {
  const counted = Map.groupBy(resources, (rsc) => agentText(rsc));
  return [...counted].sort(([a], [b]) => (a < b ? -1 : 1));
}

function resourceSection(cluster: Cluster, options: MonOptions): Outline[] {
  if (options.byNode) {
    if (!options.inactive) return [];
    const idle = sortedResources(cluster).filter((rsc) => !isActive(rsc, true) && !rsc.removed);
    const items = idle.flatMap((rsc) => resourceOutline(cluster, rsc, listOptions(options)));
    return items.length > 0 ? [{ text: "Inactive Resources:", children: items }] : [];
  }
  const text = options.inactive ? "Full List of Resources:" : "Active Resources:";
  const items = options.brief ? briefItems(cluster, options) : resourceItems(cluster, listOptions(options));
  const none = line(options.inactive ? "No resources" : "No active resources");
  return [{ text, children: items.length > 0 ? items : [none] }];
}

/** Primitives counted by agent and node; collections with their own counts. */
function briefItems(cluster: Cluster, options: MonOptions): Outline[] {
  const shown = sortedResources(cluster).filter(
    (rsc) => (!rsc.removed || isActive(rsc, true)) && (options.inactive || isActive(rsc, false)),
  );
  const primitives = shown.filter((rsc) => rsc.isPrimitive);
  const others = shown.filter((rsc) => !rsc.isPrimitive);
  return [
    ...briefLines(primitives, options),
    ...others.flatMap((rsc) =>
      rsc.isGroup
        ? [{ text: `Resource Group: ${rsc.id}:`, children: briefLines(rsc.children, options) }]
        : resourceOutline(cluster, rsc, listOptions(options)),
    ),
  ];
}

function briefLines(resources: readonly Resource[], options: MonOptions): Outline[] {
  return countByAgent(resources).flatMap(([agent, rscs]) => {
    const total = options.inactive ? `/${rscs.length}` : "";
    const active = rscs.filter((rsc) => isActive(rsc, false));
    const byNode = Map.groupBy(active, (rsc) => currentNode(rsc)?.name ?? "");
    if (byNode.size === 0) return options.inactive ? [line(`0${total}\t(${agent}):\tActive`)] : [];
    return [...byNode].map(([node, on]) => line(`${on.length}${total}\t(${agent}):\tActive ${node}`));
  });
}
