import { existsSync } from "node:fs";
import { defineCommand } from "citty";
import type { NodeReply } from "../../daemon/index.ts";
import { CrmExit, HactlError } from "../../terms/index.ts";
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
      inTime = await ended(node.pid, timeoutMs);
    } finally {
      client.close();
    }
    if (!inTime) {
      throw new HactlError({
        code: "TIMEOUT",
        what: `node ${name} has not left within ${args.timeout} s`,
        cure: "see 'hactl status' for the action that it waits for",
        exit: CrmExit.TIMEOUT,
      });
    }
    if (wantsJson()) printJson({ node: name, stopped: true });
    else print(`Node ${name} has left the cluster.`);
  },
});

/** Between two looks whether a process has ended. */
const lookMs = 50;

/** Waits for the end of a process; false when the time is over. */
async function ended(pid: number, timeoutMs: number): Promise<boolean> {
  for (let waited = 0; waited < timeoutMs; waited += lookMs) {
    if (!existsSync(`/proc/${pid}`)) return true;
    await Bun.sleep(lookMs);
  }
  return false;
}
