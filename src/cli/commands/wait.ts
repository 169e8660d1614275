import { defineCommand } from "citty";
import { parseXml } from "../../cib/index.ts";
import { unpackCluster } from "../../scheduler/index.ts";
import { CrmExit, HactlError, type Millis } from "../../terms/index.ts";
import { ask } from "../daemon.ts";
import { printJson, wantsJson } from "../output.ts";
import { primitivesOf, printableId } from "../render/cluster-view.ts";
import { parseSeconds } from "../seconds.ts";

export default defineCommand({
  meta: { name: "wait", description: "Wait until the cluster has nothing left to do." },
  args: {
    timeout: {
      type: "string",
      default: "3600",
      valueHint: "seconds",
      description: "give up after so long, with status 124",
    },
  },
  run: async ({ args }) => {
    const timeoutMs = parseSeconds(args.timeout);
    try {
      await ask({ type: "wait-idle", timeoutMs: timeoutMs }, timeoutMs);
    } catch (error) {
      if (!(error instanceof HactlError) || error.exit !== CrmExit.TIMEOUT) throw error;
      throw await stillBusy(args.timeout, error);
    }
    if (wantsJson()) printJson({ idle: true });
    return CrmExit.OK;
  },
});

/** How long the answer to what is under way may take. */
const lookMs: Millis = 5_000;

/** The time is over: names what is under way, as far as the status tells; else `error` stays. */
async function stillBusy(seconds: string, error: HactlError): Promise<HactlError> {
  let text: string;
  try {
    text = await ask<string>({ type: "cib" }, lookMs);
  } catch (failure) {
    if (failure instanceof HactlError) return error;
    throw failure;
  }
  const cluster = unpackCluster(parseXml(text, "the cluster's CIB"), Math.floor(Date.now() / 1000));
  const busy = cluster.resources
    .flatMap(primitivesOf)
    .flatMap((rsc) =>
      rsc.pendingTask && rsc.pendingNode
        ? [`${rsc.pendingTask} of ${printableId(rsc)} on ${rsc.pendingNode.name}`]
        : [],
    );
  if (busy.length === 0) return error;
  return new HactlError({
    code: "TIMEOUT",
    what: `the cluster is not done after ${seconds} s: under way is ${busy.join(", ")}`,
    cure: "it goes on; 'hactl status' shows since when",
    exit: CrmExit.TIMEOUT,
    cause: error,
  });
}
