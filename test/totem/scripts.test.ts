import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { nodeId } from "../../src/terms/index.ts";
import { ScriptNode } from "./script.ts";

const folder = join(import.meta.dir, "scripts");
/** `UPDATE_SCRIPTS=1 bun test test/totem` writes what the node did into the scripts; read the difference. */
const update = process.env.UPDATE_SCRIPTS === "1";

/** Plays a script and answers it as it should read: the same lines, with the effects that there were. */
function play(text: string): string {
  let node: ScriptNode | undefined;
  let changes = {};
  const out: string[] = [];
  const theNode = () => node ?? fail("the script names no node");
  for (const line of text.split("\n")) {
    if (line.startsWith("< ")) continue;
    out.push(line);
    const [word = "", ...rest] = line.split(" ");
    const effects = (): readonly string[] => {
      switch (word) {
        case "options":
          changes = Object.fromEntries(
            rest.map((pair) => pair.split("=")).map(([name, value]) => [name, Number(value)]),
          );
          return [];
        case "node":
          node = new ScriptNode(
            Number(rest[0]),
            rest.slice(2).map((id) => nodeId(Number(id))),
            changes,
          );
          return [];
        case "given":
          theNode().form(rest.slice(1).map((id) => nodeId(Number(id))));
          return [];
        case "show":
          if (rest[0] === "timers") theNode().showTimers = true;
          else theNode().showLog = true;
          return [];
        case "wait":
          return theNode().wait(Number(rest[0]));
        case "sleep":
          theNode().now += Number(rest[0]);
          return [];
        case ">":
          return theNode().feed(rest.join(" "));
        case "repeat": {
          const times = Number(rest[0]);
          return Array.from({ length: times }, () => theNode().feed(rest.slice(1).join(" "))).flat();
        }
        case "count": {
          const found = theNode().ring.status().counters[rest[0] ?? ""];
          out[out.length - 1] = `count ${rest[0]} ${found}`;
          return [];
        }
        default:
          if (line.trim() === "" || line.startsWith("#")) return [];
          return fail(`not understood: ${line}`);
      }
    };
    out.push(...collapse(effects()).map((effect) => `< ${effect}`));
  }
  return out.join("\n");
}

/** The same effect several times in a row is one line. */
function collapse(effects: readonly string[]): string[] {
  const lines: { text: string; times: number }[] = [];
  for (const text of effects) {
    const last = lines.at(-1);
    if (last?.text === text) last.times++;
    else lines.push({ text, times: 1 });
  }
  return lines.map(({ text, times }) => (times === 1 ? text : `${text} (${times} times)`));
}

function fail(what: string): never {
  throw new Error(what);
}

describe("the rules of the protocol", () => {
  const names = readdirSync(folder).filter((name) => name.endsWith(".txt"));

  test("have scripts", () => {
    expect(names.length).toBeGreaterThan(40);
  });

  for (const name of names.sort()) {
    const text = readFileSync(join(folder, name), "utf8");
    test(`${name.replace(/\.txt$/, "")}: ${text.split("\n")[0]?.replace(/^# /, "")}`, () => {
      const played = play(text);
      if (update) writeFileSync(join(folder, name), played);
      expect(played).toBe(update ? played : text);
    });
  }
});
