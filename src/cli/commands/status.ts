import { defineCommand } from "citty";
import { parseIntervalMs } from "../../cib/index.ts";
import { CrmExit, HactlError, lookup, plainValues } from "../../terms/index.ts";
import { clearScreen, colours, print, printJson, wantsJson } from "../output.ts";
import { statusModel } from "../render/status-facts.ts";
import type { VerdictState } from "../render/status-model.ts";
import { statusScreen } from "../render/status-screen.ts";
import { DaemonLink } from "./live.ts";
import { fileStatus, isOfFile, type ShownStatus, shownStatus } from "./mon-report.ts";
import { repeat } from "./watch.ts";

/** With `--exit-code`, for scripts: 0 normal, 1 degraded, 2 stopped or without quorum, 3 when that cannot be known. */
const exits: Readonly<Record<VerdictState, number>> = lookup({
  NORMAL: 0,
  DEGRADED: 1,
  STOPPED: 2,
  "NO QUORUM": 2,
  UNKNOWN: 3,
});

function show({ input, name }: ShownStatus): VerdictState {
  const model = statusModel(input, name);
  if (wantsJson()) printJson(model);
  else print(statusScreen(plainValues(model), colours));
  return model.verdict.state;
}

const isAbsent = ({ exit }: HactlError): boolean =>
  exit === CrmExit.DISCONNECT || exit === CrmExit.NOT_RUNNING;

/** Redraws in place on a terminal; elsewhere prints one report after the other. */
async function watch(file: string | undefined, everyMs: number): Promise<number> {
  const link = new DaemonLink();
  const draw = async () => {
    if (process.stdout.isTTY) clearScreen();
    try {
      show(isOfFile(file) ? await fileStatus(file) : { input: await link.status() });
    } catch (error) {
      if (!(error instanceof HactlError)) throw error;
      print(`${colours.red(colours.bold("NOT CONNECTED"))} – ${error.what}`);
    }
  };
  try {
    return await repeat({ show: draw, everyMs, link });
  } finally {
    link.close();
  }
}

export default defineCommand({
  meta: {
    name: "status",
    description: "Show on one screen how the cluster is and why. The first line is the verdict.",
  },
  args: {
    watch: { type: "boolean", alias: "w", description: "redraw whenever something changes" },
    interval: { type: "string", valueHint: "TIME", default: "5s", description: "redraw at least this often" },
    file: { type: "string", alias: "x", valueHint: "FILE", description: "show a CIB from a file" },
    "exit-code": {
      type: "boolean",
      description: "exit with 0 normal, 1 degraded, 2 stopped or no quorum, 3 not known",
    },
  },
  run: async ({ args }) => {
    const { file } = args;
    if (args.watch) {
      const everyMs = parseIntervalMs(args.interval);
      if (everyMs === undefined || everyMs < 100) {
        throw new HactlError({
          code: "USAGE",
          what: `"${args.interval}" is no interval`,
          cure: "Write 5s, 500ms or 1min; at least 100ms",
          exit: CrmExit.USAGE,
        });
      }
      return watch(file, everyMs);
    }
    try {
      const state = show(await shownStatus(file));
      return args["exit-code"] ? exits[state] : CrmExit.OK;
    } catch (error) {
      // That no daemon answers is a state of the cluster, too: the first line says it as it says all others.
      if (!isOfFile(file) && !wantsJson() && error instanceof HactlError && isAbsent(error)) {
        const state = error.code === "UNREACHABLE" ? "NOT CONNECTED" : "STOPPED";
        print(`${colours.red(colours.bold(state))} – ${error.what}`);
        if (error.cure !== undefined) print(colours.dim(`  what to do: ${error.cure}`));
        return args["exit-code"] ? exits.STOPPED : error.exit;
      }
      throw error;
    }
  },
});
