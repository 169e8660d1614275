import { element, formatXml, type XmlElement } from "../../cib/index.ts";
import { type Cluster, type Node, type Resource, roleName } from "../../scheduler/index.ts";
import {
  activeNodes,
  displayedRole,
  failedProbe,
  isActive,
  isDisabled,
  nodeHealth,
  pendingMonitor,
  pendingState,
  printableId,
  sortedNodes,
  sortedResources,
  targetRole,
} from "./cluster-view.ts";
import { formatCtime } from "./dates.ts";
import { exitText, statusText } from "./exit-texts.ts";
import { newestOfEach } from "./fence-history.ts";
import type { StatusInput } from "./input.ts";
import type { MonOptions, MonSection } from "./mon-options.ts";
import {
  bansOf,
  expectedConnectivity,
  shownAttributes,
  shownFailures,
  shownOperations,
} from "./mon-sections.ts";
import { monSummary } from "./mon-summary.ts";
import { failCount, formatCount, histories, type OperationEntry, readOperation } from "./operations.ts";
import { agentText, passesFilter } from "./resource-list.ts";
import { formatUtc } from "./simulate-report.ts";

/** Version of the report's schema that this follows. */
const apiVersion = "2.25";

const flag = (value: boolean): string => (value ? "true" : "false");

/** The report as `<pacemaker-result>`, or with `old` as the `<crm_mon>` of `-X`. */
export function monXml(
  input: StatusInput,
  cluster: Cluster,
  options: MonOptions,
  request: string,
  old = false,
): string {
  const root = old
    ? element("crm_mon", { version: input.version })
    : element("pacemaker-result", { "api-version": apiVersion, request });
  root.children.push(...monElements(input, cluster, options));
  if (!old) root.children.push(element("status", { code: 0, message: "OK" }));
  return `${old ? '<?xml version="1.0"?>\n' : ""}${formatXml(root)}`;
}

function monElements(input: StatusInput, cluster: Cluster, options: MonOptions): XmlElement[] {
  const has = (section: MonSection) => options.sections.has(section);
  const nodes = sortedNodes(cluster).filter(({ name }) => !options.onlyNodes || options.onlyNodes.has(name));
  const resources = sortedResources(cluster).filter(
    (rsc) => (!rsc.removed || isActive(rsc, true)) && passesFilter(rsc, filterOf(options)),
  );
  return [
    summaryElement(input, cluster),
    ...(has("nodes")
      ? [
          element(
            "nodes",
            {},
            nodes.map((node) => nodeElement(cluster, node, options)),
          ),
        ]
      : []),
    ...(has("resources") && !options.byNode
      ? [
          element(
            "resources",
            {},
            resources.map((rsc) => resourceElement(cluster, rsc)),
          ),
        ]
      : []),
    ...(has("attributes") ? [attributesElement(cluster, nodes)] : []),
    ...(has("operations") || has("failcounts") ? [historyElement(cluster, has("operations"))] : []),
    ...(has("failures") && shownFailures(cluster).length > 0 ? [failuresElement(cluster)] : []),
    ...(has("fencing-failed") || has("fencing-succeeded") ? fenceElements(input, options) : []),
    ...(has("tickets") && cluster.tickets.size > 0 ? [ticketsElement(cluster)] : []),
    ...(has("bans") ? [bansElement(cluster, options)] : []),
  ];
}

const filterOf = (options: MonOptions) => ({
  inactive: true,
  ...(options.onlyNodes ? { nodes: options.onlyNodes } : {}),
  ...(options.onlyResources ? { resources: options.onlyResources } : {}),
});

function summaryElement(input: StatusInput, cluster: Cluster): XmlElement {
  const summary = monSummary(input, cluster);
  const { options } = cluster;
  const dc = summary.dcName
    ? element("current_dc", {
        present: "true",
        version: summary.version,
        name: summary.dcName,
        id: summary.dc?.id,
        with_quorum: flag(summary.quorate),
        mixed_version: "false",
      })
    : element("current_dc", { present: "false" });
  return element("summary", {}, [
    element("stack", { type: summary.stack, ...(input.membership ? { "pacemakerd-state": "running" } : {}) }),
    dc,
    element("last_update", { time: summary.lastUpdated, origin: input.localNode }),
    element("last_change", {
      time: summary.lastChanged ?? "",
      user: summary.lastChangeUser ?? "",
      client: summary.lastChangeClient ?? "",
      origin: summary.lastChangeOrigin ?? "",
    }),
    element("nodes_configured", { number: summary.nodes }),
    element("resources_configured", {
      number: summary.instances.total,
      disabled: summary.instances.disabled,
      blocked: summary.instances.blocked,
    }),
    element("cluster_options", {
      "stonith-enabled": flag(options.fencingEnabled),
      "fencing-enabled": flag(options.fencingEnabled),
      "symmetric-cluster": flag(options.symmetric),
      "no-quorum-policy": options.noQuorumPolicy,
      "maintenance-mode": flag(options.maintenance),
      "stop-all-resources": flag(options.stopAll),
      "stonith-timeout-ms": options.fencingTimeoutMs,
      "fencing-timeout-ms": options.fencingTimeoutMs,
      "priority-fencing-delay-ms": options.priorityFencingDelayMs,
    }),
  ]);
}

function nodeElement(cluster: Cluster, node: Node, options: MonOptions): XmlElement {
  const result = element("node", {
    name: node.name,
    id: node.id,
    online: flag(node.online),
    standby: flag(node.standby),
    standby_onfail: flag(node.standbyOnFail),
    maintenance: flag(node.maintenance),
    pending: flag(node.pending),
    unclean: flag(node.unclean),
    health: nodeHealth(cluster, node),
    feature_set: node.featureSet ?? "<3.15.1",
    shutdown: flag(node.shutdown),
    expected_up: flag(node.expectedUp),
    is_dc: flag(node.isDc),
    resources_running: node.running.length,
    type: node.kind,
    ...(node.isGuest ? { id_as_resource: node.remoteRsc?.container?.id } : {}),
  });
  if (options.byNode) result.children.push(...node.running.map((rsc) => primitiveElement(cluster, rsc)));
  return result;
}

/** A resource with what is in it. */
export function resourceElement(cluster: Cluster, rsc: Resource): XmlElement {
  const parts = (children: readonly Resource[]) => children.map((child) => resourceElement(cluster, child));
  if (rsc.bundle) return bundleElement(cluster, rsc);
  if (rsc.isGroup) {
    return element(
      "group",
      {
        id: rsc.id,
        number_resources: rsc.children.length,
        maintenance: flag(rsc.maintenance),
        managed: flag(rsc.managed),
        disabled: flag(isDisabled(rsc)),
      },
      parts(rsc.children),
    );
  }
  if (rsc.isClone) {
    const shown = rsc.children.filter((child) => !child.removed || isActive(child, false));
    return element(
      "clone",
      {
        id: rsc.id,
        multi_state: flag(rsc.promotable),
        unique: flag(rsc.unique),
        maintenance: flag(rsc.maintenance),
        managed: flag(rsc.managed),
        disabled: flag(isDisabled(rsc)),
        failed: flag(rsc.failed),
        failure_ignored: flag(rsc.failureIgnored),
        target_role: targetRole(rsc),
      },
      parts(shown),
    );
  }
  return primitiveElement(cluster, rsc);
}

function bundleElement(cluster: Cluster, rsc: Resource): XmlElement {
  const replicas = rsc.bundle?.replicas ?? [];
  return element(
    "bundle",
    {
      id: rsc.id,
      type: rsc.bundle?.agent,
      image: rsc.bundle?.image,
      unique: flag(rsc.unique),
      maintenance: flag(rsc.maintenance),
      managed: flag(rsc.managed),
      failed: flag(rsc.failed),
    },
    replicas.map(({ offset, ip, child, container, remote }) => {
      const parts = [ip, child, container, remote].filter((part) => part !== undefined);
      return element(
        "replica",
        { id: offset },
        parts.map((part) => primitiveElement(cluster, part)),
      );
    }),
  );
}

function primitiveElement(cluster: Cluster, rsc: Resource): XmlElement {
  const nodes = activeNodes(rsc);
  const probe = failedProbe(cluster, rsc, nodes[0]?.name);
  const locked = rsc.lockNode?.name;
  return element(
    "resource",
    {
      id: printableId(rsc),
      resource_agent: agentText(rsc),
      role: roleName(displayedRole(rsc)),
      target_role: targetRole(rsc),
      active: flag(isActive(rsc, true)),
      orphaned: flag(rsc.removed),
      blocked: flag(rsc.blocked),
      maintenance: flag(rsc.maintenance),
      managed: flag(rsc.managed),
      failed: flag(rsc.failed),
      failure_ignored: flag(rsc.failureIgnored),
      nodes_running_on: nodes.length,
      pending: pendingState(rsc) ?? pendingMonitor(rsc),
      locked_to: locked,
      ...(probe && nodes.length === 0 ? { failed_probe: exitText(readOperation(probe).rc) } : {}),
    },
    nodes.map(({ name, id, online }) => element("node", { name, id, cached: flag(online) })),
  );
}

function attributesElement(cluster: Cluster, nodes: readonly Node[]): XmlElement {
  const expected = expectedConnectivity(cluster);
  return element(
    "node_attributes",
    {},
    nodes
      .filter(({ online }) => online)
      .map((node) =>
        element(
          "node",
          { name: node.name },
          shownAttributes(node, expected).map((attribute) => element("attribute", { ...attribute })),
        ),
      ),
  );
}

function historyElement(cluster: Cluster, withOperations: boolean): XmlElement {
  const nodes = histories(cluster).map(({ node, resources }) => {
    const shown = resources.flatMap((history) => {
      const { count, last } = failCount(node, history.id);
      const operations = withOperations ? shownOperations(history.operations) : [];
      if (operations.length === 0 && count === 0) return [];
      const attributes = {
        id: history.id,
        orphan: flag(!history.rsc || history.rsc.removed),
        "migration-threshold": history.rsc?.migrationThreshold,
        "fail-count": count > 0 ? formatCount(count) : undefined,
        "last-failure": last > 0 ? formatCtime(last) : undefined,
      };
      return [element("resource_history", attributes, operations.map(operationElement))];
    });
    return element("node", { name: node.name }, shown);
  });
  return element("node_history", {}, nodes);
}

const operationElement = ({
  call,
  task,
  rc,
  intervalMs,
  changed,
  execMs,
  queueMs,
}: OperationEntry): XmlElement =>
  element("operation_history", {
    call,
    task: task === "monitor" && intervalMs === 0 ? "probe" : task,
    rc,
    rc_text: exitText(rc),
    interval: intervalMs > 0 ? `${intervalMs}ms` : undefined,
    "last-rc-change": changed > 0 ? formatCtime(changed) : undefined,
    "exec-time": `${execMs}ms`,
    "queue-time": `${queueMs}ms`,
  });

function failuresElement(cluster: Cluster): XmlElement {
  const failures = shownFailures(cluster).map(({ node, xml }) => {
    const { rc, status, call, exitReason, changed, queueMs, execMs, intervalMs, task } = readOperation(xml);
    return element("failure", {
      op_key: xml.attributes.get("operation_key") ?? xml.attributes.get("id"),
      node: node.name,
      exitstatus: exitText(rc),
      exitreason: exitReason,
      exitcode: rc,
      call,
      status: statusText(status),
      "last-rc-change": changed > 0 ? formatUtc(changed) : undefined,
      queued: queueMs,
      exec: execMs,
      interval: intervalMs,
      task,
    });
  });
  return element("failures", {}, failures);
}

function fenceElements(input: StatusInput, options: MonOptions): XmlElement[] {
  const { history, pending } = input.fencing;
  const reduced = options.fenceHistoryFull ? history : newestOfEach(history);
  const shown = reduced.filter(({ ok }) => (ok ? options.sections.has("fencing-succeeded") : true));
  const events = [
    ...pending.map(({ action, target, client, origin }) =>
      element("fence_event", { status: "pending", action, target, client, origin }),
    ),
    ...shown.map(({ ok, action, target, client, origin, executor, completedAt, reason }) =>
      element("fence_event", {
        status: ok ? "success" : "failed",
        action,
        target,
        client,
        origin,
        delegate: executor || undefined,
        completed: formatUtc(completedAt),
        ...(ok || reason === "" ? {} : { "exit-reason": reason }),
      }),
    ),
  ];
  return events.length > 0 || options.sections.has("fencing-succeeded")
    ? [element("fence_history", { status: 0 }, events)]
    : [];
}

const ticketsElement = (cluster: Cluster): XmlElement =>
  element(
    "tickets",
    {},
    [...cluster.tickets.values()].map(({ id, granted, standby, lastGranted }) =>
      element("ticket", {
        id,
        status: granted ? "granted" : "revoked",
        standby: flag(standby),
        "last-granted": lastGranted ? formatCtime(lastGranted) : undefined,
      }),
    ),
  );

const bansElement = (cluster: Cluster, options: MonOptions): XmlElement =>
  element(
    "bans",
    {},
    bansOf(cluster, options.banPrefix).map(({ id, rsc, node, score, promotedOnly }) =>
      element("ban", {
        id,
        resource: rsc,
        node,
        weight: score,
        "promoted-only": flag(promotedOnly),
        master_only: flag(promotedOnly),
      }),
    ),
  );
