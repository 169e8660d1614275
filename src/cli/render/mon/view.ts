import type { Cluster, Node } from "../../../scheduler/index.ts";
import { missingBasis } from "../../hidden.ts";
import type { StatusInput } from "../input.ts";
import type { MonOptions, MonSection } from "../mon-options.ts";
import { nodeDisplayName } from "../node-list.ts";
import type { ResourceListOptions } from "../resource-list.ts";
import { everything, type Selection } from "../selection.ts";

/** What sections about a working set are made from. */
export interface ClusterView {
  readonly cluster: Cluster;
  readonly options: MonOptions;
}

/** What a cluster report is made from. */
export interface MonView extends ClusterView {
  readonly input: StatusInput;
}

export const shows = ({ options }: ClusterView, section: MonSection): boolean =>
  options.sections.has(section);

/** Whether nothing in a section of the CIB is hidden from who asks. */
export const isWhole = ({ input }: MonView, section: string): boolean => !input.hidden?.includes(section);

/** Whether it can be told what runs where, and how the nodes are. */
export const hasState = ({ input }: MonView): boolean => missingBasis(input.hidden ?? []).length === 0;

/** What the report is limited to. */
export const selectionIn = ({ options }: ClusterView): Selection => options.selection ?? everything;

/** How resources are shown. */
export const listOptions = (view: ClusterView): ResourceListOptions => ({
  inactive: view.options.inactive,
  pending: view.options.pending,
  cloneDetail: view.options.detail,
  implicit: view.options.detail,
  description: view.options.detail || view.options.description,
  selection: selectionIn(view),
});

/** A node by the name that the report gives it. */
export const shownName = ({ options }: ClusterView, node: Node): string =>
  nodeDisplayName(node, options.detail);
