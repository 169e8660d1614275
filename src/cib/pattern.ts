import { CrmExit, HactlError } from "../terms/index.ts";
import { parsePattern, type Syntax } from "./pattern-syntax.ts";

/** Longest pattern, in characters. */
export const LONGEST_PATTERN = 512;
/** Most steps of the program that a pattern becomes: repetitions with a count (`{1,50}`) are written out. */
const mostSteps = 2_000;

/** A regular expression of the configuration, ready to be used. */
export interface Pattern {
  /** What it matches and what its groups match, of the first place where it does; null when there is none. */
  readonly match: (text: string) => (string | undefined)[] | null;
}

type Step =
  | { readonly op: "char"; readonly test: (char: string) => boolean }
  | { readonly op: "split"; readonly first: number; readonly second: number }
  | { readonly op: "jump"; readonly to: number }
  | { readonly op: "save"; readonly slot: number }
  | {
      readonly op: "assert";
      readonly test: (before: string | undefined, after: string | undefined) => boolean;
    }
  | { readonly op: "match" };

/**
 * Makes an extended regular expression of POSIX (regex(7)) ready, as `rsc-pattern` and `target-pattern` hold them; `\w`,
 * `\d`, `\s`, `\b` and their opposites are known too, references back to a group are not. All ways to match are followed
 * at once (Thompson, Regular Expression Search Algorithm, 1968), so that the time grows with the length of the text and
 * of the pattern and no more: an engine that tries one way after the other may take for ever, or gives up and says no.
 * @throws HactlError `BAD_PATTERN` for what is none, `PATTERN_LIMIT` for one that is too long or too large
 */
export function compilePattern(source: string): Pattern {
  if (source.length > LONGEST_PATTERN)
    throw tooLarge(`it has ${source.length} characters`, `${LONGEST_PATTERN} are possible`);
  const { syntax, groups } = parsePattern(source);
  const steps: Step[] = [];
  const emit = (step: Step): number => {
    if (steps.length >= mostSteps)
      throw tooLarge(`with all repetitions it has more than ${mostSteps} steps`, "write a shorter one");
    return steps.push(step) - 1;
  };
  emit({ op: "save", slot: 0 });
  write(syntax, emit, steps);
  emit({ op: "save", slot: 1 });
  emit({ op: "match" });
  return { match: (text) => run(steps, groups, text) };
}

const tooLarge = (what: string, cure: string) =>
  new HactlError({
    code: "PATTERN_LIMIT",
    what: `the regular expression is too large: ${what}`,
    cure,
    exit: CrmExit.CONFIG,
  });

function write(syntax: Syntax, emit: (step: Step) => number, steps: Step[]): void {
  switch (syntax.kind) {
    case "char":
      emit({ op: "char", test: syntax.test });
      return;
    case "assert":
      emit({ op: "assert", test: syntax.test });
      return;
    case "sequence":
      for (const part of syntax.parts) write(part, emit, steps);
      return;
    case "group":
      emit({ op: "save", slot: 2 * syntax.number });
      write(syntax.inner, emit, steps);
      emit({ op: "save", slot: 2 * syntax.number + 1 });
      return;
    case "either":
      return writeEither(syntax.parts, emit, steps);
    case "repeat":
      return writeRepeat(syntax, emit, steps);
  }
}

function writeEither(parts: readonly Syntax[], emit: (step: Step) => number, steps: Step[]): void {
  const ends: number[] = [];
  for (const [index, part] of parts.entries()) {
    const last = index === parts.length - 1;
    const split = last ? -1 : emit({ op: "split", first: steps.length + 1, second: 0 });
    write(part, emit, steps);
    if (last) break;
    ends.push(emit({ op: "jump", to: 0 }));
    steps[split] = { op: "split", first: split + 1, second: steps.length };
  }
  for (const end of ends) steps[end] = { op: "jump", to: steps.length };
}

function writeRepeat(
  { inner, least, most }: Extract<Syntax, { readonly kind: "repeat" }>,
  emit: (step: Step) => number,
  steps: Step[],
): void {
  for (let count = 0; count < least; count++) write(inner, emit, steps);
  if (most === Number.POSITIVE_INFINITY) {
    const split = emit({ op: "split", first: 0, second: 0 });
    write(inner, emit, steps);
    emit({ op: "jump", to: split });
    steps[split] = { op: "split", first: split + 1, second: steps.length };
    return;
  }
  const splits: number[] = [];
  for (let count = least; count < most; count++) {
    splits.push(emit({ op: "split", first: 0, second: 0 }));
    write(inner, emit, steps);
  }
  for (const split of splits) steps[split] = { op: "split", first: split + 1, second: steps.length };
}

interface Thread {
  readonly at: number;
  /** Where each group begins and ends so far. */
  readonly saved: readonly (number | undefined)[];
}

/** Follows all ways through the program, one character after the other; earlier alternatives win over later ones. */
function run(steps: readonly Step[], groups: number, text: string): (string | undefined)[] | null {
  const chars = Array.from(text);
  let threads: Thread[] = [];
  let best: readonly (number | undefined)[] | undefined;
  const none: readonly undefined[] = new Array(2 * (groups + 1)).fill(undefined);
  for (let index = 0; index <= chars.length; index++) {
    const seen = new Uint8Array(steps.length);
    const ready: Thread[] = [];
    const before = chars[index - 1];
    const after = chars[index];
    const follow = ({ at, saved }: Thread): void => {
      // An own stack: a program may be long.
      const open: Thread[] = [{ at, saved }];
      for (let thread = open.pop(); thread; thread = open.pop()) {
        const step = steps[thread.at];
        if (!step || seen[thread.at]) continue;
        seen[thread.at] = 1;
        if (step.op === "jump") open.push({ at: step.to, saved: thread.saved });
        else if (step.op === "split")
          open.push({ at: step.second, saved: thread.saved }, { at: step.first, saved: thread.saved });
        else if (step.op === "save") {
          const saved = thread.saved.with(step.slot, index);
          open.push({ at: thread.at + 1, saved });
        } else if (step.op === "assert") {
          if (step.test(before, after)) open.push({ at: thread.at + 1, saved: thread.saved });
        } else ready.push(thread);
      }
    };
    for (const thread of threads) follow(thread);
    if (!best) follow({ at: 0, saved: none });
    threads = [];
    for (const { at, saved } of ready) {
      const step = steps[at];
      if (step?.op === "match") {
        best = saved;
        // Those behind it are worse.
        break;
      }
      if (step?.op === "char" && after !== undefined && step.test(after)) threads.push({ at: at + 1, saved });
    }
    if (best && threads.length === 0) break;
  }
  if (!best) return null;
  return Array.from({ length: groups + 1 }, (_, group) => {
    const [from, to] = [best?.[2 * group], best?.[2 * group + 1]];
    return from === undefined || to === undefined ? undefined : chars.slice(from, to).join("");
  });
}
