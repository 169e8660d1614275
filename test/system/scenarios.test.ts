import { afterAll, describe, expect, test } from "bun:test";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { named } from "../scenarios/catalogue.ts";
import { Runner } from "../scenarios/runner.ts";

/** The scenarios that find most in the least time; `make scenarios` plays all of them. */
const chosen = [
  "ComponentFail-manager-promoted",
  "ComponentFail-executor-promoted",
  "ComponentFail-ring-promoted",
  "ComponentFail-all-managers",
  "ComponentHang-manager-leader-promoted",
  "RunDirectoryGone-removed",
  "Start",
  "Stop",
  "Standby",
  "Stonithd",
  "SplitBrain3",
  "StartUnplugged",
  "RemoteBasic",
];

describe("a cluster of real machines", () => {
  const runner = new Runner({ keep: join(tmpdir(), "hactl-scenarios") });
  afterAll(() => runner.close());

  test.each(chosen)("holds in %s", async (name) => {
    const scenario = named(name).find((one) => one.name === name);
    if (!scenario) throw new Error(`there is no scenario ${name}`);
    const violations: string[] = [];
    violations.push(...(await runner.play(scenario, 1)).violations);
    expect(violations).toEqual([]);
  });
});
