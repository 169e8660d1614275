import type { FenceHistoryReply } from "../../../src/daemon/index.ts";
import { attributesOf } from "../cib-look.ts";
import type { Scenario } from "../scenario.ts";
import type { Stage } from "../stage.ts";

/** Ids and names of the nodes in the configuration. */
const nodeList = async (stage: Stage) => {
  const cib = await stage.cib();
  return `${attributesOf(cib, "//nodes/node", "id")} ${attributesOf(cib, "//nodes/node", "uname")}`;
};

async function standby(stage: Stage): Promise<void> {
  const { cluster, random } = stage;
  const name = stage.oneOf([stage.promoted(), await stage.leader(), random.pick(cluster.members)]);
  const before = await nodeList(stage);
  const [into, outOf] = random.pick([
    [`crm_standby -N ${name} -v on`, `crm_standby -N ${name} -v off`],
    [`hactl node standby ${name}`, `hactl node online ${name}`],
  ]);
  stage.note(name);
  await cluster.must(random.pick(cluster.members), into);
  await cluster.until(`${name} is empty`, 120_000, () => {
    const left = [...cluster.placement()].filter(([, nodes]) => nodes.has(name)).map(([rsc]) => rsc);
    return left.length === 0 ? undefined : left.join(", ");
  });
  await stage.atRest();
  await cluster.must(random.pick(cluster.members), outOf);
  await cluster.until(`${name} runs its own again`, 120_000, () =>
    cluster.nodesOf(cluster.mix.promotable.rsc).includes(name) ? undefined : "it is empty",
  );
  await stage.atRest();
  const after = await nodeList(stage);
  stage.check(before === after, `the nodes were ${before}, are ${after}`);
}

/** A node is fenced by hand, through another one or itself. */
async function stonithd(stage: Stage): Promise<void> {
  const { cluster, random } = stage;
  const target = stage.oneOf([stage.promoted(), await stage.leader(), random.pick(cluster.members)]);
  const origin = random.pick(cluster.members);
  stage.allowed.fencing.add(target);
  stage.note(`${origin} fences ${target}, leader ${await stage.leader()}`);
  const { code, stderr } = await cluster.run(origin, `stonith_admin --reboot ${target}`);
  stage.check(code === 0 || origin === target, `stonith_admin gave ${code}: ${stderr}`);
  await stage.until(`${target} was off`, () => stage.offs(target) > 0);
  await stage.atRest();
  stage.check(stage.offs(target) === 1, `${target} was switched off ${stage.offs(target)} times`);
  const told = new Set<string>();
  for (const name of cluster.members) {
    const reply = await cluster.ask<FenceHistoryReply>(name, { type: "fence.history" });
    const entries = (reply?.entries ?? []).filter((entry) => entry.target === target);
    stage.check(entries.at(-1)?.ok === true, `${name} does not know that ${target} was fenced`);
    told.add(
      entries
        .map(({ id, action, ok, origin, executor, devices }) => [id, action, ok, origin, executor, devices])
        .join("; "),
    );
  }
  stage.check(told.size === 1, `the histories of the nodes differ: ${[...told].join(" / ").slice(0, 800)}`);
}

export const nodes: readonly Scenario[] = [
  { name: "Standby", title: "a node is emptied and used again", cases: 3, play: standby },
  { name: "Stonithd", title: "a node is fenced by hand, once, and comes back", cases: 3, play: stonithd },
  {
    name: "Stonithd-quick",
    title: "the same, and the machine boots before the others have noticed that it was off",
    play: async (stage) => {
      const usual = stage.cluster.bootMs;
      stage.cluster.bootMs = 0;
      await stonithd(stage).finally(() => {
        stage.cluster.bootMs = usual;
      });
    },
  },
];
