/**
 * `make check-peers`: the peers' own suites with hactl's names in the place of their tools, judged by a table of figures
 * that may not fall. README.md says how it is called.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { crmshParts } from "./crmsh.ts";
import { driverParts, missingDrivers } from "./drivers.ts";
import {
  type Figures,
  type FigureTable,
  falls,
  isWanted,
  parseTable,
  partsIn,
  renewed,
  tableLines,
  totals,
} from "./figures.ts";
import { pacemakerParts } from "./pacemaker.ts";
import { installedSettings, pcsParts } from "./pcs.ts";
import { type Part, type Place, type Source, said } from "./place.ts";

const kept = join(import.meta.dir, "figures.json");

/** A suite that can be asked for: where it comes from, and what it needs besides. */
interface Suite {
  readonly name: string;
  readonly folder: string | undefined;
  readonly revision: string | undefined;
  readonly programs: readonly string[];
  readonly parts: (place: Place) => readonly Part[];
}

const given = (name: string): string | undefined => {
  const value = process.env[name];
  return value === undefined || value === "" ? undefined : value;
};

/** Suites (`pcs`), or beginnings of the names of parts (`pcs/legacy`, `crmsh/edit`), that alone are to run. */
const only = given("ONLY")?.split(/[ ,]+/).filter(Boolean);

const clone = (name: string): string | undefined => {
  const own = given(name.toUpperCase());
  const all = given("PEERS");
  if (own !== undefined) return resolve(own);
  return all === undefined ? undefined : resolve(all, name);
};

function suites(): readonly Suite[] {
  const pacemaker = source("pacemaker", "Pacemaker-3.0.2");
  const pcs = source("pcs", "v0.11.5");
  const crmsh = source("crmsh", "4.4.1");
  const drivers = given("DRIVERS");
  const all: readonly Suite[] = [
    suite("pacemaker", pacemaker, ["python3", "xmllint"], pacemakerParts),
    suite("pcs", pcs, ["python3", "pcs"], pcsParts),
    suite("crmsh", crmsh, ["python3", "crm", "perl"], crmshParts),
    {
      name: "drivers",
      folder: drivers === undefined ? undefined : resolve(drivers),
      revision: undefined,
      programs: ["python3", "ip"],
      parts: (place) => driverParts(place, resolve(drivers ?? ""), pacemaker.clone),
    },
  ];
  if (only !== undefined)
    return all.filter(({ name }) => only.some((one) => one === name || one.startsWith(`${name}/`)));
  return drivers === undefined ? all.filter(({ name }) => name !== "drivers") : all;
}

const source = (name: string, revision: string): Source => ({
  clone: clone(name) ?? "",
  revision: given(`${name.toUpperCase()}_REV`) ?? revision,
});

const suite = (
  name: string,
  from: Source,
  programs: readonly string[],
  parts: (place: Place, from: Source) => readonly Part[],
): Suite => ({
  name,
  folder: from.clone === "" ? undefined : from.clone,
  revision: from.revision,
  programs: [...programs, "git", "unshare"],
  parts: (place) => parts(place, from),
});

/** What a suite lacks, each with what to do. */
function missingFor({ name, folder, revision, programs }: Suite): readonly string[] {
  const variable = name === "drivers" ? "DRIVERS" : name.toUpperCase();
  const lacks: string[] = [];
  if (folder === undefined)
    lacks.push(`${name}: no folder given (${variable}=DIR${name === "drivers" ? "" : " or PEERS=DIR"})`);
  else if (!existsSync(folder)) lacks.push(`${name}: there is no ${folder}`);
  else if (revision !== undefined) {
    const found = said(["git", "-C", folder, "rev-parse", "--verify", "--quiet", `${revision}^{commit}`]);
    if (found.code !== 0)
      lacks.push(`${name}: ${folder} has no ${revision} (git fetch --tags, or ${variable}_REV=…)`);
  } else lacks.push(...missingDrivers(folder).map((file) => `${name}: there is no ${file}`));
  for (const program of programs)
    if (Bun.which(program, { PATH: "/usr/sbin:/usr/bin:/sbin:/bin" }) === null)
      lacks.push(`${name}: the program ${program} is not installed`);
  if (name === "pcs" && !installedSettings.some((file) => existsSync(file)))
    lacks.push("pcs: the settings of an installed pcs are needed");
  if (process.getuid?.() !== 0) lacks.push(`${name}: needs root, for a mount namespace`);
  return lacks;
}

function main(): number {
  const wanted = suites();
  const lacks = wanted.flatMap(missingFor);
  if (wanted.length === 0 || lacks.length > 0) {
    console.error(
      [...new Set(lacks), "Nothing was run: test/peers/README.md says what is needed."].join("\n"),
    );
    return 2;
  }
  const stage = given("STAGE");
  if (stage === undefined) {
    console.error(
      "STAGE has to name what `make install DESTDIR=` put somewhere; `make check-peers` does that.",
    );
    return 2;
  }
  const out = resolve(given("OUT") ?? mkdtempSync(join(tmpdir(), "hactl-peers-")));
  mkdirSync(out, { recursive: true });
  const place: Place = { stage: resolve(stage), out };
  const table = existsSync(kept) ? parseTable(readFileSync(kept, "utf8")) : {};
  const parts = wanted.flatMap((one) =>
    one
      .parts(place)
      .map(({ name, run }) => ({ name: `${one.name}/${name}`, run }))
      .filter(({ name }) => isWanted(name, only)),
  );
  let seen: FigureTable = {};
  for (const [index, { name, run }] of parts.entries()) {
    console.log(`${clock()} ${index + 1} of ${parts.length}: ${name} …`);
    const began = performance.now();
    const figures = run();
    console.log(`         ${inWords(figures)}, ${Math.round((performance.now() - began) / 1000)} s`);
    seen = { ...seen, [name]: figures };
    // Each part as it ends: a run that is stopped has not been for nothing.
    if (given("WRITE") !== undefined) write(renewed(table, seen));
  }
  const before = partsIn(
    table,
    wanted.map(({ name }) => name),
    only,
  );
  console.log(tableLines(totals(before), totals(seen)).join("\n"));
  console.log(`What was seen lies in ${out}.`);
  if (given("WRITE") !== undefined) return 0;
  const fallen = falls(before, seen);
  for (const { suite, figure, was, is } of fallen) console.log(`FELL  ${suite}: ${figure} ${was} → ${is}`);
  return fallen.length === 0 ? 0 : 1;
}

const clock = () => new Date().toTimeString().slice(0, 8);

const inWords = (figures: Figures) =>
  Object.entries(figures)
    .map(([figure, number]) => `${number} ${figure}`)
    .join(", ");

const write = (table: FigureTable) => writeFileSync(kept, `${JSON.stringify(table, undefined, 2)}\n`);

process.exit(main());
