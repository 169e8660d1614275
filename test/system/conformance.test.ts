/**
 * The scheduler's decisions beside those recorded for 505 clusters. Needs python3 and the suite, which HACTL_SHARED
 * names (a directory with conformance/scheduler); `../shared` beside the work tree otherwise.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

/** Levels reached so far, in percent; they may only rise. */
const reached = {
  L0: 100,
  L1r: 100,
  L1: 100,
  L2: 100,
  L3x: 100,
  L3: 100,
  ALL: 100,
  S: 100,
  Sx: 97.4,
  T: 99.8,
} as const;

const root = resolve(import.meta.dir, "../..");
const suite = join(process.env.HACTL_SHARED ?? resolve(root, "../shared"), "conformance/scheduler");
const directory = mkdtempSync(join(tmpdir(), "hactl-conformance-"));
const built = join(root, "dist/hactl");
const program = existsSync(built) ? built : `${process.execPath} ${join(root, "src/main.ts")}`;
afterAll(() => rmSync(directory, { recursive: true }));

interface Verdicts {
  readonly total: number;
  readonly pass: Readonly<Record<string, number>>;
  readonly cases: Readonly<Record<string, { readonly error: string }>>;
}
let verdicts: Verdicts;

beforeAll(() => {
  if (!existsSync(join(suite, "compare.py"))) {
    throw new Error(
      `the conformance suite is not at ${suite}; set HACTL_SHARED to the directory that holds conformance/`,
    );
  }
  const out = join(directory, "verdicts.json");
  const batch = `${program} simulate --json --batch`;
  const { exitCode, stderr } = Bun.spawnSync(
    ["python3", "compare.py", "--no-tags", "--json", out, "--batch", batch],
    {
      cwd: suite,
      env: { ...process.env, PYTHONDONTWRITEBYTECODE: "1" },
    },
  );
  if (exitCode !== 0) throw new Error(`compare.py ended with ${exitCode}: ${stderr.toString()}`);
  verdicts = JSON.parse(readFileSync(out, "utf8")) as Verdicts;
}, 600_000);

test("every case is answered", () => {
  const failed = Object.entries(verdicts.cases).filter(([, { error }]) => error);
  expect(failed.map(([name, { error }]) => `${name}: ${error}`)).toEqual([]);
  expect(verdicts.total).toBe(505);
});

test.each(Object.entries(reached))("%s is at least %d %%", (level, percent) => {
  expect((100 * (verdicts.pass[level] ?? 0)) / verdicts.total).toBeGreaterThanOrEqual(percent);
});
