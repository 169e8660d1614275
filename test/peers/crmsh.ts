/** crmsh's regression cases on shadow CIBs, with hactl's names in the place of Pacemaker's tools. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Figures } from "./figures.ts";
import { inOurPlace, type Place, type Source, takeOut } from "./place.ts";

/** Seconds that one case may take. */
const patience = 600;

/** Runs every case of the basic set and counts those that its runner calls passed. */
export function runCrmsh(place: Place, source: Source): Figures {
  const tree = join(takeOut(place, "crmsh", source), "test");
  // The runner takes functions of heartbeat's that it does not use from a file that no distribution has any more.
  const runner = join(tree, "regression.sh");
  writeFileSync(runner, readFileSync(runner, "utf8").replace(/^\. \/etc\/ha\.d\/shellfuncs$/m, ""));
  const cases = readFileSync(join(tree, "testcases", "basicset"), "utf8")
    .split(/\s+/)
    .filter(Boolean);
  const folders = ["home", "shadow"].map((name) => join(place.out, `crmsh-${name}`));
  for (const folder of folders) mkdirSync(folder, { recursive: true });
  const results = cases.map((name) => {
    const seen = join(place.out, `crmsh-${name}`);
    mkdirSync(seen, { recursive: true, mode: 0o777 });
    inOurPlace(place, ["timeout", "-k", "5", String(patience), "bash", runner, "-m", "buildbot", name], {
      cwd: tree,
      environment: {
        HOME: folders[0] ?? "",
        CIB_shadow_dir: folders[1] ?? "",
        OUTDIR: seen,
        TESTDIR: join(tree, "testcases"),
        USER: "root",
      },
    });
    return { name, pass: passed(join(seen, "crm.out")) };
  });
  writeFileSync(join(place.out, "crmsh.json"), JSON.stringify(results, undefined, 1));
  return { cases: results.length, pass: results.filter(({ pass }) => pass).length };
}

function passed(file: string): boolean {
  try {
    return / PASS\s*$/m.test(readFileSync(file, "utf8"));
  } catch {
    return false;
  }
}
