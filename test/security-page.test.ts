import { expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dir, "..");

test("every test that docs/security.md and docs/ring-security.md name exists", () => {
  const text = ["security.md", "ring-security.md"]
    .map((page) => readFileSync(join(root, "docs", page), "utf8"))
    .join("\n");
  const named = [...text.matchAll(/test\/[\w./-]+\.ts/g)].map(([path]) => path);
  expect(new Set(named).size).toBeGreaterThan(10);
  expect(named.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  const makefile = readFileSync(join(root, "Makefile"), "utf8");
  const targets = [...text.matchAll(/`make ([a-z-]+)`/g)].map(([, target]) => target);
  expect(targets.filter((target) => !makefile.includes(`\n${target}: `))).toEqual([]);
});
