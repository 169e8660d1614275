/** crmsh's regression cases on shadow CIBs, with hactl's names in the place of Pacemaker's tools. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Figures } from "./figures.ts";
import { inOurPlace, type Part, type Place, type Source, takeOut } from "./place.ts";

/** Seconds that one case may take. */
const patience = 600;

/** The parts: a case of the basic set each; one that its runner calls passed counts. */
export function crmshParts(place: Place, source: Source): readonly Part[] {
  const tree = join(takeOut(place, "crmsh", source), "test");
  // The runner takes functions of heartbeat's that it does not use from a file that no distribution has any more.
  const runner = join(tree, "regression.sh");
  writeFileSync(runner, readFileSync(runner, "utf8").replace(/^\. \/etc\/ha\.d\/shellfuncs$/m, ""));
  const cases = readFileSync(join(tree, "testcases", "basicset"), "utf8")
    .split(/\s+/)
    .filter(Boolean);
  return cases.map((name) => ({ name, run: () => runCase(place, tree, name) }));
}

function runCase(place: Place, tree: string, name: string): Figures {
  const [home = "", shadow = ""] = ["home", "shadow"].map((folder) => join(place.out, `crmsh-${folder}`));
  const seen = join(place.out, `crmsh-${name}`);
  for (const folder of [home, shadow, seen]) mkdirSync(folder, { recursive: true, mode: 0o777 });
  const runner = join(tree, "regression.sh");
  inOurPlace(place, ["timeout", "-k", "5", String(patience), "bash", runner, "-m", "buildbot", "--", name], {
    cwd: tree,
    environment: {
      HOME: home,
      CIB_shadow_dir: shadow,
      OUTDIR: seen,
      TESTDIR: join(tree, "testcases"),
      USER: "root",
    },
  });
  return { cases: 1, pass: passed(join(seen, "crm.out")) ? 1 : 0 };
}

function passed(file: string): boolean {
  try {
    return / PASS\s*$/m.test(readFileSync(file, "utf8"));
  } catch {
    return false;
  }
}
