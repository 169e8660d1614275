import { child, childrenOf, element, type XmlElement } from "../../../cib/index.ts";
import {
  compareOperations,
  failuresOf,
  type Node,
  type Resource,
  topLevel,
} from "../../../scheduler/index.ts";
import { type ApiVersion, flag, type Message } from "../../answer/index.ts";
import { printableId } from "../cluster-view.ts";
import { formatCtime } from "../dates.ts";
import { exitText } from "../exit-texts.ts";
import { line, type Outline } from "../outline.ts";
import { findResource, selects, selectsName, selectsNode } from "../selection.ts";
import { type ClusterView, selectionIn, shownName, shows } from "./view.ts";

/** What one node remembers of one resource. */
interface Entry {
  readonly id: string;
  readonly rsc: Resource;
  readonly operations: readonly XmlElement[];
  readonly count: number;
  /** Seconds since the epoch; 0 when nothing has failed. */
  readonly lastFailure: number;
}

/** "Operations", or "Migration Summary" with the failures alone. */
export function historySection(view: ClusterView): Message {
  const nodes = histories(view);
  const title = shows(view, "operations") ? "Operations:" : "Migration Summary:";
  return {
    outline: () =>
      nodes.length === 0
        ? []
        : [{ text: title, children: nodes.flatMap(({ node, entries }) => nodeOutline(view, node, entries)) }],
    xml: (api) => {
      const told = nodes.filter(({ entries }) => entries.length > 0);
      const children = told.map(({ node, entries }) =>
        element(
          "node",
          { name: node.name },
          entries.map((entry) => entryElement(view, entry, api)),
        ),
      );
      return nodes.length === 0 ? [] : [element("node_history", {}, children)];
    },
  };
}

/** In the order of the status section, nodes that are up. */
function histories(view: ClusterView): { node: Node; entries: Entry[] }[] {
  const { cluster } = view;
  return childrenOf(child(cluster.cib, "status"), "node_state").flatMap((state) => {
    const node = cluster.nodeById.get(state.attributes.get("id") ?? "");
    if (!node?.online || !selectsNode(selectionIn(view), node.name)) return [];
    const list = childrenOf(child(child(state, "lrm"), "lrm_resources"), "lrm_resource");
    return [{ node, entries: list.flatMap((xml) => entryOf(view, node, xml)) }];
  });
}

function entryOf(view: ClusterView, node: Node, xml: XmlElement): Entry[] {
  const { cluster } = view;
  const id = xml.attributes.get("id");
  const rsc = id === undefined ? undefined : findResource(cluster, id);
  if (id === undefined || !rsc || !isSelected(view, rsc)) return [];
  const { count, lastFailure } = failuresOf(cluster, node, rsc);
  if (!shows(view, "operations")) {
    return count > 0 ? [{ id, rsc, operations: [], count, lastFailure }] : [];
  }
  const operations = shownOperations(xml);
  return operations.length > 0 ? [{ id: printableId(rsc), rsc, operations, count, lastFailure }] : [];
}

/** A member of a group comes by its own name or its group's, not because of another member. */
function isSelected(view: ClusterView, rsc: Resource): boolean {
  const selection = selectionIn(view);
  const top = topLevel(rsc, false);
  return top.isGroup
    ? selectsName(selection, rsc) || selectsName(selection, top)
    : selects(selection, rsc, true);
}

const number = (xml: XmlElement, name: string) => Number.parseInt(xml.attributes.get(name) ?? "", 10);
const interval = (xml: XmlElement) => xml.attributes.get("interval") ?? "0";
const task = (xml: XmlElement) => xml.attributes.get("operation") ?? "";

/** The oldest first, without notifications and without probes that found nothing. */
function shownOperations(history: XmlElement): XmlElement[] {
  const shown = childrenOf(history, "lrm_rsc_op").filter((op) => {
    if (task(op) === "notify") return false;
    return !(task(op) === "monitor" && interval(op) === "0" && number(op, "rc-code") === 7);
  });
  return shown.sort((a, b) => compareOperations(a, b, true));
}

function nodeOutline(view: ClusterView, node: Node, entries: readonly Entry[]): Outline[] {
  if (entries.length === 0) return [];
  const operations = shows(view, "operations");
  const children = entries.map((entry) => {
    const text = entryText(entry);
    if (!operations) return line(text);
    return { text: `${text}:`, children: entry.operations.map((op) => line(operationText(view, op))) };
  });
  return [{ text: `Node: ${shownName(view, node)}:`, children }];
}

/** `web: migration-threshold=3 fail-count=2 last-failure='…'` */
function entryText({ id, rsc, count, lastFailure }: Entry): string {
  const counted = count > 0 ? ` fail-count=${count}` : "";
  const failed = lastFailure > 0 ? ` last-failure='${formatCtime(lastFailure)}'` : "";
  return `${id}: migration-threshold=${rsc.migrationThreshold}${counted}${failed}`;
}

/** Facts of an operation that are told when timing is wanted, as far as they are recorded. */
function timing(op: XmlElement): { changed?: string; exec?: string; queue?: string } {
  const changed = number(op, "last-rc-change");
  const exec = op.attributes.get("exec-time");
  const queue = op.attributes.get("queue-time");
  return {
    ...(changed > 0 ? { changed: formatCtime(changed) } : {}),
    ...(exec === undefined ? {} : { exec: `${exec}ms` }),
    ...(queue === undefined ? {} : { queue: `${queue}ms` }),
  };
}

const taskName = (op: XmlElement) => (task(op) === "monitor" && interval(op) === "0" ? "probe" : task(op));
const exitCode = (op: XmlElement) => number(op, "rc-code") || 0;

function operationText(view: ClusterView, op: XmlElement): string {
  const call = op.attributes.get("call-id") ?? "";
  const recurring = interval(op) === "0" ? "" : ` interval="${interval(op)}ms"`;
  if (!view.options.timing) return `(${call}) ${taskName(op)}${recurring === "" ? "" : `:${recurring}`}`;
  const { changed, exec, queue } = timing(op);
  const facts = [
    ...(changed === undefined ? [] : [` last-rc-change="${changed}"`]),
    ...(exec === undefined ? [] : [` exec-time="${exec}"`]),
    ...(queue === undefined ? [] : [` queue-time="${queue}"`]),
  ].join("");
  return `(${call}) ${taskName(op)}:${recurring}${facts} rc=${exitCode(op)} (${exitText(exitCode(op))})`;
}

function entryElement(view: ClusterView, entry: Entry, api: ApiVersion): XmlElement {
  const { id, rsc, operations, count, lastFailure } = entry;
  const attributes = {
    id,
    orphan: flag(false),
    removed: api.atLeast("2.41") ? flag(false) : undefined,
    "migration-threshold": rsc.migrationThreshold,
    "fail-count": count > 0 ? count : undefined,
    "last-failure": lastFailure > 0 ? formatCtime(lastFailure) : undefined,
  };
  return element(
    "resource_history",
    attributes,
    operations.map((op) => operationElement(view, op)),
  );
}

function operationElement(view: ClusterView, op: XmlElement): XmlElement {
  const { changed, exec, queue } = view.options.timing ? timing(op) : {};
  return element("operation_history", {
    call: op.attributes.get("call-id") ?? "",
    task: taskName(op),
    rc: exitCode(op),
    rc_text: exitText(exitCode(op)),
    interval: interval(op) === "0" ? undefined : `${interval(op)}ms`,
    "last-rc-change": changed,
    "exec-time": exec,
    "queue-time": queue,
  });
}
