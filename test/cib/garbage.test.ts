import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  applyOperations,
  checkCrm,
  cibOf,
  formatCrm,
  formatXml,
  loadCrm,
  parseXml,
  selectXpath,
  upgradeCib,
  verifyCib,
} from "../../src/cib/index.ts";
import { HactlError } from "../../src/terms/index.ts";

/** Reproducible numbers from 0 to below `below` (mulberry32). */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296) * below) | 0;
  };
}

/** Cuts, doubles, swaps and garbles pieces of a text. */
function mutate(text: string, random: (below: number) => number): string {
  let result = text;
  for (let count = 1 + random(4); count > 0; count--) {
    const at = random(result.length);
    const length = random(20);
    const piece = result.slice(at, at + length);
    const junk =
      ["", " ", "\\", '"', ":", "=", "{", "(", "]", "rule", "inf:", "<", "/>", "\0", "é", "\n", "$id="][
        random(17)
      ] ?? "";
    const kinds = [junk, piece + piece, result.slice(random(result.length)).slice(0, length), ""];
    result =
      result.slice(0, at) +
      (kinds[random(kinds.length)] ?? "") +
      result.slice(at + (random(2) === 0 ? length : 0));
  }
  return result;
}

/** Runs it; only our own errors may come out. */
function survives(action: () => unknown): boolean {
  try {
    action();
    return true;
  } catch (error) {
    if (error instanceof HactlError) return false;
    throw error;
  }
}

const text = readFileSync(join(import.meta.dir, "everything.crm"), "utf8");
const statements = text.split("\n").filter((line) => line !== "");
const document = formatXml(cibOf(loadCrm(text, undefined, "update")));

describe("garbage ends in errors that say where, never in anything else", () => {
  test("crm text", () => {
    const random = numbers(1);
    let good = 0;
    for (let run = 0; run < 2000; run++) {
      const line = mutate(statements[random(statements.length)] ?? "", random);
      for (const error of checkCrm(line, undefined, "update")) {
        expect(error).toBeInstanceOf(HactlError);
        expect(error.what).not.toBe("");
      }
      if (survives(() => loadCrm(line, undefined, "update"))) {
        good++;
        const loaded = loadCrm(line, undefined, "update");
        const printed = formatCrm(loaded);
        expect(formatCrm(loadCrm(printed, undefined, "update"))).toBe(printed);
      }
    }
    expect(good).toBeGreaterThan(100);
    expect(good).toBeLessThan(1900);
  });

  test("documents", () => {
    const random = numbers(2);
    let read = 0;
    for (let run = 0; run < 200; run++) {
      const mutant = mutate(document, random);
      survives(() => {
        const root = parseXml(mutant);
        read++;
        const { root: upgraded } = upgradeCib(root);
        verifyCib(root);
        formatCrm(upgraded);
        survives(() => applyOperations(root, [{ op: "bump" }]));
      });
    }
    expect(read).toBeGreaterThan(20);
  });

  test("paths", () => {
    const random = numbers(3);
    const root = parseXml(document);
    let found = 0;
    for (let run = 0; run < 500; run++) {
      const path = mutate(
        "/cib/configuration//primitive[@id='a' and not(@x)]/operations/op[2]|//nvpair[contains(@name,'b')]",
        random,
      );
      survives(() => {
        found += selectXpath(root, path).length;
      });
    }
    expect(found).toBeGreaterThan(100);
  });
});
