import { formatXml } from "../../../src/cib/index.ts";
import { compareSeed, type Explained, type Finding } from "../differential.ts";
import { Corpus, type PerturbedCluster } from "./corpus.ts";

/** Checks that looking for a smaller cluster may take: real ones have a thousand elements. */
const budget = 1500;

/** A cluster that is decided differently because of changes to its file. */
interface PerturbedFinding extends Finding {
  readonly cluster: PerturbedCluster;
}

/** How variants of real clusters are compared. */
export interface CorpusRun {
  readonly from: number;
  readonly seeds: number;
  /** Findings that are made small; the others are only listed. */
  readonly shown: number;
  readonly shrink: boolean;
  /** Changes that a variant has at most. */
  readonly changes: number;
}

const differs = (result: ReturnType<typeof compareSeed>): result is Finding =>
  typeof result !== "string" && "lines" in result;

/** Files of a corpus, and how each is decided as it is: looked at when it is asked for. */
class Unchanged {
  private readonly known = new Map<string, ReturnType<typeof compareSeed>>();

  constructor(private readonly corpus: Corpus) {}

  result(name: string): ReturnType<typeof compareSeed> {
    const known = this.known.get(name) ?? compareSeed(0, false, () => this.corpus.read(name));
    this.known.set(name, known);
    return known;
  }
}

/** Prints how the files of a directory are decided as they are, where it is not alike. */
export function runUnchanged(directory: string): number {
  const corpus = new Corpus(directory);
  const unchanged = new Unchanged(corpus);
  let findings = 0;
  for (const name of corpus.names) {
    const result = unchanged.result(name);
    if (result === "same") continue;
    if (differs(result)) findings++;
    const how = typeof result === "string" ? result : "older" in result ? rulesOf(result) : result.lines[0];
    console.log(`${name}: ${how}`);
  }
  console.log(`${corpus.names.length} files: ${findings} decided differently`);
  return findings;
}

const rulesOf = ({ older }: Explained) => `changed since 2.1, ${older.join(" and ") || "one of several"}`;

/** Compares variants of the files of a directory, prints those that differ, and returns how many those are. */
export function runCorpus(directory: string, { from, seeds, shown, shrink, changes }: CorpusRun): number {
  const corpus = new Corpus(directory, changes);
  const unchanged = new Unchanged(corpus);
  const found: PerturbedFinding[] = [];
  const counts = new Map<string, number>();
  const count = (what: string) => counts.set(what, (counts.get(what) ?? 0) + 1);
  for (let seed = from; seed < from + seeds; seed++) {
    const whole = corpus.perturbed(seed);
    const result = compareSeed(seed, false, () => whole.cib);
    if (typeof result === "string") count(result);
    else if ("older" in result) count(rulesOf(result));
    else if (differs(unchanged.result(whole.name))) count("of files that are decided differently themselves");
    else {
      const cluster = fewestChanges(corpus, seed, whole);
      const small = shrink && found.length < shown;
      const again = compareSeed(seed, small, () => cluster.cib, budget);
      const finding = { ...(differs(again) ? again : result), cluster };
      found.push(finding);
      const lines = [...cluster.changes, ...finding.lines.slice(0, 4)];
      console.log(`seed ${seed} of ${cluster.name}: ${lines.join("\n    ")}`);
      if (finding.smallest) console.log(formatXml(finding.smallest));
    }
  }
  for (const [what, times] of counts) console.log(`${times} ${what}`);
  for (const [topic, list] of byTopic(found)) console.log(`${topic}: ${list.length} (${list.join(" ")})`);
  console.log(`${seeds} variants from seed ${from}: ${found.length} decided differently`);
  return found.length;
}

/** The variant with one of its changes alone, where that suffices; else with all. */
function fewestChanges(corpus: Corpus, seed: number, whole: PerturbedCluster): PerturbedCluster {
  const ones = whole.changes.length < 2 ? [] : whole.changes.map((_, at) => corpus.perturbed(seed, [at]));
  return ones.find(({ cib }) => differs(compareSeed(seed, false, () => cib))) ?? whole;
}

/** Seeds by the topics of the changes that make them differ. */
function byTopic(found: readonly PerturbedFinding[]): ReadonlyMap<string, readonly number[]> {
  const result = new Map<string, number[]>();
  for (const { seed, cluster } of found) {
    const topics = new Set(cluster.changes.map((change) => change.slice(0, change.indexOf(":"))));
    const name = [...topics].sort().join(" + ");
    result.set(name, [...(result.get(name) ?? []), seed]);
  }
  return result;
}
