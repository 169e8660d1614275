import type { Scenario } from "../scenario.ts";
import type { Stage } from "../stage.ts";

/** Members may never have seen one that is started later: they fence it to be sure (startup-fencing). */
const strangersMayBeFenced = (stage: Stage) => {
  for (const name of stage.cluster.members) stage.allowed.fencing.add(name);
};

async function stop(stage: Stage, ...names: readonly string[]): Promise<void> {
  await stage.cluster.stop(...names);
  await stage.atRest();
}

async function start(stage: Stage, ...names: readonly string[]): Promise<void> {
  await stage.cluster.start(...names);
  await stage.atRest();
}

/** Starts a node and stops it before it has joined, as an impatient administrator does. */
async function startAndStop(stage: Stage, name: string, afterMs: number): Promise<void> {
  const { cluster } = stage;
  await cluster.start(name);
  await Bun.sleep(afterMs);
  const { code } = await cluster.run(name, "hactl stop", { timeoutMs: 180_000 });
  stage.note(`after ${Math.round(afterMs)} ms: hactl stop gave ${code}`);
  if (code !== 0) {
    // What systemd does when the command could not: TERM to the main process.
    const pid = cluster.pidOf(name, "ring");
    if (pid !== undefined) cluster.machine(name).kill([pid], "SIGTERM");
  }
  cluster.expected.delete(name);
  await cluster.until("no process is left", 90_000, () => cluster.leftOn([name]));
}

export const startStop: readonly Scenario[] = [
  {
    name: "Start",
    title: "a node that was stopped starts",
    play: async (stage) => {
      const name = stage.random.pick(stage.cluster.members);
      await stage.cluster.stop(name);
      await start(stage, name);
    },
  },
  {
    name: "Stop",
    title: "a node stops and leaves nothing behind; the others serve",
    cases: 2,
    play: async (stage) => {
      const name = stage.oneOf([stage.promoted(), await stage.leader()]);
      stage.note(name);
      await stop(stage, name);
      await start(stage, name);
    },
  },
  {
    name: "Restart",
    title: "a node stops and starts, at once and after the others have come to rest",
    play: async (stage) => {
      const name = stage.random.pick(stage.cluster.members);
      await stage.cluster.stop(name);
      await start(stage, name);
      await stop(stage, name);
      await start(stage, name);
    },
  },
  {
    name: "Flip",
    title: "nodes that are up stop, nodes that are down start, at random",
    play: async (stage) => {
      const { cluster, random } = stage;
      for (let round = 0; round < 4; round++) {
        const name = random.pick(cluster.members);
        if (!cluster.expected.has(name)) await start(stage, name);
        else if (cluster.expected.size === cluster.members.length) await stop(stage, name);
      }
      await cluster.start(...cluster.members.filter((name) => !cluster.expected.has(name)));
    },
  },
  {
    name: "StartOneByOne",
    title: "all are stopped, then start one after the other",
    play: async (stage) => {
      await stop(stage, ...stage.cluster.members);
      strangersMayBeFenced(stage);
      for (const name of stage.random.shuffled(stage.cluster.members)) await start(stage, name);
      stage.note(`fenced: ${stage.fenced().map(({ node }) => node)}`);
    },
  },
  {
    name: "StopOneByOne",
    title: "all stop one after the other, then start together",
    play: async (stage) => {
      for (const name of stage.random.shuffled(stage.cluster.members)) await stop(stage, name);
      await start(stage, ...stage.cluster.members);
    },
  },
  {
    name: "RestartOneByOne",
    title: "all restart one after the other",
    play: async (stage) => {
      for (const name of stage.random.shuffled(stage.cluster.members)) {
        await stage.cluster.stop(name);
        await start(stage, name);
      }
    },
  },
  {
    name: "SimulStart",
    title: "all start at once",
    play: async (stage) => {
      await stage.cluster.stop(...stage.cluster.members);
      await start(stage, ...stage.cluster.members);
    },
  },
  {
    name: "SimulStop",
    title: "all stop at once and leave nothing behind",
    play: async (stage) => {
      await stop(stage, ...stage.cluster.members);
      await start(stage, ...stage.cluster.members);
    },
  },
  {
    name: "SimulStop-processes-die",
    title: "all stop at once, and processes die over it",
    cases: 2,
    play: dyingStop,
  },
  {
    name: "PartialStart",
    title: "a node starts and is stopped before it has joined",
    play: async (stage) => {
      const name = stage.random.pick(stage.cluster.members);
      await stop(stage, name);
      for (let round = 0; round < 3; round++) {
        await startAndStop(stage, name, stage.random.between(50, 2_500));
        await stage.atRest();
      }
      await start(stage, name);
    },
  },
  {
    name: "NearQuorumPoint",
    title: "nodes start and stop at random and at once, around the point where quorum is lost",
    play: nearQuorum,
  },
  {
    name: "NearQuorumPoint5",
    title: "the same with five nodes",
    shape: { nodes: 5 },
    play: nearQuorum,
  },
];

/** All are asked to stop, and processes of the leader and of the node with the promoted instance die over it. */
async function dyingStop(stage: Stage): Promise<void> {
  const { cluster, random } = stage;
  const part = stage.oneOf(["manager", "executor"] as const);
  const victims = new Set([await stage.leader(), stage.promoted()]);
  stage.allowed.errors.push(/PROCESS-DIED/, /MANAGER-LOST/);
  const stopping = cluster.members.map((name) => cluster.run(name, "hactl stop", { timeoutMs: 120_000 }));
  await Bun.sleep(random.between(50, 1_500));
  for (const name of victims) if (cluster.pidOf(name, part) !== undefined) cluster.kill(name, part);
  const codes = await Promise.all(stopping.map(async (one) => (await one).code));
  stage.note(`${part} of ${[...victims]}; hactl stop gave ${codes}`);
  for (const name of cluster.members) cluster.expected.delete(name);
  await cluster.until("no process is left", 90_000, () => cluster.leftOn(cluster.members));
  const left = [...cluster.placement()].filter(([, nodes]) => nodes.size > 0).map(([rsc]) => rsc);
  stage.check(left.length === 0, `all are stopped, and ${left} run`);
  await start(stage, ...random.shuffled(cluster.members));
}

async function nearQuorum(stage: Stage): Promise<void> {
  const { cluster, random } = stage;
  strangersMayBeFenced(stage);
  for (let round = 0; round < 3; round++) {
    const wanted = new Set(cluster.members.filter(() => random.next() < 0.5));
    const up = [...cluster.expected];
    stage.note(`${up} to ${[...wanted]}`);
    await Promise.all([
      cluster.stop(...up.filter((name) => !wanted.has(name))),
      cluster.start(...[...wanted].filter((name) => !up.includes(name))),
    ]);
    await stage.atRest();
  }
  await start(stage, ...cluster.members.filter((name) => !cluster.expected.has(name)));
}
