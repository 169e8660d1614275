import { expect, test } from "bun:test";
import { join } from "node:path";

/** Needs root, loop devices and mkfs.ext4. `make power-cuts`, `make power-cuts-cluster` and `make mutate-power` do more of it. */
const directory = join(import.meta.dir, "../power");

function cut(program: string, runs: number) {
  const seed = String(Math.floor(Date.now() / 86_400_000));
  const { stdout, stderr, exitCode } = Bun.spawnSync([
    process.execPath,
    join(directory, program),
    ...["--runs", String(runs), "--seed", seed],
  ]);
  return { exitCode, said: `${stdout}${stderr}`.trim() };
}

test("what is kept survives losses of power right after it was acknowledged, and in the middle of a write", () => {
  expect(cut("run.ts", 100)).toEqual({
    exitCode: 0,
    said: expect.stringMatching(
      /^100 power failures, \d+ in the middle of a write; \d+ writes of 7 kinds; 0 lost$/,
    ),
  });
}, 600_000);

test("what a cluster of three daemons has acknowledged survives the loss of power of them all", () => {
  expect(cut("cluster.ts", 60)).toEqual({
    exitCode: 0,
    said: "60 changes of three nodes whose disks failed at the answer, 2 starts from them; 0 lost",
  });
}, 900_000);
