/** corosync-keygen, and corosync-cpgtool and corosync-blackbox on a cluster of two real nodes on this machine. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EventHistory, readEventHistory } from "../../src/daemon/event-history.ts";
import { hactl } from "./run.ts";
import { ToolCluster } from "./tools-cluster.ts";

const directory = mkdtempSync(join(tmpdir(), "hactl-corosync-"));
afterAll(() => rmSync(directory, { recursive: true }));

describe("corosync-keygen", () => {
  const keygen = (...words: readonly string[]) => hactl(["corosync-keygen", ...words]);

  test("makes a key for its owner alone, and overwrites none", async () => {
    const file = join(directory, "key");
    expect((await keygen("-k", file, "-s", "300")).code).toBe(0);
    expect([statSync(file).size, statSync(file).mode & 0o777]).toEqual([300, 0o400]);
    const before = readFileSync(file);
    expect((await keygen("-k", file)).code).toBe(108);
    expect(readFileSync(file).equals(before)).toBe(true);
  });

  test("takes it from a file where one is named", async () => {
    const [source, file] = [join(directory, "source"), join(directory, "copy")];
    writeFileSync(source, new Uint8Array(200).fill(65));
    expect((await keygen("-k", file, "-r", source, "-s", "128")).code).toBe(0);
    expect(readFileSync(file, "utf8")).toBe("A".repeat(128));
  });

  test("refuses lengths that no key has, and sources that do not do", async () => {
    const file = join(directory, "none");
    for (const words of [
      ["-s", "127"],
      ["-s", "4097"],
      ["-s", "many"],
      ["-r", join(directory, "source")],
      ["-r", join(directory, "nothing")],
      ["more"],
    ])
      expect([words, (await keygen("-k", file, ...words)).code]).toEqual([words, 64]);
    expect(() => statSync(file)).toThrow();
  });
});

describe("on a cluster", () => {
  let tools: ToolCluster;
  beforeAll(async () => {
    tools = await ToolCluster.start(2, (node) => `127.9.4.${node}`);
  }, 120_000);
  afterAll(() => tools.stop());

  test("corosync-cpgtool tells who takes part", async () => {
    const lines = (await tools.output("corosync-cpgtool")).split("\n");
    expect(lines[1]).toBe("hactl");
    expect(lines[2]).toMatch(/^\t\t +\d+\t +1 \(127\.9\.4\.1\)$/);
    expect(lines[3]).toMatch(/^\t\t +0\t +2 \(127\.9\.4\.2\)$/);
    expect(await tools.output("corosync-cpgtool", "-n")).toBe("hactl\n");
    const [head, ...members] = (await tools.output("corosync-cpgtool", "-d", ":")).trim().split("\n");
    expect(head).toBe("GRP_NAME:PID:NODEID");
    expect(members.map((line) => line.split(":")[2])).toEqual(["1", "2"]);
  });

  test("corosync-blackbox tells what happened", async () => {
    const lines = (await tools.output("corosync-blackbox")).trim().split("\n");
    expect(lines[0]).toStartWith("Starting replay: head [");
    expect(lines.at(-1)).toBe(`Finishing replay: records found [${lines.length - 2}]`);
    expect(lines.some((line) => line.includes(" MEMBERSHIP: "))).toBe(true);
  });
});

test("the history can be read without a daemon", () => {
  const history = new EventHistory(join(directory, "history.sqlite"), { warning: () => {} } as never);
  for (const at of [1, 2, 3])
    history.add({ at, level: "info", event: "EVENT", node: null, rsc: null, text: `fact ${at}` });
  history.close();
  expect(readEventHistory(directory, 2, 10).map(({ text }) => text)).toEqual(["fact 2", "fact 3"]);
  expect(readEventHistory(directory, 0, 1).map(({ text }) => text)).toEqual(["fact 3"]);
  expect(() => readEventHistory(join(directory, "nowhere"), 0, 1)).toThrow();
});
