import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { mutations } from "./mutation-list.ts";

const source = join(import.meta.dir, "../../src");

/** Running all of them takes long and needs root (`make mutate-power`); that they can be made is seen at once. */
for (const { name, file, before, after } of mutations) {
  test(`a mistake has its place: ${name}`, () => {
    expect(readFileSync(join(source, file), "utf8").split(before)).toHaveLength(2);
    expect(after).not.toBe(before);
  });
}
