/**
 * Pacemaker's suite of its command line tools (cts-cli), answered by hactl. The suite runs as it is, told to save what it
 * saw; what it saw is compared here with what it expects, command by command.
 */
import { copyFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseXml, type XmlElement } from "../../src/cib/index.ts";
import type { Figures } from "./figures.ts";
import { inOurPlace, type Part, type Place, type Source, takeOut } from "./place.ts";

/** What the suite noted of one command: it prints a CIB before some, and after some. */
export interface Piece {
  readonly title: string;
  readonly before: readonly string[];
  readonly output: readonly string[];
  readonly cib: readonly string[];
  /** The suite's own line on the end, and what a validator said after it. */
  readonly end: string;
  readonly after: readonly string[];
}

/** How a command's answer compares with the expected one. */
export interface Verdict {
  readonly exit: boolean;
  readonly equal: boolean;
  /** Equal but for white space, and for the order of attributes in XML. */
  readonly alike: boolean;
  /** Undefined where no CIB is printed. */
  readonly cib: boolean | undefined;
  /** Undefined where the answer is not XML. */
  readonly valid: boolean | undefined;
  readonly structure: boolean | undefined;
}

/** Splits what the suite wrote into commands; each ends with a line that says Passed or Failed. */
export function piecesOf(text: string): readonly Piece[] {
  const pieces: Piece[] = [];
  let at: "before" | "output" | "cib" | "after" = "before";
  let now = emptyPiece();
  for (const line of text.split("\n")) {
    const mark = /^=#=#=#= (Begin test|Current cib after|End test): (.*) =#=#=#=$/.exec(line);
    if (mark !== null) {
      at = mark[1] === "Begin test" ? "output" : mark[1] === "End test" ? "after" : "cib";
      if (at === "output") now.title = mark[2] ?? "";
      if (at === "after") now.end = mark[2] ?? "";
    } else if (/^\* (Passed:|Failed \()/.test(line)) {
      pieces.push(now);
      now = emptyPiece();
      at = "before";
    } else now[at].push(line);
  }
  return pieces;
}

function emptyPiece() {
  return {
    title: "",
    before: [] as string[],
    output: [] as string[],
    cib: [] as string[],
    end: "",
    after: [] as string[],
  };
}

/** Compares what a command gave with what is expected of it. */
export function judge(want: Piece, have: Piece | undefined): Verdict {
  const isXml = want.title.endsWith("(XML)") || documentIn(want.output) !== undefined;
  const hasCib = want.cib.length > 0 || want.before.length > 0;
  if (have === undefined)
    return {
      exit: false,
      equal: false,
      alike: false,
      cib: hasCib ? false : undefined,
      valid: isXml ? false : undefined,
      structure: isXml ? false : undefined,
    };
  const valid = !have.end.includes("Failed to validate");
  const exit = exitOf(want) === exitOf(have) && (valid || want.end.includes("Failed to validate"));
  const cib = sameCib(want.cib, have.cib) && sameCib(want.before, have.before);
  const rest = exit && cib;
  return {
    exit,
    equal: rest && want.output.join("\n") === have.output.join("\n"),
    alike: rest && sameAnswer(want.output, have.output),
    cib: hasCib ? cib : undefined,
    valid: isXml ? valid : undefined,
    structure: isXml ? sameStructure(want.output, have.output) : undefined,
  };
}

const exitOf = (piece: Piece): string | undefined => /\((-?\d+)\)$/.exec(piece.end)?.[1];

const packed = (lines: readonly string[]): string =>
  lines
    .map((line) => line.replace(/\s+/g, " ").trim())
    .filter((line) => line !== "")
    .join("\n");

/** Whether two CIBs are the same; neither the order of attributes nor a comment is a part of one. */
function sameCib(want: readonly string[], have: readonly string[]): boolean {
  if (packed(want) === packed(have)) return true;
  const [wanted, had] = [want, have].map((lines) => treeIn(lines, (line) => /^\s*<cib\b/.test(line)));
  return wanted !== undefined && had !== undefined && whole(wanted) === whole(had);
}

function whole(element: XmlElement): string {
  const attributes = [...element.attributes]
    .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
    .sort();
  return `<${[element.name, ...attributes].join(" ")}>${(element.text ?? "").trim()}${element.children.map(whole).join("")}</>`;
}

/** The same lines for people, and the same document after them. */
function sameAnswer(want: readonly string[], have: readonly string[]): boolean {
  if (packed(want) === packed(have)) return true;
  const [wanted, had] = [documentIn(want), documentIn(have)];
  const before = (lines: readonly string[]) => packed(lines.slice(0, lines.findIndex(beginsDocument)));
  return (
    wanted !== undefined && had !== undefined && before(want) === before(have) && whole(wanted) === whole(had)
  );
}

function sameStructure(want: readonly string[], have: readonly string[]): boolean {
  const wanted = documentIn(want);
  const had = documentIn(have);
  if (wanted === undefined || had === undefined) return wanted === had && packed(want) === packed(have);
  return outline(wanted) === outline(had);
}

/** The XML document in an output, before which there may be lines for people. */
const documentIn = (lines: readonly string[]): XmlElement | undefined => treeIn(lines, beginsDocument);

const beginsDocument = (line: string): boolean => /^\s*<(\?xml|pacemaker-result)/.test(line);

function treeIn(lines: readonly string[], begins: (line: string) => boolean): XmlElement | undefined {
  const start = lines.findIndex(begins);
  if (start < 0) return undefined;
  try {
    return parseXml(lines.slice(start).join("\n"));
  } catch {
    return undefined;
  }
}

/** Elements that hold words for people, and attributes that do. */
const SPOKEN = new Set(["error", "longdesc", "shortdesc", "desc"]);
const SPOKEN_ATTRIBUTES: Readonly<Record<string, string>> = {
  status: "message",
  "result-code": "description",
  "pacemaker-result": "request",
};

/** A document without the words that it says to people. */
function outline(element: XmlElement): string {
  const attributes = [...element.attributes]
    .filter(([name]) => SPOKEN_ATTRIBUTES[element.name] !== name)
    .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
    .sort();
  const text = SPOKEN.has(element.name) ? "" : (element.text ?? "").replace(/\s+/g, " ").trim();
  const inside = element.name === "errors" ? [] : element.children.map(outline);
  return `<${[element.name, ...attributes].join(" ")}>${text}${inside.join("")}</>`;
}

/** What the suite needs to load that only Pacemaker's build makes, or that needs packages of Python. */
const standIns = [
  ["buildoptions.py", ""],
  ["_library.py", ""],
  ["validate.py", "_cts"],
  ["environment.py", "_cts"],
] as const;

/** The parts: one for each file of expectations. */
export function pacemakerParts(place: Place, source: Source): readonly Part[] {
  const tree = takeOut(place, "pacemaker", source);
  const cts = join(tree, "cts");
  const program = readFileSync(join(cts, "cts-cli.in"), "utf8")
    .replaceAll("@PYTHON@", "/usr/bin/python3")
    .replaceAll("@BASH_PATH@", "/bin/bash")
    .replaceAll("@CRM_DAEMON_DIR@", "/usr/lib/pacemaker")
    .replaceAll("@CRM_SCHEMA_DIRECTORY@", join(tree, "xml"))
    .replaceAll(/@abs_top_\w+@/g, "/nonexistent")
    // A format that Python refuses ended the suite of some releases with the first command that fails.
    .replaceAll("{rc:.3d}", "{rc:3d}");
  writeFileSync(join(cts, "cts-cli"), program);
  // Releases of the oldest suites have no such package.
  for (const [name, folder] of existsSync(join(tree, "python", "pacemaker", "_cts")) ? standIns : [])
    copyFileSync(
      join(import.meta.dir, "pacemaker-stand-in", name),
      join(tree, "python", "pacemaker", folder, name),
    );
  const api = writeSchema(join(tree, "xml"));
  return readdirSync(join(cts, "cli"))
    .flatMap((file) => /^regression\.(.*)\.exp$/.exec(file)?.[1] ?? [])
    .sort()
    .map((name) => ({ name, run: () => runClass(place, tree, api, name) }));
}

function runClass(place: Place, tree: string, api: string, name: string): Figures {
  const cts = join(tree, "cts");
  const file = join(cts, "cli", `regression.${name}.exp`);
  const wanted = piecesOf(readFileSync(file, "utf8"));
  const program = join(cts, "cts-cli");
  // Up to release 2.1 the suite was a program of the shell, with other options.
  const isShell = readFileSync(program, "utf8").startsWith("#!/bin/bash");
  const words = isShell
    ? ["bash", program, "-s", "-t", name]
    : ["python3", program, "-j", "1", "-s", "-r", name];
  const run = inOurPlace(place, words, {
    cwd: tree,
    environment: {
      PATH: "/usr/sbin:/usr/bin:/sbin:/bin:/usr/lib/pacemaker:/usr/libexec/pacemaker",
      PYTHONPATH: join(tree, "python"),
      HACTL_API_VERSION: api,
    },
  });
  const given = piecesOf(readFileSync(file, "utf8"));
  const died = !/\nSummary\n/.test(run.out);
  const counts = new Map<string, number>();
  const count = (figure: string, yes = true) => counts.set(figure, (counts.get(figure) ?? 0) + (yes ? 1 : 0));
  const seen: unknown[] = [];
  for (const [want, have] of pairs(wanted, died ? [] : given)) {
    const verdict = judge(want, have);
    count("commands");
    count("exit codes", verdict.exit);
    count("outputs equal", verdict.equal);
    count("outputs alike", verdict.alike);
    if (verdict.cib !== undefined) count("CIBs right", verdict.cib);
    if (verdict.valid !== undefined) count("XML valid", verdict.valid);
    if (verdict.structure !== undefined) count("XML alike", verdict.structure);
    if (!verdict.equal) seen.push({ verdict, want, have });
  }
  if (died) seen.push({ died: run.err.slice(-2000) });
  writeFileSync(join(place.out, `pacemaker-${name}.json`), JSON.stringify(seen, undefined, 1));
  return Object.fromEntries(counts);
}

/** Commands by title, in order: one that was not reached leaves its expectation alone. */
function pairs(
  wanted: readonly Piece[],
  given: readonly Piece[],
): readonly (readonly [Piece, Piece | undefined])[] {
  let at = 0;
  return wanted.map((want) => {
    const found = given.findIndex((piece, index) => index >= at && piece.title === want.title);
    if (found < 0) return [want, undefined] as const;
    at = found + 1;
    return [want, given[found]] as const;
  });
}

/**
 * Makes of the schemas of answers the one that the suite validates against: the newest of each kind of request. Returns
 * the newest version there is.
 */
function writeSchema(folder: string): string {
  const files = readdirSync(join(folder, "api"));
  const newest = requestsIn(readFileSync(join(folder, "Makefile.am"), "utf8")).flatMap((request) => {
    const versions = files
      .map((file) => new RegExp(`^${request}-([0-9.]+)\\.rng$`).exec(file)?.[1])
      .filter((version) => version !== undefined)
      .sort(byVersion);
    const version = versions.at(-1);
    return version === undefined ? [] : [{ request, version }];
  });
  const choices = newest.map(({ request, version }) => `<externalRef href="${request}-${version}.rng"/>`);
  writeFileSync(
    join(folder, "api", "api-result.rng"),
    `<grammar xmlns="http://relaxng.org/ns/structure/1.0"><start><element name="pacemaker-result">
<attribute name="api-version"/><attribute name="request"/>
<optional><choice>${choices.join("")}</choice></optional><externalRef href="status-2.0.rng"/>
</element></start></grammar>\n`,
  );
  return (
    newest
      .map(({ version }) => version)
      .sort(byVersion)
      .at(-1) ?? ""
  );
}

/** The kinds of answers that a release's Makefile names: a line each, or one line that is continued. */
export function requestsIn(makefile: string): readonly string[] {
  const lines = makefile.replace(/\\\n/g, " ").matchAll(/^API_request_base\s*\+?=(.*)$/gm);
  return [...lines].flatMap(([, names = ""]) => names.split(/\s+/).filter(Boolean));
}

function byVersion(one: string, other: string): number {
  const [a, b] = [one, other].map((version) => version.split(".").map(Number));
  for (let at = 0; at < 4; at++) {
    const difference = (a?.[at] ?? 0) - (b?.[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
