import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize, relative } from "node:path";

/** The rooms from the bottom to the top: each may import the faces of those before it (docs/architecture.md). */
const rooms = [
  "terms",
  "platform",
  "config",
  "totem",
  "quorum",
  "cib",
  "attributes",
  "alerts",
  "executor",
  "fencer",
  "scheduler",
  "controller",
  "kdump",
  "remote",
  "daemon",
  "cli",
];
/** Rooms without I/O; `node:crypto` is arithmetic and allowed. */
const pure = new Set([
  "terms",
  "totem",
  "quorum",
  "cib",
  "attributes",
  "alerts",
  "executor",
  "fencer",
  "scheduler",
  "controller",
]);
const impure =
  /\bDate\.now\b|\bnew Date\(\)|\bMath\.random\b|\bset(?:Timeout|Interval|Immediate)\b|\bprocess\.|\bBun\.|\bperformance\.now\b|\bfetch\(|\basync\b|\bawait\b|\bnew Promise\b|\brandomBytes\b|\brandomUUID\b/;

const source = join(import.meta.dir, "..", "src");
const files = (readdirSync(source, { recursive: true }) as string[]).filter((name) => name.endsWith(".ts"));

interface Import {
  readonly from: string;
  readonly specifier: string;
  readonly target: string | undefined;
}

const imports: Import[] = files.flatMap((from) => {
  const text = readFileSync(join(source, from), "utf8");
  const found = [
    ...text.matchAll(
      /(?:^|[\s;])(?:import|export)\b[^'"`;()]*?from\s*"([^"]+)"|\bimport\(\s*"([^"]+)"\s*\)/g,
    ),
  ];
  return found.map((match) => {
    const specifier = match[1] ?? match[2] ?? "";
    const target = specifier.startsWith(".") ? normalize(join(dirname(from), specifier)) : undefined;
    return { from, specifier, target };
  });
});
const roomOf = (file: string) => (file.includes("/") ? (file.split("/")[0] ?? "") : "main");

describe("the house", () => {
  test("every source file is in a room", () => {
    expect(files.length).toBeGreaterThan(10);
    expect(files.filter((file) => file !== "main.ts" && !rooms.includes(roomOf(file)))).toEqual([]);
  });

  test("imports go down the list of rooms, never up", () => {
    const wrong = imports.filter(({ from, target }) => {
      if (target === undefined || roomOf(from) === "main") return false;
      return rooms.indexOf(roomOf(target)) > rooms.indexOf(roomOf(from)) || roomOf(target) === "main";
    });
    expect(wrong.map(({ from, target }) => `${from} -> ${target}`)).toEqual([]);
  });

  test("another room is imported by its face, index.ts", () => {
    const wrong = imports.filter(({ from, target }) => {
      if (target === undefined || roomOf(from) === "main" || roomOf(from) === roomOf(target)) return false;
      return target !== `${roomOf(target)}/index.ts`;
    });
    expect(wrong.map(({ from, target }) => `${from} -> ${target}`)).toEqual([]);
  });

  test("there are no circles", () => {
    const edges = Map.groupBy(
      imports.filter(({ target }) => target !== undefined),
      ({ from }) => from,
    );
    const circles: string[] = [];
    const done = new Set<string>();
    const visit = (file: string, path: readonly string[]) => {
      if (path.includes(file)) circles.push([...path.slice(path.indexOf(file)), file].join(" -> "));
      if (done.has(file) || path.includes(file)) return;
      for (const { target } of edges.get(file) ?? []) if (target) visit(target, [...path, file]);
      done.add(file);
    };
    for (const file of files) visit(file, []);
    expect(circles).toEqual([]);
  });

  test("relative imports name files that exist", () => {
    const known = new Set(files);
    const missing = imports.filter(({ target }) => target?.endsWith(".ts") && !known.has(target));
    expect(missing.map(({ from, specifier }) => `${from}: ${specifier}`)).toEqual([]);
  });

  test("the cores touch nothing: no clock, no chance, no files, no promises", () => {
    const offences = files
      .filter((file) => pure.has(roomOf(file)))
      .flatMap((file) => {
        const lines = readFileSync(join(source, file), "utf8").split("\n");
        return lines
          .map((line, index) => ({
            line: line.replace(/\/\/.*$|^\s*\*.*$|^\s*\/\*.*$/, ""),
            number: index + 1,
          }))
          .filter(({ line }) => impure.test(line.replace(/"(?:[^"\\]|\\.)*"|`[^`]*`/g, '""')))
          .map(({ line, number }) => `${file}:${number}: ${line.trim()}`);
      });
    const modules = imports.filter(
      ({ from, specifier, target }) =>
        pure.has(roomOf(from)) &&
        ((target === undefined && /^(?:node:|bun)/.test(specifier) && specifier !== "node:crypto") ||
          (target !== undefined && roomOf(target) === "platform")),
    );
    expect([
      ...offences,
      ...modules.map(({ from, specifier }) => `${from}: ${relative(".", specifier)}`),
    ]).toEqual([]);
  });
});
