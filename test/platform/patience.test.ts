import { expect, test } from "bun:test";
import { join } from "node:path";
import { atMost } from "../../src/platform/index.ts";

test("what is done is waited for no longer, and nothing keeps the process", async () => {
  const platform = JSON.stringify(join(import.meta.dir, "../../src/platform/index.ts"));
  const program = `import { atMost } from ${platform}; console.log(await atMost(Promise.resolve("done"), 2 ** 30));`;
  const child = Bun.spawn([process.execPath, "-e", program], { stdio: ["ignore", "pipe", "inherit"] });
  expect(await child.stdout.text()).toBe("done\n");
  expect(await child.exited).toBe(0);
});

test("what is not done is waited for until the time is over, and its failure is the caller's", async () => {
  expect(await atMost(new Promise<string>(() => {}), 1)).toBeUndefined();
  await expect(atMost(Promise.reject(new Error("refused")), 2 ** 30)).rejects.toThrow("refused");
});
