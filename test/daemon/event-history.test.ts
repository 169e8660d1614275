import { Database } from "bun:sqlite";
import { afterAll, expect, test } from "bun:test";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DiskAnswer } from "../../src/daemon/disk-answer.ts";
import { EventHistory } from "../../src/daemon/event-history.ts";
import { openLog } from "../../src/platform/index.ts";

const directory = mkdtempSync(join(tmpdir(), "hactl-history-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

test("facts that the disk does not take are kept until it does", () => {
  const lines: string[] = [];
  const log = openLog({
    tag: "test",
    thresholds: { stderr: "notice" },
    writeStderr: (line) => void lines.push(line),
  });
  const path = join(directory, "history.sqlite");
  const history = new EventHistory(path, log);
  const fact = (text: string) =>
    history.add({ at: 1, level: "notice", event: "E", node: null, rsc: null, text });
  const texts = () => history.query(0, 100).map(({ text }) => text);
  fact("before");
  expect(texts()).toEqual(["before"]);
  // Somebody else holds the file: as little is taken as by a disk that is full.
  const other = new Database(path);
  other.run("BEGIN EXCLUSIVE");
  fact("first");
  fact("second");
  history.flush();
  history.flush();
  expect(other.query("SELECT text FROM event").all()).toEqual([{ text: "before" }]);
  expect(texts()).toEqual(["before", "first", "second"]);
  other.run("COMMIT");
  other.close();
  expect(texts()).toEqual(["before", "first", "second"]);
  history.close();
  const told = lines.map((line) => /history can(?:not| be written again)/.exec(line)?.[0]);
  expect(told).toEqual(["history cannot", "history can be written again"]);
});

test("texts of agents are not for everybody, in none of its files, and not in those of an older release", () => {
  const own = mkdtempSync(join(directory, "modes-"));
  const path = join(own, "history.sqlite");
  new Database(path, { create: true }).close();
  chmodSync(path, 0o644);
  const history = new EventHistory(path, openLog({ tag: "test", thresholds: {}, writeStderr: () => {} }));
  history.add({ at: 1, level: "notice", event: "E", node: null, rsc: null, text: "t" });
  history.flush();
  const modes = readdirSync(own).map((name) => [name, (statSync(join(own, name)).mode & 0o777).toString(8)]);
  expect(modes.length).toBeGreaterThan(1);
  for (const [name, mode] of modes) expect([name, mode]).toEqual([name, "640"]);
  history.close();
});

test("nothing is written to a disk that does not answer; when it does, all that waited is", async () => {
  const log = openLog({ tag: "test", thresholds: {} });
  let answer: () => void = () => {};
  let clock = 0;
  const disk = new DiskAnswer(
    "unused",
    () =>
      new Promise<void>((resolve) => {
        answer = resolve;
      }),
    () => clock,
  );
  const history = new EventHistory(join(directory, "waiting.sqlite"), log, disk);
  const fact = (text: string) =>
    history.add({ at: 1, level: "notice", event: "E", node: null, rsc: null, text });
  const written = () => {
    const database = new Database(join(directory, "waiting.sqlite"), { readonly: true });
    const rows = database.query("SELECT text FROM event ORDER BY id").all() as { text: string }[];
    database.close();
    return rows.map(({ text }) => text);
  };
  const asked = disk.answered();
  fact("first");
  clock = 7_000;
  expect(disk.silentMs).toBe(7_000);
  // Who asks for the history is answered with what waits, too.
  expect((await history.recent(0, 100)).map(({ id, text }) => [id, text])).toEqual([[1, "first"]]);
  expect(history.query(2, 100)).toEqual([]);
  history.flush();
  expect(written()).toEqual([]);
  answer();
  await asked;
  expect(disk.silentMs).toBe(0);
  history.flush();
  expect(written()).toEqual(["first"]);
  // Whoever asks the disk at the same time keeps nobody from what has happened.
  const again = disk.answered();
  fact("second");
  expect(history.query(0, 100).map(({ id, text }) => [id, text])).toEqual([
    [1, "first"],
    [2, "second"],
  ]);
  expect(history.query(0, 1).map(({ text }) => text)).toEqual(["second"]);
  answer();
  await again;
  history.close();
});

test("a damaged file is set aside, said, and a new one begins", () => {
  const own = mkdtempSync(join(directory, "damaged-"));
  const path = join(own, "history.sqlite");
  const damage = new Uint8Array(5000).fill(7);
  writeFileSync(path, damage);
  for (const part of ["-wal", "-shm"]) writeFileSync(`${path}${part}`, damage);
  const lines: string[] = [];
  const writeStderr = (line: string) => void lines.push(line);
  const log = openLog({ tag: "test", thresholds: { stderr: "notice" }, writeStderr });
  const fact = { at: 1, level: "notice", event: "E", node: null, rsc: null, text: "kept" };
  const history = new EventHistory(path, log);
  history.add(fact);
  history.close();
  const again = new EventHistory(path, log);
  expect(again.query(0, 100).map(({ text }) => text)).toEqual(["kept"]);
  again.close();
  expect(lines).toEqual([expect.stringMatching(/the event history was damaged; a new one begins.*corrupt-/)]);
  const aside = readdirSync(own).find((name) => name.includes("corrupt")) ?? "";
  expect(new Uint8Array(readFileSync(join(own, aside)))).toEqual(damage);
});
