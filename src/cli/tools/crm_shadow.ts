import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type CibProblem, element, type XmlElement } from "../../cib/index.ts";
import { holdFile, writeDurably } from "../../platform/index.ts";
import { CrmExit, HactlError, shellQuoted } from "../../terms/index.ts";
import type { Checked } from "../acceptance.ts";
import {
  type Answer,
  type AnsweringTool,
  cdataElement,
  type Message,
  runTool,
  textElement,
} from "../answer/index.ts";
import { CibSession, warn } from "../cib-session.ts";
import { writeError } from "../output.ts";
import { baseTarget, shadowDirectory, shadowPath } from "../target.ts";
import { asTool, usage } from "./connection.ts";
import type { OptionRow, ParsedWords } from "./getopt.ts";

const options: readonly OptionRow[] = [
  { name: "which", short: "w", description: "name of the active draft" },
  { name: "display", short: "p", description: "print the active draft" },
  { name: "diff", short: "d", description: "what it changes; status 1 if anything" },
  { name: "file", short: "F", description: "its file" },
  { name: "edit", short: "E", description: "open the active draft in $EDITOR" },
  { name: "create", short: "c", value: "NAME", description: "make one of the cluster's configuration" },
  { name: "create-empty", short: "e", value: "NAME", description: "make an empty one" },
  {
    name: "commit",
    short: "C",
    value: "NAME",
    description: "put its configuration in place of the cluster's (with --force)",
  },
  { name: "delete", short: "D", value: "NAME", description: "remove it (with --force)" },
  { name: "reset", short: "r", value: "NAME", description: "make it the cluster's configuration again" },
  { name: "switch", short: "s", value: "NAME", description: "how to make it the active one" },
  { name: "force", short: "f", description: "yes, I mean it" },
  { name: "batch", short: "b", description: "start no shell that has the draft as its active one" },
  { name: "all", short: "a", description: "with --commit: the status, too" },
  { name: "validate-with", short: "v", value: "SCHEMA", description: "with --create-empty: its schema" },
  { name: "verbose", short: "V", description: "say more" },
];

const named = ["create", "create-empty", "commit", "delete", "reset", "switch"] as const;
const active = ["which", "display", "diff", "file", "edit"] as const;
type Command = (typeof named)[number] | (typeof active)[number];
const commands: readonly string[] = [...named, ...active];

/** crm_shadow(8): drafts of the configuration, to work on without touching the cluster (CIB_shadow, CIB_shadow_dir). */
export const run = (words: readonly string[]): Promise<number> => runTool(tool, words, work);

const tool: AnsweringTool = {
  name: "crm_shadow",
  purpose: "Work on a draft of the configuration.",
  options,
};

async function work(given: ParsedWords, answer: Answer): Promise<number> {
  const command = given.options.findLast(([name]) => commands.includes(name))?.[0] as Command | undefined;
  switch (command) {
    case undefined:
      throw usage("crm_shadow", "what shall be done?");
    case "which":
      answer.say(drafted(activeName(), (name) => name));
      return CrmExit.OK;
    case "file":
      answer.say(drafted(activeName(), shadowPath, { file: shadowPath(activeName()) }));
      return CrmExit.OK;
    case "display":
      answer.say(displayed(activeName()));
      return CrmExit.OK;
    case "diff":
      return diff(activeName(), answer);
    case "edit":
      return edit(activeName());
    default:
      return withName(command, checkedName(given.value(command) ?? ""), given, answer);
  }
}

/** The version of the schemas that first had this tool. */
const since = "2.30";

/** Something about the active draft: its name is in every document. */
const drafted = (
  name: string,
  text: (name: string) => string | undefined,
  attributes: Readonly<Record<string, string>> = {},
  children: XmlElement[] = [],
): Message => ({
  text: () => text(name),
  xml: () => [element("shadow", { instance: name, ...attributes }, children)],
  since,
});

function displayed(name: string): Message {
  const text = content(name);
  return drafted(name, () => text, {}, [cdataElement("content", text)]);
}

/** What there is left to do for whoever called. */
const instruction = (text: string): Message => ({
  text: () => text,
  xml: () => [textElement("instruction", text)],
  since,
});

function activeName(): string {
  const name = process.env.CIB_shadow;
  if (name) return name;
  throw failure("No active shadow configuration defined", CrmExit.NOSUCH);
}

/** A name is a part of a file's name, and of a line for a shell. */
function checkedName(name: string): string {
  if (/^[^/]+$/.test(name) && !/\p{Cc}/u.test(name) && name !== "." && name !== "..") return name;
  throw failure(`Could not create the shadow instance '${name}': No such file or directory`, CrmExit.NOSUCH);
}

const failure = (what: string, exit: CrmExit) => new HactlError({ code: "SHADOW", what, exit });

async function withName(
  command: (typeof named)[number],
  name: string,
  given: ParsedWords,
  answer: Answer,
): Promise<number> {
  const force = given.has("force");
  switch (command) {
    case "create":
      if (!force) refuseExisting(name);
      await draw(name);
      return begin(name, given, answer, false);
    case "create-empty": {
      if (!force) refuseExisting(name);
      const fresh = await empty(given.value("validate-with"));
      answer.info(`Created new ${fresh.attributes.get("validate-with")} configuration`);
      await save(name, fresh);
      rmSync(originPath(name), { force: true });
      return begin(name, given, answer, false);
    }
    case "reset":
      // Where none is in use it is taken anew without a question: so the crm shell's `cib reset` expects it.
      if (!force && process.env.CIB_shadow)
        throw dangerous("The reset command overwrites the active shadow configuration", "shadow file", name);
      if (!force) content(name);
      await draw(name);
      return begin(name, given, answer, false);
    case "switch":
      content(name);
      return begin(name, given, answer, true);
    case "commit":
      if (!force)
        throw dangerous("The commit command overwrites the active cluster configuration", "cluster", name);
      for (const { level, text } of await commit(name, given.has("all"), { told: () => true }))
        if (level === "error") writeError(`crm_shadow: ${text}\n`);
      return CrmExit.OK;
    case "delete":
      if (!force)
        throw dangerous("The delete command removes the specified shadow file", "shadow file", name);
      for (const path of [shadowPath(name), originPath(name)]) rmSync(path, { force: true });
      if (process.env.CIB_shadow === name) answer.say(instruction(farewell(name)));
      return CrmExit.OK;
  }
}

/** Pacemaker's refusal, which also says when another draft is the active one. */
function dangerous(reason: string, what: string, name: string): HactlError {
  const now = process.env.CIB_shadow;
  const other =
    now && now !== name
      ? `Additionally, the supplied shadow instance (${name}) is not the same as the active one (${now}).\n`
      : "";
  return failure(
    `${reason}.\n${other}To prevent accidental destruction of the ${what}, the --force flag is required in order to proceed.`,
    CrmExit.USAGE,
  );
}

function refuseExisting(name: string): void {
  if (!existsSync(shadowPath(name))) return;
  throw failure(
    `A shadow instance '${name}' already exists.\nTo prevent accidental destruction of the shadow file, the --force flag is required in order to proceed.`,
    CrmExit.CANTCREAT,
  );
}

function content(name: string): string {
  try {
    return readFileSync(shadowPath(name), "utf8");
  } catch {
    throw failure(`Could not access shadow instance '${name}': No such file or directory`, CrmExit.NOSUCH);
  }
}

const parsed = async (name: string): Promise<XmlElement> =>
  (await import("../../cib/index.ts")).parseXml(content(name), shadowPath(name));

/** The CIB that lies under the drafts, as it is written. */
const base = (): Promise<XmlElement> => CibSession.with((session) => session.raw(), baseTarget());

async function empty(schema: string | undefined): Promise<XmlElement> {
  const { emptyCib } = await import("../../controller/index.ts");
  const fresh = emptyCib();
  if (schema !== undefined) fresh.attributes.set("validate-with", schema);
  return fresh;
}

/** Beside a draft: the version of what it was made of. Programs that look for drafts do not see it. */
const originPath = (name: string): string => join(shadowDirectory(), `.shadow.${name}.of`);

/** Makes a draft of what lies under the drafts, and notes which version that was. */
async function draw(name: string): Promise<void> {
  const cib = await base();
  await save(name, cib);
  await writeDurably(originPath(name), versionText(cib));
}

const versionText = ({ attributes }: XmlElement): string =>
  `${attributes.get("admin_epoch") ?? 0}.${attributes.get("epoch") ?? 0}`;

/** Refuses a draft of a configuration that others have changed since: it would undo that. Nothing is known of drafts from elsewhere. */
async function refuseOutdated(name: string): Promise<void> {
  let of: string;
  try {
    of = readFileSync(originPath(name), "utf8").trim();
  } catch {
    return;
  }
  const present = versionText(await base());
  if (of === present) return;
  throw new HactlError({
    code: "OLD",
    what: `the configuration has changed since this draft was made of it (from ${of} to ${present}): the draft would undo that`,
    cure: `look at both with 'crm_shadow --diff' (CIB_shadow=${name}), and make the changes on a new draft ('crm cib new'); 'crm -F cib commit ${name}' puts this one in force all the same`,
    exit: CrmExit.OLD,
  });
}

/** Writes a draft whole; one that is there stays the same file. */
async function save(name: string, cib: XmlElement): Promise<void> {
  const { formatXml } = await import("../../cib/index.ts");
  const path = shadowPath(name);
  try {
    if (existsSync(path)) {
      const file = await holdFile(path);
      try {
        file.overwrite(formatXml(cib));
      } finally {
        file.release();
      }
    } else {
      mkdirSync(shadowDirectory(), { recursive: true, mode: 0o750 });
      await writeDurably(path, formatXml(cib));
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (error instanceof HactlError || code === undefined) throw error;
    throw failure(`Could not create the shadow instance '${name}': ${code}`, CrmExit.CANTCREAT);
  }
}

const prompt = (name: string) => `shadow[${name.slice(0, 40)}] # `;

/** How the draft becomes the active one; at a terminal a shell where it is. */
async function begin(name: string, given: ParsedWords, answer: Answer, isSwitch: boolean): Promise<number> {
  const { CIB_shadow, PS1, SHELL } = process.env;
  if (CIB_shadow === name && PS1 === prompt(name)) return CrmExit.OK;
  if (!given.has("batch") && SHELL && process.stdin.isTTY && answer.format === "text") {
    answer.info("Setting up shadow instance\nPress Ctrl+D to exit the crm_shadow shell");
    const quiet = /(?:^|\/)bash$/.test(SHELL) ? ["--norc", "--noprofile"] : [];
    const env = { ...process.env, CIB_shadow: name, PS1: prompt(name) };
    return Bun.spawn([SHELL, ...quiet], { env, stdio: ["inherit", "inherit", "inherit"] }).exited;
  }
  const why = isSwitch
    ? "To switch to the named shadow instance"
    : "A new shadow instance was created. To begin using it";
  answer.say(
    instruction(`${why}, enter the following into your shell:\n\texport CIB_shadow=${shellWord(name)}`),
  );
  return CrmExit.OK;
}

/** A word as a shell takes it for this text. */
const shellWord = (text: string) => (/^[\w.,:@%+-]+$/.test(text) ? text : shellQuoted(text));

const farewell = (name: string) =>
  process.env.PS1 === prompt(name)
    ? "Press Ctrl+D to exit the crm_shadow shell"
    : "Remember to unset the CIB_shadow variable by entering the following into your shell:\n\tunset CIB_shadow";

async function diff(name: string, answer: Answer): Promise<number> {
  content(name);
  const { xmlDiff } = await import("./xml-diff.ts");
  const { patchLines } = await import("./patch-text.ts");
  const found = xmlDiff(await base(), await parsed(name), { versions: true });
  const { formatXml } = await import("../../cib/index.ts");
  const text = () => (found ? patchLines(found).join("\n") : undefined);
  answer.say(drafted(name, text, {}, found ? [cdataElement("xml-patchset", formatXml(found))] : []));
  return found ? CrmExit.ERROR : CrmExit.OK;
}

async function edit(name: string): Promise<number> {
  content(name);
  const editor = process.env.EDITOR;
  if (!editor) throw failure("No value for EDITOR defined", CrmExit.NOT_CONFIGURED);
  try {
    return await Bun.spawn([editor, shadowPath(name)], { stdio: ["inherit", "inherit", "inherit"] }).exited;
  } catch {
    throw failure(`Could not invoke EDITOR (${editor} ${shadowPath(name)})`, CrmExit.OSFILE);
  }
}

/**
 * A draft in place of what lies under it: its configuration, or all of it. Who works on a draft has not been told yet what
 * the cluster would make of it. @throws RefusedChange
 */
async function commit(name: string, all: boolean, checked: Checked): Promise<readonly CibProblem[]> {
  const { formatXml } = await import("../../cib/index.ts");
  const cib = await parsed(name);
  const configuration = cib.children.find((section) => section.name === "configuration");
  if (!configuration) throw failure(`shadow '${name}' has no <configuration>`, CrmExit.DATAERR);
  const operation = all
    ? ({ op: "replace", xml: formatXml(cib, -1) } as const)
    : ({ op: "replace", scope: "configuration", xml: formatXml(configuration, -1) } as const);
  const problems = await CibSession.with(
    (session) => session.apply([operation], "crm_shadow", checked),
    baseTarget(),
  );
  // What is changed on the draft from here on is about this.
  if (existsSync(originPath(name))) await writeDurably(originPath(name), versionText(await base()));
  return problems;
}

/** The crm shell's `cib commit`: as `configure` does, it refuses a mistake of the draft unless it is to be forced. */
export const commitDraft = (name: string, force: boolean): Promise<number> =>
  asTool("crm", "Put a draft in force.", [], [], async () => {
    if (!force) await refuseOutdated(checkedName(name));
    const { isAgents } = await import("../acceptance.ts");
    await warn(await commit(checkedName(name), false, { force, agents: true, told: isAgents }));
    return CrmExit.OK;
  });
