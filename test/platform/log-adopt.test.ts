/** Where and what is logged changes while a process runs, in all its parts. */
import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openLog } from "../../src/platform/index.ts";

const directory = mkdtempSync(join(tmpdir(), "hactl-log-adopt-"));
afterAll(() => rmSync(directory, { recursive: true }));
const path = (name: string) => join(directory, name);
const lines = (name: string) =>
  [...readFileSync(path(name), "utf8").matchAll(/: (\w+: .*)$/gm)].map(([, line]) => line);

test("levels, files and parts follow, also those of parts that were made before", async () => {
  const log = openLog({ tag: "t", file: path("one"), thresholds: { file: "info" } });
  const part = log.part("FENCER");
  log.debug("A", "not yet");
  log.info("A", "first");
  expect(log.enabled("debug")).toBe(false);
  log.adopt({
    file: path("one"),
    thresholds: { file: "info" },
    parts: new Map([["FENCER", { file: "debug" as const }]]),
  });
  part.debug("B", "of the part");
  log.debug("B", "not of all");
  expect([log.enabled("debug"), part.enabled("debug")]).toEqual([false, true]);
  log.adopt({ file: path("two"), thresholds: { file: "debug" } });
  log.debug("C", "elsewhere");
  part.trace("C", "nowhere");
  log.adopt({ file: path("two"), thresholds: {} });
  log.critical("D", "switched off");
  await Bun.sleep(50);
  log.adopt({ file: path("two"), thresholds: { file: "notice" } });
  log.notice("E", "on again");
  await log.close();
  expect(lines("one")).toEqual(["info: first [A]", "debug: FENCER: of the part [B]"]);
  expect(lines("two")).toEqual(["debug: elsewhere [C]", "notice: on again [E]"]);
});

test("standard error and the facility follow; a part is made once, however often it is asked for", async () => {
  const said: string[] = [];
  const log = openLog({ tag: "t", thresholds: {}, writeStderr: (line) => said.push(line) });
  expect(log.part("LINK")).toBe(log.part("LINK"));
  log.error("A", "unheard");
  log.adopt({ thresholds: { stderr: "error" }, facility: "local1" });
  log.error("B", "heard");
  log.part("LINK").error("C", "heard of a part");
  expect(said.map((line) => line.replace(/^.*?\]: /, ""))).toEqual([
    "error: heard [B]\n",
    "error: LINK: heard of a part [C]\n",
  ]);
  await log.close();
});

test("what a target that is given up could not take is still counted", async () => {
  const log = openLog({ tag: "t", file: "/nonexistent/log", thresholds: { file: "info" } });
  log.info("A", "lost");
  await Bun.sleep(50);
  expect(log.dropped).toBe(1);
  log.adopt({ file: path("three"), thresholds: { file: "info" } });
  log.info("B", "kept");
  await log.close();
  expect(log.dropped).toBe(1);
  expect(lines("three")).toEqual(["info: kept [B]"]);
});

test("a part need not be named in its lines; what is of no part is of MAIN", async () => {
  const said: string[] = [];
  const log = openLog({
    tag: "t",
    thresholds: { stderr: "error" },
    parts: new Map([
      ["MAIN", { stderr: "debug" as const }],
      ["CIB", { stderr: "notice" as const }],
    ]),
    writeStderr: (line) => said.push(line.replace(/^.*?\]: /, "")),
  });
  log.debug("A", "of the whole");
  log.part("CIB", false).notice("B", "without a name");
  log.part("CIB").notice("C", "with one");
  log.part("LINK").notice("D", "unheard");
  expect(said).toEqual([
    "debug: of the whole [A]\n",
    "notice: without a name [B]\n",
    "notice: CIB: with one [C]\n",
  ]);
  await log.close();
});
