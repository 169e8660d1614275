import { fstatSync } from "node:fs";
import { clusterProperty } from "../../cib/index.ts";
import { CrmExit, HactlError, lookup } from "../../terms/index.ts";
import { askColour } from "../output.ts";
import { readText } from "../read-text.ts";
import { cibTarget } from "../target.ts";
import { asTool, line, toolError, usage } from "./connection.ts";
import { cibLevel } from "./crm-cib.ts";
import { levelNamed } from "./crm-levels.ts";
import { resourceLevel } from "./crm-resource.ts";
import { refuseUndone, statusWords } from "./crm-words.ts";
import { type OptionRow, parseWords } from "./getopt.ts";

const table: readonly OptionRow[] = [
  { name: "force", short: "F", description: "do it although it may hurt" },
  { name: "wait", short: "w", description: "return when the cluster has nothing left to do" },
  { name: "cib", short: "c", value: "DRAFT", description: "work on this draft (CIB_shadow)" },
  {
    name: "file",
    short: "f",
    value: "FILE",
    description: "the commands that stand in this file, one a line",
  },
  {
    name: "no",
    short: "n",
    description: "accepted: nothing is asked but what would hurt, and then no is meant",
  },
  {
    name: "display",
    short: "D",
    value: "STYLE",
    description: "plain (without colours), color, color-always or uppercase (as color)",
  },
  { name: "debug", short: "d", description: "accepted: what happens is in the log" },
  { name: "regression-tests", short: "R", description: "accepted" },
  { name: "scriptdir", value: "DIR", description: "refused: hactl has no cluster scripts" },
  {
    name: "history",
    short: "H",
    value: "SOURCE",
    description: "refused: 'hactl history' is of this cluster",
  },
  { name: "profile", short: "X", value: "FILE", description: "refused: 'hactl simulate' has a profile" },
  { name: "opt", short: "o", value: "OPTION=VALUE", description: "refused: hactl has no preferences" },
];

/**
 * The crm shell's commands, as far as hactl has them under its own names: `crm configure …`, `crm node …`,
 * `crm resource …`, `crm cib …`, `crm status`, `crm ra …`, `crm history`, `crm report …`, `crm cluster …`, `crm maintenance …`. One
 * of them as words, or many, one a line, from a file (`-f FILE`) or standard input.
 */
export async function run(words: readonly string[]): Promise<number> {
  const [first] = words;
  if (first === "--help" || first === "-h" || first === "--version" || (first === undefined && !isFed()))
    return asTool(
      "crm",
      "The crm shell's commands, done by hactl.",
      table,
      first === undefined ? ["--help"] : words,
      async () => 0,
    );
  try {
    const { cib, file, rest, style, ...flags } = leading(words);
    if (cib !== undefined) process.env.CIB_shadow = cib;
    askColour(style === "plain" ? false : style === "color-always" ? true : undefined);
    const wait = flags.wait ? ["--wait"] : [];
    const force = flags.force ? ["--force"] : [];
    const script = scriptOf(file, rest);
    return await (script === undefined ? perform(rest, { wait, force }) : follow(script, { wait, force }));
  } catch (error) {
    return toolError("crm", error);
  }
}

/** What one command says, and waits for it where that is wanted. */
async function perform(words: readonly string[], wanted: Flags): Promise<number> {
  const flags = cibTarget().kind === "live" ? wanted : { ...wanted, wait: [] };
  const targets = translate(words, flags);
  for (const target of targets) {
    const status = await carryOut(target);
    if (status !== CrmExit.OK) return status;
  }
  // hactl's own commands for resources and nodes wait themselves.
  const changed = targets.some(({ tool, words: given }) =>
    tool === undefined ? isConfigureChange(given) || isMaintenance(given) : changing.has(tool),
  );
  return changed ? settled(flags) : CrmExit.OK;
}

/** A draft or a file has nothing to wait for. */
async function settled({ wait }: Flags): Promise<number> {
  if (wait.length === 0 || cibTarget().kind !== "live") return CrmExit.OK;
  const { runCli } = await import("../main-command.ts");
  return runCli(["wait"]);
}

/** The commands that a file holds, or that are handed to standard input for a level. */
interface Commands {
  readonly text: string;
  readonly name: string;
  readonly level?: string;
}

/** Nothing where the words are the command. */
function scriptOf(file: string | undefined, words: readonly string[]): Commands | undefined {
  const [first, ...more] = words;
  const level = first === undefined ? undefined : levelNamed(first);
  const isLevel = more.length === 0 && level !== undefined;
  const begin = isLevel ? { level } : {};
  if (file !== undefined) {
    if (first !== undefined && !isLevel)
      throw usage("crm", "beside a file of commands only the level can be named in which they begin");
    return { text: readText(file), name: file === "-" ? STDIN : file, ...begin };
  }
  if (level === "configure" && (isLevel || more.join() === "-"))
    return { text: readText("-"), name: STDIN, level };
  if ((first !== undefined && !isLevel) || !isFed()) return undefined;
  const text = readText("-");
  // A program that starts this one may leave it a pipe in which nothing is: it means the command.
  return isLevel && text.trim() === "" ? undefined : { text, name: STDIN, ...begin };
}

const STDIN = "standard input";

async function follow(commands: Commands, flags: Flags): Promise<number> {
  const { runScript } = await import("./crm-script.ts");
  return runScript(
    { ...commands, force: flags.force.length > 0 },
    { run: (words) => perform(words, flags), committed: () => settled(flags) },
  );
}

/** Whether somebody hands commands to standard input: a pipe or a file, not a terminal or nothing. */
function isFed(): boolean {
  try {
    const input = fstatSync(0);
    return input.isFIFO() || (input.isFile() && input.size > 0);
  } catch {
    return false;
  }
}

async function carryOut(target: Target): Promise<number> {
  if (target.lines !== undefined) {
    for (const text of target.lines) line(text);
    return CrmExit.OK;
  }
  if (target.commit !== undefined) {
    const { commitDraft } = await import("./crm_shadow.ts");
    return commitDraft(target.commit.draft, target.commit.force);
  }
  if (target.tool !== undefined) {
    const status = await (await others[target.tool]()).run(target.words);
    return target.anyStatus && status === CrmExit.ERROR ? CrmExit.OK : status;
  }
  const { runCli } = await import("../main-command.ts");
  return runCli(target.words);
}

const isMaintenance = ([level, command]: readonly string[]): boolean =>
  level === "maintenance" || (level === "resource" && command === "maintenance");

const isConfigureChange = ([command, what = ""]: readonly string[]): boolean =>
  command === "configure" && !["show", "save"].includes(what);

interface Leading {
  readonly wait: boolean;
  readonly force: boolean;
  /** What --display wants. */
  readonly style?: string;
  /** The draft that --cib names. */
  readonly cib: string | undefined;
  /** The file with commands that --file names. */
  readonly file: string | undefined;
  readonly rest: readonly string[];
}

/** Options of crm itself, before its first word. @throws HactlError USAGE for one that there is not, or that is not done */
function leading(words: readonly string[]): Leading {
  const end = endOfOptions(words);
  const given = parseWords("crm", table, words.slice(0, end));
  const refused = given.options.map(([name]) => name).find((name) => name in undone);
  if (refused !== undefined)
    throw new HactlError({
      code: "USAGE",
      what: `hactl does not do what --${refused} asks for; nothing was done`,
      cure: undone[refused] ?? "",
      exit: CrmExit.USAGE,
    });
  const style = given.value("display");
  if (style !== undefined && !styles.has(style))
    throw usage("crm", `--display is none of ${[...styles].join(", ")}: ${style}`);
  return {
    wait: given.has("wait"),
    force: given.has("force"),
    ...(style === undefined ? {} : { style }),
    cib: given.value("cib"),
    file: given.value("file"),
    rest: words.slice(words[end] === "--" ? end + 1 : end),
  };
}

/** Where the options end and the words begin. */
function endOfOptions(words: readonly string[]): number {
  let at = 0;
  for (; words[at]?.startsWith("-") && words[at] !== "--" && words[at] !== "-"; at++) {
    const word = words[at] ?? "";
    if (takesNext(word)) at++;
  }
  return Math.min(at, words.length);
}

/** Whether an option's value is the next word: neither behind = nor behind its letter. */
function takesNext(word: string): boolean {
  if (word.startsWith("--"))
    return table.some(({ name, value }) => value !== undefined && `--${name}` === word);
  const letters = word.slice(1);
  const at = [...letters].findIndex((letter) =>
    table.some(({ short, value }) => short === letter && value !== undefined),
  );
  return at >= 0 && at === letters.length - 1;
}

const styles: ReadonlySet<string> = new Set(["plain", "color", "color-always", "uppercase"]);

/** Options of the crm shell for what is not here, and what does it. */
const undone: Readonly<Record<string, string>> = lookup({
  history: "say 'hactl history' for what happened in this cluster",
  scriptdir: "write the resources and constraints with 'crm configure'",
  profile: "say 'hactl simulate --help' for what a decision costs",
  opt: "say what is meant as an option of the command: --wait, --force, --display",
});

interface Flags {
  readonly wait: readonly string[];
  readonly force: readonly string[];
}

/** The tools that do a part of the crm shell's work. */
const others = lookup({
  cibadmin: () => import("./cibadmin.ts"),
  cibsecret: () => import("./cibsecret.ts"),
  crm_attribute: () => import("./crm_attribute.ts"),
  crm_failcount: () => import("./crm_failcount.ts"),
  crm_mon: () => import("./crm_mon.ts"),
  crm_node: () => import("./crm_node.ts"),
  crm_report: () => import("./crm_report.ts"),
  crm_resource: () => import("./crm_resource.ts"),
  crm_shadow: () => import("./crm_shadow.ts"),
  crm_simulate: () => import("./crm_simulate.ts"),
  crm_verify: () => import("./crm_verify.ts"),
} as const);

const changing: ReadonlySet<keyof typeof others> = new Set([
  "cibadmin",
  "cibsecret",
  "crm_attribute",
  "crm_failcount",
  "crm_resource",
]);

interface Target {
  /** One of the tools; else words for hactl. */
  readonly tool?: keyof typeof others;
  readonly words: readonly string[];
  /** That the tool found a difference is no failure. */
  readonly anyStatus?: boolean;
  /** A draft is to be put in force. */
  readonly commit?: { readonly draft: string; readonly force: boolean };
  /** Nothing is to be done but to say this. */
  readonly lines?: readonly string[];
}

function cib(words: readonly string[], flags: Flags): Target {
  const step = cibLevel(words, flags.force.length > 0);
  if (step.kind === "lines") return { words: [], lines: step.lines };
  if (step.kind === "commit") return { words: [], commit: step };
  return { tool: "crm_shadow", words: step.words, anyStatus: step.anyStatus ?? false };
}

/** What is to be done, one after the other. */
function translate(words: readonly string[], flags: Flags): readonly Target[] {
  refuseUndone(words);
  const [level, ...rest] = words;
  return level === "resource" || level === "rsc"
    ? resourceLevel(rest, flags)
    : [translateLevel(words, flags)];
}

function translateLevel(words: readonly string[], flags: Flags): Target {
  const [level = "", ...rest] = words;
  switch (level) {
    case "status":
    case "st":
      return { tool: "crm_mon", words: ["-1", ...rest.flatMap(statusOption)] };
    case "configure":
    case "cfg":
    case "conf":
      return configure(rest, flags);
    case "cib":
      return cib(rest, flags);
    case "node":
      return node(rest, flags);
    case "ra":
      return agents(rest);
    case "cluster":
      return cluster(rest);
    case "maintenance":
      return maintenance(rest);
    case "history":
      return { words: ["history"] };
    case "corosync":
      return corosync(rest);
    case "report":
      return { tool: "crm_report", words: rest };
    case "verify":
      return { tool: "crm_verify", words: ["-L", "-V"] };
    default:
      // hactl's own commands understand the word, or say what was perhaps meant.
      return { words };
  }
}

const statusOption = (word: string): readonly string[] => statusWords[word] ?? [word];

function configure(words: readonly string[], flags: Flags): Target {
  const [command = "show", ...rest] = words;
  switch (command) {
    case "verify":
      return { tool: "crm_verify", words: ["-L", "-V"] };
    case "commit":
    case "up":
    case "exit":
    case "quit":
    case "end":
    case "bye":
      // What was said before is in force already. A file has nothing to wait for.
      return cibTarget().kind === "live" && flags.wait.length > 0
        ? { words: ["wait"] }
        : { words: [], lines: [] };
    case "del":
    case "rm":
    case "remove":
    case "delete":
      return { words: ["configure", "delete", ...rest, ...flags.force] };
    case "save": {
      const [file, ...ids] = rest.filter((word) => word !== "xml");
      if (file === undefined) throw usage("crm", "configure save needs a file");
      return { words: ["configure", "save", ...(rest.includes("xml") ? ["xml"] : []), file, ...ids] };
    }
    case "show":
      return { words: ["configure", command, ...rest] };
    case "get_property":
    case "get-property":
      return { tool: "crm_attribute", words: propertyAsked(rest) };
    case "validate-all":
    case "validate_all":
      return { tool: "crm_resource", words: ["--validate", "--resource", rest[0] ?? ""] };
    case "upgrade":
      return { tool: "cibadmin", words: ["--upgrade", ...(rest.length > 0 ? ["--force"] : flags.force)] };
    case "colocate":
    case "collocation":
      return { words: ["configure", "colocation", ...rest, ...flags.force] };
    default:
      return { words: ["configure", command, ...rest, ...flags.force] };
  }
}

/** NAME: its value, or its default. */
function propertyAsked(words: readonly string[]): readonly string[] {
  const [name = ""] = words;
  const fallback = clusterProperty(name)?.default;
  return ["-t", "crm_config", "-n", name, "-G", "-q", ...(fallback === undefined ? [] : ["-d", fallback])];
}

function node(words: readonly string[], flags: Flags): Target {
  const [command = "show", name, ...rest] = words;
  const named = name === undefined ? [] : [name];
  switch (command) {
    case "fence":
      return { words: ["fence", ...named, ...unasked(command, name, flags)] };
    case "status":
    case "show":
    case "list":
      return { words: ["node", "show", ...named, ...rest] };
    case "clearstate":
      return { words: ["fence", "confirm", ...named, ...unasked(command, name, flags)] };
    case "attribute":
      return attribute(name, rest, []);
    case "utilization":
      return attribute(name, rest, ["-z"]);
    case "status-attr":
      return attribute(name, rest, ["-l", "reboot"]);
    case "delete":
      return { tool: "crm_node", words: ["-R", name ?? "", "--force"] };
    case "standby":
      return { words: ["node", command, ...lasting(words.slice(1)), ...flags.wait] };
    default:
      return { words: ["node", command, ...named, ...flags.wait] };
  }
}

/** Who says it without a terminal has to say that he means it, as the crm shell wants it. */
function unasked(command: string, node: string | undefined, { force }: Flags): readonly string[] {
  if (force.length > 0) return ["--yes"];
  if (process.stdin.isTTY) return [];
  throw new HactlError({
    code: "USAGE",
    what: `node ${command} needs a confirmation, and nobody can be asked for one here`,
    cure: `say 'crm -F node ${command} ${node}'`,
    exit: CrmExit.USAGE,
  });
}

/** [NODE] [forever]: until it is taken back. */
function lasting(words: readonly string[]): readonly string[] {
  const [last] = words.slice(-1);
  if (last === "reboot")
    throw usage(
      "crm",
      "node standby stays until it is taken back; until the next boot: crm_standby -N NODE -v on -l reboot",
    );
  const nodes = last === "forever" ? words.slice(0, -1) : words;
  if (nodes.length > 1) throw usage("crm", `node standby takes one node; given: ${nodes.join(" ")}`);
  return nodes;
}

/** NODE set|show|delete NAME [VALUE] */
function attribute(name: string | undefined, words: readonly string[], options: readonly string[]): Target {
  const [command = "show", attr = "", value = ""] = words;
  if (!["set", "show", "delete"].includes(command))
    throw usage("crm", `"${command}" of an attribute is none of set, show and delete`);
  if ((command === "set") !== words.length > 2)
    throw usage("crm", command === "set" ? "the value to set is missing" : `${command} takes no value`);
  const base = ["-N", name ?? "", "-n", attr, ...options];
  if (command === "set") return { tool: "crm_attribute", words: [...base, "-v", value] };
  return { tool: "crm_attribute", words: [...base, command === "delete" ? "-D" : "-G"] };
}

function agents([command, ...rest]: readonly string[]): Target {
  switch (command) {
    case "classes":
      return { tool: "crm_resource", words: ["--list-standards"] };
    case "list":
      return { tool: "crm_resource", words: [`--list-agents=${rest.join(":")}`] };
    case "providers":
      return { tool: "crm_resource", words: [`--list-ocf-alternatives=${rest[0] ?? ""}`] };
    case "info":
    case "meta":
      return { tool: "crm_resource", words: [`--show-metadata=${rest[0] ?? ""}`] };
    default:
      throw usage(
        "crm",
        "ra has classes, list CLASS [PROVIDER], providers AGENT and info CLASS:PROVIDER:AGENT",
      );
  }
}

function cluster([command, limit]: readonly string[]): Target {
  switch (command) {
    case "start":
      return { words: ["start", "--daemon"] };
    case "stop":
      return { words: ["stop"] };
    case "wait_for_startup":
      // That something has failed is no reason not to be there.
      return {
        tool: "crm_resource",
        words: ["--wait", ...(limit === undefined ? [] : ["--timeout", limit])],
      };
    case "maintenance-on":
      return { words: ["maintenance", "on"] };
    case "maintenance-off":
      return { words: ["maintenance", "off"] };
    default:
      return { words: ["status"] };
  }
}

function corosync([command, kind = "quorum"]: readonly string[]): Target {
  switch (command) {
    case "reload":
      return { words: ["reload"] };
    case "show":
      return { words: ["config", "show"] };
    default:
      return { words: kind === "ring" ? ["ring"] : ["quorum", "status"] };
  }
}

/** on|off [RESOURCE] */
function maintenance([state = "on", resource]: readonly string[]): Target {
  return {
    words: resource === undefined ? ["maintenance", state] : ["resource", "maintenance", resource, state],
  };
}
