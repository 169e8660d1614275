import { expect, test } from "bun:test";
import { hasEnded } from "../../src/cli/leaving.ts";

test("a process has ended when it is gone, and also when its parent has not asked for it yet", async () => {
  expect(hasEnded(process.pid)).toBe(false);
  // A parent that never asks: its child stays as a zombie.
  const parent = Bun.spawn(["sh", "-c", "sh -c 'exit 0' & echo $!; exec sleep 30"], { stdout: "pipe" });
  const { value } = await parent.stdout.getReader().read();
  const child = Number(new TextDecoder().decode(value).trim());
  while (!hasEnded(child)) await Bun.sleep(10);
  expect(hasEnded(child)).toBe(true);
  parent.kill("SIGKILL");
  await parent.exited;
  expect(hasEnded(parent.pid)).toBe(true);
});
