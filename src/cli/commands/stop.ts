import { defineCommand } from "citty";
import { parseXml } from "../../cib/index.ts";
import type { NodeReply } from "../../daemon/index.ts";
import { processStart } from "../../platform/index.ts";
import { unpackCluster } from "../../scheduler/index.ts";
import { CrmExit, HactlError, type Millis } from "../../terms/index.ts";
import { Daemon } from "../daemon.ts";
import { note, print, printJson, wantsJson } from "../output.ts";
import { parseSeconds } from "../seconds.ts";
import { requireLive } from "../target.ts";

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
    requireLive("leaving the cluster");
    const client = await Daemon.connect();
    let name: string;
    let inTime: boolean;
    try {
      const node = await client.request<NodeReply>({ type: "node" });
      name = node.name;
      await client.request({ type: "shutdown" });
      note(`Node ${name} leaves the cluster; its services are moved or stopped first …`);
      inTime = await ended(node.pid, timeoutMs, obstacles(client, name));
    } finally {
      client.close();
    }
    if (!inTime) {
      throw new HactlError({
        code: "TIMEOUT",
        what: `node ${name} has not left within ${args.timeout} s`,
        cure: "see 'hactl status' for the action that it waits for; it goes on leaving",
        exit: CrmExit.TIMEOUT,
      });
    }
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

/** Whether a process runs no more. One that its parent has not taken notice of yet has ended all the same. */
export const hasEnded = (pid: number): boolean => processStart(pid) === undefined;

/** Says, once each, which services keep the node since they cannot be stopped, and how to go on. */
function obstacles(client: Daemon, node: string): () => Promise<void> {
  const told = new Set<string>();
  return async () => {
    let found: readonly string[];
    try {
      found = await blockedOn(client, node);
    } catch (error) {
      // It may be about to end, and answers no more.
      if (error instanceof HactlError) return;
      throw error;
    }
    for (const id of found) {
      if (told.has(id)) continue;
      told.add(id);
      note(
        `${id} could not be stopped: ${node} does not leave before it is. Stop it by hand, then 'hactl resource cleanup ${id}'; ` +
          `'hactl status' tells why it failed.`,
      );
    }
  };
}

async function blockedOn(client: Daemon, node: string): Promise<string[]> {
  const text = await client.request<string>({ type: "cib" }, obstacleMs);
  const cluster = unpackCluster(parseXml(text, "the cluster's CIB"), Math.floor(Date.now() / 1000));
  return [...cluster.resourceById.values()]
    .filter((rsc) => rsc.isPrimitive && rsc.blocked && rsc.runningOn.some(({ name }) => name === node))
    .map(({ id }) => id);
}
