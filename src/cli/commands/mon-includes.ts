import { CrmExit, HactlError, nearest } from "../../terms/index.ts";
import type { Format } from "../answer/index.ts";
import {
  defaultSections,
  type MonSection,
  monSections,
  sectionNames,
  sectionsNamed,
} from "../render/mon-options.ts";
import type { ParsedWords } from "../tools/getopt.ts";

/** The sections of a report, and what the ids of shown bans begin with. */
export interface Included {
  readonly sections: ReadonlySet<MonSection>;
  readonly banPrefix: string;
}

const usage = (what: string, cure: string) =>
  new HactlError({ code: "USAGE", what, cure, exit: CrmExit.USAGE });

/** Everything, which in a text does not have the cluster's options: they have to be asked for by name. */
const allOf = (format: Format): readonly MonSection[] =>
  isText(format) ? monSections.filter((section) => section !== "options") : monSections;
const isText = (format: Format) => format === "text" || format === "console";

const defaultsOf = (format: Format): readonly MonSection[] => {
  if (format === "none") return [];
  return format === "xml" ? allOf(format) : defaultSections;
};

/**
 * The sections that the words ask for (crm_mon(8), "Output Control"): from those of the format on, whatever comes
 * later wins, but how much of the fencing is counts before all that names sections.
 */
export function sectionsOf(parsed: ParsedWords, format: Format): Included {
  const choice = new Choice(format);
  if (format !== "none") choice.include("fencing-failed,fencing-pending");
  for (const [name, value] of parsed.options) if (name === "fence-history") choice.fencing(value);
  if (parsed.has("watch-fencing")) choice.exclude("fencing");
  if (parsed.has("quiet")) choice.exclude("times");
  for (const [name, value] of parsed.options) {
    if (name === "failcounts") choice.include("failcounts");
    else if (name === "show-node-attributes") choice.include("attributes");
    else if (name === "operations") choice.include("failcounts,operations");
    else if (name === "timing-details") choice.include("operations");
    else if (name === "tickets") choice.include("tickets");
    else if (name === "neg-locations") choice.include(value === "" ? "bans" : `bans:${value}`);
    else if (name === "hide-headers") choice.exclude("summary");
    else if (name === "include") choice.include(value);
    else if (name === "exclude") choice.exclude(value);
  }
  return choice;
}

class Choice implements Included {
  readonly sections: Set<MonSection>;
  banPrefix = "";
  readonly #format: Format;

  constructor(format: Format) {
    this.#format = format;
    this.sections = new Set(defaultsOf(format));
  }

  include(list: string): void {
    for (const word of list.split(",")) {
      if (word === "none") this.sections.clear();
      else if (word === "all") this.#only(allOf(this.#format));
      else if (word === "default" || word === "defaults") this.#add(defaultsOf(this.#format));
      else if (word.startsWith("bans")) {
        this.#add(["bans"]);
        this.banPrefix = word.startsWith("bans:") ? word.slice("bans:".length) : "";
      } else this.#add(named(word, "include"));
    }
  }

  exclude(list: string): void {
    for (const word of list.split(",")) {
      if (word === "all") this.sections.clear();
      else if (word === "none") this.#only(allOf(this.#format));
      else for (const section of named(word, "exclude")) this.sections.delete(section);
    }
  }

  /** 0 none, 1 failed and pending, 2 and 3 all. */
  fencing(value: string): void {
    const level = value === "" ? 2 : Number(value);
    if (level === 0) this.exclude("fencing");
    else if (level === 1) this.include("fencing-failed,fencing-pending");
    else if (level === 2 || level === 3) this.include("fencing");
    else throw usage(`--fence-history=${value} is not known`, "Write 0, 1, 2 or 3");
  }

  #add(more: readonly MonSection[]): void {
    for (const section of more) this.sections.add(section);
  }

  #only(these: readonly MonSection[]): void {
    this.sections.clear();
    this.#add(these);
  }
}

function named(word: string, option: string): readonly MonSection[] {
  const found = sectionsNamed(word.toLowerCase());
  if (found) return found;
  const guess = nearest(word, sectionNames);
  throw usage(
    `--${option} does not know ${word}`,
    guess ? `Did you mean ${guess}?` : `--${option} options: ${sectionNames.join(", ")}`,
  );
}
