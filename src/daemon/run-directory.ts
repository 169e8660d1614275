import { lstatSync, renameSync, statSync } from "node:fs";
import type { Log } from "../platform/index.ts";
import type { Millis } from "../terms/index.ts";
import { ownDirectory } from "./own-directory.ts";

/** How soon it is noticed that something is missing: long before a process that needs it has to be given up. */
const lookMs: Millis = 2_000;

export interface RunDirectoryHost {
  readonly log: Log;
  /** Whether this process is still the one to care: not when it ends late and another has its place. */
  readonly cares: () => boolean;
  /** Its sockets there. Makes again those that are gone, and answers whether it had to. @throws HactlError SOCKET */
  readonly sockets: () => readonly { readonly path: string; mend(): Promise<boolean> }[];
  /** Writes again what is missing of its files. */
  readonly files?: () => void;
  /** Names of sockets there, of all processes: what is no socket is put out of their way. */
  readonly names?: readonly string[];
}

/**
 * Sees to it that what a process needs in the run directory is there. Directories below /run are tidied up by people and
 * by programs; without its sockets a daemon would go on until one of its processes is started again, and then be lost.
 */
export class RunDirectory {
  #problem: string | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #looking: Promise<void> | undefined;
  #closed = false;

  constructor(
    private readonly path: string,
    private readonly host: RunDirectoryHost,
  ) {}

  /** Why it cannot be mended, as long as that lasts. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Looks again and again. */
  start(): void {
    void this.look().finally(() => {
      if (!this.#closed) this.#timer = setTimeout(() => this.start(), lookMs);
    });
  }

  /** Looks now. */
  look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  async #look(): Promise<void> {
    if (this.#closed || !this.host.cares()) return;
    const { log, names = [] } = this.host;
    try {
      const mended = mendDirectory(this.path, names);
      for (const socket of this.host.sockets())
        if (await socket.mend()) mended.push(`${socket.path} was gone`);
      this.host.files?.();
      if (mended.length > 0) log.warning("RUN-DIRECTORY", mendedText(mended));
      if (this.#problem !== undefined) log.notice("RUN-DIRECTORY", `${this.path} is as it has to be again`);
      this.#problem = undefined;
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      if (why !== this.#problem)
        log.error(
          "RUN-DIRECTORY",
          `what is missing in ${this.path} cannot be made again: ${why}. As long as that lasts a process of the daemon that ` +
            "dies cannot come back: make room there, mount it for writing, and remove what is in the way",
        );
      this.#problem = why;
    }
  }
}

/**
 * Makes the directory of the sockets where it is gone, and takes back what is another user's. What is in the way, a file in
 * its place or in that of a socket, is moved aside: nothing is lost.
 * @returns what was wrong @throws the system's error when it cannot be mended
 */
export function mendDirectory(path: string, names: readonly string[]): string[] {
  const wrong: string[] = [];
  if (!isDirectory(path)) {
    if (lstatSync(path, { throwIfNoEntry: false }))
      wrong.push(`${path} was no directory (moved to ${aside(path)})`);
    else wrong.push(`${path} was gone`);
  }
  wrong.push(...ownDirectory(path, 0o755));
  for (const name of names) {
    const found = lstatSync(`${path}/${name}`, { throwIfNoEntry: false });
    if (found && !found.isSocket())
      wrong.push(`${path}/${name} was no socket (moved to ${aside(`${path}/${name}`)})`);
  }
  return wrong;
}

/** What was done about what was wrong, for the log. */
export const mendedText = (wrong: readonly string[]): string =>
  `mended what agents and processes need: ${wrong.join("; ")}`;

const isDirectory = (path: string): boolean =>
  statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;

/** Moves something out of the way, to a name that is free. */
function aside(path: string): string {
  for (let n = 1; ; n++) {
    const free = `${path}.found${n === 1 ? "" : n}`;
    if (lstatSync(free, { throwIfNoEntry: false })) continue;
    try {
      renameSync(path, free);
    } catch (error) {
      // Another process of the daemon was faster.
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
    return free;
  }
}
