/**
 * Programs from outside that ask a cluster of real daemons what peers' suites ask their daemons (DRIVERS names their
 * folder). They are no part of this project; what they have to be like is said here: `peers/cts_daemons.py --peer CLONE
 * --suite NAME --out FILE` and `peers/agents_life.py --out FILE` find the executable in HACTL and write JSON with a
 * verdict for each scenario.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Figures } from "./figures.ts";
import { type Part, type Place, said } from "./place.ts";

const suites = ["fencing", "exec", "attrd"] as const;

/** The drivers that a folder has not. */
export function missingDrivers(folder: string): readonly string[] {
  return ["cts_daemons.py", "agents_life.py"]
    .map((name) => join(folder, "peers", name))
    .filter((file) => !existsSync(file));
}

/** The parts: one for each thing that is asked; what held is counted. */
export function driverParts(place: Place, folder: string, pacemaker: string): readonly Part[] {
  const hactl = join(place.stage, "usr", "sbin", "hactl");
  const run = (name: string, words: readonly string[]): Figures => {
    const file = join(place.out, `${name}.json`);
    const done = said([...words, "--out", file], { cwd: folder, environment: { HACTL: hactl } });
    if (!existsSync(file))
      throw new Error(`${words[0]} told nothing: ${(done.err || done.out).slice(-2000)}`);
    return countHeld(JSON.parse(readFileSync(file, "utf8")));
  };
  const daemons = join(folder, "peers", "cts_daemons.py");
  return [
    ...suites.map((name) => ({
      name,
      run: () => run(name, [daemons, "--peer", pacemaker, "--suite", name]),
    })),
    { name: "agents", run: () => run("agents", [join(folder, "peers", "agents_life.py")]) },
  ];
}

/** Counts scenarios and those that held, wherever in what a driver wrote they are. */
export function countHeld(written: unknown): Figures {
  const verdicts = verdictsIn(written);
  return { scenarios: verdicts.length, held: verdicts.filter((held) => held).length };
}

function verdictsIn(value: unknown): readonly boolean[] {
  if (typeof value !== "object" || value === null) return [];
  if ("verdict" in value && typeof value.verdict === "string")
    return value.verdict === "not expressible" ? [] : [value.verdict === "held"];
  if ("steps" in value && typeof value.steps === "object" && value.steps !== null)
    return [Object.values(value.steps).every((step) => step === true)];
  return Object.values(value).flatMap(verdictsIn);
}
