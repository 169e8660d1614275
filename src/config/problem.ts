import { CrmExit, HactlError } from "../terms/index.ts";

/** One mistake in a configuration, or something doubtful. */
export interface ConfigProblem {
  readonly severity: "error" | "warning";
  /** Stable name, upper case. */
  readonly code: string;
  readonly line?: number;
  readonly column?: number;
  /** What is wrong: a sentence without a full stop. */
  readonly what: string;
  /** What to do. */
  readonly cure: string;
}

/** A configuration that cannot be used: every mistake in it. */
export class ConfigError extends HactlError {
  constructor(
    readonly file: string,
    readonly problems: readonly ConfigProblem[],
  ) {
    const errors = problems.filter((problem) => problem.severity === "error");
    const [first] = errors;
    const only = errors.length === 1 ? first : undefined;
    super({
      code: only?.code ?? "CONFIG",
      what: only?.what ?? `The configuration has ${errors.length} mistakes; the first: ${first?.what ?? ""}`,
      where: { file, ...(first?.line !== undefined && { line: first.line }) },
      cure: only?.cure ?? `See all of them with hactl config check ${file}`,
      exit: CrmExit.CONFIG,
    });
    this.name = "ConfigError";
  }
}

/** `FILE:LINE: error: WHAT` with the cure on a line of its own. */
export function formatProblem(file: string, problem: ConfigProblem): string {
  const place = problem.line === undefined ? file : `${file}:${problem.line}`;
  return `${place}: ${problem.severity}: ${problem.what}\n    ${problem.cure}`;
}
