import { INFINITY } from "../terms/index.ts";

const yes = new Set(["true", "yes", "on", "y", "1"]);
const no = new Set(["false", "no", "off", "n", "0"]);

/** `true`, `yes`, `on`, `y`, `1` and their opposites in any case; `undefined` for anything else (Pacemaker Explained, "boolean"). */
export function parseBoolean(text: string | undefined): boolean | undefined {
  const folded = text?.toLowerCase();
  if (folded === undefined) return undefined;
  return yes.has(folded) ? true : no.has(folded) ? false : undefined;
}

/** A whole number with optional sign and blanks around, held within the limits of exact numbers; else `undefined`. */
export function parseInteger(text: string | undefined): number | undefined {
  if (text === undefined || !/^\s*[+-]?\d+\s*$/.test(text)) return undefined;
  return Math.max(Number.MIN_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, Number(text)));
}

/** A decimal number, also with exponent; `undefined` when it is none. */
export function parseNumber(text: string | undefined): number | undefined {
  if (text === undefined || !/^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i.test(text)) return undefined;
  return Number(text);
}

/**
 * A score (Pacemaker Explained, "Scores"): an integer held within ±1,000,000, or INFINITY with optional sign
 * (`inf`, as the crm shell writes it, too). `undefined` when it is none; Pacemaker then counts 0.
 */
export function parseScore(text: string | undefined): number | undefined {
  const infinite = text === undefined ? null : /^([+-]?)inf(inity)?$/i.exec(text.trim());
  if (infinite) return infinite[1] === "-" ? -INFINITY : INFINITY;
  const value = parseInteger(text);
  return value === undefined ? undefined : Math.max(-INFINITY, Math.min(INFINITY, value));
}

/** Compares version texts number by number (`1.10` is after `1.9`); what is missing counts as 0. */
export function compareVersions(a: string, b: string): -1 | 0 | 1 {
  const left = a.match(/\d+/g) ?? [];
  const right = b.match(/\d+/g) ?? [];
  for (let index = 0; index < Math.max(left.length, right.length); index++) {
    const difference = Number(left[index] ?? 0) - Number(right[index] ?? 0);
    if (difference !== 0) return difference < 0 ? -1 : 1;
  }
  return 0;
}
