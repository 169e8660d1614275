import { defineCommand } from "citty";
import { parseXml } from "../../cib/index.ts";
import { hasLeft } from "../../daemon/index.ts";
import { unpackCluster } from "../../scheduler/index.ts";
import { CrmExit, HactlError, type Millis } from "../../terms/index.ts";
import { ask } from "../daemon.ts";
import { askToLeave, hasEnded } from "../leaving.ts";
import { note, print, printJson, wantsJson } from "../output.ts";
import { type Keeping, keptBy } from "../render/cluster-view.ts";
import { parseSeconds } from "../seconds.ts";

export default defineCommand({
  meta: {
    name: "stop",
    description: "Move or stop the services of this node, then leave the cluster and end the daemon.",
  },
  args: {
    timeout: {
      type: "string",
      default: "1200",
      valueHint: "seconds",
      description: "how long to wait for it (shutdown-escalation); the daemon goes on leaving afterwards",
    },
  },
  run: async ({ args }) => {
    const timeoutMs = parseSeconds(args.timeout);
    const node = await askToLeave();
    const { name, pid } = node;
    note(`Node ${name} leaves the cluster; its services are moved or stopped first …`);
    let kept: Keeping = { stuck: [], withheld: [], left: [], stopping: [] };
    const tell = (found: Keeping) => {
      kept = found;
    };
    const sayObstacles = obstacles(name, tell);
    await sayObstacles();
    if (!(await ended(pid, timeoutMs, sayObstacles))) {
      throw new HactlError({
        code: "TIMEOUT",
        what: `node ${name} has not left within ${args.timeout} s${waitsFor(kept)}`,
        cure:
          kept.stuck.length > 0
            ? howToGoOn(kept.stuck)
            : "it goes on leaving; 'hactl status' says what it waits for",
        exit: CrmExit.TIMEOUT,
      });
    }
    if (node.leftMark !== undefined && !hasLeft(node.leftMark, pid)) throw undrained(name, kept);
    if (wantsJson()) printJson({ node: name, stopped: true });
    else print(`Node ${name} has left the cluster.`);
  },
});

/** Between two looks whether a process has ended. */
const lookMs: Millis = 50;
/** Between two looks at what may keep the node. */
const obstacleMs: Millis = 2_000;

/** Waits for the end of a process; false when the time is over. `meanwhile` is called from time to time. */
async function ended(pid: number, timeoutMs: Millis, meanwhile: () => Promise<void>): Promise<boolean> {
  for (let waited = 0; waited < timeoutMs; waited += lookMs) {
    if (hasEnded(pid)) return true;
    if (waited % obstacleMs === obstacleMs - lookMs) await meanwhile();
    await Bun.sleep(lookMs);
  }
  return false;
}

const waitsFor = ({ stuck, withheld, stopping }: Keeping): string => {
  if (stuck.length > 0) return `: ${stuck.join(", ")} could not be stopped`;
  if (withheld.length > 0) return `: the agent of ${withheld.join(", ")} cannot be executed`;
  return stopping.length > 0 ? `: the stop of ${stopping.join(", ")} has not ended` : "";
};

/** The daemon was ended, or has died, before its services had gone. */
const undrained = (name: string, kept: Keeping): HactlError =>
  new HactlError({
    code: "UNDRAINED",
    what: `the daemon of ${name} has ended without leaving the cluster in order: its services were not stopped${waitsFor(kept)}`,
    cure: `what ${name} ran may run there still, and the others fence it: 'hactl status' on another node tells more`,
    exit: CrmExit.UNSATISFIED,
  });

const howToGoOn = (stuck: readonly string[]): string =>
  `Stop it by hand, then ${stuck.map((id) => `'hactl resource cleanup ${id}'`).join(", ")}; 'hactl status' tells why it failed`;

/** Says, once each, which services keep the node: what it waits for, and how to go on where they cannot be stopped. */
function obstacles(node: string, tell: (kept: Keeping) => void): () => Promise<void> {
  const told = new Set<string>();
  const once = (text: string) => {
    if (told.has(text)) return;
    told.add(text);
    note(text);
  };
  return async () => {
    let found: Keeping;
    try {
      found = await look(node);
    } catch (error) {
      // It may be about to end, and answers no more.
      if (error instanceof HactlError) return;
      throw error;
    }
    tell(found);
    for (const id of found.stopping) once(`${id} is being stopped: ${node} waits for that.`);
    if (found.left.length > 0)
      once(
        `What is not managed goes on running on ${node}, and nobody watches it: ${found.left.join(", ")}.`,
      );
    for (const one of found.withheld)
      once(
        `${one} cannot be stopped, since its agent cannot be executed: ${node} does not leave before it can.`,
      );
    for (const id of found.stuck)
      once(`${id} could not be stopped: ${node} does not leave before it is. ${howToGoOn([id])}.`);
  };
}

async function look(node: string): Promise<Keeping> {
  const text = await ask<string>({ type: "cib" }, obstacleMs);
  return keptBy(unpackCluster(parseXml(text, "the cluster's CIB"), Math.floor(Date.now() / 1000)), node);
}
