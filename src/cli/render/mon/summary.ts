import { element, type XmlElement } from "../../../cib/index.ts";
import type { ApiVersion, Message } from "../../answer/index.ts";
import { flag } from "../../answer/index.ts";
import { hiddenText, judgedBy } from "../../hidden.ts";
import { instanceText, lastChangeText, type MonSummary, monSummary, optionLines } from "../mon-summary.ts";
import { line } from "../outline.ts";
import { isWhole, type MonView, shownName, shows } from "./view.ts";

/** "Cluster Summary". */
export function summarySection(view: MonView): Message {
  const summary = monSummary(view.input, view.cluster);
  return {
    outline: () => {
      const children = summaryLines(view, summary).map(line);
      return children.length > 0 ? [{ text: "Cluster Summary:", children }] : [];
    },
    xml: (api) => {
      const children = summaryElements(view, summary, api);
      return children.length > 0 ? [element("summary", {}, children)] : [];
    },
  };
}

/** That there is no DC is told even when the DC is not asked for. */
const showsDc = (view: MonView, { dc, dcName }: MonSummary) =>
  shows(view, "dc") || (dc === undefined && dcName === undefined);

function summaryLines(view: MonView, summary: MonSummary): string[] {
  const { state, stack } = summary;
  const { localNode } = view.input;
  const hidden = judgedBy(view.input.hidden);
  return [
    ...(shows(view, "stack")
      ? [`Stack: ${stack}${state === undefined ? "" : " (Pacemaker is running)"}`]
      : []),
    ...(showsDc(view, summary) ? [dcLine(view, summary)] : []),
    ...(shows(view, "times")
      ? [
          `Last updated: ${summary.lastUpdated}${localNode === undefined ? "" : ` on ${localNode}`}`,
          `Last change:  ${lastChangeText(summary)}`,
        ]
      : []),
    ...(shows(view, "counts")
      ? [
          ...(isWhole(view, "nodes")
            ? [`${summary.nodes} node${summary.nodes === 1 ? "" : "s"} configured`]
            : []),
          ...(isWhole(view, "resources") ? [instanceText(summary)] : []),
        ]
      : []),
    ...(shows(view, "options") && isWhole(view, "crm_config") ? optionLines(view.cluster) : []),
    ...(hidden.length === 0 ? [] : [`Not all is shown: ${hiddenText(hidden)}`]),
  ];
}

function dcLine(view: MonView, summary: MonSummary): string {
  const name = summary.dc ? shownName(view, summary.dc) : summary.dcName;
  if (name === undefined) return "Current DC: NONE";
  const mixed = summary.mixed ? "MIXED-VERSION " : "";
  const quorum = summary.quorate ? "with" : "WITHOUT";
  return `Current DC: ${name} (version ${summary.version ?? "unknown"}) - ${mixed}partition ${quorum} quorum`;
}

function summaryElements(view: MonView, summary: MonSummary, api: ApiVersion): XmlElement[] {
  const { state, stack } = summary;
  return [
    ...(shows(view, "stack")
      ? [element("stack", { type: stack, "pacemakerd-state": api.atLeast("2.26") ? state : undefined })]
      : []),
    ...(showsDc(view, summary) ? [dcElement(summary)] : []),
    ...(shows(view, "times")
      ? [
          element("last_update", {
            time: summary.lastUpdated,
            origin: api.atLeast("2.27") ? view.input.localNode : undefined,
          }),
          element("last_change", {
            time: summary.lastChanged ?? "",
            user: summary.lastChangeUser ?? "",
            client: summary.lastChangeClient ?? "",
            origin: summary.lastChangeOrigin ?? "",
          }),
        ]
      : []),
    // The schema has both or none.
    ...(shows(view, "counts") && isWhole(view, "nodes") && isWhole(view, "resources")
      ? [
          element("nodes_configured", { number: summary.nodes }),
          element("resources_configured", {
            number: summary.instances.total,
            disabled: summary.instances.disabled,
            blocked: summary.instances.blocked,
          }),
        ]
      : []),
    ...(shows(view, "options") && isWhole(view, "crm_config") ? [optionsElement(view, api)] : []),
  ];
}

function dcElement(summary: MonSummary): XmlElement {
  const { dc, dcName, version = "", quorate, mixed } = summary;
  if (dc === undefined && dcName === undefined) return element("current_dc", { present: "false" });
  return element("current_dc", {
    present: "true",
    version,
    name: dc?.name ?? dcName,
    id: dc?.id ?? "",
    with_quorum: flag(quorate),
    mixed_version: flag(mixed),
  });
}

function optionsElement({ cluster }: MonView, api: ApiVersion): XmlElement {
  const { options } = cluster;
  const enabled = flag(options.fencingEnabled);
  const timeout = options.fencingTimeoutMs;
  const policy = quorumPolicy(options.noQuorumPolicy, api);
  const common = {
    "symmetric-cluster": flag(options.symmetric),
    "no-quorum-policy": policy,
    "maintenance-mode": flag(options.maintenance),
    "stop-all-resources": flag(options.stopAll),
  };
  const delay = { "priority-fencing-delay-ms": options.priorityFencingDelayMs };
  const old = { "stonith-enabled": enabled, "stonith-timeout-ms": timeout };
  if (!api.atLeast("2.42")) {
    return element("cluster_options", {
      "stonith-enabled": enabled,
      ...common,
      "stonith-timeout-ms": timeout,
      ...delay,
    });
  }
  const today = { "fencing-enabled": enabled, "fencing-timeout-ms": timeout };
  return element("cluster_options", { ...today, ...common, ...delay, ...old });
}

/** Until Pacemaker 3.0 a partition without quorum committed suicide. */
const quorumPolicy = (policy: string, api: ApiVersion): string =>
  policy === "fence" && !api.atLeast("2.39") ? "suicide" : policy;

/** That the cluster does nothing by itself. */
export function maintenanceSection({ cluster }: MonView): Message {
  const { maintenance, stopAll } = cluster.options;
  return {
    text: () => {
      if (maintenance) {
        return `${" ".repeat(14)}*** Resource management is DISABLED ***\n  The cluster will not attempt to start, stop or recover services`;
      }
      if (!stopAll) return undefined;
      return `${" ".repeat(4)}*** Resource management is DISABLED ***\n  The cluster will keep all resources stopped`;
    },
  };
}
