import { lookup } from "../../terms/index.ts";

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
export const defaultSections: readonly MonSection[] = [
  ...summary,
  "nodes",
  "resources",
  "failures",
  "fencing-failed",
  "fencing-pending",
];
const groups: Readonly<Record<string, readonly MonSection[]>> = lookup({
  all: monSections,
  default: defaultSections,
  none: [],
  summary: [...summary, "options"],
  fencing: ["fencing-failed", "fencing-pending", "fencing-succeeded"],
});

/** Names that `--include` and `--exclude` know. */
export const sectionNames: readonly string[] = [...monSections, ...Object.keys(groups)];

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
  /** Node ids, single instances, technical failure lines. */
  readonly detail: boolean;
  readonly brief: boolean;
  readonly byNode: boolean;
  /** When and how long, in "Operations". */
  readonly timing: boolean;
  /** Full history instead of the last of each kind. */
  readonly fenceHistoryFull: boolean;
  /** Limits bans to ids that begin so. */
  readonly banPrefix: string;
  readonly onlyNodes?: ReadonlySet<string>;
  readonly onlyResources?: ReadonlySet<string>;
}

/** The plain `crm_mon -1`. */
export const defaultMonOptions: MonOptions = {
  sections: new Set(defaultSections),
  inactive: false,
  detail: false,
  brief: false,
  byNode: false,
  timing: false,
  fenceHistoryFull: false,
  banPrefix: "",
};
