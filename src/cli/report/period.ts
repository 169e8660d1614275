import { parseWrittenTime } from "../../cib/index.ts";
import type { Millis } from "../../terms/index.ts";

/** The time that a report is about, both ends included: wall clock in milliseconds since 1970. */
export interface Period {
  readonly from: Millis;
  readonly to: Millis;
}

/**
 * A time as people give it: `2026-11-29`, `2026-11-29 13:05`, `13:05:00` of today, `now`; by the clock of this machine.
 * `undefined` when it is none.
 */
export function timeOf(text: string, now: Date): Millis | undefined {
  if (text.trim() === "now") return now.getTime();
  const two = (value: number) => String(value).padStart(2, "0");
  const today = `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`;
  const trimmed = text.trim();
  const whole = /^\d{1,2}:/.test(trimmed)
    ? `${today} ${trimmed}`
    : /[T ]\d/.test(trimmed)
      ? trimmed
      : `${trimmed} 00:00:00`;
  const found = parseWrittenTime(whole);
  return found && found.time * 1000;
}

/** The end of a period as people give it: the second that they name belongs to it whole. */
export function endOf(text: string, now: Date): Millis | undefined {
  const at = timeOf(text, now);
  return at === undefined || text.trim() === "now" ? at : at + 999;
}

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** The time that a line of a log begins with: that of syslog, which has no year, or ISO 8601. */
export function lineTime(line: string, now: Date): Millis | undefined {
  const old = /^([A-Z][a-z]{2}) +(\d{1,2}) (\d{2}):(\d{2}):(\d{2})/.exec(line);
  if (old) {
    const month = months.indexOf(old[1] ?? "");
    if (month < 0) return undefined;
    const [day, hours, minutes, seconds] = old.slice(2).map(Number);
    const at = (year: number) => new Date(year, month, day, hours, minutes, seconds).getTime();
    const inYear = at(now.getFullYear());
    // What seems to be to come is of the year before.
    return inYear > now.getTime() + 86_400_000 ? at(now.getFullYear() - 1) : inYear;
  }
  const iso = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}:\d{2})(?:[.,]\d+)?(Z|[+-]\d{2}:?\d{2})?/.exec(line);
  if (!iso) return undefined;
  const found = parseWrittenTime(`${iso[1]} ${iso[2]}${iso[3] ?? ""}`);
  return found && found.time * 1000;
}

/** The lines of a period. A line without a time belongs to the one before. */
export function linesWithin(text: string, { from, to }: Period, now: Date): string[] {
  let inside = false;
  return text.split("\n").filter((line) => {
    const at = lineTime(line, now);
    if (at !== undefined) inside = at >= from && at <= to;
    return inside && line !== "";
  });
}
