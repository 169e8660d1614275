import { lookup } from "../../terms/index.ts";
import type { Selection } from "./selection.ts";

/** Parts of a cluster report that can be left out or taken in, by the names of crm_mon's `--include`. */
export const monSections = [
  "attributes",
  "bans",
  "counts",
  "dc",
  "failcounts",
  "failures",
  "fencing-failed",
  "fencing-pending",
  "fencing-succeeded",
  "maint-mode",
  "nodes",
  "operations",
  "options",
  "resources",
  "stack",
  "tickets",
  "times",
] as const;
export type MonSection = (typeof monSections)[number];

const summary: readonly MonSection[] = ["stack", "dc", "times", "counts", "maint-mode"];
/** What is shown when nothing is asked for. */
export const defaultSections: readonly MonSection[] = [...summary, "nodes", "resources", "failures"];
const groups: Readonly<Record<string, readonly MonSection[]>> = lookup({
  summary,
  fencing: ["fencing-failed", "fencing-pending", "fencing-succeeded"],
});

/** Names that `--include` and `--exclude` know. */
export const sectionNames: readonly string[] = [
  "all",
  "none",
  "default",
  ...monSections,
  ...Object.keys(groups),
];

/** The sections that a name stands for; `undefined` when it is none. */
export function sectionsNamed(name: string): readonly MonSection[] | undefined {
  const group = groups[name];
  if (group) return group;
  const section = monSections.find((candidate) => candidate === name);
  return section === undefined ? undefined : [section];
}

/** What a cluster report shows, and how. */
export interface MonOptions {
  readonly sections: ReadonlySet<MonSection>;
  readonly inactive: boolean;
  /** Node ids, single instances, descriptions, implied resources, feature sets. */
  readonly detail: boolean;
  /** Operations under way instead of the role that they leave. */
  readonly pending: boolean;
  /** Failures by key, call and times instead of a sentence. */
  readonly failureDetail: boolean;
  readonly brief: boolean;
  /** What the configuration says of resources for people. */
  readonly description: boolean;
  readonly byNode: boolean;
  /** When and how long, in "Operations". */
  readonly timing: boolean;
  /** Limits bans to ids that begin so. */
  readonly banPrefix: string;
  /** What the report is limited to. */
  readonly selection?: Selection;
}

/** The plain `crm_mon -1`. */
export const defaultMonOptions: MonOptions = {
  sections: new Set(defaultSections),
  inactive: false,
  detail: false,
  pending: true,
  failureDetail: false,
  brief: false,
  description: false,
  byNode: false,
  timing: false,
  banPrefix: "",
};
