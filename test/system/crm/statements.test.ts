/**
 * Statements of crm shell text, one by one, beside the crm shell: each upon the same configuration, and compared with all ids.
 * Needs: apt-get install --no-install-recommends crmsh pacemaker-cli-utils resource-agents fence-agents
 */
import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  cibOf,
  examineCrm,
  formatCrm,
  formatXml,
  loadCrm,
  parseXml,
  type XmlElement,
} from "../../../src/cib/index.ts";
import { newErrors } from "../../../src/cli/acceptance.ts";
import { comparable } from "./comparable.ts";
import { askShell } from "./shell.ts";

setDefaultTimeout(300_000);

const directory = mkdtempSync(join(tmpdir(), "hactl-crm-"));
afterAll(() => rmSync(directory, { recursive: true }));

const read = (name: string): string => readFileSync(join(import.meta.dir, name), "utf8");
const statementsOf = (name: string): string[] =>
  read(name)
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("# "));

const base = loadCrm(read("base.crm"), undefined, "update");
const given = formatXml(cibOf(base));

const idOf = ({ attributes }: XmlElement): string => attributes.get("id") ?? "";

/** Resources by their ids, as the crm shell shows them in an order of its own. */
const made = (cib: XmlElement): string =>
  comparable(cib, (section) =>
    section.name === "resources"
      ? { ...section, children: section.children.toSorted((a, b) => (idOf(a) < idOf(b) ? -1 : 1)) }
      : section,
  ).join("\n");

const unchanged = made(cibOf(base));

/** What we make of a statement, and everything wrong with it. */
function ours(text: string) {
  const { configuration, errors } = examineCrm(text, base, "update");
  const problems = [
    ...errors.map(({ what, where }) => ({ text: what, line: where?.line })),
    ...newErrors(cibOf(base), cibOf(configuration)),
  ];
  return { configuration, problems };
}

/** Statements that we do something else with, and why. */
const otherwise: Readonly<Record<string, string>> = {
  "node 2: n2 utilization cpu=8":
    "a node's attributes are set by others too: those that are not mentioned stay",
  "primitive p pacemaker:Dummy": "the crm shell makes a class of the provider, which there is none of",
  "bundle bu rkt image=x": "the crm shell breaks down",
  'location l a rule 100: rack eq "two words"': "the crm shell breaks down",
  "location l a never: n1": "a score-attribute beside a node, which the schema does not have",
  "location l a always: n1": "the same",
  "location l a rule 100: date spec monthdays=1 months=1-6 yearsdays=100 weeks=3 weekyears=2030":
    "the crm shell writes a field that the schema does not have; we write the one that is meant",
  "colocation co inf: ( a b ) c node-attribute=rack": "the schema has it without sets only",
  "colocation co score-attr: a b": "Pacemaker does not look at a colocation's score-attribute",
  "role ro write nodeutil:n1": "the crm shell's path names nothing",
  "monitor a 10s:25s": "the crm shell only adds operations; ours changes the one that is there",
  'xml \'<primitive id="p" class="ocf" provider="pacemaker" type="Dummy"><meta_attributes id="p-m"><nvpair id="p-m-1" name="target-role" value="two  words"/></meta_attributes></primitive>\'':
    "no role: refused when it is checked",
};

/** What the crm shell refuses and we take. */
const taken: Readonly<Record<string, string>> = {
  "primitive p Dummy params a=b op monitor interval=10s depth=1 timeout=20s":
    "earlier crm shells took an operation's own pairs in any order, and such texts are kept",
  "bundle bu podman image=x": "the crm shell does not know podman",
  "location l a rule 100: date in start=2020-01-01": "Pacemaker takes a range that is open at one end",
};

describe("what the crm shell takes", () => {
  const statements = statementsOf("accepted.crm");
  const answers = askShell(statements, given, directory);

  test("there are many", () => {
    expect(statements.length).toBeGreaterThan(300);
    expect(Object.keys(otherwise).filter((statement) => !statements.includes(statement))).toEqual([]);
  });

  test.each(statements.map((statement, index) => [statement, answers[index]] as const))(
    "%s",
    (statement, answer) => {
      const { configuration, problems } = ours(statement);
      const own = made(cibOf(configuration));
      const shell = answer?.xml === undefined ? "" : made(parseXml(answer.xml));
      const same = problems.length === 0 && own === shell;
      if (otherwise[statement] !== undefined) {
        expect(same).toBe(false);
        return;
      }
      expect(problems).toEqual([]);
      expect(own).toBe(shell);
      // What was read is printed, and read again as the same.
      expect(formatCrm(loadCrm(formatCrm(configuration), undefined, "update"))).toBe(
        formatCrm(configuration),
      );
    },
  );
});

describe("what the crm shell refuses", () => {
  const statements = statementsOf("refused.crm");
  const answers = askShell(statements, given, directory);

  test("there are many", () => {
    expect(statements.length).toBeGreaterThan(100);
    expect(Object.keys(taken).filter((statement) => !statements.includes(statement))).toEqual([]);
  });

  test.each(statements.map((statement, index) => [statement, answers[index]] as const))(
    "%s",
    (statement, answer) => {
      const changed = answer?.xml !== undefined && made(parseXml(answer.xml)) !== unchanged;
      const { problems } = ours(`\n\n${statement}`);
      if (taken[statement] !== undefined) {
        expect({ changed, problems }).toEqual({ changed: false, problems: [] });
        return;
      }
      // What the crm shell lets pass, we may refuse as well.
      expect(problems[0]?.line).toBe(3);
    },
  );
});
