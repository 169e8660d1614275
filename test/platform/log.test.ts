import { describe, expect, test } from "bun:test";
import { mkdirSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { formatEvent, type LogOptions, levelOfPriority, openLog } from "../../src/platform/index.ts";
import { datagramReceiver } from "./datagram-receiver.ts";
import { temporaryDirectory } from "./temporary.ts";

const root = temporaryDirectory();

function stderrLog(options: Omit<LogOptions, "tag">) {
  const lines: string[] = [];
  const log = openLog({ tag: "hactl-ring", writeStderr: (line) => void lines.push(line), ...options });
  return { log, lines };
}

describe("an event", () => {
  test("is one line: text, id, values", () => {
    expect(
      formatEvent("NODE-LOST", "Node vm02 is lost", {
        node: "vm02",
        id: 2,
        why: "no token",
        none: undefined,
      }),
    ).toBe('Node vm02 is lost [NODE-LOST] node=vm02 id=2 why="no token"');
  });

  test("cannot make a second line", () => {
    expect(formatEvent("X", "a\nOct 1 fake\r\u2028b", { v: "1\n2" })).toBe('a Oct 1 fake b [X] v="1\\n2"');
  });

  test("never shows a secret", () => {
    const line = formatEvent("X", "t", {
      password: "hunter2",
      passwd: "hunter2",
      authkey: "hunter2",
      user: "admin",
    });
    expect(line).not.toContain("hunter2");
    expect(line).toContain("user=admin");
  });
});

describe("the stream", () => {
  test("has time, host, tag, pid and level in each line, and only levels that are wanted", () => {
    const { log, lines } = stderrLog({ thresholds: { stderr: "notice" } });
    log.notice("A", "first");
    log.info("B", "second");
    log.error("C", "third");
    expect(lines).toHaveLength(2);
    expect(lines[0]).toMatch(
      new RegExp(
        `^\\w{3} [ \\d]\\d \\d\\d:\\d\\d:\\d\\d \\S+ hactl-ring\\[${process.pid}\\]: notice: first \\[A\\]\\n$`,
      ),
    );
    expect(log.enabled("notice")).toBe(true);
    expect(log.enabled("info")).toBe(false);
  });

  test("parts have their name in front and levels of their own", () => {
    const parts = new Map([["TOTEM", { stderr: "debug" as const }]]);
    const { log, lines } = stderrLog({ thresholds: { stderr: "error" }, parts });
    log.part("totem").debug("A", "seen");
    log.part("fencer").warning("B", "not seen");
    expect(lines.map((line) => line.split("]: ")[1])).toEqual(["debug: totem: seen [A]\n"]);
  });

  test("goes to syslog with facility and priority", () => {
    const path = join(root, "log");
    const receiver = datagramReceiver(path);
    const log = openLog({
      tag: "hactl",
      facility: "local1",
      syslogPath: path,
      thresholds: { syslog: "info" },
    });
    log.warning("A", "hot");
    log.debug("B", "detail");
    const [message, ...more] = receiver.take();
    expect(more).toEqual([]);
    expect(message).toMatch(/^<140>\w{3} [ \d]\d \d\d:\d\d:\d\d hactl\[\d+\]: warning: hot \[A\]$/);
    receiver.close();
    log.warning("C", "nobody listens");
    expect(log.dropped).toBe(1);
  });

  test("goes to a file, in order, and to a new one when that is moved away", async () => {
    const path = join(root, "file.log");
    const log = openLog({ tag: "hactl", file: path, thresholds: { file: "info" } });
    for (let count = 0; count < 500; count++) log.info("N", `line ${count}`);
    await log.close();
    const numbers = readFileSync(path, "utf8").match(/line \d+/g);
    expect(numbers as string[] | null).toEqual(Array.from({ length: 500 }, (_, index) => `line ${index}`));
    renameSync(path, `${path}.1`);
    log.info("N", "after");
    await log.close();
    expect(readFileSync(path, "utf8")).toContain("after [N]");
    expect(readFileSync(`${path}.1`, "utf8")).not.toContain("after");
  });

  test("counts what a file cannot take and goes on", async () => {
    const log = openLog({ tag: "hactl", file: join(root, "no/such/dir"), thresholds: { file: "info" } });
    log.info("A", "lost");
    await log.close();
    expect(log.dropped).toBe(1);
  });

  test("tells once why a file is not written, and that it is again, and waits for nobody who reads a pipe", async () => {
    const directory = join(root, "directory");
    const fifo = join(root, "fifo");
    mkdirSync(directory);
    expect(Bun.spawnSync(["mkfifo", fifo]).success).toBe(true);
    for (const [file, why] of [
      [directory, "it is a directory"],
      [fifo, "it is a pipe that nobody reads"],
      ["/dev/full", "the disk is full"],
      [join(root, "fifo", "x"), "is no directory"],
    ] as const) {
      const { log, lines } = stderrLog({ thresholds: { file: "info" }, file });
      for (const text of ["one", "two"]) {
        log.info("X", text);
        await Bun.sleep(20);
      }
      await log.close();
      expect(lines).toEqual([expect.stringContaining(`nothing is written to the log file ${file}: `)]);
      expect(lines.join()).toContain(why);
      expect(log.dropped).toBe(2);
      expect(log.fileTrouble).toContain(`nothing is written to the log file ${file}: `);
    }
    const late = join(root, "late", "log");
    const { log, lines } = stderrLog({ thresholds: { file: "info" }, file: late });
    log.info("X", "lost");
    await Bun.sleep(20);
    mkdirSync(join(root, "late"));
    log.info("X", "kept");
    await log.close();
    expect(lines[1]).toContain(`the log file ${late} is written again; lost: 1`);
    expect(readFileSync(late, "utf8")).toContain("kept");
  });

  test("priorities in the words of syslog and Pacemaker", () => {
    expect(["emerg", "crit", "err", "error", "warn", "NOTICE", "trace", "loud"].map(levelOfPriority)).toEqual(
      ["critical", "critical", "error", "error", "warning", "notice", "trace", undefined],
    );
  });
});
