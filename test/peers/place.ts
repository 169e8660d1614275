/** Where a peer's suite runs: a copy of its tagged tree, with hactl as installed. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Figures } from "./figures.ts";

/** What all suites share. */
export interface Place {
  /** What `make install DESTDIR=` put there. */
  readonly stage: string;
  /** A folder of this run, for copies and for what was seen. */
  readonly out: string;
}

/** A part of a suite that can be run alone. */
export interface Part {
  /** Its name within the suite. */
  readonly name: string;
  readonly run: () => Figures;
}

/** A clone and the revision to take of it. */
export interface Source {
  readonly clone: string;
  readonly revision: string;
}

/** What a command that was run said. */
export interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a command and waits for it; `environment` is all that it gets besides PATH and HOME. */
export function said(
  words: readonly string[],
  settings: { readonly cwd?: string; readonly environment?: Readonly<Record<string, string>> } = {},
): Said {
  const child = Bun.spawnSync([...words], {
    ...(settings.cwd === undefined ? {} : { cwd: settings.cwd }),
    env: {
      PATH: "/usr/sbin:/usr/bin:/sbin:/bin",
      HOME: process.env.HOME ?? "/root",
      LC_ALL: "C",
      ...settings.environment,
    },
    stdin: "ignore",
  });
  return { code: child.exitCode, out: child.stdout.toString(), err: child.stderr.toString() };
}

/** Runs a command where hactl is what is installed. */
export function inOurPlace(
  place: Place,
  words: readonly string[],
  settings: { readonly cwd?: string; readonly environment?: Readonly<Record<string, string>> } = {},
): Said {
  return said([join(import.meta.dir, "in-our-place.sh"), place.stage, ...words], settings);
}

/** Takes a revision out of a clone into a folder of its own (no work tree of the clone is touched). */
export function takeOut(place: Place, name: string, source: Source): string {
  const folder = join(place.out, name);
  mkdirSync(folder, { recursive: true });
  const done = said([
    "bash",
    "-c",
    'set -o pipefail; git -C "$1" archive "$2" | tar -x -C "$3"',
    "take-out",
    source.clone,
    source.revision,
    folder,
  ]);
  if (done.code !== 0) throw new Error(`${source.clone} has no ${source.revision}: ${done.err.trim()}`);
  return folder;
}
