import { existsSync, lstatSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { child, formatXml, maskXml, parseXml, type XmlElement } from "../../cib/index.ts";
import { configFile, type HactlConfig, loadConfigFile } from "../../config/index.ts";
import { type HistoryRow, ownCommand, ownEnvironment, readEventHistory } from "../../daemon/index.ts";
import { HactlError } from "../../terms/index.ts";
import { ask } from "../daemon.ts";
import { isPacked, readText } from "../read-text.ts";
import { maskText, type SecretNames } from "./mask.ts";
import { linesWithin, type Period } from "./period.ts";

/** What a report is to hold. */
export interface ReportWish {
  readonly period: Period;
  readonly now: Date;
  readonly secrets: SecretNames;
  /** Log files beside those that hactl.toml names. */
  readonly logFiles: readonly string[];
  /** Without the logs of the cluster. */
  readonly withoutLogs: boolean;
  /** What is worth a look in logs. */
  readonly striking: RegExp;
}

/** Files of a report, with their names in its directory. */
export type ReportFiles = Map<string, string | Uint8Array>;

/** Most facts of the history that are written. */
const mostFacts = 100_000;
/** Most of a log that is read, in bytes: its end. */
const mostLog = 256 * 1024 * 1024;

/** Everything that tells about this node in a period. What cannot be had is said in a file of its own name. */
export async function collectNode(wish: ReportWish): Promise<ReportFiles> {
  const files: ReportFiles = new Map();
  const config = loaded();
  addConfiguration(files, wish, config);
  addCib(files, wish, config, await liveCib());
  addState(files, wish);
  addHistory(files, wish, await historyOf(wish, config));
  addTransitions(files, wish, config);
  if (!wish.withoutLogs) addLogs(files, wish, config);
  for (const file of wish.logFiles) addLog(files, wish, file);
  addSystem(files);
  const analysis = [...files]
    .filter(([name]) => name.startsWith("logs/"))
    .flatMap(([name, text]) =>
      String(text)
        .split("\n")
        .filter((line) => wish.striking.test(line))
        .map((line) => `${name}: ${line}`),
    );
  files.set("analysis.txt", `${analysis.join("\n")}\n`);
  return files;
}

function loaded(): HactlConfig | undefined {
  try {
    return loadConfigFile(configFile(), "text");
  } catch (error) {
    if (error instanceof HactlError) return undefined;
    throw error;
  }
}

/** Configuration of the stack: hactl's, and what other stacks on this machine have. */
function addConfiguration(
  files: ReportFiles,
  { secrets }: ReportWish,
  config: HactlConfig | undefined,
): void {
  const add = (path: string, name = path.slice(path.lastIndexOf("/") + 1)) => {
    if (existsSync(path)) files.set(name, maskText(textOrWhyNot(path), secrets.inText));
  };
  add(configFile(), "hactl.toml");
  for (const path of [
    "/etc/corosync/corosync.conf",
    "/etc/sysconfig/pacemaker",
    "/etc/default/pacemaker",
    "/etc/sysconfig/sbd",
    "/etc/default/sbd",
  ])
    add(path, path.slice(1).replaceAll("/", "-"));
  if (config === undefined) return;
  const keys = [config.totem.keyFile, config.remote.keyFile].map((path) => {
    const facts = statSync(path, { throwIfNoEntry: false });
    return facts
      ? `${path}: ${facts.size} bytes, mode ${(facts.mode & 0o777).toString(8)}, changed ${facts.mtime.toISOString()}`
      : `${path}: not there`;
  });
  files.set("keys.txt", `${keys.join("\n")}\n`);
}

/** Text of a file, or what kept it from being read. */
function textOrWhyNot(path: string): string {
  try {
    return readText(path);
  } catch (error) {
    if (error instanceof HactlError) return `${path}: ${error.what}\n`;
    throw error;
  }
}

async function liveCib(): Promise<string | undefined> {
  try {
    return await ask<string>({ type: "cib" });
  } catch (error) {
    if (error instanceof HactlError) return undefined;
    throw error;
  }
}

/** The CIB: the cluster's, else the one that is stored. */
function addCib(
  files: ReportFiles,
  { secrets }: ReportWish,
  config: HactlConfig | undefined,
  live: string | undefined,
): void {
  files.set(live === undefined ? "STOPPED" : "RUNNING", "");
  const stored = config && join(config.system.stateDir, "cib.xml");
  const text = live ?? (stored !== undefined && existsSync(stored) ? textOrWhyNot(stored) : undefined);
  if (text === undefined) return;
  const cib = maskedXml(text, secrets);
  if (typeof cib === "string") {
    files.set("cib.txt", cib);
    return;
  }
  files.set("cib.xml", formatXml(cib));
  const nodes = child(child(cib, "configuration"), "nodes")?.children ?? [];
  files.set("members.txt", `${nodes.map(({ attributes }) => attributes.get("uname") ?? "").join(" ")}\n`);
}

/** A document without secrets, or why it is none: what cannot be read cannot be masked. */
function maskedXml(text: string, { inCib }: SecretNames): XmlElement | string {
  try {
    return maskXml(parseXml(text), inCib);
  } catch (error) {
    if (error instanceof HactlError) return `${error.what}\n`;
    throw error;
  }
}

/** What hactl's own commands say, each in a file. */
const questions: readonly (readonly [name: string, ...words: string[]])[] = [
  ["crm_mon.txt", "crm_mon", "-1", "-r", "-f", "-A", "-n", "-c"],
  ["crm_mon.xml", "crm_mon", "--output-as=xml"],
  ["crm_verify.txt", "crm_verify", "-L", "-V"],
  ["status.json", "status", "--json"],
  ["ring.txt", "ring", "status"],
  ["quorum.txt", "quorum", "status"],
  ["fencing.txt", "fence", "history"],
  ["config-check.txt", "config", "check"],
];

function addState(files: ReportFiles, { secrets }: ReportWish): void {
  for (const [name, ...words] of questions) files.set(name, maskText(said(words), secrets.inText));
}

/** What a command of hactl prints; its complaint as well. */
function said(words: readonly string[]): string {
  return outputOf([...ownCommand(), ...words]);
}

function outputOf(command: readonly string[]): string {
  try {
    const { stdout, stderr } = Bun.spawnSync([...command], {
      env: ownEnvironment({ NO_COLOR: "1", LC_ALL: "C" }),
      timeout: 30_000,
    });
    return `${stdout}${stderr}`;
  } catch (error) {
    return `${command[0]}: ${error instanceof Error ? error.message : String(error)}\n`;
  }
}

async function historyOf({ period }: ReportWish, config: HactlConfig | undefined): Promise<HistoryRow[]> {
  const wanted = (rows: HistoryRow[]) => rows.filter(({ at }) => at <= period.to);
  try {
    return wanted(await ask<HistoryRow[]>({ type: "history", since: period.from, limit: mostFacts }));
  } catch (error) {
    if (!(error instanceof HactlError)) throw error;
  }
  try {
    return config ? wanted(readEventHistory(config.system.stateDir, period.from, mostFacts)) : [];
  } catch {
    // No daemon has ever run here.
    return [];
  }
}

function addHistory(files: ReportFiles, { secrets }: ReportWish, rows: readonly HistoryRow[]): void {
  const lines = rows.map(
    ({ at, level, event, text }) => `${new Date(at).toISOString()} ${level} [${event}] ${text}`,
  );
  files.set("history.txt", maskText(`${lines.join("\n")}\n`, secrets.inText));
}

/** Inputs of the decisions of the period, without secrets, as `hactl simulate` and crm_simulate read them. */
function addTransitions(files: ReportFiles, wish: ReportWish, config: HactlConfig | undefined): void {
  const directory = config && join(config.system.stateDir, "transitions");
  if (directory === undefined || !existsSync(directory)) return;
  for (const name of readdirSync(directory)) {
    const path = join(directory, name);
    const facts = lstatSync(path);
    const isMeant = name.endsWith(".xml.zst") && facts.isFile();
    if (!isMeant || facts.mtimeMs < wish.period.from || facts.mtimeMs > wish.period.to) continue;
    const text = unpacked(path);
    const cib = text === undefined ? `${path} cannot be unpacked\n` : maskedXml(text, wish.secrets);
    files.set(`transitions/${name.replace(/\.zst$/, "")}`, typeof cib === "string" ? cib : formatXml(cib));
  }
}

function unpacked(path: string): string | undefined {
  try {
    return Bun.zstdDecompressSync(readFileSync(path)).toString();
  } catch {
    // It is written at this moment, or has gone meanwhile.
    return undefined;
  }
}

function addLogs(files: ReportFiles, wish: ReportWish, config: HactlConfig | undefined): void {
  const logFile = config?.logging.file;
  if (logFile !== undefined) addLog(files, wish, logFile);
  if (Bun.which("journalctl") === null) return;
  const at = (time: number) => `@${Math.floor(time / 1000)}`;
  const { from, to } = wish.period;
  const units = ["hactl", "hactl-remote"].flatMap((unit) => ["-u", unit]);
  const command = ["journalctl", "--no-pager", "-o", "short-iso", "--since", at(from), "--until", at(to)];
  const text = outputOf([...command, ...units]);
  files.set("logs/journal.txt", maskText(text, wish.secrets.inText));
}

/** The lines of a log file and of the older ones beside it that fall into the period. */
function addLog(files: ReportFiles, { period, now, secrets }: ReportWish, file: string): void {
  const directory = file.slice(0, file.lastIndexOf("/")) || "/";
  const name = file.slice(file.lastIndexOf("/") + 1);
  if (!existsSync(directory)) return;
  // file.1, file-20261129, file.2.gz: a log that was moved away before the period has nothing of it.
  const parts = readdirSync(directory)
    .filter((one) => one === name || (one.startsWith(name) && /^[.-]\d/.test(one.slice(name.length))))
    // The log may be where its administrator has led it by a link; what lies beside it may be anybody's.
    .filter((one) =>
      (one === name ? statSync : lstatSync)(join(directory, one), { throwIfNoEntry: false })?.isFile(),
    )
    .map((one) => ({ path: join(directory, one), changed: statSync(join(directory, one)).mtimeMs }))
    .filter(({ changed }) => changed >= period.from)
    .sort((a, b) => a.changed - b.changed);
  const lines = parts.flatMap(({ path }) => linesWithin(logText(path), period, now));
  files.set(`logs/${name}`, maskText(`${lines.join("\n")}\n`, secrets.inText));
}

/** The end of a log; signs that are no UTF-8 are no reason to leave it out. */
function logText(path: string): string {
  const bytes = new Uint8Array(readFileSync(path));
  return isPacked(bytes) ? textOrWhyNot(path) : new TextDecoder().decode(bytes.subarray(-mostLog));
}

/** The machine: what runs on it, which versions, how full it is. */
function addSystem(files: ReportFiles): void {
  const commands: readonly (readonly string[])[] = [
    ["uname", "-a"],
    ["uptime"],
    ["free", "-m"],
    ["df", "-h"],
    ["ip", "address"],
    ["ip", "-s", "link"],
    ["ps", "-eo", "pid,ppid,cls,rtprio,ni,stat,etime,rss,comm"],
  ];
  const release = existsSync("/etc/os-release") ? readFileSync("/etc/os-release", "utf8") : "";
  const texts = commands.map((command) => `## ${command.join(" ")}\n${outputOf(command)}`);
  files.set("sysinfo.txt", `${said(["--version"])}\n## /etc/os-release\n${release}\n${texts.join("\n")}`);
  const packages = ["hactl", "hactl-cli", "resource-agents", "fence-agents", "fence-agents-common", "sbd"];
  const query = Bun.which("rpm") ? ["rpm", "-q", ...packages] : ["dpkg-query", "-W", ...packages];
  files.set("packages.txt", outputOf(query));
}
