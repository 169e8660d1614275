import { type RemoteKey, remoteExecutor } from "../remote/index.ts";
import type { RemoteHost } from "../scheduler/index.ts";
import type { Millis, NodeName } from "../terms/index.ts";

const FIRST_WAIT_MS: Millis = 5_000;
const LONGEST_WAIT_MS: Millis = 60_000;
/** A host that was not asked for so long is asked as one that was never asked. */
const FORGET_MS: Millis = 10 * 60_000;
/** For the connection and the proof of the key. */
const ANSWER_MS: Millis = 5_000;

interface Watched {
  remote: RemoteHost | undefined;
  waitMs: Millis;
  timer: ReturnType<typeof setTimeout> | undefined;
}

export interface RemoteWatchOptions {
  readonly key: () => RemoteKey;
  readonly answers: (node: NodeName) => void;
  /** Time before the first question; it doubles with each. Default 5 s. */
  readonly firstWaitMs?: Millis;
  /** Longest time between two questions. Default 60 s. */
  readonly longestWaitMs?: Millis;
}

/**
 * Asks remote hosts that are away whether they serve again: a connection by TLS on which both sides have proved that they
 * have the key, closed at once. Less and less often, also where a host answers and does not stay.
 */
export class RemoteWatch {
  readonly #watched = new Map<NodeName, Watched>();

  constructor(private readonly options: RemoteWatchOptions) {}

  /** Asks these from now on, and no others. */
  watch(remotes: readonly RemoteHost[]): void {
    const wanted = new Map(remotes.map((remote) => [remote.node, remote]));
    for (const [node, watched] of this.#watched) {
      if (wanted.has(node) || watched.remote === undefined) continue;
      watched.remote = undefined;
      clearTimeout(watched.timer);
      watched.timer = setTimeout(() => this.#watched.delete(node), FORGET_MS);
    }
    for (const [node, remote] of wanted) {
      const watched = this.#watched.get(node) ?? {
        remote: undefined,
        waitMs: this.options.firstWaitMs ?? FIRST_WAIT_MS,
        timer: undefined,
      };
      this.#watched.set(node, watched);
      const asked = watched.remote !== undefined;
      watched.remote = remote;
      if (!asked) this.#askLater(watched);
    }
  }

  close(): void {
    for (const watched of this.#watched.values()) {
      watched.remote = undefined;
      clearTimeout(watched.timer);
    }
    this.#watched.clear();
  }

  #askLater(watched: Watched): void {
    clearTimeout(watched.timer);
    watched.timer = setTimeout(() => void this.#ask(watched), watched.waitMs);
    watched.waitMs = Math.min(this.options.longestWaitMs ?? LONGEST_WAIT_MS, watched.waitMs * 2);
  }

  async #ask(watched: Watched): Promise<void> {
    const { remote } = watched;
    if (!remote) return;
    const answers = await this.#serves(remote);
    if (watched.remote?.node !== remote.node) return;
    this.#askLater(watched);
    if (answers) this.options.answers(remote.node);
  }

  async #serves({ node, host, port }: RemoteHost): Promise<boolean> {
    try {
      const connect = remoteExecutor({ node, host, port, key: this.options.key(), timeoutMs: ANSWER_MS });
      const stream = await connect();
      // Nothing is said on it: an error of its end is of no interest.
      stream.on("error", () => {});
      stream.end();
      return true;
    } catch {
      return false;
    }
  }
}
