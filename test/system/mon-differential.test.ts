/**
 * What crm_mon shows, in many combinations of its options, beside the real one of Debian's pacemaker-cli-utils (2.1.5): for
 * random clusters, and for those of the conformance suite, which HACTL_SHARED names (`../shared` beside the work tree
 * otherwise). Needs no root.
 * Needs: apt-get install --no-install-recommends pacemaker-cli-utils
 */
import { afterAll, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { compareVersions, formatXml } from "../../src/cib/index.ts";
import { runHere } from "../cli/rehearsal.ts";
import { compareSeed } from "../scheduler/differential.ts";
import { randomCluster } from "../scheduler/random-cluster.ts";
import { Random } from "../sim/random.ts";

const directory = mkdtempSync(join(tmpdir(), "hactl-mon-"));
afterAll(() => rmSync(directory, { recursive: true }));

/** Letters of crm_mon that change what it shows or how; each is tried with others. */
const letters = "bRnrfoAtLcDpj";
const sections = [
  "all",
  "none,nodes",
  "default,bans",
  "fencing",
  "failcounts,operations",
  "none,counts,resources",
];

function options(random: Random): string[] {
  if (random.chance(0.2)) return ["-1", `--${random.pick(["include", "exclude"])}=${random.pick(sections)}`];
  return [`-1${[...letters].filter(() => random.chance(0.3)).join("")}`];
}

const newRoles: Readonly<Record<string, string>> = { Slave: "Unpromoted", Master: "Promoted" };
const unit: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };
/** Times that go by, or that the two cut differently. */
const moment = /Last updated|Current DC|Last change|Stack:/;

/**
 * What means the same in both. 3.x has other words for how operations ended, says "maintenance" for what is unmanaged by it, other units of intervals and tells tickets
 * with a tab; fail counts of one name for all operations it does not know any more, nor that a cluster without fencing
 * blocks otherwise; a node that shuts down is not expected to be up and tells no feature set; roles have their new names only; the
 * nodes that one rule keeps a resource off come the other way round.
 */
function normalised(text: string, legacy: boolean): string[] {
  const rows = text
    .split("\n")
    .filter((row) => !moment.test(row))
    .map((row) =>
      row
        .replace(/returned '[^']*'/, "returned ''")
        .replace(/( on \S+) '[^']*' \((\d+)\)/, "$1 ($2)")
        .replace(/target-role:(Slave|Master)/, (_, role) => `target-role:${newRoles[role]}`)
        .replace("status='complete'", "status='Done'")
        .replace("Timed Out", "Timed out")
        .replace(/(rc=\d+) \([^)]*\)/, "$1")
        .replace(/(\* \S+)(?:: |\t)(granted|revoked)/, "$1: $2")
        .replace(/(\d+)([smhd])(?=[-\s]|$)/g, (_, count, name) => `${Number(count) * (unit[name] ?? 1)}s`)
        .replaceAll(/\bmaintenance\)/g, "unmanaged)")
        .replaceAll("unmanaged, disabled)", "disabled, unmanaged)")
        .replace(/, \d+ BLOCKED from[^)]*\)/, ")")
        .replace(/, feature set \S+?(?=:?$)/, "")
        .trimEnd(),
    )
    .filter((row) => !(legacy && /migration-threshold=|^ {2}\* Node: /.test(row)));
  // Those of one constraint stand in a row.
  const constraint = (row: string | undefined) => /^.*\tprevents /.exec(row ?? "")?.[0];
  for (let from = 0, to = 0; from < rows.length; from = to) {
    const first = constraint(rows[from]);
    for (to = from + 1; first !== undefined && constraint(rows[to]) === first; ) to++;
    rows.splice(from, to - from, ...rows.slice(from, to).sort());
  }
  return rows;
}

interface Sample {
  readonly name: string;
  readonly file: string;
}

function theirs(words: readonly string[], file: string): { readonly out: string; readonly code: number } {
  const env = { ...process.env, LC_ALL: "C", TZ: "UTC", CIB_file: file };
  const { stdout, exitCode } = Bun.spawnSync(["/usr/sbin/crm_mon", ...words], { env });
  return { out: stdout.toString(), code: exitCode };
}

const ours = (words: readonly string[], file: string) =>
  runHere(["crm_mon", ...words], { CIB_file: file, TZ: "UTC", LC_ALL: "C" });

/** States of nodes and which resources are blocked: the rules for these are not those of 2.1.5 everywhere. */
const judgement = (text: string) => text.match(/UNCLEAN[^:\n]*|: pending|OFFLINE|blocked/g)?.join() ?? "";

/** Compares a sample; false where the two judge its nodes otherwise, or the real one does not read it. */
async function compare({ name, file }: Sample, random: Random): Promise<boolean> {
  const real = theirs(["-1", "-r", "-n"], file);
  const own = await ours(["-1", "-r", "-n"], file);
  if (real.out === "" || judgement(real.out) !== judgement(own.out)) return false;
  const set = /crm_feature_set="([\d.]+)"/.exec(readFileSync(file, "utf8"))?.[1] ?? "0";
  const legacy = compareVersions(set, "3.0.13") < 0;
  for (let round = 0; round < 4; round++) {
    const words = options(random);
    const [expected, got] = [theirs(words, file), await ours(words, file)];
    const about = `${name} ${words.join(" ")}`;
    expect([about, ...normalised(got.out, legacy)]).toEqual([about, ...normalised(expected.out, legacy)]);
    expect([about, got.code]).toEqual([about, expected.code]);
  }
  return true;
}

async function compareAll(samples: readonly Sample[], seed: number): Promise<number> {
  const random = new Random(seed);
  let compared = 0;
  for (const sample of samples) if (await compare(sample, random)) compared++;
  return compared;
}

describe("crm_mon shows as the real one", () => {
  test("random clusters", async () => {
    const samples = Array.from({ length: 24 }, (_, at) => 700_000 + at)
      .filter((seed) => compareSeed(seed, false) === "same")
      .map((seed): Sample => {
        const file = join(directory, `${seed}.xml`);
        writeFileSync(file, formatXml(randomCluster(seed)));
        return { name: `seed ${seed}`, file };
      });
    expect(samples.length).toBeGreaterThan(8);
    expect(await compareAll(samples, 1)).toBeGreaterThan(samples.length / 2);
  }, 280_000);

  test("clusters of the conformance suite", async () => {
    const shared = process.env.HACTL_SHARED ?? resolve(import.meta.dir, "../../../shared");
    const suite = join(shared, "conformance/scheduler/xml");
    if (!existsSync(suite))
      throw new Error(
        `the conformance suite is not at ${suite}; set HACTL_SHARED to the directory of conformance/`,
      );
    const all = readdirSync(suite)
      .filter((name) => name.endsWith(".xml"))
      .sort();
    const samples = all
      .filter((_, at) => at % 12 === 5)
      .map((name): Sample => ({ name, file: join(suite, name) }));
    expect(samples.length).toBeGreaterThan(30);
    expect(await compareAll(samples, 2)).toBeGreaterThan(samples.length / 2);
  }, 280_000);
});
