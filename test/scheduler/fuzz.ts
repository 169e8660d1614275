/**
 * Random clusters, decided by this scheduler and by the crm_simulate that is installed (Debian package
 * pacemaker-cli-utils); prints the smallest cluster of each seed on which they differ. Clusters that only differ by
 * rules that 2.1 and 3.0 apply differently are counted apart, by rule.
 * Usage: bun test/scheduler/fuzz.ts [--seeds N] [--from S] [--shrink 0|1] [--show N]
 *     [--wide [--feature NAME] | --corpus DIR [--changes N | --unchanged]]
 * With --wide the clusters have more features; with --feature only that one, and a seed counts only where the plain
 * cluster is decided alike. With --corpus they are the CIB files of a directory with small changes, and a seed counts
 * only where the file itself is decided alike; --unchanged looks at the files as they are.
 */
import { formatXml } from "../../src/cib/index.ts";
import { runCorpus, runUnchanged } from "./corpus/run.ts";
import { compareSeed, type Finding } from "./differential.ts";
import { randomCluster } from "./random-cluster.ts";
import { featureNames, wideCluster } from "./wide/wide-cluster.ts";

const option = (name: string, otherwise: number) => {
  const at = process.argv.indexOf(name);
  return at < 0 ? otherwise : Number(process.argv[at + 1]);
};
const from = option("--from", 1);
const seeds = option("--seeds", 200);
const shown = option("--show", 5);

const corpusAt = process.argv.indexOf("--corpus");
if (corpusAt >= 0) {
  const directory = process.argv[corpusAt + 1] ?? ".";
  const findings = process.argv.includes("--unchanged")
    ? runUnchanged(directory)
    : runCorpus(directory, {
        from,
        seeds,
        shown,
        shrink: option("--shrink", 1) === 1,
        changes: option("--changes", 4),
      });
  process.exit(findings > 0 ? 1 : 0);
}

const wide = process.argv.includes("--wide");
const featureAt = process.argv.indexOf("--feature");
const feature = featureAt < 0 ? undefined : process.argv[featureAt + 1];
if (feature !== undefined && !featureNames.includes(feature))
  throw new Error(`no feature ${feature}; there are: ${featureNames.join(", ")}`);
const cluster = wide || feature !== undefined ? (seed: number) => wideCluster(seed, feature) : randomCluster;

const differs = (result: ReturnType<typeof compareSeed>) => typeof result !== "string" && "lines" in result;

const found: Finding[] = [];
const older = new Map<string, number[]>();
let rejected = 0;
let plain = 0;
for (let seed = from; seed < from + seeds; seed++) {
  const result = compareSeed(seed, found.length < shown && option("--shrink", 1) === 1, cluster);
  if (result === "rejected") rejected++;
  else if (result === "same") continue;
  else if ("older" in result) {
    const rules = result.older.join(" and ") || "one of several";
    older.set(rules, [...(older.get(rules) ?? []), seed]);
  } else if (feature !== undefined && differs(compareSeed(seed, false))) plain++;
  else {
    found.push(result);
    console.log(`seed ${seed}: ${result.lines.slice(0, 4).join("\n    ")}`);
    if (result.smallest) console.log(formatXml(result.smallest));
  }
}
for (const [rules, list] of older) console.log(`changed since 2.1, ${rules}: ${list.join(" ")}`);
const explained = [...older.values()].flat().length;
console.log(
  `${seeds} clusters from seed ${from}: ${found.length} decided differently, ${explained} by rules that changed since ` +
    `2.1, ${rejected} that crm_simulate rejects or dies of`,
);
if (plain > 0) console.log(`${plain} more that differ without the feature, too`);
if (found.length > 0) console.log(`seeds: ${found.map(({ seed }) => seed).join(" ")}`);
process.exitCode = found.length > 0 ? 1 : 0;
