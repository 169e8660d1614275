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
  /** The same stream for a part of the program, which may have levels of its own (`[[logging.logger_subsys]]`). */
  part(subsystem: string): Log;
  /** Opens the file again after it was moved away (logrotate). */
  reopen(): void;
  /** Waits until everything is written, then closes. */
  close(): Promise<void>;
  /** Lines that a target could not take. */
  readonly dropped: number;
}

/** Lowest urgency that each target gets; `undefined` switches it off. */
export interface LogThresholds {
  readonly syslog?: LogLevel | undefined;
  readonly file?: LogLevel | undefined;
  readonly stderr?: LogLevel | undefined;
}

export interface LogOptions {
  /** Name of the program in every line: `hactl`, `hactl-ring`, … */
  readonly tag: string;
  readonly facility?: Facility;
  /** File to append to; needed when `thresholds.file` is set. */
  readonly file?: string | undefined;
  readonly thresholds: LogThresholds;
  /** Thresholds of parts by their name in upper case; what is left out is as for the whole. */
  readonly parts?: ReadonlyMap<string, LogThresholds>;
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
  const targets = openTargets(options);
  const makePart = (thresholds: LogThresholds, part: string | undefined): Log => {
    const rank = {
      syslog: rankOf(thresholds.syslog),
      file: rankOf(thresholds.file),
      stderr: rankOf(thresholds.stderr),
    };
    const lowest = Math.max(rank.syslog, rank.file, rank.stderr);
    const write = (level: LogLevel, id: string, text: string, fields?: LogFields) => {
      const own = logLevels.indexOf(level);
      if (own > lowest) return;
      const line = `${part === undefined ? "" : `${part}: `}${formatEvent(id, text, fields)}`;
      if (own <= rank.syslog) targets.syslog?.send(priorityOf[level], `${level}: ${line}`);
      if (own > rank.file && own > rank.stderr) return;
      const full = `${syslogTime(new Date())} ${targets.host} ${options.tag}[${process.pid}]: ${level}: ${line}\n`;
      if (own <= rank.file) targets.file?.write(full);
      if (own <= rank.stderr) targets.stderr(full);
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
      part: (subsystem) =>
        makePart({ ...options.thresholds, ...options.parts?.get(subsystem.toUpperCase()) }, subsystem),
      reopen: () => targets.file?.reopen(),
      close: async () => {
        await targets.file?.close();
        targets.syslog?.close();
      },
      get dropped() {
        return (targets.syslog?.dropped ?? 0) + (targets.file?.dropped ?? 0);
      },
    };
  };
  return makePart(options.thresholds, undefined);
}

const rankOf = (level: LogLevel | undefined) => (level === undefined ? -1 : logLevels.indexOf(level));

function openTargets(options: LogOptions) {
  const all = [options.thresholds, ...(options.parts?.values() ?? [])];
  const wants = (target: keyof LogThresholds) => all.some((thresholds) => thresholds[target] !== undefined);
  return {
    host: hostname().split(".")[0] ?? "localhost",
    syslog: wants("syslog")
      ? openSyslog(options.tag, options.facility ?? "daemon", options.syslogPath)
      : undefined,
    file: wants("file") && options.file !== undefined ? new LogFile(options.file) : undefined,
    stderr: options.writeStderr ?? ((line: string) => void process.stderr.write(line)),
  };
}

/** Most characters that wait for a slow disk; what comes then is dropped and counted. */
const maxWaiting = 4 * 1024 * 1024;

/** Appends lines to a file without ever waiting for the disk. Opens it again when it was moved or removed. */
class LogFile {
  dropped = 0;
  private waiting: string[] = [];
  private size = 0;
  private running: Promise<void> | undefined;
  private handle: FileHandle | undefined;
  private mustReopen = false;

  constructor(private readonly path: string) {}

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
      } catch {
        // A full or read-only disk must not stop the cluster; the count tells.
        this.dropped += lines.length;
        this.mustReopen = true;
      }
    }
  }

  private async current(): Promise<FileHandle> {
    if (this.handle && !this.mustReopen && (await this.isStillThere(this.handle))) return this.handle;
    await this.handle?.close().catch(() => {});
    this.handle = undefined;
    this.handle = await open(this.path, "a", 0o640);
    this.mustReopen = false;
    return this.handle;
  }

  private async isStillThere(handle: FileHandle): Promise<boolean> {
    const [there, here] = await Promise.all([stat(this.path).catch(() => undefined), handle.stat()]);
    return there !== undefined && there.ino === here.ino && there.dev === here.dev;
  }
}
