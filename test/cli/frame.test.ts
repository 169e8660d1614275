import { describe, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { defineCommand } from "citty";
import { checkWords, splitGlobals } from "../../src/cli/arguments.ts";
import { mainHelp } from "../../src/cli/help.ts";
import { describeError, formatError } from "../../src/cli/output.ts";
import { commands, groups } from "../../src/cli/registry.ts";
import { version } from "../../src/cli/version.ts";
import { HactlError } from "../../src/terms/index.ts";
import { temporaryDirectory } from "../platform/temporary.ts";
import { hactl, main } from "./run.ts";

describe("hactl", () => {
  test("--version prints one line, with --json facts", async () => {
    expect(await hactl(["--version"])).toEqual({ code: 0, out: `hactl ${version}\n`, err: "" });
    const json = await hactl(["--version", "--json"]);
    expect(JSON.parse(json.out)).toMatchObject({ name: "hactl", version });
    const { version: packaged } = JSON.parse(
      readFileSync(join(import.meta.dir, "../../package.json"), "utf8"),
    ) as { version: string };
    expect(version).toBe(packaged);
  });

  test("--help shows every group and command that there is; without words it is shown too, as a mistake", async () => {
    const help = await hactl(["--help"]);
    expect(help.code).toBe(0);
    for (const command of commands.filter((entry) => !entry.hidden)) {
      expect(help.out).toContain(`  ${command.name}`);
      expect(help.out).toContain(command.description);
      expect(groups.map((group) => group.id)).toContain(command.group);
    }
    const bare = await hactl([]);
    expect(bare.code).toBe(64);
    expect(bare.out).toBe(help.out);
  });

  test("the help of a command, in three ways", async () => {
    const [a, b, c] = await Promise.all([
      hactl(["keygen", "--help"]),
      hactl(["help", "keygen"]),
      hactl(["-h", "keygen"]),
    ]);
    expect(a.out).toContain("usage: hactl keygen [OPTIONS]");
    expect(a.out).toContain("-k, --keyfile FILE");
    expect(b).toEqual(a);
    expect(c).toEqual(a);
  });

  test.each([
    [["confg"], "hactl has no command confg", "Did you mean hactl config?"],
    [["zzzzzz"], "hactl has no command zzzzzz", "See hactl --help"],
    [["--frobnicate"], "hactl has no option --frobnicate", "See hactl --help"],
    [["config", "chek"], "hactl config has no command chek", "Did you mean hactl config check?"],
    [["config", "check", "--tet"], "config check has no option --tet", "Did you mean --text?"],
    [["config", "check", "a", "b"], "config check takes at most 1, 2 given", "See hactl config check --help"],
    [["keygen", "-k"], "-k needs a value", "See hactl keygen --help"],
    [["keygen", "--config"], "--config needs a file", "Write --config /etc/hactl/hactl.toml"],
    [["explain", "option"], "Missing required positional argument: NAME", "See the command with --help"],
  ])("%j", async (words, what, cure) => {
    const plain = await hactl(words);
    expect(plain).toEqual({ code: 64, out: "", err: `error: ${what}\n  cure:  ${cure}\n` });
    const json = await hactl(["--json", ...words]);
    if (!words.includes("--config"))
      expect(JSON.parse(json.err).error).toMatchObject({ what, cure, exit: 64 });
  });

  test("has no name in common for two commands", () => {
    const names = commands.flatMap((entry) => [entry.name, ...(entry.aliases ?? [])]);
    expect(new Set(names).size).toBe(names.length);
    expect(
      mainHelp()
        .split("\n")
        .every((line) => line.length <= 110),
    ).toBe(true);
  });
});

describe("words of a command", () => {
  const { args = {} } = defineCommand({
    args: {
      name: { type: "positional" },
      force: { type: "boolean", alias: "f" },
      count: { type: "string", alias: ["n", "number"] },
    },
  }) as { args?: object };
  const check = (...words: string[]) => checkWords("test", args as Parameters<typeof checkWords>[1], words);

  test.each([
    [["a", "--force", "--count", "3"]],
    [["-f", "-n", "3", "a"]],
    [["-fn3", "a"]],
    [["--number=3"]],
    [["--no-force"]],
    [["-5"]],
    [["--count", "-1"]],
    [["--", "-x"]],
  ])("%j are taken", (words) => expect(() => check(...words)).not.toThrow());

  test.each([
    [["--forec"], "Did you mean --force?"],
    [["-x"], "no option -x"],
    [["-fx"], "no option -fx"],
    [["--count"], "--count needs a value"],
    [["a", "b"], "at most 1, 2 given"],
    [["a", "--", "b"], "at most 1, 2 given"],
  ])("%j are refused", (words, reason) => expect(() => check(...words)).toThrow(reason));

  test("global options are found anywhere, but not behind --", () => {
    expect(splitGlobals(["a", "--json", "b", "--config=x", "-h", "--", "--json"])).toEqual({
      globals: { config: "x", json: true, help: true },
      rest: ["a", "b", "--", "--json"],
    });
  });
});

describe("errors", () => {
  test("show what, where and cure, and the exit code goes with them", () => {
    const error = new HactlError({
      code: "X",
      what: "It broke",
      where: { file: "/f", line: 3 },
      cure: "Mend it",
      exit: 78,
    });
    expect(formatError(describeError(error))).toBe("error: It broke\n  where: /f:3\n  cure:  Mend it\n");
    expect(describeError(error)).toEqual({
      code: "X",
      what: "It broke",
      where: { file: "/f", line: 3 },
      cure: "Mend it",
      exit: 78,
    });
  });

  test("of the system are put into words", () => {
    const error = (() => {
      try {
        return readFileSync("/nonexistent/file");
      } catch (caught) {
        return caught;
      }
    })();
    expect(describeError(error)).toMatchObject({
      code: "ENOENT",
      what: "No such file: /nonexistent/file",
      exit: 66,
    });
  });

  test("that nobody meant are one line; their stack is shown to who asks for it", () => {
    const error = new TypeError("x is not a function");
    expect(describeError(error)).toMatchObject({
      code: "INTERNAL",
      what: "TypeError: x is not a function",
      exit: 70,
    });
    process.env.HACTL_DEBUG = "1";
    try {
      expect(describeError(error).what).toContain("frame.test.ts");
    } finally {
      delete process.env.HACTL_DEBUG;
    }
  });
});

test("a reader that has seen enough ends the command without a complaint", async () => {
  const directory = temporaryDirectory();
  const big = join(directory, "corosync.conf");
  // More than a pipe holds, so that the end of the reader is noticed.
  writeFileSync(
    big,
    `totem {\n${Array.from({ length: 2500 }, (_, index) => ` word${index}: ${"x".repeat(80)}\n`).join("")}}\n`,
  );
  const line = '"$0" "$1" config import --json --corosync "$2" 2>"$3" | head -c 1';
  const run = Bun.spawnSync(["sh", "-c", line, process.execPath, main, big, join(directory, "errors")]);
  expect(run.stdout.toString()).toBe("{");
  expect(readFileSync(join(directory, "errors"), "utf8")).toBe("");
});
