import { type Cluster, type Node, type Resource, Role } from "../../scheduler/index.ts";
import { lookup } from "../../terms/index.ts";
import { hiddenText, judgedBy, missingBasis } from "../hidden.ts";
import {
  currentNode,
  displayedRole,
  isActive,
  nodeStateText,
  printableId,
  sortedNames,
  sortedNodes,
  sortedResources,
} from "./cluster-view.ts";
import { formatCtime } from "./dates.ts";
import { exitTextOld, statusTextOld } from "./exit-texts.ts";
import type { StatusInput } from "./input.ts";
import type { MonOptions } from "./mon-options.ts";
import {
  bansOf,
  connectivityRemark,
  shownAttributes,
  shownFailures,
  shownOperations,
} from "./mon-sections.ts";
import { lastChangeText, monSummary } from "./mon-summary.ts";
import { failCount, formatCount, histories, type ResourceHistory, readOperation } from "./operations.ts";
import { agentText, cloneView, isListed, type ResourceListOptions, stoppedLines } from "./resource-list.ts";
import { everything, selects, selectsNode } from "./selection.ts";

/** The report of crm_mon as Pacemaker 1.1.12 laid it out, which the talk shows and old scripts read. */
export function legacyMonText(input: StatusInput, cluster: Cluster, options: MonOptions): string {
  const has = (section: Parameters<MonOptions["sections"]["has"]>[0]) => options.sections.has(section);
  const head =
    has("times") || has("stack") || has("dc") || has("counts") ? [...headLines(input, cluster), "", ""] : [];
  const hasState = missingBasis(input.hidden ?? []).length === 0;
  const body = [
    ...(has("nodes") && hasState ? nodeLines(cluster, options) : []),
    ...(has("resources") && hasState && (!options.byNode || options.inactive)
      ? resourceLines(cluster, options)
      : []),
    ...(has("attributes") ? attributeLines(cluster, options) : []),
    ...(has("operations") || has("failcounts") ? historyLines(cluster, options, has("operations")) : []),
    ...(has("failures") ? failureLines(cluster) : []),
    ...(has("tickets") ? ticketLines(cluster) : []),
    ...(has("bans") ? banLines(cluster, options) : []),
  ];
  return `${[...head, ...body].join("\n")}\n`;
}

function headLines(input: StatusInput, cluster: Cluster): string[] {
  const summary = monSummary(input, cluster);
  const hidden = judgedBy(input.hidden);
  const hides = (section: string) => hidden.includes(section);
  const dc = summary.dc ? `${summary.dc.name} (${summary.dc.id})` : summary.dcName;
  const votes = input.membership ? `, ${input.membership.expectedVotes} expected votes` : "";
  return [
    `Last updated: ${summary.lastUpdated}`,
    `Last change: ${lastChangeText(summary)}`,
    `Stack: ${summary.stack}`,
    dc === undefined
      ? "Current DC: NONE"
      : `Current DC: ${dc} - partition ${summary.quorate ? "with" : "WITHOUT"} quorum`,
    `Version: ${summary.version ?? "unknown"}`,
    ...(hides("nodes") ? [] : [`${summary.nodes} Nodes configured${votes}`]),
    ...(hides("resources") ? [] : [`${summary.instances.total} Resources configured`]),
    ...(hidden.length === 0 ? [] : [`Not all is shown: ${hiddenText(hidden)}`]),
  ];
}

function nodeLines(cluster: Cluster, options: MonOptions): string[] {
  const lists = new Map<string, string[]>();
  const lines: string[] = [];
  for (const node of sortedNodes(cluster)) {
    if (!selectsNode(options.selection ?? everything, node.name)) continue;
    const state = nodeStateText(node).replace(" (with active resources)", "");
    if (options.byNode || !/^(?:online|OFFLINE)$/.test(state)) {
      const kind = node.isGuest ? "ContainerNode" : node.isRemote ? "RemoteNode" : "Node";
      lines.push(`${kind} ${node.name}${node.kind === "remote" ? "" : ` (${node.id})`}: ${state}`);
      if (options.byNode) lines.push(...residentLines(node));
    } else {
      const list = listName(node);
      if (list) lists.set(list, [...(lists.get(list) ?? []), node.name]);
    }
  }
  for (const name of ["Online", "OFFLINE", "RemoteOnline", "RemoteOFFLINE", "Containers"]) {
    const members = lists.get(name);
    if (members) lines.push(`${name}: [ ${members.join(" ")} ]`);
  }
  return lines;
}

function listName(node: Node): string | undefined {
  if (node.isGuest) return node.online ? "Containers" : undefined;
  return `${node.isRemote ? "Remote" : ""}${node.online ? "Online" : "OFFLINE"}`;
}

const residentLines = (node: Node): string[] =>
  node.running.map((rsc) => `\t${agentLine(rsc, "").trimStart()}`);

function resourceLines(cluster: Cluster, options: MonOptions): string[] {
  const list: ResourceListOptions = {
    inactive: options.inactive,
    pending: false,
    cloneDetail: options.detail,
    selection: options.selection ?? everything,
  };
  const shown = sortedResources(cluster).filter(
    (rsc) => isListed(rsc, list) && selects(options.selection ?? everything, rsc, true),
  );
  const lines = shown.flatMap((rsc) => oneResource(cluster, rsc, list, " "));
  return ["", ...(options.inactive ? ["Full list of resources:", ""] : []), ...lines];
}

function oneResource(cluster: Cluster, rsc: Resource, list: ResourceListOptions, indent: string): string[] {
  if (rsc.bundle) {
    const replicas = rsc.bundle.replicas.flatMap(({ container, child, remote }) => {
      const name = printableId(remote ?? container);
      return [agentLine(child ?? container, `${indent}   `, name, currentNode(container))];
    });
    return [`${indent}Docker container set: ${rsc.id} [${rsc.bundle.image}]`, ...replicas];
  }
  if (rsc.isGroup) {
    const members = rsc.children.filter((child) => list.inactive || isActive(child, false));
    return [
      `${indent}Resource Group: ${rsc.id}`,
      ...members.flatMap((member) => oneResource(cluster, member, list, `${indent}    `)),
    ];
  }
  if (rsc.isClone) return cloneLines(cluster, rsc, list, indent);
  return [agentLine(rsc, indent)];
}

function cloneLines(cluster: Cluster, clone: Resource, list: ResourceListOptions, indent: string): string[] {
  const view = cloneView(clone, list);
  const inner = clone.clone?.childXml.attributes.get("id") ?? "";
  const remarks = `${clone.unique ? " (unique)" : ""}${clone.managed ? "" : " (unmanaged)"}`;
  const lines = [
    `${indent}${clone.promotable ? "Master/Slave" : "Clone"} Set: ${clone.id} [${inner}]${remarks}`,
  ];
  for (const instance of view.single) lines.push(...oneResource(cluster, instance, list, `${indent}    `));
  const add = (title: string, names: readonly string[]) => {
    if (names.length > 0) lines.push(`${indent}    ${title}: [ ${names.join(" ")} ]`);
  };
  add("Masters", sortedNames(view.promoted));
  add(clone.promotable ? "Slaves" : "Started", sortedNames(view.started));
  // Stopped instances of a clone were always listed.
  for (const { text } of stoppedLines(cluster, clone, view, list)) lines.push(`${indent}    ${text}`);
  return lines;
}

const oldRoles: Readonly<Record<number, string>> = lookup({
  [Role.Unknown]: "Unknown",
  [Role.Stopped]: "Stopped",
  [Role.Started]: "Started",
  [Role.Unpromoted]: "Slave",
  [Role.Promoted]: "Master",
});

/** ` id<TAB>(class::provider:type):<TAB> Role node (remarks)` */
function agentLine(rsc: Resource, indent: string, name = printableId(rsc), on = currentNode(rsc)): string {
  const role = displayedRole(rsc);
  const state = rsc.failed
    ? `FAILED${role === Role.Promoted ? " Master" : ""}`
    : (oldRoles[role] ?? "Unknown");
  const several = rsc.runningOn.length > 1;
  const words = [
    `${rsc.removed ? "ORPHANED " : ""}${state}`,
    ...(on && !several ? [on.name] : []),
    ...(on?.unclean && !on.online ? ["(UNCLEAN)"] : []),
    ...(rsc.blocked ? ["(blocked)"] : rsc.managed ? [] : ["(unmanaged)"]),
    ...(rsc.failureIgnored ? ["(failure ignored)"] : []),
    ...(several ? [`[ ${rsc.runningOn.map((node) => node.name).join(" ")} ]`] : []),
  ];
  return `${indent}${name}\t(${agentText(rsc, "::")}):\t ${words.join(" ")}`;
}

function attributeLines(cluster: Cluster, options: MonOptions): string[] {
  const shown = sortedNodes(cluster).filter(
    (node) => node.online && selectsNode(options.selection ?? everything, node.name),
  );
  const lines = shown.flatMap((node) => [
    `* Node ${node.name}:`,
    ...shownAttributes(cluster, node).map((attribute) => {
      const remark = connectivityRemark(attribute.value, attribute.expected);
      return `    + ${attribute.name.padEnd(32)}\t: ${attribute.value.padEnd(10)}${remark === "" ? "" : `\t: ${remark}`}`;
    }),
  ]);
  return ["", "Node Attributes:", ...lines];
}

function historyLines(cluster: Cluster, options: MonOptions, operations: boolean): string[] {
  const lines = histories(cluster).flatMap(({ node, resources }) => [
    `* Node ${node.name}: `,
    ...resources.flatMap((history) => historyOf(node, history, options, operations)),
  ]);
  return ["", operations ? "Operations:" : "Migration summary:", ...lines];
}

function historyOf(node: Node, history: ResourceHistory, options: MonOptions, operations: boolean): string[] {
  const { count, last } = failCount(node, history.id);
  const rows = operations ? shownOperations(history.operations) : [];
  if (count === 0 && rows.length === 0) return [];
  const threshold = history.rsc ? `migration-threshold=${history.rsc.migrationThreshold}` : "orphan";
  const counted = count > 0 ? ` fail-count=${formatCount(count)}` : "";
  const failed = last > 0 ? ` last-failure='${formatCtime(last)}'` : "";
  return [
    `   ${history.id}: ${threshold}${counted}${failed}`,
    ...rows.map(({ call, task, intervalMs, rc, changed, execMs, queueMs }) => {
      const interval = intervalMs > 0 ? ` interval=${intervalMs}ms` : "";
      const times = options.timing
        ? ` last-rc-change='${formatCtime(changed)}' last-run='${formatCtime(changed)}' exec-time=${execMs}ms queue-time=${queueMs}ms`
        : "";
      return `    + (${call}) ${task}:${interval}${times} rc=${rc} (${exitTextOld(rc)})`;
    }),
  ];
}

function failureLines(cluster: Cluster): string[] {
  const failures = shownFailures(cluster);
  if (failures.length === 0) return [];
  const lines = failures.map(({ node, xml }) => {
    const { rc, call, status, changed, queueMs, execMs } = readOperation(xml);
    const key = xml.attributes.get("operation_key") ?? xml.attributes.get("id") ?? "";
    const times =
      changed > 0 ? `, last-rc-change='${formatCtime(changed)}', queued=${queueMs}ms, exec=${execMs}ms` : "";
    return `    ${key} on ${node.name} '${exitTextOld(rc)}' (${rc}): call=${call}, status=${statusTextOld(status)}${times}`;
  });
  return ["", "Failed actions:", ...lines];
}

function ticketLines(cluster: Cluster): string[] {
  const lines = [...cluster.tickets.values()].map((ticket) => {
    const last = ticket.lastGranted ? ` last-granted='${formatCtime(ticket.lastGranted)}'` : "";
    return `* ${ticket.id}:\t${ticket.granted ? "granted" : "revoked"}${ticket.standby ? " [standby]" : ""}${last}`;
  });
  return ["", "Tickets:", ...lines];
}

function banLines(cluster: Cluster, options: MonOptions): string[] {
  const lines = bansOf(cluster, options.banPrefix).map(
    ({ id, rsc, node, promotedOnly }) =>
      ` ${id}\tprevents ${rsc} from ${promotedOnly ? "being promoted" : "running"} on ${node}`,
  );
  return ["", "Negative location constraints:", ...lines];
}
