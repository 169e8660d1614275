import { lstatSync, unlinkSync } from "node:fs";
import { CrmExit, HactlError } from "../terms/index.ts";

/** A server that listens on a path. */
export interface Listening {
  /** Takes no new connections; those that there are go on. Whatever is at the path then goes with it. */
  stop(): void;
  /** The same as far as that goes without touching the path. */
  leave(): void;
}

/**
 * The socket of a server that has to be there as long as the server runs: what tidies up directories takes sockets with it,
 * and nobody could connect any more.
 */
export class KeptSocket {
  #listening: Listening | undefined;
  #isOwn: () => boolean = () => false;

  constructor(
    readonly path: string,
    /** Makes the socket, where nothing is. */
    private readonly listen: () => Listening | Promise<Listening>,
  ) {}

  /** From now on this serves the path. */
  serves(listening: Listening): void {
    this.#listening = listening;
    this.#isOwn = socketAt(this.path);
  }

  /**
   * Serves again where the socket is gone, or is one that nobody serves.
   * @returns whether it had to
   * @throws HactlError SOCKET when something else is in its place, or none can be made
   */
  async mend(): Promise<boolean> {
    if (this.#isOwn()) return false;
    const found = at(this.path);
    if (found && !found.isSocket()) throw pathProblem(this.path, "something else is in its place");
    if (found && (await answers(this.path))) throw pathProblem(this.path, "another process serves there");
    try {
      // Whoever ends late has its socket removed by the one that takes its place: nobody is behind this one.
      if (found) unlinkSync(this.path);
      this.#listening?.stop();
      this.#listening = undefined;
      this.serves(await this.listen());
    } catch (error) {
      throw error instanceof HactlError ? error : pathProblem(this.path, error);
    }
    return true;
  }

  /** Serves no more. The socket of a successor stays. */
  close(): void {
    if (this.#isOwn()) this.#listening?.stop();
    else this.#listening?.leave();
  }
}

/**
 * Remembers the socket that is at a path now; the answer tells whether it is there still. Where a process ends late,
 * the one that took its place has put its own there, and that must stay.
 */
function socketAt(path: string): () => boolean {
  const own = at(path);
  return () => {
    const now = at(path);
    return own !== undefined && now !== undefined && own.ino === now.ino && own.dev === now.dev;
  };
}

/** What is at a path; nothing where its directory is none, either. */
function at(path: string): ReturnType<typeof lstatSync> | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

async function answers(path: string): Promise<boolean> {
  try {
    const socket = await Bun.connect({ unix: path, socket: { data: () => {} } });
    socket.terminate();
    return true;
  } catch {
    return false;
  }
}

/** A socket cannot be made at a path. */
export function pathProblem(path: string, why: unknown): HactlError {
  const reason = typeof why === "string" ? why : ((why as NodeJS.ErrnoException).code ?? String(why));
  return new HactlError({
    code: "SOCKET",
    what: `The socket cannot be made: ${reason}`,
    where: { file: path },
    cure: "Check that the directory exists, can be written and has room, and that nothing else has this name",
    exit: CrmExit.CANTCREAT,
    ...(typeof why === "string" ? {} : { cause: why }),
  });
}
