import { noInjections } from "../../controller/index.ts";
import { HactlError, plainJson } from "../../terms/index.ts";
import { scoreLines } from "../render/simulate-report.ts";
import { runSimulation, type SimulationRun } from "./simulate-run.ts";
import { readCibText } from "./source.ts";

/** Name of the result format. */
const format = "hactl-sim/1";

/** A result as programs get it. */
export function simulationJson(run: SimulationRun): Record<string, unknown> {
  const actions = run.transition?.actions ?? [];
  const known = new Set(actions.map(({ id }) => id));
  return {
    format,
    ok: true,
    actions: actions.map((action) => ({
      id: action.id,
      kind: action.kind,
      task: action.task,
      key: action.key,
      ...(action.node === undefined ? {} : { node: action.node }),
      ...(action.rsc === undefined ? {} : { rsc: action.rsc.longId ?? action.rsc.id }),
      intervalMs: action.intervalMs,
      params: Object.fromEntries(Object.entries(action.params).filter(([name]) => !/^\d/.test(name))),
      ...(action.router === undefined ? {} : { router: action.router }),
    })),
    order: actions.flatMap(({ id, inputs }) =>
      inputs.filter((input) => known.has(input)).map((input) => [input, id]),
    ),
    placement: run.placement,
    summary: run.transition?.summary ?? [],
    scores: scoreLines(run.transition?.scores ?? [], true, false),
    fencing: run.transition?.fencing ?? [],
    messages: run.transition?.messages ?? [],
    outcome: run.execution?.outcome ?? "not executed",
    text: run.text,
  };
}

interface Request {
  readonly case?: unknown;
  readonly cib: string;
  readonly now?: number;
}

function readRequest(line: string): Request {
  const request: unknown = JSON.parse(line);
  if (
    typeof request !== "object" ||
    request === null ||
    !("cib" in request) ||
    typeof request.cib !== "string"
  ) {
    throw new HactlError({
      code: "BAD_REQUEST",
      what: "a request is a JSON object with cib, the path of a file",
    });
  }
  const now = "now" in request ? request.now : undefined;
  if (now !== undefined && now !== null && typeof now !== "number") {
    throw new HactlError({ code: "BAD_REQUEST", what: "now must be seconds since 1970" });
  }
  return {
    cib: request.cib,
    ...("case" in request ? { case: request.case } : {}),
    ...(typeof now === "number" ? { now } : {}),
  };
}

/** Answers one line of a batch. Whatever is wrong with the request becomes part of the answer. */
export function answerLine(line: string, clock: () => number): string {
  let name: unknown;
  try {
    name = nameOf(line);
    const request = readRequest(line);
    const cib = readCibText(request.cib);
    const run = runSimulation({
      cib,
      clock: clock(),
      depth: "execute",
      injections: noInjections,
      failures: [],
      ...(request.now === undefined ? {} : { now: request.now }),
    });
    return JSON.stringify({ case: name, ...simulationJson(run) });
  } catch (error) {
    return JSON.stringify({ case: name, format, ok: false, error: describe(error) });
  }
}

function nameOf(line: string): unknown {
  const request: unknown = JSON.parse(line);
  return typeof request === "object" && request !== null && "case" in request ? request.case : undefined;
}

function describe(error: unknown): string {
  if (error instanceof HactlError) return error.message;
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

/** Reads requests line by line from standard input and answers each at once, until the input ends. */
export async function runBatch(): Promise<number> {
  for await (const line of console) {
    if (line.trim() === "") continue;
    const answer = answerLine(line, () => Math.floor(Date.now() / 1000));
    await writeAll(`${plainJson(answer)}\n`);
  }
  return 0;
}

const writeAll = (text: string): Promise<void> =>
  new Promise((done, failed) => process.stdout.write(text, (error) => (error ? failed(error) : done())));
