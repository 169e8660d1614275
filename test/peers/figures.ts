/** The figures of the peers' suites: what was reached, kept as numbers, and what a run has to reach again. */

/** One suite's figures by name. Every figure counts what is right, so more is better. */
export type Figures = Readonly<Record<string, number>>;

/** Figures by the names of the suites' parts, `suite/part`, or by those of whole suites. */
export type FigureTable = Readonly<Record<string, Figures>>;

/** A figure that is lower than the table says it was. */
export interface Fall {
  readonly suite: string;
  readonly figure: string;
  readonly was: number;
  readonly is: number;
}

/** Reads a table; anything but suites of numbers is refused. */
export function parseTable(text: string): FigureTable {
  const value: unknown = JSON.parse(text);
  const suites = entriesOf(value, "the table").map(([suite, figures]) => {
    const numbers = entriesOf(figures, suite).map(([figure, number]) => {
      if (typeof number !== "number" || !Number.isInteger(number) || number < 0)
        throw new Error(`${suite}, ${figure}: ${String(number)} is no count`);
      return [figure, number] as const;
    });
    return [suite, Object.fromEntries(numbers)] as const;
  });
  return Object.fromEntries(suites);
}

function entriesOf(value: unknown, what: string): readonly (readonly [string, unknown])[] {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new Error(`${what} has to be an object`);
  return Object.entries(value);
}

/** What a run shows less of than the table has; figures and parts that are gone count as 0. */
export function falls(table: FigureTable, seen: FigureTable): readonly Fall[] {
  return Object.entries(table).flatMap(([suite, figures]) =>
    Object.entries(figures)
      .map(([figure, was]) => ({ suite, figure, was, is: seen[suite]?.[figure] ?? 0 }))
      .filter(({ was, is }) => is < was),
  );
}

/** Whether a part is asked for: by the name of its suite or by a beginning of its own, or since nothing is named. */
export const isWanted = (part: string, only: readonly string[] | undefined): boolean =>
  only?.some((one) => (one.includes("/") ? part.startsWith(one) : part.startsWith(`${one}/`))) ?? true;

/** Those of a table's parts that belong to some of the suites and are asked for. */
export function partsIn(
  table: FigureTable,
  suites: readonly string[],
  only: readonly string[] | undefined,
): FigureTable {
  return Object.fromEntries(
    Object.entries(table).filter(
      ([part]) => suites.includes(part.split("/")[0] ?? "") && isWanted(part, only),
    ),
  );
}

/** The sums of parts by suite. */
export function totals(table: FigureTable): FigureTable {
  const sums: Record<string, Record<string, number>> = {};
  for (const [part, figures] of Object.entries(table)) {
    const suite = part.split("/")[0] ?? "";
    const sum = sums[suite] ?? {};
    for (const [figure, number] of Object.entries(figures)) sum[figure] = (sum[figure] ?? 0) + number;
    sums[suite] = sum;
  }
  return sums;
}

/** The table with what a run saw in the place of what it had of the parts that ran. */
export function renewed(table: FigureTable, seen: FigureTable): FigureTable {
  return { ...table, ...seen };
}

/** Lines for people: each figure, what it was, and whether it fell or rose. */
export function tableLines(table: FigureTable, seen: FigureTable): readonly string[] {
  const rows = Object.entries(seen).flatMap(([suite, figures]) => {
    const names = [...new Set([...Object.keys(figures), ...Object.keys(table[suite] ?? {})])];
    return names.map((figure) => {
      const was = table[suite]?.[figure];
      const is = figures[figure] ?? 0;
      const change = was === undefined ? "new" : is < was ? "FELL" : is > was ? "rose" : "";
      return [suite, figure, String(is), was === undefined ? "-" : String(was), change];
    });
  });
  const all = [["suite", "figure", "now", "kept", ""], ...rows];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...all.map((row) => (row[column] ?? "").length)));
  return all.map((row) =>
    row
      .map((cell, column) =>
        column === 2 || column === 3 ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
      )
      .join("  ")
      .trimEnd(),
  );
}
