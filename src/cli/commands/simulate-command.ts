import { formatAnyXml, formatXml, refuseInvalid } from "../../cib/index.ts";
import { holdFile } from "../../platform/index.ts";
import { CrmExit, HactlError } from "../../terms/index.ts";
import { type Answer, answering, outputRequest, versionOf } from "../answer/index.ts";
import { print, writeError, writeOut } from "../output.ts";
import { transitionDot, transitionGraph } from "../render/graph-xml.ts";
import { saveFile } from "../save-file.ts";
import { optionHelp, type ParsedWords, parseWords } from "../tools/getopt.ts";
import { runBatch, simulationJson } from "./simulate-batch.ts";
import {
  checkFormat,
  injectionsOf,
  operationOf,
  repetitionsOf,
  simulateOptions,
  timeOf,
} from "./simulate-options.ts";
import { profileDirectory } from "./simulate-profile.ts";
import { runSimulation, type SimulationRun } from "./simulate-run.ts";
import { loadCluster, refuseWithoutBasis } from "./source.ts";

/** Runs `hactl simulate` or `crm_simulate`; answers with the exit code. */
export async function simulateCommand(name: string, words: readonly string[]): Promise<number> {
  const parsed = parseWords(name, simulateOptions, words);
  if (parsed.has("help")) {
    print(`${name}: rehearse what the cluster would do\n\n${optionHelp(simulateOptions)}`);
    return CrmExit.OK;
  }
  if (parsed.has("version")) return versionOf(name, words, parsed);
  if (parsed.words.length > 0) {
    throw new HactlError({
      code: "USAGE",
      what: `${name} does not know what to do with ${parsed.words[0]}`,
      cure: "Name a file with -x FILE",
      exit: CrmExit.USAGE,
    });
  }
  if (parsed.has("batch")) return runBatch();
  checkFormat(parsed);
  const asked = wantsJson(parsed)
    ? { ...outputRequest(name, words, withoutFormat(parsed)), format: "text" as const }
    : outputRequest(name, words, parsed);
  return answering(asked, (answer) => rehearse(name, parsed, answer));
}

/** JSON is a text that no schema of Pacemaker's knows. */
const withoutFormat = (parsed: ParsedWords): ParsedWords => ({
  ...parsed,
  value: (option) => (option === "output-as" ? undefined : parsed.value(option)),
});

async function rehearse(name: string, parsed: ParsedWords, answer: Answer): Promise<number> {
  const profile = parsed.value("profile");
  if (profile !== undefined) return runProfile(parsed, profile, answer);
  const source = await loadCluster(fileOf(parsed));
  // Of a part, or of a CIB that was written by hand, hactl knows what to make.
  refuseWithoutBasis(source);
  const whole = (source.hidden ?? []).length === 0;
  if (whole && (name === "crm_simulate" || source.cib.attributes.has("validate-with")))
    refuseInvalid(source.cib, source.file);
  const run = runSimulation(requestOf(parsed, source.cib, name === "crm_simulate"));
  const text = wantsJson(parsed) ? `${JSON.stringify(simulationJson(run))}\n` : run.text;
  answer.say({ text: () => text });
  for (const message of run.messages) answer.say(message);
  if (parsed.has("all-actions"))
    writeError("warning: --all-actions is not supported: the graph shows only what would run\n");
  if (parsed.has("verbose")) reportMessages(run);
  for (const problem of run.problems) answer.error(problem);
  // A failure that was asked for is no failure of the rehearsal.
  const asked = run.execution?.steps.some(({ type }) => type === "failure") === true;
  const invalid = run.execution !== undefined && run.execution.outcome !== "complete" && !asked;
  if (invalid) answer.error("Transition failed: terminated\nAn invalid transition was produced");
  await saveResults(parsed, run, source.file);
  return invalid ? CrmExit.ERROR : CrmExit.OK;
}

const wantsJson = (parsed: ParsedWords) => parsed.has("json") || parsed.value("output-as") === "json";

/** `--live-check` means the cluster, or what the environment names in its place. */
function fileOf(parsed: ParsedWords): string | undefined {
  if (parsed.has("live-check")) return undefined;
  return parsed.has("xml-pipe") ? "-" : parsed.value("xml-file");
}

function runProfile(parsed: ParsedWords, directory: string, answer: Answer): number {
  const time = timeOf(parsed);
  return profileDirectory({
    directory,
    repeat: repetitionsOf(parsed),
    clock: Math.floor(Date.now() / 1000),
    ...(time === undefined ? {} : { now: time.now }),
    answer,
  });
}

/** What is asked for; `strict`: as crm_simulate, which only decides when it is told to. */
function requestOf(parsed: ParsedWords, cib: Parameters<typeof runSimulation>[0]["cib"], strict: boolean) {
  const time = timeOf(parsed);
  const executes =
    parsed.has("simulate") || parsed.has("in-place") || parsed.has("op-fail") || wantsJson(parsed);
  const decides = ["run", "show-scores", "show-utilization", "save-graph", "save-dotfile"];
  const depth = executes
    ? "execute"
    : decides.some((option) => parsed.has(option)) || (!strict && hasChanges(parsed))
      ? "decide"
      : "status";
  return {
    cib,
    clock: Math.floor(Date.now() / 1000),
    depth,
    injections: injectionsOf(parsed),
    failures: parsed.values("op-fail").map(operationOf),
    showScores: parsed.has("show-scores"),
    showUtilization: parsed.has("show-utilization"),
    showAttributes: parsed.has("show-attrs"),
    showFailCounts: parsed.has("show-failcounts"),
    showUnrunnable: parsed.has("save-dotfile"),
    quiet: parsed.has("quiet"),
    fancy: parsed.has("text-fancy"),
    ...(time === undefined ? {} : { now: time.now, nowText: time.text, utcOffset: time.utcOffset }),
  } as const;
}

/** An injection alone already asks what would come of it. */
const hasChanges = (parsed: ParsedWords): boolean =>
  [
    "node-up",
    "node-down",
    "node-fail",
    "op-inject",
    "quorum",
    "ticket-grant",
    "ticket-revoke",
    "ticket-standby",
    "ticket-activate",
    "utilization",
  ].some((option) => parsed.has(option));

function reportMessages(run: SimulationRun): void {
  for (const { level, text, line } of run.transition?.messages ?? []) {
    writeError(`${level}: ${line === undefined ? "" : `line ${line}: `}${text}\n`);
  }
}

async function saveResults(parsed: ParsedWords, run: SimulationRun, file: string | undefined): Promise<void> {
  const save = async (option: string, text: string | undefined) => {
    const target = parsed.value(option);
    if (target !== undefined && text !== undefined) await writeFile(target, text);
  };
  await save("save-input", formatXml(run.input));
  await save("save-output", formatXml(run.output ?? run.input));
  await save("save-graph", run.transition && formatAnyXml(transitionGraph(run.transition)));
  await save("save-dotfile", run.transition && transitionDot(run.transition));
  if (parsed.has("in-place") && run.output) {
    if (file === undefined) {
      throw new HactlError({
        code: "USAGE",
        what: "--in-place needs a file to store the result in",
        cure: "Name it with -x FILE; the running cluster is never changed by a rehearsal",
        exit: CrmExit.USAGE,
      });
    }
    await keepInPlace(file, formatXml(run.output));
  }
}

/** The file that was read stays the same file. */
async function keepInPlace(path: string, text: string): Promise<void> {
  const file = await holdFile(path);
  try {
    file.overwrite(text);
  } finally {
    file.release();
  }
}

/** A directory that is not there is a mistake in the path: none is made. */
async function writeFile(path: string, text: string): Promise<void> {
  if (path === "-") writeOut(text);
  else await saveFile(path, text);
}
