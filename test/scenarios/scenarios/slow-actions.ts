import { describeEntry } from "../journal.ts";
import { slowClone } from "../resources.ts";
import type { Scenario } from "../scenario.ts";
import type { Stage } from "../stage.ts";

const processWords = [/PROCESS-DIED/, /MANAGER-LOST/];
const times = "op monitor interval=5s timeout=60s op start timeout=60s op stop timeout=60s";

/** What dies, one after the other: a process where the action is under way, or the leader's. */
const deaths = [
  ["executor"],
  ["executor", "manager"],
  ["ring"],
  ["executor", "executor again"],
  ["executor", "leader's manager"],
  ["manager", "leader's manager"],
] as const;

/** Kills some time into an action that takes seconds. */
async function killOver(stage: Stage, victim: string, how: (typeof deaths)[number]): Promise<void> {
  const { cluster, random } = stage;
  stage.allowed.errors.push(...processWords);
  const leader = await stage.leader();
  stage.note(`${how.join(", ")} of ${victim}; leader ${leader}`);
  await Bun.sleep(random.between(0, 4_500));
  for (const part of how) {
    if (part === "executor again")
      await cluster.until("the executor is back", 60_000, () =>
        cluster.pidOf(victim, "executor") === undefined ? "it is not" : undefined,
      );
    if (part === "leader's manager") {
      if (leader !== victim || how[0] === "executor") cluster.kill(leader, "manager");
    } else cluster.kill(victim, part === "executor again" ? "executor" : part);
  }
}

/** No agent was asked for an action on a resource while another one was at it there, and nothing else was touched. */
function alone(stage: Stage, place: number, rsc: string): void {
  const acts = stage.actionsSince(place);
  stage.note(acts.map(describeEntry).join(", "));
  const others = acts.filter((entry) => entry.rsc !== rsc);
  stage.check(others.length === 0, `touched: ${others.slice(0, 6).map(describeEntry).join(", ")}`);
  const under = new Map<string, string>();
  for (const entry of stage.cluster.journal.entries().slice(place)) {
    if (entry.rsc !== rsc) continue;
    const before = under.get(entry.node);
    if (entry.what !== "begin") under.delete(entry.node);
    else {
      stage.check(before === undefined, `${describeEntry(entry)} while ${before} is under way`);
      under.set(entry.node, entry.action);
    }
  }
}

const begun = (stage: Stage, place: number, rsc: string, action: string) =>
  stage.actionsSince(place).find((entry) => entry.rsc === rsc && entry.action === action)?.node;

async function waitFor(stage: Stage, place: number, rsc: string, action: string): Promise<string> {
  await stage.until(
    `the ${action} of ${rsc} has begun`,
    () => begun(stage, place, rsc, action) !== undefined,
  );
  return begun(stage, place, rsc, action) ?? "";
}

/** A slow resource is moved, with or without a stop, and processes die while its agent is at it. */
async function move(stage: Stage): Promise<void> {
  const { cluster, random } = stage;
  const migrates = random.next() < 0.5;
  await cluster.load(
    `primitive tardy ocf:scene:Plain params slow=3 ${times} op migrate_to timeout=60s op migrate_from timeout=60s meta allow-migrate=${migrates}\n`,
  );
  await stage.until("tardy runs", () => cluster.nodesOf("tardy").length === 1);
  await stage.atRest();
  const [from] = cluster.nodesOf("tardy");
  const to = random.pick(cluster.members.filter((name) => name !== from));
  const place = stage.here();
  await cluster.load(`location tardy-there tardy inf: ${to}\n`);
  const actions = migrates ? ["migrate_to", "migrate_from"] : ["stop", "start"];
  const victim = await waitFor(stage, place, "tardy", random.pick(actions));
  await killOver(stage, victim, stage.oneOf(deaths));
  await stage.until("tardy has moved", () => cluster.nodesOf("tardy").join() === to);
  await stage.atRest();
  alone(stage, place, "tardy");
  await cluster.must(cluster.anyone(), "hactl configure delete --force tardy-there tardy");
  await stage.atRest();
  stage.check(cluster.nodesOf("tardy").length === 0, "tardy is deleted and runs");
}

/** Processes die while another instance is being promoted, slowly, which is banned from there meanwhile. */
async function promote(stage: Stage): Promise<void> {
  const { cluster } = stage;
  await cluster.load(`primitive ${slowClone} ocf:scene:Roles params slow=1.5 ${times} op monitor interval=6s timeout=60s role=Promoted op promote timeout=60s op demote timeout=60s
clone tardies ${slowClone} meta promotable=true notify=true
`);
  const promoted = () =>
    [...(cluster.placement().get(slowClone) ?? [])].flatMap(([node, role]) =>
      role === "promoted" ? [node] : [],
    );
  await stage.until("one is promoted", () => promoted().length === 1);
  await stage.atRest();
  const [from = ""] = promoted();
  const place = stage.here();
  await cluster.load(`location not-here tardies role=Promoted -inf: ${from}\n`);
  const victim = await waitFor(stage, place, slowClone, "promote");
  await killOver(stage, victim, stage.oneOf(deaths));
  await cluster.load(`location not-there tardies role=Promoted -inf: ${victim}\n`, cluster.anyone([victim]));
  await stage.until("one is promoted elsewhere", () => {
    const now = promoted();
    return now.length === 1 && !now.includes(from) && !now.includes(victim);
  });
  await stage.atRest();
  alone(stage, place, slowClone);
  await cluster.must(
    cluster.anyone(),
    `hactl configure delete --force not-here not-there tardies ${slowClone}`,
  );
  await stage.atRest();
}

export const slowActions: readonly Scenario[] = [
  {
    name: "SlowActions-move",
    title: "processes die over the actions of a resource that moves slowly: none is done twice at once",
    cases: deaths.length,
    play: move,
  },
  {
    name: "SlowActions-promote",
    title: "processes die over a slow promotion that is not wanted any more: never are two promoted",
    cases: deaths.length,
    play: promote,
  },
];
