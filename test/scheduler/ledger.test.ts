import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { parseXml } from "../../src/cib/index.ts";
import { schedule, type Transition } from "../../src/scheduler/index.ts";
import { addScores, INFINITY } from "../../src/terms/index.ts";
import { generatedAt, randomCluster } from "./random-cluster.ts";
import {
  history,
  meta,
  primitive,
  running,
  type SmallCluster,
  smallCib,
  smallNow,
  stopped,
} from "./small-cib.ts";

setDefaultTimeout(120_000);

const parseScore = (text: string): number =>
  text === "INFINITY" ? INFINITY : text === "-INFINITY" ? -INFINITY : Number(text);

/** The score of each primitive on each node, as last listed before its choice. */
function listedScores({ scores }: Transition): Map<string, number> {
  const result = new Map<string, number>();
  for (const line of scores) {
    const match = /^primitive: (\S+) allocation score on (\S+): (\S+)$/.exec(line);
    if (match) result.set(`${match[1]} ${match[2]}`, parseScore(match[3] ?? ""));
  }
  return result;
}

/** What the books add up to. Room is looked for after the score has been listed. */
function bookedScores({ ledger = [] }: Transition): Map<string, number> {
  const sums = new Map<string, number>();
  for (const { rsc, node, score = 0, source } of ledger) {
    const place = `${rsc} ${node}`;
    if (source !== "utilization") sums.set(place, addScores(sums.get(place) ?? 0, score));
  }
  return sums;
}

describe("on random clusters", () => {
  const seeds = Array.from({ length: 150 }, (_, at) => 100_000 + at);

  test("what the reasons add up to is the score", () => {
    const wrong = seeds.flatMap((seed) => {
      const transition = schedule({ cib: randomCluster(seed), now: generatedAt, explain: true });
      const booked = bookedScores(transition);
      return [...listedScores(transition)]
        .filter(([place, score]) => (booked.get(place) ?? 0) !== score)
        .map(([place, score]) => `seed ${seed}: ${place} has ${score}, told ${booked.get(place) ?? 0}`);
    });
    expect(wrong).toEqual([]);
  });

  test("to explain a decision does not change it", () => {
    for (const seed of seeds.slice(0, 60)) {
      const cib = randomCluster(seed);
      const { ledger, assigned, reasons, ...explained } = schedule({ cib, now: generatedAt, explain: true });
      const { reasons: _, ...plain } = schedule({ cib, now: generatedAt });
      expect(explained).toEqual(plain);
      expect(ledger).toBeDefined();
      expect(reasons).toBeDefined();
      expect(assigned?.length).toBeGreaterThanOrEqual(plain.placement.length);
    }
  });
});

describe("a reason is told", () => {
  const explain = (cluster: SmallCluster): Transition =>
    schedule({ cib: parseXml(smallCib(cluster)), now: smallNow, explain: true });
  const told = (cluster: SmallCluster, rsc: string, node: string): string[] =>
    (explain(cluster).ledger ?? [])
      .filter((reason) => reason.rsc === rsc && reason.node === node)
      .map(({ score, source, text }) => `${score} ${source}: ${text}`);
  const chosen = (cluster: SmallCluster, rsc: string): string[] =>
    explain(cluster)
      .reasons.filter((reason) => reason.source === "choice" && reason.rsc === rsc)
      .map(({ text }) => text);

  test("for stickiness, and for a location rule with what it says", () => {
    const cluster = {
      resources: primitive("a", meta("a", { "resource-stickiness": "7" })),
      constraints: `<rsc_location id="l" rsc="a"><rule id="r" score="5">
        <expression id="e" attribute="#uname" operation="eq" value="n1"/></rule></rsc_location>`,
      histories: { n1: running("a"), n2: stopped("a") },
    };
    expect(told(cluster, "a", "n1")).toEqual([
      "5 location: location constraint l, rule r: #uname eq n1",
      "7 stickiness: a runs on n1 and prefers to stay there",
    ]);
    expect(chosen(cluster, "a")).toEqual(["n1 has the highest score"]);
  });

  test("for failures, with their number, the threshold and when they are forgotten", () => {
    const cluster = {
      resources: primitive("a", meta("a", { "migration-threshold": "2", "failure-timeout": "1h" })),
      histories: {
        n1: history("a", { task: "start" }, { task: "monitor", interval: 10_000, rc: 1 }),
        n2: stopped("a"),
      },
      extra: {
        n1: `<transient_attributes id="n1"><instance_attributes id="i">
          <nvpair id="i1" name="fail-count-a#monitor_10000" value="2"/>
          <nvpair id="i2" name="last-failure-a#monitor_10000" value="1699999900"/></instance_attributes></transient_attributes>`,
      },
    };
    expect(told(cluster, "a", "n1")).toEqual([
      "-1000000 failure: a has failed there 2 times, and migration-threshold is 2; forgotten at 2023-11-14 23:11:40Z",
    ]);
  });

  test("for colocations, from both sides", () => {
    const cluster = {
      resources: primitive("a") + primitive("b"),
      constraints: `<rsc_colocation id="c" rsc="b" with-rsc="a" score="INFINITY"/>
        <rsc_location id="l" rsc="b" node="n2" score="9"/>`,
      histories: { n1: stopped("a") + stopped("b"), n2: stopped("a") + stopped("b") },
    };
    expect(told(cluster, "a", "n2")).toEqual([
      "9 colocation: c: where b, which follows it, would like to be",
    ]);
    expect(told(cluster, "b", "n1")).toEqual(["-1000000 colocation: c: with a, which goes to n2"]);
  });

  test("for health", () => {
    const cluster = {
      properties: { "node-health-strategy": "migrate-on-red" },
      resources: primitive("a"),
      extra: {
        n1: `<transient_attributes id="n1"><instance_attributes id="i">
          <nvpair id="i1" name="#health-smart" value="red"/></instance_attributes></transient_attributes>`,
      },
    };
    expect(told(cluster, "a", "n1")).toEqual([
      "-1000000 health: health of n1 (node-health-strategy=migrate-on-red): #health-smart=red",
    ]);
  });

  test("for the choice among equals", () => {
    const histories = { n1: stopped("a") + stopped("b"), n2: stopped("a") + stopped("b") };
    const cluster = { resources: primitive("a") + primitive("b"), histories };
    expect(chosen(cluster, "a")).toEqual(["n1 comes before n2 by name, all else being equal"]);
    expect(chosen(cluster, "b")).toEqual(["n2 has fewer resources than n1 (0 to 1), with the same score"]);
    expect(chosen({ nodes: ["n1"], resources: primitive("a") }, "a")).toEqual([
      "n1 is the only node that may run it",
    ]);
  });
});
