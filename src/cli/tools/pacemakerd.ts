import type { NodeReply } from "../../daemon/index.ts";
import { CrmExit } from "../../terms/index.ts";
import { ask } from "../daemon.ts";
import { writeError } from "../output.ts";
import { asTool, line, pacemakerVersion, usage } from "./connection.ts";
import { type OptionRow, parseWords } from "./getopt.ts";

const table: readonly OptionRow[] = [
  { name: "features", short: "F", description: "version and features" },
  { name: "shutdown", short: "S", description: "let this node leave the cluster" },
  { name: "foreground", short: "f", description: "accepted" },
  { name: "pid-file", short: "p", value: "FILE", description: "accepted" },
  { name: "output-as", value: "FORMAT", description: "text" },
  { name: "verbose", short: "V", description: "say more" },
];

/** pacemakerd(8): what agents ask of it. The daemon is started by `hactl start`. */
export const run = (words: readonly string[]): Promise<number> =>
  asTool("pacemakerd", "The version of the cluster, and its end on this node.", table, words, async () => {
    const given = parseWords("pacemakerd", table, words);
    if (given.has("features")) {
      const { FEATURE_SET } = await import("../../controller/index.ts");
      line(`Pacemaker ${pacemakerVersion} (Build: hactl)`);
      line(` Supporting v${FEATURE_SET}: corosync-ge-2 monotonic remote systemd`);
      return CrmExit.OK;
    }
    if (given.has("shutdown")) {
      const { name } = await ask<NodeReply>({ type: "node" });
      await ask({ type: "shutdown" });
      writeError(`Node ${name} leaves the cluster\n`);
      return CrmExit.OK;
    }
    throw usage("pacemakerd", "the daemon is not started this way: see hactl start");
  });
