import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { cloneElement, element, formatXml, type XmlElement } from "../../src/cib/index.ts";
import { copyForSimulation, simulateTransition } from "../../src/controller/index.ts";
import { type GraphAction, schedule, type Transition } from "../../src/scheduler/index.ts";
import { Random } from "../sim/random.ts";
import { brokenPromises } from "./promises.ts";
import { generatedAt, randomCluster } from "./random-cluster.ts";

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

  test("a transition that succeeds leaves nothing to do", () => {
    const busy = seeds.flatMap((seed) => {
      if (restless.has(seed)) return [];
      let cib = randomCluster(seed);
      leaveNothingOpen(cib);
      // A second round starts what was left for after the fencing or the probes of the first.
      for (let round = 0; round < 6; round++) {
        const { actions } = decide(cib);
        if (!actions.some(isWork)) return [];
        const copy = copyForSimulation(cib);
        const { outcome } = simulateTransition(actions, copy, generatedAt);
        if (outcome !== "complete") return [`seed ${seed}: ${outcome} in round ${round}`];
        cib = copy;
      }
      const left = decide(cib).actions.filter(isWork);
      return [`seed ${seed}: ${left.map(({ key, node }) => `${key} ${node}`).join("; ")}`];
    });
    expect(busy).toEqual([]);
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

/**
 * Clusters that Pacemaker, too, goes on changing. 100010: the start of a group with an unknown member waits for one that
 * cannot start; its running member stops, then counts as the first, and so on.
 */
const restless: ReadonlySet<number> = new Set([100_010]);

/**
 * Makes a cluster one that can settle, also with Pacemaker: no operation without a result, no node that has not
 * joined yet, nothing that the cluster may not touch. Others may stop and start what waits for those again and again.
 */
function leaveNothingOpen(parent: XmlElement): void {
  const blocking = (name: string | undefined) =>
    name === "is-managed" || name === "maintenance" || name === "maintenance-mode";
  parent.children = parent.children.filter(
    (each) => !(each.name === "nvpair" && blocking(each.attributes.get("name"))),
  );
  for (const each of parent.children) {
    const { attributes } = each;
    if (attributes.get("op-status") === "-1")
      for (const [name, value] of [
        ["op-status", "0"],
        ["rc-code", "0"],
        ["call-id", "5"],
        ["transition-magic", (attributes.get("transition-magic") ?? "").replace("-1:193", "0:0")],
      ] as const)
        attributes.set(name, value);
    if (each.name === "node_state" && attributes.get("crmd") === "online") attributes.set("join", "member");
    leaveNothingOpen(each);
  }
}

/** Something is done to a resource or a node. A node that shuts down on paper stays where it is. */
const isWork = ({ kind, task }: GraphAction) => kind !== "pseudo" && task !== "do_shutdown";

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
