import { constants } from "node:fs";
import { type FileHandle, open, stat } from "node:fs/promises";
import { hostname } from "node:os";
import { isSecretName, lookup, MASKED, plainLine } from "../terms/index.ts";
import { type Facility, openSyslog, type Priority, syslogTime } from "./syslog.ts";

/** Levels, the most urgent first. `trace` is for developers and never goes to syslog. */
export const logLevels = ["critical", "error", "warning", "notice", "info", "debug", "trace"] as const;
export type LogLevel = (typeof logLevels)[number];

/** Values beside the text, printed as `name=value`. Those with a secret's name are masked. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/**
 * One event a call: a stable id for programs (upper case with hyphens, `NODE-LOST`), a sentence for people, and values.
 */
export type LogCall = (id: string, text: string, fields?: LogFields) => void;

/** The one stream of a process. */
export interface Log extends Readonly<Record<LogLevel, LogCall>> {
  /** Whether anybody reads this level: for texts that cost something to make. */
  enabled(level: LogLevel): boolean;
  /**
   * The same stream for a part of the program, which may have levels of its own (`[[logging.logger_subsys]]`). Its lines begin
   * with its name unless it is not `named`. What is said by no part is of MAIN.
   */
  part(subsystem: string, named?: boolean): Log;
  /** Opens the file again after it was moved away (logrotate). */
  reopen(): void;
  /** Goes by other targets and levels from now on, with all its parts; what was said before still goes where it should. */
  adopt(settings: LogSettings): void;
  /** Waits until everything is written, then closes. */
  close(): Promise<void>;
  /** Lines that a target could not take. */
  readonly dropped: number;
  /** Why nothing is written to the file at present, a sentence; undefined while it is. */
  readonly fileTrouble?: string | undefined;
}

/** Lowest urgency that each target gets; `undefined` switches it off. */
export interface LogThresholds {
  readonly syslog?: LogLevel | undefined;
  readonly file?: LogLevel | undefined;
  readonly stderr?: LogLevel | undefined;
}

/** What of a log an administrator decides, also while it runs. */
export interface LogSettings {
  readonly facility?: Facility;
  /** File to append to; needed when `thresholds.file` is set. */
  readonly file?: string | undefined;
  readonly thresholds: LogThresholds;
  /** Thresholds of parts by their name in upper case; what is left out is as for the whole. */
  readonly parts?: ReadonlyMap<string, LogThresholds>;
}

export interface LogOptions extends LogSettings {
  /** Name of the program in every line: `hactl`, `hactl-ring`, … */
  readonly tag: string;
  /** Path of the syslog socket, for tests. */
  readonly syslogPath?: string;
  /** Where `stderr` lines go, for tests. */
  readonly writeStderr?: (line: string) => void;
}

const priorityOf: Readonly<Record<LogLevel, Priority>> = lookup({
  critical: "crit",
  error: "err",
  warning: "warning",
  notice: "notice",
  info: "info",
  debug: "debug",
  trace: "debug",
});

/** Words of syslog and of Pacemaker for a level, as `[logging]` and PCMK_logpriority allow them. */
export function levelOfPriority(word: string): LogLevel | undefined {
  switch (word.toLowerCase()) {
    case "emerg":
    case "alert":
    case "crit":
    case "critical":
      return "critical";
    case "err":
    case "error":
      return "error";
    case "warn":
    case "warning":
      return "warning";
    case "notice":
    case "info":
    case "debug":
    case "trace":
      return word.toLowerCase() as LogLevel;
    default:
      return undefined;
  }
}

/** A line without line breaks and control characters, so that nobody can write a line of their own. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const oneLine = (text: string) => plainLine(text.replace(/[\x00-\x1f\x7f\u2028\u2029]+/g, " ").trim());

/** `TEXT [ID] name=value …`: the part that all targets share. */
export function formatEvent(id: string, text: string, fields: LogFields = {}): string {
  const values = Object.entries(fields).flatMap(([name, value]) => {
    if (value === undefined) return [];
    const shown = isSecretName(name) ? MASKED : String(value);
    return [`${name}=${/[\s"=]/.test(shown) || shown === "" ? JSON.stringify(shown) : shown}`];
  });
  return oneLine([text, `[${id}]`, ...values].join(" "));
}

/** Opens the stream with its targets. A target that cannot be opened is reported on the others. */
export function openLog(options: LogOptions): Log {
  let settings: LogSettings = options;
  const host = hostname().split(".")[0] ?? "localhost";
  const toStderr = options.writeStderr ?? ((line: string) => void process.stderr.write(line));
  const framed = (level: LogLevel, line: string) =>
    `${syslogTime(new Date())} ${host} ${options.tag}[${process.pid}]: ${level}: ${line}\n`;
  /** The file cannot say itself that it is not written. */
  const tellOfFile = (level: LogLevel, text: string) => {
    const line = formatEvent("LOG-FILE", text);
    if (targets.syslog) targets.syslog.send(priorityOf[level], `${level}: ${line}`);
    else toStderr(framed(level, line));
  };
  const openFile = (path: string) => new LogFile(path, tellOfFile);
  let targets = openTargets(options, settings, openFile);
  /** Lines that targets could not take which are not in use any more. */
  let droppedBefore = 0;
  const droppedNow = () => (targets.syslog?.dropped ?? 0) + (targets.file?.dropped ?? 0);
  const closing = new Set<Promise<void>>();
  const closeTargets = async ({ file, syslog }: Partial<Targets>) => {
    await file?.close();
    syslog?.close();
  };
  const adopt = (next: LogSettings) => {
    const before = targets;
    settings = next;
    targets = openTargets(options, settings, openFile, before);
    const unused: Partial<Targets> = {
      ...(before.file === targets.file ? {} : { file: before.file }),
      ...(before.syslog === targets.syslog ? {} : { syslog: before.syslog }),
    };
    droppedBefore += (unused.file?.dropped ?? 0) + (unused.syslog?.dropped ?? 0);
    const closed = closeTargets(unused).finally(() => closing.delete(closed));
    closing.add(closed);
    for (const rerank of parts) rerank();
  };
  /** What the parts go by is computed when it changes: a line that nobody reads must cost nothing. */
  const parts = new Set<() => void>();
  const makePart = (part: string, isNamed: boolean): Log => {
    const rank = { syslog: -1, file: -1, stderr: -1 };
    let lowest = -1;
    const rerank = () => {
      const own = settings.parts?.get(part.toUpperCase());
      const levels: LogThresholds = { ...settings.thresholds, ...own };
      rank.syslog = rankOf(levels.syslog);
      rank.file = rankOf(levels.file);
      rank.stderr = rankOf(levels.stderr);
      lowest = Math.max(rank.syslog, rank.file, rank.stderr);
    };
    rerank();
    parts.add(rerank);
    const write = (level: LogLevel, id: string, text: string, fields?: LogFields) => {
      const own = logLevels.indexOf(level);
      if (own > lowest) return;
      const line = `${isNamed ? `${part}: ` : ""}${formatEvent(id, text, fields)}`;
      if (own <= rank.syslog) targets.syslog?.send(priorityOf[level], `${level}: ${line}`);
      if (own > rank.file && own > rank.stderr) return;
      const full = framed(level, line);
      if (own <= rank.file) targets.file?.write(full);
      if (own <= rank.stderr) toStderr(full);
    };
    const call =
      (level: LogLevel): LogCall =>
      (id, text, fields) =>
        write(level, id, text, fields);
    return {
      critical: call("critical"),
      error: call("error"),
      warning: call("warning"),
      notice: call("notice"),
      info: call("info"),
      debug: call("debug"),
      trace: call("trace"),
      enabled: (level) => logLevels.indexOf(level) <= lowest,
      part: partOf,
      reopen: () => targets.file?.reopen(),
      adopt,
      close: async () => {
        await Promise.all([...closing, closeTargets(targets)]);
      },
      get dropped() {
        return droppedBefore + droppedNow();
      },
      get fileTrouble() {
        return targets.file?.trouble;
      },
    };
  };
  /** One for each name, however often it is asked for: some ask at every line. */
  const made = new Map<string, Log>();
  const partOf = (subsystem: string, isNamed = true): Log => {
    const key = `${subsystem} ${isNamed}`;
    const log = made.get(key) ?? makePart(subsystem, isNamed);
    made.set(key, log);
    return log;
  };
  return makePart("MAIN", false);
}

const rankOf = (level: LogLevel | undefined) => (level === undefined ? -1 : logLevels.indexOf(level));

interface Targets {
  readonly syslog: ReturnType<typeof openSyslog> | undefined;
  readonly facility: Facility;
  readonly file: LogFile | undefined;
}

/** Opens what is wanted; what was open `before` and is the same goes on. */
function openTargets(
  options: LogOptions,
  settings: LogSettings,
  openFile: (path: string) => LogFile,
  before?: Targets,
): Targets {
  const all = [settings.thresholds, ...(settings.parts?.values() ?? [])];
  const wants = (target: keyof LogThresholds) => all.some((thresholds) => thresholds[target] !== undefined);
  const { facility = "daemon", file } = settings;
  const sameSyslog = before?.facility === facility ? before.syslog : undefined;
  const sameFile = before?.file?.path === file ? before?.file : undefined;
  return {
    facility,
    syslog: wants("syslog")
      ? (sameSyslog ?? openSyslog(options.tag, facility, options.syslogPath))
      : undefined,
    file: wants("file") && file !== undefined ? (sameFile ?? openFile(file)) : undefined,
  };
}

/** Most characters that wait for a slow disk; what comes then is dropped and counted. */
const maxWaiting = 4 * 1024 * 1024;

/** Why a file cannot be written, and what helps. */
function whyNot(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code ?? "";
  const cures: Readonly<Record<string, string>> = lookup({
    EISDIR: "it is a directory; name a file in [logging] logfile",
    ENOENT: "its directory is not there; make it",
    ENOTDIR: "what it is said to be in is no directory; correct [logging] logfile",
    ENXIO: "it is a pipe that nobody reads; name a file in [logging] logfile",
    EACCES: "this process has no right to; look at its owner and permissions",
    EROFS: "its file system can only be read",
    ENOSPC: "the disk is full; make room",
    EDQUOT: "the quota is used up; make room",
  });
  return cures[code] ?? (code === "" ? String(error) : code);
}

/** Not even for whoever reads a pipe is waited. */
const appending = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK;

/**
 * Appends lines to a file without ever waiting for the disk. Opens it again when it was moved or removed. That lines cannot be
 * written is told once, and once that they can be again.
 */
class LogFile {
  dropped = 0;
  /** Why lines are lost since the last that was written. */
  trouble: string | undefined;
  private waiting: string[] = [];
  private size = 0;
  private running: Promise<void> | undefined;
  private handle: FileHandle | undefined;
  private mustReopen = false;

  /** Lines that were lost since writing has failed. */
  private lost = 0;

  constructor(
    readonly path: string,
    private readonly tell: (level: LogLevel, text: string) => void,
  ) {}

  write(line: string): void {
    if (this.size + line.length > maxWaiting) {
      this.dropped++;
      return;
    }
    this.waiting.push(line);
    this.size += line.length;
    this.running ??= this.drain().finally(() => {
      this.running = undefined;
    });
  }

  reopen(): void {
    this.mustReopen = true;
  }

  async close(): Promise<void> {
    while (this.running) await this.running;
    await this.handle?.close();
    this.handle = undefined;
  }

  private async drain(): Promise<void> {
    // Lines of the same turn go out together.
    await Promise.resolve();
    while (this.waiting.length > 0) {
      const lines = this.waiting;
      this.waiting = [];
      this.size = 0;
      try {
        const handle = await this.current();
        await handle.write(lines.join(""));
        if (this.lost > 0) {
          this.tell("notice", `the log file ${this.path} is written again; lost: ${this.lost}`);
          this.lost = 0;
          this.trouble = undefined;
        }
      } catch (error) {
        // A full or read-only disk must not stop the cluster; the count tells.
        this.dropped += lines.length;
        this.trouble = `nothing is written to the log file ${this.path}: ${whyNot(error)}`;
        if (this.lost === 0) this.tell("error", this.trouble);
        this.lost += lines.length;
        this.mustReopen = true;
      }
    }
  }

  private async current(): Promise<FileHandle> {
    if (this.handle && !this.mustReopen && (await this.isStillThere(this.handle))) return this.handle;
    await this.handle?.close().catch(() => {});
    this.handle = undefined;
    this.handle = await open(this.path, appending, 0o640);
    this.mustReopen = false;
    return this.handle;
  }

  private async isStillThere(handle: FileHandle): Promise<boolean> {
    const [there, here] = await Promise.all([stat(this.path).catch(() => undefined), handle.stat()]);
    return there !== undefined && there.ino === here.ino && there.dev === here.dev;
  }
}
