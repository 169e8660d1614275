import type { ConfigProblem } from "./problem.ts";

/** A section of corosync.conf: `name { key: value … section { … } }`. */
export interface Section {
  readonly name: string;
  readonly line: number;
  readonly entries: readonly Entry[];
  readonly sections: readonly Section[];
}

/** `key: value` with the line that it stands in. */
export interface Entry {
  readonly key: string;
  readonly value: string;
  readonly line: number;
}

interface OpenSection {
  readonly name: string;
  readonly line: number;
  readonly entries: Entry[];
  readonly sections: Section[];
}

/** Takes a corosync.conf apart (corosync.conf(5)). Lines that are neither are reported and passed over. */
export function parseCorosync(text: string): { root: Section; problems: readonly ConfigProblem[] } {
  const root: OpenSection = { name: "", line: 1, entries: [], sections: [] };
  const open: OpenSection[] = [root];
  const problems: ConfigProblem[] = [];
  const report = (line: number, what: string, cure: string) =>
    void problems.push({ severity: "error", code: "SYNTAX", line, what, cure });
  for (const [index, raw] of text.split("\n").entries()) {
    const line = index + 1;
    const content = raw.trim();
    const current = open.at(-1) ?? root;
    const opening = content.match(/^([\w.-]+)\s*\{$/);
    const pair = content.match(/^([\w.-]+)\s*:\s*(.*)$/);
    if (content === "" || content.startsWith("#")) continue;
    if (opening?.[1]) {
      const section: OpenSection = { name: opening[1], line, entries: [], sections: [] };
      current.sections.push(section);
      open.push(section);
    } else if (content === "}") {
      if (open.length > 1) open.pop();
      else report(line, "This } closes nothing", "Remove it");
    } else if (pair?.[1]) current.entries.push({ key: pair[1], value: pair[2] ?? "", line });
    else report(line, `This is neither a section nor "key: value": ${content}`, "Correct or remove the line");
  }
  for (const section of open.slice(1))
    report(section.line, `The section ${section.name} does not end`, "Add }");
  return { root, problems };
}
