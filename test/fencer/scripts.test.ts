import { describe, expect, test } from "bun:test";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { play } from "./script.ts";

const directory = join(import.meta.dir, "scripts");

describe("stories of fencing", () => {
  for (const name of readdirSync(directory).filter((one) => one.endsWith(".txt"))) {
    test(name.replace(/\.txt$/, "").replaceAll("-", " "), () => {
      const file = join(directory, name);
      const { written, happened } = play(file);
      if (process.env.HACTL_WRITE_STORIES === "1") writeFileSync(file, happened);
      expect(happened).toBe(process.env.HACTL_WRITE_STORIES === "1" ? happened : written);
    });
  }
});
