import { closeSync, constants, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { run } from "../harness/network.ts";
import { uptime } from "./journal.ts";

/** A time that a node's power was switched, as the switch saw it. */
export interface Switched {
  readonly action: "off" | "on" | "reboot";
  readonly node: string;
  /** By the clock of the journal. */
  readonly at: number;
}

const actions: ReadonlySet<string> = new Set(["off", "on", "reboot"]);

/** How long an agent may take to open the pipe for its answer: it has begun when its question is read. */
const answerWaitMs = 3_000;

/**
 * The switch behind the fence agent of the scenarios: a pipe on the directory that all machines share. A question is a
 * line "ACTION NODE PIPE"; the answer, when it is done, goes to that pipe. It is outside of all nodes, so what it has
 * done is evidence.
 */
export class PowerSwitch {
  readonly switched: Switched[] = [];
  /** How long it waits before it switches, and then before it says so. */
  slowness = { beforeMs: 0, afterMs: 0 };
  readonly #reader: Bun.Subprocess<"pipe", "pipe", "inherit">;

  constructor(
    private readonly shared: string,
    private readonly turn: (switched: Switched) => Promise<void>,
  ) {
    const pipe = join(shared, "switch");
    run("mkfifo", pipe);
    // A reader that also holds the writing end never sees the end of the file.
    const read = 'exec 3<>"$1"; cat <&3 & trap "kill $!" EXIT; read -r end';
    this.#reader = Bun.spawn(["sh", "-c", read, "switch", pipe], { stdio: ["pipe", "pipe", "inherit"] });
    void this.#serve();
  }

  async close(): Promise<void> {
    this.#reader.stdin.end();
    await this.#reader.exited;
  }

  async #serve(): Promise<void> {
    const decoder = new TextDecoder();
    let text = "";
    for await (const piece of this.#reader.stdout) {
      text += decoder.decode(piece, { stream: true });
      const lines = text.split("\n");
      text = lines.pop() ?? "";
      for (const line of lines) void this.#answer(line);
    }
  }

  async #answer(line: string): Promise<void> {
    const [action = "", node = "", reply = ""] = line.split(" ");
    let answer = "refused";
    if (actions.has(action)) {
      const switched = { action: action as Switched["action"], node, at: uptime() };
      this.switched.push(switched);
      const { beforeMs, afterMs } = this.slowness;
      if (beforeMs > 0) await Bun.sleep(beforeMs);
      answer = await this.turn(switched).then(
        () => "done",
        (error) => `failed: ${error}`,
      );
      if (afterMs > 0) await Bun.sleep(afterMs);
    }
    await tell(join(this.shared, reply), answer);
  }
}

/** Writes a line to a pipe whose reader may be about to open it, or may be dead. */
async function tell(pipe: string, answer: string): Promise<void> {
  const end = performance.now() + answerWaitMs;
  for (;;) {
    try {
      const fd = openSync(pipe, constants.O_WRONLY | constants.O_NONBLOCK);
      writeSync(fd, `${answer}\n`);
      closeSync(fd);
      return;
    } catch {
      if (performance.now() > end) return;
      await Bun.sleep(10);
    }
  }
}
