import { readFileSync } from "node:fs";
import type { Part, SceneCluster } from "../cluster.ts";
import { serviceAddress } from "../resources.ts";
import type { Scenario } from "../scenario.ts";
import type { Stage } from "../stage.ts";

/** Asks the address of the group 20 times a second, from outside of all machines. */
class Client {
  readonly #answers: number[] = [];
  readonly #ping: Bun.Subprocess<"ignore", "pipe", "ignore">;

  constructor(cluster: SceneCluster) {
    const words = ["ping", "-n", "-i", "0.05", "-W", "1", serviceAddress];
    this.#ping = Bun.spawn([...cluster.machines.network.enter("outside"), ...words], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    void this.#read();
  }

  get answered(): number {
    return this.#answers.length;
  }

  /** The longest time without an answer since a moment, in ms. */
  longestGap(since: number): number {
    const times = [since, ...this.#answers.filter((at) => at >= since), performance.now()];
    return Math.round(Math.max(...times.slice(1).map((at, i) => at - (times[i] ?? at))));
  }

  close(): void {
    this.#ping.kill();
  }

  async #read(): Promise<void> {
    const decoder = new TextDecoder();
    for await (const piece of this.#ping.stdout)
      for (const line of decoder.decode(piece).split("\n"))
        if (line.includes(" bytes from ")) this.#answers.push(performance.now());
  }
}

/** All nodes restart in turn under a client. Only the one that serves may be noticed, and once. */
async function rolling(stage: Stage): Promise<void> {
  const { cluster, random } = stage;
  const client = new Client(cluster);
  try {
    await stage.until("the address answers", () => client.answered > 0);
    for (const name of random.shuffled(cluster.members)) {
      const serves = cluster.nodesOf("address").includes(name);
      const place = stage.here();
      const since = performance.now();
      await cluster.stop(name);
      await cluster.start(name);
      await stage.atRest();
      const moves = stage
        .actionsSince(place)
        .filter(({ rsc, action }) => rsc === "address" && action === "start");
      const away = cluster.journal.whileAway("address", place);
      const spent = away ? ` (${away.agentsMs} ms in agents, ${away.betweenMs} ms between them)` : "";
      stage.note(`${name}${serves ? " serves" : ""}: longest gap ${client.longestGap(since)} ms${spent}`);
      stage.check(
        moves.length === (serves ? 1 : 0),
        `${name} ${serves ? "served" : "did not serve"}, and the address was started ${moves.length} times`,
      );
      const before = client.answered;
      await stage.until("the address answers", () => client.answered > before);
    }
  } finally {
    client.close();
  }
}

/** Memory of the daemons' processes in MB. */
function memory(cluster: SceneCluster): Map<string, number> {
  const found = new Map<string, number>();
  for (const name of cluster.members)
    for (const part of ["ring", "manager", "executor"] as const satisfies readonly Part[]) {
      const pid = cluster.pidOf(name, part);
      if (pid === undefined) continue;
      const pages = Number(
        readFileSync(cluster.machine(name).path(`/proc/${pid}/statm`), "utf8").split(" ")[1],
      );
      found.set(`${part} of ${name}`, Math.round((pages * 4_096) / 2 ** 20));
    }
  return found;
}

const rounds = 50;
/** Rounds after which also who lost its power in the tenth has its code and its caches: growth counts from there. */
const warmRounds = 17;
/** More than half again, and more than this, is growth: caches that fill are not. */
const slackMb = 20;

/** The node that serves is emptied, or in every tenth round loses its power, fifty times. */
async function failovers(stage: Stage): Promise<void> {
  const { cluster } = stage;
  let before = memory(cluster);
  for (let round = 0; round < rounds; round++) {
    if (round === warmRounds) before = memory(cluster);
    const name = stage.promoted();
    if (round % 10 === 9) {
      stage.allowed.fencing.add(name);
      await cluster.crash(name);
      await stage.until(`${name} is back`, () => cluster.expected.has(name));
    } else {
      await cluster.must(cluster.anyone(), `hactl node standby ${name}`);
      await stage.until(`the services left ${name}`, () => {
        const at = cluster.nodesOf("scene-server");
        return (
          at.length === 1 && !at.includes(name) && cluster.nodesOf(cluster.mix.promotable.rsc).length === 2
        );
      });
      await cluster.must(cluster.anyone(), `hactl node online ${name}`);
    }
    await stage.atRest();
  }
  const after = memory(cluster);
  const grown = [...after].filter(([part, mb]) => {
    const was = before.get(part) ?? mb;
    return mb > was * 1.5 && mb > was + slackMb;
  });
  const tell = (part: string, mb: number) => `${part} ${before.get(part)} to ${mb} MB`;
  stage.note([...after].map(([part, mb]) => tell(part, mb)).join(", "));
  stage.check(grown.length === 0, `memory grew: ${grown.map(([part, mb]) => tell(part, mb))}`);
}

export const endurance: readonly Scenario[] = [
  { name: "RollingRestart", title: "all nodes restart in turn under a client of the address", play: rolling },
  {
    name: "FiftyFailovers",
    title: "fifty failovers, five of them by loss of power: memory does not grow",
    play: failovers,
  },
];
