import { INFINITY } from "../terms/index.ts";

const yes = new Set(["true", "yes", "on", "y", "1"]);
const no = new Set(["false", "no", "off", "n", "0"]);

/** `true`, `yes`, `on`, `y`, `1` and their opposites in any case; `undefined` for anything else (Pacemaker Explained, "boolean"). */
export function parseBoolean(text: string | undefined): boolean | undefined {
  const folded = text?.toLowerCase();
  if (folded === undefined) return undefined;
  return yes.has(folded) ? true : no.has(folded) ? false : undefined;
}

/**
 * A whole number, held within the limits of exact numbers; `undefined` when the text does not begin with one. As in
 * Pacemaker, what follows the number does not count (`1.0` is 1); `isExact` tells whether something does.
 */
export function parseInteger(text: string | undefined): number | undefined {
  const match = text === undefined ? null : /^\s*([+-]?\d+)/.exec(text);
  if (!match) return undefined;
  return Math.max(Number.MIN_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, Number(match[1])));
}

/** A decimal number, also with exponent; `undefined` when the text does not begin with one. */
export function parseNumber(text: string | undefined): number | undefined {
  const match = text === undefined ? null : /^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?/i.exec(text);
  return match ? Number(match[0]) : undefined;
}

const infinity = /^\s*([+-]?)inf(inity)?\s*$/i;

/**
 * A score (Pacemaker Explained, "Scores"): a whole number held within ±1,000,000, or INFINITY with optional sign
 * (`inf`, as the crm shell writes it, too). `undefined` when it is none; Pacemaker then counts 0.
 */
export function parseScore(text: string | undefined): number | undefined {
  const infinite = text === undefined ? null : infinity.exec(text);
  if (infinite) return infinite[1] === "-" ? -INFINITY : INFINITY;
  const value = parseInteger(text);
  return value === undefined ? undefined : Math.max(-INFINITY, Math.min(INFINITY, value));
}

/** Whether a text is nothing but a whole number or an infinite score. */
export const isExact = (text: string) => /^\s*[+-]?\d+\s*$/.test(text) || infinity.test(text);

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
