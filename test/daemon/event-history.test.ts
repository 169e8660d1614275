import { Database } from "bun:sqlite";
import { afterEach, expect, test } from "bun:test";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EventHistory } from "../../src/daemon/event-history.ts";
import { openLog } from "../../src/platform/index.ts";

const directory = mkdtempSync(join(tmpdir(), "hactl-history-"));
afterEach(() => rmSync(directory, { recursive: true, force: true }));

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
  expect(texts()).toEqual(["before"]);
  other.run("COMMIT");
  other.close();
  expect(texts()).toEqual(["before", "first", "second"]);
  history.close();
  const told = lines.map((line) => /history can(?:not| be written again)/.exec(line)?.[0]);
  expect(told).toEqual(["history cannot", "history can be written again"]);
});

test("texts of agents are not for everybody, in none of its files, and not in those of an older release", () => {
  mkdirSync(directory, { recursive: true });
  const path = join(directory, "history.sqlite");
  new Database(path, { create: true }).close();
  chmodSync(path, 0o644);
  const history = new EventHistory(path, openLog({ tag: "test", thresholds: {}, writeStderr: () => {} }));
  history.add({ at: 1, level: "notice", event: "E", node: null, rsc: null, text: "t" });
  history.flush();
  const modes = readdirSync(directory).map((name) => [
    name,
    (statSync(join(directory, name)).mode & 0o777).toString(8),
  ]);
  expect(modes.length).toBeGreaterThan(1);
  for (const [name, mode] of modes) expect([name, mode]).toEqual([name, "640"]);
  history.close();
});
