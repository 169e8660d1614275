import { describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  checkConfig,
  importConfig,
  readConfigText,
  sampleFile,
  thisMachine,
} from "../../src/config/index.ts";

/** Pseudo-random numbers that are the same in each run (mulberry32). */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const pieces = [
  "[",
  "]",
  "{",
  "}",
  '"',
  "'",
  "'''",
  "=",
  "\n",
  "#",
  ",",
  ".",
  "\\",
  "\u0000",
  "é",
  "[[totem]]",
  "x = 1\n",
  "-1",
  "1e400",
  "true",
];

/** A text with some cuts, insertions and swapped lines. */
function damaged(text: string, pick: (below: number) => number): string {
  let result = text;
  for (let count = 1 + pick(4); count > 0; count--) {
    const at = pick(result.length + 1);
    const kind = pick(3);
    if (kind === 0) result = result.slice(0, at) + result.slice(at + pick(20));
    else if (kind === 1)
      result = result.slice(0, at) + (pieces[pick(pieces.length)] ?? "") + result.slice(at);
    else {
      const lines = result.split("\n");
      const [line = ""] = lines.splice(pick(lines.length), 1);
      lines.splice(pick(lines.length + 1), 0, line);
      result = lines.join("\n");
    }
  }
  return result;
}

describe("damaged files", () => {
  // The sample without its comments, and with options of every type.
  const text = `${sampleFile()
    .replace(/^#.*\n/gm, "")
    .replace(/\n+/g, "\n")}[system]
ocf_path = "/a:/b"
sched_rr = false
[logging]
debug = "on"
[[logging.logger_subsys]]
subsys = "TOTEM"
`.replace(/\[(system|logging)\]\n(?=[\s\S]*\[\1\]\n)/g, "");

  test("the undamaged one is correct", () => {
    expect(checkConfig(text, "f", { purpose: "text", machine: thisMachine() }).problems).toEqual([]);
  });

  test("are refused with places inside the file, or taken; never a crash", () => {
    let refused = 0;
    for (let seed = 1; seed <= 1500; seed++) {
      const broken = damaged(text, random(seed));
      const { config, problems } = checkConfig(broken, "f", { purpose: "text", machine: thisMachine() });
      const lines = broken.split("\n").length;
      if (!config) refused++;
      expect(config === undefined).toBe(problems.some((problem) => problem.severity === "error"));
      for (const problem of problems) {
        if (problem.line !== undefined && (problem.line < 1 || problem.line > lines))
          throw new Error(`seed ${seed}: line ${problem.line}`);
        if (
          problem.what === "" ||
          problem.cure === "" ||
          /undefined|\[object/.test(problem.what + problem.cure)
        ) {
          throw new Error(`seed ${seed}: ${problem.what} | ${problem.cure}`);
        }
      }
    }
    expect(refused).toBeGreaterThan(500);
  });

  test("of corosync are imported as far as they are understood; the result is always TOML", () => {
    const corosync =
      "totem {\n version: 2\n cluster_name: a\n token: 1000\n interface {\n ringnumber: 0\n mcastport: 5405\n }\n}\nnodelist {\n node {\n ring0_addr: 10.0.0.1\n nodeid: 1\n name: a\n }\n}\nlogging {\n debug: off\n}\n";
    for (let seed = 1; seed <= 500; seed++) {
      const { toml } = importConfig({ corosync: { file: "c", text: damaged(corosync, random(seed)) } });
      expect(() => Bun.TOML.parse(toml)).not.toThrow();
    }
  });
});

test("a file larger than any configuration is refused before it is taken apart", () => {
  const directory = mkdtempSync(join(tmpdir(), "hactl-large-"));
  const file = join(directory, "hactl.toml");
  try {
    writeFileSync(file, Array.from({ length: 100_000 }, (_, i) => `k${i} = 1`).join("\n"));
    const begin = performance.now();
    expect(() => readConfigText(file)).toThrow(/more than the 262144 allowed/);
    expect(performance.now() - begin).toBeLessThan(500);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
