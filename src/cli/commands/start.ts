import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defineCommand } from "citty";
import { configFile } from "../../config/index.ts";
import { loadNode, type NodeReply, ownCommand, ownEnvironment, runRing } from "../../daemon/index.ts";
import { CrmExit, HactlError, type Millis } from "../../terms/index.ts";
import { Daemon } from "../daemon.ts";
import { note, print, printJson, wantsJson } from "../output.ts";
import { requireLive } from "../target.ts";

/** How long `--daemon` waits for the node to take part. */
const joinMs: Millis = 30_000;
const lookMs: Millis = 100;

export default defineCommand({
  meta: {
    name: "start",
    description:
      "Run the cluster on this node, in the foreground (as hactl.service does) or with --daemon in the background. " +
      "Ends by 'hactl stop' or SIGTERM, after its services were moved away.",
  },
  args: {
    node: {
      type: "string",
      valueHint: "name",
      description: "which node of the node list this is, when neither host name nor addresses tell",
    },
    daemon: {
      type: "boolean",
      alias: "d",
      description: "go into the background, and return when the node takes part",
    },
  },
  run: async ({ args }) => {
    // Its agents would inherit what makes every tool work on a file.
    requireLive("the daemon");
    const daemonArguments = { configPath: configFile(), node: args.node };
    if (!args.daemon) {
      return await runRing(daemonArguments);
    }
    // What is wrong with the configuration is said here, not in a log.
    const { self } = loadNode(daemonArguments);
    const { pid, members } = await inBackground(daemonArguments);
    const alone = members.length > 1 && members.filter(({ state }) => state !== "lost").length === 1;
    if (wantsJson()) printJson({ node: self.name, pid });
    else if (members.length === 0)
      print(`The daemon of node ${self.name} runs (process ${pid}). See 'hactl status'.`);
    else
      print(
        alone
          ? `Node ${self.name} runs (process ${pid}), and no other node is there yet. See 'hactl status'.`
          : `Node ${self.name} takes part in the cluster (process ${pid}). See 'hactl status'.`,
      );
    return CrmExit.OK;
  },
});

interface Begun {
  readonly pid: number;
  /** The nodes as the daemon sees them; none while it does not take part. */
  readonly members: NodeReply["members"];
}

async function inBackground(args: { configPath: string; node: string | undefined }): Promise<Begun> {
  const node = args.node === undefined ? [] : ["--node", args.node];
  const directory = mkdtempSync(join(tmpdir(), "hactl-start-"));
  const said = join(directory, "stderr");
  try {
    const daemon = Bun.spawn([...ownCommand(), "internal", "ring", "--config", args.configPath, ...node], {
      env: ownEnvironment(),
      stdio: ["ignore", "ignore", Bun.file(said)],
      detached: true,
    });
    daemon.unref();
    for (let waited = 0; waited < joinMs; waited += lookMs) {
      await Bun.sleep(lookMs);
      if (daemon.exitCode !== null) throw ended(daemon.exitCode, lastWords(said));
      const reply = await joined(args.configPath, daemon.pid);
      if (reply) return { pid: daemon.pid, members: reply.members };
    }
    note("The daemon runs, but the node does not take part yet: is the cluster's network up?");
    return { pid: daemon.pid, members: [] };
  } finally {
    // The daemon writes on into a file that nobody finds any more.
    rmSync(directory, { recursive: true, force: true });
  }
}

/** What that daemon, and not another one that runs already, says once it takes part. */
async function joined(config: string, pid: number): Promise<NodeReply | undefined> {
  try {
    const client = await Daemon.connect({ config });
    try {
      const reply = await client.request<NodeReply>({ type: "node" }, 2000);
      return reply.joined && reply.pid === pid ? reply : undefined;
    } finally {
      client.close();
    }
  } catch (error) {
    if (error instanceof HactlError) return undefined;
    throw error;
  }
}

/** The last line that a daemon has written. */
function lastWords(file: string): string {
  try {
    return readFileSync(file, "utf8").trim().split("\n").at(-1)?.trim() ?? "";
  } catch {
    return "";
  }
}

function ended(status: number, words: string): HactlError {
  const what = words.replace(/^hactl: /, "").replace(/^error: /, "");
  return new HactlError({
    code: "NOT_STARTED",
    what:
      what === "" ? `the daemon ended at once with status ${status}` : `the daemon ended at once: ${what}`,
    cure: "see its log, or run 'hactl start' in the foreground",
    exit: CrmExit.ERROR,
  });
}
