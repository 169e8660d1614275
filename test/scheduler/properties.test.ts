import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { cloneElement, element, formatXml, type XmlElement } from "../../src/cib/index.ts";
import { schedule, type Transition } from "../../src/scheduler/index.ts";
import { Random } from "../sim/random.ts";
import { brokenPromises } from "./promises.ts";
import { generatedAt, randomCluster } from "./random-cluster.ts";
import { settle } from "./settling.ts";
import { wideCluster } from "./wide/wide-cluster.ts";

// A busy machine may need long; nothing here depends on time.
setDefaultTimeout(120_000);

const seeds = Array.from({ length: 200 }, (_, at) => 100_000 + at);
const decide = (cib: XmlElement): Transition => schedule({ cib, now: generatedAt });

describe("on random clusters", () => {
  test("no decision breaks a promise", () => {
    const broken = seeds.flatMap((seed) => {
      const cib = randomCluster(seed);
      return brokenPromises(cib, decide(cib)).map((text) => `seed ${seed}: ${text}`);
    });
    expect(broken).toEqual([]);
  });

  test("the same input gives the same output, and stays as it is", () => {
    for (const seed of seeds.slice(0, 60)) {
      const cib = randomCluster(seed);
      const before = formatXml(cib);
      const first = JSON.stringify(decide(cib));
      expect(JSON.stringify(decide(randomCluster(seed)))).toBe(first);
      expect(formatXml(cib)).toBe(before);
    }
  });

  test("applying transitions comes to an end where nothing is carried out", () => {
    const restless = seeds.flatMap((seed) => {
      const rounds = settle(randomCluster(seed), generatedAt);
      const stuck = rounds.flatMap((round) => round.stuck).map((key) => `seed ${seed}: ${key} never ran`);
      const left = rounds.at(-1)?.done ?? [];
      return left.length === 0 ? stuck : [...stuck, `seed ${seed}: ${left.join("; ")}`];
    });
    expect(restless).toEqual([]);
  });

  test("no damage to a cluster makes it throw or go round", () => {
    const thrown = seeds.slice(0, 120).flatMap((seed) => {
      const cib = damaged(randomCluster(seed), new Random(seed, 5));
      try {
        return brokenOrder(decide(cib)) ? [`seed ${seed}: its order has a cycle`] : [];
      } catch (error) {
        return [`seed ${seed}: ${error instanceof Error ? error.stack?.slice(0, 400) : error}`];
      }
    });
    expect(thrown).toEqual([]);
  });
});

describe("on random clusters with more features", () => {
  test("no decision breaks a promise; the same input gives the same output and stays as it is", () => {
    const broken = seeds.slice(0, 100).flatMap((seed) => {
      const cib = wideCluster(seed);
      const before = formatXml(cib);
      const transition = decide(cib);
      const same = JSON.stringify(decide(wideCluster(seed))) === JSON.stringify(transition);
      return [
        ...brokenPromises(cib, transition),
        ...(same ? [] : ["decided otherwise the second time"]),
        ...(formatXml(cib) === before ? [] : ["the input has changed"]),
      ].map((text) => `seed ${seed}: ${text}`);
    });
    expect(broken).toEqual([]);
  });
});

const brokenOrder = (transition: Transition) =>
  brokenPromises(element("cib"), transition).some((text) => text.includes("cycle"));

/** Values that do not belong where they get. */
const nonsense = [
  "",
  "-1",
  "999999999999999999999",
  "NaN",
  "node01",
  "p1",
  "\u{1F980}",
  "true",
  "-INFINITY",
  "PT",
  "0",
];

/** A cluster with some elements gone, twice there or elsewhere, and some attributes gone or full of nonsense. */
function damaged(cib: XmlElement, random: Random): XmlElement {
  const root = cloneElement(cib);
  for (let left = random.between(1, 8); left > 0; left--) {
    const all: { node: XmlElement; parent: XmlElement }[] = [];
    const visit = (parent: XmlElement) => {
      for (const node of parent.children) {
        all.push({ node, parent });
        visit(node);
      }
    };
    visit(root);
    if (all.length === 0) break;
    const { node, parent } = random.pick(all);
    const names = [...node.attributes.keys()];
    const kind = random.between(0, 5);
    if (kind === 0) parent.children.splice(parent.children.indexOf(node), 1);
    else if (kind === 1) parent.children.push(cloneElement(node));
    else if (kind === 2) random.pick(all).parent.children.push(cloneElement(node));
    else if (kind === 3 && names.length > 0) node.attributes.delete(random.pick(names));
    else if (names.length > 0) node.attributes.set(random.pick(names), random.pick(nonsense));
  }
  return root;
}
