import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { hostname, tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import type { NodeReply } from "../../daemon/index.ts";
import { CrmExit, HactlError, shellQuoted } from "../../terms/index.ts";
import { ask } from "../daemon.ts";
import { writeError } from "../output.ts";
import { collectNode, type ReportWish } from "../report/collect.ts";
import { secretNames } from "../report/mask.ts";
import { endOf, type Period, timeOf } from "../report/period.ts";
import { takeReceived, withDirectory } from "../report/received.ts";
import { requireLive } from "../target.ts";
import { asTool, line, usage } from "./connection.ts";
import { type OptionRow, type ParsedWords, parseWords } from "./getopt.ts";

const table: readonly OptionRow[] = [
  {
    name: "from",
    short: "f",
    value: "TIME",
    description: "when it began, as '2026-11-29 13:05:00' or 13:05",
  },
  { name: "to", short: "t", value: "TIME", description: "when it was over [default: now]" },
  {
    name: "nodes",
    short: "n",
    value: "NODES",
    description: "these nodes, separated by blanks [default: all of the cluster]",
  },
  { name: "single-node", short: "S", description: "only this node" },
  { name: "no-logs", short: "M", description: "without the logs of the cluster" },
  { name: "logfile", short: "l", value: "FILE", description: "also this log; may be given several times" },
  {
    name: "mask",
    short: "p",
    value: "REGEX",
    description: "names whose values are left out, beside those known to be secret",
  },
  {
    name: "look-for",
    short: "L",
    value: "REGEX",
    description: "what is worth a look in logs, beside critical, error, CRIT: and ERROR:",
  },
  { name: "user", short: "u", value: "USER", description: "user for other nodes [default: root]" },
  {
    name: "rsh",
    short: "e",
    value: "COMMAND",
    description: "how to run a command there [default: ssh -T -o BatchMode=yes]",
  },
  { name: "as-directory", short: "d", description: "leave a directory instead of an archive" },
  {
    name: "dest",
    value: "DEST",
    description: "name of the archive or directory; also as a word of its own",
  },
  { name: "sos-mode", description: "as the sosreport tool calls it: only this node, and no logs" },
  { name: "cluster", short: "c", value: "TYPE", description: "accepted: there is one kind" },
  { name: "corosync", short: "C", description: "accepted: there is no other kind of cluster" },
  { name: "max-depth", short: "D", value: "DEPTH", description: "accepted: nothing is searched for" },
  { name: "cts", short: "T", value: "TEST", description: "not supported: there is no such suite here" },
  { name: "cts-log", value: "FILE", description: "not supported" },
  { name: "features", description: "print the version and features" },
  { name: "trace", short: "x", description: "accepted: this is no shell script" },
  { name: "hb-report", short: "s", description: "accepted, as by the peer" },
  { name: "verbose", short: "V", description: "say what is being done" },
  { name: "version", short: "v", description: "print the version" },
  { name: "help", short: "h", description: "print this help" },
];

/** Most that another node may send, in bytes. */
const mostOfNode = 2 ** 31 - 1;

/** crm_report(8): everything that is needed to find out what happened, without secrets, in one archive. */
export const run = (words: readonly string[]): Promise<number> =>
  asTool(
    "crm_report",
    "Collect configuration, state, history and logs of the cluster in an archive. Secrets are left out.",
    table,
    words[0] === "-v" ? ["--version"] : words,
    async () => {
      const given = parseWords("crm_report", table, words);
      if (given.has("features")) return features();
      if (given.has("cts") || given.has("cts-log"))
        throw usage("crm_report", "there is no test suite here whose tests could be extracted");
      return report(given);
    },
  );

async function features(): Promise<number> {
  const { run: pacemakerd } = await import("./pacemakerd.ts");
  return pacemakerd(["--features"]);
}

async function report(given: ParsedWords): Promise<number> {
  requireLive("a report");
  const now = new Date();
  const wish: ReportWish = {
    period: periodOf(given, now),
    now,
    secrets: secretNames(["passw.*", ...expressions(given, "mask")]),
    logFiles: given.values("logfile").map((file) => resolve(file)),
    withoutLogs: given.has("no-logs") || given.has("sos-mode"),
    striking: new RegExp(
      [" (?:critical|error)[: ]", " CRIT: ", " ERROR: ", ...expressions(given, "look-for")].join("|"),
    ),
  };
  const [word, ...more] = given.words;
  if (more.length > 0) throw usage("crm_report", `"${more[0]}" does not belong to any option`);
  const target = targetOf(given, given.value("dest") ?? word ?? `crm_report-${stamp(now)}`);
  const work = mkdtempSync(join(tmpdir(), "hactl-report-"));
  try {
    const directory = join(work, target.name);
    const self = await selfName();
    await writeNode(join(directory, self), wish, given);
    if (target.path === undefined) {
      pack(work, target);
      return CrmExit.OK;
    }
    const others = await otherNodes(given, self);
    const missing = others.filter((node) => !fromNode(node, directory, wish, given));
    summarize(directory, wish, [self, ...others], missing);
    if (given.has("as-directory")) move(directory, target.path);
    else pack(work, target);
    line(`The report is in ${target.path}`);
    return missing.length === 0 ? CrmExit.OK : CrmExit.ERROR;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Where the report goes: a file or directory, or standard output. */
interface Target {
  /** Of the directory in the archive. */
  readonly name: string;
  readonly path: string | undefined;
}

/** @throws HactlError EXISTS before anything is collected */
function targetOf(given: ParsedWords, dest: string): Target {
  if (dest === "-") return { name: "report", path: undefined };
  const name = basename(dest).replace(/\.tar(?:\.bz2)?$/, "");
  const path = resolve(dirname(dest), given.has("as-directory") ? name : `${name}.tar.bz2`);
  if (!existsSync(path)) return { name, path };
  throw new HactlError({
    code: "EXISTS",
    what: `${path} is there already`,
    cure: "choose another name",
    exit: CrmExit.EXISTS,
  });
}

function periodOf(given: ParsedWords, now: Date): Period {
  const read = (name: string, text: string, timeIn = timeOf) => {
    const at = timeIn(text, now);
    if (at === undefined)
      throw usage("crm_report", `--${name}: "${text}" is not a time such as 2026-11-29 13:05:00`);
    return at;
  };
  const from = given.value("from");
  if (from === undefined && !given.has("sos-mode"))
    throw usage("crm_report", "since when? Say --from, a time before it began");
  const period = {
    from: from === undefined ? now.getTime() - 3 * 86_400_000 : read("from", from),
    to: read("to", given.value("to") ?? "now", endOf),
  };
  if (period.from > period.to) throw usage("crm_report", "--from is later than --to");
  return period;
}

/** Patterns that people wrote. @throws HactlError USAGE */
function expressions(given: ParsedWords, name: string): string[] {
  for (const pattern of given.values(name)) {
    try {
      new RegExp(pattern);
    } catch {
      throw usage("crm_report", `--${name}: "${pattern}" is not a regular expression`);
    }
  }
  return given.values(name);
}

const stamp = (at: Date) => at.toISOString().slice(0, 19).replaceAll(/[-:]/g, "").replace("T", "-");

async function selfName(): Promise<string> {
  try {
    return (await ask<NodeReply>({ type: "node" })).name;
  } catch (error) {
    if (error instanceof HactlError) return hostname();
    throw error;
  }
}

async function writeNode(directory: string, wish: ReportWish, given: ParsedWords): Promise<void> {
  if (given.has("verbose")) writeError("crm_report: collecting from this node\n");
  for (const [name, content] of await collectNode(wish)) {
    const file = join(directory, name);
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    writeFileSync(file, content, { mode: 0o600 });
  }
}

async function otherNodes(given: ParsedWords, self: string): Promise<string[]> {
  if (given.has("single-node") || given.has("sos-mode")) return [];
  const named = given
    .values("nodes")
    .flatMap((text) => text.split(/[\s,]+/))
    .filter((name) => name !== "");
  const option = named.find((name) => name.startsWith("-"));
  if (option !== undefined) throw usage("crm_report", `"${option}" is no name of a node`);
  if (named.length > 0) return named.filter((name) => name !== self);
  try {
    const { members } = await ask<NodeReply>({ type: "node" });
    return members.map(({ name }) => name).filter((name) => name !== self);
  } catch (error) {
    if (error instanceof HactlError) return [];
    throw error;
  }
}

/** Lets another node collect, and puts what it sends into the directory. Answers whether it did. */
function fromNode(node: string, directory: string, { period }: ReportWish, given: ParsedWords): boolean {
  if (given.has("verbose")) writeError(`crm_report: collecting from ${node}\n`);
  const passed = [
    // Its clock may be that of another time zone.
    `--from=${new Date(period.from).toISOString()}`,
    `--to=${new Date(period.to).toISOString()}`,
    ...["logfile", "mask", "look-for"].flatMap((name) =>
      given.values(name).map((value) => `--${name}=${value}`),
    ),
  ];
  const quoted = [...passed, ...(given.has("no-logs") ? ["--no-logs"] : [])].map(shellQuoted);
  const rsh = given.value("rsh")?.split(/\s+/) ?? [
    ...["ssh", "-T", "-o", "BatchMode=yes"],
    ...["-l", given.value("user") ?? "root"],
  ];
  const there = outcome([...rsh, node, `crm_report -S --dest=- ${quoted.join(" ")}`]);
  const why =
    there.why ?? withDirectory(`${directory}.received`, (own) => unpackInto(own, directory, there.stdout));
  if (why !== undefined) writeError(`crm_report: nothing from node ${node}: ${why}\n`);
  return why === undefined;
}

/** Unpacks an archive of another node by way of a directory of its own. Answers why not. */
function unpackInto(own: string, directory: string, archive: Uint8Array<ArrayBuffer>): string | undefined {
  const words = ["-C", own, "--strip-components=1", "--no-same-owner", "--no-same-permissions", "-xjf", "-"];
  return outcome(["tar", ...words], archive).why ?? takeReceived(own, directory);
}

/** What a program printed, and what kept it from ending well: the last line of its complaints. */
interface Outcome {
  readonly stdout: Uint8Array<ArrayBuffer>;
  readonly why: string | undefined;
}

function outcome([program = "", ...words]: readonly string[], input?: Uint8Array<ArrayBuffer>): Outcome {
  if (Bun.which(program) === null) return { stdout: new Uint8Array(), why: `there is no program ${program}` };
  const { exitCode, stdout, stderr } = Bun.spawnSync([program, ...words], {
    stdin: input ?? "ignore",
    maxBuffer: mostOfNode,
  });
  const complaint = stderr.toString().trim().split("\n").at(-1) || `exit code ${exitCode}`;
  return { stdout: new Uint8Array(stdout), why: exitCode === 0 ? undefined : complaint };
}

/** What a reader wants to know first, and what is to be filled in by who sends it. */
function summarize(
  directory: string,
  { period }: ReportWish,
  nodes: readonly string[],
  missing: readonly string[],
): void {
  const at = (time: number) => new Date(time).toString();
  const text = [
    "What happened:",
    "",
    "What was expected:",
    "",
    "How it can be made to happen again:",
    "",
    "",
    `Period: ${at(period.from)} to ${at(period.to)}`,
    `Nodes: ${nodes.join(", ")}`,
    ...(missing.length === 0 ? [] : [`Nothing was collected from: ${missing.join(", ")}`]),
    "",
  ];
  writeFileSync(join(directory, "description.txt"), text.join("\n"));
  const found = readdirSync(directory)
    .map((node) => ({ node, file: join(directory, node, "analysis.txt") }))
    .filter(({ file }) => existsSync(file))
    .map(({ node, file }) => `## ${node}\n${readFileSync(file, "utf8")}`);
  writeFileSync(join(directory, "analysis.txt"), found.join("\n"));
}

/** Makes an archive of the directory, as a file or on standard output. @throws HactlError NO_ARCHIVE */
function pack(work: string, { name, path }: Target): void {
  const { stdout, why } = outcome(["tar", "-C", work, "-cjf", "-", name]);
  if (why !== undefined) throw noArchive(why);
  if (path === undefined) writeFileSync(process.stdout.fd, stdout);
  // It tells much about the cluster: it is for its owner alone.
  else writeFileSync(path, stdout, { mode: 0o600, flag: "wx" });
}

/** Puts the directory into its place, which may be on another disk. @throws HactlError NO_ARCHIVE */
function move(directory: string, path: string): void {
  const { why } = outcome(["mv", directory, path]);
  if (why !== undefined) throw noArchive(why);
}

const noArchive = (why: string) =>
  new HactlError({
    code: "NO_ARCHIVE",
    what: `the report could not be put into its place: ${why}`,
    cure: "choose another one, or leave a directory with -d where there is no tar or bzip2",
    exit: CrmExit.CANTCREAT,
  });
