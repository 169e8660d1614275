/** pcs's own tests of its commands on files (tier1), with hactl's names in the place of Pacemaker's tools. */
import { chmodSync, copyFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Glob } from "bun";
import type { Figures } from "./figures.ts";
import { inOurPlace, type Part, type Place, type Source, takeOut } from "./place.ts";

/** Where Debian and RHEL keep the settings of the pcs that is installed; its checkout has none for a distribution. */
export const installedSettings = [
  "/usr/lib/python3/dist-packages/pcs/settings.py",
  "/usr/lib/pcs/pcs/settings.py",
] as const;

/** Files that pcs's configure makes of templates, with what it fills in. */
const templates: readonly (readonly [string, boolean])[] = [
  ["pcs_test/settings.py", false],
  ["pcs_test/pcs_for_tests", true],
  ["pcs_test/tools/bin_mock/pcmk/crm_resource", true],
  ["pcs_test/tools/bin_mock/pcmk/pacemaker-fenced", true],
];

const filledIn: Readonly<Record<string, string>> = {
  "@PCMK_SCHEMA_DIR@": "/usr/share/pacemaker",
  "@PYTHON@": "/usr/bin/python3",
  "@PCS_BUNDLED_DIR_LOCAL@": "pcs_bundled",
};

/** How a test of pcs ended, by its name. */
export type Outcomes = ReadonlyMap<string, string>;

/** Reads what Python's runner prints with -v: a test's name, perhaps its description, and how it ended. */
export function outcomesOf(text: string): Outcomes {
  const outcomes = new Map<string, string>();
  let name: string | undefined;
  for (const line of text.split("\n")) {
    const named = /^\S+ \(([\w.]+)\)/.exec(line);
    if (named?.[1] !== undefined) name = named[1];
    const ended = /(?:^|\.\.\. )(ok|FAIL|ERROR|expected failure|skipped .*)$/.exec(line)?.[1];
    if (name !== undefined && ended !== undefined) {
      outcomes.set(name, ended.startsWith("skipped") ? "skipped" : ended);
      name = undefined;
    }
  }
  return outcomes;
}

/** Seconds that the tests of one module may take. */
const patience = 3600;

/** The parts of tier1: a module each, named as below `tier1`. */
export function pcsParts(place: Place, source: Source): readonly Part[] {
  const tree = setUp(place, source);
  const tier = join(tree, "pcs_test", "tier1");
  const modules = [...new Glob("**/test_*.py").scanSync(tier)].map((file) =>
    file.replace(/\.py$/, "").replaceAll("/", "."),
  );
  return modules.sort().map((name) => ({ name, run: () => runModule(place, tree, name) }));
}

/** Makes of a checkout what pcs's configure makes of it. */
function setUp(place: Place, source: Source): string {
  const tree = takeOut(place, "pcs", source);
  const settings = installedSettings.find((file) => existsSync(file));
  if (settings === undefined) throw new Error("pcs is not installed");
  copyFileSync(settings, join(tree, "pcs", "settings.py"));
  for (const [file, executable] of templates) {
    let text = readFileSync(join(tree, `${file}.in`), "utf8");
    for (const [name, value] of Object.entries(filledIn)) text = text.replaceAll(name, value);
    writeFileSync(join(tree, file), text);
    if (executable) chmodSync(join(tree, file), 0o755);
  }
  return tree;
}

function runModule(place: Place, tree: string, name: string): Figures {
  const run = inOurPlace(
    place,
    [
      ...["timeout", "-k", "5", String(patience), "python3", join(import.meta.dir, "pcs-preloaded.py"), tree],
      ...[`pcs_test.tier1.${name}`, "--vanilla", "--no-parallel", "-v"],
    ],
    { cwd: tree },
  );
  writeFileSync(join(place.out, `pcs-${name}.txt`), run.out + run.err);
  const outcomes = [...outcomesOf(run.err).values()];
  const loaded = /^Ran (\d+) tests? in /m.exec(run.err)?.[1];
  return {
    tests: loaded === undefined ? outcomes.length : Number(loaded),
    pass: outcomes.filter((outcome) => outcome === "ok" || outcome === "expected failure").length,
  };
}
