import { describe, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { daemons, tools } from "../../src/cli/tools.ts";
import { makeToolsDirectory } from "../../src/daemon/executor-tools.ts";
import { hactl } from "./run.ts";

describe("the names of tools", () => {
  test("every name loads a tool", async () => {
    for (const [name, load] of Object.entries({ ...tools, ...daemons }))
      expect([name, typeof (await load()).run]).toEqual([name, "function"]);
  });

  test("each has a page of help", async () => {
    for (const name of Object.keys({ ...tools, ...daemons })) {
      const { code, out } = await hactl([name, "--help"]);
      // One of them goes by two names.
      const title = name.replace("fence_kdump_send", "kdump-send");
      expect([name, code, out.split("\n")[0]]).toEqual([name, 0, expect.stringContaining(title)]);
    }
  }, 60_000);

  test("agents find every tool under its name, and nothing that is none", () => {
    const directory = mkdtempSync(join(tmpdir(), "hactl-names-"));
    try {
      makeToolsDirectory(directory, ["/usr/sbin/hactl"]);
      const forPeople = ["fence_kdump_send", "kdump-send"];
      const wanted = [...Object.keys(tools).filter((name) => !forPeople.includes(name)), "hactl"];
      expect(readdirSync(directory).sort()).toEqual(wanted.sort());
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
