/**
 * `make check-peers`: the peers' own suites with hactl's names in the place of their tools, judged by a table of figures
 * that may not fall. README.md says how it is called.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { runCrmsh } from "./crmsh.ts";
import { missingDrivers, runDrivers } from "./drivers.ts";
import { type FigureTable, falls, parseTable, renewed, tableLines } from "./figures.ts";
import { runPacemaker } from "./pacemaker.ts";
import { installedSettings, runPcs } from "./pcs.ts";
import { type Place, type Source, said } from "./place.ts";

const kept = join(import.meta.dir, "figures.json");

/** A suite that can be asked for: where it comes from, and what it needs besides. */
interface Suite {
  readonly name: string;
  readonly folder: string | undefined;
  readonly revision: string | undefined;
  readonly programs: readonly string[];
  readonly run: (place: Place) => FigureTable;
}

const given = (name: string): string | undefined => {
  const value = process.env[name];
  return value === undefined || value === "" ? undefined : value;
};

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
    suite("pacemaker", pacemaker, ["python3", "xmllint"], runPacemaker),
    suite("pcs", pcs, ["python3", "pcs"], runPcs),
    suite("crmsh", crmsh, ["python3", "crm", "perl"], runCrmsh),
    {
      name: "drivers",
      folder: drivers === undefined ? undefined : resolve(drivers),
      revision: undefined,
      programs: ["python3", "ip"],
      run: (place) => runDrivers(place, resolve(drivers ?? ""), pacemaker.clone),
    },
  ];
  const only = given("ONLY")?.split(/[ ,]+/);
  if (only !== undefined) return all.filter(({ name }) => only.includes(name));
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
  run: (place: Place, from: Source) => FigureTable[string],
): Suite => ({
  name,
  folder: from.clone === "" ? undefined : from.clone,
  revision: from.revision,
  programs: [...programs, "git", "unshare"],
  run: (place) => ({ [name]: run(place, from) }),
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
  let seen: FigureTable = {};
  for (const one of wanted) {
    console.log(`${one.name} …`);
    seen = { ...seen, ...one.run(place) };
  }
  console.log(tableLines(table, seen).join("\n"));
  console.log(`What was seen lies in ${out}.`);
  if (given("WRITE") !== undefined) {
    writeFileSync(kept, `${JSON.stringify(renewed(table, seen), undefined, 2)}\n`);
    return 0;
  }
  return falls(table, seen).length === 0 ? 0 : 1;
}

process.exit(main());
