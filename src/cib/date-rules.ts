import { type EpochSeconds, lookup } from "../terms/index.ts";
import {
  addDuration,
  type DateParts,
  type Duration,
  dateParts,
  localOffset,
  parseTime,
  parseWrittenTime,
  type WrittenTime,
} from "./time.ts";
import { parseInteger } from "./values.ts";
import type { XmlElement } from "./xml.ts";

/** Where `now` is with respect to a condition on the date. */
export interface DateResult {
  readonly state: "passed" | "before" | "after" | "unsatisfied" | "invalid";
  /** First second at which the answer can be another. */
  readonly nextChange?: EpochSeconds;
}

/**
 * Evaluates a `<date_expression>` (Pacemaker Explained, "Date/Time Expressions"). `in_range` includes both ends.
 * @param utcOffset of the clock that shows the parts of a `<date_spec>`; that of this machine where none is given
 */
export function evaluateDateExpression(
  expression: XmlElement,
  now: EpochSeconds,
  utcOffset?: number,
  looksAhead = true,
): DateResult {
  const operation = expression.attributes.get("operation")?.toLowerCase() ?? "in_range";
  const start = timeOf(expression, "start");
  const end = timeOf(expression, "end");
  if (start === "bad" || end === "bad") return { state: "invalid" };
  switch (operation) {
    case "gt":
      if (start === undefined) return { state: "invalid" };
      return now > start ? { state: "passed" } : { state: "before", nextChange: start + 1 };
    case "lt":
      if (end === undefined) return { state: "invalid" };
      return now < end ? { state: "passed", nextChange: end } : { state: "after" };
    case "in_range":
      return inRange(now, start, end ?? endByDuration(expression));
    case "date_spec": {
      const spec = expression.children.find(({ name }) => name === "date_spec");
      return spec === undefined ? { state: "invalid" } : evaluateDateSpec(spec, now, utcOffset, looksAhead);
    }
    default:
      return { state: "invalid" };
  }
}

function timeOf(expression: XmlElement, name: string): EpochSeconds | undefined | "bad" {
  const text = expression.attributes.get(name);
  return text === undefined ? undefined : (parseTime(text) ?? "bad");
}

function inRange(
  now: EpochSeconds,
  start: EpochSeconds | undefined,
  end: EpochSeconds | undefined,
): DateResult {
  if (start === undefined && end === undefined) return { state: "invalid" };
  if (start !== undefined && now < start) return { state: "before", nextChange: start };
  if (end === undefined) return { state: "passed" };
  return now > end ? { state: "after" } : { state: "passed", nextChange: end + 1 };
}

function endByDuration(expression: XmlElement): EpochSeconds | undefined {
  const duration = expression.children.find(({ name }) => name === "duration");
  const start = parseWrittenTime(expression.attributes.get("start") ?? "");
  if (duration === undefined || start === undefined) return undefined;
  return addDuration(start.time, durationOf(duration), start.offset);
}

function durationOf(element: XmlElement): Duration {
  const part = (name: keyof Duration) => parseInteger(element.attributes.get(name)) ?? 0;
  return {
    years: part("years"),
    months: part("months"),
    weeks: part("weeks"),
    days: part("days"),
    hours: part("hours"),
    minutes: part("minutes"),
    seconds: part("seconds"),
  };
}

/** Fields of a date specification, with the seconds after which their value can differ. */
const specFields: readonly (readonly [keyof DateParts, number])[] = [
  ["seconds", 1],
  ["minutes", 60],
  ["hours", 3600],
  ["monthdays", 86_400],
  ["weekdays", 86_400],
  ["yeardays", 86_400],
  ["months", 86_400],
  ["weeks", 86_400],
  ["weekyears", 86_400],
  ["years", 86_400],
];

/** How many steps ahead the next change of a date specification is looked for. */
const lookAhead = 800;

/** A field of a date specification with the values that it allows. */
type FieldRange = readonly [field: keyof DateParts, low: number, high: number];

/** The fields that a date specification names; `undefined` when one of them is not a range of numbers. */
function rangesOf(spec: XmlElement, fields: readonly (keyof DateParts)[]): FieldRange[] | undefined {
  const ranges: FieldRange[] = [];
  for (const field of fields) {
    const text = spec.attributes.get(field);
    if (text === undefined) continue;
    const range = parseRange(text);
    if (range === undefined) return undefined;
    ranges.push([field, ...range]);
  }
  return ranges;
}

/**
 * Evaluates a `<date_spec>`: every field named must contain its part of the date as the clock of this machine shows it,
 * in whose time zone people write office hours. The phase of the moon, which old schemas knew, is not looked at.
 * @param looksAhead whether the next change is looked for, which takes longer by far than the answer
 */
export function evaluateDateSpec(
  spec: XmlElement,
  now: EpochSeconds,
  utcOffset?: number,
  looksAhead = true,
): DateResult {
  const offsetAt = utcOffset === undefined ? localOffset : () => utcOffset;
  const ranges = rangesOf(
    spec,
    specFields.map(([field]) => field),
  );
  if (ranges === undefined) return { state: "invalid" };
  if (ranges.length === 0) return { state: "passed" };
  const partsAt = (time: EpochSeconds) => dateParts(time, offsetAt(time));
  const wrongAt = (parts: DateParts) =>
    ranges.filter(([field, low, high]) => parts[field] < low || parts[field] > high);
  let parts = partsAt(now);
  let wrong = wrongAt(parts);
  const passed = wrong.length === 0;
  const state = passed ? "passed" : "unsatisfied";
  if (!looksAhead) return { state };
  const step = Math.min(
    ...specFields.filter(([field]) => spec.attributes.has(field)).map(([, size]) => size),
  );
  const furthest = now + lookAhead * step;
  let next = now;
  for (let count = 0; count < lookAhead && next < furthest && (wrong.length === 0) === passed; count++) {
    // It changes no sooner than each field that is wrong, and while none is, than the first of those that are named.
    const days = passed
      ? Math.min(...ranges.map((range) => daysUntilWrong(range, parts)))
      : Math.max(...wrong.map((range) => daysUntilRight(range, parts)));
    next = Math.min(furthest, nextDay(next, Math.min(days, 2 * lookAhead), step, offsetAt));
    parts = partsAt(next);
    wrong = wrongAt(parts);
  }
  return { state, nextChange: next };
}

/** Highest value of a field that comes round again, and the least of those that are sometimes the last. */
const rounds: Partial<Record<keyof DateParts, readonly [first: number, last: number, least: number]>> =
  lookup({
    seconds: [0, 59, 59],
    minutes: [0, 59, 59],
    hours: [0, 23, 23],
    monthdays: [1, 31, 28],
    weekdays: [1, 7, 7],
    yeardays: [1, 366, 365],
    months: [1, 12, 12],
    weeks: [1, 53, 52],
  });
/** Fewest days that one of a field lasts; those of less than a day are not there. */
const lasting: Partial<Record<keyof DateParts, number>> = lookup({
  monthdays: 1,
  weekdays: 1,
  yeardays: 1,
  months: 28,
  weeks: 7,
  weekyears: 364,
  years: 365,
});

/** Days at least until the value of a field is the next one; 0 when that can be within the day. */
function daysOfThis(field: keyof DateParts, parts: DateParts): number {
  const { monthdays, weekdays, yeardays } = parts;
  if (field === "months") return Math.max(1, 29 - monthdays);
  if (field === "years") return Math.max(1, 366 - yeardays);
  if (field === "weeks" || field === "weekyears") return 8 - weekdays;
  return lasting[field] ?? 0;
}

/** Days at least until a field that is out of its range can be in it. */
function daysUntilRight([field, low, high]: FieldRange, parts: DateParts): number {
  const size = lasting[field];
  if (size === undefined) return 0;
  const value = parts[field];
  const round = rounds[field];
  if (round && (low > round[1] || high < round[0])) return Number.POSITIVE_INFINITY;
  const more =
    value < low ? low - value : round ? Math.max(1, round[2] - value + low - round[0] + 1) : Infinity;
  return daysOfThis(field, parts) + (more - 1) * size;
}

/** Days at least until a field that is in its range can be out of it. */
function daysUntilWrong([field, low, high]: FieldRange, parts: DateParts): number {
  const size = lasting[field];
  const round = rounds[field];
  if (round && low <= round[0] && high >= round[1]) return Number.POSITIVE_INFINITY;
  if (size === undefined) return 0;
  const more = Math.max(0, Math.min(high, round?.[2] ?? high) - parts[field]);
  return daysOfThis(field, parts) + more * size;
}

/** How much longer or shorter than usual the days until then can be, by changes of the clock. */
const clockChanges = 2 * 3600;

/** The beginning of a day on the clock, that many days later or a bit before; the next step where it is the same day. */
function nextDay(
  time: EpochSeconds,
  days: number,
  step: number,
  offsetAt: (time: EpochSeconds) => number,
): EpochSeconds {
  if (days === 0) return nextStep(time, step, offsetAt);
  if (days === 1) return nextStep(time, 86_400, offsetAt);
  return nextStep(time + (days - 1) * 86_400 - clockChanges, 86_400, offsetAt);
}

/** Fields of a date specification in the order in which they decide whether its time is to come or over. */
const decidingFields: readonly (keyof DateParts)[] = [
  "years",
  "months",
  "monthdays",
  "hours",
  "minutes",
  "seconds",
  "yeardays",
  "weekyears",
  "weeks",
  "weekdays",
];

/**
 * Where a written time is with respect to a `<date_spec>`: the first field that does not fit decides (crm_rule(8)).
 * What comes back every week is thus over on its sixth day, as Pacemaker has it.
 */
export function placeInDateSpec(
  spec: XmlElement,
  { time, offset }: WrittenTime,
): "passed" | "before" | "after" | "invalid" {
  const parts = dateParts(time, offset);
  const ranges = rangesOf(spec, decidingFields);
  if (ranges === undefined) return "invalid";
  for (const [field, low, high] of ranges) {
    if (parts[field] < low) return "before";
    if (parts[field] > high) return "after";
  }
  return "passed";
}

/** When the clock next begins an hour, a day, …: a change of the clock may make it sooner or later by an hour. */
function nextStep(time: EpochSeconds, step: number, offsetAt: (time: EpochSeconds) => number): EpochSeconds {
  const offset = offsetAt(time);
  const next = (Math.floor((time + offset) / step) + 1) * step - offset;
  const corrected = next + offset - offsetAt(next);
  return corrected > time ? corrected : next;
}

/** `5`, `1-5`, `5-`, `-5`. */
function parseRange(text: string): readonly [number, number] | undefined {
  const match = /^\s*(\d+)?\s*(-)?\s*(\d+)?\s*$/.exec(text);
  if (!match || (match[1] === undefined && match[3] === undefined)) return undefined;
  if (match[2] === undefined) return [Number(match[1]), Number(match[1])];
  return [Number(match[1] ?? 0), match[3] === undefined ? Number.POSITIVE_INFINITY : Number(match[3])];
}

/** Seconds between which a condition on the date can hold, both included; open where nothing limits it. */
export interface DatePeriod {
  readonly from?: EpochSeconds;
  readonly to?: EpochSeconds;
}

/** How far clocks of this world are from UTC at most. */
const widestOffset = 15 * 3600;
const daySeconds = 86_400;

/** When a condition on the date can hold at all; of what comes back only the years limit it. Undefined where it is not valid. */
export function datePeriod(expression: XmlElement): DatePeriod | undefined {
  const operation = expression.attributes.get("operation")?.toLowerCase() ?? "in_range";
  const start = timeOf(expression, "start");
  const end = timeOf(expression, "end");
  if (start === "bad" || end === "bad") return undefined;
  switch (operation) {
    case "gt":
      return start === undefined ? undefined : { from: start + 1 };
    case "lt":
      return end === undefined ? undefined : { to: end - 1 };
    case "in_range": {
      const to = end ?? endByDuration(expression);
      if (start === undefined && to === undefined) return undefined;
      return { ...(start === undefined ? {} : { from: start }), ...(to === undefined ? {} : { to }) };
    }
    case "date_spec": {
      const spec = expression.children.find(({ name }) => name === "date_spec");
      return spec && periodOfYears(spec);
    }
    default:
      return undefined;
  }
}

function periodOfYears(spec: XmlElement): DatePeriod | undefined {
  const ranges = rangesOf(spec, ["years", "weekyears"]);
  if (ranges === undefined) return undefined;
  // A year of weeks begins and ends up to three days apart from the other.
  const begins = ranges.flatMap(([, low]) => (low < 1 ? [] : [yearBegins(low) - 4 * daySeconds]));
  const ends = ranges.flatMap(([, , high]) => (high > 9999 ? [] : [yearBegins(high + 1) + 4 * daySeconds]));
  return {
    ...(begins.length === 0 ? {} : { from: Math.max(...begins) - widestOffset }),
    ...(ends.length === 0 ? {} : { to: Math.min(...ends) + widestOffset }),
  };
}

const yearBegins = (year: number): EpochSeconds => new Date(0).setUTCFullYear(year, 0, 1) / 1000;

/** In so many years each day has stood on each weekday, in leap years, too. */
const calendarYears = 28;
const dayFields: readonly (keyof DateParts)[] = [
  "years",
  "weekyears",
  "months",
  "monthdays",
  "yeardays",
  "weekdays",
  "weeks",
];

/** Whether there is a day that a `<date_spec>` can be about. One that is not understood may be. */
export function happens(spec: XmlElement): boolean {
  const ranges = rangesOf(spec, dayFields);
  // Each field by itself has a day where its values are in bounds.
  if (ranges === undefined || ranges.length < 2) return true;
  const years = ranges.filter(([field]) => field === "years" || field === "weekyears");
  if (ranges.some(([, low, high]) => low > high)) return true;
  const low = Math.max(...years.map(([, least]) => least), 0);
  const high = Math.min(...years.map(([, , most]) => most));
  const first = years.length === 0 ? 2000 : Math.max(1, Math.min(low, 9000) - 1);
  const last = Math.min(first + calendarYears + 1, Number.isFinite(high) ? high + 1 : 9999);
  for (let year = first; year <= last; year++)
    for (const parts of daysOf(year))
      if (ranges.every(([field, least, most]) => parts[field] >= least && parts[field] <= most)) return true;
  return false;
}

const calendar = new Map<number, readonly DateParts[]>();
/** Years that are kept: those that are looked at most, and some. */
const mostKept = 100;

function daysOf(year: number): readonly DateParts[] {
  const known = calendar.get(year);
  if (known) return known;
  const days: DateParts[] = [];
  for (let day = yearBegins(year); day < yearBegins(year + 1); day += daySeconds) days.push(dateParts(day));
  if (calendar.size < mostKept) calendar.set(year, days);
  return days;
}
