import { existsSync } from "node:fs";
import { isStatement, type TextLine, textLines, wordsOfLine } from "../../cib/index.ts";
import { CrmExit } from "../../terms/index.ts";
import { reportError, writeError } from "../output.ts";
import { shadowPath } from "../target.ts";
import { usage } from "./connection.ts";
import { CrmDraft } from "./crm-draft.ts";
import { levelNamed } from "./crm-levels.ts";

/** Commands of the crm shell, one a line. */
export interface Script {
  readonly text: string;
  /** What it is called where a line fails. */
  readonly name: string;
  /** The level in which it begins. */
  readonly level?: string;
  readonly force: boolean;
}

/** How its commands are carried out. */
export interface ScriptHost {
  /** As if they were words behind `crm`. Answers with the exit code. */
  readonly run: (words: readonly string[]) => Promise<number>;
  /** Something was put in force. */
  readonly committed: () => Promise<number>;
}

const ends = new Set(["quit", "exit", "bye"]);
const leaves = new Set(["up", "end", "cd", "..", "back"]);

/**
 * Runs a script as the crm shell does that is nobody's dialogue: a level's name enters it, `up` and `end` leave it, `quit`
 * ends. What `configure` changes is in force with `commit`, and when the level is left or the script ends. Unlike there, the
 * first line that fails is the last: what was not committed then is dropped.
 * @returns the exit code of that line
 */
export async function runScript(script: Script, host: ScriptHost): Promise<number> {
  const run = new ScriptRun(script, host);
  try {
    return await run.run();
  } finally {
    run.end();
  }
}

class ScriptRun {
  #level: string;
  #draft: CrmDraft | undefined;
  /** Statements that the draft has not taken yet, where they stand in the script. */
  #statements: TextLine[] = [];
  /** The draft has refused some, and where, is told. */
  #refused = false;

  constructor(
    private readonly script: Script,
    private readonly host: ScriptHost,
  ) {
    this.#level = script.level ?? "";
  }

  async run(): Promise<number> {
    for (const one of textLines(this.script.text)) {
      const status = await this.#guarded(() => this.#line(one));
      if (status === "end") return this.#last(await this.#guarded(() => this.#commit(this.script.force)));
      if (status !== CrmExit.OK) return this.#failed(status, one);
    }
    return this.#last(await this.#guarded(() => this.#commit(this.script.force)));
  }

  end(): void {
    this.#draft?.drop();
  }

  async #guarded<T>(work: () => Promise<T>): Promise<T | number> {
    try {
      return await work();
    } catch (error) {
      return reportError(error);
    }
  }

  #last(status: number): number {
    if (status === CrmExit.OK) return status;
    writeError(
      `crm: ${this.script.name}: what was not committed before its end is not in force (${status})\n`,
    );
    return status;
  }

  #failed(status: number, { line, text }: TextLine): number {
    const dropped = this.#isOpen ? "; what was not committed before it is not in force" : "";
    const [shown = ""] = text.trim().split("\n");
    const what = this.#refused
      ? `${this.script.name}: statements before line ${line} are refused (${status})`
      : `${this.script.name}:${line}: "${shown}" has failed (${status})`;
    writeError(`crm: ${what}: nothing after it was done${dropped}\n`);
    return status;
  }

  /** Something is not committed yet. */
  get #isOpen(): boolean {
    return this.#draft !== undefined || this.#statements.length > 0;
  }

  #line(one: TextLine): Promise<number | "end"> {
    return this.#level === "configure" ? this.#configureLine(one) : this.#otherLine(wordsOfLine(one));
  }

  async #otherLine(words: readonly string[]): Promise<number | "end"> {
    const [first = "", ...rest] = words;
    const alone = rest.length === 0;
    if (alone && ends.has(first)) return "end";
    if (alone && leaves.has(first)) return this.#enter("");
    const named = levelNamed(first);
    if (alone && this.#level === "" && named !== undefined) return this.#enter(named);
    return this.#run(this.#level === "" ? words : [this.#level, ...words]);
  }

  async #run(words: readonly string[]): Promise<number> {
    const [level = "", command, name] = words;
    if (levelNamed(level) !== "cib") return this.host.run(words);
    if (command === "use" && useDraft(name)) return CrmExit.OK;
    const status = await this.host.run(words);
    if (status === CrmExit.OK && command === "new") useDraft(name);
    return status;
  }

  #enter(level: string): number {
    this.#level = level;
    return CrmExit.OK;
  }

  async #configureLine(one: TextLine): Promise<number | "end"> {
    const keyword = /^\s*(\S+)/.exec(one.text)?.[1]?.toLowerCase() ?? "";
    if (isStatement(keyword)) {
      this.#statements.push(one);
      return CrmExit.OK;
    }
    const [, ...rest] = wordsOfLine(one);
    if (levelNamed(keyword) === "configure" && rest.length === 0) return CrmExit.OK;
    if (levelNamed(keyword) === "cib" && rest.length > 0) {
      if (this.#isOpen) throw usage("crm", "commit what is configured before another CIB is used");
      return this.#run(["cib", ...rest]);
    }
    if (ends.has(keyword) && rest.length === 0) return "end";
    if (keyword === "commit") return this.#commit(this.script.force || rest.includes("force"));
    if (leaves.has(keyword) && rest.length === 0) {
      const status = await this.#commit(this.script.force);
      return status === CrmExit.OK ? this.#enter("") : status;
    }
    if (keyword === "load" && rest.at(-1) === "-")
      throw usage("crm", "load needs a file: standard input holds the commands");
    const draft = await this.#settle();
    return draft.on(() => this.host.run(["configure", keyword, ...rest]));
  }

  /** The draft, with all that was stated. */
  async #settle(): Promise<CrmDraft> {
    this.#draft ??= await CrmDraft.begin();
    const statements = this.#statements;
    this.#statements = [];
    if (statements.length === 0) return this.#draft;
    this.#refused = true;
    await this.#draft.take(inPlace(statements), this.script.name, this.script.force);
    this.#refused = false;
    return this.#draft;
  }

  async #commit(force: boolean): Promise<number> {
    if (!this.#isOpen) return CrmExit.OK;
    const draft = await this.#settle();
    const changed = await draft.commit(force);
    draft.drop();
    this.#draft = undefined;
    return changed ? this.host.committed() : CrmExit.OK;
  }
}

/** Statements as a text in which each stands on its own line. */
function inPlace(statements: readonly TextLine[]): string {
  const lines: string[] = [];
  for (const { line, text } of statements) {
    while (lines.length < line - 1) lines.push("");
    lines.push(...text.split("\n"));
  }
  return `${lines.join("\n")}\n`;
}

/** `cib new` and `cib use` hold for what comes after them. Says whether there is such a CIB. */
function useDraft(name: string | undefined): boolean {
  if (name === undefined || name === "live") delete process.env.CIB_shadow;
  else if (!existsSync(shadowPath(name))) return false;
  else process.env.CIB_shadow = name;
  return true;
}
